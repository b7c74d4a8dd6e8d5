#include "engine/models/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace pareto::models {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

float& at(std::span<float> scores, std::int32_t id) { return scores[static_cast<std::size_t>(id)]; }

bool inside(std::span<const float> scores, std::int32_t id) {
    return id >= 0 && static_cast<std::size_t>(id) < scores.size();
}

/// Ids that occurred become less likely, once however often they did.
void penalizeRepetition(std::span<float> scores, const std::vector<std::int32_t>& ids, double penalty) {
    std::vector<std::int32_t> seen = ids;
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    const auto by = static_cast<float>(penalty);
    for (const auto id : seen) {
        float& score = at(scores, id);
        score = score < 0.0F ? score * by : score / by;
    }
}

/// Forbids what would complete an n-gram that there is already.
void forbidNgrams(std::span<float> scores, const std::vector<std::int32_t>& ids, std::size_t n) {
    if (ids.size() + 1 < n) {
        return;
    }
    const auto tail = ids.end() - static_cast<std::ptrdiff_t>(n - 1);
    for (auto begin = ids.begin(); begin + static_cast<std::ptrdiff_t>(n - 1) < ids.end(); ++begin) {
        if (std::equal(tail, ids.end(), begin)) {
            at(scores, *(begin + static_cast<std::ptrdiff_t>(n - 1))) = kNever;
        }
    }
}

void force(std::span<float> scores, std::int32_t id) {
    std::fill(scores.begin(), scores.end(), kNever);
    at(scores, id) = 0.0F;
}

/// The most probable first; equal ones by their number, so that the order is the same everywhere.
bool morePlausible(std::span<const float> scores, std::int32_t a, std::int32_t b) {
    const float left = scores[static_cast<std::size_t>(a)];
    const float right = scores[static_cast<std::size_t>(b)];
    return left != right ? left > right : a < b;
}

double sumOf(const std::vector<TokenChance>& pool) {
    return std::accumulate(pool.begin(), pool.end(), 0.0,
                           [](double sum, const TokenChance& one) { return sum + one.probability; });
}

/// Tokens that top-k leaves, most probable first, with unnormalized probabilities.
std::vector<TokenChance> likeliest(std::span<const float> scores, const GenerateOptions& options) {
    std::vector<std::int32_t> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    const auto compare = [&](std::int32_t a, std::int32_t b) { return morePlausible(scores, a, b); };
    if (options.topK > 0 && static_cast<std::size_t>(options.topK) < order.size()) {
        std::partial_sort(order.begin(), order.begin() + options.topK, order.end(), compare);
        order.resize(static_cast<std::size_t>(options.topK));
    } else {
        std::sort(order.begin(), order.end(), compare);
    }
    const double best = static_cast<double>(scores[static_cast<std::size_t>(order.front())]);
    std::vector<TokenChance> out;
    out.reserve(order.size());
    for (const auto id : order) {
        const double score = static_cast<double>(scores[static_cast<std::size_t>(id)]);
        out.push_back({id, std::exp((score - best) / options.temperature)});
    }
    return out;
}

}  // namespace

void processScores(std::span<float> scores, const Growing& sequence, const GenerateOptions& options) {
    if (options.repetitionPenalty != 1.0) {
        penalizeRepetition(scores, sequence.ids, options.repetitionPenalty);
    }
    if (options.noRepeatNgram > 0) {
        forbidNgrams(scores, sequence.ids, static_cast<std::size_t>(options.noRepeatNgram));
    }
    for (const auto id : options.suppressedIds) {
        if (inside(scores, id)) {
            at(scores, id) = kNever;
        }
    }
    if (sequence.made == 0 && inside(scores, options.forcedBosId)) {
        force(scores, options.forcedBosId);
    }
    if (sequence.made == sequence.most - 1 && inside(scores, options.forcedEosId)) {
        force(scores, options.forcedEosId);
    }
}

std::vector<TokenChance> chances(std::span<const float> scores, const GenerateOptions& options) {
    auto pool = likeliest(scores, options);
    if (options.topP < 1.0) {
        // The smallest set whose probability reaches topP.
        const double wanted = options.topP * sumOf(pool);
        double reached = 0.0;
        std::size_t count = 0;
        while (count < pool.size() && (count == 0 || reached < wanted)) {
            reached += pool[count].probability;
            ++count;
        }
        pool.resize(count);
    }
    if (options.minP > 0.0) {
        const double least = options.minP * pool.front().probability;
        const auto end = std::find_if(pool.begin() + 1, pool.end(), [&](const TokenChance& one) {
            return one.probability < least;
        });
        pool.erase(end, pool.end());
    }
    const double sum = sumOf(pool);
    for (auto& one : pool) {
        one.probability /= sum;
    }
    return pool;
}

std::int32_t pickToken(std::span<const float> scores, const GenerateOptions& options,
                       RandomStream& random) {
    if (options.temperature <= 0.0) {
        return static_cast<std::int32_t>(std::max_element(scores.begin(), scores.end()) -
                                         scores.begin());
    }
    const auto pool = chances(scores, options);
    double left = random.uniform();
    for (const auto& one : pool) {
        left -= one.probability;
        if (left < 0.0) {
            return one.id;
        }
    }
    return pool.back().id;
}

bool isStop(const GenerateOptions& options, std::int32_t id) {
    return std::find(options.stopIds.begin(), options.stopIds.end(), id) != options.stopIds.end();
}

}  // namespace pareto::models
