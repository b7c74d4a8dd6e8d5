// A libnvidia-ml.so.1 that says what a test tells it: tests of how NVML is read and worded, not of a GPU. The environment:
//   FAKE_NVML_INIT=9            what nvmlInit answers
//   FAKE_NVML_REASONS=68        reasons for lower clocks, as bits
//   FAKE_NVML_PROCESSES=1,2     process numbers on the GPU; "self" is the caller
//   FAKE_NVML_USE=self:90,2:30  what each computed in percent; absent: not supported
// Power rises by 10 W a call from 100 W, energy by 5 J.
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

constexpr int kNotSupported = 3;
constexpr int kNotFound = 6;
constexpr int kInsufficientSize = 7;
int device;  // its address is the handle

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

unsigned processNumber(const std::string& text) {
    return text == "self" ? static_cast<unsigned>(::getpid())
                          : static_cast<unsigned>(std::atoi(text.c_str()));
}

std::vector<std::string> list(const char* name) {
    std::vector<std::string> out;
    std::istringstream entries(variable(name));
    for (std::string entry; std::getline(entries, entry, ',');) {
        out.push_back(entry);
    }
    return out;
}

struct ProcessInfo {
    unsigned pid;
    unsigned long long memory;
    unsigned gpu;
    unsigned compute;
};
struct ProcessSample {
    unsigned pid;
    unsigned long long time;
    unsigned sm, memory, encoder, decoder;
};

}  // namespace

extern "C" {

int nvmlInit_v2() { return std::atoi(variable("FAKE_NVML_INIT").c_str()); }
int nvmlShutdown() { return 0; }
const char* nvmlErrorString(int code) { return code == 9 ? "Driver Not Loaded" : "Some Error"; }
int nvmlDeviceGetHandleByUUID(const char* uuid, void** handle) {
    *handle = &device;
    return std::strncmp(uuid, "GPU-0011", 8) == 0 ? 0 : kNotFound;
}
int nvmlDeviceGetHandleByPciBusId_v2(const char* id, void** handle) {
    *handle = &device;
    return std::strcmp(id, "0000:01:00.0") == 0 ? 0 : kNotFound;
}
int nvmlDeviceGetPowerUsage(void*, unsigned* milliwatts) {
    static unsigned calls = 0;
    *milliwatts = 100000 + 10000 * calls++;
    return 0;
}
int nvmlDeviceGetEnforcedPowerLimit(void*, unsigned* milliwatts) {
    *milliwatts = 700000;
    return 0;
}
int nvmlDeviceGetTotalEnergyConsumption(void*, unsigned long long* millijoules) {
    static unsigned long long calls = 0;
    *millijoules = 1000000 + 5000 * calls++;
    return 0;
}
int nvmlDeviceGetClockInfo(void*, unsigned type, unsigned* mhz) {
    *mhz = type == 1 ? 1980 : 2619;
    return 0;
}
int nvmlDeviceGetUtilizationRates(void*, unsigned* rates) {
    rates[0] = 97;
    rates[1] = 40;
    return 0;
}
// No nvmlDeviceGetTemperature: an optional function that is missing.
int nvmlDeviceGetCurrentClocksThrottleReasons(void*, unsigned long long* bits) {
    *bits = std::strtoull(variable("FAKE_NVML_REASONS").c_str(), nullptr, 10);
    return 0;
}
int nvmlDeviceGetComputeRunningProcesses_v3(void*, unsigned* count, ProcessInfo* infos) {
    const auto processes = list("FAKE_NVML_PROCESSES");
    for (std::size_t i = 0; i < processes.size() && i < *count; ++i) {
        infos[i] = {processNumber(processes[i]), 1, 0, 0};
    }
    *count = static_cast<unsigned>(processes.size());
    return 0;
}
int nvmlDeviceGetProcessUtilization(void*, ProcessSample* samples, unsigned* count,
                                    unsigned long long) {
    const auto use = list("FAKE_NVML_USE");
    if (use.empty()) {
        return kNotSupported;
    }
    const bool asking = samples == nullptr;
    for (std::size_t i = 0; !asking && i < use.size() && i < *count; ++i) {
        const auto colon = use[i].find(':');
        samples[i] = {processNumber(use[i].substr(0, colon)),
                      1,
                      static_cast<unsigned>(std::atoi(use[i].c_str() + colon + 1)),
                      0,
                      0,
                      0};
    }
    *count = static_cast<unsigned>(use.size());
    return asking ? kInsufficientSize : 0;
}

}  // extern "C"
