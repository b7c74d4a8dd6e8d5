#include "app/cli/run_tables.h"

#include <array>
#include <ctime>

#include "app/cli/text_table.h"
#include "engine/core/csv.h"
#include "engine/records/metrics.h"
#include "engine/records/numbers.h"

namespace pareto::cli {
namespace {

std::string utcTime(std::int64_t milliseconds) {
    const std::time_t seconds = milliseconds / 1000;
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text.data();
}

std::string csvNumber(const std::optional<double>& value) {
    return value ? Json(*value).dump() : std::string();
}

std::string figureText(const store::RunSummary& run, std::string_view key) {
    const Measurement* figure = run.find(key);
    return figure == nullptr ? "–" : formatMetric(key, figure->value);
}

std::string interval(const Measurement& measurement) {
    if (!measurement.low || !measurement.high) {
        return "";
    }
    return "[" + formatMetric(measurement.key, *measurement.low) + ", " +
           formatMetric(measurement.key, *measurement.high) + "]";
}

}  // namespace

Json summaryToJson(const store::RunSummary& run) {
    Json json{{"id", run.id},
              {"name", run.name},
              {"note", run.note},
              {"status", nameOf(run.status)},
              {"started_at", utcTime(run.startedAt)},
              {"model", run.modelName},
              {"model_hash", run.modelHash},
              {"recipe", run.recipeSummary},
              {"recipe_hash", run.recipeHash},
              {"task", run.taskName},
              {"task_key", run.taskKey},
              {"target", run.targetText},
              {"target_key", run.targetKey},
              {"baseline", run.baseline},
              {"pinned", run.pinned},
              {"deleted", run.deleted},
              {"disturbed", run.disturbed},
              {"export_path", run.exportPath}};
    Json figures = Json::object();
    for (const auto& figure : run.figures) {
        Json entry = Json::object();
        putFigure(entry, "value", figure.key, figure.value);
        if (figure.low && figure.high) {
            putNumber(entry, "ci_low", *figure.low);
            putNumber(entry, "ci_high", *figure.high);
        }
        figures[figure.key] = std::move(entry);
    }
    json["figures"] = std::move(figures);
    return json;
}

std::string summaryTable(const std::vector<store::RunSummary>& runs) {
    if (runs.empty()) {
        return "No runs.\n";
    }
    TextTable table({{"Run", Align::Right},
                     {"Started"},
                     {"Status"},
                     {"Name"},
                     {"Model"},
                     {"Recipe"},
                     {"Size", Align::Right},
                     {"p50", Align::Right},
                     {"Task"},
                     {"Result", Align::Right}});
    for (const auto& run : runs) {
        table.add({std::to_string(run.id), formatTime(run.startedAt), std::string(nameOf(run.status)),
                   run.name + (run.pinned ? " (baseline)" : "") + (run.disturbed ? " (disturbed)" : ""),
                   run.modelName, run.recipeSummary, figureText(run, "model_bytes"),
                   figureText(run, "latency_p50_ms"), run.taskName.empty() ? "–" : run.taskName,
                   run.headlineKey.empty() ? "–" : figureText(run, run.headlineKey)});
    }
    return table.text();
}

std::string summaryCsv(const std::vector<store::RunSummary>& runs) {
    std::string csv =
        "id,name,note,status,started_at,model,model_hash,recipe,recipe_hash,task,task_key,target,"
        "target_key,baseline,disturbed";
    for (const auto& metric : metricCatalogue()) {
        const std::string key(metric.key);
        csv += "," + key + "," + key + "_low," + key + "_high";
    }
    csv += "\r\n";
    for (const auto& run : runs) {
        csv += std::to_string(run.id);
        for (const std::string& text :
             {run.name, run.note, std::string(nameOf(run.status)), utcTime(run.startedAt),
              run.modelName, run.modelHash, run.recipeSummary, run.recipeHash, run.taskName,
              run.taskKey, run.targetText, run.targetKey}) {
            csv += "," + csvCell(text);
        }
        csv += run.baseline ? ",1" : ",0";
        csv += run.disturbed ? ",1" : ",0";
        for (const auto& metric : metricCatalogue()) {
            const Measurement* figure = run.find(metric.key);
            csv += "," + (figure == nullptr ? "" : csvNumber(figure->value));
            csv += "," + (figure == nullptr ? "" : csvNumber(figure->low));
            csv += "," + (figure == nullptr ? "" : csvNumber(figure->high));
        }
        csv += "\r\n";
    }
    return csv;
}

std::string runText(const RunRecord& run) {
    std::string text = "Run " + std::to_string(run.id) + ": " + run.name + "\n";
    const auto line = [&](const std::string& title, const std::string& value) {
        if (!value.empty()) {
            text += padRight(title, 10) + " " + value + "\n";
        }
    };
    line("Status", std::string(nameOf(run.status)));
    line("Started", formatTime(run.startedAt));
    line("Model", run.modelName + " (" + run.modelPath + ")");
    line("Recipe", run.recipeSummary + "  " + compactJson(run.recipe));
    line("Task", run.task.is_null() ? "" : run.taskName);
    line("Target", run.targetText);
    line("Machine", run.machine.cpu);
    line("Note", run.note);
    line("Export", run.exportPath);
    line("Disturbed", run.disturbed ? run.disturbance : "");
    line("Error", run.status == RunStatus::Failed ? errorMessage(run.error) : "");
    if (!run.measurements.empty()) {
        TextTable table({{"Metric"}, {"Value", Align::Right}, {"95 % interval"}, {"n", Align::Right}});
        for (const auto& measurement : run.measurements) {
            const MetricInfo* metric = findMetric(measurement.key);
            table.add({metric == nullptr ? measurement.key : std::string(metric->english),
                       formatMetric(measurement.key, measurement.value), interval(measurement),
                       measurement.n > 0 ? formatCount(measurement.n) : ""});
        }
        text += "\n" + table.text();
    }
    return text;
}

}  // namespace pareto::cli
