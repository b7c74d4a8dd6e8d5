#include "engine/jobs/api/params_json.h"

#include <limits>

#include "engine/jobs/api/jobs.h"
#include "engine/records/numbers.h"

namespace pareto::jobs {
namespace {

constexpr std::int64_t kMostTokens = 1 << 24;

}  // namespace

Result<Recipe> takeRecipe(const JsonReader& reader) {
    const Json* recipe = reader.find("recipe");
    if (recipe == nullptr) {
        return Recipe{};
    }
    return recipeFromJson(*recipe);
}

Result<Target> takeTarget(const JsonReader& reader) {
    const Json* target = reader.find("target");
    if (target == nullptr) {
        return Target{};
    }
    return targetFromJson(*target);
}

Json toJson(const ExportParams& params) {
    return {{"model", params.model},
            {"recipe", recipeToJson(params.recipe)},
            {"format", params.format},
            {"target", params.target},
            {"expect_weights_hash", params.expectWeightsHash},
            {"report", params.report}};
}

Result<ExportParams> exportParamsFromJson(const Json& json) {
    JsonReader reader = paramsReader(json, kJobExport);
    ExportParams params;
    params.model = reader.require("model").text("model");
    params.format = reader.text("format", params.format);
    params.target = reader.require("target").text("target");
    params.expectWeightsHash = reader.text("expect_weights_hash");
    if (const Json* report = reader.find("report")) {
        params.report = *report;
        if (!report->is_object()) {
            reader.fail("report", "must be an object");
        }
    }
    PARETO_CHECK(reader.status());
    PARETO_TRY(params.recipe, takeRecipe(reader));
    return params;
}

Json toJson(const ExportResult& result) {
    return {{"path", result.path},
            {"format", result.format},
            {"verified", result.verified},
            {"bytes", result.bytes},
            {"notes", result.notes}};
}

Result<ExportResult> exportResultFromJson(const Json& json) {
    JsonReader reader(json, ErrorCode::ConfigInvalid, "result of export");
    ExportResult result;
    result.path = reader.require("path").text("path");
    result.format = reader.text("format");
    result.verified = reader.boolean("verified", false);
    result.bytes = takeUnsigned(reader, "bytes");
    result.notes = takeTexts(reader, "notes");
    PARETO_CHECK(reader.status());
    return result;
}

Json toJson(const GenerateParams& params) {
    return {{"model", params.model},
            {"recipe", recipeToJson(params.recipe)},
            {"target", targetToJson(params.target)},
            {"prompt", params.prompt},
            {"chat", params.chat},
            {"max_tokens", params.maxTokens},
            {"temperature", params.temperature},
            {"top_k", params.topK},
            {"top_p", params.topP},
            {"seed", params.seed}};
}

Result<GenerateParams> generateParamsFromJson(const Json& json) {
    JsonReader reader = paramsReader(json, kJobGenerate);
    GenerateParams params;
    params.model = reader.require("model").text("model");
    params.prompt = reader.require("prompt").text("prompt");
    params.chat = reader.boolean("chat", false);
    params.maxTokens = reader.integer("max_tokens", params.maxTokens, 1, kMostTokens);
    params.temperature = reader.number("temperature", 0.0, 0.0, 100.0);
    params.topK = static_cast<int>(reader.integer("top_k", 0, 0, 1 << 30));
    params.topP = reader.number("top_p", 1.0, 0.0, 1.0);
    params.seed = takeUnsigned(reader, "seed");
    PARETO_CHECK(reader.status());
    PARETO_TRY(params.recipe, takeRecipe(reader));
    PARETO_TRY(params.target, takeTarget(reader));
    return params;
}

Json toJson(const TextParams& params) {
    return {{"model", params.model},
            {"recipe", recipeToJson(params.recipe)},
            {"target", targetToJson(params.target)},
            {"texts", params.texts},
            {"max_length", params.maxLength}};
}

Result<TextParams> textParamsFromJson(const Json& json) {
    JsonReader reader = paramsReader(json, "classify or embed");
    TextParams params;
    params.model = reader.require("model").text("model");
    params.texts = takeTexts(reader.require("texts"), "texts");
    params.maxLength = reader.integer("max_length", params.maxLength, 1, kMostTokens);
    PARETO_CHECK(reader.status());
    PARETO_TRY(params.recipe, takeRecipe(reader));
    PARETO_TRY(params.target, takeTarget(reader));
    return params;
}

}  // namespace pareto::jobs
