#pragma once

#include <utility>
#include <vector>

#include "engine/core/random.h"

namespace pareto {

/// Every order with the same chance (Fisher-Yates, from the end).
template <typename T>
void shuffle(std::vector<T>& values, RandomStream& random) {
    for (std::size_t left = values.size(); left > 1; --left) {
        std::swap(values[left - 1], values[random.below(left)]);
    }
}

}  // namespace pareto
