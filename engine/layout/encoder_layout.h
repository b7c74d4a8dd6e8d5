#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/layout/families.h"
#include "engine/layout/layout_builder.h"

namespace pareto {

/// What an encoder family does in its own way. All of them are blocks of attention and two linears with
/// a LayerNorm behind each, over a sum of embeddings (Devlin et al. 2019).
struct EncoderTraits {
    std::string_view prefix;  ///< of the encoder in a checkpoint with a head: "bert."
    ConfigKeys keys{};
    std::string_view hiddenKey = "hidden_size";
    std::string_view embeddingKey = {};  ///< width of the tables, where it may differ from hidden
    std::string_view activationKey = "hidden_act";
    std::string_view activation = "gelu";  ///< when the configuration does not say
    bool projectsAlways = false;           ///< a projection even between equal widths
    bool hasTypes = true;                  ///< a table of token types
    bool countsBehindPadding =
        false;      ///< the first position is the padding's id + 1 (Liu et al. 2019)
    int padId = 0;  ///< when the configuration does not say
    std::int64_t relativeMaxDistance = 0;  ///< of the shared relative position bias; 0: none
    /// The classifier of whole texts: two layers after the first token's state.
    std::string_view classifierDense = "classifier.dense";
    Activation classifierActivation = Activation::Tanh;
    std::string_view classifierOut = "classifier.out";
    bool maskedActivationOfModel = false;  ///< of the masked-token head; else gelu
};

/// One a family, beside its names.
EncoderTraits bertTraits();
EncoderTraits robertaTraits();
EncoderTraits distilBertTraits();
EncoderTraits electraTraits();
EncoderTraits mpnetTraits();
EncoderTraits albertTraits();
/// Of any family; empty for decoders and encoder-decoder models.
std::optional<EncoderTraits> encoderTraits(Family family);

/// The steps of the classifier of whole texts; without its first linear where `dense` is false.
std::vector<HeadStep> classifierSteps(const EncoderTraits& traits, bool dense = true);

/// Sizes that the layout does not hold.
struct EncoderSizes {
    std::int64_t blocks = 0;     ///< runs of a block
    std::int64_t ownBlocks = 0;  ///< blocks with weights of their own
    std::int64_t heads = 1;
    std::int64_t neurons = 0;
};

/// Everything from config.json: sizes, embeddings, blocks and the head that the checkpoint has.
void describeEncoder(const io::ModelFiles& files, LayoutBuilder& builder,
                     const EncoderTraits& traits);

/// Embeddings and blocks; sizes are in the layout and in `sizes`.
void addEncoder(LayoutBuilder& builder, const EncoderSizes& sizes, const EncoderTraits& traits);
/// The classifier of whole texts over the first token; its classes are named by `labels` if those are
/// as many.
void addClassifier(const io::ModelFiles& files, LayoutBuilder& builder, const EncoderTraits& traits,
                   std::vector<std::string> labels);

/// The modules of a sentence-transformers folder behind its transformer.
void addSentenceModules(const io::ModelFiles& files, LayoutBuilder& builder);

inline constexpr std::int64_t kMaxEncoderWidth = 1 << 20;
inline constexpr std::int64_t kMaxEncoderRows = 1 << 24;

}  // namespace pareto
