#include "engine/metrics/bleu.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "engine/text/unicode.h"
#include "engine/text/python_text.h"

namespace pareto::metrics {
namespace {

constexpr std::size_t kOrders = 4;
constexpr double kLogOfZero = -9999999999.0;  // sacreBLEU's my_log(0)

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isStop(char c) { return c == '.' || c == ','; }
bool stands(char c) {
    const auto in = [c](char low, char high) { return c >= low && c <= high; };
    return in('{', '~') || in('[', '`') || in(' ', '&') || in('(', '+') || in(':', '@') || c == '/';
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
        text.replace(at, what.size(), with);
    }
    return text;
}

std::string withoutTrailingSpace(std::string_view text) {
    const auto chars = text::decodeUtf8(text);
    auto count = chars.size();
    while (count > 0 && text::isPythonSpace(chars[count - 1].code)) {
        --count;
    }
    return std::string(text.substr(0, count == 0 ? 0 : static_cast<std::size_t>(chars[count - 1].end)));
}

/// Puts `before`, `between` and `after` around every pair of neighbours that `matches`; what a pair
/// took is not looked at again, as in a regular expression's replacement. All classes are ASCII, so
/// bytes serve.
template <typename Matches>
std::string split(const std::string& text, Matches matches, std::string_view before,
                  std::string_view after) {
    std::string out;
    out.reserve(text.size() * 2);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i + 1 < text.size() && matches(text[i], text[i + 1])) {
            out.append(before);
            out += text[i];
            out += ' ';
            out += text[++i];
            out.append(after);
        } else {
            out += text[i];
        }
    }
    return out;
}

std::vector<std::string> wordsOf(std::string_view line) { return text::splitWords(tokenize13a(line)); }

using Counts = std::array<std::unordered_map<std::string, std::int64_t>, kOrders>;

Counts ngramsOf(const std::vector<std::string>& words) {
    Counts counts;
    for (std::size_t begin = 0; begin < words.size(); ++begin) {
        std::string ngram;
        for (std::size_t n = 0; n < kOrders && begin + n < words.size(); ++n) {
            // Words hold no spaces, so the joined text is as good a key as the list.
            ngram += (n == 0 ? "" : " ") + words[begin + n];
            ++counts[n][ngram];
        }
    }
    return counts;
}

}  // namespace

std::string tokenize13a(std::string_view line) {
    std::string text = withoutTrailingSpace(line);
    text = replaced(std::move(text), "<skipped>", "");
    text = replaced(std::move(text), "-\n", "");
    text = replaced(std::move(text), "\n", " ");
    if (text.find('&') != std::string::npos) {
        text = replaced(std::move(text), "&quot;", "\"");
        text = replaced(std::move(text), "&amp;", "&");
        text = replaced(std::move(text), "&lt;", "<");
        text = replaced(std::move(text), "&gt;", ">");
    }
    std::string spaced;
    for (const char c : " " + text + " ") {
        if (stands(c)) {
            spaced += {' ', c, ' '};
        } else {
            spaced += c;
        }
    }
    spaced = split(spaced, [](char a, char b) { return !isDigit(a) && isStop(b); }, "", " ");
    spaced = split(spaced, [](char a, char b) { return isStop(a) && !isDigit(b); }, " ", "");
    spaced = split(spaced, [](char a, char b) { return isDigit(a) && b == '-'; }, "", " ");
    std::string out;
    for (const auto& word : text::splitWords(spaced)) {
        out += (out.empty() ? "" : " ") + word;
    }
    return out;
}

BleuRow bleuRow(std::string_view hypothesis, std::span<const std::string> references) {
    Counts most;
    const auto words = wordsOf(hypothesis);
    const auto length = static_cast<std::int64_t>(words.size());
    std::int64_t closest = -1;
    for (const auto& reference : references) {
        const auto referenceWords = wordsOf(reference);
        const auto candidate = static_cast<std::int64_t>(referenceWords.size());
        const auto distance = std::abs(candidate - length);
        const auto known = std::abs(closest - length);
        if (closest < 0 || distance < known || (distance == known && candidate < closest)) {
            closest = candidate;
        }
        const auto counts = ngramsOf(referenceWords);
        for (std::size_t n = 0; n < kOrders; ++n) {
            for (const auto& [ngram, count] : counts[n]) {
                auto& largest = most[n][ngram];
                largest = std::max(largest, count);
            }
        }
    }
    BleuRow row{};
    row[0] = static_cast<double>(length);
    row[1] = static_cast<double>(std::max<std::int64_t>(closest, 0));
    const auto counts = ngramsOf(words);
    for (std::size_t n = 0; n < kOrders; ++n) {
        for (const auto& [ngram, count] : counts[n]) {
            row[2 + kOrders + n] += static_cast<double>(count);
            const auto found = most[n].find(ngram);
            if (found != most[n].end()) {
                row[2 + n] += static_cast<double>(std::min(count, found->second));
            }
        }
    }
    return row;
}

double bleu(std::span<const double> row, bool effectiveOrder) {
    const double length = row[0];
    const double reference = row[1];
    const auto correct = row.subspan(2, kOrders);
    const auto total = row.subspan(2 + kOrders, kOrders);
    if (std::all_of(correct.begin(), correct.end(), [](double count) { return count == 0.0; })) {
        return 0.0;
    }
    // Something matched, so length > 0.
    const double brevity = length < reference ? std::exp(1.0 - reference / length) : 1.0;
    std::array<double, kOrders> logs{};
    logs.fill(kLogOfZero);
    std::size_t orders = kOrders;
    double smoothing = 1.0;
    for (std::size_t n = 0; n < kOrders && total[n] > 0.0; ++n) {
        orders = effectiveOrder ? n + 1 : kOrders;
        if (correct[n] == 0.0) {
            smoothing *= 2.0;
            logs[n] = std::log(100.0 / (smoothing * total[n]));
        } else {
            logs[n] = std::log(100.0 * correct[n] / total[n]);
        }
    }
    double sum = 0.0;
    for (std::size_t n = 0; n < orders; ++n) {
        sum += logs[n];
    }
    return brevity * std::exp(sum / static_cast<double>(orders));
}

}  // namespace pareto::metrics
