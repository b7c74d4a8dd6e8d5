#include "engine/runtime/nvml.h"

#include <array>
#include <utility>

#include "engine/runtime/library_function.h"

namespace pareto::runtime {

namespace {

// nvml.h comes with no package this program needs: these are its declarations, fixed since driver 450.
using Code = int;  // nvmlReturn_t
using Handle = void*;
constexpr Code kSuccess = 0;
constexpr Code kInsufficientSize = 7;
constexpr unsigned kClockSm = 1;
constexpr unsigned kClockMemory = 2;
constexpr unsigned kTemperatureGpu = 0;

struct Utilization {
    unsigned gpu = 0;
    unsigned memory = 0;
};
struct ProcessInfo {  // nvmlProcessInfo_v2_t
    unsigned pid = 0;
    unsigned long long usedMemory = 0;
    unsigned gpuInstance = 0;
    unsigned computeInstance = 0;
};
struct ProcessSample {  // nvmlProcessUtilizationSample_t
    unsigned pid = 0;
    unsigned long long timeStamp = 0;
    unsigned sm = 0;
    unsigned memory = 0;
    unsigned encoder = 0;
    unsigned decoder = 0;
};

/// What `call` writes, if the function is there and succeeds.
template <typename Value, typename Function, typename... Arguments>
std::optional<Value> asked(Function function, Handle device, Arguments... arguments) {
    Value value{};
    if (function == nullptr || function(device, arguments..., &value) != kSuccess) {
        return std::nullopt;
    }
    return value;
}

std::optional<int> number(const std::optional<unsigned>& value) {
    return value ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

}  // namespace

struct Nvml::Functions {
    Code (*init)() = nullptr;
    Code (*shutdown)() = nullptr;
    Code (*byUuid)(const char*, Handle*) = nullptr;
    Code (*byBus)(const char*, Handle*) = nullptr;
    // May be absent.
    const char* (*errorText)(Code) = nullptr;
    Code (*power)(Handle, unsigned*) = nullptr;
    Code (*powerLimit)(Handle, unsigned*) = nullptr;
    Code (*energy)(Handle, unsigned long long*) = nullptr;
    Code (*clock)(Handle, unsigned, unsigned*) = nullptr;
    Code (*utilization)(Handle, Utilization*) = nullptr;
    Code (*temperature)(Handle, unsigned, unsigned*) = nullptr;
    Code (*throttles)(Handle, unsigned long long*) = nullptr;
    Code (*processes)(Handle, unsigned*, ProcessInfo*) = nullptr;
    Code (*processUse)(Handle, ProcessSample*, unsigned*, unsigned long long) = nullptr;

    bool fill(void* library) {
        takeFunction(library, "nvmlErrorString", errorText);
        takeFunction(library, "nvmlDeviceGetPowerUsage", power);
        takeFunction(library, "nvmlDeviceGetEnforcedPowerLimit", powerLimit);
        takeFunction(library, "nvmlDeviceGetTotalEnergyConsumption", energy);
        takeFunction(library, "nvmlDeviceGetClockInfo", clock);
        takeFunction(library, "nvmlDeviceGetUtilizationRates", utilization);
        takeFunction(library, "nvmlDeviceGetTemperature", temperature);
        if (!takeFunction(library, "nvmlDeviceGetCurrentClocksEventReasons", throttles)) {
            takeFunction(library, "nvmlDeviceGetCurrentClocksThrottleReasons",
                 throttles);  // its older name
        }
        if (!takeFunction(library, "nvmlDeviceGetComputeRunningProcesses_v3", processes)) {
            takeFunction(library, "nvmlDeviceGetComputeRunningProcesses_v2", processes);
        }
        takeFunction(library, "nvmlDeviceGetProcessUtilization", processUse);
        return takeFunction(library, "nvmlInit_v2", init) && takeFunction(library, "nvmlShutdown", shutdown) &&
               takeFunction(library, "nvmlDeviceGetHandleByUUID", byUuid) &&
               takeFunction(library, "nvmlDeviceGetHandleByPciBusId_v2", byBus);
    }
    std::string text(Code code) const {
        const char* said = errorText != nullptr ? errorText(code) : nullptr;
        return said != nullptr ? said : "error " + std::to_string(code);
    }
};

Nvml::Nvml(std::unique_ptr<Functions> functions, void* device)
    : m_functions(std::move(functions)), m_device(device) {}

Nvml::~Nvml() { m_functions->shutdown(); }

std::unique_ptr<Nvml> Nvml::open(const GpuFacts& gpu, std::string& whyNot,
                                 const std::string& library) {
    void* opened = dlopen(library.c_str(), RTLD_LAZY | RTLD_LOCAL);
    if (opened == nullptr) {
        whyNot = "the driver's management library (" + library + ") is not there";
        return nullptr;
    }
    auto functions = std::make_unique<Functions>();
    if (!functions->fill(opened)) {
        whyNot = library + " lacks functions that are needed";
        return nullptr;
    }
    if (const Code code = functions->init(); code != kSuccess) {
        whyNot = "NVML does not start: " + functions->text(code);
        return nullptr;
    }
    Handle device = nullptr;
    // CUDA says the UUID of a MIG instance without saying that it is one.
    const std::string instance = gpu.uuid.size() > 4 ? "MIG-" + gpu.uuid.substr(4) : std::string();
    Code code = functions->byUuid(gpu.uuid.c_str(), &device);
    if (code != kSuccess && !instance.empty()) {
        code = functions->byUuid(instance.c_str(), &device);
    }
    if (code != kSuccess) {
        code = functions->byBus(gpu.pciId.c_str(), &device);
    }
    if (code != kSuccess) {
        whyNot = "NVML does not find " + gpu.name + ": " + functions->text(code);
        functions->shutdown();
        return nullptr;
    }
    return std::unique_ptr<Nvml>(new Nvml(std::move(functions), device));
}

GpuReading Nvml::read() const {
    const auto& f = *m_functions;
    GpuReading out;
    if (const auto milliwatts = asked<unsigned>(f.power, m_device)) {
        out.powerW = *milliwatts / 1000.0;
    }
    out.smMhz = number(asked<unsigned>(f.clock, m_device, kClockSm));
    out.memoryMhz = number(asked<unsigned>(f.clock, m_device, kClockMemory));
    if (const auto used = asked<Utilization>(f.utilization, m_device)) {
        out.utilisation = static_cast<int>(used->gpu);
    }
    out.temperatureC = number(asked<unsigned>(f.temperature, m_device, kTemperatureGpu));
    if (const auto bits = asked<unsigned long long>(f.throttles, m_device)) {
        out.throttles = *bits;
    }
    return out;
}

std::optional<double> Nvml::energyJ() const {
    const auto millijoules = asked<unsigned long long>(m_functions->energy, m_device);
    return millijoules ? std::optional(static_cast<double>(*millijoules) / 1000.0) : std::nullopt;
}

std::optional<double> Nvml::powerLimitW() const {
    const auto milliwatts = asked<unsigned>(m_functions->powerLimit, m_device);
    return milliwatts ? std::optional(*milliwatts / 1000.0) : std::nullopt;
}

std::optional<std::vector<std::uint32_t>> Nvml::processes() const {
    if (m_functions->processes == nullptr) {
        return std::nullopt;
    }
    std::array<ProcessInfo, 256> list{};
    unsigned count = list.size();
    if (m_functions->processes(m_device, &count, list.data()) != kSuccess) {
        return std::nullopt;
    }
    std::vector<std::uint32_t> out;
    for (unsigned i = 0; i < count && i < list.size(); ++i) {
        out.push_back(list[i].pid);
    }
    return out;
}

std::optional<std::vector<GpuProcess>> Nvml::use(std::uint64_t sinceUs) const {
    if (m_functions->processUse == nullptr) {
        return std::nullopt;
    }
    unsigned count = 0;
    const Code asking = m_functions->processUse(m_device, nullptr, &count, sinceUs);
    if (asking != kInsufficientSize || count == 0) {
        return std::nullopt;  // also "not found": nothing was sampled
    }
    std::vector<ProcessSample> samples(count);
    if (m_functions->processUse(m_device, samples.data(), &count, sinceUs) != kSuccess) {
        return std::nullopt;
    }
    samples.resize(count);
    std::vector<GpuProcess> out;
    for (const auto& sample : samples) {
        out.push_back({sample.pid, static_cast<int>(sample.sm)});
    }
    return out;
}

std::vector<std::string> throttleNames(std::uint64_t bits) {
    // nvmlClocksEventReason…; 0x1 is an idle GPU, 0x2 and 0x100 clocks that somebody set.
    static constexpr std::array<std::pair<std::uint64_t, const char*>, 6> kReasons{{
        {0x4, "power cap"},
        {0x8, "hardware slowdown"},
        {0x10, "sync boost"},
        {0x20, "thermal slowdown (software)"},
        {0x40, "thermal slowdown (hardware)"},
        {0x80, "power brake"},
    }};
    std::vector<std::string> out;
    for (const auto& [bit, name] : kReasons) {
        if ((bits & bit) != 0) {
            out.emplace_back(name);
        }
    }
    return out;
}

}  // namespace pareto::runtime
