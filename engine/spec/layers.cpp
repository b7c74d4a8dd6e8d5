#include "engine/spec/layers.h"

#include <algorithm>
#include <array>

namespace pareto {
namespace {

constexpr std::array kFamilies{
    FamilyInfo{Family::Bert, "bert", ModelKind::Encoder},
    FamilyInfo{Family::Roberta, "roberta", ModelKind::Encoder},
    FamilyInfo{Family::DistilBert, "distilbert", ModelKind::Encoder},
    FamilyInfo{Family::Electra, "electra", ModelKind::Encoder},
    FamilyInfo{Family::Mpnet, "mpnet", ModelKind::Encoder},
    FamilyInfo{Family::Albert, "albert", ModelKind::Encoder},
    FamilyInfo{Family::Gpt2, "gpt2", ModelKind::Decoder},
    FamilyInfo{Family::Llama, "llama", ModelKind::Decoder},
    FamilyInfo{Family::Mistral, "mistral", ModelKind::Decoder},
    FamilyInfo{Family::Qwen2, "qwen2", ModelKind::Decoder},
    FamilyInfo{Family::Qwen3, "qwen3", ModelKind::Decoder},
    FamilyInfo{Family::Gemma2, "gemma2", ModelKind::Decoder},
    FamilyInfo{Family::Gemma3, "gemma3", ModelKind::Decoder},
    FamilyInfo{Family::T5, "t5", ModelKind::Seq2Seq},
    FamilyInfo{Family::Marian, "marian", ModelKind::Seq2Seq},
};

const FamilyInfo& infoOf(Family family) {
    return *std::find_if(kFamilies.begin(), kFamilies.end(),
                         [&](const FamilyInfo& info) { return info.family == family; });
}

}  // namespace

std::span<const FamilyInfo> familyTable() { return kFamilies; }
std::string familyName(Family family) { return std::string(infoOf(family).name); }
ModelKind kindOf(Family family) { return infoOf(family).kind; }

std::int64_t ModelLayout::headsOf(const GroupInfo& group) const {
    const auto& block = blocks[static_cast<std::size_t>(group.block)];
    return group.cross ? block.crossHeads : block.heads;
}

std::int64_t ModelLayout::kvHeadsOf(const GroupInfo& group) const {
    const auto& block = blocks[static_cast<std::size_t>(group.block)];
    return group.cross ? block.crossHeads : block.kvHeads;
}

bool ModelLayout::hasPlain(const std::string& wanted) const {
    return std::any_of(plain.begin(), plain.end(),
                       [&](const PlainTensor& tensor) { return tensor.name == wanted; });
}

int ModelLayout::layerIndex(const std::string& wanted) const {
    for (std::size_t i = 0; i < layers.size(); ++i) {
        if (layers[i].name == wanted) {
            return static_cast<int>(i);
        }
    }
    return -1;
}

const LayerInfo* ModelLayout::findLayer(const std::string& wanted) const {
    const int index = layerIndex(wanted);
    return index < 0 ? nullptr : &layers[static_cast<std::size_t>(index)];
}

std::int64_t ModelLayout::parameters() const {
    std::int64_t sum = 0;
    for (const auto& layer : layers) {
        sum += layer.parameters();
    }
    for (const auto& tensor : plain) {
        sum += tensor.shape.elements();
    }
    return sum;
}

bool readsStream(LayerRole role) {
    return role == LayerRole::Query || role == LayerRole::Key || role == LayerRole::Value ||
           role == LayerRole::FfnGate || role == LayerRole::FfnUp || role == LayerRole::FfnIn;
}

bool writesStream(LayerRole role) { return role == LayerRole::AttentionOutput || role == LayerRole::FfnDown; }

std::string whyUnrotatable(const ModelLayout& layout) {
    const std::string name = familyName(layout.family);
    if (!layout.isDecoder()) {
        return name + " is no decoder";
    }
    if (layout.norm != NormKind::RmsNorm || !layout.preNorm) {
        return name + " has other norms than RMSNorm before each sublayer; a LayerNorm takes the mean over channels and "
                      "does not let a rotation through";
    }
    for (const PlainTensor& plain : layout.plain) {
        if (plain.name.ends_with(".post_norm.weight")) {
            return name + " has norms behind its sublayers, whose weights cannot be folded into a linear";
        }
    }
    for (const LayerInfo& layer : layout.layers) {
        const bool inside = readsStream(layer.role) || writesStream(layer.role);
        const bool outside = layer.isEmbedding() || (layer.role == LayerRole::Head && layer.name == "lm_head");
        if (!(layer.block >= 0 ? inside : outside)) {
            return "it is not known what " + layer.name + " reads";
        }
    }
    return {};
}

}  // namespace pareto
