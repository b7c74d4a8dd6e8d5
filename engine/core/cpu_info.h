#pragma once

#include <string>

namespace pareto {

/// The first value that /proc/cpuinfo has of `key` ("model name", "flags"); empty where it has none.
std::string cpuInfo(const std::string& key);

}  // namespace pareto
