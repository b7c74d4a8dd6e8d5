#include "engine/layout/families.h"

#include <algorithm>
#include <vector>

namespace pareto {
namespace {

constexpr std::string_view kBertTypes[] = {"bert"};
constexpr std::string_view kLlamaTypes[] = {"llama"};

}  // namespace

/// One row a family.
std::span<const FamilyFiles> familyFiles() {
    static const std::vector<FamilyFiles> families{
        {Family::Bert, kBertTypes, "", bertNames(), describeBert, nullptr},
        {Family::Llama, kLlamaTypes, "llama", llamaNames(), describeLlamaHf, describeLlamaGguf},
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
