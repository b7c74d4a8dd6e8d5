#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/core/result.h"
#include "engine/spec/task.h"

namespace pareto::studio {

/// What an item of a task was: the beginning of its text and what was expected, as in the data.
struct ItemText {
    std::string text;
    std::string expected;
};
using ItemTexts = std::unordered_map<std::int64_t, ItemText>;

/// Texts of the items asked for, from the task's own file: items are rows of it, counted from 0 as the
/// runs count them. Items beyond `kMostItemRows` rows, windows of a plain text and rows that are gone
/// have none. Blocking, in the pool.
inline constexpr std::int64_t kMostItemRows = 1'000'000;
Result<ItemTexts> readItemTexts(const Task& task, std::vector<std::int64_t> items,
                                std::stop_token stop);

}  // namespace pareto::studio
