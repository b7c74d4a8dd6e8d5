#include "engine/tasks/likelihood.h"

#include <algorithm>
#include <cmath>

#include "engine/text/unicode.h"
#include "engine/text/python_text.h"

namespace pareto::tasks {

namespace {

/// Bytes of `text` without the white space at its end.
std::size_t withoutTrailingSpace(const std::string& text) {
    const auto chars = text::decodeUtf8(text);
    auto count = chars.size();
    while (count > 0 && text::isPythonSpace(chars[count - 1].code)) {
        --count;
    }
    return count == 0 ? 0 : static_cast<std::size_t>(chars[count - 1].end);
}

struct Split {
    std::vector<std::int32_t> ids;
    std::size_t contextTokens = 0;
};

Split tokenize(const text::Tokenizer& tokenizer, const std::string& context,
               const std::string& ending) {
    Split split;
    const auto kept = withoutTrailingSpace(context);
    const auto shortened = context.substr(0, kept);
    split.ids = tokenizer.encode(context + ending).ids;
    split.contextTokens = kept == 0 ? 0 : tokenizer.encode(shortened).ids.size();
    if (kept == 0) {
        const auto first = tokenizer.bosId() >= 0 ? tokenizer.bosId() : tokenizer.eosId();
        const bool there = !split.ids.empty() && split.ids.front() == first;
        if (!there && first >= 0) {
            split.ids.insert(split.ids.begin(), first);
        }
        split.contextTokens = 1;
    }
    split.contextTokens = std::min(split.contextTokens, split.ids.size());
    return split;
}

void keepEnd(Split& split, std::int64_t most) {
    const auto excess = static_cast<std::int64_t>(split.ids.size()) - most;
    if (most <= 0 || excess <= 0) {
        return;
    }
    split.ids.erase(split.ids.begin(), split.ids.begin() + excess);
    split.contextTokens -= std::min(split.contextTokens, static_cast<std::size_t>(excess));
}

}  // namespace

Result<std::vector<double>> scoreEndings(const EndingScorer& scorer, const std::string& context,
                                         std::span<const std::string> endings, std::stop_token stop) {
    const auto positions = scorer.decoder.layout().maxPositions;
    const auto most = scorer.maxLength > 0 && positions > 0 ? std::min(scorer.maxLength, positions)
                                                            : std::max(scorer.maxLength, positions);
    std::vector<double> scores;
    for (const auto& ending : endings) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        auto split = tokenize(scorer.tokenizer, context, ending);
        keepEnd(split, most);
        double sum = 0.0;
        if (split.ids.size() >= 2) {
            PARETO_TRY(const auto losses, scorer.decoder.negativeLogLikelihoods(split.ids, stop));
            // The first token has nothing before it that could say how likely it is.
            for (auto i = std::max<std::size_t>(split.contextTokens, 1); i < split.ids.size(); ++i) {
                sum -= static_cast<double>(losses[i - 1]);
            }
        }
        if (!std::isfinite(sum)) {
            return makeError(ErrorCode::EngineFailure,
                             {{"where", "the evaluation"},
                              {"reason", "the model's likelihoods are not finite numbers"}});
        }
        scores.push_back(sum);
    }
    return scores;
}

}  // namespace pareto::tasks
