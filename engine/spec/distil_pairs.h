#pragma once

#include <utility>
#include <vector>

#include "engine/spec/layers.h"

namespace pareto {

/// What an empty DistilSpec::blocks means: every student block learns from one teacher block,
/// spread evenly, the last from the last: block i of s from block round((i + 1) · t / s) − 1 of t
/// (TinyBERT's uniform map, Jiao et al. 2020, where t is a multiple of s; halves round up). A block
/// that runs several times counts as often. Empty when either has no blocks.
std::vector<std::pair<int, int>> evenPairs(int student, int teacher);

/// What is paired: the runs of a model's blocks in order, each as the number of its block.
std::vector<int> blockRuns(const ModelLayout& layout);

}  // namespace pareto
