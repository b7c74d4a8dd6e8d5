#include "engine/bench/pass_progress.h"

#include <algorithm>
#include <cmath>

namespace pareto::bench {

namespace {

/// Smaller changes of the total are not worth showing while passes go on.
constexpr double kShownChange = 0.05;
constexpr double kLeastPassMs = 1e-6;

}  // namespace

std::int64_t passesInAll(const PassGoal& goal, std::int64_t done, double spentMs, double passMs) {
    const double leftMs = std::max(goal.minMs - spentMs, 0.0);
    // Beyond the most passes the count does not matter, and it must fit an integer.
    const double forTime = std::min(std::ceil(leftMs / std::max(passMs, kLeastPassMs)),
                                    static_cast<double>(goal.maxPasses));
    const auto wanted =
        std::min(std::max(goal.minPasses, done + static_cast<std::int64_t>(forTime)), goal.maxPasses);
    const auto left = std::max<std::int64_t>(wanted - done, 0);
    const auto step = std::max<std::int64_t>(goal.step, 1);
    return done + (left + step - 1) / step * step;
}

PassProgress::PassProgress(Progress& progress, const PassGoal& goal, double passMs)
    : m_progress(progress), m_goal(goal), m_total(passesInAll(goal, 0, 0.0, passMs)) {
    m_progress.begin(Stage::Timing, m_total, Unit::Iterations);
}

void PassProgress::update(std::int64_t done, double spentMs) {
    const auto mean = done > 0 ? spentMs / static_cast<double>(done) : 0.0;
    const auto total = passesInAll(m_goal, done, spentMs, mean);
    const auto change = std::abs(static_cast<double>(total - m_total));
    if (done > m_total || total == done || change > kShownChange * static_cast<double>(m_total)) {
        if (total != m_total) {
            m_total = total;
            m_progress.begin(Stage::Timing, m_total, Unit::Iterations);
        }
    }
    m_progress.set(done);
}

}  // namespace pareto::bench
