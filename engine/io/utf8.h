#pragma once

#include <string>
#include <string_view>

namespace pareto::io {

bool isUtf8(std::string_view text);
/// Every maximal invalid part becomes one U+FFFD (Unicode 15, 3.9, "substitution of maximal
/// subparts"; the same as Python's errors="replace"). `text` itself when it is valid already.
std::string replaceInvalidUtf8(std::string text);

}  // namespace pareto::io
