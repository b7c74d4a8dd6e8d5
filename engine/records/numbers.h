#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/core/json.h"

namespace pareto {

/// Numbers in JSON, where NaN and infinities do not exist: null, and "<key>_nonfinite" says which.
void putNumber(Json& object, const std::string& key, double value);
void putNumbers(Json& object, const std::string& key, const std::vector<double>& values);

/// The value of a metric of the catalogue: those that count (bytes, parameters) are whole numbers.
void putFigure(Json& object, const std::string& key, std::string_view metric, double value);

/// The way back; a wrong type is said through `reader`.
double takeNumber(JsonReader& reader, const std::string& key, double fallback = 0.0);
std::vector<double> takeNumbers(JsonReader& reader, const std::string& key);
std::vector<std::int64_t> takeIntegers(JsonReader& reader, const std::string& key);
/// Whole numbers up to 2⁶⁴ − 1 (seeds), which JsonReader::integer does not reach.
std::uint64_t takeUnsigned(JsonReader& reader, const std::string& key, std::uint64_t fallback = 0);
std::vector<std::string> takeTexts(JsonReader& reader, const std::string& key);

}  // namespace pareto
