#pragma once

#include "engine/spec/recipe.h"

namespace pareto {

struct LayerPlan {
    double sparsity = 0.0;          ///< unstructured share of zeros to make
    PruneMethod method = PruneMethod::Magnitude;
    bool adjusts = false;           ///< kept weights, by least squares
    int keepOf = 0;                 ///< N:M, see PruneSpec
    int groupOf = 0;
    int tileRows = 1;
    int tileCols = 1;
    WeightFormat format;
    QuantizeMethod quantizeMethod = QuantizeMethod::Rtn;
    bool actOrder = false;
    InputScaling scaling = InputScaling::None;
    std::optional<double> alpha;
    bool clip = false;
    bool biasCorrection = false;
    bool pruneOverridden = false;   ///< by an entry of `layers`
    bool quantizeOverridden = false;
};

struct GroupPlan {
    std::int64_t remove = 0;        ///< units to take away (at least one stays)
    double ratio = 0.0;             ///< as asked
    PruneMethod method = PruneMethod::L1;
    Compensation compensation = Compensation::None;
    bool overridden = false;
};

struct BlockPlan {
    bool removed = false;           ///< by an override that names the block
    bool keep = false;              ///< an override says that this block stays
};

/// A recipe brought down to one model: one plan a layer, group and block, in the layout's order.
struct ResolvedRecipe {
    std::vector<LayerPlan> layers;
    std::vector<GroupPlan> groups;
    std::vector<BlockPlan> blocks;
    bool untied = false;            ///< tied layers get weights of their own
    bool calibrated = false;        ///< some layer's method looks at its inputs
    bool gradients = false;         ///< some layer's or group's method looks at the model's gradients
    int recomputations = 0;
    std::int64_t removeWidth = 0;   ///< channels of the residual stream
    std::int64_t removeBlocks = 0;  ///< further blocks to remove, chosen by their values when applied
    PruneMethod blockMethod = PruneMethod::L1;
    Allocation allocation = Allocation::Uniform;
    bool rotate = false;
    NumberFormat cache = NumberFormat::F32;
    std::vector<PrunePattern> pruneOrder;
    std::vector<std::string> unmatched;  ///< `match` texts of overrides that match nothing here
    std::vector<std::string> notes;      ///< what was adapted, in English: "classifier.1: 384 columns, group 64 -> …"
};

/// Whether a plan needs to know what the layer, or the group's output layer, reads.
bool isCalibrated(const LayerPlan& plan);
bool isCalibrated(const GroupPlan& plan);

/// RecipeInvalid: a bad regular expression, a group size a layer cannot have, tied layers with
/// different settings unless `untie`, every block removed. Pure; needs no weights.
Result<ResolvedRecipe> resolve(const Recipe& recipe, const ModelLayout& layout);

struct LayerEstimate {
    std::int64_t rows = 0;   ///< after structured pruning
    std::int64_t cols = 0;
    std::uint64_t bytes = 0; ///< weight and bias; 0 for tied or removed layers
    std::int64_t parameters = 0;
    bool removed = false;
};

/// Exact arithmetic on shapes and formats: what the model will hold in memory.
struct SizeEstimate {
    std::vector<LayerEstimate> layers;
    std::vector<std::int64_t> groupUnits;  ///< units left, per group
    std::uint64_t bytes = 0;
    std::int64_t parameters = 0;
    std::int64_t zeros = 0;    ///< expected zeros from unstructured pruning
    bool exact = true;         ///< false when which block goes depends on values and blocks differ
};
SizeEstimate estimate(const ResolvedRecipe& resolved, const ModelLayout& layout);
/// The untouched model.
SizeEstimate estimate(const ModelLayout& layout);

}  // namespace pareto
