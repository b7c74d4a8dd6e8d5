#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/weights/tensor_source.h"

namespace pareto::models {

/// Where tensors live and how many threads compute. Sets libtorch's pool for the whole process.
struct DeviceOptions {
    std::string device = "cpu";  ///< "cpu" or "cuda:N"; anything not usable here: as runtime::openDevice says
    int threads = 0;             ///< 0: all cores this process may use (affinity, cgroup)
};

/// What the process really computes with, after DeviceOptions were applied.
struct DeviceInfo {
    std::string device;
    int threads = 1;
    std::string kernelTable;     ///< "avx512_vnni", "avx2", "reference"; on a GPU followed by "libpareto_cuda" or "libtorch"
    std::string steps;           ///< of a decoder on a GPU: "one graph a token", or why its steps are launched one by one
};

/// Called around every layer while it is installed (per-layer times); nullptr costs nothing.
/// `phase`: name of a layer, or of work between layers ("encoder.layer.3.attention.scores",
/// "encoder.layer.3.attention.norm").
class LayerObserver {
public:
    virtual ~LayerObserver() = default;
    virtual void begin(const std::string& phase) = 0;
    virtual void end(const std::string& phase) = 0;
};

/// Sequences of different lengths; the model pads them on the right to the longest and masks.
struct TokenBatch {
    std::vector<std::vector<std::int32_t>> ids;
    std::vector<std::vector<std::int32_t>> typeIds;  ///< empty: all 0
    /// What the decoder of an encoder-decoder model reads while it is trained, beginning with decoderStartId.
    std::vector<std::vector<std::int32_t>> targets = {};
};

/// Row-major [rows][cols].
struct Matrix {
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::vector<float> values;
    std::span<const float> row(std::int64_t i) const {
        return {values.data() + i * cols, static_cast<std::size_t>(cols)};
    }
};

/// A model ready to run: weights packed for the kernels chosen on this machine. One caller at a time.
class Model {
public:
    virtual ~Model() = default;
    virtual const ModelLayout& layout() const = 0;
    virtual const DeviceInfo& device() const = 0;
    /// Bytes of weights held, in the form the kernels read, shared ones once. Equals the size estimate of the
    /// recipe exactly (tests hold the two together) where no zeros are left out.
    virtual std::uint64_t bytes() const = 0;
    /// How a layer runs: "int8 dynamic (VNNI)", "fp32 (avx2)".
    virtual std::string kernelOf(const std::string& layer) const = 0;
    /// Bytes of a layer's weight and bias in that form; tied layers say the bytes of the weight they share. 0: no such layer.
    virtual std::uint64_t bytesOf(const std::string& layer) const = 0;
    virtual void setObserver(LayerObserver* observer) = 0;
};

/// Values of every token of a batch, without padding: item i has the rows starts[i] … starts[i+1]−1.
struct TokenMatrix {
    Matrix values;
    std::vector<std::int64_t> starts{0};
};

class Encoder : public Model {
public:
    /// Runs the encoder and every head step; [items][outputs] as the layout's head says: logits of a
    /// classifier, else the pooled (normalized) embedding. For layouts whose head has no pooling step
    /// (outputs TokenClasses, AnswerSpan, MaskedToken): EngineFailure, they have tokenOutputs().
    virtual Result<Matrix> run(const TokenBatch& batch, std::stop_token stop) = 0;
    /// The head on every token; on those of `wanted` only where it is not empty (positions inside each
    /// item, ascending): logits over a vocabulary are large.
    virtual Result<TokenMatrix> tokenOutputs(const TokenBatch& batch,
                                             const std::vector<std::vector<std::int32_t>>& wanted,
                                             std::stop_token stop) = 0;
    /// Last hidden states [items × padded length][hidden], for comparison with references.
    virtual Result<Matrix> hiddenStates(const TokenBatch& batch, std::stop_token stop) = 0;
};

/// What keys and values are held in: F32, F16, Int8 or Int4, see runtime::BlockCache.
using CacheFormat = NumberFormat;
struct CacheOptions {
    std::int64_t capacity = 0;   ///< tokens a sequence may reach
    std::optional<CacheFormat> format = std::nullopt;  ///< absent: as the layout says
    bool mixed = false;          ///< KvCache::reorder() will not keep sequences in their order (beam search)
};

/// Keys and values of the tokens seen so far, for a batch of sequences of any lengths.
class KvCache {
public:
    virtual ~KvCache() = default;
    virtual std::int64_t batch() const = 0;
    /// Tokens of one sequence.
    virtual std::int64_t length(std::int64_t sequence) const = 0;
    /// Tokens of the longest.
    virtual std::int64_t length() const = 0;
    virtual std::uint64_t bytes() const = 0;
    /// Forgets all but the first `length` tokens of a sequence (a prompt's common beginning is kept
    /// between the turns of a dialogue). No more than there are.
    virtual void truncate(std::int64_t sequence, std::int64_t length) = 0;
    /// Sequence i becomes a copy of what sequence parents[i] was (beam search).
    virtual void reorder(std::span<const std::int64_t> parents) = 0;
};

/// What makes text token by token: decoders, and encoder-decoder models once the source is encoded.
class Generator : public Model {
public:
    /// Feeds ids[i] behind what sequence i holds (lengths may differ, none is empty) and returns the
    /// logits of each sequence's last token: [batch][vocabulary].
    virtual Result<Matrix> step(const std::vector<std::vector<std::int32_t>>& ids, KvCache& cache,
                                std::stop_token stop) = 0;
};

class Decoder : public Generator {
public:
    virtual Result<std::unique_ptr<KvCache>> newCache(std::int64_t batch,
                                                      const CacheOptions& options) = 0;
    /// As step, with the logits of every token fed, sequence after sequence: [tokens][vocabulary].
    virtual Result<Matrix> stepAll(const std::vector<std::vector<std::int32_t>>& ids, KvCache& cache,
                                   std::stop_token stop) = 0;
    /// Logits of every position of one sequence, [tokens][vocabulary]; for tests and short inputs.
    virtual Result<Matrix> logits(const std::vector<std::int32_t>& ids, std::stop_token stop) = 0;
    /// −ln p(ids[i] | ids[0…i−1]) for i = 1…n−1, in nats; softmax in fp32, logits never all held.
    virtual Result<std::vector<float>> negativeLogLikelihoods(const std::vector<std::int32_t>& ids,
                                                              std::stop_token stop) = 0;
};

class Seq2Seq : public Generator {
public:
    /// Encodes the sources; the cache holds their keys and values for cross-attention, each source
    /// `copies` times in a row (beams), and no token of the output yet: the first step feeds the
    /// layout's decoderStartId.
    virtual Result<std::unique_ptr<KvCache>> encode(const TokenBatch& sources, std::int64_t copies,
                                                    const CacheOptions& options,
                                                    std::stop_token stop) = 0;
    /// Teacher forcing: logits of every position of `target` (which begins with decoderStartId) given
    /// one source: [tokens][vocabulary].
    virtual Result<Matrix> logits(const std::vector<std::int32_t>& source,
                                  const std::vector<std::int32_t>& target, std::stop_token stop) = 0;
    /// Last hidden states of the encoder for one source, [tokens][hidden], for references.
    virtual Result<Matrix> encoderStates(const std::vector<std::int32_t>& source,
                                         std::stop_token stop) = 0;
};

/// Packs the weights; exactly one is set, by the layout's kind. MemoryShort, DeviceUnavailable.
struct RunnableModel {
    std::unique_ptr<Encoder> encoder;
    std::unique_ptr<Decoder> decoder;
    std::unique_ptr<Seq2Seq> seq2seq;
    Model& model() const {
        return encoder   ? static_cast<Model&>(*encoder)
               : decoder ? static_cast<Model&>(*decoder)
                         : static_cast<Model&>(*seq2seq);
    }
    /// Null for an encoder.
    Generator* generator() const {
        return decoder ? static_cast<Generator*>(decoder.get())
                       : static_cast<Generator*>(seq2seq.get());
    }
};
Result<RunnableModel> prepareModel(const LoadedModel& model, const DeviceOptions& options,
                                   Progress& progress, std::stop_token stop);
/// The same of tensors that are read when they are asked for, each of which goes when it is packed; and what reading them says.
Result<RunnableModel> prepareModel(const TensorSource& model, const DeviceOptions& options,
                                   Progress& progress, std::stop_token stop);

/// Devices that can be used here: "cpu", then "cuda:0 NVIDIA …" in the driver's order; and why a GPU cannot be
/// (runtime/device.h has the codes): the first one's reason where none can. Both are there where some GPUs can be used.
struct DeviceList {
    std::vector<std::string> devices;
    std::optional<Error> noCuda;
};
DeviceList listDevices();
/// libtorch's pool as a ParallelFor, for the torch-free parts of the engine.
ParallelFor torchParallelFor();
/// Applies a thread count to libtorch's pool; returns the count in force.
int setThreads(int threads);
/// "2.15.0"
std::string libtorchVersion();

}  // namespace pareto::models
