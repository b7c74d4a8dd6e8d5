#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/shape.h"
#include "engine/spec/weight_format.h"

namespace pareto {

/// The architectures that can be opened. What the engine needs to know of one stands in its row of
/// familyTable(); how its files are read stands in layout/families.cpp.
enum class Family {
    Bert,
    Roberta,     ///< also XLM-RoBERTa, CamemBERT
    DistilBert,
    Electra,
    Mpnet,
    Albert,
    Gpt2,
    Llama,
    Mistral,
    Qwen2,
    Qwen3,
    Gemma2,
    Gemma3,
    T5,          ///< also mT5, FLAN-T5
    Marian,
};

/// Which forward graph runs a family, and so what a model can do.
enum class ModelKind {
    Encoder,   ///< texts to vectors, classes or spans
    Decoder,   ///< continues text
    Seq2Seq,   ///< encoder and decoder: text to text
};

struct FamilyInfo {
    Family family{};
    std::string_view name;   ///< "bert": the stable name in JSON and the store
    ModelKind kind{};
};
std::span<const FamilyInfo> familyTable();
std::string familyName(Family family);
ModelKind kindOf(Family family);

enum class LayerRole {
    Embedding,   ///< a table: rows = vocabulary, cols = width
    Query,
    Key,
    Value,
    AttentionOutput,
    FfnIn,       ///< encoder: width -> neurons
    FfnGate,     ///< decoder SwiGLU: width -> neurons
    FfnUp,
    FfnDown,     ///< neurons -> width (encoder: ffn.out)
    Projection,  ///< between embeddings and blocks (ELECTRA, ALBERT)
    Pooler,
    Head,        ///< classifier, lm_head, sentence-transformers Dense
};

/// A prunable/quantizable linear or embedding. Its weight tensor is "<name>.weight", its bias
/// "<name>.bias". Linears are [rows = outputs, cols = inputs].
struct LayerInfo {
    std::string name;       ///< "encoder.layer.3.attention.query", "lm_head"
    LayerRole role{};
    int block = -1;         ///< index into ModelLayout::blocks, -1 outside
    int group = -1;         ///< index into ModelLayout::groups, -1 outside
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    bool hasBias = false;
    WeightFormat sourceFormat;    ///< what the weight is held in before any recipe
    std::string sourceType;       ///< as in the file: "F32", "Q4_1"
    std::string tiedTo;           ///< the layer whose weight this one uses; empty: its own
    bool isEmbedding() const { return role == LayerRole::Embedding; }
    std::int64_t parameters() const { return tiedTo.empty() ? rows * cols + (hasBias ? rows : 0) : 0; }
};

enum class GroupKind { Attention, FeedForward };

/// Layers that structured pruning binds. Units are heads (encoder), key/value groups with their query
/// heads (decoder with grouped-query attention) or neurons.
struct GroupInfo {
    std::string name;       ///< "encoder.layer.3.attention", "encoder.layer.3.ffn"
    GroupKind kind{};
    int block = 0;
    std::int64_t units = 0;       ///< prunable units
    std::vector<int> layers;      ///< indices into ModelLayout::layers
    bool cross = false;           ///< attention of a decoder to the encoder's output
};

struct BlockInfo {
    std::string name;       ///< "encoder.layer.3", "decoder.layer.3"
    int sourceIndex = 0;    ///< block number in the source files; differs from the position once blocks were removed
    std::int64_t heads = 0;
    std::int64_t kvHeads = 0;
    std::int64_t crossHeads = 0;  ///< decoder of an encoder-decoder model; as many keys and values
    std::int64_t neurons = 0;
    int attention = -1;     ///< indices into ModelLayout::groups
    int crossAttention = -1;
    int feedForward = -1;
    std::int64_t repeats = 1;  ///< the block is run so many times in a row (ALBERT shares its weights)
    std::int64_t window = 0;   ///< sliding attention: a token sees itself and window − 1 before it; 0: all
    int rope = 0;              ///< index into ModelLayout::ropes
    /// Numbers in the source of the heads that are left, for tables with a column a head (relative
    /// position bias); empty: all of them, in order.
    std::vector<int> sourceHeads;
    std::vector<int> layers;
};

/// A tensor that belongs to no layer's weight or bias: norms, sometimes position tables.
struct PlainTensor {
    std::string name;       ///< "encoder.layer.3.attention.norm.weight"
    Shape shape;
    int block = -1;
};

/// Where a canonical tensor comes from in the files.
enum class Transform {
    None,
    UnpermuteRope,   ///< GGUF Q/K rows: pairs (i, i + d/2) interleaved; undone at load
    Transpose,       ///< GPT-2's Conv1D: stored as [inputs][outputs]
    AddOne,          ///< Gemma's norms multiply by 1 + weight; held as 1 + weight
};
struct TensorBinding {
    std::string name;    ///< canonical: "<layer>.weight", "<layer>.bias" or PlainTensor::name
    std::string source;  ///< name in the files
    Shape shape;         ///< of the canonical tensor
    Transform transform = Transform::None;
    std::int64_t heads = 0;  ///< for UnpermuteRope
    /// The tensor is the part-th of `parts` equal ones that lie one behind the other along the outputs
    /// of the source (GPT-2's fused query, key and value).
    int part = 0;
    int parts = 1;
};

/// Of a text's tokens, as sentence-transformers names them: WeightedMean weighs the i-th token by i
/// (Muennighoff 2022), MeanSqrtLength divides the sum by the root of their number.
enum class Pooling { None, Mean, Cls, Max, MeanSqrtLength, WeightedMean, LastToken };
enum class Activation { None, Gelu, GeluTanh, Relu, Silu, Tanh };

/// One step after the encoder's hidden states, in order. Without a Pool step the head works on every
/// token.
struct HeadStep {
    enum class Kind { Pool, Dense, Normalize, LayerNorm } kind{};
    Pooling pooling = Pooling::None;
    std::string layer;       ///< for Dense: the layer's name; for LayerNorm: the plain tensors' stem
    Activation activation = Activation::None;  ///< after Dense
};

/// What comes out of a model.
enum class Outputs {
    Embedding,     ///< a vector a text
    Classes,       ///< logits a text; one class: a score (regression, cross-encoder ranking)
    TokenClasses,  ///< logits a token
    AnswerSpan,    ///< two logits a token: start and end of an answer
    MaskedToken,   ///< logits over the vocabulary, a token
    NextToken,     ///< decoders and encoder-decoder models
};

enum class NormKind { LayerNorm, RmsNorm };
enum class Positions { None, Learned, Sinusoidal, Rotary, RelativeBias };

/// Rotary position embedding (Su et al. 2021) and its scalings as transformers computes them
/// (modeling_rope_utils.py).
struct RopeSettings {
    enum class Scaling { None, Linear, Dynamic, Yarn, LongRope, Llama3 };
    double theta = 10000.0;
    Scaling scaling = Scaling::None;
    double factor = 1.0;
    double lowFrequencyFactor = 1.0;    ///< Llama3
    double highFrequencyFactor = 4.0;   ///< Llama3
    double betaFast = 32.0;             ///< Yarn
    double betaSlow = 1.0;              ///< Yarn
    double attentionFactor = 0.0;       ///< Yarn, LongRope; 0: as the method says
    std::int64_t originalPositions = 0; ///< context before scaling
    std::int64_t rotatedDims = 0;       ///< of a head; 0: all
    std::vector<double> longFactors;    ///< LongRope, one a pair
    std::vector<double> shortFactors;
    bool operator==(const RopeSettings&) const = default;
};

/// Whether a layer reads the residual stream of a model with norms before its sublayers, or adds to it.
bool readsStream(LayerRole role);
bool writesStream(LayerRole role);

/// A model's structure as a value: what there is to prune and quantize, and what the forward pass
/// needs to know. Structured pruning returns a changed one; nothing else does.
struct ModelLayout {
    Family family{};
    std::string name;
    /// What stands before module names in a checkpoint of transformers ("bert.", "model."), as read;
    /// the family's usual one when the source was something else.
    std::string hfPrefix;
    std::int64_t hidden = 0;
    std::int64_t embeddingWidth = 0;     ///< of the token table when it differs from hidden; 0: hidden
    std::int64_t headDim = 0;
    std::int64_t vocabulary = 0;
    std::int64_t maxPositions = 0;       ///< tokens a sequence may have; 0: no limit
    std::int64_t typeVocabulary = 0;
    Activation activation = Activation::Gelu;

    NormKind norm = NormKind::LayerNorm;
    double normEpsilon = 1e-12;
    bool preNorm = false;                ///< norms before the sublayers (decoders, T5), else after (BERT, Marian)
    Positions positions = Positions::Learned;
    std::int64_t positionOffset = 0;     ///< row of the position table for the first token (RoBERTa: padId + 1)
    std::vector<RopeSettings> ropes;     ///< blocks say which; empty unless Rotary
    std::int64_t relativeBuckets = 0;    ///< RelativeBias (Raffel et al. 2020)
    std::int64_t relativeMaxDistance = 128;
    double attentionScale = 0.0;         ///< factor of q·k; 0: 1/√headDim
    double attentionSoftcap = 0.0;       ///< c·tanh(x/c) of scores (Gemma 2); 0: none
    double logitSoftcap = 0.0;           ///< the same of logits
    double embeddingScale = 1.0;         ///< factor of token embeddings (Gemma, Marian: √hidden)
    double logitScale = 1.0;             ///< factor of the last hidden state (T5 with tied embeddings)

    int bosId = -1;
    int eosId = -1;
    int padId = 0;
    std::vector<int> stopIds;            ///< further ids that end a generation (generation_config.json)
    int decoderStartId = -1;             ///< first token of an encoder-decoder model's output
    int forcedBosId = -1;                ///< second one, where the model wants it
    std::vector<int> suppressedIds;      ///< never generated (Marian: the padding)

    std::vector<BlockInfo> blocks;       ///< of an encoder-decoder model: the encoder's, then the decoder's
    std::vector<GroupInfo> groups;
    std::vector<LayerInfo> layers;
    std::vector<PlainTensor> plain;
    std::vector<TensorBinding> bindings;
    std::vector<HeadStep> head;          ///< encoder: pooling, dense layers, normalisation
    Outputs outputs = Outputs::Embedding;
    NumberFormat cache = NumberFormat::F32;  ///< of keys and values, unless a job says otherwise
    std::vector<std::string> labels;     ///< of Classes and TokenClasses
    std::vector<std::string> notices;    ///< for people: what was left out, what is held otherwise than it lies

    ModelKind kind() const { return kindOf(family); }
    bool isDecoder() const { return kind() == ModelKind::Decoder; }
    bool isSeq2Seq() const { return kind() == ModelKind::Seq2Seq; }
    bool isEncoder() const { return kind() == ModelKind::Encoder; }
    /// Text comes out, token by token: targets say prompt and generated tokens.
    bool generates() const { return kind() != ModelKind::Encoder; }
    bool isClassifier() const { return outputs == Outputs::Classes; }
    /// Query heads of a group of kind Attention.
    std::int64_t headsOf(const GroupInfo& group) const;
    std::int64_t kvHeadsOf(const GroupInfo& group) const;
    const LayerInfo* findLayer(const std::string& name) const;
    /// Index of a layer, or -1.
    int layerIndex(const std::string& name) const;
    bool hasPlain(const std::string& name) const;
    std::int64_t parameters() const;     ///< layers, biases and plain tensors, tied ones once
};

/// Why the residual stream cannot be multiplied by an orthogonal matrix without changing what the model computes
/// (SliceGPT's invariance, which QuaRot and cutting the width need); empty when it can: a decoder with RMSNorm before
/// its sublayers and none behind them (Llama, Mistral, Qwen2, Qwen3). Needs no weights.
std::string whyUnrotatable(const ModelLayout& layout);

}  // namespace pareto
