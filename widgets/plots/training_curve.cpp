#include "widgets/plots/training_curve.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace pareto::widgets {

namespace {

constexpr double kSmoothedShare = 1.0 / 50.0;
constexpr double kLeastWindow = 5.0;
constexpr double kMostWindow = 1000.0;

double windowOf(const TrainingPoint& point) {
    return std::clamp(static_cast<double>(point.steps) * kSmoothedShare, kLeastWindow, kMostWindow);
}

/// What one pixel column of a line shows.
class Column {
public:
    explicit Column(DrawnLine& out) : m_out(out) {}
    void take(std::size_t index, double value) {
        if (m_empty) {
            m_first = m_lowest = m_highest = m_last = index;
            m_low = m_high = value;
            m_empty = false;
            return;
        }
        m_last = index;
        if (value < m_low) {
            m_low = value;
            m_lowest = index;
        }
        if (value > m_high) {
            m_high = value;
            m_highest = index;
        }
    }
    void finish(const std::vector<double>& x, const std::vector<double>& y) {
        if (m_empty) {
            return;
        }
        std::array<std::size_t, 4> kept{m_first, m_lowest, m_highest, m_last};
        std::sort(kept.begin(), kept.end());
        const auto end = std::unique(kept.begin(), kept.end());
        for (auto at = kept.begin(); at != end; ++at) {
            m_out.x.push_back(x[*at]);
            m_out.y.push_back(y[*at]);
        }
        m_empty = true;
    }

private:
    DrawnLine& m_out;
    bool m_empty = true;
    std::size_t m_first = 0;
    std::size_t m_lowest = 0;
    std::size_t m_highest = 0;
    std::size_t m_last = 0;
    double m_low = 0.0;
    double m_high = 0.0;
};

}  // namespace

void TrainingCurve::append(const TrainingPoint& point) {
    const auto step = static_cast<double>(point.step);
    if (!m_step.empty() && step <= m_step.back()) {
        return;
    }
    if (std::isfinite(point.loss)) {
        // A point that follows after many steps stands for all of them.
        const double passed = m_step.empty() ? 1.0 : step - m_step.back();
        const double kept = std::exp(-passed / windowOf(point));
        m_sum = m_sum * kept + point.loss * (1.0 - kept);
        m_weight = m_weight * kept + (1.0 - kept);
    }
    m_step.push_back(step);
    m_loss.push_back(point.loss);
    m_smoothed.push_back(m_weight > 0.0 ? m_sum / m_weight : std::nan(""));
    m_rate.push_back(point.learningRate);
    m_last = point;
}

int TrainingCurve::indexAt(double step) const {
    if (m_step.empty()) {
        return -1;
    }
    const auto above = std::lower_bound(m_step.begin(), m_step.end(), step);
    if (above == m_step.end()) {
        return static_cast<int>(m_step.size()) - 1;
    }
    const auto index = above - m_step.begin();
    const bool below = index > 0 && step - *std::prev(above) < *above - step;
    return static_cast<int>(below ? index - 1 : index);
}

DrawnLine drawnLine(const std::vector<double>& x, const std::vector<double>& y, double from,
                    double to, int columns) {
    DrawnLine out;
    if (x.empty() || columns <= 0 || !(from < to)) {
        return out;
    }
    auto begin = static_cast<std::size_t>(std::lower_bound(x.begin(), x.end(), from) - x.begin());
    auto end = static_cast<std::size_t>(std::upper_bound(x.begin(), x.end(), to) - x.begin());
    begin = begin > 0 ? begin - 1 : begin;
    end = std::min(end + 1, x.size());
    const double perColumn = columns / (to - from);
    int current = -2;
    Column column(out);
    for (std::size_t i = begin; i < end; ++i) {
        if (!std::isfinite(y[i])) {
            continue;
        }
        const int at =
            std::clamp(static_cast<int>(std::floor((x[i] - from) * perColumn)), -1, columns);
        if (at != current) {
            column.finish(x, y);
            current = at;
        }
        column.take(i, y[i]);
    }
    column.finish(x, y);
    return out;
}

}  // namespace pareto::widgets
