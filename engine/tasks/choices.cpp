#include "engine/tasks/choices.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "engine/metrics/likelihood.h"
#include "engine/tasks/likelihood.h"
#include "engine/tasks/task_data.h"
#include "engine/text/unicode.h"

namespace pareto::tasks {

namespace {

constexpr std::array<std::string_view, 4> kRoles{"text", "choices", "label", "context"};
enum Role : std::size_t { Question, Choices, Label, Context };

struct Choice {
    std::int64_t row = 0;
    std::string context;               ///< the prompt, filled
    std::vector<std::string> texts;
    std::size_t right = 0;
};

std::optional<std::size_t> numberIn(const std::string& label, std::size_t below) {
    std::size_t number = 0;
    const auto [end, problem] = std::from_chars(label.data(), label.data() + label.size(), number);
    const bool fits = problem == std::errc{} && end == label.data() + label.size() && number < below;
    return fits ? std::optional(number) : std::nullopt;
}

/// Which choice a label names: by its own label, its number, its text, its letter.
std::optional<std::size_t> rightOne(const std::string& label, const std::vector<std::string>& texts,
                                    const std::vector<std::string>& labels) {
    const auto indexIn = [&](const std::vector<std::string>& list) -> std::optional<std::size_t> {
        const auto found = std::find(list.begin(), list.end(), label);
        return found == list.end()
                   ? std::nullopt
                   : std::optional(static_cast<std::size_t>(found - list.begin()));
    };
    if (const auto own = indexIn(labels)) {
        return own;
    }
    if (const auto number = numberIn(label, texts.size())) {
        return number;
    }
    if (const auto text = indexIn(texts)) {
        return text;
    }
    const bool letter = label.size() == 1 && label[0] >= 'A' && label[0] <= 'Z';
    const auto number = static_cast<std::size_t>(letter ? label[0] - 'A' : 26);
    return number < texts.size() ? std::optional(number) : std::nullopt;
}

/// The "label" list beside the "text" list of a choices cell, where there is one.
std::vector<std::string> labelsOfCell(const std::string& cell) {
    const auto json = parseJson(cell, "cell");
    if (!json.ok() || !json->is_object() || !json->contains("label")) {
        return {};
    }
    return textsOfCell(json->at("label").dump());
}

Result<Choice> choiceOf(const DataRow& row, const Task& task, const DataRows& data) {
    Choice choice;
    choice.row = row.row;
    choice.texts = textsOfCell(row.values[Choices]);
    if (choice.texts.size() < 2) {
        return data.invalid(row.line, "the choices must be a JSON list of two texts or more");
    }
    const auto right = rightOne(row.values[Label], choice.texts, labelsOfCell(row.values[Choices]));
    if (!right) {
        return data.invalid(row.line, "the label '" + row.values[Label] + "' is none of its " +
                                          std::to_string(choice.texts.size()) + " choices");
    }
    choice.right = *right;
    const std::string usual =
        std::string(task.hasColumn("context") ? "{context}\n" : "") + "Question: {text}\nAnswer:";
    choice.context = fillTemplate(task.prompt.empty() ? usual : task.prompt,
                                  {{"text", row.values[Question]}, {"context", row.values[Context]}});
    return choice;
}

Result<ItemResult> decide(const EndingScorer& scorer, const Choice& choice, std::stop_token stop) {
    std::vector<std::string> endings;
    std::vector<double> lengths;
    for (const auto& text : choice.texts) {
        endings.push_back(" " + text);
        lengths.push_back(static_cast<double>(text::decodeUtf8(text).size()));
    }
    PARETO_TRY(const auto scores, scoreEndings(scorer, choice.context, endings, stop));
    const auto taken = metrics::likeliest(scores);
    const double right = taken == choice.right ? 1.0 : 0.0;
    const double rightByLength = metrics::likeliest(scores, lengths) == choice.right ? 1.0 : 0.0;
    return ItemResult{choice.row, right, static_cast<int>(taken), answerOf(choice.texts[taken]),
                      {right, rightByLength}};
}

}  // namespace

Result<EvalResult> runChoices(const EvalRequest& request, Progress& progress, std::stop_token stop) {
    const auto& task = request.task;
    PARETO_TRY(const auto data, readDataRows(task, kRoles, progress, stop));
    std::vector<Choice> choices;
    for (const auto& row : data.rows) {
        PARETO_TRY(auto choice, choiceOf(row, task, data));
        choices.push_back(std::move(choice));
    }
    progress.begin(Stage::Evaluating, static_cast<std::int64_t>(choices.size()), Unit::Samples);
    const EndingScorer scorer{*request.model->decoder, *request.tokenizer, task.maxLength};
    EvalResult result;
    result.metric = headlineMetric(task.kind);
    result.dataHash = data.hash;
    const auto one = [&](std::size_t i) {
        progress.advance(sizeOf(request.peers));
        return decide(scorer, choices[i], stop);
    };
    PARETO_TRY(result.items, together<ItemResult>(request.peers, choices.size(), one, stop));
    measure(result, {"accuracy", "accuracy_normalized"});
    result.details = {{"rows_available", data.available}};
    return result;
}

}  // namespace pareto::tasks
