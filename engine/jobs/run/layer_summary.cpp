#include "engine/jobs/run/layer_summary.h"

#include <set>

#include "engine/jobs/api/jobs.h"

namespace pareto::jobs {

Result<ValueSummary> summarizeValues(const LoadedModel& model, Progress& progress,
                                     std::stop_token stop) {
    const auto parallel = models::torchParallelFor();
    progress.begin(Stage::Counting, static_cast<std::int64_t>(model.tensors.size()), Unit::Layers);
    ValueSummary summary;
    std::set<std::string> counted;
    for (const auto& layer : model.layout.layers) {
        const auto name = layer.name + ".weight";
        const auto found = model.tensors.find(name);
        if (found == model.tensors.end()) {
            continue;
        }
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        const auto values = dequantize(found->second, parallel);
        summary.histograms.push_back(histogramOf(layer.name, values));
        const auto size = static_cast<std::int64_t>(values.size());
        summary.parameters += size;
        summary.nonzero += size - summary.histograms.back().zeros;
        counted.insert(name);
        progress.advance();
    }
    for (const auto& [name, tensor] : model.tensors) {
        if (counted.contains(name)) {
            continue;
        }
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        const auto size = tensor.shape.elements();
        summary.parameters += size;
        summary.nonzero += size - countZeros(tensor, parallel);
        progress.advance();
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
        if (const auto* layer = layout.findLayer(row.name)) {
            row.bytes = compressed.model.layerBytes(*layer);
        }
        for (const auto& report : compressed.report.layers) {
            if (report.name == row.name) {
                row.relativeError = report.relativeError;
                row.sparsity = report.sparsity;
                break;
            }
        }
    }
    return traced;
}

}  // namespace pareto::jobs
