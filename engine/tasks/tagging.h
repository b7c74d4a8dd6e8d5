#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/tasks/task_runner.h"

namespace pareto::tasks {

/// Token classification: the first token of a word decides its tag, and entities count as seqeval counts
/// them (headline: micro F1). Data: CoNLL columns, or JSON lines with lists of words and of tags (names,
/// or numbers of the model's labels). Words beyond `maxLength` tokens get "O"; details say how many, and
/// hold the table of types.
Result<EvalResult> runTagging(const EvalRequest& request, Progress& progress, std::stop_token stop);

/// Words with a tag each.
struct TaggedSentence {
    std::int64_t row = 0;
    std::int64_t line = 0;  ///< in the file, for messages
    std::vector<std::string> words;
    std::vector<std::string> tags;
};
struct TaggedSentences {
    std::string file;
    std::string hash;            ///< SHA-256 of its bytes
    std::int64_t available = 0;  ///< before `limit`
    std::vector<TaggedSentence> list;
};
/// Sentences of the task's split. FileMissing, DataEmpty, DataRowInvalid.
Result<TaggedSentences> readSentences(const Task& task, Progress& progress, std::stop_token stop);

/// A sentence as the model gets it.
struct SentenceTokens {
    text::TokenSequence tokens;
    std::vector<std::int32_t> firstTokens;  ///< of each word that has one
    std::vector<std::size_t> words;         ///< which word that is
};
SentenceTokens tokensOf(const TaggedSentence& sentence, const text::Tokenizer& tokenizer, std::int64_t maxLength);

/// The class of each word: its tag by name, by the task's table or as a number of `labels`; −1: none of them.
std::vector<int> tagClasses(const TaggedSentence& sentence, const Task& task, const std::vector<std::string>& labels);

/// Classes for a tagger that is to be made for a task: Task::labels by their numbers, else the tags of the sentences,
/// "O" before the others in their order. TaskInvalid where tags are numbers without names.
Result<std::vector<std::string>> tagNames(const TaggedSentences& sentences, const Task& task);

}  // namespace pareto::tasks
