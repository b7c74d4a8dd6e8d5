#pragma once

#include <initializer_list>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/progress.h"
#include "engine/models/model.h"
#include "engine/records/run_record.h"
#include "engine/spec/task.h"
#include "engine/tasks/peers.h"
#include "engine/text/chat_template.h"
#include "engine/text/tokenizer.h"

/// Accuracy: a task run on a model. One pair of files a kind of task, one line in the registry of
/// task_runner.cpp.
namespace pareto::tasks {

struct EvalRequest {
    models::RunnableModel* model = nullptr;
    /// The untouched model, for tasks that compare with it; nullptr: `model` is the untouched one.
    models::RunnableModel* original = nullptr;
    std::shared_ptr<const text::Tokenizer> tokenizer;
    std::shared_ptr<const text::ChatTemplate> chatTemplate;  ///< for dialogues; null: ChatML
    Task task;
    /// Tokens, padding included, that one batch may hold.
    std::int64_t batchTokens = 2048;
    Peers* peers = nullptr;  ///< share the work; null: this process does it all
};

struct EvalResult {
    std::string metric;                      ///< headline metric: key of measurements[0]
    std::vector<Measurement> measurements;   ///< headline first; every one with its interval
    std::vector<ItemResult> items;           ///< by row (perplexity: by window)
    Json details = Json::object();
    std::string dataHash;                    ///< SHA-256 of the data file that was read
    double seconds = 0.0;
    const Measurement& headline() const { return measurements.front(); }
};

/// Measures the result's items by each of these item metrics (metrics/item_metrics.h), the headline
/// first; a figure that the items do not define is left out, unless it is the headline.
void measure(EvalResult& result, std::initializer_list<std::string_view> keys);
/// At most kMostAnswerBytes of a text, cut between characters: what ItemResult::answer holds.
std::string answerOf(std::string text);

/// With peers every one of them gets the same result, that of one alone (batches hold the same rows).
/// TaskUnfit; DataColumnMissing, DataEmpty, DataRowInvalid; errors of the model; RankLost, RankUnfit.
Result<EvalResult> evaluate(const EvalRequest& request, Progress& progress, std::stop_token stop);

}  // namespace pareto::tasks
