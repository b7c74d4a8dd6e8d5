#include "engine/bench/hardware_counters.h"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace pareto::bench {

namespace {

std::vector<int> threadsOfProcess() {
    std::vector<int> out;
    std::error_code problem;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", problem)) {
        out.push_back(std::atoi(entry.path().filename().c_str()));
    }
    return out;
}

/// −1 with errno.
int openCounter(std::uint64_t event, int thread) {
    perf_event_attr attributes;
    std::memset(&attributes, 0, sizeof attributes);
    attributes.size = sizeof attributes;
    attributes.type = PERF_TYPE_HARDWARE;
    attributes.config = event;
    attributes.exclude_kernel = 1;
    attributes.exclude_hv = 1;
    attributes.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
    return static_cast<int>(
        ::syscall(SYS_perf_event_open, &attributes, thread, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

void closeAll(std::vector<int>& descriptors) {
    for (const int descriptor : descriptors) {
        ::close(descriptor);
    }
    descriptors.clear();
}

/// All threads or none: a part of them would say nothing. `error` is that of the first that failed.
std::vector<int> openOnAll(std::uint64_t event, const std::vector<int>& threads, int& error) {
    std::vector<int> out;
    for (const int thread : threads) {
        const int descriptor = openCounter(event, thread);
        if (descriptor >= 0) {
            out.push_back(descriptor);
        } else if (errno != ESRCH) {
            error = errno;
            closeAll(out);
            return {};
        }
    }
    return out;
}

std::string reasonOf(int error) {
    std::string paranoid;
    std::ifstream("/proc/sys/kernel/perf_event_paranoid") >> paranoid;
    const std::string setting = "perf_event_paranoid=" + (paranoid.empty() ? "unknown" : paranoid);
    switch (error) {
    case EACCES:
    case EPERM:
        return "not allowed, " + setting;
    case ENOENT:
    case ENODEV:
    case EOPNOTSUPP:
        return "not supported by this processor or virtual machine, " + setting;
    case ENOSYS:
        return "not supported by this system";
    default:
        return std::string(std::strerror(error)) + ", " + setting;
    }
}

struct Reading {
    std::uint64_t value = 0;
    std::uint64_t enabled = 0;
    std::uint64_t running = 0;
};

std::optional<double> sumOf(const std::vector<int>& descriptors) {
    if (descriptors.empty()) {
        return std::nullopt;
    }
    double sum = 0.0;
    for (const int descriptor : descriptors) {
        Reading reading;
        if (::read(descriptor, &reading, sizeof reading) != static_cast<ssize_t>(sizeof reading)) {
            return std::nullopt;
        }
        if (reading.running > 0) {
            sum += static_cast<double>(reading.value) * static_cast<double>(reading.enabled) /
                   static_cast<double>(reading.running);
        }
    }
    return sum;
}

}  // namespace

HardwareCounters::HardwareCounters() {
    const auto threads = threadsOfProcess();
    int error = 0;
    m_cycles = openOnAll(PERF_COUNT_HW_CPU_CYCLES, threads, error);
    m_instructions = openOnAll(PERF_COUNT_HW_INSTRUCTIONS, threads, error);
    m_cacheMisses = openOnAll(PERF_COUNT_HW_CACHE_MISSES, threads, error);
    if (m_cycles.empty() && m_instructions.empty() && m_cacheMisses.empty()) {
        m_whyNot = reasonOf(error);
    }
}

HardwareCounters::~HardwareCounters() {
    closeAll(m_cycles);
    closeAll(m_instructions);
    closeAll(m_cacheMisses);
}

HardwareCounts HardwareCounters::read() const {
    return {sumOf(m_cycles), sumOf(m_instructions), sumOf(m_cacheMisses)};
}

}  // namespace pareto::bench
