#include "engine/models/speculative.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "engine/models/sampling.h"
#include "engine/models/sequence_cache.h"

namespace pareto::models {
namespace {

using Clock = std::chrono::steady_clock;
using Ids = std::vector<std::int32_t>;
using Pool = std::vector<TokenChance>;

double secondsSince(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

Error refused(const std::string& reason) {
    return makeError(ErrorCode::EngineFailure,
                     {{"where", "speculative decoding"}, {"reason", reason}});
}

Status check(const Decoder& target, const Decoder& draft, const Ids& prompt,
             const SpeculativeOptions& options) {
    PARETO_CHECK(checkOptions(options.text));
    const auto size = target.layout().vocabulary;
    const auto draftSize = draft.layout().vocabulary;
    if (size != draftSize) {
        return refused("the draft's vocabulary has " + std::to_string(draftSize) +
                       " tokens, the model's " + std::to_string(size));
    }
    if (options.text.beams > 1) {
        return refused("a draft does not work with beam search");
    }
    if (options.draftTokens < 1) {
        return refused("the draft is to propose no token");
    }
    return prompt.empty() ? Status(refused("the prompt has no tokens")) : Status(Done{});
}

/// What the draft proposes behind the sequence, and what it drew each token from.
struct Proposals {
    Ids ids;
    std::vector<Pool> pools;
};

class Rounds {
public:
    Rounds(const CachedDecoder& target, const CachedDecoder& draft,
           const SpeculativeOptions& options, const TokenSink& onToken)
        : m_target(target),
          m_draft(draft),
          m_options(options.text),
          m_onToken(onToken),
          m_most(options.draftTokens),
          m_length(options.draftTokens),
          m_random(options.text.seed, "sampling"),
          m_draftRandom(options.text.seed, "sampling.draft") {}

    Result<SpeculativeGeneration> run(const Ids& prompt, const std::stop_token& stop) {
        const auto begin = Clock::now();
        auto& text = m_result.text;
        text.promptTokens = static_cast<std::int64_t>(prompt.size());
        m_sequence = {prompt, 0,
                      mostTokens(m_target.decoder.layout(), m_options, text.promptTokens)};
        const Ids rest = keepBeginning(m_target.cache, m_target.held, prompt);
        text.reusedTokens = text.promptTokens - static_cast<std::int64_t>(rest.size());
        PARETO_TRY(auto logits, m_target.decoder.step({rest}, m_target.cache, stop));
        m_target.held = prompt;
        const Ids first = judge({}, logits);
        text.firstTokenSeconds = secondsSince(begin);
        bool more = give(first);
        while (more) {
            PARETO_TRY(more, round(stop));
        }
        forgetRefused(m_target);
        forgetRefused(m_draft);
        return std::move(m_result);
    }

private:
    /// False when the text has ended.
    Result<bool> round(const std::stop_token& stop) {
        auto& figures = m_result.figures;
        const auto begin = Clock::now();
        PARETO_TRY(const auto proposals, propose(stop));
        const auto middle = Clock::now();
        Ids fed{m_sequence.ids.back()};
        fed.insert(fed.end(), proposals.ids.begin(), proposals.ids.end());
        forgetRefused(m_target);
        PARETO_TRY(auto logits, m_target.decoder.stepAll({fed}, m_target.cache, stop));
        m_target.held.insert(m_target.held.end(), fed.begin(), fed.end());
        const Ids made = judge(proposals, logits);
        ++figures.targetSteps;
        figures.draftSeconds += std::chrono::duration<double>(middle - begin).count();
        figures.targetSeconds += secondsSince(middle);
        m_result.text.tokenSeconds.insert(m_result.text.tokenSeconds.end(), made.size(),
                                          secondsSince(begin) / static_cast<double>(made.size()));
        return give(made);
    }

    /// Never more than the text may still become, with the token that the target adds.
    std::size_t proposalsWanted() const {
        const auto positions = m_draft.decoder.layout().maxPositions;
        const auto fits = positions > 0
                              ? positions - static_cast<std::int64_t>(m_sequence.ids.size()) + 1
                              : std::numeric_limits<std::int64_t>::max();
        const std::int64_t left = m_sequence.most - m_sequence.made - 1;
        return static_cast<std::size_t>(
            std::max<std::int64_t>(0, std::min({static_cast<std::int64_t>(m_length), left, fits})));
    }

    Result<Proposals> propose(const std::stop_token& stop) {
        Proposals out;
        Growing sequence = m_sequence;
        const std::size_t wanted = proposalsWanted();
        while (out.ids.size() < wanted && (out.ids.empty() || !isStop(m_options, out.ids.back()))) {
            const Ids rest = keepBeginning(m_draft.cache, m_draft.held, sequence.ids);
            PARETO_TRY(auto logits, m_draft.decoder.step({rest}, m_draft.cache, stop));
            m_draft.held = sequence.ids;
            processScores(logits.values, sequence, m_options);
            out.pools.push_back(nextTokens(logits.values, m_options));
            out.ids.push_back(drawToken(out.pools.back(), m_draftRandom));
            sequence.ids.push_back(out.ids.back());
            ++sequence.made;
        }
        return out;
    }

    /// The tokens that the target makes, a stop token only as the last. `logits`: behind the sequence, and
    /// behind each proposal.
    Ids judge(const Proposals& proposals, Matrix& logits) {
        Ids made;
        Growing sequence = m_sequence;
        const std::size_t count = proposals.ids.size();
        for (std::size_t i = 0; i <= count; ++i) {
            const std::span<float> scores(
                logits.values.data() + static_cast<std::int64_t>(i) * logits.cols,
                static_cast<std::size_t>(logits.cols));
            processScores(scores, sequence, m_options);
            const Pool pool = nextTokens(scores, m_options);
            made.push_back(i < count
                               ? settleToken(pool, proposals.pools[i], proposals.ids[i], m_random)
                               : drawToken(pool, m_random));
            const bool stays = i < count && made.back() == proposals.ids[i];
            m_result.figures.drafted += i < count ? 1 : 0;
            m_result.figures.accepted += stays ? 1 : 0;
            if (!stays || isStop(m_options, made.back())) {
                adapt(count, made.size() - (stays ? 0 : 1));
                break;
            }
            sequence.ids.push_back(made.back());
            ++sequence.made;
        }
        return made;
    }

    void adapt(std::size_t proposed, std::size_t accepted) {
        if (proposed > 0) {
            m_length =
                accepted == proposed ? std::min(m_length + 1, m_most) : std::max(m_length - 1, 1);
        }
    }

    /// Tokens become text; false when it has ended.
    bool give(const Ids& made) {
        auto& text = m_result.text;
        for (const auto id : made) {
            if (isStop(m_options, id)) {
                text.stopped = true;
                return false;
            }
            m_sequence.ids.push_back(id);
            ++m_sequence.made;
            text.ids.push_back(id);
            if (m_onToken && !m_onToken(id)) {
                text.stopped = true;
                return false;
            }
        }
        return m_sequence.made < m_sequence.most;
    }

    /// A cache holds nothing that is not text, and is ready for the last token, whose logits are wanted.
    void forgetRefused(const CachedDecoder& side) const {
        keepBeginning(side.cache, side.held, m_sequence.ids);
    }

    const CachedDecoder& m_target;
    const CachedDecoder& m_draft;
    const GenerateOptions& m_options;
    const TokenSink& m_onToken;
    const int m_most;
    int m_length;
    RandomStream m_random;
    RandomStream m_draftRandom;
    Growing m_sequence;
    SpeculativeGeneration m_result;
};

Result<std::unique_ptr<KvCache>> cacheFor(Decoder& decoder, std::int64_t tokens,
                                          const GenerateOptions& options) {
    const auto positions = decoder.layout().maxPositions;
    return decoder.newCache(
        1, {positions > 0 ? std::min(tokens, positions) : tokens, options.cacheFormat});
}

}  // namespace

Result<SpeculativeGeneration> generateSpeculative(Decoder& target, Decoder& draft,
                                                  const std::vector<std::int32_t>& prompt,
                                                  const SpeculativeOptions& options,
                                                  const TokenSink& onToken, std::stop_token stop) {
    PARETO_CHECK(check(target, draft, prompt, options));
    const auto held = static_cast<std::int64_t>(prompt.size());
    const auto room =
        held + std::max<std::int64_t>(1, mostTokens(target.layout(), options.text, held)) - 1;
    PARETO_TRY(const auto cache, cacheFor(target, room, options.text));
    PARETO_TRY(const auto draftCache, cacheFor(draft, room, options.text));
    Ids ids;
    Ids draftIds;
    return generateSpeculative({target, *cache, ids}, {draft, *draftCache, draftIds}, prompt,
                               options, onToken, stop);
}

Result<SpeculativeGeneration> generateSpeculative(const CachedDecoder& target,
                                                  const CachedDecoder& draft,
                                                  const std::vector<std::int32_t>& prompt,
                                                  const SpeculativeOptions& options,
                                                  const TokenSink& onToken, std::stop_token stop) {
    PARETO_CHECK(check(target.decoder, draft.decoder, prompt, options));
    if (options.text.maxTokens == 0) {
        SpeculativeGeneration out;
        out.text.promptTokens = static_cast<std::int64_t>(prompt.size());
        return out;
    }
    return Rounds(target, draft, options, onToken).run(prompt, stop);
}

}  // namespace pareto::models
