#include "engine/jobs/run/training_rows.h"

#include <algorithm>

#include "engine/tasks/answering.h"
#include "engine/tasks/batching.h"
#include "engine/tasks/classification.h"
#include "engine/tasks/similarity.h"
#include "engine/tasks/tagging.h"
#include "engine/tasks/task_data.h"
#include "engine/tasks/texts.h"

namespace pareto::jobs {
namespace {

using train::Example;
using train::Objective;

bool isScorer(const ModelLayout& layout) { return layout.isClassifier() && layout.labels.size() == 1; }

Example exampleOf(text::TokenSequence sequence) {
    Example out;
    out.ids = std::move(sequence.ids);
    out.typeIds = std::move(sequence.typeIds);
    return out;
}

Result<TaskExamples> readClasses(const ReadRows& in, Progress& progress, std::stop_token stop) {
    const bool labels = in.objective == Objective::Classes;
    PARETO_TRY(const auto rows, tasks::readTaskRows(in.task, labels, progress, stop));
    PARETO_TRY(auto sequences, tasks::tokenizeRows(rows.rows, {in.tokenizers.texts, in.maxLength}, progress, stop));
    std::vector<int> classes(rows.rows.size(), -1);
    if (labels) {
        PARETO_TRY(classes, tasks::labelClasses(rows, in.task, in.layout.labels));
    }
    TaskExamples out{rows.hash, {}};
    for (std::size_t i = 0; i < sequences.size(); ++i) {
        if (!sequences[i].ids.empty()) {
            out.examples.push_back(exampleOf(std::move(sequences[i])));
            out.examples.back().label = classes[i];
        }
    }
    return out;
}

Error unknownTag(const tasks::TaggedSentences& data, const tasks::TaggedSentence& sentence, const std::string& tag,
                 const std::vector<std::string>& labels) {
    std::string known;
    for (const auto& label : labels) {
        known += (known.empty() ? "" : ", ") + label;
    }
    return makeError(ErrorCode::DataRowInvalid,
                     {{"file", data.file},
                      {"line", std::to_string(sentence.line)},
                      {"reason", "the tag '" + tag + "' is none of the model's classes (known: " + known + ")"}});
}

/// A word's first token says its tag; the others do not count.
Result<TaskExamples> readTags(const ReadRows& in, Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto data, tasks::readSentences(in.task, progress, stop));
    progress.begin(Stage::Tokenizing, static_cast<std::int64_t>(data.list.size()), Unit::Samples);
    TaskExamples out{data.hash, {}};
    for (const auto& sentence : data.list) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        const auto classes = tasks::tagClasses(sentence, in.task, in.layout.labels);
        if (const auto none = std::find(classes.begin(), classes.end(), -1); none != classes.end()) {
            const auto word = static_cast<std::size_t>(none - classes.begin());
            return unknownTag(data, sentence, sentence.tags[word], in.layout.labels);
        }
        auto tokens = tasks::tokensOf(sentence, in.tokenizers.texts, in.maxLength);
        progress.advance();
        if (tokens.words.empty()) {
            continue;
        }
        Example example = exampleOf(std::move(tokens.tokens));
        example.tokenLabels.assign(example.ids.size(), -1);
        for (std::size_t i = 0; i < tokens.words.size(); ++i) {
            example.tokenLabels[static_cast<std::size_t>(tokens.firstTokens[i])] = classes[tokens.words[i]];
        }
        out.examples.push_back(std::move(example));
    }
    return out;
}

Result<TaskExamples> readPairs(const ReadRows& in, Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto data, tasks::readScoredPairs(in.task, progress, stop));
    const text::EncodeOptions encode{.addSpecialTokens = true, .maxLength = in.maxLength};
    const auto& tokenizer = in.tokenizers.texts;
    progress.begin(Stage::Tokenizing, static_cast<std::int64_t>(data.list.size()), Unit::Samples);
    TaskExamples out{data.hash, {}};
    for (const auto& pair : data.list) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        const bool together = in.objective == Objective::Score;
        Example example = exampleOf(together ? tokenizer.encodePair(pair.first, pair.second, encode)
                                             : tokenizer.encode(pair.first, encode));
        example.score = static_cast<float>(pair.score);
        if (!together) {
            example.pair = tokenizer.encode(pair.second, encode).ids;
        }
        progress.advance();
        if (!example.ids.empty() && (together || !example.pair.empty())) {
            out.examples.push_back(std::move(example));
        }
    }
    return out;
}

/// The most tokens that a model takes, of those that are wanted.
std::int64_t roomFor(std::int64_t wanted, const ModelLayout& layout) {
    return layout.maxPositions > 0 ? std::min(wanted, layout.maxPositions) : wanted;
}

/// Each reference of a row is an example. Whatever a tokenizer puts around texts, a target is its text and the token
/// that ends it.
Result<TaskExamples> readTargets(const ReadRows& in, Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto data, tasks::readPromptedTexts(in.task, in.layout.kind(), progress, stop));
    const std::int64_t longest = std::max<std::int64_t>(2, roomFor(in.task.maxTokens, in.layout));
    const auto end = in.layout.eosId >= 0 ? in.layout.eosId : in.tokenizers.targets.eosId();
    progress.begin(Stage::Tokenizing, static_cast<std::int64_t>(data.list.size()), Unit::Samples);
    TaskExamples out{data.hash, {}};
    for (const auto& row : data.list) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        const auto source = in.tokenizers.texts.encode(
            row.prompt, {.addSpecialTokens = true, .maxLength = roomFor(in.maxLength, in.layout)});
        progress.advance();
        for (const auto& reference : row.references) {
            auto said = in.tokenizers.targets.encode(reference, {.addSpecialTokens = false, .maxLength = longest - 1});
            if (source.ids.empty() || said.ids.empty()) {
                continue;
            }
            Example example;
            example.ids = source.ids;
            example.target = std::move(said.ids);
            if (end >= 0) {
                example.target.push_back(end);
            }
            out.examples.push_back(std::move(example));
        }
    }
    return out;
}

/// The tokens of a window's context that hold bytes begin … end − 1 of it; the first token of all, which says "no answer",
/// where the window has not all of them (as in transformers' run_qa).
std::pair<std::int32_t, std::int32_t> answerIn(const text::TokenSequence& window, std::int64_t begin, std::int64_t end) {
    std::int32_t first = -1;
    std::int32_t last = -1;
    for (std::size_t i = 0; i < window.ids.size(); ++i) {
        const auto& bytes = window.offsets[i];
        if (window.sides[i] != text::Side::Second || bytes.begin >= bytes.end) {
            continue;
        }
        first = bytes.begin <= begin && bytes.end > begin ? static_cast<std::int32_t>(i) : first;
        last = bytes.begin < end && bytes.end >= end && last < 0 ? static_cast<std::int32_t>(i) : last;
    }
    return first >= 0 && last >= first ? std::pair(first, last) : std::pair(0, 0);
}

/// An example a window, with the first of a question's answers. Answers that are nowhere in their context are left out.
Result<TaskExamples> readAnswers(const ReadRows& in, Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto data, tasks::readQuestions(in.task, progress, stop));
    const text::WindowOptions windows{roomFor(in.maxLength, in.layout), in.task.docStride};
    progress.begin(Stage::Tokenizing, static_cast<std::int64_t>(data.list.size()), Unit::Samples);
    TaskExamples out{data.hash, {}};
    for (const auto& row : data.list) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        progress.advance();
        const bool answered = !row.answers.empty();
        if (answered && row.answerBegins.front() < 0) {
            continue;
        }
        const std::int64_t begin = answered ? row.answerBegins.front() : -1;
        const auto size = answered ? static_cast<std::int64_t>(row.answers.front().size()) : 0;
        PARETO_TRY(auto own, in.tokenizers.texts.encodeWindows(row.question, data.contexts[row.context], windows));
        for (auto& window : own) {
            const auto answer = answered ? answerIn(window, begin, begin + size) : std::pair(0, 0);
            out.examples.push_back(exampleOf(std::move(window)));
            out.examples.back().answer = answer;
        }
    }
    return out;
}

}  // namespace

std::optional<Objective> objectiveFor(const Task& task, const ModelLayout& layout, const RecoverSpec& spec) {
    switch (task.kind) {
        case TaskKind::Classification:
            if (layout.isClassifier() && !isScorer(layout)) {
                return Objective::Classes;
            }
            break;
        case TaskKind::TokenClassification:
            if (layout.outputs == Outputs::TokenClasses) {
                return Objective::TokenClasses;
            }
            break;
        case TaskKind::Similarity:
            if (layout.outputs == Outputs::Embedding) {
                return Objective::Similarity;
            }
            return isScorer(layout) ? std::optional(Objective::Score) : std::nullopt;
        case TaskKind::Translation:
        case TaskKind::Generation:
            return layout.isSeq2Seq() ? std::optional(Objective::Target) : std::nullopt;
        case TaskKind::Perplexity:
            return layout.isDecoder() ? std::optional(Objective::NextToken) : std::nullopt;
        case TaskKind::QuestionAnswering:
            return layout.outputs == Outputs::AnswerSpan ? std::optional(Objective::AnswerSpan) : std::nullopt;
        case TaskKind::Fidelity:
            break;
        case TaskKind::MultipleChoice:
        case TaskKind::Dialogue:
        case TaskKind::Retrieval:
        case TaskKind::Ranking:
            return std::nullopt;
    }
    const bool shown = (task.kind == TaskKind::Fidelity || task.kind == TaskKind::Classification) && layout.isEncoder() &&
                       task.format != DataFormat::Text && spec.distil;
    return shown ? std::optional(Objective::None) : std::nullopt;
}

Result<TaskExamples> readExamples(const ReadRows& rows, Progress& progress, std::stop_token stop) {
    switch (rows.objective) {
        case Objective::TokenClasses: return readTags(rows, progress, std::move(stop));
        case Objective::Score:
        case Objective::Similarity: return readPairs(rows, progress, std::move(stop));
        case Objective::Target: return readTargets(rows, progress, std::move(stop));
        case Objective::AnswerSpan: return readAnswers(rows, progress, std::move(stop));
        default: return readClasses(rows, progress, std::move(stop));
    }
}

}  // namespace pareto::jobs
