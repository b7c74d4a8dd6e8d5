#include "engine/train/sparsify.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/count_nonzero.h>
#include <ATen/ops/kthvalue.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include "engine/compress/prune/pattern.h"

namespace pareto::train {
namespace {

/// Of a score's sigmoid: below it a value is pruned (Sanh et al. 2020 use 0.1 too). Scores begin at 0, σ(0) = 0.5.
constexpr double kThreshold = 0.1;
/// How fast the weight of SoftMovement's penalty follows the gap to the wanted sparsity.
constexpr double kPenaltyRate = 1.0;

std::int64_t tilesDown(const LayerPlan& plan, std::int64_t rows) { return (rows + plan.tileRows - 1) / plan.tileRows; }
std::int64_t tilesAcross(const LayerPlan& plan, std::int64_t cols) { return (cols + plan.tileCols - 1) / plan.tileCols; }

/// [rows][cols] as [tiles down][tile rows][tiles across][tile cols], zeros where the last tiles reach beyond.
at::Tensor inTiles(const at::Tensor& values, const LayerPlan& plan) {
    const std::int64_t down = tilesDown(plan, values.size(0));
    const std::int64_t across = tilesAcross(plan, values.size(1));
    const at::Tensor padded = at::constant_pad_nd(
        values, {0, across * plan.tileCols - values.size(1), 0, down * plan.tileRows - values.size(0)});
    return padded.view({down, plan.tileRows, across, plan.tileCols});
}

/// A value a tile brought to all values of the tile.
at::Tensor widened(const at::Tensor& ofTiles, const LayerPlan& plan, std::int64_t rows, std::int64_t cols) {
    if (plan.tileRows * plan.tileCols == 1) {
        return ofTiles;
    }
    const std::int64_t down = ofTiles.size(0);
    const std::int64_t across = ofTiles.size(1);
    return ofTiles.view({down, 1, across, 1})
        .expand({down, plan.tileRows, across, plan.tileCols})
        .reshape({down * plan.tileRows, across * plan.tileCols})
        .slice(0, 0, rows)
        .slice(1, 0, cols);
}

/// Σ |w| of tiles, |w| of single values: what magnitude pruning compares.
at::Tensor magnitudes(const at::Tensor& values, const LayerPlan& plan) {
    return plan.tileRows * plan.tileCols == 1 ? values.abs() : inTiles(values.abs(), plan).sum({1, 3});
}

/// Euclidean norms of tiles, of single values |w|.
at::Tensor norms(const at::Tensor& values, const LayerPlan& plan) {
    return plan.tileRows * plan.tileCols == 1 ? values.abs() : inTiles(values.square(), plan).sum({1, 3}).sqrt();
}

/// 0 where the lowest scores are, `share` of them or N:M on the way to it, else 1.
at::Tensor keepHighest(const at::Tensor& scores, const LayerPlan& plan, double share) {
    compress::SparsityPattern pattern;
    pattern.ratio = share;
    if (plan.groupOf > 0) {
        pattern.groupOf = plan.groupOf;
        pattern.keepOf = std::max(plan.keepOf, static_cast<int>(std::ceil(plan.groupOf * (1.0 - share) - 1e-9)));
    }
    // Scores of movement may be negative, which the choice does not take.
    const at::Tensor shifted = (scores - scores.min()).to(at::kCPU).contiguous();
    const std::span<const float> values(shifted.const_data_ptr<float>(), static_cast<std::size_t>(shifted.numel()));
    at::Tensor mask = at::ones_like(shifted);
    float* out = mask.mutable_data_ptr<float>();
    for (const auto place : compress::chooseLowestOfMatrix(values, shifted.size(1), pattern)) {
        out[place] = 0.0F;
    }
    return mask.to(scores.device());
}

bool hasScores(const LayerPlan& plan) {
    return plan.method == PruneMethod::Movement || plan.method == PruneMethod::SoftMovement;
}

}  // namespace

struct Sparsifier::Layer {
    LayerPlan plan;
    at::Tensor values;
    at::Tensor mask;    ///< [rows][cols], 1 where a value stays
    at::Tensor scores;  ///< of values or tiles; undefined where magnitudes decide
};

/// What layers pruned by SoftMovement share, and how far all are.
struct Sparsifier::Pool {
    at::Tensor penalty = at::zeros({1});   ///< λ; 0: not found yet
    at::Tensor complete = at::zeros({1});  ///< 1: the full ratio is reached
    bool isComplete() const { return complete.item<float>() > 0.5F; }
};

Sparsifier::Sparsifier(const SparsifySpec& spec, std::int64_t steps)
    : m_spec(spec), m_steps(steps), m_pool(std::make_unique<Pool>()) {}

Sparsifier::~Sparsifier() = default;

void Sparsifier::add(const std::string& layer, const at::Tensor& values, const LayerPlan& plan) {
    const at::NoGradGuard noGradients;
    auto out = std::make_unique<Layer>();
    out->plan = plan;
    out->values = values;
    out->mask = at::ones_like(values);
    if (hasScores(plan)) {
        out->scores = at::zeros({tilesDown(plan, values.size(0)), tilesAcross(plan, values.size(1))}, values.options());
        out->scores.requires_grad_(true);
    }
    m_layers.emplace(layer, std::move(out));
}

bool Sparsifier::isEmpty() const { return m_layers.empty(); }
bool Sparsifier::has(const std::string& layer) const { return m_layers.contains(layer); }

at::Tensor Sparsifier::act(const std::string& layer, const at::Tensor& values) const {
    const auto found = m_layers.find(layer);
    if (found == m_layers.end() || !found->second->scores.defined()) {
        return values;
    }
    const Layer& held = *found->second;
    const at::Tensor scores = widened(held.scores, held.plan, values.size(0), values.size(1));
    return values * (held.mask + (scores - scores.detach()));
}

at::Tensor Sparsifier::penalty() const {
    const double weight = m_pool->penalty.item<double>();
    at::Tensor sum;
    double count = 0.0;
    for (const auto& [name, layer] : m_layers) {
        if (layer->plan.method == PruneMethod::SoftMovement) {
            const at::Tensor own = at::sigmoid(layer->scores).sum();
            sum = sum.defined() ? sum + own : own;
            count += static_cast<double>(layer->scores.numel());
        }
    }
    return sum.defined() && weight > 0.0 && !isComplete() ? sum * (weight / count) : at::Tensor();
}

void Sparsifier::maskGradients() const {
    const at::NoGradGuard noGradients;
    for (const auto& [name, layer] : m_layers) {
        // Until the end an L1 penalty lets zeros come back whose gradient outweighs it.
        const bool held = layer->plan.method != PruneMethod::Proximal || isComplete();
        if (held && layer->values.grad().defined()) {
            layer->values.mutable_grad().mul_(layer->mask);
        }
        if (layer->scores.defined() && isComplete()) {
            layer->scores.mutable_grad() = at::Tensor();
        }
    }
}

void Sparsifier::choose(std::int64_t step) {
    const double done = static_cast<double>(step) / static_cast<double>(std::max<std::int64_t>(1, m_steps));
    holdZeros();
    if (isEmpty() || isComplete() || done < m_spec.begin) {
        return;
    }
    if (done >= m_spec.end || step >= m_steps) {
        complete();
        return;
    }
    if (step % m_spec.every != 0) {
        return;
    }
    const at::NoGradGuard noGradients;
    for (const auto& [name, layer] : m_layers) {
        if (layer->plan.method != PruneMethod::SoftMovement) {
            chooseLayer(*layer, sparsityAt(m_spec, layer->plan.sparsity, step, m_steps));
        }
    }
    chooseTogether(sparsityAt(m_spec, 1.0, step, m_steps), false);
}

/// The optimizer's moments move values whose gradients are 0, too.
void Sparsifier::holdZeros() const {
    const at::NoGradGuard noGradients;
    for (const auto& [name, layer] : m_layers) {
        if (layer->plan.method == PruneMethod::Gradual || (isComplete() && !hasScores(layer->plan))) {
            layer->values.mul_(layer->mask);
        }
    }
}

void Sparsifier::complete() {
    if (isEmpty() || isComplete()) {
        return;
    }
    const at::NoGradGuard noGradients;
    for (const auto& [name, layer] : m_layers) {
        if (layer->plan.method != PruneMethod::SoftMovement) {
            chooseLayer(*layer, layer->plan.sparsity);
        }
    }
    chooseTogether(1.0, true);
    for (const auto& [name, layer] : m_layers) {
        layer->values.mul_(layer->mask);
    }
    m_pool->complete.fill_(1.0);
}

bool Sparsifier::isComplete() const { return isEmpty() || m_pool->isComplete(); }

void Sparsifier::setMask(Layer& layer, const at::Tensor& ofTiles) {
    layer.mask = widened(ofTiles, layer.plan, layer.values.size(0), layer.values.size(1)).contiguous();
}

void Sparsifier::chooseLayer(Layer& layer, double share) {
    if (layer.plan.method == PruneMethod::Proximal) {
        shrink(layer, share);
        return;
    }
    const bool gradual = layer.plan.method == PruneMethod::Gradual;
    setMask(layer, keepHighest(gradual ? magnitudes(layer.values, layer.plan) : layer.scores.detach(), layer.plan, share));
    if (gradual) {
        layer.values.mul_(layer.mask);
    }
}

/// The proximal operator of s · Σ ‖tile‖₂ (of single values s · ‖w‖₁), with the s that leaves the share at 0.
void Sparsifier::shrink(Layer& layer, double share) {
    const at::Tensor sizes = norms(layer.values, layer.plan);
    const auto zeros = static_cast<std::int64_t>(share * static_cast<double>(sizes.numel()));
    if (zeros <= 0) {
        return;
    }
    const at::Tensor amount = std::get<0>(at::kthvalue(sizes.flatten(), zeros));
    const at::Tensor factor = at::clamp_min(1.0 - amount / at::clamp_min(sizes, 1e-30), 0.0);
    layer.values.mul_(widened(factor, layer.plan, layer.values.size(0), layer.values.size(1)));
    // Of equal ones the earlier go, so that the share is met exactly.
    setMask(layer, keepHighest(sizes, layer.plan, share));
    if (share >= layer.plan.sparsity) {
        layer.values.mul_(layer.mask);
    }
}

/// `wanted`: share of the way to the ratio. `last`: the lowest scores go, exactly as many as all layers' ratios say.
void Sparsifier::chooseTogether(double wanted, bool last) {
    std::vector<Layer*> layers;
    std::vector<at::Tensor> scores;
    double asked = 0.0;
    double all = 0.0;
    for (const auto& [name, layer] : m_layers) {
        if (layer->plan.method == PruneMethod::SoftMovement) {
            layers.push_back(layer.get());
            scores.push_back(layer->scores.detach().flatten());
            asked += layer->plan.sparsity * static_cast<double>(layer->scores.numel());
            all += static_cast<double>(layer->scores.numel());
        }
    }
    if (layers.empty()) {
        return;
    }
    if (last) {
        const at::Tensor together = at::cat(scores).view({1, -1});
        LayerPlan single;
        const at::Tensor mask = keepHighest(together, single, (asked + 0.5) / all).flatten();
        std::int64_t begin = 0;
        for (Layer* layer : layers) {
            const std::int64_t count = layer->scores.numel();
            setMask(*layer, mask.slice(0, begin, begin + count).view(layer->scores.sizes()));
            begin += count;
        }
        return;
    }
    double gone = 0.0;
    double force = 0.0;
    for (Layer* layer : layers) {
        const at::Tensor keep = (at::sigmoid(layer->scores.detach()) > kThreshold).to(at::kFloat);
        gone += static_cast<double>(keep.numel()) - keep.sum().item<double>();
        setMask(*layer, keep);
        if (layer->scores.grad().defined()) {
            force += layer->scores.grad().abs().sum().item<double>();
        }
    }
    const double gap = (wanted * asked - gone) / all;
    double weight = m_pool->penalty.item<double>();
    // At first as strong as the loss is on a score at 0, where a sigmoid rises by 1/4.
    weight = weight > 0.0 ? weight * std::exp(kPenaltyRate * gap) : (force > 0.0 ? 4.0 * force : 1.0);
    m_pool->penalty.fill_(weight);
}

double Sparsifier::sparsity() const {
    const at::NoGradGuard noGradients;
    double zeros = 0.0;
    double all = 0.0;
    for (const auto& [name, layer] : m_layers) {
        const double count = static_cast<double>(layer->values.numel());
        zeros += count - static_cast<double>(at::count_nonzero(pruned(name, layer->values)).item<std::int64_t>());
        all += count;
    }
    return all > 0.0 ? zeros / all : 0.0;
}

at::Tensor Sparsifier::pruned(const std::string& layer, const at::Tensor& values) const {
    const auto found = m_layers.find(layer);
    // Proximal steps have made their zeros in the values themselves.
    return found == m_layers.end() || (found->second->plan.method == PruneMethod::Proximal && !isComplete())
               ? values
               : values * found->second->mask;
}

std::map<std::string, at::Tensor> Sparsifier::scores() const {
    std::map<std::string, at::Tensor> out;
    for (const auto& [name, layer] : m_layers) {
        if (layer->scores.defined()) {
            out.emplace("prune." + name + ".scores", layer->scores);
        }
    }
    return out;
}

std::map<std::string, at::Tensor> Sparsifier::state() const {
    auto out = scores();
    for (const auto& [name, layer] : m_layers) {
        out.emplace("prune." + name + ".mask", layer->mask);
    }
    if (!isEmpty()) {
        out.emplace("prune.penalty", m_pool->penalty);
        out.emplace("prune.complete", m_pool->complete);
    }
    return out;
}

}  // namespace pareto::train
