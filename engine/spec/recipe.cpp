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
        case PruneMethod::Fluctuation: return "fluctuation";
        case PruneMethod::Second: return "second-order";
        case PruneMethod::Influence: return "influence";
        case PruneMethod::Fisher: return "fisher";
        case PruneMethod::Taylor: return "taylor";
        case PruneMethod::Pca: return "pca";
        case PruneMethod::Gradual: return "gradual";
        case PruneMethod::Movement: return "movement";
        case PruneMethod::SoftMovement: return "soft-movement";
        case PruneMethod::Proximal: return "proximal";
    }
    return "";
}

std::string_view nameOf(QuantizeMethod value) {
    switch (value) {
        case QuantizeMethod::Rtn: return "rtn";
        case QuantizeMethod::Gptq: return "gptq";
        case QuantizeMethod::SignRound: return "signround";
    }
    return "";
}

std::string_view nameOf(InputScaling value) {
    switch (value) {
        case InputScaling::None: return "none";
        case InputScaling::Awq: return "awq";
        case InputScaling::SmoothQuant: return "smoothquant";
    }
    return "";
}

std::string_view nameOf(Allocation value) {
    switch (value) {
        case Allocation::Uniform: return "uniform";
        case Allocation::Global: return "global";
        case Allocation::Owl: return "owl";
    }
    return "";
}

std::string_view nameOf(Compensation value) {
    switch (value) {
        case Compensation::None: return "none";
        case Compensation::Bias: return "bias";
        case Compensation::LeastSquares: return "least-squares";
    }
    return "";
}

bool isCalibrated(PruneMethod value) {
    return value != PruneMethod::Magnitude && value != PruneMethod::L1 && !usesGradients(value) && !isTrained(value);
}

bool usesGradients(PruneMethod value) { return value == PruneMethod::Fisher || value == PruneMethod::Taylor; }

bool isTrained(PruneMethod value) {
    return value == PruneMethod::Gradual || value == PruneMethod::Movement || value == PruneMethod::SoftMovement ||
           value == PruneMethod::Proximal;
}

bool isCalibrated(QuantizeMethod value) { return value != QuantizeMethod::Rtn; }

std::string_view nameOf(PrunePattern value) {
    switch (value) {
        case PrunePattern::Unstructured: return "unstructured";
        case PrunePattern::Heads: return "heads";
        case PrunePattern::Neurons: return "neurons";
        case PrunePattern::Blocks: return "blocks";
        case PrunePattern::Width: return "width";
    }
    return "";
}

std::string_view nameOf(NumberFormat value) {
    switch (value) {
        case NumberFormat::F32: return "fp32";
        case NumberFormat::F16: return "fp16";
        case NumberFormat::BF16: return "bf16";
        case NumberFormat::F8: return "fp8";
        case NumberFormat::Int16: return "int16";
        case NumberFormat::Int8: return "int8";
        case NumberFormat::Int4: return "int4";
        case NumberFormat::Int3: return "int3";
        case NumberFormat::Int2: return "int2";
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
    switch (value) {
        case Activations::None: return "none";
        case Activations::Int8Dynamic: return "int8-dynamic";
        case Activations::Int8Static: return "int8-static";
        case Activations::Int16Dynamic: return "int16-dynamic";
    }
    return "";
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

std::string summaryOf(const QuantizeSpec& spec) {
    std::string out(nameOf(spec.weights));
    if (spec.granularity == Granularity::Group) {
        out += "/g" + std::to_string(spec.groupSize);
    }
    out += spec.rotate ? "/rotated" : "";
    if (spec.scaling != InputScaling::None) {
        out += "/" + std::string(nameOf(spec.scaling));
    }
    if (isCalibrated(spec.method)) {
        out += "/" + std::string(nameOf(spec.method));
    }
    switch (spec.activations) {
        case Activations::None: break;
        case Activations::Int8Dynamic: out += "+a8"; break;
        case Activations::Int8Static: out += "+a8s"; break;
        case Activations::Int16Dynamic: out += "+a16"; break;
    }
    if (spec.cache != NumberFormat::F32) {
        out += "+kv:" + std::string(nameOf(spec.cache));
    }
    return out;
}

}  // namespace

std::string recipeSummary(const Recipe& recipe) {
    std::string out;
    const auto add = [&out](const std::string& part) { out += (out.empty() ? "" : " ") + part; };
    for (const auto& step : recipe.prune) {
        static constexpr const char* kLetters[] = {"W", "H", "N", "B", "D"};
        if (step.ratio > 0.0) {
            add(kLetters[static_cast<int>(step.pattern)] +
                (step.groupOf > 0 ? std::to_string(step.keepOf) + ":" + std::to_string(step.groupOf)
                                  : percent(step.ratio)) +
                (step.tileRows * step.tileCols > 1
                     ? "/" + std::to_string(step.tileRows) + "x" + std::to_string(step.tileCols)
                     : "") +
                ((isCalibrated(step.method) || usesGradients(step.method) || isTrained(step.method)) && step.pattern != PrunePattern::Width
                     ? "/" + std::string(nameOf(step.method))
                     : "") +
                (step.allocation != Allocation::Uniform ? "/" + std::string(nameOf(step.allocation)) : "") +
                (step.compensation != Compensation::None ? "/" + std::string(nameOf(step.compensation)) : ""));
        }
    }
    for (const auto& step : recipe.recover) {
        add(recoverSummary(step));
    }
    if (recipe.quantize) {
        add(summaryOf(*recipe.quantize));
    }
    if (!recipe.layers.empty()) {
        add("+" + std::to_string(recipe.layers.size()));
    }
    return out.empty() ? "–" : out;
}

}  // namespace pareto
