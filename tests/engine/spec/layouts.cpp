#include "layouts.h"

using namespace pareto;

namespace {

constexpr std::int64_t kWidth = 32;
constexpr std::int64_t kNeurons = 64;
constexpr std::int64_t kVocabulary = 100;

struct Maker {
    ModelLayout out;

    void layer(const std::string& name, LayerRole role, std::int64_t rows, std::int64_t cols, bool bias) {
        LayerInfo info;
        info.name = name;
        info.role = role;
        info.rows = rows;
        info.cols = cols;
        info.hasBias = bias;
        info.block = m_block;
        info.group = m_group;
        const int index = static_cast<int>(out.layers.size());
        if (m_block >= 0) {
            out.blocks.back().layers.push_back(index);
        }
        if (m_group >= 0) {
            out.groups.back().layers.push_back(index);
        }
        out.layers.push_back(info);
    }
    void block(const std::string& name, std::int64_t heads, std::int64_t kvHeads) {
        m_block = static_cast<int>(out.blocks.size());
        BlockInfo info;
        info.name = name;
        info.sourceIndex = m_block;
        info.heads = heads;
        info.kvHeads = kvHeads;
        info.neurons = kNeurons;
        out.blocks.push_back(info);
    }
    void group(const std::string& name, GroupKind kind, std::int64_t units) {
        m_group = static_cast<int>(out.groups.size());
        auto& owner = out.blocks.back();
        (kind == GroupKind::Attention ? owner.attention : owner.feedForward) = m_group;
        out.groups.push_back({name, kind, m_block, units, {}});
    }
    void outside() { m_block = m_group = -1; }
    void plain(const std::string& name) { out.plain.push_back({name, Shape{kWidth}, m_block}); }

private:
    int m_block = -1;
    int m_group = -1;
};

}  // namespace

ModelLayout bertLayout() {
    Maker make;
    make.out.family = Family::Bert;
    make.out.hidden = kWidth;
    make.out.headDim = 8;
    make.layer("embeddings.word", LayerRole::Embedding, kVocabulary, kWidth, false);
    make.plain("embeddings.norm.weight");
    for (int i = 0; i < 4; ++i) {
        const auto name = "encoder.layer." + std::to_string(i);
        make.block(name, 4, 4);
        make.group(name + ".attention", GroupKind::Attention, 4);
        make.layer(name + ".attention.query", LayerRole::Query, kWidth, kWidth, true);
        make.layer(name + ".attention.key", LayerRole::Key, kWidth, kWidth, true);
        make.layer(name + ".attention.value", LayerRole::Value, kWidth, kWidth, true);
        make.layer(name + ".attention.output", LayerRole::AttentionOutput, kWidth, kWidth, true);
        make.group(name + ".ffn", GroupKind::FeedForward, kNeurons);
        make.layer(name + ".ffn.in", LayerRole::FfnIn, kNeurons, kWidth, true);
        make.layer(name + ".ffn.out", LayerRole::FfnDown, kWidth, kNeurons, true);
        make.plain(name + ".ffn.norm.weight");
        make.outside();
    }
    make.layer("classifier", LayerRole::Head, 2, kWidth, true);
    return make.out;
}

ModelLayout llamaLayout() {
    Maker make;
    make.out.family = Family::Llama;
    make.out.hidden = kWidth;
    make.out.headDim = 8;
    make.layer("embeddings.word", LayerRole::Embedding, kVocabulary, kWidth, false);
    for (int i = 0; i < 4; ++i) {
        const auto name = "decoder.layer." + std::to_string(i);
        make.block(name, 4, 2);
        make.group(name + ".attention", GroupKind::Attention, 2);
        make.layer(name + ".attention.query", LayerRole::Query, 32, kWidth, false);
        make.layer(name + ".attention.key", LayerRole::Key, 16, kWidth, false);
        make.layer(name + ".attention.value", LayerRole::Value, 16, kWidth, false);
        make.layer(name + ".attention.output", LayerRole::AttentionOutput, kWidth, 32, false);
        make.group(name + ".ffn", GroupKind::FeedForward, kNeurons);
        make.layer(name + ".ffn.gate", LayerRole::FfnGate, kNeurons, kWidth, false);
        make.layer(name + ".ffn.up", LayerRole::FfnUp, kNeurons, kWidth, false);
        make.layer(name + ".ffn.down", LayerRole::FfnDown, kWidth, kNeurons, false);
        make.plain(name + ".ffn.norm.weight");
        make.outside();
    }
    make.layer("lm_head", LayerRole::Head, kVocabulary, kWidth, false);
    make.out.layers.back().tiedTo = "embeddings.word";
    return make.out;
}
