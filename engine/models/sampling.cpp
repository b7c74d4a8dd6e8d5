#include "engine/models/sampling.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <unordered_map>

namespace pareto::models {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

Error refused(const std::string& reason) {
    return makeError(ErrorCode::EngineFailure, {{"where", "generating text"}, {"reason", reason}});
}

bool within(double value, double low, double high) { return value >= low && value <= high; }

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

/// A score and its token's number as one integer, the most probable first; equal ones by their number, so that the order is
/// the same everywhere.
std::vector<std::uint64_t> rankedKeys(std::span<const float> scores) {
    constexpr std::uint32_t kSign = std::uint32_t{1} << 31;
    std::vector<std::uint64_t> keys(scores.size());
    for (std::size_t id = 0; id < scores.size(); ++id) {
        const auto bits = std::bit_cast<std::uint32_t>(scores[id] + 0.0F);  // no −0
        const std::uint32_t descending = (bits & kSign) != 0 ? bits : ~(bits | kSign);
        keys[id] = std::uint64_t{descending} << 32 | id;
    }
    return keys;
}

/// By the upper halves, in three passes of 11 bits; the lower ones ascend already.
void sortKeys(std::vector<std::uint64_t>& keys) {
    constexpr int kBits = 11;
    constexpr std::size_t kPlaces = std::size_t{1} << kBits;
    std::vector<std::uint64_t> other(keys.size());
    for (int shift = 32; shift < 64; shift += kBits) {
        const auto digit = [shift](std::uint64_t key) { return static_cast<std::size_t>(key >> shift) % kPlaces; };
        std::array<std::size_t, kPlaces> ends{};
        for (const auto key : keys) {
            ++ends[digit(key)];
        }
        std::exclusive_scan(ends.begin(), ends.end(), ends.begin(), std::size_t{0});
        for (const auto key : keys) {
            other[ends[digit(key)]++] = key;
        }
        keys.swap(other);
    }
}

double sumOf(const std::vector<TokenChance>& pool) {
    return std::accumulate(pool.begin(), pool.end(), 0.0,
                           [](double sum, const TokenChance& one) { return sum + one.probability; });
}

/// Tokens that top-k leaves, most probable first, with unnormalized probabilities.
std::vector<TokenChance> likeliest(std::span<const float> scores, const GenerateOptions& options) {
    auto keys = rankedKeys(scores);
    if (options.topK > 0 && static_cast<std::size_t>(options.topK) < keys.size()) {
        std::nth_element(keys.begin(), keys.begin() + options.topK, keys.end());
        keys.resize(static_cast<std::size_t>(options.topK));
        std::sort(keys.begin(), keys.end());
    } else {
        sortKeys(keys);
    }
    const auto idOf = [](std::uint64_t key) { return static_cast<std::uint32_t>(key); };
    const double best = static_cast<double>(scores[idOf(keys.front())]);
    std::vector<TokenChance> out;
    out.reserve(keys.size());
    for (const auto key : keys) {
        const double score = static_cast<double>(scores[idOf(key)]);
        out.push_back({static_cast<std::int32_t>(idOf(key)), std::exp((score - best) / options.temperature)});
    }
    return out;
}

/// The first of those with the largest score; 0 where none is a number.
std::int32_t likeliestOf(std::span<const float> scores) {
    // Sixteen at a time, which compilers make vectors of.
    constexpr std::size_t kLanes = 16;
    std::array<float, kLanes> lanes;
    lanes.fill(kNever);
    const std::size_t whole = scores.size() / kLanes * kLanes;
    for (std::size_t i = 0; i < whole; i += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            lanes[lane] = scores[i + lane] > lanes[lane] ? scores[i + lane] : lanes[lane];
        }
    }
    float best = *std::max_element(lanes.begin(), lanes.end());
    for (const float score : scores.subspan(whole)) {
        best = score > best ? score : best;
    }
    const auto found = std::find(scores.begin(), scores.end(), best);
    return found == scores.end() ? 0 : static_cast<std::int32_t>(found - scores.begin());
}

double chanceOf(const std::vector<TokenChance>& pool, std::int32_t id) {
    const auto found =
        std::find_if(pool.begin(), pool.end(), [&](const TokenChance& one) { return one.id == id; });
    return found == pool.end() ? 0.0 : found->probability;
}

/// What `wanted` has more than `offered`, as probabilities; empty where that is nothing.
std::vector<TokenChance> excess(const std::vector<TokenChance>& wanted,
                                const std::vector<TokenChance>& offered) {
    std::unordered_map<std::int32_t, double> taken;
    for (const auto& one : offered) {
        taken[one.id] = one.probability;
    }
    std::vector<TokenChance> out;
    for (const auto& one : wanted) {
        const auto less = taken.find(one.id);
        const double left = one.probability - (less == taken.end() ? 0.0 : less->second);
        if (left > 0.0) {
            out.push_back({one.id, left});
        }
    }
    const double sum = sumOf(out);
    for (auto& one : out) {
        one.probability /= sum;
    }
    return out;
}

}  // namespace

Status checkOptions(const GenerateOptions& options) {
    std::string reason;
    if (!(options.temperature >= 0.0) || !std::isfinite(options.temperature)) {
        reason = "the temperature is not a number from 0 upwards";
    } else if (!(options.topP > 0.0) || !within(options.topP, 0.0, 1.0)) {
        reason = "top-p is not between 0 and 1";
    } else if (!within(options.minP, 0.0, 1.0)) {
        reason = "min-p is not between 0 and 1";
    } else if (!(options.repetitionPenalty > 0.0) || !std::isfinite(options.repetitionPenalty)) {
        reason = "the repetition penalty is not a number above 0";
    } else if (!std::isfinite(options.lengthPenalty)) {
        reason = "the length penalty is not a number";
    } else if (options.maxTokens < 0 || options.topK < 0 || options.noRepeatNgram < 0) {
        reason = "a count is negative";
    } else if (options.beams < 1) {
        reason = "there is no beam";
    }
    return reason.empty() ? Status(Done{}) : Status(refused(reason));
}

std::int64_t mostTokens(const ModelLayout& layout, const GenerateOptions& options, std::int64_t held) {
    return layout.maxPositions > 0
               ? std::min(options.maxTokens, std::max<std::int64_t>(1, layout.maxPositions - held + 1))
               : options.maxTokens;
}

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

std::vector<TokenChance> nextTokens(std::span<const float> scores, const GenerateOptions& options) {
    if (options.temperature > 0.0) {
        return chances(scores, options);
    }
    return {{likeliestOf(scores), 1.0}};
}

std::int32_t drawToken(const std::vector<TokenChance>& pool, RandomStream& random) {
    double left = random.uniform();
    for (const auto& one : pool) {
        left -= one.probability;
        if (left < 0.0) {
            return one.id;
        }
    }
    return pool.back().id;
}

std::int32_t settleToken(const std::vector<TokenChance>& wanted, const std::vector<TokenChance>& offered,
                         std::int32_t proposed, RandomStream& random) {
    if (random.uniform() * chanceOf(offered, proposed) < chanceOf(wanted, proposed)) {
        return proposed;
    }
    const auto rest = excess(wanted, offered);
    return rest.empty() ? proposed : drawToken(rest, random);
}

std::int32_t pickToken(std::span<const float> scores, const GenerateOptions& options,
                       RandomStream& random) {
    return drawToken(nextTokens(scores, options), random);
}

bool isStop(const GenerateOptions& options, std::int32_t id) {
    return std::find(options.stopIds.begin(), options.stopIds.end(), id) != options.stopIds.end();
}

}  // namespace pareto::models
