#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "engine/core/random.h"
#include "engine/models/generate.h"

namespace pareto::models {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Candidate {
    std::int32_t id;
    double weight;
};

/// The most probable first; equal ones by their number, so that the order is the same everywhere.
bool morePlausible(std::span<const float> logits, std::int32_t a, std::int32_t b) {
    const float left = logits[static_cast<std::size_t>(a)];
    const float right = logits[static_cast<std::size_t>(b)];
    return left != right ? left > right : a < b;
}

std::int32_t greedyPick(std::span<const float> logits) {
    return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

/// Tokens that top-k leaves, most probable first, with unnormalized probabilities.
std::vector<Candidate> candidates(std::span<const float> logits, const GenerateOptions& options) {
    std::vector<std::int32_t> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    const auto compare = [&](std::int32_t a, std::int32_t b) { return morePlausible(logits, a, b); };
    if (options.topK > 0 && static_cast<std::size_t>(options.topK) < order.size()) {
        std::partial_sort(order.begin(), order.begin() + options.topK, order.end(), compare);
        order.resize(static_cast<std::size_t>(options.topK));
    } else {
        std::sort(order.begin(), order.end(), compare);
    }
    const double best = static_cast<double>(logits[static_cast<std::size_t>(order.front())]);
    std::vector<Candidate> out;
    out.reserve(order.size());
    for (const auto id : order) {
        const double logit = static_cast<double>(logits[static_cast<std::size_t>(id)]);
        out.push_back({id, std::exp((logit - best) / options.temperature)});
    }
    return out;
}

std::int32_t samplePick(std::span<const float> logits, const GenerateOptions& options,
                        RandomStream& random) {
    auto pool = candidates(logits, options);
    const auto sum = [&] {
        return std::accumulate(pool.begin(), pool.end(), 0.0,
                               [](double a, const Candidate& b) { return a + b.weight; });
    };
    if (options.topP < 1.0) {
        // The smallest set whose probability reaches topP; at least one token.
        const double wanted = options.topP * sum();
        double reached = 0.0;
        std::size_t count = 0;
        while (count < pool.size() && (count == 0 || reached < wanted)) {
            reached += pool[count].weight;
            ++count;
        }
        pool.resize(count);
    }
    double left = random.uniform() * sum();
    for (const auto& candidate : pool) {
        left -= candidate.weight;
        if (left < 0.0) {
            return candidate.id;
        }
    }
    return pool.back().id;
}

Status checkOptions(const GenerateOptions& options, std::size_t promptTokens) {
    std::string reason;
    if (promptTokens == 0) {
        reason = "the prompt has no tokens";
    } else if (!(options.temperature >= 0.0) || !std::isfinite(options.temperature)) {
        reason = "the temperature is not a number from 0 upwards";
    } else if (!(options.topP > 0.0 && options.topP <= 1.0)) {
        reason = "top-p is not between 0 and 1";
    } else if (options.maxTokens < 0 || options.topK < 0) {
        reason = "a count is negative";
    }
    if (!reason.empty()) {
        return makeError(ErrorCode::EngineFailure,
                         {{"where", "generating text"}, {"reason", reason}});
    }
    return Done{};
}

}  // namespace

Result<Generation> generate(Decoder& decoder, const std::vector<std::int32_t>& prompt,
                            const GenerateOptions& options,
                            const TokenSink& onToken, std::stop_token stop) {
    PARETO_CHECK(checkOptions(options, prompt.size()));
    Generation out;
    out.promptTokens = static_cast<std::int64_t>(prompt.size());
    if (options.maxTokens == 0) {
        return out;
    }
    // The last token picked is never fed back: n new tokens need n − 1 more places.
    std::int64_t capacity = out.promptTokens + options.maxTokens - 1;
    if (const auto most = decoder.layout().maxPositions; most > 0) {
        capacity = std::max(out.promptTokens, std::min(capacity, most));
    }
    const std::int64_t tokens = capacity - out.promptTokens + 1;
    auto start = Clock::now();
    PARETO_TRY(auto cache, decoder.newCache(1, {capacity, CacheFormat::F32}));
    PARETO_TRY(auto logits, decoder.step({prompt}, *cache, stop));
    RandomStream random(options.seed, "sampling");
    while (true) {
        const auto row = logits.row(0);
        const auto next =
            options.temperature > 0.0 ? samplePick(row, options, random) : greedyPick(row);
        const double seconds = secondsSince(start);
        if (out.firstTokenSeconds == 0.0) {
            out.firstTokenSeconds = seconds;
        } else {
            out.tokenSeconds.push_back(seconds);
        }
        if (std::find(options.stopIds.begin(), options.stopIds.end(), next) != options.stopIds.end()) {
            out.stopped = true;
            return out;
        }
        out.ids.push_back(next);
        if (onToken && !onToken(next)) {
            out.stopped = true;
            return out;
        }
        if (static_cast<std::int64_t>(out.ids.size()) >= tokens) {
            return out;
        }
        start = Clock::now();
        PARETO_TRY(logits, decoder.step({{next}}, *cache, stop));
    }
}

}  // namespace pareto::models
