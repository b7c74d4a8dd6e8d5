#include "engine/jobs/run/memory_need.h"

#include <algorithm>

#include "engine/bench/memory.h"
#include "engine/compress/gradient_pass.h"
#include "engine/jobs/run/block_inputs.h"
#include "engine/runtime/block_cache.h"

namespace pareto::jobs {

namespace {

/// What a pass needs beside weights: a generous count of the widest rows alive at once.
std::uint64_t workspace(const ModelLayout& layout, const Target& target, models::CacheFormat cache) {
    std::int64_t widest = layout.hidden;
    std::int64_t heads = 1;
    std::int64_t sourceWidth = 0;  // keys and values of the source that a decoder attends to
    for (const auto& block : layout.blocks) {
        widest = std::max(widest, block.neurons);
        heads = std::max(heads, block.heads);
        sourceWidth += 2 * block.crossHeads * layout.headDim;
    }
    const auto length = layout.generates() ? target.prompt : target.sequence;
    const auto tokens = target.batch * length;
    auto values = tokens * (6 * layout.hidden + 3 * widest) + target.batch * heads * length * length;
    if (layout.generates()) {
        values += target.batch * layout.vocabulary;
        values += target.batch * target.prompt * sourceWidth;
    }
    const auto held = layout.generates()
                          ? cacheBytes(layout, target.batch, target.prompt + target.generate, cache)
                          : 0;
    return held + static_cast<std::uint64_t>(std::max<std::int64_t>(values, 0)) * sizeof(float);
}

/// The samples' model in fp32, their hidden states (in a file beyond the limit of blockInputsOf), what one block's
/// inputs are summed to, with the copies that methods make of the widest. Gradients: the Fisher information of as many
/// layers as pruneByGradients takes at once, a gradient a weight, and what one sample's graph keeps.
std::uint64_t calibrationNeed(const ModelLayout& layout, const CalibrationSpec& texts, bool gradients) {
    std::uint64_t weights = 0;
    std::uint64_t widest = 0;
    for (const auto& layer : layout.layers) {
        if (layer.block >= 0) {
            weights += static_cast<std::uint64_t>(layer.rows * layer.cols) * sizeof(float);
            widest = std::max(widest, static_cast<std::uint64_t>(layer.cols));
        }
    }
    const auto hidden = static_cast<std::uint64_t>(layout.hidden);
    const auto states = static_cast<std::uint64_t>(texts.samples) * static_cast<std::uint64_t>(texts.length) * hidden *
                        sizeof(float);
    const std::uint64_t sums = 3 * hidden * hidden * sizeof(float) + widest * widest * (2 * sizeof(float) + 2 * sizeof(double));
    auto need = weights + std::min(states, kStateBytes) + sums;
    if (gradients) {
        const auto tokens = static_cast<std::uint64_t>(texts.length);
        const auto graph = layout.blocks.size() * tokens * (10 * hidden + 4 * widest) * sizeof(float);
        need += compress::kFisherBytes + weights + graph;
    }
    return need;
}

}  // namespace

std::uint64_t cacheBytes(const ModelLayout& layout, std::int64_t sequences, std::int64_t tokens,
                         models::CacheFormat format) {
    const std::int64_t head = runtime::BlockCache::headBytes(format, layout.headDim);
    std::int64_t heads = 0;
    for (const auto& block : layout.blocks) {
        // The encoder of an encoder-decoder model holds nothing.
        heads += !layout.isSeq2Seq() || block.crossAttention >= 0 ? block.kvHeads : 0;
    }
    return static_cast<std::uint64_t>(2 * sequences * tokens * heads * head);
}

std::uint64_t needToOpen(const io::ModelFiles& files, const ModelLayout& layout) {
    if (files.format() == io::Format::Gguf) {
        // Blocks are expanded to fp32 values of the process's own.
        return estimate(layout).bytes;
    }
    // Mapped; what is converted (biases, norms) is little.
    std::uint64_t converted = 0;
    for (const auto& tensor : layout.plain) {
        converted += static_cast<std::uint64_t>(tensor.shape.elements()) * sizeof(float);
    }
    for (const auto& binding : layout.bindings) {
        if (binding.transform == Transform::Transpose) {
            converted += static_cast<std::uint64_t>(binding.shape.elements()) * sizeof(float);
        }
    }
    return converted;
}

std::uint64_t needToRun(const ModelLayout& original, const SizeEstimate& optimized,
                        const Target& target, const NeedOptions& options) {
    std::int64_t largest = 0;
    for (const auto& layer : original.layers) {
        largest = std::max(largest, layer.rows * layer.cols);
    }
    if (options.parts > 0) {
        // The original's part comes beside it, and one layer at a time is whole, in fp32, once before and once behind its recipe.
        const std::uint64_t both = optimized.bytes + (options.baseline ? estimate(original).bytes : 0);
        return both / static_cast<std::uint64_t>(options.parts) + 2 * static_cast<std::uint64_t>(largest) * sizeof(float) +
               workspace(original, target, options.cache);
    }
    auto need = optimized.bytes + workspace(original, target, options.cache);
    if (options.compresses) {
        // The logical form stands beside the packed one, and one layer at a time is fp32.
        need += optimized.bytes + 2 * static_cast<std::uint64_t>(largest) * sizeof(float);
    }
    if (options.calibration) {
        // All that is gone again before the model runs.
        need = std::max(need, optimized.bytes + calibrationNeed(original, *options.calibration, options.gradients));
    }
    if (options.baseline) {
        need += estimate(original).bytes;
    }
    return need;
}

std::uint64_t needToTrain(const ModelLayout& layout, const RecoverSpec& spec, const train::TrainingData& data,
                          const LoadedModel* teacher) {
    constexpr std::uint64_t kCopies = 5;  // values, gradients, two moments, the best
    std::int64_t longest = 1;
    for (const auto& example : data.examples) {
        longest = std::max(longest, static_cast<std::int64_t>(example.ids.size() + example.pair.size() + example.target.size()));
    }
    std::int64_t ofToken = layout.generates() ? 0 : layout.hidden;
    std::int64_t heads = 1;
    for (const auto& block : layout.blocks) {
        const std::int64_t attentions = block.crossAttention >= 0 ? 2 : 1;
        ofToken += block.repeats * ((4 + 8 * attentions) * layout.hidden + 4 * block.neurons);
        heads = std::max(heads, block.heads);
    }
    const std::int64_t tokens = spec.batch * longest;
    // Maps are kept where parts of them are dropped.
    const std::int64_t maps = spec.dropout > 0.0 && !layout.isDecoder()
                                  ? 3 * tokens * longest * heads * static_cast<std::int64_t>(layout.blocks.size())
                                  : 0;
    constexpr std::int64_t kLogits = std::int64_t{1} << 25;  // a decoder's, with their gradients
    const std::int64_t values = tokens * ofToken + maps + (layout.generates() ? kLogits : 0);
    const auto parameters = static_cast<std::uint64_t>(layout.parameters());
    const auto theirs = teacher != nullptr ? static_cast<std::uint64_t>(teacher->layout.parameters()) : 0;
    return (kCopies * parameters + theirs + static_cast<std::uint64_t>(values)) * sizeof(float);
}

Status checkMemory(const std::string& what, std::uint64_t need) {
    const auto free = bench::availableMemory();
    if (free == 0 || need <= free) {
        return Done{};
    }
    return makeError(ErrorCode::MemoryShort, {{"what", what},
                                              {"needed", std::to_string(need)},
                                              {"free", std::to_string(free)}});
}

}  // namespace pareto::jobs
