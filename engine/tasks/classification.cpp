#include "engine/tasks/classification.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "engine/metrics/classes.h"
#include "engine/metrics/likelihood.h"
#include "engine/spec/labels.h"
#include "engine/tasks/batching.h"
#include "engine/tasks/likelihood.h"
#include "engine/tasks/task_data.h"

namespace pareto::tasks {

namespace {

std::optional<int> classOf(const std::string& label, const Task& task,
                           const std::vector<std::string>& names) {
    const auto classes = static_cast<int>(names.size());
    if (!task.labels.empty()) {
        const auto found = task.labels.find(label);
        if (found == task.labels.end() || found->second < 0 || found->second >= classes) {
            return std::nullopt;
        }
        return found->second;
    }
    const auto named = std::find(names.begin(), names.end(), label);
    if (named != names.end()) {
        return static_cast<int>(named - names.begin());
    }
    int index = -1;
    const auto [end, problem] = std::from_chars(label.data(), label.data() + label.size(), index);
    if (problem != std::errc{} || end != label.data() + label.size() || index < 0 ||
        index >= classes) {
        return std::nullopt;
    }
    return index;
}

std::string knownLabels(const Task& task, const std::vector<std::string>& names) {
    std::string known;
    const auto add = [&](const std::string& name) { known += (known.empty() ? "" : ", ") + name; };
    if (!task.labels.empty()) {
        for (const auto& [name, index] : task.labels) {
            add(name);
        }
        return known;
    }
    for (const auto& name : names) {
        add(name);
    }
    return known + ", or 0 to " + std::to_string(names.size() - 1);
}

/// A class a row: the largest logit of a classifier.
Result<std::vector<int>> classify(models::Encoder& encoder, const EvalRequest& request,
                                  const TaskRows& data, Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto sequences,
               tokenizeRows(data.rows, {*request.tokenizer, request.task.maxLength}, progress, stop));
    PARETO_TRY(const auto logits,
               encodeAll(encoder, sequences, request.batchTokens, progress, stop, request.peers));
    std::vector<int> predicted;
    for (std::int64_t i = 0; i < logits.rows; ++i) {
        predicted.push_back(static_cast<int>(metrics::indexOfLargest(logits.row(i))));
    }
    return predicted;
}

/// A class a row without any training: the label text that is likeliest behind the prompt.
Result<std::vector<int>> classifyByLikelihood(models::Decoder& decoder, const EvalRequest& request,
                                              const TaskRows& data, Progress& progress,
                                              std::stop_token stop) {
    const auto& task = request.task;
    const std::string prompt = task.prompt.empty() ? "{text}" : task.prompt;
    std::vector<std::string> endings;
    for (const auto& label : task.labelTexts) {
        endings.push_back(" " + label);
    }
    progress.begin(Stage::Evaluating, static_cast<std::int64_t>(data.rows.size()), Unit::Samples);
    const auto decide = [&](std::size_t i) -> Result<ItemResult> {
        const auto& row = data.rows[i];
        const auto context = fillTemplate(prompt, {{"text", row.text}, {"pair", row.pair}});
        PARETO_TRY(const auto scores,
                   scoreEndings({decoder, *request.tokenizer, task.maxLength}, context, endings, stop));
        progress.advance(sizeOf(request.peers));
        return ItemResult{row.row, 0.0, static_cast<int>(metrics::likeliest(scores))};
    };
    PARETO_TRY(const auto decided, together<ItemResult>(request.peers, data.rows.size(), decide, stop));
    std::vector<int> predicted;
    for (const auto& item : decided) {
        if (item.predicted < 0 || static_cast<std::size_t>(item.predicted) >= endings.size()) {
            return unequalParts();
        }
        predicted.push_back(item.predicted);
    }
    return predicted;
}

}  // namespace

Result<std::vector<int>> labelClasses(const TaskRows& data, const Task& task,
                                      const std::vector<std::string>& names) {
    std::vector<int> classes;
    classes.reserve(data.rows.size());
    for (const auto& row : data.rows) {
        const auto index = classOf(row.label, task, names);
        if (!index) {
            return makeError(ErrorCode::DataRowInvalid,
                             {{"file", data.file},
                              {"line", std::to_string(row.line)},
                              {"reason", "the label '" + row.label +
                                             "' is none of the model's classes (known: " +
                                             knownLabels(task, names) + ")"}});
        }
        classes.push_back(*index);
    }
    return classes;
}

Result<std::vector<std::string>> classNames(const TaskRows& data, const Task& task) {
    std::vector<std::string> names;
    if (!task.labels.empty()) {
        for (const auto& [name, index] : task.labels) {
            const auto at = static_cast<std::size_t>(std::max(0, index));
            names.resize(std::max(names.size(), at + 1));
            names[at] = names[at].empty() ? name : names[at];
        }
    } else {
        std::set<std::string> seen;
        for (const auto& row : data.rows) {
            seen.insert(row.label);
        }
        names = orderedLabels(seen);
    }
    if (names.size() < 2 || names.size() > kMostClasses) {
        return makeError(ErrorCode::DataRowInvalid,
                         {{"file", data.file},
                          {"line", std::to_string(data.rows.empty() ? 1 : data.rows.front().line)},
                          {"reason", "the labels are " + std::to_string(names.size()) + " in all; a classifier has 2 to " +
                                         std::to_string(kMostClasses)}});
    }
    return names;
}

Result<EvalResult> runClassification(const EvalRequest& request, Progress& progress,
                                     std::stop_token stop) {
    const auto& task = request.task;
    auto* decoder = request.model->decoder.get();
    const auto& names = decoder != nullptr ? task.labelTexts : request.model->model().layout().labels;
    PARETO_TRY(const auto data, readTaskRows(task, true, progress, stop));
    PARETO_TRY(const auto expected, labelClasses(data, task, names));
    PARETO_TRY(const auto predicted,
               decoder != nullptr
                   ? classifyByLikelihood(*decoder, request, data, progress, stop)
                   : classify(*request.model->encoder, request, data, progress, stop));

    EvalResult result;
    result.metric = headlineMetric(task.kind);
    result.dataHash = data.hash;
    metrics::Confusion confusion(names.size());
    for (std::size_t i = 0; i < data.rows.size(); ++i) {
        confusion.add(static_cast<std::size_t>(expected[i]), static_cast<std::size_t>(predicted[i]));
        result.items.push_back({data.rows[i].row, predicted[i] == expected[i] ? 1.0 : 0.0, predicted[i],
                                {}, {static_cast<double>(expected[i])}});
    }
    measure(result, {"accuracy", "f1_macro", "mcc"});
    result.details = {{"labels", names},
                      {"confusion", confusion.rows()},
                      {"rows_available", data.available}};
    return result;
}

}  // namespace pareto::tasks
