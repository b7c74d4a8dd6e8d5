#include "app/cli/comparison.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "engine/metrics/item_metrics.h"
#include "engine/records/metrics.h"

namespace pareto::cli {
namespace {

double percentOf(double difference, double reference) {
    return reference == 0.0 ? std::numeric_limits<double>::quiet_NaN()
                            : 100.0 * difference / std::abs(reference);
}

/// A metric of the task's items, on the items of both runs.
void testItems(const RunRecord& a, const RunRecord& b, MetricDifference& out) {
    const auto comparison = metrics::compareItems(out.key, a.items, b.items);
    if (!comparison) {
        return;
    }
    out.intervalPercent = {percentOf(comparison->interval.low, out.a),
                           percentOf(comparison->interval.high, out.a)};
    out.pValue = comparison->pValue;
    out.significant = comparison->significant;
    out.test = comparison->test;
}

/// The runs were timed at different moments, so their passes are no pairs: each side is drawn anew.
void testLatency(const RunRecord& a, const RunRecord& b, MetricDifference& out) {
    if (a.latenciesMs.size() < 2 || b.latenciesMs.size() < 2) {
        return;
    }
    std::vector<double> ratios;
    constexpr int kReplicates = 2000;
    const auto replicate = [](const std::vector<double>& values, std::uint64_t seed) {
        std::vector<double> medians;
        stats::bootstrap(
            values,
            [&](std::span<const double> sample) {
                medians.push_back(stats::median(sample));
                return medians.back();
            },
            {.resamples = kReplicates, .confidence = 0.95, .seed = seed});
        return medians;
    };
    const auto mediansA = replicate(a.latenciesMs, 1);
    const auto mediansB = replicate(b.latenciesMs, 2);
    for (std::size_t i = 0; i < mediansA.size(); ++i) {
        ratios.push_back(100.0 * (mediansB[i] / mediansA[i] - 1.0));
    }
    out.intervalPercent = {stats::quantile(ratios, 0.025), stats::quantile(ratios, 0.975)};
    out.significant = out.intervalPercent->low > 0.0 || out.intervalPercent->high < 0.0;
    out.test = "bootstrap";
}

MetricDifference differenceOf(const RunRecord& a, const RunRecord& b, const std::string& key) {
    MetricDifference out;
    out.key = key;
    out.a = a.find(key)->value;
    out.b = b.find(key)->value;
    out.deltaPercent = percentOf(out.b - out.a, out.a);
    if (key == "latency_p50_ms" && a.targetKey == b.targetKey) {
        testLatency(a, b, out);
    } else if (!a.task.is_null() && a.taskKey == b.taskKey) {
        testItems(a, b, out);
    }
    return out;
}

void flatten(const Json& json, const std::string& path, std::map<std::string, Json>& out) {
    if (json.is_object() && !json.empty()) {
        for (const auto& [key, value] : json.items()) {
            flatten(value, path + "." + key, out);
        }
    } else if (json.is_array() && !json.empty() && json[0].is_object()) {
        for (std::size_t i = 0; i < json.size(); ++i) {
            flatten(json[i], path + "[" + std::to_string(i) + "]", out);
        }
    } else if (!json.is_null()) {
        out[path] = json;
    }
}

std::map<std::string, Json> settingsOf(const RunRecord& run) {
    std::map<std::string, Json> settings;
    settings["model"] = run.modelName;
    settings["model.hash"] = run.modelHash;
    settings["seed"] = run.seed;
    flatten(run.recipe, "recipe", settings);
    flatten(run.task, "task", settings);
    flatten(run.target, "target", settings);
    flatten(machineToJson(run.machine), "machine", settings);
    flatten(run.versions, "versions", settings);
    return settings;
}

}  // namespace

Comparison compareRuns(const RunRecord& a, const RunRecord& b) {
    Comparison out;
    out.sameTask = a.taskKey == b.taskKey;
    out.sameTarget = a.targetKey == b.targetKey;
    for (const auto& metric : metricCatalogue()) {
        if (a.find(metric.key) != nullptr && b.find(metric.key) != nullptr) {
            out.metrics.push_back(differenceOf(a, b, std::string(metric.key)));
        }
    }
    const auto settingsA = settingsOf(a);
    const auto settingsB = settingsOf(b);
    std::set<std::string> paths;
    for (const auto* settings : {&settingsA, &settingsB}) {
        for (const auto& [path, value] : *settings) {
            paths.insert(path);
        }
    }
    for (const auto& path : paths) {
        const auto inA = settingsA.find(path);
        const auto inB = settingsB.find(path);
        Json valueA = inA == settingsA.end() ? Json() : inA->second;
        Json valueB = inB == settingsB.end() ? Json() : inB->second;
        if (valueA != valueB) {
            out.settings.push_back({path, std::move(valueA), std::move(valueB)});
        }
    }
    return out;
}

}  // namespace pareto::cli
