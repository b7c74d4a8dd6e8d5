#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/shape.h"
#include "engine/spec/weight_format.h"

namespace pareto {

enum class Family { Bert, Llama };
std::string familyName(Family family);  ///< "bert", "llama"

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
};

struct BlockInfo {
    std::string name;       ///< "encoder.layer.3", "decoder.layer.3"
    int sourceIndex = 0;    ///< block number in the source files; differs from the position once blocks were removed
    std::int64_t heads = 0;
    std::int64_t kvHeads = 0;
    std::int64_t neurons = 0;
    int attention = -1;     ///< indices into ModelLayout::groups
    int feedForward = -1;
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
};
struct TensorBinding {
    std::string name;    ///< canonical: "<layer>.weight", "<layer>.bias" or PlainTensor::name
    std::string source;  ///< name in the files
    Shape shape;
    Transform transform = Transform::None;
    std::int64_t heads = 0;  ///< for UnpermuteRope
};

enum class Pooling { None, Mean, Cls, Max };
enum class Activation { None, Gelu, GeluTanh, Relu, Silu, Tanh };

/// One step after the encoder's hidden states, in order.
struct HeadStep {
    enum class Kind { Pool, Dense, Normalize } kind{};
    Pooling pooling = Pooling::None;
    std::string layer;       ///< for Dense: the layer's name
    Activation activation = Activation::None;
};

/// A model's structure as a value: what there is to prune and quantize, and what the forward pass
/// needs to know. Structured pruning returns a changed one; nothing else does.
struct ModelLayout {
    Family family{};
    std::string name;
    std::int64_t hidden = 0;
    std::int64_t headDim = 0;
    std::int64_t vocabulary = 0;
    std::int64_t maxPositions = 0;
    std::int64_t typeVocabulary = 0;
    double normEpsilon = 1e-12;
    double ropeTheta = 10000.0;
    Activation activation = Activation::Gelu;
    int bosId = -1;
    int eosId = -1;
    int padId = 0;

    std::vector<BlockInfo> blocks;
    std::vector<GroupInfo> groups;
    std::vector<LayerInfo> layers;
    std::vector<PlainTensor> plain;
    std::vector<TensorBinding> bindings;
    std::vector<HeadStep> head;          ///< encoder: pooling, dense layers, normalisation
    std::vector<std::string> labels;     ///< classes, when the model is a classifier

    bool isDecoder() const { return family == Family::Llama; }
    bool isClassifier() const { return !labels.empty(); }
    const LayerInfo* findLayer(const std::string& name) const;
    /// Index of a layer, or -1.
    int layerIndex(const std::string& name) const;
    std::int64_t parameters() const;     ///< layers, biases and plain tensors, tied ones once
};

}  // namespace pareto
