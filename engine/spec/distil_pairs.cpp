#include "engine/spec/distil_pairs.h"

#include <algorithm>
#include <cstdint>

namespace pareto {

std::vector<std::pair<int, int>> evenPairs(int student, int teacher) {
    std::vector<std::pair<int, int>> out;
    for (std::int64_t i = 0; i < student && teacher > 0; ++i) {
        const std::int64_t from =
            (2 * (i + 1) * teacher + student) / (std::int64_t{2} * student) - 1;
        out.emplace_back(static_cast<int>(i), static_cast<int>(std::max<std::int64_t>(0, from)));
    }
    return out;
}

std::vector<int> blockRuns(const ModelLayout& layout) {
    std::vector<int> out;
    for (std::size_t block = 0; block < layout.blocks.size(); ++block) {
        const auto repeats = static_cast<std::size_t>(std::max<std::int64_t>(1, layout.blocks[block].repeats));
        out.insert(out.end(), repeats, static_cast<int>(block));
    }
    return out;
}

}  // namespace pareto
