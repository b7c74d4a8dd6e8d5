#pragma once

#include <string_view>
#include <vector>

namespace pareto {

enum class Better { Lower, Higher };

/// The catalogue of metrics: one line each, used by store, tables, plots and JSON alike.
struct MetricInfo {
    std::string_view key;      ///< "latency_p50_ms"
    std::string_view english;  ///< "Latency p50"
    std::string_view unit;     ///< "ms"; "%" metrics are stored as fractions and shown × 100
    Better better = Better::Lower;
    int decimals = 2;          ///< for display
};
const std::vector<MetricInfo>& metricCatalogue();
const MetricInfo* findMetric(std::string_view key);

}  // namespace pareto
