#include "engine/core/tile_grid.h"
#include "engine/spec/resolve.h"

namespace pareto {
namespace {

std::int64_t ceilDivide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

constexpr std::uint64_t kFloatBytes = 4;

/// Rows and columns of a layer once its group keeps `units`.
void shrink(const LayerInfo& layer, const ModelLayout& layout, std::int64_t units, LayerEstimate& out) {
    const auto& group = layout.groups[static_cast<std::size_t>(layer.group)];
    switch (layer.role) {
        case LayerRole::Query:
            out.rows = units * (layout.headsOf(group) / group.units) * layout.headDim;
            break;
        case LayerRole::Key:
        case LayerRole::Value:
            out.rows = units * (layout.kvHeadsOf(group) / group.units) * layout.headDim;
            break;
        case LayerRole::AttentionOutput:
            out.cols = units * (layout.headsOf(group) / group.units) * layout.headDim;
            break;
        case LayerRole::FfnIn:
        case LayerRole::FfnGate:
        case LayerRole::FfnUp:
            out.rows = units;
            break;
        case LayerRole::FfnDown:
            out.cols = units;
            break;
        default:
            break;
    }
}

/// Rows and columns of a layer once the residual stream is narrower.
void narrow(const LayerInfo& layer, std::int64_t width, LayerEstimate& out) {
    if (writesStream(layer.role)) {
        out.rows = width;
    } else {
        out.cols = width;
    }
}

struct Totals {
    std::uint64_t bytes = 0;
    std::int64_t parameters = 0;
    std::int64_t zeros = 0;
    bool operator==(const Totals&) const = default;
};

Totals& operator+=(Totals& a, const Totals& b) {
    a.bytes += b.bytes;
    a.parameters += b.parameters;
    a.zeros += b.zeros;
    return a;
}

std::int64_t zerosOf(const LayerPlan& plan, std::int64_t rows, std::int64_t cols) {
    if (plan.tileRows * plan.tileCols > 1 && plan.groupOf == 0) {
        const TileGrid grid{rows, cols, plan.tileRows, plan.tileCols};
        return grid.valuesIn(plan.method == PruneMethod::Wanda ? grid.down() * grid.removedAcross(plan.sparsity)
                                                               : grid.removed(plan.sparsity));
    }
    return static_cast<std::int64_t>(plan.sparsity * static_cast<double>(rows * cols));
}

/// Takes off `count` blocks chosen by their values; exact only when the choice makes no difference.
void removeByValue(std::int64_t count, const std::vector<Totals>& candidates, SizeEstimate& out) {
    if (count <= 0 || candidates.empty()) {
        return;
    }
    Totals sum;
    for (const auto& one : candidates) {
        sum += one;
        out.exact = out.exact && one == candidates.front();
    }
    const auto n = static_cast<std::int64_t>(candidates.size());
    out.bytes -= sum.bytes * static_cast<std::uint64_t>(count) / static_cast<std::uint64_t>(n);
    out.parameters -= sum.parameters * count / n;
    out.zeros -= sum.zeros * count / n;
}

}  // namespace

int bitsOf(NumberFormat format) {
    switch (format) {
        case NumberFormat::F32: return 32;
        case NumberFormat::F16:
        case NumberFormat::BF16:
        case NumberFormat::Int16: return 16;
        case NumberFormat::F8:
        case NumberFormat::Int8: return 8;
        case NumberFormat::Int4: return 4;
        case NumberFormat::Int3: return 3;
        case NumberFormat::Int2: return 2;
    }
    return 0;
}

bool prefersGroups(NumberFormat format) { return bitsOf(format) < 8; }

std::int64_t codeBytes(NumberFormat format, std::int64_t cols) { return ceilDivide(cols * bitsOf(format), 8); }

std::int64_t groupsPerRow(const WeightFormat& format, std::int64_t cols) {
    return format.granularity == Granularity::Group ? ceilDivide(cols, format.groupSize) : 1;
}

std::uint64_t weightBytes(const WeightFormat& format, std::int64_t rows, std::int64_t cols) {
    const auto codes = static_cast<std::uint64_t>(rows * codeBytes(format.format, cols));
    if (!format.isCoded()) {
        return codes;
    }
    const auto scales = static_cast<std::uint64_t>(
        format.granularity == Granularity::Tensor ? 1 : rows * groupsPerRow(format, cols));
    std::uint64_t sums = 0;
    if (format.hasCodeSums()) {
        const auto groups = format.activationGroup == 0 ? 1 : ceilDivide(cols, format.activationGroup);
        sums = static_cast<std::uint64_t>(rows * groups);
    }
    return codes + scales * kFloatBytes + (format.symmetric ? 0 : scales) + sums * 4 +
           (format.activations == Activations::Int8Static ? kFloatBytes : 0);
}

SizeEstimate estimate(const ResolvedRecipe& resolved, const ModelLayout& layout) {
    SizeEstimate out;
    for (std::size_t i = 0; i < layout.groups.size(); ++i) {
        out.groupUnits.push_back(layout.groups[i].units - resolved.groups[i].remove);
    }
    std::vector<Totals> blocks(layout.blocks.size());
    Totals outside;
    for (std::size_t i = 0; i < layout.layers.size(); ++i) {
        const auto& layer = layout.layers[i];
        const auto& plan = resolved.layers[i];
        LayerEstimate one{layer.rows, layer.cols, 0, 0, false};
        if (layer.group >= 0) {
            shrink(layer, layout, out.groupUnits[static_cast<std::size_t>(layer.group)], one);
        }
        if (resolved.removeWidth > 0) {
            narrow(layer, layout.hidden - resolved.removeWidth, one);
        }
        Totals totals;
        // An untied head differs from its table in format or sparsity only when it was given its own.
        const bool shares = !layer.tiedTo.empty() && !resolved.untied;
        if (!shares) {
            one.bytes = weightBytes(plan.format, one.rows, one.cols) +
                        (layer.hasBias ? static_cast<std::uint64_t>(one.rows) * kFloatBytes : 0);
            one.parameters = one.rows * one.cols + (layer.hasBias ? one.rows : 0);
            totals.zeros = zerosOf(plan, one.rows, one.cols);
        }
        totals.bytes = one.bytes;
        totals.parameters = one.parameters;
        (layer.block >= 0 ? blocks[static_cast<std::size_t>(layer.block)] : outside) += totals;
        out.layers.push_back(one);
    }
    for (const auto& tensor : layout.plain) {
        const bool narrows = tensor.shape.rank() == 1 && tensor.name.ends_with(".norm.weight");
        const auto n = tensor.shape.elements() - (narrows ? resolved.removeWidth : 0);
        (tensor.block >= 0 ? blocks[static_cast<std::size_t>(tensor.block)] : outside) +=
            Totals{static_cast<std::uint64_t>(n) * kFloatBytes, n, 0};
    }
    Totals all = outside;
    std::vector<Totals> candidates;
    for (std::size_t b = 0; b < blocks.size(); ++b) {
        if (resolved.blocks[b].removed) {
            for (const int layer : layout.blocks[b].layers) {
                auto& one = out.layers[static_cast<std::size_t>(layer)];
                one = LayerEstimate{one.rows, one.cols, 0, 0, true};
            }
            continue;
        }
        all += blocks[b];
        if (!resolved.blocks[b].keep) {
            candidates.push_back(blocks[b]);
        }
    }
    out.bytes = all.bytes;
    out.parameters = all.parameters;
    out.zeros = all.zeros;
    removeByValue(resolved.removeBlocks, candidates, out);
    return out;
}

SizeEstimate estimate(const ModelLayout& layout) {
    ResolvedRecipe untouched;
    for (const auto& layer : layout.layers) {
        LayerPlan plan;
        plan.format = layer.sourceFormat;
        untouched.layers.push_back(plan);
    }
    untouched.groups.resize(layout.groups.size());
    untouched.blocks.resize(layout.blocks.size());
    return estimate(untouched, layout);
}

}  // namespace pareto
