#include "engine/tasks/classification.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "engine/stats/stats.h"
#include "engine/tasks/batching.h"
#include "engine/tasks/task_data.h"

namespace pareto::tasks {

namespace {

std::optional<int> classOf(const std::string& label, const Task& task, const ModelLayout& layout) {
    const auto classes = static_cast<int>(layout.labels.size());
    if (!task.labels.empty()) {
        const auto found = task.labels.find(label);
        if (found == task.labels.end() || found->second < 0 || found->second >= classes) {
            return std::nullopt;
        }
        return found->second;
    }
    const auto named = std::find(layout.labels.begin(), layout.labels.end(), label);
    if (named != layout.labels.end()) {
        return static_cast<int>(named - layout.labels.begin());
    }
    int index = -1;
    const auto [end, problem] = std::from_chars(label.data(), label.data() + label.size(), index);
    if (problem != std::errc{} || end != label.data() + label.size() || index < 0 ||
        index >= classes) {
        return std::nullopt;
    }
    return index;
}

std::string knownLabels(const Task& task, const ModelLayout& layout) {
    std::string known;
    const auto add = [&](const std::string& name) { known += (known.empty() ? "" : ", ") + name; };
    if (!task.labels.empty()) {
        for (const auto& [name, index] : task.labels) {
            add(name);
        }
        return known;
    }
    for (const auto& name : layout.labels) {
        add(name);
    }
    return known + ", or 0 to " + std::to_string(layout.labels.size() - 1);
}

Result<std::vector<int>> labelClasses(const TaskRows& data, const Task& task,
                                      const ModelLayout& layout) {
    std::vector<int> classes;
    classes.reserve(data.rows.size());
    for (const auto& row : data.rows) {
        const auto index = classOf(row.label, task, layout);
        if (!index) {
            return makeError(ErrorCode::DataRowInvalid,
                             {{"file", data.file},
                              {"line", std::to_string(row.line)},
                              {"reason", "the label '" + row.label +
                                             "' is none of the model's classes (known: " +
                                             knownLabels(task, layout) + ")"}});
        }
        classes.push_back(*index);
    }
    return classes;
}

using Confusion = std::vector<std::vector<std::int64_t>>;  ///< [label][prediction]

Measurement accuracyOf(const Confusion& confusion) {
    std::int64_t right = 0;
    std::int64_t all = 0;
    for (std::size_t i = 0; i < confusion.size(); ++i) {
        right += confusion[i][i];
        for (const auto count : confusion[i]) {
            all += count;
        }
    }
    const auto interval = stats::wilsonInterval(right, all);
    const auto share = all == 0 ? 0.0 : static_cast<double>(right) / static_cast<double>(all);
    return {"accuracy", share, interval.low, interval.high, all};
}

/// Mean of the classes' F1 = 2·tp / (2·tp + fp + fn), over classes that occur on either side: what
/// scikit-learn's f1_score(average="macro") does.
double macroF1Of(const Confusion& confusion) {
    double sum = 0.0;
    int present = 0;
    for (std::size_t c = 0; c < confusion.size(); ++c) {
        std::int64_t labelled = 0;
        std::int64_t predicted = 0;
        for (std::size_t other = 0; other < confusion.size(); ++other) {
            labelled += confusion[c][other];
            predicted += confusion[other][c];
        }
        if (labelled + predicted == 0) {
            continue;
        }
        ++present;
        sum += 2.0 * static_cast<double>(confusion[c][c]) / static_cast<double>(labelled + predicted);
    }
    return present == 0 ? 0.0 : sum / present;
}

/// Pairs (label, prediction) as one number each, so that the bootstrap can draw rows.
Confusion confusionOf(std::span<const double> rows, std::size_t classes) {
    Confusion confusion(classes, std::vector<std::int64_t>(classes, 0));
    for (const auto row : rows) {
        const auto code = static_cast<std::size_t>(row);
        ++confusion[code / classes][code % classes];
    }
    return confusion;
}

/// F1 is no share of rows, so its interval is the bootstrap's. Where every resample gives the same
/// value (all rows right) the bootstrap knows nothing of the spread: no interval then.
Measurement macroF1(std::span<const double> rows, std::size_t classes) {
    const auto statistic = [&](std::span<const double> drawn) {
        return macroF1Of(confusionOf(drawn, classes));
    };
    const auto interval = stats::bootstrap(rows, statistic);
    Measurement measurement{"f1_macro", statistic(rows), std::nullopt, std::nullopt,
                            static_cast<std::int64_t>(rows.size())};
    if (interval.low < interval.high) {
        measurement.low = interval.low;
        measurement.high = interval.high;
    }
    return measurement;
}

}  // namespace

Result<EvalResult> runClassification(const EvalRequest& request, Progress& progress,
                                     std::stop_token stop) {
    const auto& task = request.task;
    auto& encoder = *request.model->encoder;
    const auto& labels = encoder.layout().labels;
    PARETO_TRY(const auto data, readTaskRows(task, true, progress, stop));
    PARETO_TRY(const auto expected, labelClasses(data, task, encoder.layout()));
    PARETO_TRY(const auto sequences,
               tokenizeRows(data.rows, {*request.tokenizer, task.maxLength}, progress, stop));
    PARETO_TRY(const auto logits,
               encodeAll(encoder, sequences, request.batchTokens, progress, stop));

    EvalResult result;
    result.metric = headlineMetric(task.kind);
    result.dataHash = data.hash;
    const auto classes = labels.size();
    std::vector<double> codes;
    for (std::size_t i = 0; i < data.rows.size(); ++i) {
        const auto row = logits.row(static_cast<std::int64_t>(i));
        const auto best = static_cast<int>(std::max_element(row.begin(), row.end()) - row.begin());
        codes.push_back(static_cast<double>(static_cast<std::size_t>(expected[i]) * classes +
                                            static_cast<std::size_t>(best)));
        result.items.push_back({data.rows[i].row, best == expected[i] ? 1.0 : 0.0, best});
    }
    result.measurements.push_back(accuracyOf(confusionOf(codes, classes)));
    result.measurements.push_back(macroF1(codes, classes));
    result.details = {{"labels", labels},
                      {"confusion", confusionOf(codes, classes)},
                      {"rows_available", data.available}};
    return result;
}

}  // namespace pareto::tasks
