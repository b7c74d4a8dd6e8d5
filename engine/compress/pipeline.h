#pragma once

#include <optional>
#include <stop_token>

#include "engine/compress/calibration.h"
#include "engine/compress/gradients.h"
#include "engine/compress/layer_report.h"
#include "engine/core/progress.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

struct CompressReport {
    std::vector<LayerReport> layers;
    std::int64_t calibrationSamples = 0;
    std::int64_t calibrationTokens = 0;
    std::vector<std::string> removedBlocks;                         ///< names in the original
    std::vector<std::pair<std::string, std::vector<int>>> keptUnits;  ///< group -> kept unit numbers
    std::vector<std::string> notes;
    double seconds = 0.0;
};

struct CompressedModel {
    LoadedModel model;            ///< shares every untouched tensor with the original
    CompressReport report;
};

/// One recovery step as the pipeline asks for it.
struct RecoverRequest {
    const LoadedModel& model;      ///< pruned; blocks that are removed are gone, zeros of single weights stay
    const LoadedModel& original;   ///< untouched
    const Recipe& recipe;
    std::size_t step = 0;          ///< which of recipe.recover
    /// What is planned for each layer of `model`, in its order: the format that it will be held in, to which
    /// quantize-aware training rounds (layers that it rounded come back in it), and what this step prunes while it
    /// trains (sparsity > 0 of a trained method; of all others the sparsity is 0).
    std::vector<LayerPlan> plans;
};
/// Answers the model with other values; its layout and shapes are the same. Who trains implements it.
using RecoverModel =
    std::function<Result<LoadedModel>(const RecoverRequest& request, Progress& progress, std::stop_token stop)>;

/// What the process brings along.
struct CompressTools {
    ParallelFor parallel = serialFor;
    const MatrixMath* math = &plainMath();
    OpenBlockInputs inputs;         ///< empty: calibrated methods are refused
    OpenWeightGradients gradients = {};  ///< empty: methods that use gradients are refused
    RecoverModel recover = {};      ///< empty: recipes that recover accuracy are refused
};

/// The one door to compression: applies the recipe's steps in its order. Calibrated methods go block by
/// block: a block's weights are pruned, then rounded, and the samples pass through the result, so that later
/// blocks see the errors of earlier ones. The original is untouched.
/// RecipeInvalid; TensorValues when a weight to be changed is not finite; what opening the inputs says.
Result<CompressedModel> compress(const LoadedModel& original, const Recipe& recipe, Progress& progress,
                                 std::stop_token stop, const CompressTools& tools = {});

}  // namespace pareto::compress
