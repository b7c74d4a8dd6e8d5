#include "app/studio/export_notes.h"

#include "engine/export/exporter.h"
#include "engine/spec/resolve.h"

namespace pareto::studio {
namespace {

/// The layout as the recipe will leave it: what the notes depend on.
ModelLayout plannedLayout(const ModelLayout& layout, const ResolvedRecipe& resolved,
                          const SizeEstimate& size) {
    ModelLayout out = layout;
    for (std::size_t i = 0; i < out.layers.size(); ++i) {
        out.layers[i].rows = size.layers[i].rows;
        out.layers[i].cols = size.layers[i].cols;
    }
    for (std::size_t i = 0; i < out.groups.size(); ++i) {
        auto& group = out.groups[i];
        auto& block = out.blocks[static_cast<std::size_t>(group.block)];
        const auto left = size.groupUnits[i];
        if (group.kind == GroupKind::FeedForward) {
            block.neurons = left;
        } else if (group.units > 0) {
            block.heads = block.heads * left / group.units;
            block.kvHeads = block.kvHeads * left / group.units;
        }
        group.units = left;
    }
    for (std::size_t i = out.blocks.size(); i-- > 0;) {
        if (i < resolved.blocks.size() && resolved.blocks[i].removed) {
            out.blocks[i].heads = 0;
        }
    }
    std::erase_if(out.blocks, [](const BlockInfo& block) { return block.heads == 0; });
    out.cache = resolved.cache;
    return out;
}

}  // namespace

std::vector<std::string> exportNotesFor(const ModelLayout& layout, const Recipe& recipe,
                                        const std::string& format) {
    const auto resolved = resolve(recipe, layout);
    const auto wanted = exporting::exportFormatFromName(format);
    if (!resolved.ok() || !wanted.ok()) {
        return {};
    }
    std::vector<WeightFormat> formats;
    for (const auto& plan : resolved->layers) {
        formats.push_back(plan.format);
    }
    const auto size = estimate(resolved.value(), layout);
    return exporting::exportNotes(plannedLayout(layout, resolved.value(), size), formats,
                                  wanted.value());
}

std::vector<std::string> ggufTypeNames() {
    const std::string stem =
        exporting::nameOf({exporting::ExportFormat::Kind::Gguf, exporting::GgufType::AsHeld}) + ":";
    std::vector<std::string> names;
    for (const auto& format : exporting::exportFormats()) {
        if (const auto name = exporting::nameOf(format); name.starts_with(stem)) {
            names.push_back(name.substr(stem.size()));
        }
    }
    return names;
}

}  // namespace pareto::studio
