#include "engine/compress/spectrum.h"

#include <algorithm>

namespace pareto::compress {

namespace {

std::vector<std::int64_t> ranksOf(std::int64_t count) {
    std::vector<std::int64_t> out;
    for (std::int64_t rank = 1; rank <= count; rank = std::max(rank + 1, rank * 7 / 6)) {
        out.push_back(rank);
    }
    if (!out.empty() && out.back() != count) {
        out.push_back(count);
    }
    return out;
}

std::vector<double> valuesAt(const std::vector<std::int64_t>& ranks, const Tensor& weight,
                             const LayerContext& context) {
    const auto values = dequantize(weight, context.parallel);
    const auto all = context.math->singularValues(values, weight.shape[0], weight.shape[1]);
    std::vector<double> out;
    for (const std::int64_t rank : ranks) {
        out.push_back(all[static_cast<std::size_t>(rank - 1)]);
    }
    return out;
}

}  // namespace

std::optional<Spectrum> spectrumOf(const Tensor& before, const Tensor& after, const LayerContext& context) {
    const std::int64_t count = std::min(before.shape[0], before.shape[1]);
    if (count == 0 || count > kMostSpectrumSide) {
        return std::nullopt;
    }
    Spectrum out;
    out.ranks = ranksOf(count);
    out.before = valuesAt(out.ranks, before, context);
    out.after = valuesAt(out.ranks, after, context);
    return out;
}

}  // namespace pareto::compress
