#include "engine/bench/layer_work.h"

#include <algorithm>
#include <string_view>

#include "engine/runtime/block_cache.h"

namespace pareto::bench {

namespace {

constexpr std::int64_t kFloat = sizeof(float);

/// Rows that a layer is given in one step, all its calls together.
std::int64_t inputsOf(const ModelLayout& layout, const LayerInfo& layer, const StepShape& step) {
    const bool prefill = step.kind == StepShape::Kind::Prefill;
    const std::int64_t all = step.batch * step.tokens;
    if (layer.block >= 0) {
        const auto& block = layout.blocks[static_cast<std::size_t>(layer.block)];
        if (!layout.isSeq2Seq()) {
            return all * block.repeats;
        }
        const bool ofSource = block.crossAttention < 0 ||
                              (layer.group == block.crossAttention &&
                               (layer.role == LayerRole::Key || layer.role == LayerRole::Value));
        return ofSource ? (prefill ? step.batch * step.source : 0) : step.batch;
    }
    if (layer.isEmbedding()) {
        return layout.isSeq2Seq() ? step.batch * (1 + (prefill ? step.source : 0)) : all;
    }
    // A head of texts, of one masked token, or of the last token; or of every token.
    const bool everyToken = layer.role == LayerRole::Projection ||
                            layout.outputs == Outputs::TokenClasses ||
                            layout.outputs == Outputs::AnswerSpan;
    return everyToken ? all : step.batch;
}

PhaseWork layerWork(const models::Model& model, const LayerInfo& layer, const StepShape& step) {
    const std::int64_t inputs = inputsOf(model.layout(), layer, step);
    const auto held = static_cast<std::int64_t>(model.bytesOf(layer.name));
    if (layer.isEmbedding()) {
        const std::int64_t row = layer.rows > 0 ? held / layer.rows : 0;
        return {0, static_cast<std::uint64_t>(inputs * (row + layer.cols * kFloat))};
    }
    return {2 * layer.rows * layer.cols * inputs,
            static_cast<std::uint64_t>(held + inputs * (layer.cols + layer.rows) * kFloat)};
}

/// Queries and keys of one attention in one step, of one item.
struct Attended {
    std::int64_t heads = 0;
    std::int64_t keyHeads = 0;
    std::int64_t queries = 0;
    std::int64_t pairs = 0;
    std::int64_t appended = 0;   ///< keys that come as fp32 beside the cache
    std::int64_t read = 0;       ///< keys read from where they are held
    std::int64_t headBytes = 0;  ///< of one held key, or value, of one head
    std::int64_t repeats = 1;
};

Attended causal(const ModelLayout& layout, const BlockInfo& block, std::int64_t tokens,
                std::int64_t past) {
    Attended out{block.heads,
                 block.kvHeads,
                 tokens,
                 0,
                 tokens,
                 0,
                 runtime::BlockCache::headBytes(layout.cache, layout.headDim),
                 1};
    for (std::int64_t t = 0; t < tokens; ++t) {
        out.pairs += block.window > 0 ? std::min(past + t + 1, block.window) : past + t + 1;
    }
    out.read =
        block.window > 0 ? std::min(past + tokens, block.window + tokens - 1) : past + tokens;
    return out;
}

/// Each token sees each; keys and values are used as the layers before left them.
Attended whole(std::int64_t heads, std::int64_t queries, std::int64_t keys, std::int64_t headDim) {
    return {heads, heads, queries, queries * keys, 0, keys, headDim * kFloat, 1};
}

PhaseWork attentionWork(const ModelLayout& layout, const Attended& one, std::int64_t batch) {
    const std::int64_t width = layout.headDim * kFloat;
    const std::int64_t bytes = 2 * one.queries * one.heads * width +
                               2 * one.keyHeads * (one.appended * width + one.read * one.headBytes);
    return {4 * one.heads * layout.headDim * one.pairs * batch * one.repeats,
            static_cast<std::uint64_t>(bytes * batch * one.repeats)};
}

PhaseWork scoresWork(const ModelLayout& layout, const BlockInfo& block, bool cross,
                     const StepShape& step) {
    Attended one;
    if (cross) {
        one = whole(block.crossHeads, 1, step.source, layout.headDim);
    } else if (layout.isEncoder()) {
        one = whole(block.heads, step.tokens, step.tokens, layout.headDim);
        one.repeats = block.repeats;
    } else if (layout.isSeq2Seq() && block.crossAttention < 0) {
        one = whole(block.heads, step.source, step.source, layout.headDim);
    } else {
        one = causal(layout, block, layout.isSeq2Seq() ? 1 : step.tokens, step.past);
    }
    return attentionWork(layout, one, step.batch);
}

}  // namespace

std::string nameOf(StepShape::Kind kind) {
    switch (kind) {
    case StepShape::Kind::Pass:
        return "pass";
    case StepShape::Kind::Prefill:
        return "prefill";
    case StepShape::Kind::Decode:
        return "decode";
    }
    return {};
}

PhaseWork workOf(const models::Model& model, const std::string& phase, const StepShape& step) {
    const auto& layout = model.layout();
    if (const auto* layer = layout.findLayer(phase)) {
        return layerWork(model, *layer, step);
    }
    for (const auto& block : layout.blocks) {
        const bool cross = phase == block.name + ".cross.scores";
        if (cross || phase == block.name + ".attention.scores") {
            return scoresWork(layout, block, cross, step);
        }
    }
    return {};
}

Arithmetic arithmeticOf(const std::string& kernel) {
    const auto has = [&](std::string_view text) { return kernel.find(text) != std::string::npos; };
    const bool codes =
        has("int8 dynamic") || has("int8 static") || has("int4 dynamic") || has("int4 static");
    if (codes && !has("rounded inputs")) {
        return Arithmetic::Int8;
    }
    // The CPU's products unpack half precision and multiply in fp32; its attention may round to it.
    return (has("cuda") && (has("fp16") || has("bf16"))) || has("attention in bf16") ? Arithmetic::Fp16 : Arithmetic::Fp32;
}

}  // namespace pareto::bench
