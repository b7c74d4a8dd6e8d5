#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/weights/tensor.h"

namespace pareto::models {

/// Where tensors live and how many threads compute. Sets libtorch's pool for the whole process.
struct DeviceOptions {
    std::string device = "cpu";  ///< "cpu" or "cuda:N"; anything not usable here: DeviceUnavailable with the reason
    int threads = 0;             ///< 0: all cores this process may use (affinity, cgroup)
};

/// What the process really computes with, after DeviceOptions were applied.
struct DeviceInfo {
    std::string device;
    int threads = 1;
    std::string kernelTable;     ///< "avx512_vnni", "avx2", "reference"
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
    /// Bytes of weights held, in the form the kernels read, shared ones once. Equals the size
    /// estimate of the recipe exactly (tests hold the two together).
    virtual std::uint64_t bytes() const = 0;
    /// How a layer runs: "int8 dynamic (VNNI)", "fp32 (libtorch)".
    virtual std::string kernelOf(const std::string& layer) const = 0;
    virtual void setObserver(LayerObserver* observer) = 0;
};

class Encoder : public Model {
public:
    /// Runs the encoder and every head step; [items][outputs] as the layout's head says: logits of a
    /// classifier, else the pooled (normalized) embedding.
    virtual Result<Matrix> run(const TokenBatch& batch, std::stop_token stop) = 0;
    /// Last hidden states [items × padded length][hidden], for comparison with references.
    virtual Result<Matrix> hiddenStates(const TokenBatch& batch, std::stop_token stop) = 0;
};

/// Keys and values of the tokens seen so far, for a batch of equal-length sequences.
class KvCache {
public:
    virtual ~KvCache() = default;
    virtual std::int64_t length() const = 0;
    virtual std::uint64_t bytes() const = 0;
};

class Decoder : public Model {
public:
    /// `capacity`: tokens a sequence may reach.
    virtual Result<std::unique_ptr<KvCache>> newCache(std::int64_t batch, std::int64_t capacity) = 0;
    /// Feeds `ids` (batch sequences of equal length) behind what the cache holds and returns the
    /// logits of each sequence's last token: [batch][vocabulary].
    virtual Result<Matrix> step(const std::vector<std::vector<std::int32_t>>& ids, KvCache& cache,
                                std::stop_token stop) = 0;
    /// Logits of every position of one sequence, [tokens][vocabulary]; for tests and short inputs.
    virtual Result<Matrix> logits(const std::vector<std::int32_t>& ids, std::stop_token stop) = 0;
    /// −ln p(ids[i] | ids[0…i−1]) for i = 1…n−1, in nats; softmax in fp32, logits never all held.
    virtual Result<std::vector<float>> negativeLogLikelihoods(const std::vector<std::int32_t>& ids,
                                                              std::stop_token stop) = 0;
};

/// Packs the weights; exactly one of the two is set, by the layout's family. MemoryShort,
/// DeviceUnavailable.
struct RunnableModel {
    std::unique_ptr<Encoder> encoder;
    std::unique_ptr<Decoder> decoder;
    Model& model() const {
        return encoder ? static_cast<Model&>(*encoder) : static_cast<Model&>(*decoder);
    }
};
Result<RunnableModel> prepareModel(const LoadedModel& model, const DeviceOptions& options,
                                   Progress& progress, std::stop_token stop);

/// Devices that can be used here: "cpu", then "cuda:0"…; and why there is no CUDA device otherwise.
struct DeviceList {
    std::vector<std::string> devices;
    std::string noCudaReason;
};
DeviceList listDevices();
/// libtorch's pool as a ParallelFor, for the torch-free parts of the engine.
ParallelFor torchParallelFor();
/// Applies a thread count to libtorch's pool; returns the count in force.
int setThreads(int threads);
/// "2.15.0"
std::string libtorchVersion();

struct GenerateOptions {
    std::int64_t maxTokens = 64;
    double temperature = 0.0;   ///< 0: greedy
    int topK = 0;               ///< 0: off
    double topP = 1.0;
    std::uint64_t seed = 0;
    std::vector<std::int32_t> stopIds;
};
struct Generation {
    std::vector<std::int32_t> ids;    ///< new tokens only, the stop token not among them
    double firstTokenSeconds = 0.0;   ///< prefill and first pick
    std::vector<double> tokenSeconds; ///< each further token
    std::int64_t promptTokens = 0;
};
/// `onToken` is called for every new token; may be empty.
Result<Generation> generate(Decoder& decoder, const std::vector<std::int32_t>& prompt,
                            const GenerateOptions& options,
                            const std::function<void(std::int32_t)>& onToken,
                            std::stop_token stop);

}  // namespace pareto::models
