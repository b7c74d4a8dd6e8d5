#pragma once

namespace pareto::widgets {

/// The ranges that a plot shows, in display units.
struct PlotView {
    double xLow = 0.0;
    double xHigh = 1.0;
    double yLow = 0.0;
    double yHigh = 1.0;
    bool operator==(const PlotView&) const = default;
};

}  // namespace pareto::widgets
