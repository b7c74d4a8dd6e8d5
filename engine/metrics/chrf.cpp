#include "engine/metrics/chrf.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "engine/text/unicode.h"
#include "engine/text/python_text.h"

namespace pareto::metrics {
namespace {

constexpr std::size_t kOrders = 6;
constexpr double kBetaSquared = 4.0;

using Counts = std::array<std::unordered_map<std::u32string, std::int64_t>, kOrders>;

Counts ngramsOf(std::string_view text) {
    std::u32string characters;
    for (const auto& c : text::decodeUtf8(text)) {
        if (!text::isPythonSpace(c.code)) {
            characters += c.code;
        }
    }
    Counts counts;
    for (std::size_t n = 1; n <= kOrders; ++n) {
        for (std::size_t begin = 0; begin + n <= characters.size(); ++begin) {
            ++counts[n - 1][characters.substr(begin, n)];
        }
    }
    return counts;
}

ChrfRow matched(const Counts& hypothesis, const Counts& reference) {
    ChrfRow row{};
    for (std::size_t n = 0; n < kOrders; ++n) {
        double& ofHypothesis = row[3 * n];
        double& ofReference = row[3 * n + 1];
        double& ofBoth = row[3 * n + 2];
        for (const auto& [ngram, count] : reference[n]) {
            ofReference += static_cast<double>(count);
        }
        for (const auto& [ngram, count] : hypothesis[n]) {
            // An order that the reference is too short for does not count against the hypothesis.
            ofHypothesis += reference[n].empty() ? 0.0 : static_cast<double>(count);
            const auto found = reference[n].find(ngram);
            if (found != reference[n].end()) {
                ofBoth += static_cast<double>(std::min(count, found->second));
            }
        }
    }
    return row;
}

}  // namespace

ChrfRow chrfRow(std::string_view hypothesis, std::span<const std::string> references) {
    const auto counts = ngramsOf(hypothesis);
    ChrfRow best{};
    double bestScore = -1.0;
    for (const auto& reference : references) {
        const auto row = matched(counts, ngramsOf(reference));
        const double score = chrf(row);
        if (score > bestScore) {
            bestScore = score;
            best = row;
        }
    }
    return best;
}

double chrf(std::span<const double> row) {
    double precision = 0.0;
    double recall = 0.0;
    int orders = 0;
    for (std::size_t n = 0; n < kOrders; ++n) {
        const double ofHypothesis = row[3 * n];
        const double ofReference = row[3 * n + 1];
        if (ofHypothesis > 0.0 && ofReference > 0.0) {
            precision += row[3 * n + 2] / ofHypothesis;
            recall += row[3 * n + 2] / ofReference;
            ++orders;
        }
    }
    if (precision + recall <= 0.0) {
        return 0.0;
    }
    precision /= orders;
    recall /= orders;
    return 100.0 * (1.0 + kBetaSquared) * precision * recall / (kBetaSquared * precision + recall);
}

}  // namespace pareto::metrics
