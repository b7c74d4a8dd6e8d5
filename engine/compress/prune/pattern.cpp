#include "engine/compress/prune/pattern.h"

#include <algorithm>
#include <bit>

namespace pareto::compress {

namespace {

/// Floats that are not negative order as their bits do, which makes equal ones plain.
std::uint32_t bitsOf(float score) { return std::bit_cast<std::uint32_t>(score) & 0x7FFFFFFFU; }

}  // namespace

std::int64_t SparsityPattern::removedOfRow(std::int64_t cols) const {
    const std::int64_t last = cols % groupOf;
    return cols / groupOf * (groupOf - keepOf) + std::max<std::int64_t>(0, last - keepOf);
}

void chooseLowest(std::span<const float> scores, std::int64_t remove, std::int64_t* chosen) {
    if (remove <= 0) {
        return;
    }
    std::vector<std::uint32_t> bits(scores.size());
    std::transform(scores.begin(), scores.end(), bits.begin(), bitsOf);
    const auto nth = bits.begin() + (remove - 1);
    std::nth_element(bits.begin(), nth, bits.end());
    const std::uint32_t threshold = *nth;
    // All below the threshold are among the first `remove`; the rest of those equal it.
    const auto below =
        std::count_if(bits.begin(), nth, [&](std::uint32_t value) { return value < threshold; });
    std::int64_t equalLeft = remove - below;
    for (std::size_t at = 0; at < scores.size(); ++at) {
        const std::uint32_t value = bitsOf(scores[at]);
        if (value < threshold || (value == threshold && equalLeft-- > 0)) {
            *chosen++ = static_cast<std::int64_t>(at);
        }
    }
}

std::int64_t chooseLowestOfRow(std::span<const float> scores, const SparsityPattern& pattern,
                               std::int64_t* chosen) {
    const auto cols = static_cast<std::int64_t>(scores.size());
    if (!pattern.isGrouped()) {
        const std::int64_t remove = pattern.removedOf(cols);
        chooseLowest(scores, remove, chosen);
        return remove;
    }
    std::int64_t total = 0;
    for (std::int64_t begin = 0; begin < cols; begin += pattern.groupOf) {
        const std::int64_t count = std::min<std::int64_t>(pattern.groupOf, cols - begin);
        const std::int64_t remove = std::max<std::int64_t>(0, count - pattern.keepOf);
        chooseLowest(
            scores.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count)),
            remove, chosen + total);
        std::for_each(chosen + total, chosen + total + remove,
                      [&](std::int64_t& at) { at += begin; });
        total += remove;
    }
    return total;
}

std::vector<float> scoresOfTiles(std::span<const float> scores, const TileGrid& grid,
                                 const ParallelFor& parallel) {
    constexpr std::int64_t kGrainValues = 1 << 15;
    std::vector<float> out(static_cast<std::size_t>(grid.count()));
    const std::int64_t grain = std::max<std::int64_t>(
        1, kGrainValues / std::max<std::int64_t>(1, grid.tileRows * grid.cols));
    parallel(grid.down(), grain, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t tile = first * grid.across(); tile < last * grid.across(); ++tile) {
            const std::int64_t row = tile / grid.across() * grid.tileRows;
            const std::int64_t col = tile % grid.across() * grid.tileCols;
            double sum = 0.0;
            for (std::int64_t down = 0; down < grid.rowsOf(tile); ++down) {
                const float* from = scores.data() + (row + down) * grid.cols + col;
                for (std::int64_t right = 0; right < grid.colsOf(tile); ++right) {
                    sum += static_cast<double>(from[right]);
                }
            }
            out[static_cast<std::size_t>(tile)] = static_cast<float>(sum);
        }
    });
    return out;
}

std::vector<std::int64_t> placesOfTiles(std::span<const std::int64_t> tiles, const TileGrid& grid) {
    std::vector<std::int64_t> places;
    places.reserve(tiles.size() * static_cast<std::size_t>(grid.tileRows * grid.tileCols));
    for (auto from = tiles.begin(); from != tiles.end();) {
        const std::int64_t down = *from / grid.across();
        const auto to = std::lower_bound(from, tiles.end(), (down + 1) * grid.across());
        for (std::int64_t row = 0; row < grid.rowsOf(*from); ++row) {
            for (auto tile = from; tile != to; ++tile) {
                const std::int64_t begin = (down * grid.tileRows + row) * grid.cols +
                                           *tile % grid.across() * grid.tileCols;
                for (std::int64_t col = 0; col < grid.colsOf(*tile); ++col) {
                    places.push_back(begin + col);
                }
            }
        }
        from = to;
    }
    return places;
}

std::vector<std::int64_t> chooseLowestOfMatrix(std::span<const float> scores, std::int64_t cols,
                                               const SparsityPattern& pattern,
                                               const ParallelFor& parallel) {
    const auto count = static_cast<std::int64_t>(scores.size());
    const std::int64_t rows = cols == 0 ? 0 : count / cols;
    std::vector<std::int64_t> chosen;
    if (pattern.isTiled()) {
        const TileGrid grid = pattern.tilesOf(rows, cols);
        chosen.resize(
            static_cast<std::size_t>(std::max<std::int64_t>(0, grid.removed(pattern.ratio))));
        chooseLowest(scoresOfTiles(scores, grid, parallel), grid.removed(pattern.ratio),
                     chosen.data());
        return placesOfTiles(chosen, grid);
    }
    if (!pattern.isGrouped()) {
        chosen.resize(
            static_cast<std::size_t>(std::max<std::int64_t>(0, pattern.removedOf(count))));
        chooseLowest(scores, pattern.removedOf(count), chosen.data());
        return chosen;
    }
    const std::int64_t each = pattern.removedOfRow(cols);
    chosen.resize(static_cast<std::size_t>(rows * each));
    for (std::int64_t row = 0; row < rows; ++row) {
        std::int64_t* from = chosen.data() + row * each;
        chooseLowestOfRow(
            scores.subspan(static_cast<std::size_t>(row * cols), static_cast<std::size_t>(cols)),
            pattern, from);
        std::for_each(from, from + each, [&](std::int64_t& at) { at += row * cols; });
    }
    return chosen;
}

}  // namespace pareto::compress
