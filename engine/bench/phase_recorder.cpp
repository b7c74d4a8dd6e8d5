#include "engine/bench/phase_recorder.h"

#include <utility>

#include "engine/stats/stats.h"

namespace pareto::bench {

double PhaseRecorder::nowMs() const {
    return std::chrono::duration<double, std::milli>(Clock::now() - m_start).count();
}

void PhaseRecorder::begin(const std::string& phase) {
    const auto [entry, isNew] = m_index.try_emplace(phase, static_cast<int>(m_phases.size()));
    if (isNew) {
        m_phases.push_back(phase);
    }
    m_open.push_back(m_events.size());
    const double now = nowMs();
    m_events.push_back({entry->second, now, now, 0.0});
}

void PhaseRecorder::end(const std::string&) {
    if (m_open.empty()) {
        return;
    }
    auto& event = m_events[m_open.back()];
    m_open.pop_back();
    event.endMs = nowMs();
    const double ms = event.endMs - event.beginMs;
    event.ownMs += ms;
    if (!m_open.empty()) {
        m_events[m_open.back()].ownMs -= ms;
    }
}

std::vector<PhaseEvent> PhaseRecorder::take() {
    m_open.clear();
    return std::exchange(m_events, {});
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
