#pragma once

// Ranks as threads of the test: what each trains is compared with what one alone trains.
#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/train/ranks.h"

namespace pareto::test {

/// Where ranks meet: each call waits for all. The end of one is the end of all.
class MeetingPlace {
public:
    explicit MeetingPlace(int size) : m_spans(static_cast<std::size_t>(size)) {}

    /// `together`: what one thread does with all spans when all have come. False: a rank has ended.
    bool meet(int rank, std::span<std::byte> own, const std::function<void(std::vector<std::span<std::byte>>&)>& together) {
        std::unique_lock lock(m_mutex);
        m_spans[static_cast<std::size_t>(rank)] = own;
        const int turn = m_turn;
        if (++m_here == static_cast<int>(m_spans.size())) {
            together(m_spans);
            m_here = 0;
            ++m_turn;
            m_changed.notify_all();
            return true;
        }
        m_changed.wait(lock, [&] { return m_turn != turn || m_over; });
        return m_turn != turn;
    }
    void end() {
        const std::lock_guard lock(m_mutex);
        m_over = true;
        m_changed.notify_all();
    }
    int size() const { return static_cast<int>(m_spans.size()); }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::vector<std::span<std::byte>> m_spans;
    int m_here = 0;
    int m_turn = 0;
    bool m_over = false;
};

class ThreadRank : public train::Ranks {
public:
    ThreadRank(MeetingPlace& place, int rank) : m_place(place), m_rank(rank) {}
    int rank() const override { return m_rank; }
    int size() const override { return m_place.size(); }
    std::string hostOf(int rank) const override { return "host" + std::to_string(rank); }
    int here() const override { return m_place.size(); }

    Status allReduceSum(std::span<float> values, std::stop_token) override {
        return meet(std::as_writable_bytes(values), [](std::vector<std::span<std::byte>>& all) {
            const auto floats = [](std::span<std::byte> bytes) { return reinterpret_cast<float*>(bytes.data()); };
            for (std::size_t i = 0; i < all[0].size() / sizeof(float); ++i) {
                float sum = 0.0F;
                for (const auto bytes : all) {
                    sum += floats(bytes)[i];
                }
                for (const auto bytes : all) {
                    floats(bytes)[i] = sum;
                }
            }
        });
    }
    Status broadcast(std::span<std::byte> bytes, std::stop_token) override {
        return meet(bytes, [](std::vector<std::span<std::byte>>& all) {
            for (std::size_t i = 1; i < all.size(); ++i) {
                std::copy(all[0].begin(), all[0].end(), all[i].begin());
            }
        });
    }

private:
    Status meet(std::span<std::byte> bytes, const std::function<void(std::vector<std::span<std::byte>>&)>& together) {
        return m_place.meet(m_rank, bytes, together)
                   ? Status(Done{})
                   : Status(makeError(ErrorCode::RankLost, {{"rank", "?"}, {"host", "?"}, {"reason", "ended"}}));
    }

    MeetingPlace& m_place;
    int m_rank;
};

/// What `work` answers on each rank of `size`.
template <typename T>
std::vector<Result<T>> onRanks(int size, const std::function<Result<T>(train::Ranks&)>& work) {
    MeetingPlace place(size);
    std::vector<Result<T>> out(static_cast<std::size_t>(size), Result<T>(Cancelled{}));
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < size; ++rank) {
        threads.emplace_back([&, rank] {
            ThreadRank own(place, rank);
            auto& answer = out[static_cast<std::size_t>(rank)];
            answer = work(own);
            if (!answer.ok()) {
                place.end();
            }
        });
    }
    threads.clear();
    return out;
}

}  // namespace pareto::test
