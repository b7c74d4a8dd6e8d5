#pragma once

#include <string>

namespace pareto {

/// The program's folder below one that the XDG base directory specification has: what `variable` ("XDG_CACHE_HOME") names, else
/// `usual` (".cache") in the home folder; behind that "pareto-studio". Nothing is made.
std::string userFolder(const char* variable, const char* usual);

}  // namespace pareto
