#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/core/parallel.h"
#include "engine/core/tile_grid.h"

namespace pareto::compress {

/// Which share of a weight's values becomes zero, and whether where is free.
struct SparsityPattern {
    double ratio = 0.0;  ///< of the values, or of the tiles; read only without N:M
    int keepOf = 0;      ///< N:M: at most this many …
    int groupOf = 0;     ///< … of every so many inputs of a row are not zero; 0: anywhere
    int tileRows = 1;    ///< tiles of so many outputs …
    int tileCols = 1;    ///< … and inputs fall whole; 1 and 1: single values. Not with N:M

    bool isGrouped() const { return groupOf > 0; }
    bool isTiled() const { return !isGrouped() && (tileRows > 1 || tileCols > 1); }
    TileGrid tilesOf(std::int64_t rows, std::int64_t cols) const {
        return {rows, cols, tileRows, tileCols};
    }
    /// How many of `count` values, or of `count` tiles, fall: floor(ratio · count). The same expression
    /// as in estimate(). With tiles the values that fall are TileGrid::valuesIn(removed(ratio)).
    std::int64_t removedOf(std::int64_t count) const {
        return static_cast<std::int64_t>(ratio * static_cast<double>(count));
    }
    /// N:M: how many of a row's `cols` values fall. A last group that is not full keeps `keepOf` too.
    std::int64_t removedOfRow(std::int64_t cols) const;
};

/// Writes `remove` of the numbers 0 … scores.size() − 1 to `chosen`, ascending: those of the lowest
/// scores, of equal ones the earlier. Scores are not negative.
void chooseLowest(std::span<const float> scores, std::int64_t remove, std::int64_t* chosen);

/// The same within each row of a matrix, each number counted from the row's beginning: ratio of the
/// row or N:M within its groups. Writes removedOf(cols) or removedOfRow(cols) numbers and says how many.
std::int64_t chooseLowestOfRow(std::span<const float> scores, const SparsityPattern& pattern,
                               std::int64_t* chosen);

/// Σ of the scores [rows][cols] of each tile, summed in fp64 in row-major order.
std::vector<float> scoresOfTiles(std::span<const float> scores, const TileGrid& grid,
                                 const ParallelFor& parallel = serialFor);

/// Places (row-major, ascending) of the values of some tiles (ascending).
std::vector<std::int64_t> placesOfTiles(std::span<const std::int64_t> tiles, const TileGrid& grid);

/// Places (row-major, ascending) of the values of least score in a matrix [rows][cols]: the ratio over
/// the whole of it, of values or of tiles by the sums of their scores; N:M within each row.
std::vector<std::int64_t> chooseLowestOfMatrix(std::span<const float> scores, std::int64_t cols,
                                               const SparsityPattern& pattern,
                                               const ParallelFor& parallel = serialFor);

}  // namespace pareto::compress
