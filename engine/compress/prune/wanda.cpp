#include "engine/compress/prune/wanda.h"

#include <algorithm>
#include <cmath>

#include "engine/compress/quantize/rtn.h"
#include "engine/weights/select.h"

namespace pareto::compress {

namespace {

constexpr std::int64_t kGrainValues = 1 << 14;

class Wanda {
public:
    Wanda(const Tensor& weight, const SparsityPattern& pattern, const InputStatistics& statistics,
          const LayerContext& context)
        : m_weight(weight),
          m_pattern(pattern),
          m_context(context),
          m_norms(statistics.meanSquares) {
        std::transform(m_norms.begin(), m_norms.end(), m_norms.begin(),
                       [](float square) { return std::sqrt(square); });
    }

    std::vector<std::int64_t> ofRows() const {
        const std::int64_t cols = m_weight.shape[1];
        const std::int64_t each =
            m_pattern.isGrouped() ? m_pattern.removedOfRow(cols) : m_pattern.removedOf(cols);
        const std::int64_t rows = m_weight.shape[0];
        std::vector<std::int64_t> places(
            static_cast<std::size_t>(rows * std::max<std::int64_t>(0, each)));
        if (places.empty()) {
            return places;
        }
        forRows(rows, cols, [&](std::int64_t row, std::vector<float>& scores) {
            scoreRow(row, scores);
            std::int64_t* chosen = places.data() + row * each;
            chooseLowestOfRow(scores, m_pattern, chosen);
            std::for_each(chosen, chosen + each, [&](std::int64_t& at) { at += row * cols; });
        });
        return places;
    }

    std::vector<std::int64_t> ofTiles() const {
        const TileGrid grid = m_pattern.tilesOf(m_weight.shape[0], m_weight.shape[1]);
        const std::int64_t each = grid.removedAcross(m_pattern.ratio);
        if (each <= 0) {
            return {};
        }
        std::vector<std::int64_t> tiles(static_cast<std::size_t>(grid.down() * each));
        forRows(grid.down(), grid.tileRows * grid.cols,
                [&](std::int64_t down, std::vector<float>& row) {
                    std::vector<double> sums(static_cast<std::size_t>(grid.across()));
                    const std::int64_t begin = down * grid.tileRows;
                    for (std::int64_t at = begin; at < std::min(begin + grid.tileRows, grid.rows);
                         ++at) {
                        scoreRow(at, row);
                        for (std::size_t col = 0; col < row.size(); ++col) {
                            sums[col / static_cast<std::size_t>(grid.tileCols)] +=
                                static_cast<double>(row[col]) * row[col];
                        }
                    }
                    const std::vector<float> scores(sums.begin(), sums.end());
                    std::int64_t* chosen = tiles.data() + down * each;
                    chooseLowest(scores, each, chosen);
                    std::for_each(chosen, chosen + each,
                                  [&](std::int64_t& tile) { tile += down * grid.across(); });
                });
        return m_context.stop.stop_requested() ? std::vector<std::int64_t>()
                                               : placesOfTiles(tiles, grid);
    }

private:
    template <typename Body>
    void forRows(std::int64_t count, std::int64_t values, Body&& body) const {
        const std::int64_t grain =
            std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, values));
        m_context.parallel(count, grain, [&](std::int64_t begin, std::int64_t end) {
            std::vector<float> scores(m_norms.size());
            for (std::int64_t at = begin; at < end && !m_context.stop.stop_requested(); ++at) {
                body(at, scores);
            }
        });
    }

    void scoreRow(std::int64_t row, std::vector<float>& scores) const {
        dequantizeRow(m_weight, row, scores.data());
        std::transform(scores.begin(), scores.end(), m_norms.begin(), scores.begin(),
                       [](float value, float norm) { return std::fabs(value) * norm; });
    }

    const Tensor& m_weight;
    const SparsityPattern& m_pattern;
    const LayerContext& m_context;
    std::vector<float> m_norms;
};

}  // namespace

Result<Tensor> pruneWanda(const Tensor& weight, const SparsityPattern& pattern,
                          const InputStatistics& statistics, const LayerContext& context) {
    PARETO_CHECK(checkStatistics(statistics, weight, {Statistic::MeanSquares}, context.label));
    PARETO_CHECK(checkFinite(weight, context.label, context.parallel));
    const Wanda wanda(weight, pattern, statistics, context);
    const auto places = pattern.isTiled() ? wanda.ofTiles() : wanda.ofRows();
    if (context.stop.stop_requested()) {
        return Cancelled{};
    }
    return places.empty() ? weight : zeroValues(weight, places);
}

}  // namespace pareto::compress
