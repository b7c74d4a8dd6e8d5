#include "app/cli/command_list.h"
#include "app/cli/text_table.h"
#include "engine/jobs/api/jobs.h"

namespace pareto::cli {
namespace {

std::string textOf(const jobs::InspectResult& result, bool statistics) {
    const auto& layout = result.layout;
    std::string text = layout.name + ": " + familyName(layout.family) + ", " + result.format + ", " +
                       formatCount(result.parameters) + " parameters, " + formatBytes(result.bytes) +
                       " in memory, " + formatBytes(result.fileBytes) + " on disk\n" +
                       std::to_string(layout.blocks.size()) + " blocks, width " +
                       std::to_string(layout.hidden) + ", vocabulary " +
                       formatCount(layout.vocabulary) + "\n";
    if (statistics) {
        text += formatCount(result.nonzeroParameters) + " parameters are not zero\n";
    }
    for (const auto& notice : layout.notices) {
        text += notice + "\n";
    }
    std::vector<Column> columns{{"Layer"}, {"Shape", Align::Right}, {"Type"}, {"Held as"},
                                {"Bytes", Align::Right}};
    if (statistics) {
        columns.insert(columns.end(), {{"Zero", Align::Right},
                                       {"Min", Align::Right},
                                       {"Max", Align::Right},
                                       {"Mean |w|", Align::Right},
                                       {"Not finite", Align::Right}});
    }
    TextTable table(std::move(columns));
    for (std::size_t i = 0; i < result.layers.size(); ++i) {
        const auto& layer = result.layers[i];
        std::vector<std::string> cells{
            layer.name, std::to_string(layer.rows) + "×" + std::to_string(layer.cols),
            layer.tiedTo.empty() ? layer.type : "= " + layer.tiedTo,
            layer.tiedTo.empty() ? std::string(nameOf(layout.layers[i].sourceFormat.format)) : "–",
            layer.tiedTo.empty() ? formatBytes(layer.bytes) : "–"};
        if (statistics && layer.nonzero >= 0) {
            const auto zeros = static_cast<double>(layer.parameters - layer.nonzero);
            const auto all = static_cast<double>(std::max<std::int64_t>(layer.parameters, 1));
            cells.insert(cells.end(), {formatNumber(100.0 * zeros / all, 1) + " %",
                                       formatNumber(layer.minimum, 4), formatNumber(layer.maximum, 4),
                                       formatNumber(layer.meanAbsolute, 4),
                                       formatCount(layer.nonFinite)});
        }
        table.add(std::move(cells));
    }
    return text + "\n" + table.text();
}

Result<Output> inspect(const Arguments& arguments, Context& context) {
    jobs::InspectParams params;
    params.model = arguments.positional()[0];
    params.statistics = !arguments.has("no-statistics");
    PARETO_TRY(const auto result, jobs::runInspect(params, context.progress, context.stop));
    return Output{jobs::toJson(result), textOf(result, params.statistics)};
}

}  // namespace

const Command kInspectCommand{
    "inspect",
    "MODEL",
    "Show a model's layers, shapes, sizes and values",
    {{"no-statistics", "", "read the headers only, not the values"}},
    1,
    1,
    inspect};

}  // namespace pareto::cli
