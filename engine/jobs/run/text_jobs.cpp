#include "engine/jobs/run/text_jobs.h"

#include <algorithm>
#include <cmath>

#include "engine/jobs/run/guarded.h"
#include "engine/jobs/run/ready_model.h"
#include "engine/tasks/batching.h"

namespace pareto::jobs {

namespace {

constexpr std::int64_t kBatchTokens = 2048;

struct Encoded {
    ModelLayout layout;
    models::Matrix outputs;
};

Error unfit(const std::string& task, const ModelLayout& layout, const std::string& reason) {
    return makeError(ErrorCode::TaskUnfit,
                     {{"task", task}, {"model", layout.name}, {"reason", reason}});
}

Result<Encoded> encodeTexts(ModelCache& cache, const TextParams& params, bool classify,
                            Progress& progress, std::stop_token stop) {
    PARETO_TRY(auto ready, readyModel(cache, {params.model, params.recipe, params.target, false},
                                      progress, stop));
    const auto& layout = ready.opened->weights.layout;
    const std::string task = classify ? "classify" : "embed";
    if (!ready.runnable.encoder) {
        return unfit(task, layout, "it needs an encoder");
    }
    if (classify && !layout.isClassifier()) {
        return unfit(task, layout, "the model has no classification head");
    }
    if (!classify && layout.isClassifier()) {
        return unfit(task, layout, "the model gives classes, not embeddings");
    }
    PARETO_TRY(const auto tokenizer, ready.opened->tokenizer());
    std::vector<tasks::TextRow> rows;
    for (const auto& text : params.texts) {
        tasks::TextRow row;
        row.row = static_cast<std::int64_t>(rows.size());
        row.text = text;
        rows.push_back(std::move(row));
    }
    auto length = params.maxLength;
    if (layout.maxPositions > 0) {
        length = std::min(length, layout.maxPositions);
    }
    PARETO_TRY(const auto sequences,
               tasks::tokenizeRows(rows, {*tokenizer, length}, progress, stop));
    PARETO_TRY(auto outputs, tasks::encodeAll(*ready.runnable.encoder, sequences, kBatchTokens,
                                              progress, stop));
    return Encoded{layout, std::move(outputs)};
}

std::vector<double> softmax(std::span<const float> logits) {
    const auto highest = *std::max_element(logits.begin(), logits.end());
    std::vector<double> scores;
    double sum = 0.0;
    for (const auto logit : logits) {
        scores.push_back(std::exp(static_cast<double>(logit) - highest));
        sum += scores.back();
    }
    for (auto& score : scores) {
        score /= sum;
    }
    return scores;
}

Json scoresByLabel(const ClassifyResult& result, const Classification& item) {
    Json scores = Json::object();
    for (std::size_t c = 0; c < result.labels.size(); ++c) {
        scores[result.labels[c]] = item.scores[c];
    }
    return scores;
}

}  // namespace

Json toJson(const ClassifyResult& result) {
    Json json{{"items", Json::array()}};
    for (const auto& item : result.items) {
        json["items"].push_back({{"label", item.label}, {"scores", scoresByLabel(result, item)}});
    }
    if (!result.items.empty()) {
        json["label"] = json["items"][0]["label"];
        json["scores"] = json["items"][0]["scores"];
    }
    return json;
}

Result<ClassifyResult> runClassify(ModelCache& cache, const TextParams& params, Progress& progress,
                                   std::stop_token stop) {
    PARETO_TRY(const auto encoded, guarded(kJobClassify, [&] {
        return encodeTexts(cache, params, true, progress, stop);
    }));
    ClassifyResult result;
    result.labels = encoded.layout.labels;
    for (std::int64_t i = 0; i < encoded.outputs.rows; ++i) {
        Classification item;
        item.scores = softmax(encoded.outputs.row(i));
        const auto best = std::max_element(item.scores.begin(), item.scores.end());
        item.label = result.labels[static_cast<std::size_t>(best - item.scores.begin())];
        result.items.push_back(std::move(item));
    }
    return result;
}

Json toJson(const EmbedResult& result) {
    Json json{{"vectors", result.vectors}};
    if (!result.vectors.empty()) {
        json["vector"] = result.vectors.front();
    }
    return json;
}

Result<EmbedResult> runEmbed(ModelCache& cache, const TextParams& params, Progress& progress,
                             std::stop_token stop) {
    PARETO_TRY(const auto encoded, guarded(kJobEmbed, [&] {
        return encodeTexts(cache, params, false, progress, stop);
    }));
    EmbedResult result;
    for (std::int64_t i = 0; i < encoded.outputs.rows; ++i) {
        const auto row = encoded.outputs.row(i);
        result.vectors.emplace_back(row.begin(), row.end());
    }
    return result;
}

}  // namespace pareto::jobs
