#include <algorithm>
#include <cmath>

#include "engine/jobs/api/jobs.h"
#include "engine/jobs/api/weight_values.h"
#include "engine/layout/describe.h"

namespace pareto::jobs {
namespace {

constexpr std::size_t kBins = 256;

/// Finite extremes, zeros and what is not finite, over pieces of a tensor.
struct Extent {
    float low = 0.0F;
    float high = 0.0F;
    bool any = false;
    std::int64_t zeros = 0;
    std::int64_t nonFinite = 0;

    void add(std::span<const float> values) {
        for (const float value : values) {
            if (!std::isfinite(value)) {
                ++nonFinite;
                continue;
            }
            low = any ? std::min(low, value) : value;
            high = any ? std::max(high, value) : value;
            any = true;
            zeros += value == 0.0F ? 1 : 0;
        }
    }
};

Histogram emptyHistogram(const std::string& layer, const Extent& extent) {
    Histogram histogram;
    histogram.layer = layer;
    histogram.low = extent.low;
    histogram.high = extent.high;
    histogram.zeros = extent.zeros;
    histogram.nonFinite = extent.nonFinite;
    histogram.counts.assign(kBins, 0);
    return histogram;
}

void count(std::span<const float> values, Histogram& histogram) {
    const double width = (histogram.high - histogram.low) / static_cast<double>(kBins);
    for (const float value : values) {
        if (!std::isfinite(value)) {
            continue;
        }
        const double position = width > 0.0 ? (value - histogram.low) / width : 0.0;
        // The highest value belongs to the last bin.
        const auto bin = std::min(static_cast<std::size_t>(std::max(position, 0.0)), kBins - 1);
        ++histogram.counts[bin];
    }
}

Error layerUnknown(const std::string& layer) {
    return makeError(ErrorCode::LayerUnknown, {{"layer", layer}});
}

}  // namespace

Histogram histogramOf(const std::string& layer, std::span<const float> values) {
    Extent extent;
    extent.add(values);
    Histogram histogram = emptyHistogram(layer, extent);
    count(values, histogram);
    return histogram;
}

Result<Histogram> runHistogram(const HistogramParams& params, Progress& progress,
                               std::stop_token stop) {
    progress.begin(Stage::Opening);
    PARETO_TRY(const auto files, io::ModelFiles::open(params.model, io::Access::Read));
    PARETO_TRY(const ModelLayout layout, describeModel(*files));
    const LayerInfo* layer = layout.findLayer(params.layer);
    if (layer == nullptr) {
        return layerUnknown(params.layer);
    }
    const std::string name = (layer->tiedTo.empty() ? layer->name : layer->tiedTo) + ".weight";
    PARETO_TRY(const auto values, WeightValues::open(files, layout));
    // Twice over the file: the range first, then the bins in it.
    progress.begin(Stage::Counting, 2 * layer->rows * layer->cols);
    Extent extent;
    PARETO_CHECK(values.forEach(
        name, [&](std::span<const float> piece) { extent.add(piece); }, progress, stop));
    Histogram histogram = emptyHistogram(params.layer, extent);
    PARETO_CHECK(values.forEach(
        name, [&](std::span<const float> piece) { count(piece, histogram); }, progress, stop));
    return histogram;
}

}  // namespace pareto::jobs
