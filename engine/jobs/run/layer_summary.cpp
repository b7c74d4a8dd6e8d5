#include "engine/jobs/run/layer_summary.h"

#include <map>
#include <set>

#include "engine/jobs/api/jobs.h"
#include "engine/weights/weights_hash.h"

namespace pareto::jobs {

Result<ValueSummary> summarizeValues(const TensorSource& model, Progress& progress, std::stop_token stop,
                                     const std::function<Status(const LayerInfo&, const Tensor&)>& seen) {
    const auto parallel = models::torchParallelFor();
    const auto& layers = model.layout().layers;
    std::map<std::string, std::size_t> weights;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        weights.emplace(layers[i].name + ".weight", i);
    }
    const auto names = model.names();
    progress.begin(Stage::Counting, static_cast<std::int64_t>(names.size()), Unit::Layers);
    ValueSummary summary;
    WeightsHash hash;
    std::map<std::size_t, Histogram> histograms;
    for (const auto& name : names) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        PARETO_TRY(const Tensor tensor, model.tensor(name));
        hash.add(name, tensor);
        const auto size = tensor.shape.elements();
        summary.parameters += size;
        if (const auto found = weights.find(name); found != weights.end()) {
            const auto& layer = layers[found->second];
            const bool plain = tensor.isDense() && tensor.dense().dtype == DType::F32;
            const auto values = plain ? std::vector<float>() : dequantize(tensor, parallel);
            const auto& made = histograms[found->second] =
                histogramOf(layer.name, plain ? tensor.dense().values.as<float>() : std::span<const float>(values));
            summary.nonzero += size - made.zeros;
            if (seen) {
                PARETO_CHECK(seen(layer, tensor));
            }
        } else {
            summary.nonzero += size - countZeros(tensor, parallel);
        }
        releasePages(tensor);
        progress.advance();
    }
    for (auto& [index, histogram] : histograms) {
        summary.histograms.push_back(std::move(histogram));
    }
    summary.weightsHash = hash.hex();
    return summary;
}

Result<ValueSummary> summarizeValues(const compress::TensorwiseModel& model, Progress& progress, std::stop_token stop,
                                     std::vector<compress::LayerReport>& reports) {
    std::map<std::string, compress::LayerReport> found;
    const auto add = [&](const LayerInfo& layer, const Tensor& held) -> Status {
        PARETO_TRY(found[layer.name], model.report(layer, held));
        return Done{};
    };
    PARETO_TRY(auto summary, summarizeValues(model, progress, std::move(stop), add));
    reports.clear();
    for (const auto& layer : model.layout().layers) {
        if (!layer.tiedTo.empty()) {
            PARETO_TRY(const auto held, model.weight(layer));
            PARETO_CHECK(add(layer, held));
        }
        reports.push_back(std::move(found[layer.name]));
    }
    return summary;
}

std::vector<LayerMeasurement> layerRows(const compress::CompressedModel& compressed,
                                        const models::Model& runnable,
                                        std::vector<LayerMeasurement> traced) {
    const auto& layout = compressed.model.layout;
    std::set<std::string> known;
    for (const auto& row : traced) {
        known.insert(row.name);
    }
    for (const auto& layer : layout.layers) {
        if (!known.contains(layer.name)) {
            LayerMeasurement row;
            row.name = layer.name;
            row.rows = layer.rows;
            row.cols = layer.cols;
            row.kernel = runnable.kernelOf(layer.name);
            traced.push_back(std::move(row));
        }
    }
    for (auto& row : traced) {
        for (const auto& report : compressed.report.layers) {
            if (report.name == row.name) {
                row.bytes = report.bytes;
                row.relativeError = report.relativeError;
                row.sparsity = report.sparsity;
                break;
            }
        }
    }
    return traced;
}

}  // namespace pareto::jobs
