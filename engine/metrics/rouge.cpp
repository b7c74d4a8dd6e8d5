#include "engine/metrics/rouge.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "engine/text/python_text.h"

namespace pareto::metrics {
namespace {

using Words = std::vector<std::string>;

Words wordsOf(std::string_view text) {
    Words words;
    std::string word;
    const auto endWord = [&] {
        if (!word.empty()) {
            words.push_back(std::move(word));
            word.clear();
        }
    };
    for (const char c : text::lowercase(text)) {
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            word += c;
        } else {
            endWord();
        }
    }
    endWord();
    return words;
}

RougeScore scoreOf(double hits, std::size_t reference, std::size_t prediction) {
    RougeScore score;
    score.precision = hits / static_cast<double>(std::max<std::size_t>(prediction, 1));
    score.recall = hits / static_cast<double>(std::max<std::size_t>(reference, 1));
    const double sum = score.precision + score.recall;
    score.f1 = sum > 0.0 ? 2.0 * score.precision * score.recall / sum : 0.0;
    return score;
}

RougeScore ngramScore(const Words& reference, const Words& prediction, std::size_t n) {
    const auto countOf = [n](const Words& words) {
        return words.size() >= n ? words.size() - n + 1 : 0;
    };
    const auto joined = [n](const Words& words, std::size_t begin) {
        std::string ngram;
        for (std::size_t i = 0; i < n; ++i) {
            ngram += words[begin + i] + ' ';
        }
        return ngram;
    };
    std::unordered_map<std::string, int> left;
    for (std::size_t i = 0; i < countOf(reference); ++i) {
        ++left[joined(reference, i)];
    }
    int hits = 0;
    for (std::size_t i = 0; i < countOf(prediction); ++i) {
        const auto found = left.find(joined(prediction, i));
        if (found != left.end() && found->second > 0) {
            --found->second;
            ++hits;
        }
    }
    return scoreOf(hits, countOf(reference), countOf(prediction));
}

/// Length of the longest common subsequence, two rows of the table at a time.
std::size_t commonLength(const Words& a, const Words& b) {
    std::vector<std::uint32_t> row(b.size() + 1, 0);
    for (const auto& word : a) {
        std::uint32_t diagonal = 0;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const auto above = row[j];
            row[j] = word == b[j - 1] ? diagonal + 1 : std::max(above, row[j - 1]);
            diagonal = above;
        }
    }
    return row.back();
}

RougeScore sequenceScore(const Words& reference, const Words& prediction) {
    return scoreOf(static_cast<double>(commonLength(reference, prediction)), reference.size(),
                   prediction.size());
}

/// Marks the words of `reference` that are in a longest common subsequence with `prediction`: the one
/// that rouge_score's way back through the table finds.
void markCommon(const Words& reference, const Words& prediction, std::vector<bool>& marked) {
    const std::size_t width = prediction.size() + 1;
    std::vector<std::uint32_t> table((reference.size() + 1) * width, 0);
    const auto at = [&](std::size_t i, std::size_t j) -> std::uint32_t& {
        return table[i * width + j];
    };
    for (std::size_t i = 1; i <= reference.size(); ++i) {
        for (std::size_t j = 1; j < width; ++j) {
            at(i, j) = reference[i - 1] == prediction[j - 1] ? at(i - 1, j - 1) + 1
                                                             : std::max(at(i - 1, j), at(i, j - 1));
        }
    }
    std::size_t i = reference.size();
    std::size_t j = prediction.size();
    while (i > 0 && j > 0) {
        if (reference[i - 1] == prediction[j - 1]) {
            marked[i - 1] = true;
            --i;
            --j;
        } else if (at(i, j - 1) > at(i - 1, j)) {
            --j;
        } else {
            --i;
        }
    }
}

std::vector<Words> sentencesOf(std::string_view text) {
    std::vector<Words> sentences;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        if (end > begin) {
            sentences.push_back(wordsOf(text.substr(begin, end - begin)));
        }
        begin = end + 1;
    }
    return sentences;
}

using Counts = std::map<std::string, int>;

std::size_t countWords(const std::vector<Words>& sentences, Counts& counts) {
    std::size_t total = 0;
    for (const auto& sentence : sentences) {
        total += sentence.size();
        for (const auto& word : sentence) {
            ++counts[word];
        }
    }
    return total;
}

RougeScore summaryScore(std::string_view reference, std::string_view prediction) {
    const auto expected = sentencesOf(reference);
    const auto predicted = sentencesOf(prediction);
    Counts leftExpected;
    Counts leftPredicted;
    const auto expectedWords = countWords(expected, leftExpected);
    const auto predictedWords = countWords(predicted, leftPredicted);
    int hits = 0;
    for (const auto& sentence : expected) {
        std::vector<bool> marked(sentence.size(), false);
        for (const auto& other : predicted) {
            markCommon(sentence, other, marked);
        }
        for (std::size_t i = 0; i < sentence.size(); ++i) {
            // A word counts as often as both texts have it, however many subsequences hold it.
            if (marked[i] && leftPredicted[sentence[i]] > 0 && leftExpected[sentence[i]] > 0) {
                ++hits;
                --leftPredicted[sentence[i]];
                --leftExpected[sentence[i]];
            }
        }
    }
    return scoreOf(hits, expectedWords, predictedWords);
}

void keepBetter(RougeScore& best, const RougeScore& candidate, bool first) {
    if (first || candidate.f1 > best.f1) {
        best = candidate;
    }
}

}  // namespace

RougeScores rouge(std::string_view reference, std::string_view prediction) {
    const auto expected = wordsOf(reference);
    const auto predicted = wordsOf(prediction);
    return {ngramScore(expected, predicted, 1), ngramScore(expected, predicted, 2),
            sequenceScore(expected, predicted), summaryScore(reference, prediction)};
}

RougeScores rouge(std::span<const std::string> references, std::string_view prediction) {
    RougeScores best;
    bool first = true;
    for (const auto& reference : references) {
        const auto scores = rouge(reference, prediction);
        keepBetter(best.rouge1, scores.rouge1, first);
        keepBetter(best.rouge2, scores.rouge2, first);
        keepBetter(best.rougeL, scores.rougeL, first);
        keepBetter(best.rougeLsum, scores.rougeLsum, first);
        first = false;
    }
    return best;
}

}  // namespace pareto::metrics
