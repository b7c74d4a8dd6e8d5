#include "engine/jobs/run/token_jobs.h"

#include <algorithm>
#include <numeric>

#include "engine/jobs/run/guarded.h"
#include "engine/jobs/run/ready_encoder.h"
#include "engine/tasks/answer_span.h"
#include "engine/tasks/token_batches.h"
#include "engine/tasks/token_tags.h"
#include "engine/text/word_spans.h"

namespace pareto::jobs {

namespace {

constexpr std::size_t kAnswers = 3;
constexpr std::size_t kFillings = 5;

TextPart partOf(const std::string& text, const text::Span& bytes, double score) {
    TextPart part;
    part.text = text.substr(static_cast<std::size_t>(bytes.begin),
                            static_cast<std::size_t>(bytes.end - bytes.begin));
    part.begin = bytes.begin;
    part.end = bytes.end;
    part.score = score;
    return part;
}

Json toJson(const TaggedText& item);
Json toJson(const Filling& filling);
Json toJson(const FilledText& item);

Json toJson(const TextPart& part) {
    Json json{{"text", part.text}, {"begin", part.begin}, {"end", part.end}, {"score", part.score}};
    if (!part.label.empty()) {
        json["label"] = part.label;
    }
    return json;
}

template <typename Part>
Json listOf(const std::vector<Part>& parts) {
    Json list = Json::array();
    for (const auto& part : parts) {
        list.push_back(toJson(part));
    }
    return list;
}

/// The fields of the first item beside the list of all.
template <typename Item>
Json withItems(const std::vector<Item>& items) {
    Json list = listOf(items);
    Json json = list.empty() ? Json::object() : list.front();
    json["items"] = std::move(list);
    return json;
}

Json toJson(const TaggedText& item) {
    return {{"entities", listOf(item.entities)}, {"words", listOf(item.words)}};
}

Json toJson(const Filling& filling) {
    return {{"text", filling.text}, {"token_id", filling.id}, {"score", filling.score}};
}

Json toJson(const FilledText& item) {
    Json masks = Json::array();
    for (const auto& mask : item.masks) {
        masks.push_back({{"candidates", listOf(mask)}});
    }
    return {{"masks", std::move(masks)}};
}

/// As transformers' pipeline: a window repeats at most half of itself.
text::WindowOptions windowsFor(const AnswerParams& params, const ReadyEncoder& ready) {
    text::WindowOptions options;
    options.maxLength = params.maxLength;
    if (const auto most = ready.encoder->layout().maxPositions; most > 0) {
        options.maxLength = std::min(options.maxLength, most);
    }
    options.stride = std::min(params.docStride, options.maxLength / 2);
    return options;
}

tasks::AnswerWindow answerWindow(const text::TokenSequence& sequence,
                                 const models::Matrix& logits) {
    tasks::AnswerWindow out;
    out.offsets = sequence.offsets;
    for (std::size_t token = 0; token < sequence.ids.size(); ++token) {
        const auto row = logits.row(static_cast<std::int64_t>(token));
        out.start.push_back(row[0]);
        out.end.push_back(row[1]);
        out.inContext.push_back(sequence.sides[token] == text::Side::Second);
    }
    return out;
}

Result<AnswerResult> answer(ModelCache& cache, const AnswerParams& params, Progress& progress,
                            std::stop_token stop) {
    const EncoderNeed need{kJobAnswer, Outputs::AnswerSpan,
                           "the model has no question-answering head"};
    PARETO_TRY(const auto ready,
               readyEncoder(cache, {params.model, params.recipe, params.target, false}, need,
                            progress, stop));
    PARETO_TRY(const auto windows, ready.tokenizer->encodeWindows(params.question, params.context,
                                                                  windowsFor(params, ready)));
    PARETO_TRY(const auto logits, tasks::encodeTokens(*ready.encoder, windows, {},
                                                      kEncoderBatchTokens, progress, stop));
    std::vector<tasks::AnswerWindow> seen;
    for (std::size_t i = 0; i < logits.size(); ++i) {
        seen.push_back(answerWindow(windows[i], logits[i]));
    }
    AnswerResult result;
    for (const auto& span : tasks::bestSpans(seen, params.context, {.best = kAnswers})) {
        result.answers.push_back(partOf(params.context, span.bytes, span.score));
    }
    return result;
}

Result<TagResult> tag(ModelCache& cache, const TextParams& params, Progress& progress,
                      std::stop_token stop) {
    const EncoderNeed need{kJobTag, Outputs::TokenClasses,
                           "the model has no head that classifies words"};
    PARETO_TRY(const auto ready,
               readyEncoder(cache, {params.model, params.recipe, params.target, false}, need,
                            progress, stop));
    PARETO_TRY(const auto sequences, tokenizeTexts(params, ready, progress, stop));
    PARETO_TRY(const auto logits, tasks::encodeTokens(*ready.encoder, sequences, {},
                                                      kEncoderBatchTokens, progress, stop));
    const auto& labels = ready.encoder->layout().labels;
    TagResult result;
    for (std::size_t i = 0; i < sequences.size(); ++i) {
        const std::string& text = params.texts[i];
        const auto words = tasks::tagWords(text::wordSpans(text), sequences[i].offsets, logits[i]);
        TaggedText item;
        for (const auto& word : words) {
            if (word.label >= 0) {
                item.words.push_back(partOf(text, word.bytes, word.score));
                item.words.back().label = labels[static_cast<std::size_t>(word.label)];
            }
        }
        for (const auto& entity : tasks::groupEntities(words, labels)) {
            item.entities.push_back(partOf(text, entity.bytes, entity.score));
            item.entities.back().label = entity.label;
        }
        result.items.push_back(std::move(item));
    }
    return result;
}

/// The spelling of the tokenizer's own mask and its id.
struct Mask {
    std::string text;
    std::int32_t id = -1;
};

constexpr const char* kMasks[] = {"[MASK]", "<mask>"};

Mask maskOf(const text::Tokenizer& tokenizer) {
    for (const char* spelling : kMasks) {
        if (const auto id = tokenizer.tokenId(spelling); id >= 0) {
            return {spelling, id};
        }
    }
    return {};
}

/// Both spellings mean the model's mask.
std::string respelled(std::string text, const Mask& mask) {
    for (const std::string spelling : kMasks) {
        if (spelling == mask.text) {
            continue;
        }
        for (auto at = text.find(spelling); at != std::string::npos;
             at = text.find(spelling, at + mask.text.size())) {
            text.replace(at, spelling.size(), mask.text);
        }
    }
    return text;
}

std::vector<std::int32_t> placesOf(const std::vector<std::int32_t>& ids, std::int32_t id) {
    std::vector<std::int32_t> places;
    for (std::size_t at = 0; at < ids.size(); ++at) {
        if (ids[at] == id) {
            places.push_back(static_cast<std::int32_t>(at));
        }
    }
    return places;
}

std::vector<Filling> likeliest(std::span<const float> logits, const text::Tokenizer& tokenizer) {
    const auto scores = softmax(logits);
    std::vector<std::int32_t> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    const std::size_t count = std::min(kFillings, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count),
                      order.end(), [&](std::int32_t a, std::int32_t b) {
                          return scores[static_cast<std::size_t>(a)] >
                                 scores[static_cast<std::size_t>(b)];
                      });
    order.resize(count);
    std::vector<Filling> out;
    for (const auto id : order) {
        out.push_back({tokenizer.decode({id}, false), id, scores[static_cast<std::size_t>(id)]});
    }
    return out;
}

Result<FillResult> fill(ModelCache& cache, TextParams params, Progress& progress,
                        std::stop_token stop) {
    const EncoderNeed need{kJobFill, Outputs::MaskedToken,
                           "the model has no head for masked tokens"};
    PARETO_TRY(const auto ready,
               readyEncoder(cache, {params.model, params.recipe, params.target, false}, need,
                            progress, stop));
    const Mask mask = maskOf(*ready.tokenizer);
    for (auto& text : params.texts) {
        text = mask.id < 0 ? text : respelled(text, mask);
    }
    PARETO_TRY(const auto sequences, tokenizeTexts(params, ready, progress, stop));
    std::vector<std::vector<std::int32_t>> wanted;
    for (std::size_t i = 0; i < sequences.size(); ++i) {
        wanted.push_back(mask.id < 0 ? std::vector<std::int32_t>()
                                     : placesOf(sequences[i].ids, mask.id));
        if (wanted.back().empty()) {
            return makeError(
                ErrorCode::TargetInvalid,
                {{"field", "texts"},
                 {"reason", mask.id < 0
                                ? std::string("cannot be filled: the tokenizer has no mask")
                                : "have no " + mask.text + " in text " + std::to_string(i + 1)}});
        }
    }
    PARETO_TRY(const auto logits, tasks::encodeTokens(*ready.encoder, sequences, wanted,
                                                      kEncoderBatchTokens, progress, stop));
    FillResult result;
    for (const auto& values : logits) {
        FilledText item;
        for (std::int64_t at = 0; at < values.rows; ++at) {
            item.masks.push_back(likeliest(values.row(at), *ready.tokenizer));
        }
        result.items.push_back(std::move(item));
    }
    return result;
}

}  // namespace

Json toJson(const AnswerResult& result) {
    Json json{{"answer", ""}, {"begin", 0}, {"end", 0}, {"score", 0.0}};
    if (!result.answers.empty()) {
        const auto& best = result.answers.front();
        json = {
            {"answer", best.text}, {"begin", best.begin}, {"end", best.end}, {"score", best.score}};
    }
    json["answers"] = listOf(result.answers);
    return json;
}

Json toJson(const TagResult& result) { return withItems(result.items); }

Json toJson(const FillResult& result) { return withItems(result.items); }

Result<AnswerResult> runAnswer(ModelCache& cache, const AnswerParams& params, Progress& progress,
                               std::stop_token stop) {
    return guarded(kJobAnswer, [&] { return answer(cache, params, progress, stop); });
}

Result<TagResult> runTag(ModelCache& cache, const TextParams& params, Progress& progress,
                         std::stop_token stop) {
    return guarded(kJobTag, [&] { return tag(cache, params, progress, stop); });
}

Result<FillResult> runFill(ModelCache& cache, const TextParams& params, Progress& progress,
                           std::stop_token stop) {
    return guarded(kJobFill, [&] { return fill(cache, params, progress, stop); });
}

}  // namespace pareto::jobs
