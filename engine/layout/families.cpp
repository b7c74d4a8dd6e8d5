#include "engine/layout/families.h"

#include <algorithm>
#include <vector>

namespace pareto {
namespace {

constexpr std::string_view kBertTypes[] = {"bert"};
constexpr std::string_view kGpt2Types[] = {"gpt2"};
constexpr std::string_view kLlamaTypes[] = {"llama"};
constexpr std::string_view kMistralTypes[] = {"mistral"};
constexpr std::string_view kQwen2Types[] = {"qwen2"};
constexpr std::string_view kQwen3Types[] = {"qwen3"};
constexpr std::string_view kGemma2Types[] = {"gemma2"};
constexpr std::string_view kGemma3Types[] = {"gemma3_text", "gemma3"};

}  // namespace

/// A row a family; further ones for architectures of GGUF that say the same.
std::span<const FamilyFiles> familyFiles() {
    static const std::vector<FamilyFiles> families{
        {Family::Bert, kBertTypes, "", bertNames(), describeBert, nullptr},
        {Family::Gpt2, kGpt2Types, "gpt2", gpt2Names(), describeGpt2Hf, describeGpt2Gguf},
        {Family::Llama, kLlamaTypes, "llama", llamaNames(), describeLlamaHf, describeLlamaGguf},
        {Family::Llama, {}, "deci", llamaNames(), nullptr, describeLlamaGguf},
        {Family::Mistral, kMistralTypes, "", llamaNames(), describeMistralHf, nullptr},
        {Family::Qwen2, kQwen2Types, "qwen2", qwenNames(), describeQwenHf, describeQwenGguf},
        {Family::Qwen3, kQwen3Types, "qwen3", qwenNames(), describeQwenHf, describeQwenGguf},
        {Family::Gemma2, kGemma2Types, "gemma2", gemmaNames(), describeGemmaHf, describeGemmaGguf},
        {Family::Gemma3, kGemma3Types, "gemma3", gemmaNames(), describeGemmaHf, describeGemmaGguf},
    };
    return families;
}

std::span<const NameRow> namesOf(Family family) {
    const auto all = familyFiles();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const FamilyFiles& files) { return files.family == family; });
    return found == all.end() ? std::span<const NameRow>() : found->names;
}

}  // namespace pareto
