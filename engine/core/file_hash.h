#pragma once

#include <stop_token>
#include <string>

#include "engine/core/result.h"

namespace pareto {

/// SHA-256 of a file's bytes, in hexadecimal digits. What InputFile says.
Result<std::string> hashFile(const std::string& path, std::stop_token stop);

}  // namespace pareto
