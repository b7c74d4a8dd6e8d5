#include "engine/core/cpu_info.h"

#include <fstream>

namespace pareto {
namespace {

std::string trimmed(const std::string& text) {
    const auto begin = text.find_first_not_of(" \t");
    const auto end = text.find_last_not_of(" \t\r\n");
    return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

}  // namespace

std::string cpuInfo(const std::string& key) {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        const auto colon = line.find(':');
        if (colon == std::string::npos || trimmed(line.substr(0, colon)) != key) {
            continue;
        }
        if (auto value = trimmed(line.substr(colon + 1)); !value.empty()) {
            return value;
        }
    }
    return {};
}

}  // namespace pareto
