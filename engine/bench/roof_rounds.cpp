#include "engine/bench/roof_rounds.h"

#include <algorithm>

#include "engine/stats/stats.h"

namespace pareto::bench {

namespace {

constexpr int kMostRounds = 10'000;

Status sweep(RoofSource& source, PhaseClock& clock, double seconds, int rounds,
             const std::stop_token& stop) {
    source.round();
    clock.mark();
    clock.times();
    double spent = 0.0;
    for (int done = 0; done < kMostRounds && (done < rounds || spent < seconds); ++done) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        clock.mark();
        source.round();
        clock.mark();
        const auto moments = clock.times();
        const double taken = (moments[1] - moments[0]) / 1000.0;
        spent += std::max(taken, 1e-6);
        source.rates.push_back(source.work / std::max(taken, 1e-9) / 1e9);
    }
    return Done{};
}

}  // namespace

Roof RoofSource::roof() const {
    return rates.empty()
               ? Roof{}
               : Roof{*std::max_element(rates.begin(), rates.end()), stats::median(rates)};
}

Status sweepRoofs(std::vector<RoofSource>& sources, PhaseClock& clock, double seconds, int rounds,
                  Progress& progress, const std::stop_token& stop) {
    progress.begin(Stage::Timing, static_cast<std::int64_t>(kRoofSweeps * sources.size()),
                   Unit::Iterations);
    const int each = (std::max(rounds, 1) + kRoofSweeps - 1) / kRoofSweeps;
    for (int i = 0; i < kRoofSweeps; ++i) {
        for (auto& source : sources) {
            PARETO_CHECK(sweep(source, clock, seconds / kRoofSweeps, each, stop));
            progress.advance();
        }
    }
    return Done{};
}

}  // namespace pareto::bench
