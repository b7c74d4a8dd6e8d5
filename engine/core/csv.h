#pragma once

#include <string>

namespace pareto {

/// A cell of a CSV file (RFC 4180): in quotes where it has to be.
std::string csvCell(const std::string& text);

}  // namespace pareto
