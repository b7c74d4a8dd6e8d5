#include "app/cli/run_output.h"

#include <algorithm>
#include <cmath>

#include "app/cli/text_table.h"
#include "engine/metrics/item_metrics.h"
#include "engine/records/metrics.h"
#include "engine/records/numbers.h"
#include "engine/records/step_timeline.h"

namespace pareto::cli {

namespace {

constexpr std::size_t kSlowestShown = 12;
constexpr std::size_t kWorstShown = 8;

void putValue(Json& json, const RunRecord& record, const char* key) {
    if (const auto* figure = record.find(key)) {
        putFigure(json, key, key, figure->value);
    }
}

void putInterval(Json& json, const Measurement& figure) {
    json["ci_low"] = figure.low ? Json(*figure.low) : Json();
    json["ci_high"] = figure.high ? Json(*figure.high) : Json();
    json["n"] = figure.n;
}

Json latencyJson(const RunRecord& record) {
    Json json = Json::object();
    for (const auto& [key, name] : {std::pair{"latency_p50_ms", "p50"},
                                    std::pair{"latency_p90_ms", "p90"},
                                    std::pair{"latency_p99_ms", "p99"},
                                    std::pair{"latency_mean_ms", "mean"}}) {
        if (const auto* figure = record.find(key)) {
            json[name] = figure->value;
        }
    }
    if (const auto* median = record.find("latency_p50_ms")) {
        putInterval(json, *median);
    }
    return json;
}

Json throughputJson(const RunRecord& record) {
    if (const auto* items = record.find("throughput_items_per_s")) {
        return {{"value", items->value}, {"unit", "items/s"}};
    }
    for (const auto* key : {"decode_tokens_per_s", "prefill_tokens_per_s"}) {
        if (const auto* tokens = record.find(key)) {
            return {{"value", tokens->value}, {"unit", "tokens/s"}};
        }
    }
    return nullptr;
}

Json targetJson(const RunRecord& record) {
    auto json = record.target;
    if (json.contains("sequence")) {
        json["seq"] = json["sequence"];
        json.erase("sequence");
    }
    return json;
}

Json layersJson(const RunRecord& record) {
    Json layers = Json::array();
    for (const auto& layer : record.layers) {
        layers.push_back({{"name", layer.name},
                          {"ms", layer.ms},
                          {"share", layer.share},
                          {"bytes", layer.bytes},
                          {"kernel", layer.kernel},
                          {"relative_error", layer.relativeError},
                          {"sparsity", layer.sparsity}});
    }
    return layers;
}

std::string cell(const Measurement& figure, double value) { return formatMetric(figure.key, value); }

}  // namespace

Json benchJson(const RunRecord& record) {
    Json json{{"latency_ms", latencyJson(record)},
              {"throughput", throughputJson(record)},
              {"target", targetJson(record)},
              {"layers", layersJson(record)},
              {"disturbed", record.disturbed},
              {"disturbance", record.disturbance},
              {"machine", machineToJson(record.machine)},
              {"versions", record.versions},
              {"recipe", record.recipeSummary}};
    for (const auto* key : {"prefill_tokens_per_s", "decode_tokens_per_s", "first_token_ms",
                            "token_ms", "peak_rss_bytes", "model_bytes"}) {
        putValue(json, record, key);
    }
    if (const auto* ratio = record.find("latency_ratio")) {
        json["latency_ratio"] = {{"value", ratio->value}};
        putInterval(json["latency_ratio"], *ratio);
    }
    if (record.details.contains("timing")) {
        json["timing"] = record.details["timing"];
    }
    if (record.details.contains("gpu")) {
        json["gpu"] = record.details["gpu"];
    }
    if (record.details.contains("parts")) {
        json["parts"] = record.details["parts"];
    }
    return json;
}

Json evalJson(const RunRecord& record) {
    Json json{{"task", record.taskName}, {"metric", record.headlineKey}};
    if (const auto* figure = record.find(record.headlineKey)) {
        json["value"] = figure->value;
        putInterval(json, *figure);
    }
    const auto& details = record.details.contains("eval") ? record.details["eval"] : Json::object();
    json["seconds"] = details.value("seconds", 0.0);
    json["details"] = details;
    for (const auto& figure : record.measurements) {
        const bool ofTask = metrics::isItemMetric(figure.key) || figure.key == "fidelity_spearman";
        if (ofTask && figure.key != record.headlineKey) {
            json[figure.key] = {{"value", figure.value}};
            putInterval(json[figure.key], figure);
        }
    }
    return json;
}

std::string gpuText(const Json& gpu) {
    const auto& watch = gpu.value("watch", Json::object());
    std::vector<std::string> parts;
    const auto add = [&](const Json& from, const char* key, const char* member, int decimals, const char* what) {
        const auto found = from.find(key);
        const bool there = found != from.end() && found->is_object() && found->contains(member);
        if (there) {
            parts.push_back(formatNumber((*found)[member].get<double>(), decimals) + what);
        }
    };
    add(gpu, "pass_ms", "median", 2, " ms a pass by its events");
    if (gpu.contains("memory")) {
        parts.push_back(formatBytes(gpu["memory"].value("peak_allocated_bytes", std::uint64_t{0})) + " at most");
    }
    add(watch, "power_w", "median", 0, " W");
    add(watch, "sm_mhz", "median", 0, " MHz");
    add(watch, "memory_mhz", "median", 0, " MHz memory");
    add(watch, "temperature_c", "median", 0, " °C");
    add(watch, "utilisation_percent", "median", 0, " % in use");
    for (const auto& one : watch.value("throttles", Json::array())) {
        parts.push_back("held back by " + one.value("name", std::string()) + " " +
                        formatNumber(100.0 * one.value("share", 0.0), 0) + " % of the time");
    }
    if (gpu.contains("steps")) {
        parts.push_back("tokens: " + gpu["steps"].get<std::string>());
    }
    if (watch.contains("not_read")) {
        parts.push_back(watch["not_read"].get<std::string>());
    }
    std::string text;
    for (const auto& part : parts) {
        text += (text.empty() ? "GPU: " : ", ") + part;
    }
    return text.empty() ? text : text + "\n";
}

/// A line for each process that held a part while times were measured.
std::string partsText(const Json& details) {
    if (!details.contains("parts")) {
        return {};
    }
    TextTable table({{"rank"}, {"host"}, {"weights", Align::Right}, {"in memory", Align::Right}, {"sums", Align::Right},
                     {"handing on", Align::Right}, {"waiting in both", Align::Right}});
    for (const auto& part : details["parts"]) {
        const double seconds = part.value("seconds", 0.0);
        const auto share = [&](const char* key) {
            return seconds > 0.0 ? formatNumber(100.0 * part.value(key, 0.0) / seconds, 1) + " %" : std::string("–");
        };
        table.add({std::to_string(part.value("rank", 0)), part.value("host", std::string()),
                   formatBytes(part.value("bytes", std::uint64_t{0})), formatBytes(part.value("resident", std::uint64_t{0})),
                   share("sums"), share("handing"),
                   part.value("timeline", Json::object()).value("waits_known", true) ? share("waiting") : "not known"});
    }
    return "\n" + table.text() + "\n";
}

/// Where the time of one step went in each process, if it was recorded.
std::string stepsText(const Json& details) {
    const auto timelines = partTimelinesFromJson(details.value("parts", Json::array()));
    if (!timelines.ok() || timelines->empty()) {
        return {};
    }
    const auto percent = [](double share) { return formatNumber(100.0 * share, 1) + " %"; };
    TextTable table({{"one step"}, {"rank", Align::Right}, {"stage", Align::Right}, {"ms", Align::Right}, {"compute", Align::Right},
                     {"transfer", Align::Right}, {"wait", Align::Right}, {"bubble", Align::Right}});
    std::string remarks;
    const auto& first = timelines->front();
    for (std::size_t at = 0; at < first.steps.size(); ++at) {
        double bubble = 0.0;
        for (const auto& timeline : timelines.value()) {
            if (at >= timeline.steps.size()) {
                continue;
            }
            const auto& step = timeline.steps[at];
            const auto& shares = step.shares;
            bubble += shares.bubble.value_or(0.0);
            table.add({step.name, std::to_string(timeline.rank), std::to_string(timeline.stage), formatNumber(step.seconds * 1000.0, 3),
                       percent(shares.compute), percent(shares.transfer), percent(shares.wait),
                       shares.bubble ? percent(*shares.bubble) : std::string("–")});
        }
        if (first.steps[at].shares.bubble) {
            remarks += "Bubble of " + first.steps[at].name + ": " + percent(bubble / static_cast<double>(timelines->size())) +
                       " of all processes' time had nothing to do for their stage.\n";
        }
    }
    double error = 0.0;
    bool known = true;
    for (const auto& timeline : timelines.value()) {
        error = std::max(error, timeline.clockError);
        known = known && timeline.waitsKnown;
        for (const auto& name : timeline.leftOut) {
            remarks += "Rank " + std::to_string(timeline.rank) + " made more calls in " + name + " than are kept: left out.\n";
        }
    }
    remarks += error > 0.0 ? "Clocks of machines agree to ± " + formatNumber(error * 1e6, 0) + " µs.\n" : "";
    remarks += known ? "" : "What is waited for stands in transfer: across machines it is not known apart.\n";
    return "\n" + table.text() + remarks + "\n";
}

std::string figuresText(const RunRecord& record) {
    TextTable table({{"figure"}, {"value", Align::Right}, {"95 % interval", Align::Right},
                     {"n", Align::Right}});
    for (const auto& figure : record.measurements) {
        const auto* info = findMetric(figure.key);
        std::string interval;
        if (figure.low && figure.high) {
            interval = cell(figure, *figure.low) + " … " + cell(figure, *figure.high);
        }
        table.add({info != nullptr ? std::string(info->english) : figure.key,
                   cell(figure, figure.value), interval,
                   figure.low ? formatCount(figure.n) : std::string()});
    }
    auto text = table.text();
    if (record.details.contains("gpu")) {
        text += gpuText(record.details["gpu"]);
    }
    text += partsText(record.details) + stepsText(record.details);
    if (record.disturbed) {
        text += "Disturbed: " + record.disturbance + ".\n";
    }
    if (record.details.contains("compress")) {
        for (const auto& note : record.details["compress"].value("notes", Json::array())) {
            text += "Note: " + note.get<std::string>() + "\n";
        }
    }
    return text;
}

std::string compressionText(const RunRecord& record) {
    const auto compress = record.details.find("compress");
    if (compress == record.details.end() || !compress->contains("layers")) {
        return {};
    }
    std::vector<Json> layers;
    for (const auto& layer : (*compress)["layers"]) {
        if (layer.value("relative_error", 0.0) > 0.0) {
            layers.push_back(layer);
        }
    }
    if (layers.empty()) {
        return {};
    }
    const bool measured = std::any_of(layers.begin(), layers.end(),
                                      [](const Json& layer) { return layer.contains("output_error"); });
    const char* key = measured ? "output_error" : "relative_error";
    std::stable_sort(layers.begin(), layers.end(),
                     [&](const Json& a, const Json& b) { return a.value(key, -1.0) > b.value(key, -1.0); });
    TextTable table({{"worst layers"}, {"output error", Align::Right}, {"SQNR", Align::Right},
                     {"cosine", Align::Right}, {"weight error", Align::Right}, {"zeros", Align::Right},
                     {"bits", Align::Right}});
    const auto percent = [](double value, int decimals) { return formatNumber(value * 100.0, decimals) + " %"; };
    for (std::size_t i = 0; i < layers.size() && i < kWorstShown; ++i) {
        const auto& layer = layers[i];
        const bool output = layer.contains("output_error");
        const double error = layer.value("output_error", 0.0);
        table.add({layer.value("name", std::string()), output ? percent(error, 3) : "–",
                   error > 0.0 ? formatNumber(-10.0 * std::log10(error), 1) + " dB" : "–",
                   output ? formatNumber(layer.value("output_cosine", 0.0), 5) : "–",
                   percent(layer.value("relative_error", 0.0), 3), percent(layer.value("sparsity", 0.0), 1),
                   formatNumber(layer.value("bits_per_weight", 0.0), 2)});
    }
    return table.text();
}

std::string layersText(const RunRecord& record) {
    auto layers = record.layers;
    std::erase_if(layers, [](const LayerMeasurement& layer) { return layer.ms <= 0.0; });
    if (layers.empty()) {
        return {};
    }
    std::stable_sort(layers.begin(), layers.end(),
                     [](const auto& a, const auto& b) { return a.ms > b.ms; });
    TextTable table({{"slowest layers"}, {"ms", Align::Right}, {"share", Align::Right},
                     {"size", Align::Right}, {"kernel"}});
    for (std::size_t i = 0; i < layers.size() && i < kSlowestShown; ++i) {
        const auto& layer = layers[i];
        table.add({layer.name, formatNumber(layer.ms, 3), formatNumber(layer.share * 100.0, 1) + " %",
                   layer.bytes > 0 ? formatBytes(layer.bytes) : std::string(), layer.kernel});
    }
    return table.text();
}

}  // namespace pareto::cli
