#include <fstream>

#include <unistd.h>

#include "engine/core/process.h"
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

}  // namespace

Owner Owner::thisProcess() {
    return {machineName(), currentBoot(), static_cast<std::int64_t>(::getpid()), processStart("self")};
}

std::optional<bool> Owner::alive() const {
    if (machine != machineName()) {
        return std::nullopt;
    }
    if (bootId != currentBoot()) {
        return false;
    }
    const auto start = processStart(std::to_string(pid));
    return start != 0 && start == startTime;
}

}  // namespace pareto::store
