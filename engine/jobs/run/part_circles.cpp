#include "engine/jobs/run/part_circles.h"

#include <vector>

namespace pareto::jobs {

Result<PartCircles> PartCircles::make(dist::Group& group, const ShardPlace& place, std::stop_token stop) {
    PartCircles out;
    const auto [tp, pp, rank] = place;
    if (tp > 1) {
        std::vector<int> ranks;
        for (int part = 0; part < tp; ++part) {
            ranks.push_back(place.stage() * tp + part);
        }
        PARETO_TRY(out.stage, group.circle(ranks, stop));
    }
    if (place.stage() > 0) {
        PARETO_TRY(out.previous, group.circle({rank - tp, rank}, stop));
    }
    if (place.stage() + 1 < pp) {
        PARETO_TRY(out.next, group.circle({rank, rank + tp}, stop));
    }
    const int last = (pp - 1) * tp;
    if (pp > 2 && (rank == 0 || rank == last)) {
        PARETO_TRY(out.ends, group.circle({0, last}, stop));
    }
    return out;
}

}  // namespace pareto::jobs
