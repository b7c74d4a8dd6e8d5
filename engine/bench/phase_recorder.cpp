#include "engine/bench/phase_recorder.h"

#include <utility>

#include "engine/bench/gpu_ranges.h"
#include "engine/stats/stats.h"

namespace pareto::bench {

PhaseRecorder::PhaseRecorder(std::unique_ptr<PhaseClock> clock)
    : m_clock(std::move(clock)), m_ranges(gpuRangesWanted()) {}

void PhaseRecorder::begin(const std::string& phase) {
    if (m_ranges) {
        pushGpuRange(phase);
    }
    const auto [entry, isNew] = m_index.try_emplace(phase, static_cast<int>(m_phases.size()));
    if (isNew) {
        m_phases.push_back(phase);
    }
    const auto self = m_calls.size();
    const auto outer = m_open.empty() ? self : m_open.back();
    m_open.push_back(self);
    const auto now = m_clock->mark();
    m_calls.push_back({entry->second, now, now, outer});
}

void PhaseRecorder::end(const std::string&) {
    if (m_open.empty()) {
        return;
    }
    m_calls[m_open.back()].end = m_clock->mark();
    m_open.pop_back();
    if (m_ranges) {
        popGpuRange();
    }
}

std::size_t PhaseRecorder::mark() {
    m_moments.push_back(m_clock->mark());
    return m_moments.size() - 1;
}

PhaseRecorder::Recorded PhaseRecorder::take() {
    const auto times = m_clock->times();
    Recorded out;
    for (const auto& call : m_calls) {
        const double ms = times[call.end] - times[call.begin];
        out.events.push_back({call.phase, times[call.begin], times[call.end], ms});
        if (auto& outer = out.events[call.outer]; &outer != &out.events.back()) {
            outer.ownMs -= ms;
        }
    }
    for (const auto moment : m_moments) {
        out.moments.push_back(times[moment]);
    }
    m_open.clear();
    m_calls.clear();
    m_moments.clear();
    return out;
}

void PhaseSamples::add(const std::vector<PhaseEvent>& events) {
    std::map<int, std::pair<double, int>> step;
    for (const auto& event : events) {
        if (m_samples.try_emplace(event.phase).second) {
            m_order.push_back(event.phase);
        }
        auto& [ms, calls] = step[event.phase];
        ms += event.ownMs;
        ++calls;
    }
    for (const auto& [phase, spent] : step) {
        auto& samples = m_samples[phase];
        samples.ms.push_back(spent.first);
        samples.calls = spent.second;
    }
}

std::vector<PhaseSamples::Summary> PhaseSamples::summary() const {
    std::vector<Summary> out;
    for (const int phase : m_order) {
        const auto& samples = m_samples.at(phase);
        out.push_back({phase, stats::median(samples.ms), samples.calls});
    }
    return out;
}

}  // namespace pareto::bench
