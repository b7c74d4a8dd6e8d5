#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tasks/task_runner.h"

namespace pareto::tasks {

/// Extractive question answering: F1 (headline) and exact match of SQuAD's scripts; those of v2.0, with
/// no-answer, when the data has a question without answers. A context longer than `maxLength` tokens is
/// read in windows that share `docStride` tokens; the best of the 20 × 20 likeliest starts and ends with
/// at most 30 tokens between them is the answer, over all windows, and no answer where the first token's
/// score beats it (what run_qa of transformers does). Data: SQuAD's JSON, or JSON lines with question,
/// context and answers.
Result<EvalResult> runAnswering(const EvalRequest& request, Progress& progress, std::stop_token stop);

/// Tokens of the longest answer: max_answer_length of run_qa.
inline constexpr std::size_t kLongestAnswer = 30;

/// A question with its answers; where the data says so, with the byte of the context at which each begins.
struct QuestionRow {
    std::int64_t row = 0;
    std::string question;
    std::size_t context = 0;  ///< in QuestionRows::contexts
    std::vector<std::string> answers;        ///< empty: there is none
    std::vector<std::int64_t> answerBegins;  ///< as many; −1: nowhere
};
struct QuestionRows {
    std::string hash;            ///< SHA-256 of the file's bytes
    std::int64_t available = 0;  ///< before `limit`
    std::vector<std::string> contexts;
    std::vector<QuestionRow> list;
};
/// Questions of the task's split. Answers of which the data does not say where they begin are where they are first.
Result<QuestionRows> readQuestions(const Task& task, Progress& progress, std::stop_token stop);

/// A span of a context with the sum of its two logits.
struct AnswerSpan {
    std::size_t begin = 0;  ///< bytes of the context
    std::size_t end = 0;
    double score = 0.0;
};
struct AnswerResult {
    std::vector<AnswerSpan> best;  ///< best first, at most 20 different ones; empty: no token could begin one
    double nullScore = 0.0;        ///< of "no answer": the lowest of any window
};
/// The answers an encoder with an answer head finds to one question in one context.
struct QuestionReader {
    models::Encoder& encoder;
    const text::Tokenizer& tokenizer;
    std::int64_t maxLength = 384;
    std::int64_t docStride = 128;
    std::int64_t batchTokens = 2048;
    Peers* peers = nullptr;  ///< share the batches; null: this process runs them all
};
struct AskedQuestion {
    std::string_view question;
    std::string_view context;
};
/// One result a question; their windows share batches. TargetInvalid when a question leaves no room for
/// its context; errors of the model.
Result<std::vector<AnswerResult>> findAnswers(const QuestionReader& reader,
                                              std::span<const AskedQuestion> questions,
                                              std::stop_token stop);

}  // namespace pareto::tasks
