#pragma once

#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/compress/layer_report.h"
#include "engine/core/parallel.h"
#include "engine/spec/resolve.h"
#include "engine/weights/tensor_source.h"

namespace pareto::compress {

/// Whether a recipe changes each weight by itself, alike for all: rounding to nearest, and pruning single weights by magnitude.
/// Such a model can be had one tensor at a time.
bool isTensorwise(const Recipe& recipe, const ResolvedRecipe& resolved);

/// A model behind such a recipe: the same tensors, bit for bit, that compress() makes of the whole.
class TensorwiseModel : public TensorSource {
public:
    /// `resolved` is the recipe's for the original's layout.
    TensorwiseModel(std::shared_ptr<const TensorSource> original, const Recipe& recipe, ResolvedRecipe resolved,
                    std::stop_token stop, ParallelFor parallel = serialFor);

    const ModelLayout& layout() const override { return m_layout; }
    std::vector<std::string> names() const override { return m_original->names(); }
    bool has(const std::string& name) const override { return m_original->has(name); }
    /// TensorValues when a weight to be changed is not finite; Cancelled; what the original says.
    Result<Tensor> tensor(const std::string& name) const override;

    const std::shared_ptr<const TensorSource>& original() const { return m_original; }
    /// What the recipe's steps took for the tensors that were asked for, each counted once.
    double seconds() const { return m_seconds; }
    /// What compress() reports of a layer, whose weight is `held`.
    Result<LayerReport> report(const LayerInfo& layer, const Tensor& held) const;

private:
    std::shared_ptr<const TensorSource> m_original;
    std::vector<StepKind> m_order;
    ResolvedRecipe m_resolved;
    ModelLayout m_layout;
    std::map<std::string, std::size_t> m_weights;  ///< of layers that have their own, by name
    std::stop_token m_stop;
    ParallelFor m_parallel;
    mutable double m_seconds = 0.0;
    mutable std::set<std::string> m_timed;
};

}  // namespace pareto::compress
