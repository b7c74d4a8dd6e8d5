#include "engine/jobs/run/ready_encoder.h"

#include <algorithm>
#include <cmath>

#include "engine/tasks/batching.h"

namespace pareto::jobs {

Result<ReadyEncoder> readyEncoder(ModelCache& cache, const ReadyRequest& request,
                                  const EncoderNeed& need, Progress& progress,
                                  std::stop_token stop) {
    PARETO_TRY(auto model, keptModel(cache, request, progress, stop));
    const auto& layout = model->opened->weights.layout;
    const auto unfit = [&](const char* reason) {
        return makeError(ErrorCode::TaskUnfit,
                         {{"task", need.job}, {"model", layout.name}, {"reason", reason}});
    };
    if (!model->runnable.encoder) {
        return unfit("it needs an encoder");
    }
    if (layout.outputs != need.outputs) {
        return unfit(need.otherwise);
    }
    ReadyEncoder out;
    PARETO_TRY(out.tokenizer, model->opened->tokenizer());
    out.encoder = model->runnable.encoder.get();
    out.model = std::move(model);
    return out;
}

Result<std::vector<text::TokenSequence>> tokenizeTexts(const TextParams& params,
                                                       const ReadyEncoder& ready,
                                                       Progress& progress, std::stop_token stop) {
    std::vector<tasks::TextRow> rows;
    for (std::size_t i = 0; i < params.texts.size(); ++i) {
        tasks::TextRow row;
        row.row = static_cast<std::int64_t>(i);
        row.text = params.texts[i];
        if (i < params.pairs.size()) {
            row.pair = params.pairs[i];
            row.hasPair = true;
        }
        rows.push_back(std::move(row));
    }
    auto length = params.maxLength;
    if (const auto most = ready.encoder->layout().maxPositions; most > 0) {
        length = std::min(length, most);
    }
    return tasks::tokenizeRows(rows, {*ready.tokenizer, length}, progress, stop);
}

std::vector<double> softmax(std::span<const float> logits) {
    const auto highest = *std::max_element(logits.begin(), logits.end());
    std::vector<double> scores;
    double sum = 0.0;
    for (const auto logit : logits) {
        scores.push_back(std::exp(static_cast<double>(logit) - static_cast<double>(highest)));
        sum += scores.back();
    }
    for (auto& score : scores) {
        score /= sum;
    }
    return scores;
}

}  // namespace pareto::jobs
