#pragma once

#include <set>
#include <string>
#include <vector>

namespace pareto {

/// Labels in the order of the classes of a classifier made for them: whole numbers as numbers, then texts by their bytes.
std::vector<std::string> orderedLabels(const std::set<std::string>& labels);

}  // namespace pareto
