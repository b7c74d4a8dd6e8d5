#include "engine/spec/recipe.h"

#include <cmath>
#include <cstdio>

#include "engine/core/file.h"
#include "engine/core/hash.h"

namespace pareto {

std::string_view nameOf(PruneMethod value) {
    switch (value) {
        case PruneMethod::Magnitude: return "magnitude";
        case PruneMethod::L1: return "l1";
        case PruneMethod::Wanda: return "wanda";
        case PruneMethod::SparseGpt: return "sparsegpt";
        case PruneMethod::L1Reconstruction: return "l1-reconstruction";
    }
    return "";
}

std::string_view nameOf(QuantizeMethod value) { return value == QuantizeMethod::Rtn ? "rtn" : "gptq"; }

bool isCalibrated(PruneMethod value) { return value != PruneMethod::Magnitude && value != PruneMethod::L1; }

bool isCalibrated(QuantizeMethod value) { return value == QuantizeMethod::Gptq; }

std::string_view nameOf(PrunePattern value) {
    switch (value) {
        case PrunePattern::Unstructured: return "unstructured";
        case PrunePattern::Heads: return "heads";
        case PrunePattern::Neurons: return "neurons";
        case PrunePattern::Blocks: return "blocks";
    }
    return "";
}

std::string_view nameOf(NumberFormat value) {
    switch (value) {
        case NumberFormat::F32: return "fp32";
        case NumberFormat::F16: return "fp16";
        case NumberFormat::BF16: return "bf16";
        case NumberFormat::Int8: return "int8";
        case NumberFormat::Int4: return "int4";
    }
    return "";
}

std::string_view nameOf(RangeMethod value) {
    switch (value) {
        case RangeMethod::MinMax: return "minmax";
        case RangeMethod::Percentile: return "percentile";
        case RangeMethod::Mse: return "mse";
    }
    return "";
}

std::string_view nameOf(Activations value) {
    return value == Activations::None ? "none" : "int8-dynamic";
}

std::string_view nameOf(StepKind value) {
    switch (value) {
        case StepKind::Prune: return "prune";
        case StepKind::Recover: return "recover";
        case StepKind::Quantize: return "quantize";
    }
    return "";
}

Result<Recipe> loadRecipe(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first != std::string::npos && text[first] == '{') {
        PARETO_TRY(const Json json, parseJson(text, "recipe"));
        return recipeFromJson(json);
    }
    PARETO_TRY(const Json json, readJsonFile(text));
    return recipeFromJson(json);
}

std::string recipeHash(const Recipe& recipe) {
    Recipe nameless = recipe;
    nameless.name.clear();
    return sha256Hex(recipeToJson(nameless).dump());
}

namespace {

std::string percent(double ratio) {
    const double value = ratio * 100.0;
    char text[32];
    std::snprintf(text, sizeof text, std::abs(value - std::round(value)) < 1e-9 ? "%.0f" : "%.3g", value);
    return text;
}

}  // namespace

std::string recipeSummary(const Recipe& recipe) {
    std::string out;
    const auto add = [&out](const std::string& part) { out += (out.empty() ? "" : " ") + part; };
    for (const auto& step : recipe.prune) {
        static constexpr const char* kLetters[] = {"W", "H", "N", "B"};
        if (step.ratio > 0.0) {
            add(kLetters[static_cast<int>(step.pattern)] +
                (step.groupOf > 0 ? std::to_string(step.keepOf) + ":" + std::to_string(step.groupOf)
                                  : percent(step.ratio)) +
                (isCalibrated(step.method) ? "/" + std::string(nameOf(step.method)) : ""));
        }
    }
    if (recipe.quantize) {
        add(std::string(nameOf(recipe.quantize->weights)) +
            (recipe.quantize->granularity == Granularity::Group
                 ? "/g" + std::to_string(recipe.quantize->groupSize)
                 : "") +
            (isCalibrated(recipe.quantize->method) ? "/" + std::string(nameOf(recipe.quantize->method)) : "") +
            (recipe.quantize->activations == Activations::Int8Dynamic ? "+a8" : ""));
    }
    if (!recipe.layers.empty()) {
        add("+" + std::to_string(recipe.layers.size()));
    }
    return out.empty() ? "–" : out;
}

}  // namespace pareto
