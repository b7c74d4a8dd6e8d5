#include "engine/compress/block_pass.h"

#include <algorithm>
#include <chrono>

#include "engine/compress/prune/compensation.h"
#include "engine/compress/prune/l1_reconstruction.h"
#include "engine/compress/prune/least_squares.h"
#include "engine/compress/prune/sparsegpt.h"
#include "engine/compress/prune/structure.h"
#include "engine/compress/prune/unit_selection.h"
#include "engine/compress/prune/wanda.h"
#include "engine/compress/quantize/awq.h"
#include "engine/compress/quantize/gptq.h"
#include "engine/compress/quantize/rtn.h"
#include "engine/compress/quantize/signround.h"
#include "engine/compress/quantize/smooth.h"

namespace pareto::compress {

namespace {

double secondsSince(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// AWQ does not clip query and key: errors of their products are not those of their outputs.
bool isClipped(LayerRole role) { return role != LayerRole::Query && role != LayerRole::Key; }

/// Scales multiply onto those that were there.
void multiplyOnto(std::vector<float>& held, std::span<const float> by) {
    if (held.empty()) {
        held.assign(by.size(), 1.0F);
    }
    for (std::size_t at = 0; at < held.size(); ++at) {
        held[at] *= by[at];
    }
}

/// The lines of a cut layer's matrix in the one it had with `units` units; `layer` becomes that one.
UnitLines linesBefore(LayerInfo& layer, std::int64_t units, const std::vector<std::int64_t>& kept) {
    const auto left = static_cast<std::int64_t>(kept.size());
    std::int64_t& side = writesStream(layer.role) ? layer.cols : layer.rows;
    side = side / left * units;
    return linesOfUnits(layer, units, kept);
}

/// What is gone comes back as zeros: `values` [rows][cols] at the given rows or columns of a larger matrix.
std::vector<float> spread(const std::vector<float>& values, const UnitLines& lines, std::int64_t rows,
                          std::int64_t cols) {
    std::vector<float> out(static_cast<std::size_t>(rows * cols));
    const auto count = static_cast<std::int64_t>(lines.lines.size());
    for (std::int64_t row = 0; row < (lines.columns ? rows : count); ++row) {
        for (std::int64_t col = 0; col < (lines.columns ? count : cols); ++col) {
            const std::int64_t toRow = lines.columns ? row : lines.lines[static_cast<std::size_t>(row)];
            const std::int64_t toCol = lines.columns ? lines.lines[static_cast<std::size_t>(col)] : col;
            const std::int64_t width = lines.columns ? count : cols;
            out[static_cast<std::size_t>(toRow * cols + toCol)] = values[static_cast<std::size_t>(row * width + col)];
        }
    }
    return out;
}

}  // namespace

SparsityPattern patternOf(const LayerPlan& plan) {
    return {plan.sparsity, plan.keepOf, plan.groupOf, plan.tileRows, plan.tileCols};
}

BlockPass::BlockPass(BlockPassJob job, BlockInputs& inputs, Progress& progress, std::stop_token stop,
                     const CompressTools& tools)
    : m_job(job), m_inputs(inputs), m_progress(progress), m_stop(std::move(stop)), m_tools(tools) {}

bool BlockPass::isCalibratedBlock(const BlockInfo& block) const {
    const auto cuts = [&](int group) {
        return group >= 0 && isCalibrated(m_job.plans.groups[static_cast<std::size_t>(group)]);
    };
    return m_job.measures || cuts(block.attention) || cuts(block.crossAttention) || cuts(block.feedForward) ||
           std::any_of(block.layers.begin(), block.layers.end(), [&](int index) { return isCalibrated(plan(index)); });
}

bool BlockPass::rounds(int index) const {
    const auto& held = m_job.model.weight(layer(index)).format();
    return m_job.rounds && plan(index).format.isInteger() && !(held == plan(index).format);
}

LayerContext BlockPass::contextOf(const LayerInfo& layer) const {
    return {{layout().name, layer.name + ".weight"}, m_tools.math, m_stop, m_tools.parallel};
}

Status BlockPass::run() {
    const auto& blocks = layout().blocks;
    int last = -1;
    for (std::size_t index = 0; index < blocks.size(); ++index) {
        const int number = static_cast<int>(index);
        last = isCalibratedBlock(blocks[index]) && !gone(number) ? number : last;
    }
    m_progress.begin(m_job.rounds ? Stage::Quantizing : Stage::Pruning, last + 1, Unit::Layers);
    for (int number = 0; number <= last; ++number) {
        if (!gone(number)) {
            PARETO_CHECK(compressBlock(number));
            if (number < last) {
                PARETO_CHECK(replaceInputs(number));
                PARETO_CHECK(m_inputs.pass(number, m_stop));
            }
        }
        m_progress.advance();
    }
    if (m_unfolded > 0) {
        m_notes.push_back("the inputs of " + std::to_string(m_unfolded) +
                          " layers could not be scaled: nothing stands before them that a scale can be folded into");
    }
    return Done{};
}

Status BlockPass::compressBlock(int number) {
    const BlockInfo& block = layout().blocks[static_cast<std::size_t>(number)];
    Measured measured;
    if (isCalibratedBlock(block)) {
        PARETO_TRY(measured, m_inputs.measure(number, m_stop));
    }
    Measured seen = measured;
    PARETO_CHECK(cutUnits(number, seen));
    PARETO_CHECK(scaleInputs(number, seen));
    for (const int index : block.layers) {
        if (m_stop.stop_requested()) {
            return Cancelled{};
        }
        const LayerInfo& info = layer(index);
        if (!info.tiedTo.empty()) {
            continue;
        }
        const auto found = seen.find(info.name);
        PARETO_CHECK(compressLayer(index, found == seen.end() ? nullptr : found->second.get()));
        if (const auto as = measured.find(info.name); as != measured.end()) {
            m_outcomes[index].quality =
                outputQuality(m_job.reference.weight(info), acting(index), *as->second, contextOf(info));
        }
    }
    findSpectra(block, measured);
    // Weights are compared with the original ones of the units that are left.
    for (const int group : {block.attention, block.crossAttention, block.feedForward}) {
        if (m_cutHere.contains(group)) {
            compress::cutGroup(m_job.reference, group, m_job.kept[static_cast<std::size_t>(group)]);
        }
    }
    releaseOriginals(block);
    return Done{};
}

/// The original's weights of a block that is done are not looked at again soon.
void BlockPass::releaseOriginals(const BlockInfo& block) const {
    for (const int index : block.layers) {
        releasePages(m_job.reference.weight(layer(index)));
    }
}

/// Eigenvalues are found on one core: several layers at a time.
void BlockPass::findSpectra(const BlockInfo& block, const Measured& measured) {
    std::vector<int> layers;
    std::copy_if(block.layers.begin(), block.layers.end(), std::back_inserter(layers), [&](int index) {
        return layer(index).tiedTo.empty() && measured.contains(layer(index).name);
    });
    std::vector<std::optional<Spectrum>> found(layers.size());
    m_tools.parallel(static_cast<std::int64_t>(layers.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto at = static_cast<std::size_t>(begin); at < static_cast<std::size_t>(end); ++at) {
            const LayerInfo& info = layer(layers[at]);
            found[at] = spectrumOf(m_job.reference.weight(info), acting(layers[at]), contextOf(info));
        }
    });
    for (std::size_t at = 0; at < layers.size(); ++at) {
        m_outcomes[layers[at]].spectrum = std::move(found[at]);
    }
}

Status BlockPass::cutUnits(int number, Measured& seen) {
    const BlockInfo& block = layout().blocks[static_cast<std::size_t>(number)];
    for (const int group : {block.attention, block.crossAttention, block.feedForward}) {
        if (group >= 0 && isCalibrated(m_job.plans.groups[static_cast<std::size_t>(group)])) {
            PARETO_CHECK(cutGroup(group, seen));
        }
    }
    return Done{};
}

Status BlockPass::cutGroup(int group, Measured& seen) {
    const GroupInfo info = layout().groups[static_cast<std::size_t>(group)];
    const GroupPlan& how = m_job.plans.groups[static_cast<std::size_t>(group)];
    const int reader = outputLayer(layout(), group);
    const std::string name = layer(reader).name;
    const auto found = seen.find(name);
    const LayerContext context = contextOf(layer(reader));
    if (found == seen.end()) {
        return badValues(context.label, 0, "calibration never reached this layer");
    }
    const auto start = std::chrono::steady_clock::now();
    const InputStatistics& statistics = *found->second;
    const Tensor weight = m_job.model.weight(layer(reader));
    const std::int64_t width = weight.shape[1] / info.units;
    std::vector<std::int64_t> kept;
    std::optional<Tensor> compensated;
    if (how.method == PruneMethod::Second) {
        SecondOrderUnits options;
        options.width = width;
        options.remove = how.remove;
        PARETO_TRY(auto selection, selectBySecondOrder(weight, options, statistics, context));
        kept = std::move(selection.kept);
        compensated = std::move(selection.weight);
    } else if (how.method == PruneMethod::Fluctuation) {
        PARETO_TRY(const auto importance, unitFluctuation(weight, width, statistics, context));
        kept = keepStrongest(importance, how.remove);
    } else {
        kept = keepStrongest(m_job.model, group, m_job.importance, how.remove);
    }
    const auto columns = columnsOfUnits(kept, width);
    if (!compensated && how.compensation == Compensation::LeastSquares) {
        constexpr double kDamping = 0.01;
        PARETO_TRY(compensated, compensateByLeastSquares(weight, columns, statistics, kDamping, context));
    } else if (!compensated && how.compensation == Compensation::Bias) {
        const Tensor& held = m_job.model.tensors.at(name + ".bias");
        PARETO_TRY(Tensor bias, compensateByBias(weight, &held, columns, statistics, context));
        m_job.model.tensors.insert_or_assign(name + ".bias", std::move(bias));
    }
    m_cutHere[group] = info.units;
    m_job.kept[static_cast<std::size_t>(group)] = kept;
    compress::cutGroup(m_job.model, group, kept);
    if (compensated) {
        m_job.model.tensors.insert_or_assign(name + ".weight", std::move(*compensated));
    }
    found->second = std::make_shared<const InputStatistics>(restrictTo(statistics, columns));
    m_outcomes[reader].seconds += secondsSince(start);
    return Done{};
}

Status BlockPass::scaleInputs(int number, Measured& seen) {
    const auto& block = layout().blocks[static_cast<std::size_t>(number)];
    const auto wants = [&](int index) { return plan(index).scaling != InputScaling::None && rounds(index); };
    m_unfolded += std::count_if(block.layers.begin(), block.layers.end(), wants);
    for (const auto& site : scalingSites(layout(), number)) {
        const auto same = [&](int index) {
            return wants(index) && plan(index).scaling == plan(site.readers.front()).scaling;
        };
        // Codes that stay as they are cannot take a scale.
        const bool open = site.source < 0 || rounds(site.source) ||
                          m_job.model.weight(layer(site.source)).isDense();
        if (open && std::all_of(site.readers.begin(), site.readers.end(), same)) {
            PARETO_CHECK(scaleInput(site, seen));
            m_unfolded -= static_cast<std::int64_t>(site.readers.size());
        }
    }
    return Done{};
}

Status BlockPass::scaleInput(const ScalingSite& site, Measured& seen) {
    const int first = site.readers.front();
    const auto found = seen.find(layer(first).name);
    if (found == seen.end()) {
        return badValues(contextOf(layer(first)).label, 0, "calibration never reached this layer");
    }
    const auto start = std::chrono::steady_clock::now();
    const auto statistics = found->second;
    std::vector<Tensor> linears;
    for (const int reader : site.readers) {
        linears.push_back(m_job.model.weight(layer(reader)));
    }
    const LayerPlan& how = plan(first);
    std::vector<float> scales;
    std::optional<double> strength;
    if (how.scaling == InputScaling::Awq) {
        PARETO_TRY(auto choice, searchScales(linears, how.format, *statistics, contextOf(layer(first))));
        scales = std::move(choice.scales);
        strength = choice.ratio;
    } else if (how.alpha) {
        scales = smoothScales(linears, *statistics, *how.alpha);
        strength = how.alpha;
    } else {
        PARETO_TRY(auto choice, searchSmoothing(linears, how.format, *statistics, contextOf(layer(first))));
        scales = std::move(choice.scales);
        strength = choice.alpha;
    }
    foldScales(m_job.model, site, scales, m_tools.parallel);
    const auto scaled = std::make_shared<const InputStatistics>(scaledStatistics(*statistics, scales));
    for (const int reader : site.readers) {
        seen[layer(reader).name] = scaled;
        multiplyOnto(m_outcomes[reader].colScales, scales);
        m_outcomes[reader].scaling = strength;
        m_outcomes[reader].seconds += secondsSince(start) / static_cast<double>(site.readers.size());
    }
    if (site.source >= 0) {
        multiplyOnto(m_outcomes[site.source].rowScales, scales);
    }
    return Done{};
}

Status BlockPass::compressLayer(int index, const InputStatistics* statistics) {
    const auto start = std::chrono::steady_clock::now();
    const Tensor before = m_job.model.weight(layer(index));
    PARETO_TRY(Tensor after, compressed(index, before, statistics));
    if (auto* held = std::get_if<QuantizedValues>(&after.storage);
        held != nullptr && held->format.activations == Activations::Int8Static && statistics != nullptr) {
        constexpr float kHalfCodes = 127.5F;
        held->inputScale =
            *std::max_element(statistics->largest.begin(), statistics->largest.end()) / kHalfCodes;
    }
    m_job.model.tensors.insert_or_assign(layer(index).name + ".weight", std::move(after));
    if (plan(index).biasCorrection && statistics != nullptr) {
        correctBias(index, before, *statistics);
    }
    if (statistics != nullptr) {
        m_outcomes[index].seconds += secondsSince(start);
    }
    return Done{};
}

Result<Tensor> BlockPass::compressed(int index, const Tensor& weight, const InputStatistics* statistics) {
    const LayerPlan& how = plan(index);
    const LayerContext context = contextOf(layer(index));
    if (isCalibrated(how) && statistics == nullptr) {
        return badValues(context.label, 0, "calibration never reached this layer");
    }
    if (isCalibrated(how)) {
        PARETO_CHECK(checkFinite(weight, context.label, m_tools.parallel));
    }
    const bool changes = m_job.rounds && !(weight.format() == how.format);
    const bool gptq = changes && how.quantizeMethod == QuantizeMethod::Gptq;
    Tensor out = weight;
    if (how.sparsity > 0.0 && (isCalibrated(how.method) || how.adjusts)) {
        if (how.method == PruneMethod::SparseGpt && gptq) {
            SparseGptOptions options;
            options.pattern = patternOf(how);
            options.codes = how.format;
            return pruneSparseGpt(weight, options, *statistics, context);
        }
        PARETO_TRY(out, pruned(index, weight, *statistics));
    }
    if (!changes) {
        return out;
    }
    if (gptq) {
        GptqOptions options;
        options.actOrder = how.actOrder;
        options.keepZeros = how.sparsity > 0.0;
        return quantizeGptq(out, how.format, options, *statistics, context);
    }
    if (how.quantizeMethod == QuantizeMethod::SignRound) {
        SignRoundOptions options;
        options.keepZeros = how.sparsity > 0.0;
        return quantizeSignRound(out, how.format, options, *statistics, context);
    }
    if (how.clip && isClipped(layer(index).role)) {
        PARETO_TRY(out, searchClip(out, how.format, *statistics, context));
    }
    return roundToNearest(out, how.format, context.label, m_stop, m_tools.parallel);
}

Result<Tensor> BlockPass::pruned(int index, const Tensor& weight, const InputStatistics& statistics) {
    const LayerPlan& how = plan(index);
    const LayerContext context = contextOf(layer(index));
    if (how.method == PruneMethod::SparseGpt) {
        SparseGptOptions options;
        options.pattern = patternOf(how);
        return pruneSparseGpt(weight, options, statistics, context);
    }
    if (how.method == PruneMethod::L1Reconstruction) {
        L1Options options;
        options.pattern = patternOf(how);
        PARETO_TRY(auto solution, pruneL1(weight, options, statistics, context));
        return std::move(solution.weight);
    }
    if (how.adjusts) {
        AdjustOptions options;
        options.pattern = patternOf(how);
        options.method = how.method;
        options.rounds = m_job.plans.recomputations;
        return pruneAdjusted(weight, options, statistics, context);
    }
    return pruneWanda(weight, patternOf(how), statistics, context);
}

void BlockPass::correctBias(int index, const Tensor& before, const InputStatistics& statistics) {
    const auto found = m_job.model.tensors.find(layer(index).name + ".bias");
    if (found == m_job.model.tensors.end()) {
        return;
    }
    auto bias = dequantize(found->second);
    std::vector<float> was(static_cast<std::size_t>(before.shape[1]));
    std::vector<float> is(was.size());
    const Tensor& after = m_job.model.weight(layer(index));
    for (std::size_t row = 0; row < bias.size(); ++row) {
        dequantizeRow(before, static_cast<std::int64_t>(row), was.data());
        dequantizeRow(after, static_cast<std::int64_t>(row), is.data());
        double missing = 0.0;
        for (std::size_t col = 0; col < was.size(); ++col) {
            missing += (static_cast<double>(was[col]) - is[col]) * statistics.means[col];
        }
        bias[row] += static_cast<float>(missing);
    }
    found->second = denseTensor(found->second.shape, bias);
}

Tensor BlockPass::acting(int index) const {
    Tensor out = m_job.model.weight(layer(index));
    const auto outcome = m_outcomes.find(index);
    if (outcome != m_outcomes.end() && !(outcome->second.rowScales.empty() && outcome->second.colScales.empty())) {
        out = rescaled(out, outcome->second.rowScales, outcome->second.colScales, m_tools.parallel);
    }
    const auto cut = m_cutHere.find(layer(index).group);
    if (cut == m_cutHere.end()) {
        return out;
    }
    LayerInfo whole = layer(index);
    const auto lines = linesBefore(whole, cut->second, m_job.kept[static_cast<std::size_t>(whole.group)]);
    const auto values = spread(dequantize(out, m_tools.parallel), lines, whole.rows, whole.cols);
    return denseTensor(Shape{whole.rows, whole.cols}, values);
}

Tensor BlockPass::actingBias(int index, const Tensor& held) const {
    auto values = dequantize(held);
    const auto outcome = m_outcomes.find(index);
    if (outcome != m_outcomes.end() && !outcome->second.rowScales.empty()) {
        for (std::size_t at = 0; at < values.size(); ++at) {
            values[at] *= outcome->second.rowScales[at];
        }
    }
    LayerInfo whole = layer(index);
    const auto cut = m_cutHere.find(whole.group);
    if (cut != m_cutHere.end()) {
        const auto lines = linesBefore(whole, cut->second, m_job.kept[static_cast<std::size_t>(whole.group)]);
        if (!lines.columns) {
            values = spread(values, lines, whole.rows, 1);
        }
    }
    return denseTensor(Shape{static_cast<std::int64_t>(values.size())}, values);
}

/// Nobody runs behind the last block: its weights stay as they came there.
Status BlockPass::replaceInputs(int number) {
    for (const int index : layout().blocks[static_cast<std::size_t>(number)].layers) {
        const LayerInfo& info = layer(index);
        if (!info.tiedTo.empty()) {
            continue;
        }
        std::optional<Tensor> bias;
        if (const Tensor* held = m_job.model.bias(info)) {
            bias = actingBias(index, *held);
        }
        PARETO_CHECK(m_inputs.replace(info.name, acting(index), bias ? &*bias : nullptr));
    }
    return Done{};
}

}  // namespace pareto::compress
