#pragma once

#include <cstdint>
#include <span>

namespace pareto::compress {

/// Which share of a weight's values becomes zero, and whether where is free.
struct SparsityPattern {
    double ratio = 0.0;  ///< of the values; read only without N:M
    int keepOf = 0;      ///< N:M: at most this many …
    int groupOf = 0;     ///< … of every so many inputs of a row are not zero; 0: anywhere

    bool isGrouped() const { return groupOf > 0; }
    /// How many of `count` values fall: floor(ratio · count). The same expression as in estimate().
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

}  // namespace pareto::compress
