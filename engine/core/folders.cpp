#include "engine/core/folders.h"

#include <cstdlib>
#include <filesystem>

namespace pareto {

std::string userFolder(const char* variable, const char* usual) {
    namespace fs = std::filesystem;
    const char* set = std::getenv(variable);
    const char* home = std::getenv("HOME");
    const fs::path base = set != nullptr && *set != '\0' ? fs::path(set)
                                                         : fs::path(home != nullptr ? home : "/") / usual;
    return (base / "pareto-studio").string();
}

}  // namespace pareto
