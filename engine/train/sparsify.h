#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "engine/spec/resolve.h"

namespace at {
class Tensor;
}

/// Pruning while training (see PruneMethod and SparsifySpec): which values of each layer are zero is chosen anew on the
/// way to the ratio, then held.
namespace pareto::train {

class Sparsifier {
public:
    Sparsifier(const SparsifySpec& spec, std::int64_t steps);
    ~Sparsifier();
    Sparsifier(const Sparsifier&) = delete;
    Sparsifier& operator=(const Sparsifier&) = delete;

    /// `values` [rows][cols] are the weight's own, changed in place. `plan`: its method is a trained one, its sparsity
    /// above 0.
    void add(const std::string& layer, const at::Tensor& values, const LayerPlan& plan);
    bool isEmpty() const;
    bool has(const std::string& layer) const;

    /// What the values act as. Movement: W ⊙ M, through which the scores get the gradient ∂L/∂(W ⊙ M) ⊙ W, of tiles
    /// summed (Sanh et al. 2020, arXiv 2005.07683, eq. 6). Others: the values.
    at::Tensor act(const std::string& layer, const at::Tensor& values) const;
    /// λ · mean σ(S) of the layers pruned by SoftMovement; undefined when there are none. λ grows or falls by e^gap
    /// a choice, gap = wanted − present sparsity, so that the ratio, not λ, is what is asked for.
    at::Tensor penalty() const;
    /// Gradients of zeros that are not to come back become 0.
    void maskGradients() const;
    /// Behind `step` steps of the optimizer: chooses zeros where that is due. Gradual: the least magnitudes; zeros do not
    /// come back. Movement: the lowest scores. SoftMovement: σ(S) ≤ 0.1, at the end the lowest scores of all layers
    /// together. Proximal: every |w| (of tiles the norm) is made smaller by the amount that leaves the wanted share at 0.
    void choose(std::int64_t step);
    /// Goes to the full ratio at once, where choose() has not come so far.
    void complete();
    /// Whether the full ratio is reached.
    bool isComplete() const;
    /// Zeros among all values of these layers.
    double sparsity() const;
    /// The values without what is pruned now.
    at::Tensor pruned(const std::string& layer, const at::Tensor& values) const;

    /// Scores by "prune.<layer>.scores": leaves for an optimizer, of movement only.
    std::map<std::string, at::Tensor> scores() const;
    /// Everything beside the values that decides what comes next, to be copied from or into: scores and
    /// "prune.<layer>.mask", "prune.penalty", "prune.complete".
    std::map<std::string, at::Tensor> state() const;

private:
    struct Layer;
    struct Pool;
    void holdZeros() const;
    void chooseLayer(Layer& layer, double share);
    void chooseTogether(double wanted, bool last);
    void shrink(Layer& layer, double share);
    void setMask(Layer& layer, const at::Tensor& ofTiles);

    SparsifySpec m_spec;
    std::int64_t m_steps;
    std::map<std::string, std::unique_ptr<Layer>> m_layers;
    std::unique_ptr<Pool> m_pool;
};

}  // namespace pareto::train
