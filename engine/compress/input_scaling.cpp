#include "engine/compress/input_scaling.h"

#include <algorithm>

namespace pareto::compress {

namespace {

constexpr std::int64_t kGrainValues = 1 << 16;

/// The layers of a group with a role, in the group's order.
std::vector<int> layersOf(const ModelLayout& layout, const GroupInfo& group,
                          std::initializer_list<LayerRole> roles) {
    std::vector<int> out;
    for (const int index : group.layers) {
        const auto role = layout.layers[static_cast<std::size_t>(index)].role;
        if (std::find(roles.begin(), roles.end(), role) != roles.end()) {
            out.push_back(index);
        }
    }
    return out;
}

void addNormSite(const ModelLayout& layout, const GroupInfo& group, std::vector<int> readers,
                 std::vector<ScalingSite>& out) {
    const std::string stem = group.name + ".norm";
    if (layout.preNorm && !readers.empty() && layout.hasPlain(stem + ".weight")) {
        out.push_back({stem, -1, std::move(readers)});
    }
}

void addLayerSite(const ModelLayout& layout, const std::vector<int>& source, const std::vector<int>& reader,
                  std::vector<ScalingSite>& out) {
    if (source.size() != 1 || reader.size() != 1) {
        return;
    }
    const auto& from = layout.layers[static_cast<std::size_t>(source.front())];
    const auto& to = layout.layers[static_cast<std::size_t>(reader.front())];
    if (from.rows == to.cols && from.tiedTo.empty() && to.tiedTo.empty()) {
        out.push_back({{}, source.front(), reader});
    }
}

/// A rank 1 tensor divided by the scales.
void divide(LoadedModel& model, const std::string& name, std::span<const float> scales) {
    const auto found = model.tensors.find(name);
    if (found == model.tensors.end()) {
        return;
    }
    auto values = dequantize(found->second);
    for (std::size_t at = 0; at < values.size(); ++at) {
        values[at] /= scales[at];
    }
    found->second = denseTensor(found->second.shape, values);
}

std::vector<float> inverse(std::span<const float> scales) {
    std::vector<float> out(scales.size());
    std::transform(scales.begin(), scales.end(), out.begin(), [](float scale) { return 1.0F / scale; });
    return out;
}

}  // namespace

std::vector<ScalingSite> scalingSites(const ModelLayout& layout, int block) {
    std::vector<ScalingSite> out;
    const auto& info = layout.blocks[static_cast<std::size_t>(block)];
    if (info.repeats > 1) {
        return out;  // one set of weights, several inputs
    }
    for (const int index : {info.attention, info.feedForward}) {
        if (index < 0) {
            continue;
        }
        const auto& group = layout.groups[static_cast<std::size_t>(index)];
        if (group.kind == GroupKind::Attention) {
            addNormSite(layout, group,
                        layersOf(layout, group, {LayerRole::Query, LayerRole::Key, LayerRole::Value}), out);
            addLayerSite(layout, layersOf(layout, group, {LayerRole::Value}),
                         layersOf(layout, group, {LayerRole::AttentionOutput}), out);
            continue;
        }
        addNormSite(layout, group,
                    layersOf(layout, group, {LayerRole::FfnGate, LayerRole::FfnUp, LayerRole::FfnIn}), out);
        if (!layersOf(layout, group, {LayerRole::FfnGate}).empty()) {
            addLayerSite(layout, layersOf(layout, group, {LayerRole::FfnUp}),
                         layersOf(layout, group, {LayerRole::FfnDown}), out);
        }
    }
    return out;
}

void foldScales(LoadedModel& model, const ScalingSite& site, std::span<const float> scales,
                const ParallelFor& parallel) {
    const auto inverses = inverse(scales);
    const auto nameOf = [&](int index) { return model.layout.layers[static_cast<std::size_t>(index)].name; };
    for (const int reader : site.readers) {
        Tensor& weight = model.tensors.at(nameOf(reader) + ".weight");
        weight = rescaled(weight, {}, inverses, parallel);
    }
    const std::string stem = site.norm.empty() ? nameOf(site.source) : site.norm;
    if (site.norm.empty()) {
        Tensor& weight = model.tensors.at(stem + ".weight");
        weight = rescaled(weight, inverses, {}, parallel);
    } else {
        divide(model, stem + ".weight", scales);
    }
    divide(model, stem + ".bias", scales);
}

InputStatistics scaledStatistics(const InputStatistics& statistics, std::span<const float> scales) {
    InputStatistics out = statistics;
    const auto cols = static_cast<std::size_t>(statistics.cols);
    if (!out.hessian.empty()) {
        for (std::size_t row = 0; row < cols; ++row) {
            for (std::size_t col = 0; col < cols; ++col) {
                // One product of scales for both halves: H stays symmetric to the bit.
                out.hessian[row * cols + col] /= scales[row] * scales[col];
            }
        }
    }
    const auto divideBy = [&](std::vector<float>& values, bool squared) {
        for (std::size_t at = 0; at < values.size(); ++at) {
            values[at] /= squared ? scales[at] * scales[at] : scales[at];
        }
    };
    divideBy(out.meanSquares, true);
    divideBy(out.meanMagnitudes, false);
    divideBy(out.means, false);
    divideBy(out.largest, false);
    for (std::size_t at = 0; at < out.sample.size(); ++at) {
        out.sample[at] /= scales[at % cols];
    }
    return out;
}

Tensor rescaled(const Tensor& weight, std::span<const float> rows, std::span<const float> cols,
                const ParallelFor& parallel) {
    auto values = dequantize(weight, parallel);
    const std::int64_t width = weight.shape[1];
    const std::int64_t grain = std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, width));
    parallel(weight.shape[0], grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            float* line = values.data() + row * width;
            const float by = rows.empty() ? 1.0F : rows[static_cast<std::size_t>(row)];
            for (std::int64_t col = 0; col < width; ++col) {
                line[col] = cols.empty() ? line[col] * by : line[col] * by / cols[static_cast<std::size_t>(col)];
            }
        }
    });
    return denseTensor(weight.shape, values);
}

}  // namespace pareto::compress
