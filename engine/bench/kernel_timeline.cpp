#include "engine/bench/kernel_timeline.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <set>

#include <torch/csrc/autograd/profiler_kineto.h>

#include "engine/runtime/failures.h"

namespace pareto::bench {

namespace {

namespace kineto = torch::autograd::profiler;
using torch::profiler::impl::ActivityType;

std::int64_t nowNs() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace

KernelTimeline::KernelTimeline(Of of) : m_of(of), m_startNs(nowNs()) {
    const torch::profiler::impl::ProfilerConfig config(
        torch::profiler::impl::ProfilerState::KINETO);
    const std::set<ActivityType> activities{of == Of::Gpu ? ActivityType::CUDA : ActivityType::CPU};
    // Kineto would write its own beginning and end to stderr.
    ::setenv("KINETO_LOG_LEVEL", "6", 0);
    try {
        kineto::prepareProfiler(config, activities);
        kineto::enableProfiler(config, activities, {at::RecordScope::FUNCTION});
        m_running = true;
    } catch (const std::exception& problem) {
        m_problem = runtime::firstLine(problem.what());
    }
}

KernelTimeline::~KernelTimeline() { finish(); }

void KernelTimeline::setStart() { m_startNs = nowNs(); }

KernelTimeline::Recorded KernelTimeline::finish() {
    Recorded out;
    if (m_running) {
        m_running = false;
        try {
            const auto wanted = m_of == Of::Gpu ? c10::DeviceType::CUDA : c10::DeviceType::CPU;
            const auto result = kineto::disableProfiler();
            for (const auto& event : result->events()) {
                const auto start = static_cast<std::int64_t>(event.startNs()) - m_startNs;
                if (event.deviceType() == wanted && start >= 0) {
                    out.kernels.push_back({event.name(), event.deviceResourceId(),
                                           static_cast<double>(start) / 1000.0,
                                           static_cast<double>(event.durationNs()) / 1000.0});
                }
            }
        } catch (const std::exception& problem) {
            m_problem = runtime::firstLine(problem.what());
        }
    }
    std::stable_sort(out.kernels.begin(), out.kernels.end(),
                     [](const auto& a, const auto& b) { return a.startUs < b.startUs; });
    if (out.kernels.empty()) {
        out.whyNone = m_problem.empty()
                          ? "CUPTI recorded nothing; does the driver let this user profile?"
                          : m_problem;
    }
    return out;
}

}  // namespace pareto::bench
