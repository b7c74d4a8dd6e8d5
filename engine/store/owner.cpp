#include <cstdlib>
#include <fstream>
#include <sstream>

#include <unistd.h>

#include "engine/store/store.h"

namespace pareto::store {
namespace {

std::string firstLine(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

/// Host name and process-id namespace: within both, a pid means one process.
std::string machineName() {
    std::string host(256, '\0');
    if (::gethostname(host.data(), host.size() - 1) != 0) {
        host = "unknown";
    }
    host.resize(host.find('\0') == std::string::npos ? host.size() : host.find('\0'));
    std::string space(64, '\0');
    const auto length = ::readlink("/proc/self/ns/pid", space.data(), space.size());
    space.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    return host + " " + space;
}

std::string currentBoot() { return firstLine("/proc/sys/kernel/random/boot_id"); }

/// Field 22 of /proc/PID/stat (proc(5)), in clock ticks; 0 when there is no such process or it is a
/// zombie. The name (field 2) may hold spaces and brackets: fields are counted from its last bracket.
std::int64_t startTimeOf(const std::string& process) {
    const std::string line = firstLine("/proc/" + process + "/stat");
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

}  // namespace

Owner Owner::thisProcess() {
    return {machineName(), currentBoot(), static_cast<std::int64_t>(::getpid()), startTimeOf("self")};
}

std::optional<bool> Owner::alive() const {
    if (machine != machineName()) {
        return std::nullopt;
    }
    if (bootId != currentBoot()) {
        return false;
    }
    const auto start = startTimeOf(std::to_string(pid));
    return start != 0 && start == startTime;
}

}  // namespace pareto::store
