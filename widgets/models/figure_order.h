#pragma once

#include <cmath>

#include <Qt>

namespace pareto::widgets {

/// Whether a row with figure `x` stands before one with `y`. What was not measured (NaN) stands last either way.
inline bool figureBefore(double x, double y, Qt::SortOrder order) {
    if (std::isnan(x) || std::isnan(y)) {
        return !std::isnan(x) && std::isnan(y);
    }
    return order == Qt::AscendingOrder ? x < y : x > y;
}

}  // namespace pareto::widgets
