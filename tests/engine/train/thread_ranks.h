#pragma once

// Ranks as threads of the test: what each trains is compared with what one alone trains.
#include <algorithm>
#include <functional>
#include <thread>
#include <vector>

#include "engine/train/ranks.h"
#include "tests/support/meeting_place.h"

namespace pareto::test {

class ThreadRank : public train::Ranks {
public:
    ThreadRank(MeetingPlace& place, int rank) : m_place(place), m_rank(rank) {}
    int rank() const override { return m_rank; }
    int size() const override { return m_place.size(); }
    std::string hostOf(int rank) const override { return "host" + std::to_string(rank); }
    int here() const override { return m_place.size(); }

    Status allReduceSum(std::span<float> values, std::stop_token) override {
        return meet(std::as_writable_bytes(values),
                    [](MeetingPlace::Spans& all) { reduceSpans(all, [](float a, float b) { return a + b; }); });
    }
    Status broadcast(std::span<std::byte> bytes, std::stop_token) override { return meet(bytes, copyFirst); }

private:
    Status meet(std::span<std::byte> bytes, const std::function<void(MeetingPlace::Spans&)>& together) {
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
