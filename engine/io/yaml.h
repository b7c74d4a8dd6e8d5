#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/result.h"

namespace pareto::io {

/// The scalars of a YAML 1.2 mapping's first level in the file's order, as the texts they are written as;
/// lists and mappings among them are left out. `file` and `what` name the text in errors: ConfigInvalid
/// (with the line) for what is no YAML, no mapping, or not UTF-8.
Result<std::vector<std::pair<std::string, std::string>>> yamlScalars(std::string_view yaml, const std::string& file,
                                                                     const std::string& what);

}  // namespace pareto::io
