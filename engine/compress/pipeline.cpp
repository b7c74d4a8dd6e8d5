#include "engine/compress/pipeline.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "engine/compress/prune/l1_reconstruction.h"
#include "engine/compress/prune/magnitude.h"
#include "engine/compress/prune/sparsegpt.h"
#include "engine/compress/prune/structure.h"
#include "engine/compress/prune/wanda.h"
#include "engine/compress/quantize/gptq.h"
#include "engine/compress/quantize/rtn.h"
#include "engine/weights/select.h"

namespace pareto::compress {

namespace {

/// ‖a − b‖² and ‖a‖² of one row after the other, in fp64.
double relativeSquaredError(const Tensor& reference, const Tensor& now,
                            const ParallelFor& parallel) {
    const bool shared = reference.isDense() && now.isDense() &&
                        reference.dense().values.data() == now.dense().values.data();
    if (shared) {
        return 0.0;
    }
    const std::int64_t rows = reference.shape[0];
    const std::int64_t cols = reference.shape[1];
    std::vector<double> errors(static_cast<std::size_t>(rows));
    std::vector<double> norms(static_cast<std::size_t>(rows));
    constexpr std::int64_t kGrainValues = 1 << 16;
    const std::int64_t grain =
        std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, cols));
    parallel(rows, grain, [&](std::int64_t begin, std::int64_t end) {
        std::vector<float> a(static_cast<std::size_t>(cols));
        std::vector<float> b(static_cast<std::size_t>(cols));
        for (std::int64_t row = begin; row < end; ++row) {
            dequantizeRow(reference, row, a.data());
            dequantizeRow(now, row, b.data());
            double error = 0.0;
            double norm = 0.0;
            for (std::size_t col = 0; col < a.size(); ++col) {
                const double difference = static_cast<double>(a[col]) - b[col];
                error += difference * difference;
                norm += static_cast<double>(a[col]) * a[col];
            }
            errors[static_cast<std::size_t>(row)] = error;
            norms[static_cast<std::size_t>(row)] = norm;
        }
    });
    const double norm = std::accumulate(norms.begin(), norms.end(), 0.0);
    return norm > 0.0 ? std::accumulate(errors.begin(), errors.end(), 0.0) / norm : 0.0;
}

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
          m_removed(original.layout.blocks.size(), false),
          m_kept(original.layout.groups.size()) {}

    Result<CompressedModel> run() {
        const auto start = std::chrono::steady_clock::now();
        untie();
        PARETO_CHECK(checkOrder());
        for (const StepKind step : m_recipe.order) {
            if (step == StepKind::Prune) {
                PARETO_CHECK(prune());
            } else if (step == StepKind::Quantize) {
                if (m_resolved.calibrated) {
                    PARETO_CHECK(compressBlocks(true));
                }
                PARETO_CHECK(quantize());
            }
        }
        if (m_resolved.calibrated && !has(StepKind::Quantize)) {
            PARETO_CHECK(compressBlocks(false));
        }
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

    /// Calibrated methods prune and round in one pass over the blocks.
    Status checkOrder() const {
        const auto at = [&](StepKind step) { return std::find(m_recipe.order.begin(), m_recipe.order.end(), step); };
        if (m_resolved.calibrated && has(StepKind::Prune) && at(StepKind::Quantize) < at(StepKind::Prune)) {
            return makeError(ErrorCode::RecipeInvalid,
                             {{"file", "recipe"},
                              {"field", "order"},
                              {"reason", "must prune before it quantizes: wanda, sparsegpt and gptq do both in one "
                                         "pass over the blocks"}});
        }
        if (m_resolved.calibrated && !m_tools.inputs) {
            return makeError(ErrorCode::RecipeInvalid,
                             {{"file", "recipe"},
                              {"field", "calibration"},
                              {"reason", "methods that need it cannot be used here: nothing runs the model"}});
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
    }

    Status prune() {
        for (const PrunePattern pattern : m_resolved.pruneOrder) {
            switch (pattern) {
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

    Status pruneWeights() {
        const auto count = static_cast<std::int64_t>(layout().layers.size());
        m_progress.begin(Stage::Pruning, count, Unit::Layers);
        for (std::size_t index = 0; index < layout().layers.size(); ++index) {
            PARETO_CHECK(look());
            const LayerInfo& layer = layout().layers[index];
            const LayerPlan& plan = m_resolved.layers[index];
            if (plan.sparsity > 0.0 && !isCalibrated(plan.method) && layer.tiedTo.empty() && !gone(layer.block)) {
                const Tensor& weight = m_model.weight(layer);
                PARETO_CHECK(checkFinite(weight, label(layer), m_parallel));
                replace(index, pruneMagnitude(weight, patternOf(plan), m_parallel));
            }
            m_progress.advance();
        }
        return Done{};
    }

    static SparsityPattern patternOf(const LayerPlan& plan) { return {plan.sparsity, plan.keepOf, plan.groupOf}; }

    Status pruneUnits(GroupKind kind) {
        m_progress.begin(Stage::Pruning, static_cast<std::int64_t>(layout().groups.size()),
                         Unit::Layers);
        for (std::size_t index = 0; index < layout().groups.size(); ++index) {
            PARETO_CHECK(look());
            const GroupInfo& group = layout().groups[index];
            const GroupPlan& plan = m_resolved.groups[index];
            if (group.kind == kind && plan.remove > 0 && !gone(group.block)) {
                PARETO_CHECK(checkGroup(group));
                const int number = static_cast<int>(index);
                m_kept[index] = keepStrongest(unitImportance(m_model, number), plan.remove);
                m_report.keptUnits.emplace_back(
                    group.name, std::vector<int>(m_kept[index].begin(), m_kept[index].end()));
                cutGroup(m_model, number, m_kept[index]);
            }
            m_progress.advance();
        }
        return Done{};
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
                candidates.emplace_back(blockImportance(m_model, static_cast<int>(index)), index);
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

    // -- methods that look at what layers read ------------------------------------------------------------
    bool isCalibratedLayer(int index) const {
        const LayerPlan& plan = m_resolved.layers[static_cast<std::size_t>(index)];
        return (plan.sparsity > 0.0 && isCalibrated(plan.method)) || isCalibrated(plan.quantizeMethod);
    }

    bool isCalibratedBlock(const BlockInfo& block) const {
        return std::any_of(block.layers.begin(), block.layers.end(),
                           [&](int layer) { return isCalibratedLayer(layer); });
    }

    Status compressBlocks(bool rounds) {
        const auto& blocks = layout().blocks;
        int last = -1;
        for (std::size_t index = 0; index < blocks.size(); ++index) {
            last = isCalibratedBlock(blocks[index]) && !gone(static_cast<int>(index)) ? static_cast<int>(index) : last;
        }
        PARETO_TRY(const auto inputs, m_tools.inputs(m_model, m_recipe.calibration.value_or(CalibrationSpec{}),
                                                     m_progress, m_stop));
        m_report.calibrationSamples = inputs->samples();
        m_report.calibrationTokens = inputs->tokens();
        m_progress.begin(rounds ? Stage::Quantizing : Stage::Pruning, last + 1, Unit::Layers);
        for (int index = 0; index <= last; ++index) {
            PARETO_CHECK(look());
            if (!gone(index)) {
                PARETO_CHECK(compressBlock(index, rounds, *inputs));
                if (index < last) {
                    PARETO_CHECK(replaceInputs(index, *inputs));
                    PARETO_CHECK(inputs->pass(index, m_stop));
                }
            }
            m_progress.advance();
        }
        return Done{};
    }

    Status compressBlock(int number, bool rounds, BlockInputs& inputs) {
        const BlockInfo& block = layout().blocks[static_cast<std::size_t>(number)];
        std::map<std::string, std::shared_ptr<const InputStatistics>> seen;
        if (isCalibratedBlock(block)) {
            PARETO_TRY(seen, inputs.measure(number, m_stop));
        }
        for (const int index : block.layers) {
            PARETO_CHECK(look());
            const LayerInfo& layer = layout().layers[static_cast<std::size_t>(index)];
            if (!layer.tiedTo.empty()) {
                continue;
            }
            const auto found = seen.find(layer.name);
            const InputStatistics* statistics = found == seen.end() ? nullptr : found->second.get();
            const Tensor before = m_model.weight(layer);
            PARETO_TRY(Tensor after, compressLayer(index, before, statistics, rounds));
            if (statistics != nullptr) {
                measureOutput(layer, before, after, *statistics);
            }
            replace(static_cast<std::size_t>(index), std::move(after));
        }
        return Done{};
    }

    /// Nobody runs behind the last block: its weights stay as they came there.
    Status replaceInputs(int number, BlockInputs& inputs) const {
        for (const int index : layout().blocks[static_cast<std::size_t>(number)].layers) {
            const LayerInfo& layer = layout().layers[static_cast<std::size_t>(index)];
            if (layer.tiedTo.empty()) {
                PARETO_CHECK(inputs.replace(layer.name, m_model.weight(layer)));
            }
        }
        return Done{};
    }

    Result<Tensor> compressLayer(int index, const Tensor& weight, const InputStatistics* statistics, bool rounds) {
        const LayerInfo& layer = layout().layers[static_cast<std::size_t>(index)];
        const LayerPlan& plan = m_resolved.layers[static_cast<std::size_t>(index)];
        const bool changes = rounds && !(weight.format() == plan.format);
        const bool gptq = changes && isCalibrated(plan.quantizeMethod);
        const bool prunes = plan.sparsity > 0.0 && isCalibrated(plan.method);
        const LayerContext context{label(layer), m_tools.math, m_stop, m_parallel};
        if (!prunes && !gptq) {
            return changes ? roundToNearest(weight, plan.format, context.label, m_stop, m_parallel) : weight;
        }
        if (statistics == nullptr) {
            return badValues(context.label, 0, "calibration never reached this layer");
        }
        PARETO_CHECK(checkFinite(weight, context.label, m_parallel));
        Tensor out = weight;
        if (prunes && plan.method == PruneMethod::SparseGpt) {
            SparseGptOptions options;
            options.pattern = patternOf(plan);
            if (gptq) {
                options.codes = plan.format;
            }
            PARETO_TRY(out, pruneSparseGpt(weight, options, *statistics, context));
            if (gptq) {
                return out;
            }
        } else if (prunes && plan.method == PruneMethod::L1Reconstruction) {
            L1Options options;
            options.pattern = patternOf(plan);
            PARETO_TRY(auto solution, pruneL1(weight, options, *statistics, context));
            out = std::move(solution.weight);
        } else if (prunes) {
            PARETO_TRY(out, pruneWanda(weight, patternOf(plan), *statistics, context));
        }
        if (!gptq) {
            return changes ? roundToNearest(out, plan.format, context.label, m_stop, m_parallel)
                           : Result<Tensor>(std::move(out));
        }
        GptqOptions options;
        options.actOrder = plan.actOrder;
        options.keepZeros = plan.sparsity > 0.0;
        return quantizeGptq(out, plan.format, options, *statistics, context);
    }

    void measureOutput(const LayerInfo& layer, const Tensor& before, const Tensor& after,
                       const InputStatistics& statistics) {
        const LayerContext context{label(layer), m_tools.math, m_stop, m_parallel};
        const auto reference = dequantize(before, m_parallel);
        const std::vector<float> nothing(reference.size());
        const double all = outputError(nothing, reference, statistics, context);
        if (all > 0.0) {
            m_outputErrors[layer.name] =
                outputError(reference, dequantize(after, m_parallel), statistics, context) / all;
        }
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

    /// The original weight with only the structure cut, as the reference of the error.
    Tensor reference(std::size_t index) const {
        const LayerInfo& before = m_original.layout.layers[index];
        const Tensor& weight = m_original.weight(before);
        if (before.group < 0 || m_kept[static_cast<std::size_t>(before.group)].empty()) {
            return weight;
        }
        const auto group = static_cast<std::size_t>(before.group);
        const UnitLines cut =
            linesOfUnits(before, m_original.layout.groups[group].units, m_kept[group]);
        return cut.columns ? selectCols(weight, cut.lines) : selectRows(weight, cut.lines);
    }

    Status describeLayers() {
        for (std::size_t index = 0; index < layout().layers.size(); ++index) {
            PARETO_CHECK(look());
            const LayerInfo& layer = layout().layers[index];
            if (gone(layer.block)) {
                continue;
            }
            const Tensor& weight = m_model.weight(layer);
            const double values =
                static_cast<double>(std::max<std::int64_t>(1, weight.shape.elements()));
            LayerReport report;
            report.name = layer.name;
            report.relativeError = relativeSquaredError(reference(index), weight, m_parallel);
            report.sparsity = static_cast<double>(countZeros(weight, m_parallel)) / values;
            report.bitsPerWeight = static_cast<double>(weight.bytes()) * 8.0 / values;
            report.bytes = m_model.layerBytes(layer);
            if (const auto found = m_outputErrors.find(layer.name); found != m_outputErrors.end()) {
                report.outputError = found->second;
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
    std::map<std::string, double> m_outputErrors;  ///< by layer
    LoadedModel m_model;
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
