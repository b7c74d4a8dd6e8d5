#pragma once

#include <cstdint>
#include <vector>

#include "engine/records/training.h"

namespace pareto::widgets {

/// The curve of one recovery step as columns, growing while it trains: 100,000 points are 3 MB. GUI
/// thread.
class TrainingCurve {
public:
    /// Steps rise; a point that does not come behind the last one is passed over.
    void append(const TrainingPoint& point);

    std::size_t size() const { return m_step.size(); }
    bool isEmpty() const { return m_step.empty(); }
    const TrainingPoint& last() const { return m_last; }
    const std::vector<double>& step() const { return m_step; }
    const std::vector<double>& loss() const { return m_loss; }
    /// Exponentially weighted mean of the losses so far, over about a fiftieth of the planned steps
    /// (at least 5, at most 1,000), corrected for its beginning as Adam's moments are. Losses that
    /// are no number leave it as it was.
    const std::vector<double>& smoothed() const { return m_smoothed; }
    const std::vector<double>& learningRate() const { return m_rate; }
    /// Index of the point nearest to a step; -1: there is none.
    int indexAt(double step) const;

private:
    std::vector<double> m_step;
    std::vector<double> m_loss;
    std::vector<double> m_smoothed;
    std::vector<double> m_rate;
    TrainingPoint m_last;
    double m_sum = 0.0;
    double m_weight = 0.0;
};

/// A line as it is drawn.
struct DrawnLine {
    std::vector<double> x;
    std::vector<double> y;
};

/// The part of a line between `from` and `to` (and a point beyond on either side), at most four
/// points a pixel column: the first, the lowest, the highest and the last of it, so that the
/// picture is that of all points and its cost that of its width. `x` rises; values of `y` that are
/// no number are left out.
DrawnLine drawnLine(const std::vector<double>& x, const std::vector<double>& y, double from,
                    double to, int columns);

}  // namespace pareto::widgets
