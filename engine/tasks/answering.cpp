#include "engine/tasks/answering.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <numeric>

#include "engine/core/file_hash.h"
#include "engine/core/json.h"
#include "engine/io/squad.h"
#include "engine/metrics/answers.h"
#include "engine/tasks/batching.h"
#include "engine/tasks/task_data.h"

namespace pareto::tasks {

namespace {

constexpr std::array<std::string_view, 3> kRoles{"question", "context", "answers"};
constexpr std::size_t kBest = 20;           // n_best_size of run_qa
constexpr std::size_t kChunk = 32;          // questions whose windows are batched together

/// The byte at which a text's character begins; its size where it has fewer.
std::size_t byteOf(const std::string& text, std::int64_t character) {
    std::size_t at = 0;
    for (; at < text.size(); ++at) {
        const bool begins = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
        if (begins && character-- == 0) {
            break;
        }
    }
    return at;
}

/// `starts`: characters before each answer, where the data says so.
void placeAnswers(QuestionRow& row, const std::string& context, const std::vector<std::int64_t>& starts) {
    for (std::size_t i = 0; i < row.answers.size(); ++i) {
        const auto& answer = row.answers[i];
        auto begin = i < starts.size() && starts[i] >= 0 ? byteOf(context, starts[i]) : std::string::npos;
        if (begin == std::string::npos || context.compare(begin, answer.size(), answer) != 0) {
            begin = context.find(answer);
        }
        row.answerBegins.push_back(begin == std::string::npos ? -1 : static_cast<std::int64_t>(begin));
    }
}

/// "answer_start" beside "text", as data sets of SQuAD's kind have them in a cell.
std::vector<std::int64_t> startsOfCell(const std::string& cell) {
    std::vector<std::int64_t> out;
    const auto json = cell.starts_with('{') ? parseJson(cell, "cell") : Result<Json>(Json());
    if (json.ok() && json->is_object() && json->contains("answer_start") && json->at("answer_start").is_array()) {
        for (const auto& start : json->at("answer_start")) {
            out.push_back(start.is_number_integer() ? start.get<std::int64_t>() : -1);
        }
    }
    return out;
}

Result<QuestionRows> readSquadQuestions(const Task& task, Progress& progress, std::stop_token stop) {
    QuestionRows out;
    PARETO_TRY(const auto file, taskFile(task));
    PARETO_TRY(out.hash, hashFile(file, stop));
    PARETO_TRY(auto data, io::readSquad(file, progress, stop));
    if (data.questions.empty()) {
        return makeError(ErrorCode::DataEmpty,
                         {{"file", file}, {"split", task.split.empty() ? "all" : task.split}});
    }
    out.contexts = std::move(data.contexts);
    out.available = static_cast<std::int64_t>(data.questions.size());
    for (const auto index : drawnIndices(data.questions.size(), task.limit, task.seed)) {
        auto& one = data.questions[index];
        out.list.push_back({static_cast<std::int64_t>(index), std::move(one.question), one.context,
                            std::move(one.answers), {}});
        placeAnswers(out.list.back(), out.contexts[one.context], one.starts);
    }
    return out;
}

Result<QuestionRows> readQuestionRows(const Task& task, Progress& progress, std::stop_token stop) {
    PARETO_TRY(auto data, readDataRows(task, kRoles, progress, stop));
    QuestionRows out{data.hash, data.available, {}, {}};
    for (auto& row : data.rows) {
        // Rows about one context usually follow each other.
        if (out.contexts.empty() || out.contexts.back() != row.values[1]) {
            out.contexts.push_back(std::move(row.values[1]));
        }
        out.list.push_back({row.row, std::move(row.values[0]), out.contexts.size() - 1,
                            textsOfCell(row.values[2]), {}});
        placeAnswers(out.list.back(), out.contexts.back(), startsOfCell(row.values[2]));
    }
    return out;
}

/// Start and end logits of one window's tokens.
struct WindowLogits {
    std::vector<double> start;
    std::vector<double> end;
};

/// Positions of the kBest largest values, best first.
std::vector<std::size_t> largest(const std::vector<double>& values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto kept = static_cast<std::ptrdiff_t>(std::min(kBest, order.size()));
    std::partial_sort(order.begin(), order.begin() + kept, order.end(),
                      [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
    order.resize(static_cast<std::size_t>(kept));
    return order;
}

void addSpans(const text::TokenSequence& window, const WindowLogits& logits,
              std::vector<AnswerSpan>& spans) {
    const auto inContext = [&](std::size_t token) { return window.sides[token] == text::Side::Second; };
    const auto ends = largest(logits.end);
    for (const auto start : largest(logits.start)) {
        for (const auto end : ends) {
            if (inContext(start) && inContext(end) && end >= start && end - start < kLongestAnswer) {
                spans.push_back({static_cast<std::size_t>(window.offsets[start].begin),
                                 static_cast<std::size_t>(window.offsets[end].end),
                                 logits.start[start] + logits.end[end]});
            }
        }
    }
}

Result<std::vector<WindowLogits>> runWindows(const QuestionReader& reader,
                                             const std::vector<text::TokenSequence>& windows,
                                             std::stop_token stop) {
    std::vector<std::int64_t> lengths;
    for (const auto& window : windows) {
        lengths.push_back(static_cast<std::int64_t>(window.ids.size()));
    }
    const auto batches = makeBatches(lengths, reader.batchTokens);
    const auto outputsOf = [&](std::size_t number) -> Result<std::vector<float>> {
        models::TokenBatch tokens;
        for (const auto index : batches[number]) {
            tokens.ids.push_back(windows[index].ids);
            tokens.typeIds.push_back(windows[index].typeIds);
        }
        PARETO_TRY(auto outputs, reader.encoder.tokenOutputs(tokens, {}, stop));
        PARETO_CHECK(checkFinite(outputs.values));
        return std::move(outputs.values.values);
    };
    PARETO_TRY(const auto all, together<std::vector<float>>(reader.peers, batches.size(), outputsOf, stop));
    // Two logits a token, the windows of a batch one behind the other.
    std::vector<WindowLogits> logits(windows.size());
    for (std::size_t number = 0; number < batches.size(); ++number) {
        std::size_t at = 0;
        for (const auto index : batches[number]) {
            if (at + 2 * windows[index].ids.size() > all[number].size()) {
                return unequalParts();
            }
            for (std::size_t token = 0; token < windows[index].ids.size(); ++token, at += 2) {
                logits[index].start.push_back(all[number][at]);
                logits[index].end.push_back(all[number][at + 1]);
            }
        }
    }
    return logits;
}

/// The kBest best different ones.
std::vector<AnswerSpan> bestOf(std::vector<AnswerSpan> spans) {
    std::stable_sort(spans.begin(), spans.end(),
                     [](const AnswerSpan& a, const AnswerSpan& b) { return a.score > b.score; });
    std::vector<AnswerSpan> best;
    for (const auto& span : spans) {
        const bool known = std::any_of(best.begin(), best.end(), [&](const AnswerSpan& one) {
            return one.begin == span.begin && one.end == span.end;
        });
        if (!known && best.size() < kBest) {
            best.push_back(span);
        }
    }
    return best;
}

std::string textOf(const AnswerSpan& span, const std::string& context) {
    return context.substr(span.begin, span.end - span.begin);
}

/// The prediction for the metric: the best span, or nothing where "no answer" is allowed and likelier.
std::string predictionOf(const AnswerResult& found, const std::string& context, bool mayBeNone) {
    if (found.best.empty() || (mayBeNone && found.nullScore > found.best.front().score)) {
        return {};
    }
    return textOf(found.best.front(), context);
}

ItemResult itemOf(const QuestionRow& one, std::string prediction, bool mayBeNone) {
    const auto score = mayBeNone ? metrics::scoreAnswerOrNone(prediction, one.answers)
                                 : metrics::scoreAnswer(prediction, one.answers);
    return {one.row, score.f1, -1, answerOf(std::move(prediction)), {score.exact, score.f1}};
}

}  // namespace

Result<QuestionRows> readQuestions(const Task& task, Progress& progress, std::stop_token stop) {
    return task.format == DataFormat::Squad ? readSquadQuestions(task, progress, std::move(stop))
                                            : readQuestionRows(task, progress, std::move(stop));
}

Result<std::vector<AnswerResult>> findAnswers(const QuestionReader& reader,
                                              std::span<const AskedQuestion> questions,
                                              std::stop_token stop) {
    const auto positions = reader.encoder.layout().maxPositions;
    const text::WindowOptions options{
        positions > 0 ? std::min(reader.maxLength, positions) : reader.maxLength, reader.docStride};
    std::vector<text::TokenSequence> windows;
    std::vector<std::size_t> firstWindows;  // of each question, and the end
    for (const auto& asked : questions) {
        firstWindows.push_back(windows.size());
        PARETO_TRY(auto own, reader.tokenizer.encodeWindows(asked.question, asked.context, options));
        std::move(own.begin(), own.end(), std::back_inserter(windows));
    }
    firstWindows.push_back(windows.size());
    PARETO_TRY(const auto logits, runWindows(reader, windows, stop));
    std::vector<AnswerResult> results;
    for (std::size_t q = 0; q < questions.size(); ++q) {
        AnswerResult result;
        result.nullScore = std::numeric_limits<double>::infinity();
        std::vector<AnswerSpan> spans;
        for (auto i = firstWindows[q]; i < firstWindows[q + 1]; ++i) {
            result.nullScore =
                std::min(result.nullScore, logits[i].start.front() + logits[i].end.front());
            addSpans(windows[i], logits[i], spans);
        }
        result.best = bestOf(std::move(spans));
        results.push_back(std::move(result));
    }
    return results;
}

Result<EvalResult> runAnswering(const EvalRequest& request, Progress& progress, std::stop_token stop) {
    const auto& task = request.task;
    PARETO_TRY(const auto data, readQuestions(task, progress, stop));
    const bool mayBeNone = std::any_of(data.list.begin(), data.list.end(),
                                       [](const QuestionRow& one) { return one.answers.empty(); });
    const QuestionReader reader{*request.model->encoder, *request.tokenizer, task.maxLength,
                                task.docStride, request.batchTokens, request.peers};
    progress.begin(Stage::Evaluating, static_cast<std::int64_t>(data.list.size()), Unit::Samples);
    EvalResult result;
    result.metric = headlineMetric(task.kind);
    result.dataHash = data.hash;
    for (std::size_t begin = 0; begin < data.list.size(); begin += kChunk) {
        const auto chunk = std::span(data.list).subspan(begin, std::min(kChunk, data.list.size() - begin));
        std::vector<AskedQuestion> asked;
        for (const auto& one : chunk) {
            asked.push_back({one.question, data.contexts[one.context]});
        }
        PARETO_TRY(const auto found, findAnswers(reader, asked, stop));
        for (std::size_t i = 0; i < chunk.size(); ++i) {
            result.items.push_back(
                itemOf(chunk[i], predictionOf(found[i], data.contexts[chunk[i].context], mayBeNone), mayBeNone));
        }
        progress.advance(static_cast<std::int64_t>(chunk.size()));
    }
    measure(result, {"squad_f1", "exact_match"});
    result.details = {{"rows_available", data.available}, {"no_answer_allowed", mayBeNone}};
    return result;
}

}  // namespace pareto::tasks
