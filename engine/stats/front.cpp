#include <algorithm>
#include <cmath>

#include "engine/stats/stats.h"

namespace pareto::stats {

std::vector<std::size_t> paretoFront(std::span<const Point> points, bool lowerXIsBetter,
                                     bool lowerYIsBetter) {
    // Turned so that lower is better on both axes.
    const auto x = [&](std::size_t i) { return lowerXIsBetter ? points[i].x : -points[i].x; };
    const auto y = [&](std::size_t i) { return lowerYIsBetter ? points[i].y : -points[i].y; };
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (!std::isnan(points[i].x) && !std::isnan(points[i].y)) {
            order.push_back(i);
        }
    }
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        if (x(a) != x(b)) {
            return x(a) < x(b);
        }
        return y(a) != y(b) ? y(a) < y(b) : a < b;
    });
    // From the best x on, a point is on the front when its y is below every y before it, or when it
    // equals the last one of the front: equal points do not beat each other.
    std::vector<std::size_t> front;
    for (const auto i : order) {
        const bool first = front.empty();
        const bool better = first || y(i) < y(front.back());
        const bool same = !first && x(i) == x(front.back()) && y(i) == y(front.back());
        if (better || same) {
            front.push_back(i);
        }
    }
    if (!lowerXIsBetter) {
        std::stable_sort(front.begin(), front.end(),
                         [&](std::size_t a, std::size_t b) { return points[a].x < points[b].x; });
    }
    return front;
}

}  // namespace pareto::stats
