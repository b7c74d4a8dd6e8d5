#include "engine/compress/prune/wanda.h"

#include <algorithm>
#include <cmath>

#include "engine/compress/quantize/rtn.h"
#include "engine/weights/select.h"

namespace pareto::compress {

Result<Tensor> pruneWanda(const Tensor& weight, const SparsityPattern& pattern,
                          const InputStatistics& statistics, const LayerContext& context) {
    PARETO_CHECK(checkStatistics(statistics, weight, {Statistic::MeanSquares}, context.label));
    PARETO_CHECK(checkFinite(weight, context.label, context.parallel));
    const std::int64_t rows = weight.shape[0];
    const std::int64_t cols = weight.shape[1];
    const std::int64_t each =
        pattern.isGrouped() ? pattern.removedOfRow(cols) : pattern.removedOf(cols);
    if (each <= 0) {
        return weight;
    }
    std::vector<float> norms(statistics.meanSquares.size());
    std::transform(statistics.meanSquares.begin(), statistics.meanSquares.end(), norms.begin(),
                   [](float square) { return std::sqrt(square); });

    constexpr std::int64_t kGrainValues = 1 << 14;
    std::vector<std::int64_t> places(static_cast<std::size_t>(rows * each));
    context.parallel(
        rows, std::max<std::int64_t>(1, kGrainValues / cols),
        [&](std::int64_t begin, std::int64_t end) {
            std::vector<float> scores(norms.size());
            for (std::int64_t row = begin; row < end && !context.stop.stop_requested(); ++row) {
                dequantizeRow(weight, row, scores.data());
                std::transform(scores.begin(), scores.end(), norms.begin(), scores.begin(),
                               [](float value, float norm) { return std::fabs(value) * norm; });
                std::int64_t* chosen = places.data() + row * each;
                chooseLowestOfRow(scores, pattern, chosen);
                std::for_each(chosen, chosen + each, [&](std::int64_t& at) { at += row * cols; });
            }
        });
    if (context.stop.stop_requested()) {
        return Cancelled{};
    }
    return zeroValues(weight, places);
}

}  // namespace pareto::compress
