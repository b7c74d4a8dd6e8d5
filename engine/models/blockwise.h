#pragma once

#include <functional>

#include "engine/models/model.h"

namespace pareto::models {

/// What a layer reads while a block runs: fp32 [rows][cols], there during the call only. A layer that
/// shares its input with others (query, key, value) is told of it as they are.
using InputTap = std::function<void(const std::string& layer, const float* values, std::int64_t rows,
                                    std::int64_t cols)>;

/// Hidden states of several sequences: item i has the rows starts[i] … starts[i + 1] − 1.
struct HiddenStates {
    Matrix values;
    std::vector<std::int64_t> starts{0};
};

/// A model whose blocks run one at a time on hidden states that the caller keeps, and whose weights may
/// change in between: calibration and block-wise reconstruction. Weights are computed with in fp32.
/// One caller at a time.
class Blockwise {
public:
    virtual ~Blockwise() = default;
    virtual const ModelLayout& layout() const = 0;
    /// What the first block reads. EngineFailure as Model::checkTokens.
    virtual Result<HiddenStates> embed(const TokenBatch& batch, std::stop_token stop) = 0;
    /// Hidden states behind a block (all its repeats, where weights are shared). `tap` may be empty.
    virtual Result<Matrix> runBlock(int block, const HiddenStates& hidden, const InputTap& tap,
                                    std::stop_token stop) = 0;
    /// The layer computes with these values from now on; same shapes. A null bias stays as it is.
    virtual Status replaceWeight(const std::string& layer, const Tensor& weight, const Tensor* bias) = 0;
    /// Lets go of what replaceWeight() brought for the block's layers: it will not run again.
    virtual void releaseBlock(int block) = 0;
};

/// Encoders and decoders. TaskUnfit for encoder-decoder models; MemoryShort, DeviceUnavailable.
Result<std::unique_ptr<Blockwise>> prepareBlockwise(const LoadedModel& model, const DeviceOptions& options,
                                                    Progress& progress, std::stop_token stop);

}  // namespace pareto::models
