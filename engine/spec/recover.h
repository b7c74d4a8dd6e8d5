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
/// Which values training changes: all, or biases and the weights of norms alone (BitFit, Ben Zaken et al. 2022, for
/// whole models; the correction of biases and norms where blocks are reconstructed).
enum class LearnedPart { All, Biases, Norms, BiasesNorms };
/// How the learning rate falls behind the warm-up: not at all, to 0 in a straight line, or along half a cosine.
enum class LearningSchedule { Constant, Linear, Cosine };

std::string_view nameOf(RecoverMethod value);  ///< as in the recipe's JSON
std::string_view nameOf(LearnedPart value);
std::string_view nameOf(LearningSchedule value);

/// Texts that the teacher writes, greedily, and the student learns by heart (sequence-level distillation, Kim & Rush
/// 2016). Decoders go on from the beginnings of the source's windows, encoder-decoder models answer its inputs.
struct SequenceSpec {
    int count = 256;
    int prompt = 32;  ///< tokens a decoder goes on from
    int length = 96;  ///< most tokens that the teacher writes
    bool operator==(const SequenceSpec&) const = default;
};

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
    std::optional<SequenceSpec> sequences;
    bool operator==(const DistilSpec&) const = default;
};

/// Low-rank adapters (LoRA, Hu et al. 2021): of every linear of a block, W + alpha / rank · B·A, where only A and B are
/// learned, with the bias-free rest of the model held. They are added to W when training ends; zeros of W stay zeros.
struct AdapterSpec {
    int rank = 8;
    double alpha = 16.0;
    double dropout = 0.0;     ///< of what adapters read
    std::string layers;       ///< ECMAScript regular expression of whole layer names; empty: every linear of a block
    bool operator==(const AdapterSpec&) const = default;
};

/// How a trained pruning method (see PruneMethod) goes to its ratio r: behind a share `begin` of the steps it is
/// r · (1 − (1 − t)³), with t from 0 to 1 at a share `end` of them (Zhu & Gupta 2017); then zeros are held.
struct SparsifySpec {
    double begin = 0.1;
    double end = 0.7;
    int every = 1;            ///< steps between two choices of what is zero
    double scoreRate = 1e-2;  ///< learning rate of movement's scores; falls with the schedule of the others
    bool operator==(const SparsifySpec&) const = default;
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
    bool fresh = false;           ///< all weights are drawn anew first: a student that has the pruned model's shape alone
    LearnedPart learns = LearnedPart::All;
    bool quantizeAware = false;   ///< weights and inputs as the recipe will round them, scales learned (LSQ, Esser et al. 2020)
    bool bf16 = false;            ///< products of linears in bf16
    bool recompute = false;       ///< activations of a block are computed again instead of kept
    SparsifySpec sparsify;        ///< read by the first training step behind a trained pruning method
    std::optional<AdapterSpec> adapters;
    std::optional<DistilSpec> distil;
    bool operator==(const RecoverSpec&) const = default;
};

/// `prefix` stands before fields in errors ("recover[0]"). RecipeInvalid with {field} and {reason}.
Result<RecoverSpec> recoverFromJson(const Json& json, const std::string& prefix);
/// Fields that differ from the defaults; `method` always.
Json recoverToJson(const RecoverSpec& spec);
/// "train", "distil", "train/qat", "distil/lora", "reconstruct": short, for tables.
std::string recoverSummary(const RecoverSpec& spec);

/// The share of zeros that a trained pruning method has reached behind `step` steps of `steps`, on the way to `ratio`.
double sparsityAt(const SparsifySpec& spec, double ratio, std::int64_t step, std::int64_t steps);

/// The learning rate of step `step` of `steps`, from 0: transformers' get_linear_schedule_with_warmup and its
/// siblings, with ⌈warmup · steps⌉ steps of warm-up.
double learningRateAt(const RecoverSpec& spec, std::int64_t step, std::int64_t steps);

}  // namespace pareto
