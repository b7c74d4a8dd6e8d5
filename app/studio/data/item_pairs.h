#pragma once

#include <cstdint>
#include <vector>

#include "engine/records/run_record.h"
#include "engine/stats/stats.h"

namespace pareto::studio {

/// One item that both runs of a comparison evaluated.
struct ItemPair {
    std::int64_t item = 0;
    std::size_t a = 0;  ///< index into the items of run A
    std::size_t b = 0;
    double scoreA = 0.0;
    double scoreB = 0.0;
    double worse = 0.0;  ///< by how much B is worse, whichever way the metric goes; below 0: better
    bool changed = false;  ///< score, class or answer is another
};

/// Two runs on the same items.
struct ItemComparison {
    std::vector<ItemPair> pairs;  ///< those in which B lost most come first
    bool lowerIsBetter = false;
    bool rightWrong = false;  ///< every score is 1 or 0: counts and McNemar's test say it
    std::int64_t bothRight = 0;
    std::int64_t onlyA = 0;
    std::int64_t onlyB = 0;
    std::int64_t bothWrong = 0;
    double p = 1.0;                      ///< McNemar, when rightWrong
    stats::PairedDifference difference;  ///< mean of B − A, else
    std::int64_t unpaired = 0;           ///< items that only one of them has
    std::int64_t changed = 0;
};
/// Pure, some seconds for a million items: called in the pool.
ItemComparison compareItems(const RunRecord& a, const RunRecord& b);

}  // namespace pareto::studio
