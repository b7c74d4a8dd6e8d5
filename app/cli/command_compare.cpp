#include "app/cli/command_list.h"
#include "app/cli/comparison.h"
#include "app/cli/run_ids.h"
#include "app/cli/text_table.h"
#include "engine/records/metrics.h"
#include "engine/records/numbers.h"

namespace pareto::cli {
namespace {

/// Accuracy and the like, where a change in per cent is easily taken for one in percentage points.
bool isShare(const MetricDifference& difference) {
    const MetricInfo* metric = findMetric(difference.key);
    return metric != nullptr && metric->unit == "%";
}

double pointsOf(const MetricDifference& difference) {
    return 100.0 * (difference.b - difference.a);
}

Json metricToJson(const MetricDifference& difference, std::int64_t run) {
    Json json{{"metric", difference.key}, {"run", run}, {"test", difference.test}};
    putFigure(json, "a", difference.key, difference.a);
    putFigure(json, "b", difference.key, difference.b);
    putNumber(json, "delta_pct", difference.deltaPercent);
    if (isShare(difference)) {
        putNumber(json, "delta_points", pointsOf(difference));
    }
    json["ci"] = difference.intervalPercent
                     ? Json{difference.intervalPercent->low, difference.intervalPercent->high}
                     : Json();
    json["significant"] = difference.significant ? Json(*difference.significant) : Json();
    if (difference.pValue) {
        json["p"] = *difference.pValue;
    }
    return json;
}

std::string percent(double value) { return (value > 0 ? "+" : "") + formatNumber(value, 1) + " %"; }

std::string change(const MetricDifference& difference) {
    const std::string relative = percent(difference.deltaPercent);
    if (!isShare(difference)) {
        return relative;
    }
    const double points = pointsOf(difference);
    return relative + " (" + (points > 0 ? "+" : "") + formatNumber(points, 2) + " points)";
}

std::string disturbedText(const RunRecord& run) {
    if (!run.disturbed) {
        return "";
    }
    return "Run " + std::to_string(run.id) + " was disturbed" +
           (run.disturbance.empty() ? "" : ": " + run.disturbance) + ".\n";
}

std::string verdict(const MetricDifference& difference) {
    if (!difference.significant) {
        return "not tested";
    }
    if (!*difference.significant) {
        return "no difference";
    }
    const MetricInfo* metric = findMetric(difference.key);
    const bool lower = difference.b < difference.a;
    return lower == (metric->better == Better::Lower) ? "better" : "worse";
}

std::string textOf(const Comparison& comparison, const RunRecord& a, const RunRecord& b) {
    std::string text = "Run " + std::to_string(b.id) + " (" + b.name + ") against run " +
                       std::to_string(a.id) + " (" + a.name + ")\n";
    if (!comparison.sameTask) {
        text += "The tasks differ: results are not comparable.\n";
    }
    if (!comparison.sameTarget) {
        text += "The targets or machines differ: times are not comparable.\n";
    }
    text += disturbedText(a) + disturbedText(b);
    TextTable metrics({{"Metric"},
                       {"Run " + std::to_string(a.id), Align::Right},
                       {"Run " + std::to_string(b.id), Align::Right},
                       {"Change", Align::Right},
                       {"95 % interval", Align::Right},
                       {"Verdict"}});
    for (const auto& difference : comparison.metrics) {
        const auto& interval = difference.intervalPercent;
        metrics.add({std::string(findMetric(difference.key)->english),
                     formatMetric(difference.key, difference.a),
                     formatMetric(difference.key, difference.b), change(difference),
                     interval ? "[" + percent(interval->low) + ", " + percent(interval->high) + "]" : "",
                     verdict(difference)});
    }
    text += "\n" + metrics.text();
    if (!comparison.settings.empty()) {
        TextTable settings({{"Setting"},
                            {"Run " + std::to_string(a.id)},
                            {"Run " + std::to_string(b.id)}});
        for (const auto& setting : comparison.settings) {
            settings.add({setting.path, setting.a.is_null() ? "–" : compactJson(setting.a),
                          setting.b.is_null() ? "–" : compactJson(setting.b)});
        }
        text += "\n" + settings.text();
    }
    return text;
}

Result<Output> compare(const Arguments& arguments, Context& context) {
    PARETO_TRY(const auto ids, runIds(arguments, 0));
    PARETO_TRY(const auto store, context.openStoreReadOnly());
    PARETO_TRY(const RunRecord first, store->run(ids[0]));
    Json differences = Json::array();
    Json settings = Json::array();
    Json comparable = Json::array();
    std::string text;
    for (std::size_t i = 1; i < ids.size(); ++i) {
        PARETO_TRY(const RunRecord other, store->run(ids[i]));
        const Comparison comparison = compareRuns(first, other);
        for (const auto& difference : comparison.metrics) {
            differences.push_back(metricToJson(difference, other.id));
        }
        for (const auto& setting : comparison.settings) {
            settings.push_back(
                {{"setting", setting.path}, {"run", other.id}, {"a", setting.a}, {"b", setting.b}});
        }
        comparable.push_back({{"run", other.id},
                              {"same_task", comparison.sameTask},
                              {"same_target", comparison.sameTarget},
                              {"disturbed", other.disturbed},
                              {"disturbance", other.disturbance}});
        text += (text.empty() ? "" : "\n") + textOf(comparison, first, other);
    }
    return Output{{{"reference", first.id},
                   {"reference_disturbed", first.disturbed},
                   {"reference_disturbance", first.disturbance},
                   {"comparable", comparable},
                   {"differences", differences},
                   {"settings", settings}},
                  text};
}

}  // namespace

const Command kCompareCommand{"compare",
                              "RUN RUN…",
                              "Compare stored runs with the first one",
                              {},
                              2,
                              -1,
                              compare};

}  // namespace pareto::cli
