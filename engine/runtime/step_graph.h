#pragma once

#include <functional>
#include <string>

#include "engine/runtime/device.h"

namespace pareto::runtime {

/// Work of a device that is launched the same way again and again, recorded once as a CUDA graph and then replayed
/// with a single launch. Memory that the work reads and writes must stay where it is.
class StepGraph {
public:
    explicit StepGraph(const Device& device);
    ~StepGraph();
    StepGraph(const StepGraph&) = delete;
    StepGraph& operator=(const StepGraph&) = delete;

    /// Why nothing can be recorded on a device; empty: it can be tried.
    static std::string problemOf(const Device& device);

    /// Records what `work` launches, without running it. Answers why that was not possible (also what `work` threw),
    /// or nothing; the device is as before then.
    std::string record(const std::function<void()>& work);
    bool recorded() const { return m_graph != nullptr; }
    /// Queues what was recorded. Throws when the device says no.
    void replay() const;

private:
    void drop();
    const Device m_device;
    void* m_graph = nullptr;
};

}  // namespace pareto::runtime
