#pragma once

// Threads of a test in place of processes: what they do together is computed where they meet.
#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

namespace pareto::test {

/// Where ranks meet: each call waits for all. The end of one is the end of all.
class MeetingPlace {
public:
    using Spans = std::vector<std::span<std::byte>>;
    explicit MeetingPlace(int size) : m_spans(static_cast<std::size_t>(size)) {}

    /// `together`: what one thread does with all spans when all have come. False: a rank has ended.
    bool meet(int rank, std::span<std::byte> own, const std::function<void(Spans&)>& together) {
        std::unique_lock lock(m_mutex);
        if (m_over) {
            return false;
        }
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
    Spans m_spans;
    int m_here = 0;
    int m_turn = 0;
    bool m_over = false;
};

inline std::span<float> floatsOf(std::span<std::byte> bytes) {
    return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)};
}

/// Everybody gets what `combine` makes of all values, in the order of ranks.
inline void reduceSpans(MeetingPlace::Spans& all, const std::function<float(float, float)>& combine) {
    for (std::size_t i = 0; i < floatsOf(all[0]).size(); ++i) {
        float value = floatsOf(all[0])[i];
        for (std::size_t rank = 1; rank < all.size(); ++rank) {
            value = combine(value, floatsOf(all[rank])[i]);
        }
        for (const auto bytes : all) {
            floatsOf(bytes)[i] = value;
        }
    }
}

inline void copyFirst(MeetingPlace::Spans& all) {
    for (std::size_t i = 1; i < all.size(); ++i) {
        std::copy(all[0].begin(), all[0].end(), all[i].begin());
    }
}

}  // namespace pareto::test
