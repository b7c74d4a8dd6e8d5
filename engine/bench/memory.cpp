#include "engine/bench/memory.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string_view>

#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>

namespace pareto::bench {

namespace {

/// "VmHWM:   1234 kB" of a /proc file, in bytes.
std::optional<std::uint64_t> kilobytesOf(const char* path, std::string_view key) {
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
        if (line.size() > key.size() && line.compare(0, key.size(), key) == 0 &&
            line[key.size()] == ':') {
            std::istringstream value(line.substr(key.size() + 1));
            std::uint64_t kilobytes = 0;
            if (value >> kilobytes) {
                return kilobytes * 1024;
            }
        }
    }
    return std::nullopt;
}

std::optional<std::uint64_t> numberIn(const std::string& path) {
    std::ifstream file(path);
    std::uint64_t value = 0;
    if (file >> value) {
        return value;
    }
    return std::nullopt;  // "max", or no such file
}

/// Of every cgroup (version 2) from the process's own up to the root; or of version 1's memory tree.
std::uint64_t cgroupRoom() {
    auto room = std::numeric_limits<std::uint64_t>::max();
    const auto consider = [&](const std::string& limitFile, const std::string& usedFile) {
        const auto limit = numberIn(limitFile);
        const auto used = numberIn(usedFile);
        if (limit && used) {
            room = std::min(room, *limit > *used ? *limit - *used : 0);
        }
    };
    std::ifstream file("/proc/self/cgroup");
    std::string line;
    while (std::getline(file, line)) {
        if (line.rfind("0::", 0) == 0) {
            for (std::filesystem::path path = line.substr(3);; path = path.parent_path()) {
                const auto folder = "/sys/fs/cgroup" + (path == "/" ? std::string() : path.string());
                consider(folder + "/memory.max", folder + "/memory.current");
                if (path.empty() || path == "/") {
                    break;
                }
            }
        } else if (const auto at = line.find(":memory:"); at != std::string::npos) {
            const auto folder = "/sys/fs/cgroup/memory" + line.substr(at + 8);
            consider(folder + "/memory.limit_in_bytes", folder + "/memory.usage_in_bytes");
        }
    }
    return room;
}

std::uint64_t addressSpaceRoom() {
    rlimit limit{};
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return std::numeric_limits<std::uint64_t>::max();
    }
    const auto used = kilobytesOf("/proc/self/status", "VmSize").value_or(0);
    return limit.rlim_cur > used ? limit.rlim_cur - used : 0;
}

}  // namespace

bool resetPeakMemory() {
    std::ofstream file("/proc/self/clear_refs");
    file << "5" << std::flush;
    return file.good();
}

std::uint64_t peakMemory() {
    return kilobytesOf("/proc/self/status", "VmHWM").value_or(0);
}

std::uint64_t residentMemory() {
    return kilobytesOf("/proc/self/status", "VmRSS").value_or(0);
}

std::uint64_t availableMemory() {
    const auto system = kilobytesOf("/proc/meminfo", "MemAvailable");
    const auto limits = std::min(cgroupRoom(), addressSpaceRoom());
    if (system) {
        return std::min(*system, limits);
    }
    return limits == std::numeric_limits<std::uint64_t>::max() ? 0 : limits;
}

void releaseUnusedMemory(const std::vector<std::string>& mappedFiles) {
    malloc_trim(0);
    std::ifstream maps("/proc/self/maps");
    std::string line;
    while (std::getline(maps, line)) {
        const auto pathAt = line.find('/');
        if (pathAt == std::string::npos ||
            std::find(mappedFiles.begin(), mappedFiles.end(), line.substr(pathAt)) ==
                mappedFiles.end()) {
            continue;
        }
        std::uintptr_t begin = 0;
        std::uintptr_t end = 0;
        const auto* text = line.data();
        const auto first = std::from_chars(text, text + line.size(), begin, 16);
        if (first.ec != std::errc{} || *first.ptr != '-' ||
            std::from_chars(first.ptr + 1, text + line.size(), end, 16).ec != std::errc{}) {
            continue;
        }
        // Only mappings nobody can write to: dropping their pages loses nothing.
        if (line.find(" r--p ") != std::string::npos || line.find(" r--s ") != std::string::npos) {
            madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
        }
    }
}

}  // namespace pareto::bench
