#pragma once

#include <string_view>

namespace pareto {

std::string_view programVersion();  ///< "0.1.0"
/// Short hash of the commit the build folder was last configured at; "unknown" outside a checkout.
std::string_view programCommit();

}  // namespace pareto
