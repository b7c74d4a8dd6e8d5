#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/records/run_record.h"
#include "engine/stats/stats.h"

namespace pareto::cli {

/// One metric of two runs. The interval and the verdict are there only where the runs' raw data allow
/// a test; `test` says which.
struct MetricDifference {
    std::string key;
    double a = 0.0;
    double b = 0.0;
    double deltaPercent = 0.0;                    ///< of a
    std::optional<stats::Interval> intervalPercent;  ///< 95 %
    std::optional<bool> significant;
    std::optional<double> pValue;
    std::string test;                             ///< "", "bootstrap", "paired bootstrap", "McNemar"
};

struct SettingDifference {
    std::string path;   ///< "recipe.defaults.quantize.weights"
    Json a;             ///< null: absent
    Json b;
};

struct Comparison {
    std::vector<MetricDifference> metrics;     ///< those both runs have, in the catalogue's order
    std::vector<SettingDifference> settings;
    bool sameTask = false;
    bool sameTarget = false;
};

Comparison compareRuns(const RunRecord& a, const RunRecord& b);

}  // namespace pareto::cli
