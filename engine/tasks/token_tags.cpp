#include "engine/tasks/token_tags.h"

#include <algorithm>
#include <cmath>

namespace pareto::tasks {

namespace {

struct Tag {
    bool begins = false;
    std::string kind;
};

Tag tagOf(const std::string& label) {
    const bool marked = label.starts_with("B-") || label.starts_with("I-");
    return {label.starts_with("B-"), marked ? label.substr(2) : label};
}

/// The likeliest class of one token and its probability.
void setLabel(WordTag& word, std::span<const float> logits) {
    const auto best = std::max_element(logits.begin(), logits.end());
    double sum = 0.0;
    for (const float logit : logits) {
        sum += std::exp(static_cast<double>(logit) - static_cast<double>(*best));
    }
    word.label = static_cast<int>(best - logits.begin());
    word.score = 1.0 / sum;
}

}  // namespace

std::vector<WordTag> tagWords(std::span<const text::Span> words,
                              std::span<const text::Span> offsets, const models::Matrix& logits) {
    std::vector<WordTag> tags;
    tags.reserve(words.size());
    std::size_t token = 0;
    for (const auto& word : words) {
        WordTag tag{word};
        // Tokens that begin before the word belong to an earlier one, or are special.
        while (token < offsets.size() &&
               (offsets[token].end <= word.begin || offsets[token].end == offsets[token].begin)) {
            ++token;
        }
        const bool seen = token < offsets.size() && offsets[token].begin < word.end;
        if (seen && static_cast<std::int64_t>(token) < logits.rows && logits.cols > 0) {
            setLabel(tag, logits.row(static_cast<std::int64_t>(token)));
        }
        tags.push_back(tag);
    }
    return tags;
}

std::vector<Entity> groupEntities(std::span<const WordTag> words,
                                  const std::vector<std::string>& labels) {
    std::vector<Entity> all;
    std::size_t length = 0;
    for (const auto& word : words) {
        if (word.label < 0 || static_cast<std::size_t>(word.label) >= labels.size()) {
            continue;
        }
        const Tag tag = tagOf(labels[static_cast<std::size_t>(word.label)]);
        if (!all.empty() && !tag.begins && tag.kind == all.back().label) {
            Entity& entity = all.back();
            entity.bytes.end = word.bytes.end;
            entity.score += (word.score - entity.score) / static_cast<double>(++length);
            continue;
        }
        all.push_back({tag.kind, word.bytes, word.score});
        length = 1;
    }
    std::erase_if(all, [](const Entity& entity) { return entity.label == "O"; });
    return all;
}

}  // namespace pareto::tasks
