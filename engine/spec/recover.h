#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/json.h"

namespace pareto {

/// How accuracy is brought back behind pruning: the whole model is trained on a task's rows or on texts, or each
/// block's weights are fitted to what the untouched block gave for the calibration's texts (no labels needed).
enum class RecoverMethod { Train, Reconstruct };
/// How the learning rate falls behind the warm-up: not at all, to 0 in a straight line, or along half a cosine.
enum class LearningSchedule { Constant, Linear, Cosine };

std::string_view nameOf(RecoverMethod value);  ///< as in the recipe's JSON
std::string_view nameOf(LearningSchedule value);

/// What a student is taught beside labels. Each weight is of one term of the loss; 0: no such term.
struct DistilSpec {
    std::string teacher;       ///< a model's path; empty: the untouched model ("original")
    double temperature = 2.0;  ///< of `logits`
    double logits = 1.0;       ///< T² · KL of softened outputs (Hinton et al. 2015)
    double hidden = 0.0;       ///< mean squared error of hidden states behind blocks (TinyBERT, Jiao et al. 2020)
    double attention = 0.0;    ///< KL of attention maps (MobileBERT, Sun et al. 2020)
    double relations = 0.0;    ///< KL of query, key and value relations of the last pair (MiniLMv2, Wang et al. 2021)
    /// Which student block learns from which teacher block, counted from 0 among those that are left; empty: spread
    /// evenly, last from last.
    std::vector<std::pair<int, int>> blocks;
    bool operator==(const DistilSpec&) const = default;
};

/// One recovery step. Zeros that single-weight pruning made stay zeros (N:M and tiles with them).
struct RecoverSpec {
    RecoverMethod method = RecoverMethod::Train;
    /// Train: a task (its name, its file, or inline JSON), or a plain text for decoders. Reconstruct: unused, the
    /// recipe's calibration says the texts.
    std::string source;
    std::string split = "train";
    std::string validation = "validation";  ///< split that decides which weights are kept
    double holdOut = 0.1;         ///< share of the training rows that validates where there is no such split; 0: none
    std::int64_t limit = 0;       ///< rows used, drawn with the recipe's seed; 0: all
    int epochs = 3;
    std::int64_t steps = 0;       ///< of the optimizer; 0: as epochs say. Reconstruct: for each block
    int batch = 32;               ///< sequences a step, `accumulate` times
    int accumulate = 1;           ///< passes whose gradients are summed to one step
    double learningRate = 5e-5;
    double weightDecay = 0.01;    ///< AdamW (Loshchilov & Hutter 2019); not of biases and norms
    LearningSchedule schedule = LearningSchedule::Linear;
    double warmup = 0.1;          ///< share of the steps in which the learning rate rises from 0
    double clip = 1.0;            ///< most that the gradient's norm may be; 0: anything
    double dropout = 0.1;         ///< of embeddings, attention and sublayers; decoders: 0
    int patience = 0;             ///< validations without a better one before training ends; 0: never
    std::int64_t validateEvery = 0;  ///< steps; 0: behind each epoch
    double labels = 1.0;          ///< weight of the task's own loss
    std::int64_t maxLength = 0;   ///< tokens of an example; 0: as the task says
    bool quantizeAware = false;   ///< weights and inputs as the recipe will round them, scales learned (LSQ, Esser et al. 2020)
    bool bf16 = false;            ///< products of linears in bf16
    bool recompute = false;       ///< activations of a block are computed again instead of kept
    std::optional<DistilSpec> distil;
    bool operator==(const RecoverSpec&) const = default;
};

/// `prefix` stands before fields in errors ("recover[0]"). RecipeInvalid with {field} and {reason}.
Result<RecoverSpec> recoverFromJson(const Json& json, const std::string& prefix);
/// Fields that differ from the defaults; `method` always.
Json recoverToJson(const RecoverSpec& spec);
/// "train", "distil", "qat", "reconstruct": short, for tables.
std::string recoverSummary(const RecoverSpec& spec);

/// The learning rate of step `step` of `steps`, from 0: transformers' get_linear_schedule_with_warmup and its
/// siblings, with ⌈warmup · steps⌉ steps of warm-up.
double learningRateAt(const RecoverSpec& spec, std::int64_t step, std::int64_t steps);

}  // namespace pareto
