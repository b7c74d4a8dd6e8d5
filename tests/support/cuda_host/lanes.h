// The threads of a block, as fibers of one thread: bodies of CUDA kernels run on the CPU with every lane, every
// exchange between lanes and memory that is shared by them as on a device. A lane that misses a collective call is
// noticed, where a device would hang or answer nonsense.
#pragma once

#include <ucontext.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace pareto::test {

/// Runs one function on many fibers that wait for each other.
class Lanes {
public:
    explicit Lanes(int count);
    Lanes(const Lanes&) = delete;
    Lanes& operator=(const Lanes&) = delete;

    int count() const { return static_cast<int>(m_fibers.size()); }
    /// `work(lane)` on every fiber, to its end.
    void run(const std::function<void(int)>& work);
    /// Called by a fiber: goes on when all have come here. `call` names the collective call.
    void wait(int lane, int call);
    /// Lanes that did not take part in a collective call that others made, since the beginning.
    static std::int64_t missed();

    std::vector<double> slots;  ///< what lanes exchange, one each

private:
    struct Fiber {
        ucontext_t context;
        std::vector<char> stack;
        int call = 0;
        bool done = true;
    };
    static void entry(unsigned high, unsigned low, int lane);
    std::vector<Fiber> m_fibers;
    ucontext_t m_back;
    const std::function<void(int)>* m_work = nullptr;
};

/// What bodies ask of a team (engine/kernels/cuda/host_device.h).
class HostTeam {
public:
    HostTeam(Lanes& lanes, int lane) : m_lanes(lanes), m_lane(lane) {}
    int lane() const { return m_lane; }
    int lanes() const { return m_lanes.count(); }
    float sum(float x) {
        return joined(x, lanes(), 1, [](float a, float b) { return a + b; });
    }
    std::int32_t sum(std::int32_t x) {
        return joined(x, lanes(), 2, [](std::int32_t a, std::int32_t b) { return a + b; });
    }
    float max(float x) { return joined(x, lanes(), 3, larger); }
    float eightSum(float x) {
        return joined(x, 8, 4, [](float a, float b) { return a + b; });
    }
    float eightMax(float x) { return joined(x, 8, 5, larger); }
    void sync() { m_lanes.wait(m_lane, 6); }

private:
    static float larger(float a, float b) { return a > b ? a : b; }

    /// Of the `among` neighbours that this lane belongs to, halves joined with halves as shuffles join them.
    template <typename T, typename Join>
    T joined(T x, int among, int call, Join join) {
        m_lanes.slots[static_cast<std::size_t>(m_lane)] = static_cast<double>(x);
        m_lanes.wait(m_lane, call);
        std::vector<T> values;
        const int first = m_lane / among * among;
        for (int i = 0; i < among; ++i) {
            values.push_back(static_cast<T>(m_lanes.slots[static_cast<std::size_t>(first + i)]));
        }
        for (std::size_t half = values.size() / 2; half > 0; half /= 2) {
            for (std::size_t i = 0; i < half; ++i) {
                values[i] = join(values[i], values[i + half]);
            }
        }
        m_lanes.wait(m_lane, call);
        return values.front();
    }

    Lanes& m_lanes;
    int m_lane;
};

}  // namespace pareto::test
