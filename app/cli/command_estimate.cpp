#include <cmath>

#include "app/cli/command_list.h"
#include "app/cli/compute_options.h"
#include "app/cli/text_table.h"
#include "engine/jobs/api/jobs.h"
#include "engine/spec/resolve.h"

namespace pareto::cli {
namespace {

struct Estimated {
    ModelLayout layout;
    ResolvedRecipe resolved;
    SizeEstimate before;
    SizeEstimate after;
};

Json jsonOf(const Estimated& estimated) {
    Json layers = Json::array();
    for (std::size_t i = 0; i < estimated.after.layers.size(); ++i) {
        const auto& layer = estimated.after.layers[i];
        layers.push_back({{"name", estimated.layout.layers[i].name},
                          {"shape", {layer.rows, layer.cols}},
                          {"bytes", layer.bytes},
                          {"parameters", layer.parameters},
                          {"removed", layer.removed},
                          {"bytes_before", estimated.before.layers[i].bytes}});
    }
    return {{"bytes", estimated.after.bytes},
            {"parameters", estimated.after.parameters},
            {"zeros", estimated.after.zeros},
            {"exact", estimated.after.exact},
            {"original", {{"bytes", estimated.before.bytes}, {"parameters", estimated.before.parameters}}},
            {"layers", layers},
            {"unmatched", estimated.resolved.unmatched},
            {"notes", estimated.resolved.notes}};
}

std::string textOf(const Estimated& estimated) {
    const auto& before = estimated.before;
    const auto& after = estimated.after;
    const double share = before.bytes == 0 ? NAN
                                           : 100.0 * static_cast<double>(after.bytes) /
                                                 static_cast<double>(before.bytes);
    std::string text = formatBytes(before.bytes) + " → " + formatBytes(after.bytes) + " in memory (" +
                       formatNumber(share, 1) + " %), " + formatCount(before.parameters) + " → " +
                       formatCount(after.parameters) + " parameters";
    text += after.zeros > 0 ? ", " + formatCount(after.zeros) + " of them zero\n" : "\n";
    if (!after.exact) {
        text += "Not exact: which blocks go depends on their values, and blocks differ.\n";
    }
    for (const auto& match : estimated.resolved.unmatched) {
        text += "No layer, group or block matches \"" + match + "\".\n";
    }
    for (const auto& note : estimated.resolved.notes) {
        text += note + "\n";
    }
    TextTable table({{"Layer"}, {"Shape", Align::Right}, {"Before", Align::Right}, {"After", Align::Right}});
    for (std::size_t i = 0; i < after.layers.size(); ++i) {
        const auto& layer = after.layers[i];
        table.add({estimated.layout.layers[i].name,
                   std::to_string(layer.rows) + "×" + std::to_string(layer.cols),
                   formatBytes(before.layers[i].bytes),
                   layer.removed ? "removed" : formatBytes(layer.bytes)});
    }
    return text + "\n" + table.text();
}

Result<Output> estimateSize(const Arguments& arguments, Context& context) {
    PARETO_TRY(const Recipe recipe, recipeOf(arguments));
    PARETO_TRY(auto inspected, jobs::runInspect({arguments.positional()[0], false}, context.progress,
                                                context.stop));
    Estimated estimated;
    estimated.layout = std::move(inspected.layout);
    PARETO_TRY(estimated.resolved, resolve(recipe, estimated.layout));
    estimated.before = estimate(estimated.layout);
    estimated.after = estimate(estimated.resolved, estimated.layout);
    return Output{jsonOf(estimated), textOf(estimated)};
}

}  // namespace

const Command kEstimateCommand{
    "estimate",       "MODEL", "Say what a recipe makes of a model's size, without reading its values",
    {recipeOption()}, 1,       1,
    estimateSize};

}  // namespace pareto::cli
