#pragma once

#include <algorithm>
#include <cstdint>

namespace pareto {

/// A matrix cut into tiles that are pruned whole, from its upper left corner, numbered row by row. Tiles
/// at the right and at the bottom are what is left over.
struct TileGrid {
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::int64_t tileRows = 1;
    std::int64_t tileCols = 1;

    std::int64_t down() const { return (rows + tileRows - 1) / tileRows; }
    std::int64_t across() const { return (cols + tileCols - 1) / tileCols; }
    std::int64_t count() const { return down() * across(); }
    /// All tiles are of one size.
    bool isEven() const { return rows % tileRows == 0 && cols % tileCols == 0; }
    std::int64_t rowsOf(std::int64_t tile) const {
        return std::min(tileRows, rows - tile / across() * tileRows);
    }
    std::int64_t colsOf(std::int64_t tile) const {
        return std::min(tileCols, cols - tile % across() * tileCols);
    }
    /// Tiles of a whole matrix that fall at a ratio: floor(ratio · count()).
    std::int64_t removed(double ratio) const {
        return static_cast<std::int64_t>(ratio * static_cast<double>(count()));
    }
    /// Tiles of one row of tiles that fall where rows are compared each by itself (Wanda).
    std::int64_t removedAcross(double ratio) const {
        return static_cast<std::int64_t>(ratio * static_cast<double>(across()));
    }
    /// Values in `tiles` tiles: exact where the grid is even, otherwise the mean over all choices of that
    /// many tiles, rounded down (which tiles fall depends on the values).
    std::int64_t valuesIn(std::int64_t tiles) const {
        if (isEven()) {
            return tiles * tileRows * tileCols;
        }
        return count() == 0 ? 0
                            : static_cast<std::int64_t>(static_cast<double>(rows * cols) *
                                                        static_cast<double>(tiles) /
                                                        static_cast<double>(count()));
    }
};

}  // namespace pareto
