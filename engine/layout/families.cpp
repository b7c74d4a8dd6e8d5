#include "engine/layout/families.h"

#include <algorithm>
#include <vector>

#include "engine/layout/encoder_layout.h"

namespace pareto {
namespace {

constexpr std::string_view kBertTypes[] = {"bert"};
constexpr std::string_view kGpt2Types[] = {"gpt2"};
constexpr std::string_view kRobertaTypes[] = {"roberta", "xlm-roberta", "camembert"};
constexpr std::string_view kDistilBertTypes[] = {"distilbert"};
constexpr std::string_view kElectraTypes[] = {"electra"};
constexpr std::string_view kMpnetTypes[] = {"mpnet"};
constexpr std::string_view kAlbertTypes[] = {"albert"};
constexpr std::string_view kLlamaTypes[] = {"llama"};
constexpr std::string_view kMistralTypes[] = {"mistral"};
constexpr std::string_view kQwen2Types[] = {"qwen2"};
constexpr std::string_view kQwen3Types[] = {"qwen3"};
constexpr std::string_view kGemma2Types[] = {"gemma2"};
constexpr std::string_view kGemma3Types[] = {"gemma3_text", "gemma3"};
constexpr std::string_view kT5Types[] = {"t5", "mt5"};
constexpr std::string_view kMarianTypes[] = {"marian"};

}  // namespace

/// A row a family; further ones for architectures of GGUF that say the same.
std::span<const FamilyFiles> familyFiles() {
    static const std::vector<FamilyFiles> families{
        {Family::Bert, kBertTypes, "bert", bertNames(), describeBert, describeBertGguf, {},
         bertTraits},
        {Family::Roberta, kRobertaTypes, "", robertaNames(), describeRoberta, nullptr, {}, robertaTraits},
        {Family::DistilBert, kDistilBertTypes, "", distilBertNames(), describeDistilBert, nullptr,
         kDistilBertKeys, distilBertTraits},
        {Family::Electra, kElectraTypes, "", electraNames(), describeElectra, nullptr, {}, electraTraits},
        {Family::Mpnet, kMpnetTypes, "", mpnetNames(), describeMpnet, nullptr, {}, mpnetTraits},
        {Family::Albert, kAlbertTypes, "", albertNames(), describeAlbert, nullptr, kAlbertKeys,
         albertTraits},
        {Family::Gpt2, kGpt2Types, "gpt2", gpt2Names(), describeGpt2Hf, describeGpt2Gguf},
        {Family::Llama, kLlamaTypes, "llama", llamaNames(), describeLlamaHf, describeLlamaGguf},
        {Family::Llama, {}, "deci", llamaNames(), nullptr, describeLlamaGguf},
        {Family::Mistral, kMistralTypes, "", llamaNames(), describeMistralHf, nullptr},
        {Family::Qwen2, kQwen2Types, "qwen2", qwenNames(), describeQwenHf, describeQwenGguf},
        {Family::Qwen3, kQwen3Types, "qwen3", qwenNames(), describeQwenHf, describeQwenGguf},
        {Family::Gemma2, kGemma2Types, "gemma2", gemmaNames(), describeGemmaHf, describeGemmaGguf},
        {Family::Gemma3, kGemma3Types, "gemma3", gemmaNames(), describeGemmaHf, describeGemmaGguf},
        {Family::T5, kT5Types, "t5", t5Names(), describeT5Hf, describeT5Gguf},
        {Family::Marian, kMarianTypes, "", marianNames(), describeMarian, nullptr},
    };
    return families;
}

namespace {

const FamilyFiles* filesOf(Family family) {
    const auto all = familyFiles();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const FamilyFiles& files) { return files.family == family; });
    return found == all.end() ? nullptr : &*found;
}

}  // namespace

std::span<const NameRow> namesOf(Family family) {
    const auto* files = filesOf(family);
    return files == nullptr ? std::span<const NameRow>() : files->names;
}

const ConfigKeys& configKeysOf(Family family) {
    static const ConfigKeys usual;
    const auto* files = filesOf(family);
    return files == nullptr ? usual : files->keys;
}

std::optional<EncoderTraits> encoderTraits(Family family) {
    const auto* files = filesOf(family);
    return files == nullptr || files->traits == nullptr ? std::nullopt : std::optional(files->traits());
}

}  // namespace pareto
