#include "engine/runtime/torch_attention.h"

#include <limits>
#include <map>
#include <mutex>
#include <numeric>

#include <ATen/TensorOperators.h>
#include <ATen/ops/_efficient_attention_forward.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/norm.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/triu.h>

#include "engine/runtime/relative_bias.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::runtime {
namespace {

/// A copy: a graph to differentiate keeps it.
at::Tensor rowIndex(const std::vector<std::int64_t>& rows, const at::Tensor& like) {
    return at::tensor(rows, at::TensorOptions().dtype(at::kLong)).to(like.device());
}

/// Rows of several stretches one behind the other; a view where they are so already.
struct Gathered {
    std::vector<std::int64_t> rows;

    void add(std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            rows.push_back(row);
        }
    }
    bool isView() const {
        return rows.back() - rows.front() + 1 == static_cast<std::int64_t>(rows.size()) &&
               std::is_sorted(rows.begin(), rows.end());
    }
    at::Tensor of(const at::Tensor& x) const {
        return isView() ? x.slice(0, rows.front(), rows.back() + 1)
                        : x.index_select(0, rowIndex(rows, x));
    }
};

/// Rows [begin, end) of [heads][length][length]: query i reads the bias's line from length − 1 − i on.
at::Tensor biasRows(const at::Tensor& line, std::int64_t length, std::int64_t begin,
                    std::int64_t end) {
    return line.unfold(1, length, 1).slice(1, length - end, length - begin).flip({1}).unsqueeze(0);
}

/// Sequences of different lengths side by side, each padded to the longest.
struct Padded {
    std::int64_t longest = 0;
    std::vector<std::int64_t> rows;    ///< of each place; places behind a sequence's end repeat its last
    std::vector<std::int64_t> places;  ///< of each row

    void add(std::int64_t begin, std::int64_t end) {
        const auto first = static_cast<std::int64_t>(rows.size());
        for (std::int64_t i = 0; i < longest; ++i) {
            rows.push_back(std::min(begin + i, end - 1));
        }
        for (std::int64_t i = 0; i < end - begin; ++i) {
            places.push_back(first + i);
        }
    }
};

/// What is added to scores [count][heads][queries][keys]: −∞ for keys that are not there or not to be seen.
at::Tensor paddedMask(std::span<const Stretch> texts, std::int64_t queries, std::int64_t keys, const AttentionWork& work,
                      const at::Tensor& like) {
    constexpr float kHidden = -std::numeric_limits<float>::infinity();
    std::vector<float> seen;
    for (const auto& text : texts) {
        for (std::int64_t key = 0; key < keys; ++key) {
            seen.push_back(key < text.keys() ? 0.0F : kHidden);
        }
    }
    const auto count = static_cast<std::int64_t>(texts.size());
    at::Tensor mask = at::tensor(seen, at::TensorOptions().dtype(at::kFloat)).to(like.device()).view({count, 1, 1, keys});
    if (work.causal) {
        mask = mask + at::triu(at::full({queries, keys}, kHidden, like.options()), 1);
    }
    if (work.bias != nullptr) {
        mask = mask + biasRows(work.bias->line(keys), keys, 0, queries);
    }
    return mask.expand({count, work.shape.heads, queries, keys});
}

/// Stretches of different lengths in one call, padded to the longest, as training has them by the dozen: the calls of
/// attendGroups, and those of their gradients, would take longer than the padding.
at::Tensor attendPadded(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        std::span<const Stretch> texts, const AttentionWork& work) {
    Padded queries;
    Padded keys;
    for (const auto& text : texts) {
        queries.longest = std::max(queries.longest, text.queries());
        keys.longest = std::max(keys.longest, text.keys());
    }
    for (const auto& text : texts) {
        queries.add(text.queryBegin, text.queryEnd);
        keys.add(text.keyBegin, text.keyEnd);
    }
    const auto& shape = work.shape;
    const auto count = static_cast<std::int64_t>(texts.size());
    const auto padded = [&](const at::Tensor& x, const at::Tensor& index, std::int64_t longest) {
        return x.index_select(0, index).view({count, longest, shape.heads, shape.headDim}).transpose(1, 2);
    };
    const at::Tensor keyIndex = rowIndex(keys.rows, k);
    const at::Tensor out = at::scaled_dot_product_attention(
        padded(q, rowIndex(queries.rows, q), queries.longest), padded(k, keyIndex, keys.longest),
        padded(v, keyIndex, keys.longest), paddedMask(texts, queries.longest, keys.longest, work, q), shape.dropout, false,
        static_cast<double>(attentionScale(shape)));
    return out.transpose(1, 2).reshape({count * queries.longest, q.size(1)}).index_select(0, rowIndex(queries.places, q));
}

/// `count` stretches of equal sizes, gathered: q is [count · queries][width].
at::Tensor attendEqual(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                       std::int64_t count, const AttentionWork& work) {
    const auto& shape = work.shape;
    const auto split = [&](const at::Tensor& x) {
        return x.reshape({count, x.size(0) / count, shape.heads, shape.headDim}).transpose(1, 2);
    };
    const at::Tensor queries = split(q);
    const at::Tensor keys = split(k);
    const at::Tensor values = split(v);
    const std::int64_t length = keys.size(2);
    const std::int64_t total = queries.size(2);
    // libtorch's fused forms hold no scores; they want heads of multiples of 4.
    const bool fused = work.bias == nullptr && shape.headDim % 4 == 0;
    const std::int64_t scoresOfQuery = count * shape.heads * length;
    const std::int64_t tile =
        fused ? total : std::clamp<std::int64_t>(work.mostScores / scoresOfQuery, 1, total);
    const at::Tensor line = work.bias != nullptr ? work.bias->line(length) : at::Tensor();
    std::vector<at::Tensor> parts;
    for (std::int64_t begin = 0; begin < total; begin += tile) {
        const std::int64_t end = std::min(total, begin + tile);
        std::optional<at::Tensor> mask;
        if (line.defined()) {
            mask = biasRows(line, length, begin, end);
        }
        parts.push_back(
            at::scaled_dot_product_attention(queries.slice(2, begin, end), keys, values, mask,
                                             shape.dropout, false, static_cast<double>(attentionScale(shape))));
    }
    const at::Tensor out = parts.size() == 1 ? parts.front() : at::cat(parts, 2);
    return out.transpose(1, 2).reshape({q.size(0), q.size(1)});
}

at::Tensor attendGroups(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        std::span<const Stretch> stretches, const AttentionWork& work) {
    std::vector<at::Tensor> parts;
    std::vector<std::int64_t> places(static_cast<std::size_t>(q.size(0)));
    std::int64_t next = 0;
    bool inOrder = true;
    for (const auto& group : equalStretches(stretches)) {
        Gathered queries;
        Gathered keys;
        for (const auto i : group) {
            queries.add(stretches[i].queryBegin, stretches[i].queryEnd);
            keys.add(stretches[i].keyBegin, stretches[i].keyEnd);
        }
        parts.push_back(attendEqual(queries.of(q), keys.of(k), keys.of(v),
                                    static_cast<std::int64_t>(group.size()), work));
        for (const auto row : queries.rows) {
            inOrder = inOrder && row == next;
            places[static_cast<std::size_t>(row)] = next++;
        }
    }
    const at::Tensor out = parts.size() == 1 ? parts.front() : at::cat(parts, 0);
    return inOrder ? out : out.index_select(0, rowIndex(places, q));
}

at::Tensor ends(std::span<const Stretch> stretches, bool keys, const at::Tensor& like) {
    std::vector<std::int32_t> out{0};
    for (const auto& stretch : stretches) {
        out.push_back(out.back() +
                      static_cast<std::int32_t>(keys ? stretch.keys() : stretch.queries()));
    }
    return at::tensor(out, at::TensorOptions().dtype(at::kInt)).to(like.device());
}

/// All stretches in one call. libtorch has it for CUDA alone.
at::Tensor attendAtOnce(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        std::span<const Stretch> stretches, const HeadShape& shape) {
    Gathered keys;
    std::int64_t mostQueries = 0;
    std::int64_t mostKeys = 0;
    for (const auto& stretch : stretches) {
        keys.add(stretch.keyBegin, stretch.keyEnd);
        mostQueries = std::max(mostQueries, stretch.queries());
        mostKeys = std::max(mostKeys, stretch.keys());
    }
    const auto split = [&](const at::Tensor& x) {
        return x.reshape({1, x.size(0), shape.heads, shape.headDim});
    };
    constexpr std::int64_t kNoMask = 0;
    const auto found = at::_efficient_attention_forward(
        split(q), split(keys.of(k)), split(keys.of(v)), {}, ends(stretches, false, q),
        ends(stretches, true, q), mostQueries, mostKeys, 0.0, kNoMask, false,
        static_cast<double>(attentionScale(shape)));
    return std::get<0>(found).reshape({q.size(0), q.size(1)});
}

/// Whether attendAtOnce() works on a device for heads of that size: tried once, on two texts of 3 and 5 tokens.
bool worksAtOnce(const Device& device, std::int64_t headDim) {
    static std::mutex mutex;
    static std::map<std::pair<int, std::int64_t>, bool> known;
    const std::lock_guard lock(mutex);
    const auto [found, added] = known.try_emplace({device.index, headDim}, false);
    if (!added) {
        return found->second;
    }
    try {
        constexpr std::int64_t kTokens = 8;
        const HeadShape shape{2, 2, headDim};
        const std::vector<Stretch> stretches{{0, 3, 0, 3}, {3, kTokens, 3, kTokens}};
        const auto numbers = [&](double from) {
            return at::sin(at::arange(kTokens * 2 * headDim, floatOptions(device)) * 0.7 + from)
                .reshape({kTokens, 2 * headDim});
        };
        const at::Tensor q = numbers(0.0);
        const at::Tensor k = numbers(1.0);
        const at::Tensor v = numbers(2.0);
        const at::Tensor expected = attendGroups(q, k, v, stretches, {shape});
        const at::Tensor difference = attendAtOnce(q, k, v, stretches, shape) - expected;
        constexpr double kTolerance = 1e-3;
        found->second =
            at::norm(difference).item<double>() <= kTolerance * at::norm(expected).item<double>();
    } catch (const c10::Error&) {
        found->second = false;
    }
    return found->second;
}

}  // namespace

std::vector<std::vector<std::size_t>> equalStretches(std::span<const Stretch> stretches) {
    std::vector<std::vector<std::size_t>> out;
    std::map<std::pair<std::int64_t, std::int64_t>, std::size_t> known;
    for (std::size_t i = 0; i < stretches.size(); ++i) {
        const auto [found, added] =
            known.try_emplace({stretches[i].queries(), stretches[i].keys()}, out.size());
        if (added) {
            out.emplace_back();
        }
        out[found->second].push_back(i);
    }
    return out;
}

std::vector<Stretch> stretchesOf(std::span<const std::int64_t> starts) {
    std::vector<Stretch> out;
    for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
        if (starts[i] < starts[i + 1]) {
            out.push_back({starts[i], starts[i + 1], starts[i], starts[i + 1]});
        }
    }
    return out;
}

at::Tensor attendStretches(const Device& device, const at::Tensor& q, const at::Tensor& k,
                           const at::Tensor& v, std::span<const Stretch> stretches,
                           const AttentionWork& work) {
    if (stretches.empty()) {
        return q.clone();
    }
    const bool atOnce = device.cuda && !device.gradients && work.bias == nullptr &&
                        equalStretches(stretches).size() > 1 &&
                        worksAtOnce(device, work.shape.headDim);
    if (device.gradients && (work.causal || equalStretches(stretches).size() > 1)) {
        return attendPadded(q, k, v, stretches, work);
    }
    return atOnce ? attendAtOnce(q, k, v, stretches, work.shape)
                  : attendGroups(q, k, v, stretches, work);
}

}  // namespace pareto::runtime
