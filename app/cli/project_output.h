#pragma once

#include <string>
#include <vector>

#include "engine/project/results.h"

namespace pareto::cli {

/// What was found in a data set and what was done about it, for people.
std::string reportText(const project::DataReport& report);
/// Steps that were measured: accuracy on the test split with its interval, latency, size.
std::string tableText(const std::vector<project::Row>& rows);

}  // namespace pareto::cli
