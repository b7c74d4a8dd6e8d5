#include "engine/core/process.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace pareto {

std::int64_t processStart(const std::string& process) {
    std::ifstream file("/proc/" + process + "/stat");
    std::string line;
    std::getline(file, line);
    // The name (field 2) may hold spaces and brackets: fields are counted from its last bracket.
    const auto bracket = line.rfind(')');
    if (bracket == std::string::npos) {
        return 0;
    }
    std::istringstream fields(line.substr(bracket + 1));
    std::string field;
    for (int index = 3; fields >> field; ++index) {
        if (index == 3 && (field == "Z" || field == "X")) {
            return 0;
        }
        if (index == 22) {
            return std::strtoll(field.c_str(), nullptr, 10);
        }
    }
    return 0;
}

}  // namespace pareto
