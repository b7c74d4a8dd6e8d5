#include "app/studio/recipe_edit.h"

#include <algorithm>

namespace pareto::studio {
namespace {

constexpr PrunePattern kStepOrder[] = {PrunePattern::Width, PrunePattern::Blocks, PrunePattern::Heads,
                                       PrunePattern::Neurons, PrunePattern::Unstructured};

int orderOf(PrunePattern pattern) {
    return static_cast<int>(std::find(std::begin(kStepOrder), std::end(kStepOrder), pattern) -
                            std::begin(kStepOrder));
}

/// A dot stands in every name, so it does not make a regular expression of a match.
bool looksLikeExpression(const std::string& match) {
    return match.find_first_of("*+?[](){}|\\^$") != std::string::npos;
}

bool isVoid(const LayerOverride& entry) {
    return !entry.skip && !entry.pruneOff && !entry.quantizeOff && entry.prune.empty() &&
           !entry.quantize;
}

/// The entry of exactly this name, made when missing. It must come after every expression, because
/// later entries win.
LayerOverride& entryFor(Recipe& recipe, const std::string& name) {
    auto& entries = recipe.layers;
    LayerOverride entry;
    entry.match = name;
    const auto found = std::find_if(entries.rbegin(), entries.rend(),
                                    [&](const auto& other) { return other.match == name; });
    if (found != entries.rend()) {
        const auto place = std::prev(found.base());
        if (std::none_of(std::next(place), entries.end(),
                         [](const auto& other) { return looksLikeExpression(other.match); })) {
            return *place;
        }
        entry = *place;
        entries.erase(place);
    }
    entries.push_back(std::move(entry));
    return entries.back();
}

void ensureStep(Recipe& recipe, PrunePattern pattern) {
    if (findPrune(recipe, pattern) == nullptr) {
        const auto place = std::find_if(
            recipe.prune.begin(), recipe.prune.end(),
            [&](const auto& step) { return orderOf(step.pattern) > orderOf(pattern); });
        recipe.prune.insert(place, PruneSpec{methodFor(pattern), pattern, 0.0});
    }
}

void tidy(Recipe& recipe) {
    std::erase_if(recipe.layers, isVoid);
    std::erase_if(recipe.prune, [](const PruneSpec& step) { return step.ratio <= 0.0; });
}

void overrideRatio(Recipe& recipe, const std::string& name, PrunePattern pattern, double ratio) {
    auto& entry = entryFor(recipe, name);
    entry.skip = false;
    entry.pruneOff = false;
    const auto found = std::find_if(entry.prune.begin(), entry.prune.end(),
                                    [&](const auto& change) { return change.pattern == pattern; });
    if (found != entry.prune.end()) {
        found->ratio = ratio;
    } else {
        entry.prune.push_back(PruneOverride{pattern, std::nullopt, ratio});
    }
}

/// The names and those of every layer that shares a weight with one of them.
Names withTied(const ModelLayout& layout, const Names& names) {
    Names out = names;
    const auto add = [&out](const std::string& name) {
        if (std::find(out.begin(), out.end(), name) == out.end()) {
            out.push_back(name);
        }
    };
    for (const auto& layer : layout.layers) {
        if (layer.tiedTo.empty()) {
            continue;
        }
        const auto has = [&](const std::string& name) {
            return std::find(names.begin(), names.end(), name) != names.end();
        };
        if (has(layer.name) || has(layer.tiedTo)) {
            add(layer.name);
            add(layer.tiedTo);
        }
    }
    return out;
}

}  // namespace

PruneMethod methodFor(PrunePattern pattern) {
    return pattern == PrunePattern::Unstructured ? PruneMethod::Magnitude
           : pattern == PrunePattern::Width      ? PruneMethod::Pca
                                                 : PruneMethod::L1;
}

const PruneSpec* findPrune(const Recipe& recipe, PrunePattern pattern) {
    for (const auto& step : recipe.prune) {
        if (step.pattern == pattern) {
            return &step;
        }
    }
    return nullptr;
}

Recipe withPrune(Recipe recipe, PrunePattern pattern, PruneMethod method, double ratio) {
    ensureStep(recipe, pattern);
    for (auto& step : recipe.prune) {
        if (step.pattern == pattern) {
            step.method = method;
            if (ratio != step.ratio) {
                step.keepOf = step.groupOf = 0;  // a share of its own is met anywhere
            }
            step.ratio = ratio;
            if (method != PruneMethod::Magnitude && step.allocation == Allocation::Global) {
                step.allocation = Allocation::Uniform;
            }
        }
    }
    tidy(recipe);
    return recipe;
}

WeightsPattern patternOf(const PruneSpec& step) {
    return {step.keepOf, step.groupOf, step.tileRows, step.tileCols, step.allocation};
}

Recipe withWeightsPattern(Recipe recipe, const WeightsPattern& pattern, PruneMethod method) {
    constexpr double kUsualRatio = 0.5;
    const auto* before = findPrune(recipe, PrunePattern::Unstructured);
    const double ratio = before != nullptr && before->ratio > 0.0 ? before->ratio : kUsualRatio;
    const auto chosen = pattern.allocation == Allocation::Global ? PruneMethod::Magnitude : method;
    recipe = withPrune(std::move(recipe), PrunePattern::Unstructured, chosen, ratio);
    for (auto& step : recipe.prune) {
        if (step.pattern == PrunePattern::Unstructured) {
            step.keepOf = pattern.keepOf;
            step.groupOf = pattern.groupOf;
            step.tileRows = pattern.tileRows;
            step.tileCols = pattern.tileCols;
            step.allocation = pattern.allocation;
            if (pattern.groupOf > 0) {
                step.ratio = 1.0 - static_cast<double>(pattern.keepOf) / pattern.groupOf;
            }
        }
    }
    return recipe;
}

Recipe withUnitMethod(Recipe recipe, PrunePattern pattern, PruneMethod method, Compensation compensation) {
    for (auto& step : recipe.prune) {
        if (step.pattern == pattern) {
            step.method = method;
            const bool units = pattern == PrunePattern::Heads || pattern == PrunePattern::Neurons;
            const bool adjusts = pattern == PrunePattern::Unstructured && compensation == Compensation::LeastSquares;
            step.compensation = units || adjusts ? compensation : Compensation::None;
        }
    }
    return recipe;
}

Recipe withQuantize(Recipe recipe, const std::optional<QuantizeSpec>& spec) {
    recipe.quantize = spec;
    return recipe;
}

Recipe withRecover(Recipe recipe, const std::optional<RecoverSpec>& spec) {
    if (!spec) {
        recipe.recover.clear();
    } else if (recipe.recover.empty()) {
        recipe.recover.push_back(*spec);
    } else {
        recipe.recover.front() = *spec;
    }
    return recipe;
}

const RecoverSpec* findDistil(const Recipe& recipe) {
    const auto found = std::find_if(recipe.recover.begin(), recipe.recover.end(),
                                    [](const RecoverSpec& step) { return step.distil.has_value(); });
    return found == recipe.recover.end() ? nullptr : &*found;
}

Recipe withDistilPairs(Recipe recipe, std::vector<std::pair<int, int>> blocks) {
    std::sort(blocks.begin(), blocks.end());
    for (auto& step : recipe.recover) {
        if (step.distil) {
            step.distil->blocks = std::move(blocks);
            break;
        }
    }
    return recipe;
}

Recipe withGroupRatio(Recipe recipe, const ModelLayout& layout, const Names& groups, double ratio) {
    for (const auto& group : layout.groups) {
        if (std::find(groups.begin(), groups.end(), group.name) != groups.end()) {
            overrideRatio(
                recipe, group.name,
                group.kind == GroupKind::Attention ? PrunePattern::Heads : PrunePattern::Neurons,
                ratio);
        }
    }
    tidy(recipe);
    return recipe;
}

Recipe withLayerSparsity(Recipe recipe, const ModelLayout& layout, const Names& layers,
                         double ratio) {
    for (const auto& name : withTied(layout, layers)) {
        overrideRatio(recipe, name, PrunePattern::Unstructured, ratio);
    }
    tidy(recipe);
    return recipe;
}

Recipe withLayerFormat(Recipe recipe, const ModelLayout& layout, const Names& layers,
                       const std::optional<QuantizeSpec>& spec) {
    for (const auto& name : withTied(layout, layers)) {
        auto& entry = entryFor(recipe, name);
        entry.skip = false;
        entry.quantizeOff = !spec;
        entry.quantize.reset();
        if (spec) {
            QuantizeOverride change;
            change.weights = spec->weights;
            change.granularity = spec->granularity;
            if (spec->granularity == Granularity::Group) {
                change.groupSize = spec->groupSize;
            }
            change.symmetric = spec->symmetric;
            change.activations = spec->activations;
            if (spec->activations != Activations::None) {
                change.activationGroup = spec->activationGroup;
            }
            entry.quantize = change;
        }
    }
    tidy(recipe);
    return recipe;
}

Recipe withBlocksRemoved(Recipe recipe, const Names& blocks, bool removed) {
    for (const auto& name : blocks) {
        if (removed) {
            overrideRatio(recipe, name, PrunePattern::Blocks, 1.0);
            continue;
        }
        for (auto& entry : recipe.layers) {
            if (entry.match == name) {
                std::erase_if(entry.prune, [](const auto& change) {
                    return change.pattern == PrunePattern::Blocks;
                });
            }
        }
    }
    tidy(recipe);
    return recipe;
}

Recipe withoutOverrides(Recipe recipe, const Names& names) {
    std::erase_if(recipe.layers, [&](const LayerOverride& entry) {
        return std::find(names.begin(), names.end(), entry.match) != names.end();
    });
    tidy(recipe);
    return recipe;
}

}  // namespace pareto::studio
