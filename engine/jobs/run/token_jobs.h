#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/jobs/api/jobs.h"
#include "engine/jobs/run/model_cache.h"

/// Jobs of encoders whose head works on tokens.
namespace pareto::jobs {

/// A part of a text and what the model says of it. Bytes are those of the text, [begin, end).
struct TextPart {
    std::string label;  ///< of an entity or a word
    std::string text;
    std::int64_t begin = 0;
    std::int64_t end = 0;
    double score = 0.0;  ///< a probability
};

struct AnswerResult {
    std::vector<TextPart> answers;  ///< best first; empty when the context has no tokens
};
/// {"answer", "begin", "end", "score"} of the best, {"answers": […]} of all.
Json toJson(const AnswerResult& result);
/// The likeliest spans of the context, which is read in windows where it is longer than the model takes
/// (engine/tasks/answer_span.h). TargetInvalid when the question fills a window.
Result<AnswerResult> runAnswer(ModelCache& cache, const AnswerParams& params, Progress& progress,
                               std::stop_token stop);

struct TaggedText {
    std::vector<TextPart> entities;
    std::vector<TextPart>
        words;  ///< with the labels as the model has them; those within its length
};
struct TagResult {
    std::vector<TaggedText> items;  ///< one a text
};
/// {"entities", "words"} of the first text, {"items": […]} of all.
Json toJson(const TagResult& result);
Result<TagResult> runTag(ModelCache& cache, const TextParams& params, Progress& progress,
                         std::stop_token stop);

struct Filling {
    std::string text;
    std::int32_t id = 0;
    double score = 0.0;
};
struct FilledText {
    std::vector<std::vector<Filling>> masks;  ///< for each mask of the text the best, best first
};
struct FillResult {
    std::vector<FilledText> items;  ///< one a text
};
/// {"masks": [{"candidates": […]}]} of the first text, {"items": […]} of all.
Json toJson(const FillResult& result);
/// What could stand where a text has "[MASK]" or "<mask>": the five likeliest tokens. TargetInvalid for a
/// text without one.
Result<FillResult> runFill(ModelCache& cache, const TextParams& params, Progress& progress,
                           std::stop_token stop);

}  // namespace pareto::jobs
