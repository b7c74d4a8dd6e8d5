#pragma once

#include <string>
#include <string_view>
#include <vector>

/// Text as Python's str and re see it: the field's metrics are defined by Python scripts, and their
/// figures depend on what counts as a space, a letter or a lower-case form.
namespace pareto::text {

/// str.lower(): full mappings, the sigma at the end of a word included.
std::string lowercase(std::string_view text);
/// What str.split() splits at and str.strip() takes away: White_Space and U+001C…U+001F.
bool isPythonSpace(char32_t code);
/// str.split() without arguments.
std::vector<std::string> splitWords(std::string_view text);
/// str.isalnum() of one character: letters and numbers; marks are neither.
bool isAlphanumeric(char32_t code);

}  // namespace pareto::text
