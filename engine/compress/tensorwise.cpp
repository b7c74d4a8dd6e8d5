#include "engine/compress/tensorwise.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "engine/compress/block_pass.h"
#include "engine/compress/prune/magnitude.h"
#include "engine/compress/quantize/rtn.h"

namespace pareto::compress {

bool isTensorwise(const Recipe& recipe, const ResolvedRecipe& resolved) {
    const bool whole = resolved.untied || resolved.calibrated || resolved.gradients || resolved.rotate ||
                       resolved.removeWidth > 0 || resolved.removeBlocks > 0 || resolved.allocation != Allocation::Uniform ||
                       recipe.calibration || !recipe.recover.empty();
    const auto cuts = [](const GroupPlan& plan) { return plan.remove > 0; };
    const auto goes = [](const BlockPlan& plan) { return plan.removed; };
    const auto looksFurther = [](const LayerPlan& plan) {
        return isCalibrated(plan) || plan.adjusts || (plan.sparsity > 0.0 && plan.method != PruneMethod::Magnitude);
    };
    return !whole && std::none_of(resolved.groups.begin(), resolved.groups.end(), cuts) &&
           std::none_of(resolved.blocks.begin(), resolved.blocks.end(), goes) &&
           std::none_of(resolved.layers.begin(), resolved.layers.end(), looksFurther);
}

TensorwiseModel::TensorwiseModel(std::shared_ptr<const TensorSource> original, const Recipe& recipe, ResolvedRecipe resolved,
                                 std::stop_token stop, ParallelFor parallel)
    : m_original(std::move(original)),
      m_order(recipe.order),
      m_resolved(std::move(resolved)),
      m_layout(m_original->layout()),
      m_stop(std::move(stop)),
      m_parallel(std::move(parallel)) {
    m_layout.cache = m_resolved.cache;
    const bool rounds = std::find(m_order.begin(), m_order.end(), StepKind::Quantize) != m_order.end();
    for (std::size_t i = 0; i < m_layout.layers.size(); ++i) {
        auto& layer = m_layout.layers[i];
        if (rounds) {
            layer.sourceFormat = m_resolved.layers[i].format;
        }
        if (layer.tiedTo.empty()) {
            m_weights.emplace(layer.name + ".weight", i);
        }
    }
}

Result<Tensor> TensorwiseModel::tensor(const std::string& name) const {
    if (m_stop.stop_requested()) {
        return Cancelled{};
    }
    PARETO_TRY(auto tensor, m_original->tensor(name));
    const auto found = m_weights.find(name);
    if (found == m_weights.end()) {
        return tensor;
    }
    const LayerPlan& plan = m_resolved.layers[found->second];
    const TensorLabel label{m_layout.name, name};
    const auto start = std::chrono::steady_clock::now();
    for (const StepKind step : m_order) {
        if (step == StepKind::Prune && plan.sparsity > 0.0) {
            PARETO_CHECK(checkFinite(tensor, label, m_parallel));
            tensor = pruneMagnitude(tensor, patternOf(plan), m_parallel);
        } else if (step == StepKind::Quantize && !(tensor.format() == plan.format)) {
            PARETO_TRY(tensor, roundToNearest(tensor, plan.format, label, m_stop, m_parallel));
        }
    }
    if (m_timed.insert(name).second) {
        m_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    return tensor;
}

Result<LayerReport> TensorwiseModel::report(const LayerInfo& layer, const Tensor& held) const {
    const auto owner = static_cast<std::size_t>(m_layout.layerIndex(layer.tiedTo.empty() ? layer.name : layer.tiedTo));
    std::optional<Tensor> before;
    if (m_resolved.layers[owner].sparsity > 0.0 || !(held.format() == m_original->layout().layers[owner].sourceFormat)) {
        PARETO_TRY(before, m_original->weight(layer));
    }
    std::uint64_t bytes = layer.tiedTo.empty() ? held.bytes() : 0;
    if (m_original->has(layer.name + ".bias")) {
        PARETO_TRY(const auto bias, m_original->tensor(layer.name + ".bias"));
        bytes += bias.bytes();
    }
    auto out = reportOf(layer.name, before.value_or(held), held, held, bytes, m_parallel);
    if (before) {
        releasePages(*before);
    }
    return out;
}

}  // namespace pareto::compress
