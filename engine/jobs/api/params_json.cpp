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

namespace {

/// What every job that runs a model says.
template <typename Params>
Json modelPart(const Params& params) {
    return {{"model", params.model},
            {"recipe", recipeToJson(params.recipe)},
            {"target", targetToJson(params.target)}};
}

template <typename Params>
Status takeModelPart(JsonReader& reader, Params& params) {
    params.model = reader.require("model").text("model");
    PARETO_CHECK(reader.status());
    PARETO_TRY(params.recipe, takeRecipe(reader));
    PARETO_TRY(params.target, takeTarget(reader));
    return Done{};
}

std::vector<ChatTurn> takeTurns(JsonReader& reader) {
    std::vector<ChatTurn> turns;
    const Json* list = reader.find("messages");
    if (list == nullptr) {
        return turns;
    }
    for (const auto& turn : *list) {
        const bool fits = list->is_array() && turn.is_object() &&
                          turn.value("role", Json()).is_string() &&
                          turn.value("content", Json()).is_string();
        if (!fits) {
            reader.fail("messages", "must be a list of objects with role and content");
            return {};
        }
        turns.push_back({turn["role"].get<std::string>(), turn["content"].get<std::string>()});
    }
    return turns;
}

Result<std::optional<DraftParams>> takeDraft(const JsonReader& reader) {
    const Json* json = reader.find("draft");
    if (json == nullptr) {
        return std::optional<DraftParams>();
    }
    JsonReader own(*json, ErrorCode::ConfigInvalid, std::string("params of ") + kJobGenerate,
                   "draft");
    DraftParams params;
    params.model = own.text("model");
    params.tokens = static_cast<int>(own.integer("tokens", params.tokens, 1, kMostDraftTokens));
    PARETO_CHECK(own.status());
    PARETO_TRY(params.recipe, takeRecipe(own));
    return std::optional(std::move(params));
}

}  // namespace

bool isCacheName(const std::string& name) {
    return name.empty() || name == "fp32" || name == "fp16" || name == "int8" || name == "int4";
}

Json toJson(const SamplingParams& params) {
    return {{"max_tokens", params.maxTokens},
            {"temperature", params.temperature},
            {"top_k", params.topK},
            {"top_p", params.topP},
            {"min_p", params.minP},
            {"repetition_penalty", params.repetitionPenalty},
            {"beams", params.beams},
            {"length_penalty", params.lengthPenalty},
            {"stop", params.stopTexts},
            {"kv_cache", params.kvCache},
            {"seed", params.seed}};
}

SamplingParams takeSampling(JsonReader& reader) {
    SamplingParams params;
    params.maxTokens = reader.integer("max_tokens", params.maxTokens, 1, kMostTokens);
    params.temperature = reader.number("temperature", 0.0, 0.0, 100.0);
    params.topK = static_cast<int>(reader.integer("top_k", 0, 0, 1 << 30));
    params.topP = reader.number("top_p", 1.0, 0.0, 1.0);
    params.minP = reader.number("min_p", 0.0, 0.0, 1.0);
    params.repetitionPenalty = reader.number("repetition_penalty", 1.0, 0.01, 100.0);
    params.beams = static_cast<int>(reader.integer("beams", 1, 1, 64));
    params.lengthPenalty = reader.number("length_penalty", 1.0, -10.0, 10.0);
    params.stopTexts = takeTexts(reader, "stop");
    params.kvCache = reader.text("kv_cache", params.kvCache);
    if (!isCacheName(params.kvCache)) {
        reader.fail("kv_cache", "is not one of fp32, fp16, int8, int4");
    }
    params.seed = takeUnsigned(reader, "seed");
    return params;
}

Json toJson(const GenerateParams& params) {
    Json json = modelPart(params);
    json["prompt"] = params.prompt;
    if (!params.turns.empty()) {
        json["messages"] = Json::array();
        for (const auto& turn : params.turns) {
            json["messages"].push_back({{"role", turn.role}, {"content", turn.content}});
        }
    }
    json.update(toJson(params.sampling));
    if (params.draft) {
        json["draft"] = {{"model", params.draft->model},
                         {"recipe", recipeToJson(params.draft->recipe)},
                         {"tokens", params.draft->tokens}};
    }
    return json;
}

Result<GenerateParams> generateParamsFromJson(const Json& json) {
    JsonReader reader = paramsReader(json, kJobGenerate);
    GenerateParams params;
    params.turns = takeTurns(reader);
    if (params.turns.empty()) {
        reader.require("prompt");
    }
    params.prompt = reader.text("prompt");
    params.sampling = takeSampling(reader);
    PARETO_CHECK(takeModelPart(reader, params));
    PARETO_TRY(params.draft, takeDraft(reader));
    return params;
}

Json toJson(const TranslateParams& params) {
    Json json = modelPart(params);
    json["texts"] = params.texts;
    json.update(toJson(params.sampling));
    return json;
}

Result<TranslateParams> translateParamsFromJson(const Json& json) {
    JsonReader reader = paramsReader(json, kJobTranslate);
    TranslateParams params;
    params.texts = takeTexts(reader.require("texts"), "texts");
    params.sampling = takeSampling(reader);
    PARETO_CHECK(takeModelPart(reader, params));
    return params;
}

Json toJson(const AnswerParams& params) {
    Json json = modelPart(params);
    json["question"] = params.question;
    json["context"] = params.context;
    json["max_length"] = params.maxLength;
    json["doc_stride"] = params.docStride;
    return json;
}

Result<AnswerParams> answerParamsFromJson(const Json& json) {
    JsonReader reader = paramsReader(json, kJobAnswer);
    AnswerParams params;
    params.question = reader.require("question").text("question");
    params.context = reader.require("context").text("context");
    params.maxLength = reader.integer("max_length", params.maxLength, 8, kMostTokens);
    params.docStride = reader.integer("doc_stride", params.docStride, 0, kMostTokens);
    PARETO_CHECK(takeModelPart(reader, params));
    return params;
}

Json toJson(const TextParams& params) {
    Json json = modelPart(params);
    json["texts"] = params.texts;
    if (!params.pairs.empty()) {
        json["pairs"] = params.pairs;
    }
    json["max_length"] = params.maxLength;
    return json;
}

Result<TextParams> textParamsFromJson(const Json& json) {
    JsonReader reader = paramsReader(json, "classify, embed, tag or fill");
    TextParams params;
    params.texts = takeTexts(reader.require("texts"), "texts");
    params.pairs = takeTexts(reader, "pairs");
    if (!params.pairs.empty() && params.pairs.size() != params.texts.size()) {
        reader.fail("pairs", "must have as many entries as texts");
    }
    params.maxLength = reader.integer("max_length", params.maxLength, 1, kMostTokens);
    PARETO_CHECK(takeModelPart(reader, params));
    return params;
}

}  // namespace pareto::jobs
