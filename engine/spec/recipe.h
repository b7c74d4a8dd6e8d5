#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/spec/layers.h"
#include "engine/spec/recover.h"

namespace pareto {

/// Of single weights: magnitude, Wanda (Sun et al. 2023), SparseGPT (Frantar & Alistarh 2023), reconstruction of
/// the layer's output under an L1 penalty (FISTA, Beck & Teboulle 2009), second order by the Fisher information of
/// the model's answers (Fisher; oBERT, Kurtic et al. 2022).
/// Of heads and neurons: their L1 norm, how much their activations fluctuate (FLAP, An et al. 2023), the error
/// their removal leaves once the others made up for it (Second; ZipLM, Kurtic et al. 2023), what it changes of the
/// model's loss to first order (Taylor; Molchanov et al. 2019).
/// Of the width of the residual stream: the principal axes of what the norms see (Pca; SliceGPT, Ashkboos et al. 2024,
/// with one rotation for all blocks).
/// Of blocks: their L1 norm, how little they change what passes (Influence; ShortGPT, Men et al. 2024).
/// Of single weights or tiles during the first training step behind (see SparsifySpec): least magnitude on a cubic
/// schedule (Gradual; Zhu & Gupta 2017), learned scores of which the highest stay (Movement; Sanh et al. 2020, tiles:
/// Lagunas et al. 2021) or all above a threshold under a penalty (SoftMovement, compared over all layers), and
/// proximal steps of an L1 penalty, of tiles' norms where there are tiles (Proximal; soft thresholds, Parikh & Boyd
/// 2014, group lasso of Yuan & Lin 2006).
enum class PruneMethod {
    Magnitude, L1, Wanda, SparseGpt, L1Reconstruction, Fluctuation, Second, Influence, Fisher, Taylor, Pca,
    Gradual, Movement, SoftMovement, Proximal
};
/// Round to nearest, GPTQ (Frantar et al. 2022), or rounding found by signed gradients (SignRound, Cheng et
/// al. 2023).
enum class QuantizeMethod { Rtn, Gptq, SignRound };
/// Scales of inputs that are folded into what stands before and divided out of the weight: AWQ (Lin et al. 2023)
/// for the weights' sake, SmoothQuant (Xiao et al. 2022) for the inputs'.
enum class InputScaling { None, Awq, SmoothQuant };
/// Whether each layer has the ratio of single weights to prune, all layers share one threshold of magnitude, or
/// blocks with more outliers keep more (OWL, Yin et al. 2023).
enum class Allocation { Uniform, Global, Owl };
/// What kept weights do about removed units: nothing, the mean of what is missing goes to the bias (FLAP), or least
/// squares on the layer's output. Kept single weights do it by least squares too, found by ADMM (Boža 2024).
enum class Compensation { None, Bias, LeastSquares };
/// Width: channels of the residual stream, coupled in every layer that reads or writes it. It is cut before all else,
/// because it changes what all weights stand for.
enum class PrunePattern { Unstructured, Heads, Neurons, Blocks, Width };
enum class StepKind { Prune, Recover, Quantize };

std::string_view nameOf(PruneMethod value);        ///< as in the recipe's JSON
std::string_view nameOf(QuantizeMethod value);
std::string_view nameOf(InputScaling value);
std::string_view nameOf(Allocation value);
std::string_view nameOf(Compensation value);
std::string_view nameOf(PrunePattern value);
std::string_view nameOf(StepKind value);

/// Whether a method looks at what layers read (see CalibrationSpec).
bool isCalibrated(PruneMethod value);
/// Whether a method looks at gradients of the whole model, found from the same texts.
bool usesGradients(PruneMethod value);
/// Whether a method prunes while a recovery step trains.
bool isTrained(PruneMethod value);
bool isCalibrated(QuantizeMethod value);

struct PruneSpec {
    PruneMethod method = PruneMethod::Magnitude;
    PrunePattern pattern = PrunePattern::Unstructured;
    double ratio = 0.0;      ///< share to remove, 0…1
    /// N:M sparsity of single weights: of every `groupOf` inputs of a row at most `keepOf` stay; 0: anywhere.
    /// The ratio is 1 − keepOf / groupOf.
    int keepOf = 0;
    int groupOf = 0;
    /// Tiles of this many outputs and inputs are pruned whole ("1x16").
    int tileRows = 1;
    int tileCols = 1;
    Allocation allocation = Allocation::Uniform;         ///< of single weights
    Compensation compensation = Compensation::None;      ///< of heads and neurons; least squares: of single weights
    /// Steps on the way to the ratio, behind the first: Fisher finds the information anew at each, least squares of
    /// single weights adjust those that are kept.
    int recomputations = 0;
    bool operator==(const PruneSpec&) const = default;
};

struct QuantizeSpec {
    NumberFormat weights = NumberFormat::Int8;
    Granularity granularity = Granularity::Channel;
    std::int64_t groupSize = 64;      ///< input columns a scale covers, when granularity is Group
    bool symmetric = true;
    RangeMethod range = RangeMethod::MinMax;
    Activations activations = Activations::None;
    std::int64_t activationGroup = 0; ///< 0: one scale a token; else input columns a scale covers
    QuantizeMethod method = QuantizeMethod::Rtn;
    bool actOrder = false;            ///< GPTQ: the inputs that matter most first
    InputScaling scaling = InputScaling::None;
    std::optional<double> alpha;      ///< SmoothQuant's; absent: searched for each set of layers
    bool clip = false;                ///< AWQ's search for each group's range
    bool biasCorrection = false;      ///< biases take up the mean error of the output (where there are any)
    bool rotate = false;              ///< of the whole model: QuaRot (Ashkboos et al. 2024), folded into weights
    NumberFormat cache = NumberFormat::F32;  ///< of the whole model: keys and values of a generation
    bool operator==(const QuantizeSpec&) const = default;
};

/// What an override changes; absent fields keep what stood before.
struct PruneOverride {
    std::optional<PrunePattern> pattern;  ///< which of the steps; absent: every step that applies to the match
    std::optional<PruneMethod> method;
    std::optional<double> ratio;
    bool operator==(const PruneOverride&) const = default;
};
struct QuantizeOverride {
    std::optional<NumberFormat> weights;
    std::optional<Granularity> granularity;
    std::optional<std::int64_t> groupSize;
    std::optional<bool> symmetric;
    std::optional<RangeMethod> range;
    std::optional<Activations> activations;
    std::optional<std::int64_t> activationGroup;
    std::optional<QuantizeMethod> method;
    std::optional<bool> actOrder;
    std::optional<InputScaling> scaling;
    std::optional<double> alpha;
    std::optional<bool> clip;
    std::optional<bool> biasCorrection;
    bool operator==(const QuantizeOverride&) const = default;
};

/// Matches whole names of layers, groups or blocks: an exact name, else an ECMAScript regular
/// expression. Later entries win, key by key.
struct LayerOverride {
    std::string match;
    bool skip = false;                       ///< neither pruned nor quantized
    bool pruneOff = false;                   ///< "prune": null
    bool quantizeOff = false;                ///< "quantize": null
    std::vector<PruneOverride> prune;
    std::optional<QuantizeOverride> quantize;
    bool operator==(const LayerOverride&) const = default;
};

/// The texts whose activations calibrated methods look at.
struct CalibrationSpec {
    /// A plain text, a table and its column ("train.csv#text"), or a task (its name, or its file), of which the
    /// training split is read; empty: WikiText-2's training text of the samples folder.
    std::string source;
    int samples = 128;  ///< windows of a text, rows of a table
    int length = 512;   ///< tokens; rows may be shorter
    std::uint64_t seed = 0;
    bool operator==(const CalibrationSpec&) const = default;
};

/// What to do to a model (recipe JSON, version 1; ARCHITECTURE.md describes it).
struct Recipe {
    std::string name;                        ///< for people; optional key "name"
    std::vector<StepKind> order{StepKind::Prune, StepKind::Recover, StepKind::Quantize};
    std::vector<PruneSpec> prune;            ///< applied as written
    std::optional<QuantizeSpec> quantize;
    std::vector<LayerOverride> layers;
    std::optional<CalibrationSpec> calibration;
    std::vector<RecoverSpec> recover;        ///< one after the other, where `order` says
    bool untie = false;
    std::uint64_t seed = 0;

    bool operator==(const Recipe&) const = default;
    bool isEmpty() const { return prune.empty() && !quantize && layers.empty() && recover.empty(); }
};

/// RecipeInvalid with {field} and {reason}: unknown keys, ratios outside 0…1, methods, patterns or
/// formats that this version does not have (named, with the list of those it has).
Result<Recipe> recipeFromJson(const Json& json);
/// `text`: inline JSON (starts with '{') or a path.
Result<Recipe> loadRecipe(const std::string& text);
Json recipeToJson(const Recipe& recipe);
/// SHA-256 of the canonical JSON without the name: equal recipes have equal hashes.
std::string recipeHash(const Recipe& recipe);
/// "H50 N50 W0 int8": short, for tables. "–" for the empty recipe.
std::string recipeSummary(const Recipe& recipe);

}  // namespace pareto
