#include "engine/compress/pipeline.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "engine/compress/block_pass.h"
#include "engine/compress/gradient_pass.h"
#include "engine/compress/prune/allocation.h"
#include "engine/compress/prune/magnitude.h"
#include "engine/compress/prune/structure.h"
#include "engine/compress/prune/width.h"
#include "engine/compress/quantize/rtn.h"
#include "engine/compress/rotate.h"

namespace pareto::compress {

namespace {

/// One compression. The model keeps the original's names and numbers until the very end, so that the
/// plans of the resolved recipe, which are numbered as the original is, hold throughout.
class Pipeline {
public:
    Pipeline(const LoadedModel& original, const Recipe& recipe, ResolvedRecipe resolved,
             Progress& progress, std::stop_token stop, const CompressTools& tools)
        : m_original(original),
          m_recipe(recipe),
          m_resolved(std::move(resolved)),
          m_progress(progress),
          m_stop(std::move(stop)),
          m_tools(tools),
          m_parallel(tools.parallel),
          m_model(original),
          m_reference(original),
          m_removed(original.layout.blocks.size(), false),
          m_kept(original.layout.groups.size()) {}

    Result<CompressedModel> run() {
        const auto start = std::chrono::steady_clock::now();
        PARETO_CHECK(checkOrder());
        PARETO_CHECK(rotate());
        untie();
        for (const StepKind step : m_recipe.order) {
            if (step == StepKind::Prune) {
                PARETO_CHECK(prune());
            } else if (step == StepKind::Recover) {
                PARETO_CHECK(recover());
            } else if (step == StepKind::Quantize) {
                PARETO_CHECK(compressBlocksOnce(true));
                PARETO_CHECK(quantize());
            }
        }
        PARETO_CHECK(compressBlocksOnce(has(StepKind::Quantize)));
        PARETO_CHECK(describeLayers());
        m_model.layout.cache = m_resolved.cache;
        CompressedModel out;
        if (std::find(m_removed.begin(), m_removed.end(), true) != m_removed.end()) {
            removeBlocks(m_model, m_removed);
        }
        nameReports();
        m_report.seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        out.model = std::move(m_model);
        out.report = std::move(m_report);
        return out;
    }

private:
    const ModelLayout& layout() const { return m_model.layout; }
    bool gone(int block) const { return block >= 0 && m_removed[static_cast<std::size_t>(block)]; }
    TensorLabel label(const LayerInfo& layer) const {
        return {layout().name, layer.name + ".weight"};
    }
    Status look() const {
        if (m_stop.stop_requested()) {
            return Cancelled{};
        }
        return Done{};
    }

    bool has(StepKind step) const {
        return std::find(m_recipe.order.begin(), m_recipe.order.end(), step) != m_recipe.order.end();
    }

    bool prunesFirst() const {
        const auto at = [&](StepKind step) { return std::find(m_recipe.order.begin(), m_recipe.order.end(), step); };
        return !has(StepKind::Prune) || at(StepKind::Prune) < at(StepKind::Quantize);
    }

    /// Methods need calibration, or the recipe names a text: then what any method does to outputs is measured, unless
    /// recovery changes it again.
    bool calibrates() const {
        const auto needs = [](const auto& plans) {
            return std::any_of(plans.begin(), plans.end(), [](const auto& plan) { return isCalibrated(plan); });
        };
        return needs(m_resolved.layers) || needs(m_resolved.groups) ||
               (m_recipe.calibration && m_tools.inputs && prunesFirst() && !m_recipe.isEmpty() && !recovers() &&
                !layout().isSeq2Seq());
    }

    bool recovers() const { return has(StepKind::Recover) && !m_recipe.recover.empty(); }

    /// Training works on whole numbers, and moves the weights that a calibrated rounding was found for.
    Status checkRecovery() const {
        const auto refuse = [](const char* field, const char* reason) {
            return makeError(ErrorCode::RecipeInvalid, {{"file", "recipe"}, {"field", field}, {"reason", reason}});
        };
        if (!recovers()) {
            return Done{};
        }
        const auto at = [&](StepKind step) { return std::find(m_recipe.order.begin(), m_recipe.order.end(), step); };
        if (at(StepKind::Quantize) < at(StepKind::Recover)) {
            return refuse("order", "must recover before it quantizes: what is trained are whole numbers");
        }
        if (at(StepKind::Recover) < at(StepKind::Prune)) {
            return refuse("order", "must prune before it recovers, or what is recovered would be pruned again");
        }
        const auto calibratedRounding = [](const LayerPlan& plan) {
            return isCalibrated(plan.quantizeMethod) || plan.scaling != InputScaling::None || plan.clip || plan.biasCorrection;
        };
        if (std::any_of(m_resolved.layers.begin(), m_resolved.layers.end(), calibratedRounding) || m_resolved.rotate) {
            return refuse("recover", "cannot stand with calibrated rounding (gptq, signround, awq, smoothquant, rotation, "
                                     "bias correction): export the recovered model, then quantize that; or train "
                                     "with \"quantize_aware\"");
        }
        if (!m_tools.recover) {
            return refuse("recover", "cannot be done here: nothing trains the model");
        }
        return Done{};
    }

    /// Calibrated methods prune and round in one pass over the blocks.
    Status checkOrder() const {
        PARETO_CHECK(checkRecovery());
        if ((m_resolved.calibrated || m_resolved.gradients) && !prunesFirst()) {
            return makeError(ErrorCode::RecipeInvalid,
                             {{"file", "recipe"},
                              {"field", "order"},
                              {"reason", "must prune before it quantizes: methods that are calibrated do both in one "
                                         "pass over the blocks, and gradients are those of whole numbers"}});
        }
        if ((m_resolved.calibrated && !m_tools.inputs) || (m_resolved.gradients && !m_tools.gradients)) {
            return makeError(ErrorCode::RecipeInvalid,
                             {{"file", "recipe"},
                              {"field", "calibration"},
                              {"reason", "methods that need it cannot be used here: nothing runs the model"}});
        }
        return Done{};
    }

    /// Errors are measured against the rotated model, which says the same as the original.
    Status rotate() {
        if (!m_resolved.rotate || !has(StepKind::Quantize)) {
            return Done{};
        }
        PARETO_TRY(auto rotated, rotateModel(m_model, m_recipe.seed, m_stop, m_parallel));
        m_model = std::move(rotated.model);
        m_reference = m_model;
        if (rotated.untiedBytes > 0) {
            m_report.notes.push_back("rotating gave the head a weight of its own, of " +
                                     std::to_string(rotated.untiedBytes) + " bytes in fp32");
        }
        return Done{};
    }

    void untie() {
        if (!m_resolved.untied) {
            return;
        }
        for (auto& layer : m_model.layout.layers) {
            if (!layer.tiedTo.empty()) {
                m_model.tensors.insert_or_assign(layer.name + ".weight", m_model.weight(layer));
                layer.tiedTo.clear();
            }
        }
        m_reference = m_model;
    }

    Status prune() {
        for (const PrunePattern pattern : m_resolved.pruneOrder) {
            switch (pattern) {
            case PrunePattern::Width:
                PARETO_CHECK(pruneWidth());
                break;
            case PrunePattern::Unstructured:
                PARETO_CHECK(pruneWeights());
                break;
            case PrunePattern::Heads:
                PARETO_CHECK(pruneUnits(GroupKind::Attention));
                break;
            case PrunePattern::Neurons:
                PARETO_CHECK(pruneUnits(GroupKind::FeedForward));
                break;
            case PrunePattern::Blocks:
                PARETO_CHECK(pruneBlocks());
                break;
            }
        }
        return Done{};
    }

    /// Turns the residual stream into its principal axes and drops those that hold least.
    Status pruneWidth() {
        if (m_resolved.removeWidth == 0) {
            return Done{};
        }
        const std::int64_t kept = layout().hidden - m_resolved.removeWidth;
        PARETO_TRY(const auto inputs, openInputs());
        PrincipalAxes axes(layout().hidden);
        m_progress.begin(Stage::Calibrating, static_cast<std::int64_t>(layout().blocks.size()), Unit::Layers);
        for (std::size_t index = 0; index < layout().blocks.size(); ++index) {
            PARETO_CHECK(look());
            PARETO_TRY(const auto seen, inputs->measure(static_cast<int>(index), m_stop));
            for (const int layer : layout().blocks[index].layers) {
                PARETO_CHECK(addToAxes(layout().layers[static_cast<std::size_t>(layer)], seen, axes));
            }
            PARETO_CHECK(inputs->pass(static_cast<int>(index), m_stop));
            m_progress.advance();
        }
        double share = 0.0;
        const auto rotation = axes.find(kept, *m_tools.math, share);
        PARETO_TRY(auto rotated, rotateModel(m_model, rotation, *m_tools.math, m_stop, m_parallel));
        m_model = std::move(rotated.model);
        cutWidth(m_model, kept);
        m_reference = m_model;
        char percent[16];
        std::snprintf(percent, sizeof percent, "%.1f %%", share * 100.0);
        m_report.notes.push_back("the " + std::to_string(kept) + " channels that are left hold " + percent +
                                 " of what the norms see");
        return Done{};
    }

    /// Of each norm once: what query, key and value read is the same, as for gate and up.
    Status addToAxes(const LayerInfo& layer, const std::map<std::string, std::shared_ptr<const InputStatistics>>& seen,
                     PrincipalAxes& axes) {
        const bool first = layer.role == LayerRole::Query || layer.role == LayerRole::FfnUp ||
                           layer.role == LayerRole::FfnIn;
        const auto found = seen.find(layer.name);
        if (!first || found == seen.end()) {
            return Done{};
        }
        const std::string stem = layer.name.substr(0, layer.name.find_last_of('.'));
        PARETO_CHECK(checkStatistics(*found->second, m_model.weight(layer), {Statistic::Hessian}, label(layer)));
        axes.add(*found->second, dequantize(m_model.tensors.at(stem + ".norm.weight"), m_parallel));
        return Done{};
    }

    /// The model as far as it is compressed, ready to be differentiated.
    Result<std::unique_ptr<WeightGradients>> openGradients() {
        const CalibrationSpec texts = m_recipe.calibration.value_or(CalibrationSpec{});
        LoadedModel left = m_model;
        removeBlocks(left, m_removed);
        std::map<std::string, std::string> names;  // removing blocks numbers the others anew
        std::size_t next = 0;
        for (const LayerInfo& layer : layout().layers) {
            if (!gone(layer.block)) {
                names[layer.name] = left.layout.layers[next++].name;
            }
        }
        PARETO_TRY(auto out, m_tools.gradients(left, texts, m_progress, m_stop));
        out = renamed(std::move(out), std::move(names));
        m_report.calibrationSamples = out->samples();
        m_report.calibrationTokens = out->tokens();
        return out;
    }

    /// Methods that look at gradients.
    Status pruneByFisher() {
        std::vector<int> layers;
        for (std::size_t index = 0; index < layout().layers.size(); ++index) {
            const LayerInfo& layer = layout().layers[index];
            const LayerPlan& plan = m_resolved.layers[index];
            if (plan.sparsity > 0.0 && usesGradients(plan.method) && layer.tiedTo.empty() && !gone(layer.block)) {
                PARETO_CHECK(checkFinite(m_model.weight(layer), label(layer), m_parallel));
                layers.push_back(static_cast<int>(index));
            }
        }
        if (layers.empty()) {
            return Done{};
        }
        PARETO_TRY(const auto gradients, openGradients());
        return pruneByGradients(m_model, layers, m_resolved, *gradients, m_progress, m_stop, m_tools);
    }

    Status findImportance(GroupKind kind) {
        std::vector<int> groups;
        for (std::size_t index = 0; index < layout().groups.size(); ++index) {
            const GroupInfo& group = layout().groups[index];
            const GroupPlan& plan = m_resolved.groups[index];
            if (group.kind == kind && plan.remove > 0 && usesGradients(plan.method) && !gone(group.block)) {
                PARETO_CHECK(checkGroup(group));
                groups.push_back(static_cast<int>(index));
            }
        }
        if (groups.empty()) {
            return Done{};
        }
        PARETO_TRY(const auto gradients, openGradients());
        PARETO_TRY(auto found, taylorImportance(m_model, groups, *gradients, m_progress, m_stop));
        m_importance.merge(found);
        return Done{};
    }

    Status pruneWeights() {
        PARETO_CHECK(allocate());
        PARETO_CHECK(pruneByFisher());
        const auto count = static_cast<std::int64_t>(layout().layers.size());
        m_progress.begin(Stage::Pruning, count, Unit::Layers);
        for (std::size_t index = 0; index < layout().layers.size(); ++index) {
            PARETO_CHECK(look());
            const LayerInfo& layer = layout().layers[index];
            const LayerPlan& plan = m_resolved.layers[index];
            if (plan.sparsity > 0.0 && plan.method == PruneMethod::Magnitude && !plan.adjusts && layer.tiedTo.empty() &&
                !gone(layer.block)) {
                const Tensor& weight = m_model.weight(layer);
                PARETO_CHECK(checkFinite(weight, label(layer), m_parallel));
                replace(index, pruneMagnitude(weight, patternOf(plan), m_parallel));
            }
            m_progress.advance();
        }
        return Done{};
    }

    Status pruneUnits(GroupKind kind) {
        PARETO_CHECK(findImportance(kind));
        m_progress.begin(Stage::Pruning, static_cast<std::int64_t>(layout().groups.size()),
                         Unit::Layers);
        for (std::size_t index = 0; index < layout().groups.size(); ++index) {
            PARETO_CHECK(look());
            const GroupInfo& group = layout().groups[index];
            const GroupPlan& plan = m_resolved.groups[index];
            if (group.kind == kind && plan.remove > 0 && !isCalibrated(plan) && !gone(group.block)) {
                PARETO_CHECK(checkGroup(group));
                const int number = static_cast<int>(index);
                m_kept[index] = keepStrongest(m_model, number, m_importance, plan.remove);
                reportKept(index);
                cutGroup(m_model, number, m_kept[index]);
                cutGroup(m_reference, number, m_kept[index]);
            }
            m_progress.advance();
        }
        return Done{};
    }

    void reportKept(std::size_t group) {
        m_report.keptUnits.emplace_back(layout().groups[group].name,
                                        std::vector<int>(m_kept[group].begin(), m_kept[group].end()));
    }

    Status checkGroup(const GroupInfo& group) const {
        for (const int index : group.layers) {
            const LayerInfo& layer = layout().layers[static_cast<std::size_t>(index)];
            PARETO_CHECK(checkFinite(m_model.weight(layer), label(layer), m_parallel));
        }
        return Done{};
    }

    Status pruneBlocks() {
        const auto& blocks = layout().blocks;
        m_progress.begin(Stage::Pruning, static_cast<std::int64_t>(blocks.size()), Unit::Layers);
        std::vector<double> influence;
        if (m_resolved.removeBlocks > 0 && m_resolved.blockMethod == PruneMethod::Influence) {
            PARETO_TRY(influence, influences());
        }
        std::vector<std::pair<double, std::size_t>> candidates;
        for (std::size_t index = 0; index < blocks.size(); ++index) {
            PARETO_CHECK(look());
            const BlockPlan& plan = m_resolved.blocks[index];
            m_removed[index] = m_removed[index] || plan.removed;
            if (!m_removed[index] && !plan.keep && m_resolved.removeBlocks > 0) {
                for (const int layer : blocks[index].layers) {
                    const LayerInfo& info = layout().layers[static_cast<std::size_t>(layer)];
                    PARETO_CHECK(checkFinite(m_model.weight(info), label(info), m_parallel));
                }
                candidates.emplace_back(influence.empty() ? blockImportance(m_model, static_cast<int>(index))
                                                          : influence[index],
                                        index);
            }
            m_progress.advance();
        }
        std::sort(candidates.begin(), candidates.end());  // equal ones: the earlier goes first
        std::int64_t left = m_resolved.removeBlocks;
        for (const auto& [importance, index] : candidates) {
            if (left > 0 && !lastOfItsSide(index)) {
                m_removed[index] = true;
                --left;
            }
        }
        for (std::size_t index = 0; index < blocks.size(); ++index) {
            if (m_removed[index]) {
                m_report.removedBlocks.push_back(blocks[index].name);
            }
        }
        return Done{};
    }

    Result<std::unique_ptr<BlockInputs>> openInputs() {
        return m_tools.inputs(m_model, m_recipe.calibration.value_or(CalibrationSpec{}), m_progress, m_stop);
    }

    /// ShortGPT (Men et al. 2024, arXiv 2403.03853): 1 − the cosine between what a block reads and what it says.
    Result<std::vector<double>> influences() {
        PARETO_TRY(const auto inputs, openInputs());
        std::vector<double> out;
        m_progress.begin(Stage::Calibrating, static_cast<std::int64_t>(layout().blocks.size()), Unit::Layers);
        for (std::size_t index = 0; index < layout().blocks.size(); ++index) {
            PARETO_CHECK(look());
            PARETO_TRY(const double cosine, inputs->pass(static_cast<int>(index), m_stop));
            out.push_back(1.0 - cosine);
            m_progress.advance();
        }
        return out;
    }

    /// Divides the ratio of single weights among layers, where the recipe says how.
    Status allocate() {
        switch (m_resolved.allocation) {
        case Allocation::Uniform: return Done{};
        case Allocation::Global: return allocateByMagnitude();
        case Allocation::Owl: return allocateByOutliers();
        }
        return Done{};
    }

    /// Layers that the recipe's ratio, not one of their own, speaks of.
    bool isAllocated(std::size_t index) const {
        const LayerInfo& layer = layout().layers[index];
        const LayerPlan& plan = m_resolved.layers[index];
        return plan.sparsity > 0.0 && !plan.pruneOverridden && layer.tiedTo.empty() && layer.block >= 0 &&
               !gone(layer.block);
    }

    double askedRatio() const {
        const auto step = std::find_if(m_recipe.prune.begin(), m_recipe.prune.end(), [](const PruneSpec& spec) {
            return spec.pattern == PrunePattern::Unstructured;
        });
        return step == m_recipe.prune.end() ? 0.0 : step->ratio;
    }

    Status allocateByMagnitude() {
        std::vector<NamedWeight> weights;
        std::vector<std::size_t> indices;
        for (std::size_t index = 0; index < layout().layers.size(); ++index) {
            if (isAllocated(index)) {
                const LayerInfo& layer = layout().layers[index];
                PARETO_CHECK(checkFinite(m_model.weight(layer), label(layer), m_parallel));
                weights.push_back({layer.name + ".weight", &m_model.weight(layer)});
                indices.push_back(index);
            }
        }
        const LayerContext context{{layout().name, "weights"}, m_tools.math, m_stop, m_parallel};
        PARETO_TRY(const auto removed, shareByMagnitude(weights, askedRatio(), context));
        for (std::size_t at = 0; at < indices.size(); ++at) {
            m_resolved.layers[indices[at]].sparsity = ratioOf(removed[at], weights[at].weight->shape.elements());
        }
        return Done{};
    }

    /// A ratio a block, by the outliers of all its layers in the untouched model.
    Status allocateByOutliers() {
        PARETO_TRY(const auto inputs, openInputs());
        std::vector<double> shares;
        std::vector<std::int64_t> sizes;
        std::vector<std::size_t> blocks;
        m_progress.begin(Stage::Calibrating, static_cast<std::int64_t>(layout().blocks.size()), Unit::Layers);
        for (std::size_t index = 0; index < layout().blocks.size(); ++index) {
            PARETO_CHECK(look());
            if (!gone(static_cast<int>(index))) {
                PARETO_TRY(const auto share, outliersOf(index, *inputs));
                shares.push_back(share.first);
                sizes.push_back(share.second);
                blocks.push_back(index);
                PARETO_CHECK(inputs->pass(static_cast<int>(index), m_stop));
            }
            m_progress.advance();
        }
        const auto ratios = outlierWeighedRatios(shares, sizes, askedRatio());
        for (std::size_t at = 0; at < blocks.size(); ++at) {
            for (const int layer : layout().blocks[blocks[at]].layers) {
                if (isAllocated(static_cast<std::size_t>(layer))) {
                    m_resolved.layers[static_cast<std::size_t>(layer)].sparsity = ratios[at];
                }
            }
        }
        return Done{};
    }

    /// Share of outliers among a block's allocated weights, and how many weights those are.
    Result<std::pair<double, std::int64_t>> outliersOf(std::size_t block, BlockInputs& inputs) {
        constexpr double kThreshold = 5.0;
        PARETO_TRY(const auto seen, inputs.measure(static_cast<int>(block), m_stop));
        double outliers = 0.0;
        std::int64_t values = 0;
        for (const int index : layout().blocks[block].layers) {
            const LayerInfo& layer = layout().layers[static_cast<std::size_t>(index)];
            const auto found = seen.find(layer.name);
            if (!isAllocated(static_cast<std::size_t>(index)) || found == seen.end()) {
                continue;
            }
            const LayerContext context{label(layer), m_tools.math, m_stop, m_parallel};
            PARETO_TRY(const double share,
                       outlierShare(m_model.weight(layer), *found->second, kThreshold, context));
            const std::int64_t size = m_model.weight(layer).shape.elements();
            outliers += share * static_cast<double>(size);
            values += size;
        }
        return std::pair{values > 0 ? outliers / static_cast<double>(values) : 0.0, values};
    }

    /// Of an encoder-decoder model at least one block of each side stays.
    bool lastOfItsSide(std::size_t block) const {
        const auto& blocks = layout().blocks;
        const bool decoder = blocks[block].crossAttention >= 0;
        for (std::size_t at = 0; at < blocks.size(); ++at) {
            if (at != block && !m_removed[at] && (blocks[at].crossAttention >= 0) == decoder) {
                return false;
            }
        }
        return true;
    }

    /// The model as it is now, without the blocks that are removed, goes through every recovery step.
    Status recover() {
        if (m_recipe.recover.empty()) {
            return Done{};
        }
        PARETO_CHECK(compressBlocksOnce(false));
        const bool removes = std::find(m_removed.begin(), m_removed.end(), true) != m_removed.end();
        LoadedModel model = m_model;
        if (removes) {
            removeBlocks(model, m_removed);
        }
        std::vector<LayerPlan> plans;
        std::vector<std::pair<std::string, std::string>> blocks;  // name now and in the original
        for (std::size_t index = 0; index < layout().layers.size(); ++index) {
            if (!gone(layout().layers[index].block)) {
                plans.push_back(m_resolved.layers[index]);
            }
        }
        std::size_t left = 0;
        for (std::size_t block = 0; block < m_removed.size(); ++block) {
            if (!m_removed[block]) {
                blocks.emplace_back(model.layout.blocks[left++].name + ".", layout().blocks[block].name + ".");
            }
        }
        for (std::size_t step = 0; step < m_recipe.recover.size(); ++step) {
            PARETO_TRY(model, m_tools.recover({model, m_original, m_recipe, step, plansOf(step, plans)}, m_progress, m_stop));
        }
        for (auto& [name, tensor] : model.tensors) {
            m_model.tensors.insert_or_assign(nameBefore(name, blocks), std::move(tensor));
        }
        return Done{};
    }

    /// The first training is the one that prunes.
    std::vector<LayerPlan> plansOf(std::size_t step, std::vector<LayerPlan> plans) const {
        const auto first = std::find_if(m_recipe.recover.begin(), m_recipe.recover.end(), [](const RecoverSpec& spec) {
            return spec.method == RecoverMethod::Train;
        });
        const bool prunes = first - m_recipe.recover.begin() == static_cast<std::ptrdiff_t>(step);
        for (auto& plan : plans) {
            if (!prunes || !isTrained(plan.method)) {
                plan.sparsity = 0.0;
            }
        }
        return plans;
    }

    static std::string nameBefore(const std::string& name,
                                  const std::vector<std::pair<std::string, std::string>>& blocks) {
        for (const auto& [now, before] : blocks) {
            if (name.starts_with(now)) {
                return before + name.substr(now.size());
            }
        }
        return name;
    }

    /// `rounds`: whether what the pass visits is rounded in it.
    Status compressBlocksOnce(bool rounds) {
        if (!calibrates() || m_passed) {
            return Done{};
        }
        m_passed = true;
        return compressBlocks(rounds);
    }

    /// Methods that look at what layers read.
    Status compressBlocks(bool rounds) {
        PARETO_TRY(const auto inputs, openInputs());
        m_report.calibrationSamples = inputs->samples();
        m_report.calibrationTokens = inputs->tokens();
        BlockPass pass({m_model, m_reference, m_resolved, m_removed, m_kept, m_importance, rounds,
                        m_recipe.calibration.has_value()},
                       *inputs, m_progress, m_stop, m_tools);
        PARETO_CHECK(pass.run());
        m_outcomes = pass.outcomes();
        for (std::size_t group = 0; group < m_kept.size(); ++group) {
            if (isCalibrated(m_resolved.groups[group]) && !m_kept[group].empty()) {
                reportKept(group);
            }
        }
        m_report.notes.insert(m_report.notes.end(), pass.notes().begin(), pass.notes().end());
        return Done{};
    }

    Status quantize() {
        const auto count = static_cast<std::int64_t>(layout().layers.size());
        m_progress.begin(Stage::Quantizing, count, Unit::Layers);
        for (std::size_t index = 0; index < layout().layers.size(); ++index) {
            PARETO_CHECK(look());
            const LayerInfo& layer = layout().layers[index];
            const WeightFormat& format = m_resolved.layers[index].format;
            if (layer.tiedTo.empty() && !gone(layer.block) &&
                !(m_model.weight(layer).format() == format)) {
                PARETO_TRY(Tensor rounded, roundToNearest(m_model.weight(layer), format,
                                                          label(layer), m_stop, m_parallel));
                replace(index, std::move(rounded));
            }
            m_progress.advance();
        }
        return Done{};
    }

    void replace(std::size_t layer, Tensor weight) {
        m_model.tensors.insert_or_assign(layout().layers[layer].name + ".weight",
                                         std::move(weight));
    }

    /// The weight as it acts where its input is not scaled.
    Tensor acting(std::size_t index) const {
        const Tensor& held = m_model.weight(layout().layers[index]);
        const auto found = m_outcomes.find(static_cast<int>(index));
        const bool plain = found == m_outcomes.end() ||
                           (found->second.rowScales.empty() && found->second.colScales.empty());
        return plain ? held : rescaled(held, found->second.rowScales, found->second.colScales, m_parallel);
    }

    Status describeLayers() {
        for (std::size_t index = 0; index < layout().layers.size(); ++index) {
            PARETO_CHECK(look());
            const LayerInfo& layer = layout().layers[index];
            if (gone(layer.block)) {
                continue;
            }
            const Tensor& reference = m_reference.weight(m_reference.layout.layers[index]);
            LayerReport report = reportOf(layer.name, reference, m_model.weight(layer), acting(index), m_model.layerBytes(layer),
                                          m_parallel);
            releasePages(reference);  // not looked at again
            if (const auto found = m_outcomes.find(static_cast<int>(index)); found != m_outcomes.end()) {
                report.output = found->second.quality;
                report.spectrum = found->second.spectrum;
                report.scaling = found->second.scaling;
                report.seconds = found->second.seconds;
            }
            m_report.layers.push_back(std::move(report));
        }
        for (auto& layer : m_model.layout.layers) {
            if (!gone(layer.block)) {
                layer.sourceFormat = m_model.weight(layer).format();
            }
        }
        return Done{};
    }

    /// Removing blocks keeps the order of layers and changes their names.
    void nameReports() {
        for (std::size_t index = 0; index < m_report.layers.size(); ++index) {
            m_report.layers[index].name = layout().layers[index].name;
        }
    }

    const LoadedModel& m_original;
    const Recipe& m_recipe;
    ResolvedRecipe m_resolved;
    Progress& m_progress;
    std::stop_token m_stop;
    const CompressTools& m_tools;
    const ParallelFor& m_parallel;
    LoadedModel m_model;
    LoadedModel m_reference;  ///< the original, untied and cut as the model is
    std::map<int, LayerOutcome> m_outcomes;
    UnitImportance m_importance;  ///< where gradients say it
    bool m_passed = false;  ///< the pass over the blocks has been
    std::vector<bool> m_removed;
    std::vector<std::vector<std::int64_t>> m_kept;  ///< per group; empty: all units stay
    CompressReport m_report;
};

}  // namespace

Result<CompressedModel> compress(const LoadedModel& original, const Recipe& recipe,
                                 Progress& progress, std::stop_token stop,
                                 const CompressTools& tools) {
    PARETO_TRY(ResolvedRecipe resolved, resolve(recipe, original.layout));
    return Pipeline(original, recipe, std::move(resolved), progress, std::move(stop), tools)
        .run();
}

}  // namespace pareto::compress
