#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "engine/records/run_record.h"
#include "engine/stats/stats.h"

namespace pareto::metrics {

/// How every metric of a task follows from the task's items stands in one table: so a figure, its
/// interval and the comparison of two runs on the same items agree by construction. ItemResult::parts:
///   classification             label's class (with `predicted`)
///   multiple choice            1/0 right, 1/0 right by normalized likelihood
///   token classification       EntityCounts::row()
///   question answering         exact match, F1
///   translation                BleuRow, ChrfRow
///   generation                 F1 of ROUGE-1, ROUGE-2, ROUGE-L
///   perplexity, dialogue       nats, tokens
///   fidelity of a decoder      KL divergence in nats, tokens with the same top token, tokens
///   similarity                 cosine, given score
///   retrieval, ranking         nDCG@10, reciprocal rank in 10, recall in 10, recall in 100
bool isItemMetric(std::string_view key);

/// Value and 95 % interval: Wilson's for shares of items, else a bootstrap over items; no interval for
/// fewer than two items or where every resample gives the same. `key` is an item metric.
Measurement measureItems(std::string_view key, std::span<const ItemResult> items,
                         const stats::BootstrapOptions& options = {});

/// b − a in the metric's unit, on the same items.
struct ItemComparison {
    double difference = 0.0;
    stats::Interval interval;
    std::optional<double> pValue;  ///< of McNemar's test, for shares of items
    bool significant = false;      ///< by the test's 5 % or because the interval excludes 0
    std::string_view test;         ///< "McNemar", "paired bootstrap"
    std::int64_t n = 0;
};
/// Absent for other metrics, for fewer than two items, and where the runs have not the same items.
std::optional<ItemComparison> compareItems(std::string_view key, std::span<const ItemResult> a,
                                           std::span<const ItemResult> b,
                                           const stats::BootstrapOptions& options = {});

}  // namespace pareto::metrics
