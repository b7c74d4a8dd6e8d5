#include "engine/tasks/tagging.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "engine/core/file_hash.h"
#include "engine/io/tagged_text.h"
#include "engine/metrics/entities.h"
#include "engine/metrics/likelihood.h"
#include "engine/tasks/batching.h"
#include "engine/tasks/task_data.h"

namespace pareto::tasks {

namespace {

constexpr std::array<std::string_view, 2> kRoles{"tokens", "tags"};

/// A tag by its name, by the task's table or as a number of the model's labels.
std::string tagName(const std::string& tag, const Task& task, const std::vector<std::string>& labels) {
    std::size_t number = labels.size();
    if (const auto mapped = task.labels.find(tag); mapped != task.labels.end()) {
        number = static_cast<std::size_t>(mapped->second);
    } else {
        const auto [end, problem] = std::from_chars(tag.data(), tag.data() + tag.size(), number);
        if (problem != std::errc{} || end != tag.data() + tag.size()) {
            return tag;
        }
    }
    return number < labels.size() ? labels[number] : tag;
}

Result<TaggedSentences> readConll(const Task& task, Progress& progress, std::stop_token stop) {
    TaggedSentences out;
    PARETO_TRY(out.file, taskFile(task));
    PARETO_TRY(out.hash, hashFile(out.file, stop));
    std::vector<TaggedSentence> all;
    PARETO_CHECK(io::readTaggedText(
        out.file,
        [&](io::TaggedSentence sentence) -> Status {
            all.push_back({static_cast<std::int64_t>(all.size()), sentence.line, std::move(sentence.words),
                           std::move(sentence.tags)});
            return Done{};
        },
        progress, stop));
    if (all.empty()) {
        return makeError(ErrorCode::DataEmpty,
                         {{"file", out.file}, {"split", task.split.empty() ? "all" : task.split}});
    }
    out.available = static_cast<std::int64_t>(all.size());
    for (const auto index : drawnIndices(all.size(), task.limit, task.seed)) {
        out.list.push_back(std::move(all[index]));
    }
    return out;
}

Result<TaggedSentences> readLists(const Task& task, Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto data, readDataRows(task, kRoles, progress, stop));
    TaggedSentences out{data.file, data.hash, data.available, {}};
    for (const auto& row : data.rows) {
        TaggedSentence sentence{row.row, row.line, textsOfCell(row.values[0]), textsOfCell(row.values[1])};
        if (sentence.words.size() != sentence.tags.size()) {
            return data.invalid(row.line, "it has " + std::to_string(sentence.words.size()) +
                                              " words and " + std::to_string(sentence.tags.size()) +
                                              " tags");
        }
        out.list.push_back(std::move(sentence));
    }
    return out;
}

/// Tags of every sentence; words without a token of their own are outside of entities.
class Tagger {
public:
    Tagger(const EvalRequest& request, const TaggedSentences& sentences)
        : m_request(request), m_sentences(sentences) {}

    Result<std::vector<std::vector<std::string>>> run(Progress& progress, std::stop_token stop) {
        std::vector<std::int64_t> lengths;
        for (const auto& sentence : m_sentences.list) {
            m_prepared.push_back(tokensOf(sentence, *m_request.tokenizer, m_request.task.maxLength));
            lengths.push_back(static_cast<std::int64_t>(m_prepared.back().tokens.ids.size()));
            m_tags.emplace_back(sentence.words.size(), "O");
        }
        progress.begin(Stage::Evaluating, static_cast<std::int64_t>(lengths.size()), Unit::Samples);
        const auto batches = makeBatches(lengths, m_request.batchTokens);
        const auto classes = [&](std::size_t number) {
            progress.advance(static_cast<std::int64_t>(batches[number].size()) * sizeOf(m_request.peers));
            return classesOf(batches[number], stop);
        };
        PARETO_TRY(const auto all, together<std::vector<float>>(m_request.peers, batches.size(), classes, stop));
        const auto& labels = m_request.model->encoder->layout().labels;
        for (std::size_t number = 0; number < batches.size(); ++number) {
            auto next = all[number].begin();
            for (const auto index : batches[number]) {
                for (const auto word : m_prepared[index].words) {
                    if (next == all[number].end() || *next < 0.0F || *next >= static_cast<float>(labels.size())) {
                        return unequalParts();
                    }
                    m_tags[index][word] = labels[static_cast<std::size_t>(*next++)];
                }
            }
        }
        return std::move(m_tags);
    }
    std::int64_t wordsCut() const {
        std::int64_t cut = 0;
        for (std::size_t i = 0; i < m_prepared.size(); ++i) {
            cut += static_cast<std::int64_t>(m_sentences.list[i].words.size() -
                                             m_prepared[i].words.size());
        }
        return cut;
    }

private:
    /// Of the words of a batch's sentences, one behind the other.
    Result<std::vector<float>> classesOf(const std::vector<std::size_t>& batch, std::stop_token stop) const {
        std::vector<float> classes;
        models::TokenBatch tokens;
        std::vector<std::vector<std::int32_t>> wanted;
        std::vector<std::size_t> sentences;
        for (const auto index : batch) {
            if (m_prepared[index].words.empty()) {
                continue;
            }
            tokens.ids.push_back(m_prepared[index].tokens.ids);
            tokens.typeIds.push_back(m_prepared[index].tokens.typeIds);
            wanted.push_back(m_prepared[index].firstTokens);
            sentences.push_back(index);
        }
        if (sentences.empty()) {
            return classes;
        }
        PARETO_TRY(const auto outputs, m_request.model->encoder->tokenOutputs(tokens, wanted, stop));
        PARETO_CHECK(checkFinite(outputs.values));
        for (std::size_t i = 0; i < sentences.size(); ++i) {
            const auto& words = m_prepared[sentences[i]].words;
            for (std::size_t w = 0; w < words.size(); ++w) {
                const auto row = outputs.values.row(outputs.starts[i] + static_cast<std::int64_t>(w));
                classes.push_back(static_cast<float>(metrics::indexOfLargest(row)));
            }
        }
        return classes;
    }

    const EvalRequest& m_request;
    const TaggedSentences& m_sentences;
    std::vector<SentenceTokens> m_prepared;
    std::vector<std::vector<std::string>> m_tags;
};

std::string joined(const std::vector<std::string>& tags) {
    std::string text;
    for (const auto& tag : tags) {
        text += (text.empty() ? "" : " ") + tag;
    }
    return text;
}

Json tableOf(const std::map<std::string, metrics::EntityCounts>& types) {
    Json table = Json::object();
    for (const auto& [type, counts] : types) {
        table[type] = {{"precision", counts.precision()}, {"recall", counts.recall()},
                       {"f1", counts.f1()},               {"expected", counts.expected},
                       {"predicted", counts.predicted}};
    }
    return table;
}

bool isNumber(const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

Result<TaggedSentences> readSentences(const Task& task, Progress& progress, std::stop_token stop) {
    return task.format == DataFormat::Conll ? readConll(task, progress, std::move(stop))
                                            : readLists(task, progress, std::move(stop));
}

SentenceTokens tokensOf(const TaggedSentence& sentence, const text::Tokenizer& tokenizer, std::int64_t maxLength) {
    std::string text;
    std::vector<std::int32_t> ends;  // of the words in the text
    for (const auto& word : sentence.words) {
        text += (text.empty() ? "" : " ") + word;
        ends.push_back(static_cast<std::int32_t>(text.size()));
    }
    SentenceTokens out;
    out.tokens = tokenizer.encode(text, {.addSpecialTokens = true, .maxLength = maxLength});
    std::size_t word = 0;
    for (std::size_t i = 0; i < out.tokens.offsets.size() && word < ends.size(); ++i) {
        const auto [begin, end] = out.tokens.offsets[i];
        if (begin >= end) {
            continue;  // a special token
        }
        // The word that the token's last byte is in; a token's first byte may be the space before.
        while (word < ends.size() && ends[word] < end) {
            ++word;
        }
        if (word < ends.size() && (out.words.empty() || out.words.back() != word)) {
            out.firstTokens.push_back(static_cast<std::int32_t>(i));
            out.words.push_back(word);
        }
    }
    return out;
}

std::vector<int> tagClasses(const TaggedSentence& sentence, const Task& task, const std::vector<std::string>& labels) {
    std::vector<int> out;
    for (const auto& tag : sentence.tags) {
        const auto found = std::find(labels.begin(), labels.end(), tagName(tag, task, labels));
        out.push_back(found == labels.end() ? -1 : static_cast<int>(found - labels.begin()));
    }
    return out;
}

Result<std::vector<std::string>> tagNames(const TaggedSentences& sentences, const Task& task) {
    std::vector<std::string> names;
    for (const auto& [name, index] : task.labels) {
        const auto at = static_cast<std::size_t>(std::max(0, index));
        names.resize(std::max(names.size(), at + 1));
        names[at] = names[at].empty() ? name : names[at];
    }
    if (!names.empty()) {
        return names;
    }
    std::set<std::string> seen;
    for (const auto& sentence : sentences.list) {
        seen.insert(sentence.tags.begin(), sentence.tags.end());
    }
    if (std::any_of(seen.begin(), seen.end(), isNumber)) {
        return makeError(ErrorCode::TaskInvalid,
                         {{"file", "task"},
                          {"field", "labels"},
                          {"reason", "must name the tags (name -> number): " + sentences.file + " has numbers"}});
    }
    constexpr const char* kOutside = "O";
    if (seen.erase(kOutside) > 0) {
        names.emplace_back(kOutside);
    }
    names.insert(names.end(), seen.begin(), seen.end());
    return names;
}

Result<EvalResult> runTagging(const EvalRequest& request, Progress& progress, std::stop_token stop) {
    const auto& task = request.task;
    const auto& labels = request.model->encoder->layout().labels;
    PARETO_TRY(auto sentences, readSentences(task, progress, stop));
    Tagger tagger(request, sentences);
    PARETO_TRY(const auto predicted, tagger.run(progress, stop));
    EvalResult result;
    result.metric = headlineMetric(task.kind);
    result.dataHash = sentences.hash;
    std::map<std::string, metrics::EntityCounts> types;
    for (std::size_t i = 0; i < predicted.size(); ++i) {
        auto& expected = sentences.list[i].tags;
        for (auto& tag : expected) {
            tag = tagName(tag, task, labels);
        }
        metrics::EntityCounts all;
        for (const auto& [type, counts] : metrics::countEntities(expected, predicted[i])) {
            types[type] += counts;
            all += counts;
        }
        const auto row = all.row();
        const double score = all.expected + all.predicted == 0 ? 1.0 : all.f1();
        result.items.push_back({sentences.list[i].row, score, -1, answerOf(joined(predicted[i])),
                                {row.begin(), row.end()}});
    }
    measure(result, {"entity_f1", "entity_precision", "entity_recall"});
    result.details = {{"types", tableOf(types)},
                      {"words_cut", tagger.wordsCut()},
                      {"rows_available", sentences.available}};
    return result;
}

}  // namespace pareto::tasks
