#include "app/cli/command_list.h"
#include "app/cli/compute_options.h"
#include "app/cli/text_table.h"
#include "engine/jobs/run/scaling_job.h"

namespace pareto::cli {

namespace {

constexpr const char* kNone = "–";

std::string percent(double share) { return formatNumber(share * 100.0, 1) + " %"; }
std::string optionalPercent(const std::optional<double>& share) { return share ? percent(*share) : kNone; }

std::string stepText(const jobs::Scaling& scaling, const jobs::ScalingAlone& alone) {
    TextTable table({{"ranks", Align::Right},
                     {"tp", Align::Right},
                     {"pp", Align::Right},
                     {"replicas", Align::Right},
                     {"predicted ms", Align::Right},
                     {"times as much", Align::Right},
                     {"efficiency", Align::Right},
                     {"sums", Align::Right},
                     {"handing on", Align::Right},
                     {"bubble", Align::Right},
                     {"measured ms", Align::Right},
                     {"95 % interval", Align::Right},
                     {"error", Align::Right},
                     {"moving", Align::Right},
                     {"waiting", Align::Right}});
    for (const auto& point : scaling.points) {
        if (point.step != alone.step || (!point.fastest && !point.measuredMs)) {
            continue;
        }
        const double ms = point.measuredMs.value_or(point.predictedMs);
        const double faster = alone.ms / ms * point.replicas;
        const auto interval = point.measuredMs ? formatNumber(point.low, 2) + " … " + formatNumber(point.high, 2) : kNone;
        const auto error =
            point.measuredMs ? percent(point.predictedMs / *point.measuredMs - 1.0) : std::string(kNone);
        table.add({std::to_string(point.processes()), std::to_string(point.tp), std::to_string(point.pp), std::to_string(point.replicas),
                   formatNumber(point.predictedMs, 2), formatNumber(faster, 2), percent(faster / point.processes()),
                   percent(point.sums), percent(point.handing), percent(point.bubble),
                   point.measuredMs ? formatNumber(*point.measuredMs, 2) : kNone, interval, error,
                   optionalPercent(point.moving), optionalPercent(point.waiting)});
    }
    return "\n" + alone.step + ": " + formatNumber(alone.ms, 2) + " ms [" + formatNumber(alone.low, 2) + ", " +
           formatNumber(alone.high, 2) + "] in one process, " + formatCount(alone.rows) +
           (alone.rows == 1 ? " token\n" : " tokens\n") + table.text();
}

std::string textOf(const jobs::Scaling& scaling) {
    std::string text = scaling.modelName + " · " + scaling.recipeSummary + " · " + scaling.targetText + " each\nLink: " +
                       formatNumber(scaling.link.latencyUs, 1) + " µs, " + formatNumber(scaling.link.gigabytes, 2) + " GB/s" +
                       (scaling.linkMeasured ? " (measured between two processes of this machine)\n" : " (as given)\n");
    if (scaling.disturbed) {
        text += "Disturbed: other load was on the cores while measuring.\n";
    }
    for (const auto& alone : scaling.alone) {
        text += stepText(scaling, alone);
    }
    text += scaling.notMeasured.empty() ? "" : "\nNothing was measured: " + scaling.notMeasured + ".\n";
    text += "\nPredicted from the layers' times in one process and the link; error: predicted / measured − 1. Rows without a "
            "measurement are predictions of the division with the shortest step; what is left over makes replicas, which do as much "
            "again at the same time.\n";
    return text;
}

Result<Output> scaling(const Arguments& arguments, Context& context) {
    jobs::ScalingParams params;
    params.model = arguments.positional()[0];
    PARETO_TRY(params.recipe, recipeOf(arguments));
    PARETO_TRY(params.target, targetOf(arguments));
    if (arguments.has("link")) {
        PARETO_TRY(params.link, jobs::parseLink(arguments.text("link")));
    }
    PARETO_TRY(const auto most, arguments.integer("most", params.most, 1, 65536));
    PARETO_TRY(const auto rounds, arguments.integer("rounds", params.rounds, 1, 1000));
    params.most = static_cast<int>(most);
    params.rounds = static_cast<int>(rounds);
    params.measure = !arguments.has("no-measure");
    PARETO_TRY(params.minSeconds, arguments.number("min-seconds", params.minSeconds, 0.0, 86400.0));
    jobs::ModelCache cache;
    PARETO_TRY(const auto found, jobs::runScaling(cache, params, context.progress, context.stop));
    return Output{toJson(found), textOf(found)};
}

}  // namespace

const Command kScalingCommand{
    "scaling",
    "MODEL",
    "Predict how a model runs in parts on 2 … 1,024 processes, beside what this machine measures",
    joined({{recipeOption()},
            targetOptions(),
            {{"link", "L", "what is between processes, \"25us,12.5GB/s\" (default: measured on this machine)"},
             {"most", "N", "predict up to so many processes (default 1024)"},
             {"no-measure", "", "predict only"},
             {"rounds", "N", "in which divisions are timed in turns (default 3)"},
             {"min-seconds", "S", "time each for at least this long in each round (default 1)"}}}),
    1,
    1,
    scaling};

}  // namespace pareto::cli
