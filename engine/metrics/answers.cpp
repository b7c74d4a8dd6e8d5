#include "engine/metrics/answers.h"

#include <algorithm>
#include <map>
#include <vector>

#include "engine/text/unicode.h"
#include "engine/text/python_text.h"

namespace pareto::metrics {
namespace {

bool isAsciiPunctuation(char32_t code) { return code < 0x80 && text::isBertPunctuation(code); }

/// The articles stand between what re calls word boundaries: "l’a" holds one, "a_b" does not.
bool isWord(char32_t code) { return code == U'_' || text::isAlphanumeric(code); }

bool isArticle(std::string_view word) { return word == "a" || word == "an" || word == "the"; }

std::string withoutPunctuation(std::string_view lower) {
    std::string out;
    for (const char c : lower) {
        if (!isAsciiPunctuation(static_cast<unsigned char>(c))) {
            out += c;
        }
    }
    return out;
}

std::string withoutArticles(std::string_view text) {
    std::string out;
    std::string word;
    const auto endWord = [&] {
        out += isArticle(word) ? " " : word;
        word.clear();
    };
    for (const auto& c : text::decodeUtf8(text)) {
        if (isWord(c.code)) {
            text::appendUtf8(word, c.code);
        } else {
            endWord();
            text::appendUtf8(out, c.code);
        }
    }
    endWord();
    return out;
}

double wordF1(const std::vector<std::string>& predicted, const std::vector<std::string>& expected) {
    std::map<std::string_view, int> left;
    for (const auto& word : expected) {
        ++left[word];
    }
    int same = 0;
    for (const auto& word : predicted) {
        const auto found = left.find(word);
        if (found != left.end() && found->second > 0) {
            --found->second;
            ++same;
        }
    }
    if (same == 0) {
        return 0.0;
    }
    const double precision = static_cast<double>(same) / static_cast<double>(predicted.size());
    const double recall = static_cast<double>(same) / static_cast<double>(expected.size());
    return 2.0 * precision * recall / (precision + recall);
}

/// `emptyAgree`: two texts without words have F1 1.
AnswerScore best(const std::string& prediction, std::span<const std::string> normalized,
                 bool emptyAgree) {
    const auto predicted = text::splitWords(prediction);
    AnswerScore score;
    for (const auto& answer : normalized) {
        const auto expected = text::splitWords(answer);
        const bool bothEmpty = predicted.empty() && expected.empty();
        score.exact = std::max(score.exact, prediction == answer ? 1.0 : 0.0);
        score.f1 =
            std::max(score.f1, bothEmpty && emptyAgree ? 1.0 : wordF1(predicted, expected));
    }
    return score;
}

}  // namespace

std::string normalizeAnswer(std::string_view text) {
    std::string out;
    for (const auto& word :
         text::splitWords(withoutArticles(withoutPunctuation(text::lowercase(text))))) {
        out += (out.empty() ? "" : " ") + word;
    }
    return out;
}

AnswerScore scoreAnswer(std::string_view prediction, std::span<const std::string> answers) {
    std::vector<std::string> normalized;
    for (const auto& answer : answers) {
        normalized.push_back(normalizeAnswer(answer));
    }
    return best(normalizeAnswer(prediction), normalized, false);
}

AnswerScore scoreAnswerOrNone(std::string_view prediction, std::span<const std::string> answers) {
    std::vector<std::string> normalized;
    for (const auto& answer : answers) {
        if (auto text = normalizeAnswer(answer); !text.empty()) {
            normalized.push_back(std::move(text));
        }
    }
    if (normalized.empty()) {
        normalized.emplace_back();
    }
    return best(normalizeAnswer(prediction), normalized, true);
}

}  // namespace pareto::metrics
