#include "engine/export/head_places.h"

#include <algorithm>

#include "engine/weights/select.h"

namespace pareto::exporting {

namespace {

/// For each place of the source, which of the block's heads stands there: those that are left, then
/// the zeros behind them in any order.
std::vector<std::int64_t> headsByPlace(const BlockInfo& block) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(block.heads), -1);
    std::int64_t next = 0;
    for (const int place : block.sourceHeads) {
        order[static_cast<std::size_t>(place)] = next++;
    }
    for (auto& head : order) {
        head = head < 0 ? next++ : head;
    }
    return order;
}

std::vector<std::int64_t> linesOf(const std::vector<std::int64_t>& heads, std::int64_t headDim) {
    std::vector<std::int64_t> lines;
    for (const auto head : heads) {
        for (std::int64_t line = 0; line < headDim; ++line) {
            lines.push_back(head * headDim + line);
        }
    }
    return lines;
}

}  // namespace

bool headsMove(const ModelLayout& layout, const BlockInfo& block) {
    int place = 0;
    return layout.relativeBuckets > 0 &&
           std::any_of(block.sourceHeads.begin(), block.sourceHeads.end(),
                       [&](int head) { return head != place++; });
}

void putHeadsBack(LoadedModel& model) {
    for (auto& block : model.layout.blocks) {
        if (headsMove(model.layout, block)) {
            const auto lines = linesOf(headsByPlace(block), model.layout.headDim);
            const auto& group = model.layout.groups[static_cast<std::size_t>(block.attention)];
            for (const int index : group.layers) {
                const auto& layer = model.layout.layers[static_cast<std::size_t>(index)];
                Tensor& weight = model.tensors.at(layer.name + ".weight");
                if (layer.role == LayerRole::AttentionOutput) {
                    weight = selectCols(weight, lines);
                    continue;
                }
                weight = selectRows(weight, lines);
                if (const auto bias = model.tensors.find(layer.name + ".bias");
                    bias != model.tensors.end()) {
                    bias->second = selectRows(bias->second, lines);
                }
            }
        }
        block.sourceHeads.clear();
    }
}

}  // namespace pareto::exporting
