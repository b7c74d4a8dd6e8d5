#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/random.h"
#include "engine/models/block_training.h"
#include "engine/models/state_store.h"
#include "engine/train/reconstruct.h"

namespace at {
class Tensor;
}

namespace pareto::train {

/// Σ ‖output − target‖² / ‖target‖² over the rows, divided by `rows`: a scalar that can be differentiated.
at::Tensor relativeError(const at::Tensor& output, const at::Tensor& target, std::int64_t rows);

/// What a block reads and what it is to give, a matrix a sample.
struct FitSamples {
    models::StateStore& inputs;
    models::StateStore& targets;
    std::vector<std::size_t> learned;  ///< numbers of the samples
    std::vector<std::size_t> held;     ///< those whose error decides
    /// Samples that run together have no more tokens than this, unless one alone has.
    std::int64_t tokensAtOnce = 0;
};

/// Told of each step of the block, counted from 1; `point` is of it alone. False: end now with the best.
using FitWatch = std::function<Result<bool>(TrainingPoint point)>;

/// Fits one block in place, by AdamW; weights that are zero in layers that have zeros stay so. Throws what
/// libtorch throws.
class BlockFit {
public:
    BlockFit(models::TrainableBlock& block, FitSamples samples, const ReconstructOptions& options,
             std::int64_t steps);
    ~BlockFit();
    BlockFit(const BlockFit&) = delete;
    BlockFit& operator=(const BlockFit&) = delete;

    /// Of the samples held out.
    Result<double> error(const std::stop_token& stop);
    /// Leaves the block with the weights of the least error that was seen, `before` among them; answers the
    /// step behind which that was, 0 where nothing was better. TrainingDiverged.
    Result<std::int64_t> run(double before, RandomStream random, const FitWatch& watch,
                             const std::stop_token& stop);
    /// Names of the tensors that are fitted.
    const std::vector<std::string>& names() const;

private:
    struct State;
    Status step(const std::vector<std::size_t>& numbers, TrainingPoint& point, const std::stop_token& stop);

    models::TrainableBlock& m_block;
    FitSamples m_samples;
    const ReconstructOptions& m_options;
    const std::int64_t m_steps;
    std::unique_ptr<State> m_state;
};

/// Runs all samples through the block, without gradients, and puts what comes out where they were. `count`
/// samples.
Status passSamples(models::TrainableBlock& block, models::StateStore& states, std::size_t count,
                   std::int64_t tokensAtOnce, const std::stop_token& stop);

}  // namespace pareto::train
