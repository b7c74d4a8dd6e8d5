#pragma once

#include <atomic>

namespace pareto {

/// What a person wants of a long job beside cancelling it. Others set it, the working thread looks at it.
class Control {
public:
    void pause(bool on) { m_paused.store(on, std::memory_order_relaxed); }
    /// End now with the best that was found, as if this had been the last step.
    void finish() { m_finishing.store(true, std::memory_order_relaxed); }
    bool paused() const { return m_paused.load(std::memory_order_relaxed); }
    bool finishing() const { return m_finishing.load(std::memory_order_relaxed); }

private:
    std::atomic<bool> m_paused{false};
    std::atomic<bool> m_finishing{false};
};

}  // namespace pareto
