#include "app/cli/command_list.h"
#include "app/cli/compute_options.h"
#include "app/cli/run_output.h"
#include "app/cli/text_table.h"
#include "engine/core/file.h"
#include "engine/jobs/run/profile_job.h"

namespace pareto::cli {

namespace {

constexpr const char* kNone = "–";

std::string percent(double share) { return formatNumber(share * 100.0, 1) + " %"; }

/// Three digits where they are needed.
std::string rate(double value) {
    return formatNumber(value, value < 10.0 ? 2 : value < 100.0 ? 1 : 0);
}

std::string optional(const std::optional<double>& value, std::string (*text)(double)) {
    return value ? text(*value) : kNone;
}

std::string operationsText(std::int64_t operations) {
    if (operations == 0) {
        return "0";
    }
    const auto value = static_cast<double>(operations);
    return value < 1e9 ? rate(value / 1e6) + " M" : rate(value / 1e9) + " G";
}

std::string roofText(const Roof& roof, const char* unit) {
    return rate(roof.best) + " " + unit + " (median " + rate(roof.median) + ")";
}

std::string roofsText(const Roofs& roofs) {
    std::string text = "Roofs of " +
                       (roofs.device.empty() ? std::to_string(roofs.threads) +
                                                   (roofs.threads == 1 ? " thread" : " threads")
                                             : roofs.device) +
                       "\n";
    const std::string how = roofs.device.empty() ? "reading " : "copying ";
    TextTable table({{"roof"}, {"best", Align::Right}, {"measured with"}});
    table.add({"weights", roofText(roofs.weights, "GB/s"),
               how + formatBytes(roofs.weightsBytes) + ", what the model's weights hold"});
    table.add({"memory", roofText(roofs.memory, "GB/s"), how + formatBytes(roofs.memoryBytes)});
    table.add({"fp32", roofText(roofs.fp32, "GFLOP/s"), roofs.fp32Way});
    if (!roofs.fp16Way.empty()) {
        table.add({"fp16 or bf16", roofText(roofs.fp16, "GFLOP/s"), roofs.fp16Way});
    }
    table.add({"int8", roofText(roofs.int8, "GOP/s"), roofs.int8Way});
    return text + table.text();
}

std::string countsText(const Profile& profile, const ProfiledStep& step) {
    if (!profile.noCounters.empty()) {
        return {};
    }
    const auto millions = [](double value) { return rate(value / 1e6) + " M"; };
    std::string text = "Counted a step: " + optional(step.counts.cycles, millions) + " cycles, " +
                       optional(step.counts.instructions, millions) + " instructions, " +
                       optional(step.counts.cacheMisses, millions) +
                       " misses of the last-level cache\n";
    return text;
}

std::string stepTitle(const ProfiledStep& step) {
    return step.name + ": " + formatNumber(step.ms, 3) + " ms, " + formatCount(step.tokens) +
           (step.tokens == 1 ? " token" : " tokens") + " a step, median of " +
           formatCount(step.steps) + "\n";
}

std::string stepText(const Profile& profile, const ProfiledStep& step) {
    TextTable table({{"layer"},
                     {"ms", Align::Right},
                     {"share", Align::Right},
                     {"bytes", Align::Right},
                     {"operations", Align::Right},
                     {"op/byte", Align::Right},
                     {"GOP/s", Align::Right},
                     {"GB/s", Align::Right},
                     {"of its roof", Align::Right},
                     {"kernel"}});
    ProfiledLayer rest;
    int phases = 0;
    for (const auto& layer : step.layers) {
        if (!layer.bytes) {
            rest.ms += layer.ms;
            rest.share += layer.share;
            ++phases;
            continue;
        }
        table.add({layer.name, formatNumber(layer.ms, 3), percent(layer.share),
                   formatBytes(*layer.bytes), operationsText(layer.operations.value_or(0)),
                   optional(layer.intensity(), rate), optional(layer.gops(), rate),
                   optional(layer.gigabytes(), rate),
                   optional(roofShare(layer, profile.roofs), percent), layer.kernel});
    }
    if (phases > 0) {
        table.add({"norms and other work (" + std::to_string(phases) + ")",
                   formatNumber(rest.ms, 3), percent(rest.share), kNone, kNone, kNone, kNone, kNone,
                   kNone, ""});
    }
    return "\n" + stepTitle(step) + countsText(profile, step) + table.text();
}

std::string textOf(const Profile& profile) {
    std::string text = profile.modelName + " · " + profile.recipeSummary + " · " +
                       profile.targetText + "\n" + roofsText(profile.roofs);
    if (!profile.noCounters.empty()) {
        text += "Hardware counters: not available (" + profile.noCounters + ")\n";
    }
    text += gpuText(profile.gpu);
    if (!profile.noKernels.empty()) {
        text += "GPU kernels: not recorded (" + profile.noKernels + ")\n";
    }
    if (profile.disturbed) {
        text += "Disturbed: " + profile.disturbance + ".\n";
    }
    for (const auto& note : profile.notes) {
        text += "Note: " + note + "\n";
    }
    for (const auto& step : profile.steps) {
        text += stepText(profile, step);
    }
    text +=
        "\nOperations count zeros as any weight; bytes are weights, inputs and outputs, each once. "
        "Watched layers run one by one, all texts of a batch together.\n";
    return text;
}

Result<Output> profile(const Arguments& arguments, Context& context) {
    jobs::ProfileParams params;
    params.model = arguments.positional()[0];
    PARETO_TRY(params.recipe, recipeOf(arguments));
    PARETO_TRY(params.target, targetOf(arguments));
    PARETO_TRY(params.minSeconds, arguments.number("min-seconds", params.minSeconds, 0.0, 86400.0));
    jobs::ModelCache cache;
    PARETO_TRY(const auto measured,
               jobs::runProfile(cache, params, context.progress, context.stop));
    Output output{profileToJson(measured), textOf(measured)};
    output.json.erase("timeline");
    output.json.erase("kernels");
    if (arguments.has("trace")) {
        const auto file = arguments.text("trace");
        PARETO_CHECK(writeFileAtomically(file, compactJson(chromeTrace(measured)) + "\n"));
        output.json["trace"] = file;
        output.text += "Timeline of one pass: " + file + "\n";
    }
    return output;
}

}  // namespace

const Command kProfileCommand{
    "profile",
    "MODEL",
    "Show each layer's time, bytes and operations under the machine's measured roofs",
    joined({{recipeOption()},
            targetOptions(),
            {{"min-seconds", "S", "watch passes for at least this long (default 1)"},
             {"trace", "FILE", "write one pass as a timeline for chrome://tracing or Perfetto"}}}),
    1,
    1,
    profile};

}  // namespace pareto::cli
