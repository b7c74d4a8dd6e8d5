#include "engine/runtime/step_graph.h"

#include <stdexcept>

#include "engine/runtime/failures.h"
#include "engine/runtime/torch_cuda_kernels.h"

namespace pareto::runtime {

using kernels::cuda::Reason;

StepGraph::StepGraph(const Device& device) : m_device(device) {}

StepGraph::~StepGraph() { drop(); }

void StepGraph::drop() {
    if (m_graph != nullptr) {
        m_device.cudaTable->graph.drop(m_graph);
        m_graph = nullptr;
    }
}

std::string StepGraph::problemOf(const Device& device) {
    const auto* table = ownKernels(device);
    if (table == nullptr) {
        return device.cudaTableProblem.empty() ? "there are no CUDA kernels"
                                               : device.cudaTableProblem;
    }
    return table->graph.begin == nullptr ? std::string(table->name) + " records no graphs" : "";
}

std::string StepGraph::record(const std::function<void()>& work) {
    drop();
    if (std::string problem = problemOf(m_device); !problem.empty()) {
        return problem;
    }
    const auto& calls = m_device.cudaTable->graph;
    Reason reason;
    void* graph = calls.begin(m_device.index, &reason);
    if (graph == nullptr) {
        return reason.text;
    }
    std::string thrown;
    try {
        work();
    } catch (const std::exception& problem) {
        thrown = firstLine(problem.what());
    }
    // What was thrown says more than the end of a recording that it broke.
    const bool ended = calls.end(graph, &reason);
    if (thrown.empty() && ended) {
        m_graph = graph;
        return "";
    }
    calls.drop(graph);
    return !thrown.empty()          ? thrown
           : reason.text[0] != '\0' ? reason.text
                                    : "the recording could not be ended";
}

void StepGraph::replay() const {
    Reason reason;
    if (!m_device.cudaTable->graph.replay(m_graph, &reason)) {
        throw std::runtime_error(reason.text);
    }
}

}  // namespace pareto::runtime
