#pragma once

// Peers as threads of the test, of which one works at a time: what they evaluate together is what one evaluates alone.
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <QtTest>

#include "engine/records/run_record.h"
#include "engine/tasks/task_runner.h"

namespace pareto::fakes {

/// Where peers meet; the end of one is the end of all.
class PeerTable {
public:
    explicit PeerTable(int size) : m_given(static_cast<std::size_t>(size)) {}
    int size() const { return static_cast<int>(m_given.size()); }

    std::unique_lock<std::mutex> begin() { return std::unique_lock(m_mutex); }
    Result<std::vector<std::string>> meet(std::unique_lock<std::mutex>& lock, int rank, const std::string& own) {
        m_given[static_cast<std::size_t>(rank)] = own;
        const int turn = m_turn;
        if (++m_here == size()) {
            m_here = 0;
            m_known = m_given;
            ++m_turn;
            m_changed.notify_all();
        }
        m_changed.wait(lock, [&] { return m_turn != turn || m_over; });
        return m_turn != turn ? Result<std::vector<std::string>>(m_known)
                              : makeError(ErrorCode::RankLost, {{"rank", "?"}, {"host", "?"}, {"reason", "ended"}});
    }
    /// With the lock.
    void end() {
        m_over = true;
        m_changed.notify_all();
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::vector<std::string> m_given;
    std::vector<std::string> m_known;
    int m_here = 0;
    int m_turn = 0;
    bool m_over = false;
};

class ThreadPeer : public tasks::Peers {
public:
    ThreadPeer(PeerTable& table, std::unique_lock<std::mutex>& lock, int rank) : m_table(table), m_lock(lock), m_rank(rank) {}
    int rank() const override { return m_rank; }
    int size() const override { return m_table.size(); }
    Result<std::vector<std::string>> exchange(const std::string& own, std::stop_token) override {
        return m_table.meet(m_lock, m_rank, own);
    }
    Error unfit(int rank, const std::string& reason) const override {
        return makeError(ErrorCode::RankUnfit, {{"rank", std::to_string(rank)}, {"host", "test"}, {"reason", reason}});
    }

private:
    PeerTable& m_table;
    std::unique_lock<std::mutex>& m_lock;
    int m_rank;
};

inline std::vector<Result<tasks::EvalResult>> evaluateTogether(const tasks::EvalRequest& request, int size) {
    PeerTable table(size);
    std::vector<Result<tasks::EvalResult>> out(static_cast<std::size_t>(size), Result<tasks::EvalResult>(Cancelled{}));
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < size; ++rank) {
        threads.emplace_back([&, rank] {
            auto lock = table.begin();
            ThreadPeer own(table, lock, rank);
            auto theirs = request;
            theirs.peers = &own;
            Progress progress;
            auto& answer = out[static_cast<std::size_t>(rank)];
            answer = tasks::evaluate(theirs, progress, {});
            if (!answer.ok()) {
                table.end();
            }
        });
    }
    threads.clear();
    return out;
}

/// What a record keeps of a result, but for the time it took.
inline std::string textOf(const tasks::EvalResult& result) {
    RunRecord record;
    record.items = result.items;
    record.measurements = result.measurements;
    record.details = result.details;
    return runRecordToJson(record).dump();
}

/// A result that one alone gave is what two and three give, each of them.
inline void sameTogether(const tasks::EvalRequest& request, const Result<tasks::EvalResult>& alone) {
    if (!alone.ok()) {
        return;
    }
    for (const int size : {2, 3}) {
        for (const auto& one : evaluateTogether(request, size)) {
            QVERIFY2(one.ok(), one.ok() || one.cancelled() ? "cancelled" : errorMessage(one.error()).c_str());
            QCOMPARE(textOf(one.value()), textOf(alone.value()));
        }
    }
}

}  // namespace pareto::fakes
