#pragma once

#include <string>
#include <vector>

#include "engine/compress/input_statistics.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

/// A place where an input can be divided by scales at no cost when the model runs, because what makes the
/// input is linear in it (AWQ, SmoothQuant).
struct ScalingSite {
    std::string norm;          ///< stem of a norm's tensors ("decoder.layer.0.ffn.norm"), or empty:
    int source = -1;           ///< index of the layer whose outputs the readers read
    std::vector<int> readers;  ///< indices of the layers that read it, and nothing else does
};

/// Of one block: norms before a sublayer (query, key and value; gate and up, or ffn.in), value before
/// attention.output where every query head has a key/value head of its own, and up before down where a gate
/// stands beside it. Norms behind sublayers (BERT) feed the residual stream too: nothing can be folded there.
std::vector<ScalingSite> scalingSites(const ModelLayout& layout, int block);

/// Readers' columns times `scales`, the source's rows and bias, or the norm's weight and bias, divided by
/// them. Touched weights are held in fp32 afterwards. Scales are positive and finite.
void foldScales(LoadedModel& model, const ScalingSite& site, std::span<const float> scales,
                const ParallelFor& parallel = serialFor);

/// What is known of x, of x / scales.
InputStatistics scaledStatistics(const InputStatistics& statistics, std::span<const float> scales);

/// Rows times `rows`, columns divided by `cols` ([rows] and [cols]; an empty one changes nothing), in fp32.
Tensor rescaled(const Tensor& weight, std::span<const float> rows, std::span<const float> cols,
                const ParallelFor& parallel = serialFor);

}  // namespace pareto::compress
