#pragma once

#include <stop_token>

#include "engine/core/progress.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

struct LayerReport {
    std::string name;
    double relativeError = 0.0;   ///< ‖W − Ŵ‖² / ‖W‖² against the structurally pruned weight
    double sparsity = 0.0;        ///< zeros / values after all steps
    double bitsPerWeight = 0.0;   ///< bytes held × 8 / values
    std::uint64_t bytes = 0;
};

struct CompressReport {
    std::vector<LayerReport> layers;
    std::vector<std::string> removedBlocks;                         ///< names in the original
    std::vector<std::pair<std::string, std::vector<int>>> keptUnits;  ///< group -> kept unit numbers
    double seconds = 0.0;
};

struct CompressedModel {
    LoadedModel model;            ///< shares every untouched tensor with the original
    CompressReport report;
};

/// The one door to compression: applies the recipe's steps in its order. The original is untouched.
/// RecipeInvalid; TensorValues when a weight to be changed is not finite.
Result<CompressedModel> compress(const LoadedModel& original, const Recipe& recipe, Progress& progress,
                                 std::stop_token stop, const ParallelFor& parallel = serialFor);

}  // namespace pareto::compress
