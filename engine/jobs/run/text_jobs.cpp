#include "engine/jobs/run/text_jobs.h"

#include <algorithm>
#include <cmath>

#include "engine/jobs/run/guarded.h"
#include "engine/jobs/run/ready_encoder.h"
#include "engine/tasks/batching.h"

namespace pareto::jobs {

namespace {

struct Encoded {
    ReadyEncoder ready;
    models::Matrix outputs;
};

Result<Encoded> encodeTexts(ModelCache& cache, const TextParams& params, const EncoderNeed& need,
                            Progress& progress, std::stop_token stop) {
    PARETO_TRY(auto ready, readyEncoder(cache, {params.model, params.recipe, params.target, false},
                                        need, progress, stop));
    PARETO_TRY(const auto sequences, tokenizeTexts(params, ready, progress, stop));
    PARETO_TRY(auto outputs,
               tasks::encodeAll(*ready.encoder, sequences, kEncoderBatchTokens, progress, stop));
    return Encoded{std::move(ready), std::move(outputs)};
}

/// Classes that do not exclude each other have a probability each (problem_type of config.json).
bool severalClasses(const ReadyEncoder& ready) {
    const Json& config = ready.model->opened->files->config();
    return config.is_object() &&
           config.value("problem_type", Json()) == "multi_label_classification";
}

double sigmoid(float logit) { return 1.0 / (1.0 + std::exp(-static_cast<double>(logit))); }

Classification classified(std::span<const float> logits, const std::vector<std::string>& labels,
                          bool several) {
    Classification item;
    if (several || labels.size() == 1) {
        for (const float logit : logits) {
            item.scores.push_back(sigmoid(logit));
        }
    } else {
        item.scores = softmax(logits);
    }
    const auto best = std::max_element(item.scores.begin(), item.scores.end());
    item.label = labels[static_cast<std::size_t>(best - item.scores.begin())];
    if (labels.size() == 1) {
        item.score = static_cast<double>(logits[0]);
    }
    for (std::size_t i = 0; several && i < labels.size(); ++i) {
        if (item.scores[i] > 0.5) {
            item.chosen.push_back(labels[i]);
        }
    }
    return item;
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
        Json one{{"label", item.label}, {"scores", scoresByLabel(result, item)}};
        if (item.score) {
            one["score"] = *item.score;
        }
        if (result.severalClasses) {
            one["labels"] = item.chosen;
        }
        json["items"].push_back(std::move(one));
    }
    if (!result.items.empty()) {
        json["label"] = json["items"][0]["label"];
        json["scores"] = json["items"][0]["scores"];
    }
    return json;
}

Result<ClassifyResult> runClassify(ModelCache& cache, const TextParams& params, Progress& progress,
                                   std::stop_token stop) {
    const EncoderNeed need{kJobClassify, Outputs::Classes, "the model has no classification head"};
    PARETO_TRY(const auto encoded, guarded(kJobClassify, [&] {
                   return encodeTexts(cache, params, need, progress, stop);
               }));
    ClassifyResult result;
    result.labels = encoded.ready.encoder->layout().labels;
    result.severalClasses = severalClasses(encoded.ready);
    for (std::int64_t i = 0; i < encoded.outputs.rows; ++i) {
        result.items.push_back(
            classified(encoded.outputs.row(i), result.labels, result.severalClasses));
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
    const EncoderNeed need{kJobEmbed, Outputs::Embedding, "the model does not give embeddings"};
    PARETO_TRY(const auto encoded, guarded(kJobEmbed, [&] {
                   return encodeTexts(cache, params, need, progress, stop);
               }));
    EmbedResult result;
    for (std::int64_t i = 0; i < encoded.outputs.rows; ++i) {
        const auto row = encoded.outputs.row(i);
        result.vectors.emplace_back(row.begin(), row.end());
    }
    return result;
}

}  // namespace pareto::jobs
