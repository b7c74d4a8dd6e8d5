#include "engine/export/gguf_metadata.h"

#include <algorithm>
#include <cmath>

namespace pareto::exporting {

namespace {

/// llama.h, llama_pooling_type.
enum PoolingType : std::uint32_t { kNone = 0, kMean = 1, kCls = 2, kLast = 3, kRank = 4 };

/// llama.cpp's name of a scaling; empty: it has none, or it stands in a tensor of factors.
std::string_view scalingName(RopeSettings::Scaling scaling) {
    switch (scaling) {
    case RopeSettings::Scaling::Linear:
        return "linear";
    case RopeSettings::Scaling::Yarn:
        return "yarn";
    case RopeSettings::Scaling::LongRope:
        return "longrope";
    default:
        return {};
    }
}

std::uint32_t poolingOf(const ModelLayout& layout) {
    if (layout.isClassifier()) {
        return kRank;
    }
    for (const auto& step : layout.head) {
        if (step.kind == HeadStep::Kind::Pool) {
            return step.pooling == Pooling::Mean  ? kMean
                   : step.pooling == Pooling::Cls       ? kCls
                   : step.pooling == Pooling::LastToken ? kLast
                                                        : kNone;
        }
    }
    return kNone;
}

class Entries {
public:
    Entries(const ModelLayout& layout, const GgufPlan& plan) : m_layout(layout), m_plan(plan) {}

    std::vector<io::GgufEntry> run() {
        add("general.architecture", m_plan.architecture);
        add("general.type", std::string("model"));
        add("general.name", m_layout.name);
        add("general.file_type", m_plan.fileType);
        add("general.quantization_version", std::uint32_t{2});
        addSizes();
        addNorms();
        if (m_layout.positions == Positions::Rotary) {
            addRope();
        }
        if (m_layout.isEncoder()) {
            addEncoder();
        }
        if (m_layout.positions == Positions::RelativeBias) {
            own("attention.relative_buckets_count",
                static_cast<std::uint32_t>(m_layout.relativeBuckets));
        }
        if (m_layout.isSeq2Seq() && m_layout.decoderStartId >= 0) {
            own("decoder_start_token_id", static_cast<std::uint32_t>(m_layout.decoderStartId));
        }
        addWindow();
        addCaps();
        return std::move(m_out);
    }

private:
    void add(std::string key, io::GgufValue value) {
        m_out.push_back({std::move(key), std::move(value)});
    }
    void own(std::string_view key, io::GgufValue value) {
        add(m_plan.architecture + "." + std::string(key), std::move(value));
    }
    void ownNumber(std::string_view key, double value) { own(key, static_cast<float>(value)); }

    /// One number where all blocks agree, else one a block.
    void addPerBlock(std::string_view key, std::int64_t BlockInfo::*size) {
        const auto& blocks = m_layout.blocks;
        if (std::all_of(blocks.begin(), blocks.end(), [&](const BlockInfo& block) {
                return block.*size == blocks.front().*size;
            })) {
            own(key, static_cast<std::uint32_t>(blocks.front().*size));
            return;
        }
        std::vector<std::int32_t> sizes;
        for (const auto& block : blocks) {
            sizes.push_back(static_cast<std::int32_t>(block.*size));
        }
        own(key, std::move(sizes));
    }

    void addSizes() {
        const auto decoderBlocks = std::count_if(
            m_layout.blocks.begin(), m_layout.blocks.end(),
            [](const BlockInfo& block) { return block.crossAttention >= 0; });
        const auto blocks = static_cast<std::int64_t>(m_layout.blocks.size()) - decoderBlocks;
        own("vocab_size", static_cast<std::uint32_t>(m_layout.vocabulary));
        // A model without a limit is used with contexts of any length; llama.cpp wants a number.
        constexpr std::int64_t kNoLimit = 512;
        own("context_length", static_cast<std::uint32_t>(
                                  m_layout.maxPositions > 0 ? m_layout.maxPositions : kNoLimit));
        own("embedding_length", static_cast<std::uint32_t>(m_layout.hidden));
        own("block_count", static_cast<std::uint32_t>(blocks));
        if (decoderBlocks > 0) {
            own("decoder_block_count", static_cast<std::uint32_t>(decoderBlocks));
        }
        addPerBlock("feed_forward_length", &BlockInfo::neurons);
        addPerBlock("attention.head_count", &BlockInfo::heads);
        addPerBlock("attention.head_count_kv", &BlockInfo::kvHeads);
        own("attention.key_length", static_cast<std::uint32_t>(m_layout.headDim));
        own("attention.value_length", static_cast<std::uint32_t>(m_layout.headDim));
    }

    void addNorms() {
        ownNumber(m_layout.norm == NormKind::RmsNorm ? "attention.layer_norm_rms_epsilon"
                                                     : "attention.layer_norm_epsilon",
                  m_layout.normEpsilon);
    }

    void addRope() {
        // Blocks that see everything come first in what the names mean; others have a key of their own.
        const auto global = std::find_if(m_layout.blocks.begin(), m_layout.blocks.end(),
                                         [](const BlockInfo& block) { return block.window == 0; });
        const auto local = std::find_if(m_layout.blocks.begin(), m_layout.blocks.end(),
                                        [](const BlockInfo& block) { return block.window > 0; });
        const auto ropeOf = [&](const BlockInfo& block) -> const RopeSettings& {
            return m_layout.ropes[static_cast<std::size_t>(block.rope)];
        };
        const RopeSettings& rope =
            global != m_layout.blocks.end() ? ropeOf(*global) : m_layout.ropes.front();
        own("rope.dimension_count", static_cast<std::uint32_t>(
                                        rope.rotatedDims > 0 ? rope.rotatedDims : m_layout.headDim));
        ownNumber("rope.freq_base", rope.theta);
        if (local != m_layout.blocks.end() && ropeOf(*local).theta != rope.theta) {
            ownNumber("rope.freq_base_swa", ropeOf(*local).theta);
        }
        const auto scaling = scalingName(rope.scaling);
        if (scaling.empty()) {
            return;
        }
        own("rope.scaling.type", std::string(scaling));
        ownNumber("rope.scaling.factor", rope.factor);
        if (rope.originalPositions > 0) {
            own("rope.scaling.original_context_length",
                static_cast<std::uint32_t>(rope.originalPositions));
        }
        if (rope.scaling == RopeSettings::Scaling::Yarn) {
            ownNumber("rope.scaling.yarn_beta_fast", rope.betaFast);
            ownNumber("rope.scaling.yarn_beta_slow", rope.betaSlow);
        }
        if (rope.attentionFactor > 0.0) {
            ownNumber("rope.scaling.attn_factor", rope.attentionFactor);
        }
    }

    void addEncoder() {
        own("attention.causal", false);
        own("pooling_type", poolingOf(m_layout));
        if (m_layout.isClassifier()) {
            own("classifier.output_labels", m_layout.labels);
        }
        add("tokenizer.ggml.token_type_count",
            static_cast<std::uint32_t>(std::max<std::int64_t>(1, m_layout.typeVocabulary)));
    }

    void addWindow() {
        std::int64_t window = 0;
        std::vector<bool> slides;
        for (const auto& block : m_layout.blocks) {
            window = std::max(window, block.window);
            slides.push_back(block.window > 0);
        }
        if (window > 0) {
            own("attention.sliding_window", static_cast<std::uint32_t>(window));
            own("attention.sliding_window_pattern", std::move(slides));
        }
    }

    void addCaps() {
        if (m_layout.attentionSoftcap > 0.0) {
            ownNumber("attn_logit_softcapping", m_layout.attentionSoftcap);
        }
        if (m_layout.logitSoftcap > 0.0) {
            ownNumber("final_logit_softcapping", m_layout.logitSoftcap);
        }
    }

    const ModelLayout& m_layout;
    const GgufPlan& m_plan;
    std::vector<io::GgufEntry> m_out;
};

/// Families whose graphs in llama.cpp know sliding windows.
bool slides(Family family) { return family == Family::Gemma2 || family == Family::Gemma3; }

}  // namespace

std::vector<io::GgufEntry> ggufModelEntries(const ModelLayout& layout, const GgufPlan& plan) {
    return Entries(layout, plan).run();
}

std::vector<std::string> ggufGraphNotes(const ModelLayout& layout) {
    std::vector<std::string> notes;
    const bool windows = std::any_of(
        layout.blocks.begin(), layout.blocks.end(), [&](const BlockInfo& block) {
            return block.window > 0 &&
                   (layout.maxPositions == 0 || block.window < layout.maxPositions);
        });
    if (windows && !slides(layout.family)) {
        notes.push_back("llama.cpp knows no sliding windows in this architecture: texts longer than "
                        "the window come out differently there.");
    }
    const auto unknown = [](const RopeSettings& rope) {
        return rope.scaling == RopeSettings::Scaling::Dynamic;
    };
    if (std::any_of(layout.ropes.begin(), layout.ropes.end(), unknown)) {
        notes.push_back("llama.cpp does not know dynamic scaling of rotary positions: texts beyond the "
                        "original length come out differently there.");
    }
    const double usual = 1.0 / std::sqrt(static_cast<double>(layout.headDim));
    if (layout.attentionScale > 0.0 && std::fabs(layout.attentionScale - usual) > 1e-6 &&
        layout.family != Family::T5) {
        notes.push_back("llama.cpp scales attention by the size of a head; this model has a factor of "
                        "its own: texts come out differently there.");
    }
    if (layout.logitScale != 1.0) {
        notes.push_back("llama.cpp does not scale this model's logits: greedy text is the same there, "
                        "likelihoods are not.");
    }
    const auto pool = std::find_if(layout.head.begin(), layout.head.end(), [](const HeadStep& step) {
        return step.kind == HeadStep::Kind::Pool;
    });
    if (pool != layout.head.end() && poolingOf(layout) == kNone) {
        notes.push_back("llama.cpp does not know this model's pooling: the file gives a vector a token.");
    }
    return notes;
}

}  // namespace pareto::exporting
