#include "engine/train/block_fit.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include "engine/core/shuffle.h"
#include "engine/train/optimizer.h"
#include "engine/train/tensors.h"

namespace pareto::train {
namespace {

using models::Matrix;
using models::StateStore;

/// Samples one behind the other.
struct Batch {
    std::vector<std::size_t> numbers;
    std::vector<std::int64_t> starts{0};
    at::Tensor inputs, targets;
};

/// The next samples of `numbers` from `next` on that run together, which moves behind them.
Batch nextBatch(const StateStore& states, const std::vector<std::size_t>& numbers, std::size_t& next,
                std::int64_t tokensAtOnce) {
    Batch out;
    while (next < numbers.size() &&
           (out.numbers.empty() || out.starts.back() + states.rows(numbers[next]) <= tokensAtOnce)) {
        out.numbers.push_back(numbers[next]);
        out.starts.push_back(out.starts.back() + states.rows(numbers[next]));
        ++next;
    }
    return out;
}

Result<at::Tensor> readStates(StateStore& states, const Batch& batch, const at::Tensor& like) {
    const std::int64_t hidden = states.cols();
    at::Tensor out = at::empty({batch.starts.back(), hidden}, at::TensorOptions().dtype(at::kFloat));
    for (std::size_t i = 0; i < batch.numbers.size(); ++i) {
        PARETO_CHECK(states.read(batch.numbers[i], out.mutable_data_ptr<float>() + batch.starts[i] * hidden));
    }
    return out.to(like.device());
}

Status look(const std::stop_token& stop) {
    return stop.stop_requested() ? Status(Cancelled{}) : Status(Done{});
}

}  // namespace

at::Tensor relativeError(const at::Tensor& output, const at::Tensor& target, std::int64_t rows) {
    constexpr double kTiny = 1e-12;
    const at::Tensor error = (output - target).square().sum({1});
    return (error / (target.square().sum({1}) + kTiny)).sum() / static_cast<double>(rows);
}

struct BlockFit::State {
    std::vector<std::string> names;
    std::vector<at::Tensor> values, best;
    std::vector<at::Tensor> zeros;  ///< of each: where it is held at zero; undefined: nowhere
    AdamW optimizer;

    void add(const std::string& name, const at::Tensor& value, double decay) {
        names.push_back(name);
        values.push_back(value);
        best.push_back(value.detach().clone());
        const bool matrix = value.dim() > 1;
        const at::Tensor zero = value.detach() == 0.0;
        zeros.push_back(matrix && zero.any().item<bool>() ? zero : at::Tensor());
        optimizer.add(name, value, matrix ? decay : 0.0);
    }

    void keep() {
        for (std::size_t i = 0; i < values.size(); ++i) {
            best[i].copy_(values[i]);
        }
    }
};

BlockFit::BlockFit(models::TrainableBlock& block, FitSamples samples, const ReconstructOptions& options,
                   std::int64_t steps)
    : m_block(block), m_samples(std::move(samples)), m_options(options), m_steps(steps),
      m_state(std::make_unique<State>()) {
    for (const auto& [name, value] : block.parameters()) {
        if ((!options.fits || options.fits(name)) && isOf(options.spec.learns, name, value.dim())) {
            m_state->add(name, value, options.spec.weightDecay);
            at::Tensor(value).requires_grad_(true);
        }
    }
}

BlockFit::~BlockFit() {
    for (auto& value : m_state->values) {
        value.mutable_grad() = at::Tensor();
        value.requires_grad_(false);
    }
}

const std::vector<std::string>& BlockFit::names() const { return m_state->names; }

Result<double> BlockFit::error(const std::stop_token& stop) {
    const at::NoGradGuard noGradients;
    const at::Tensor& like = m_block.parameters().begin()->second;
    double sum = 0.0;
    std::int64_t rows = 0;
    for (std::size_t next = 0; next < m_samples.held.size();) {
        PARETO_CHECK(look(stop));
        const Batch batch = nextBatch(m_samples.inputs, m_samples.held, next, m_samples.tokensAtOnce);
        PARETO_TRY(const at::Tensor inputs, readStates(m_samples.inputs, batch, like));
        PARETO_TRY(const at::Tensor targets, readStates(m_samples.targets, batch, like));
        sum += relativeError(m_block.run(inputs, batch.starts), targets, 1).item<double>();
        rows += batch.starts.back();
    }
    return sum / static_cast<double>(std::max<std::int64_t>(1, rows));
}

Status BlockFit::step(const std::vector<std::size_t>& numbers, TrainingPoint& point,
                      const std::stop_token& stop) {
    m_state->optimizer.clearGradients();
    const at::Tensor& like = m_block.parameters().begin()->second;
    std::int64_t rows = 0;
    for (const auto number : numbers) {
        rows += m_samples.inputs.rows(number);
    }
    for (std::size_t next = 0; next < numbers.size();) {
        PARETO_CHECK(look(stop));
        const Batch batch = nextBatch(m_samples.inputs, numbers, next, m_samples.tokensAtOnce);
        PARETO_TRY(const at::Tensor inputs, readStates(m_samples.inputs, batch, like));
        PARETO_TRY(const at::Tensor targets, readStates(m_samples.targets, batch, like));
        at::Tensor loss = relativeError(m_block.run(inputs, batch.starts), targets, rows);
        PARETO_CHECK(look(stop));
        loss.backward();
        point.loss += loss.item<double>();
    }
    const at::NoGradGuard noGradients;
    for (std::size_t i = 0; i < m_state->values.size(); ++i) {
        at::Tensor& gradient = m_state->values[i].mutable_grad();
        if (m_state->zeros[i].defined() && gradient.defined()) {
            gradient.masked_fill_(m_state->zeros[i], 0.0);
        }
    }
    point.gradientNorm = m_state->optimizer.clipGradients(m_options.spec.clip);
    if (!std::isfinite(point.loss) || !std::isfinite(point.gradientNorm)) {
        return makeError(ErrorCode::TrainingDiverged,
                         {{"step", std::to_string(point.step)}, {"value", std::to_string(point.loss)}});
    }
    m_state->optimizer.step(point.learningRate, point.step);
    return Done{};
}

Result<std::int64_t> BlockFit::run(double before, RandomStream random, const FitWatch& watch,
                                   const std::stop_token& stop) {
    const RecoverSpec& spec = m_options.spec;
    const auto perStep = static_cast<std::size_t>(spec.batch) * static_cast<std::size_t>(spec.accumulate);
    const std::int64_t every =
        spec.validateEvery > 0 ? spec.validateEvery : std::max<std::int64_t>(1, m_steps / 4);
    std::vector<std::size_t> order = m_samples.learned;
    std::size_t next = order.size();
    double best = before;
    std::int64_t kept = 0;
    int worse = 0;
    for (std::int64_t done = 1; done <= m_steps; ++done) {
        const auto start = std::chrono::steady_clock::now();
        std::vector<std::size_t> numbers;
        while (numbers.size() < std::min(perStep, order.size())) {
            if (next == order.size()) {
                shuffle(order, random);
                next = 0;
            }
            numbers.push_back(order[next++]);
        }
        TrainingPoint point;
        point.step = done;
        point.steps = m_steps;
        point.learningRate = learningRateAt(spec, done - 1, m_steps);
        PARETO_CHECK(step(numbers, point, stop));
        const auto seen = static_cast<double>(done) * static_cast<double>(numbers.size());
        point.epoch = seen / static_cast<double>(order.size());
        point.examplesPerSecond =
            static_cast<double>(numbers.size()) /
            std::max(1e-9, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        PARETO_TRY(const bool goOn, watch(std::move(point)));
        const bool last = done == m_steps || !goOn;
        if (last || done % every == 0) {
            PARETO_TRY(const double now, error(stop));
            const at::NoGradGuard noGradients;
            worse = now < best ? 0 : worse + 1;
            if (now < best) {
                best = now;
                kept = done;
                m_state->keep();
            }
        }
        if (last || (spec.patience > 0 && worse >= spec.patience)) {
            break;
        }
    }
    const at::NoGradGuard noGradients;
    for (std::size_t i = 0; i < m_state->values.size(); ++i) {
        m_state->values[i].copy_(m_state->best[i]);
    }
    return kept;
}

Status passSamples(models::TrainableBlock& block, StateStore& states, std::size_t count,
                   std::int64_t tokensAtOnce, const std::stop_token& stop) {
    const at::NoGradGuard noGradients;
    const at::Tensor& like = block.parameters().begin()->second;
    const std::int64_t hidden = states.cols();
    std::vector<std::size_t> all(count);
    std::iota(all.begin(), all.end(), std::size_t{0});
    for (std::size_t next = 0; next < all.size();) {
        PARETO_CHECK(look(stop));
        const Batch batch = nextBatch(states, all, next, tokensAtOnce);
        PARETO_TRY(const at::Tensor inputs, readStates(states, batch, like));
        const at::Tensor outputs = block.run(inputs, batch.starts).to(at::kCPU).contiguous();
        const float* values = outputs.const_data_ptr<float>();
        for (std::size_t i = 0; i < batch.numbers.size(); ++i) {
            const Matrix put{batch.starts[i + 1] - batch.starts[i], hidden,
                             {values + batch.starts[i] * hidden, values + batch.starts[i + 1] * hidden}};
            PARETO_CHECK(states.put(batch.numbers[i], put));
        }
    }
    return Done{};
}

}  // namespace pareto::train
