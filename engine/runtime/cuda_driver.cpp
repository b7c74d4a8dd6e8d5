#include "engine/runtime/cuda_driver.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/runtime/library_function.h"

namespace pareto::runtime {

namespace {

// cuda.h is not needed to build: the names and numbers of these few calls have been fixed since CUDA 9.
using Code = int;  // CUresult
using Gpu = int;   // CUdevice
struct Uuid {
    unsigned char bytes[16];
};
constexpr Code kSuccess = 0;
constexpr Code kNoDevice = 100;
constexpr int kCapabilityMajor = 75;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
constexpr int kCapabilityMinor = 76;

/// The library stays open: CUDA does not survive being closed.
struct Library {
    Code (*init)(unsigned) = nullptr;
    Code (*driverVersion)(int*) = nullptr;
    Code (*deviceCount)(int*) = nullptr;
    Code (*device)(Gpu*, int) = nullptr;
    Code (*deviceName)(char*, int, Gpu) = nullptr;
    Code (*attribute)(int*, int, Gpu) = nullptr;
    Code (*totalMemory)(std::size_t*, Gpu) = nullptr;
    // May be absent.
    Code (*uuid)(Uuid*, Gpu) = nullptr;
    Code (*pciId)(char*, int, Gpu) = nullptr;
    Code (*errorName)(Code, const char**) = nullptr;
    Code (*errorText)(Code, const char**) = nullptr;
};

/// Empty when all that is needed is there, else the name of what is not.
std::string fill(void* opened, Library& library) {
    const auto need = [&](const char* name, auto& function) {
        return takeFunction(opened, name, function) ? std::string() : std::string(name);
    };
    for (const auto& missing :
         {need("cuInit", library.init), need("cuDriverGetVersion", library.driverVersion),
          need("cuDeviceGetCount", library.deviceCount), need("cuDeviceGet", library.device),
          need("cuDeviceGetName", library.deviceName),
          need("cuDeviceGetAttribute", library.attribute),
          need("cuDeviceTotalMem_v2", library.totalMemory)}) {
        if (!missing.empty()) {
            return missing;
        }
    }
    // The second form names the instance where a GPU is divided (MIG).
    if (!takeFunction(opened, "cuDeviceGetUuid_v2", library.uuid)) {
        takeFunction(opened, "cuDeviceGetUuid", library.uuid);
    }
    takeFunction(opened, "cuDeviceGetPCIBusId", library.pciId);
    takeFunction(opened, "cuGetErrorName", library.errorName);
    takeFunction(opened, "cuGetErrorString", library.errorText);
    return {};
}

void noteFailure(CudaDriver& driver, const Library& library, Code error) {
    const char* text = nullptr;
    driver.state = CudaDriver::State::Failed;
    driver.error = error;
    driver.errorName = "error " + std::to_string(error);
    if (library.errorName != nullptr && library.errorName(error, &text) == kSuccess &&
        text != nullptr) {
        driver.errorName = text;
    }
    if (library.errorText != nullptr && library.errorText(error, &text) == kSuccess &&
        text != nullptr) {
        driver.errorText = text;
    }
}

std::string uuidText(const Uuid& uuid) {
    std::string text = "GPU-";
    for (int i = 0; i < 16; ++i) {
        std::array<char, 3> hex{};
        std::snprintf(hex.data(), hex.size(), "%02x", uuid.bytes[i]);
        text += i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "";
        text += hex.data();
    }
    return text;
}

/// Success, or the error of the first call that a GPU's facts need.
Code readGpu(const Library& library, int index, GpuFacts& gpu) {
    Gpu device = 0;
    std::array<char, 256> text{};
    int major = 0;
    int minor = 0;
    std::size_t bytes = 0;
    for (const auto& call : std::initializer_list<Code>{
             library.device(&device, index),
             library.deviceName(text.data(), static_cast<int>(text.size()) - 1, device),
             library.attribute(&major, kCapabilityMajor, device),
             library.attribute(&minor, kCapabilityMinor, device),
             library.totalMemory(&bytes, device)}) {
        if (call != kSuccess) {
            return call;
        }
    }
    gpu.name = text.data();
    gpu.capability = 10 * major + minor;
    gpu.memoryBytes = bytes;
    Uuid uuid{};
    if (library.uuid != nullptr && library.uuid(&uuid, device) == kSuccess) {
        gpu.uuid = uuidText(uuid);
    }
    text.fill('\0');
    if (library.pciId != nullptr &&
        library.pciId(text.data(), static_cast<int>(text.size()) - 1, device) == kSuccess) {
        gpu.pciId = text.data();
    }
    return kSuccess;
}

void readLibrary(const std::string& name, CudaDriver& driver) {
    void* opened = dlopen(name.c_str(), RTLD_LAZY | RTLD_GLOBAL);
    if (opened == nullptr) {
        const char* why = dlerror();
        driver.errorText = why != nullptr ? why : "";
        return;
    }
    Library library;
    if (const auto missing = fill(opened, library); !missing.empty()) {
        driver.state = CudaDriver::State::Failed;
        driver.errorName = "an incomplete library";
        driver.errorText = name + " has no function " + missing;
        return;
    }
    int version = 0;
    if (library.driverVersion(&version) == kSuccess) {
        driver.version = version;
    }
    int count = 0;
    Code result = library.init(0);
    if (result == kSuccess) {
        result = library.deviceCount(&count);
    }
    if (result == kNoDevice || (result == kSuccess && count <= 0)) {
        driver.state = CudaDriver::State::NoGpu;
        return;
    }
    driver.gpus.resize(static_cast<std::size_t>(std::max(count, 0)));
    for (int i = 0; i < count && result == kSuccess; ++i) {
        result = readGpu(library, i, driver.gpus[static_cast<std::size_t>(i)]);
    }
    if (result != kSuccess) {
        driver.gpus.clear();
        noteFailure(driver, library, result);
        return;
    }
    driver.state = CudaDriver::State::Ready;
}

/// "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Tue …" → "580.95.05".
std::string releaseIn(const std::string& file) {
    std::ifstream stream(file);
    std::string line;
    std::getline(stream, line);
    std::istringstream words(line);
    for (std::string word; words >> word;) {
        const bool digits = word.find_first_not_of("0123456789.") == std::string::npos;
        if (digits && word.find('.') != std::string::npos && std::isdigit(word.front()) != 0) {
            return word;
        }
    }
    return {};
}

int gpusIn(const std::string& folder) {
    std::error_code problem;
    std::filesystem::directory_iterator entries(folder, problem);
    if (problem) {
        return -1;
    }
    return static_cast<int>(std::distance(begin(entries), end(entries)));
}

/// The first release of the driver that knows a major version of CUDA (CUDA release notes, "CUDA Toolkit and
/// Corresponding Driver Versions"); within a major version older drivers do.
std::string releaseFor(int major) {
    switch (major) {
    case 11:
        return "450";
    case 12:
        return "525";
    case 13:
        return "580";
    default:
        return "one that knows CUDA " + std::to_string(major);
    }
}

/// What to do about the failures that people meet.
std::string adviceFor(int error) {
    switch (error) {
    case 34:
        return "the library is the toolkit's stub, not a driver; take its folder out of "
               "LD_LIBRARY_PATH";
    case 46:
        return "another process may hold the GPU in exclusive mode";
    case 304:
        return "the system refuses access to it; in a container, start it with its GPUs";
    case 802:
        return "the machine's GPUs are not ready yet; is the fabric manager running?";
    case 803:
        return "driver and kernel module differ; restart the machine";
    case 804:
        return "a compatibility package is in use that this GPU does not take; remove it";
    case 999:
        return "is the module nvidia_uvm loaded and /dev/nvidia-uvm there?";
    default:
        return {};
    }
}

std::string failureText(const CudaDriver& driver) {
    std::string text = driver.errorText.empty() ? "it gives no reason" : driver.errorText;
    const auto advice = adviceFor(driver.error);
    return advice.empty() ? text : text + "; " + advice;
}

std::string listText(std::vector<int> capabilities) {
    std::sort(capabilities.begin(), capabilities.end());
    std::string text;
    for (const int one : capabilities) {
        text += (text.empty() ? "sm_" : ", sm_") + std::to_string(one);
    }
    return text;
}

/// The numbers behind every `key` in the text.
std::vector<int> numbersBehind(const std::string& text, const std::string& key) {
    std::vector<int> out;
    for (auto at = text.find(key); at != std::string::npos; at = text.find(key, at + 1)) {
        const int number = std::atoi(text.c_str() + at + key.size());
        if (number > 0 && std::find(out.begin(), out.end(), number) == out.end()) {
            out.push_back(number);
        }
    }
    return out;
}

}  // namespace

CudaDriver readCudaDriver(const CudaPlaces& places) {
    CudaDriver driver;
    if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) {
        driver.visibleDevices = visible;
    }
    driver.release = releaseIn(places.moduleFolder + "/version");
    driver.installedGpus = gpusIn(places.moduleFolder + "/gpus");
    readLibrary(places.library, driver);
    return driver;
}

std::string cudaVersionText(int version) {
    return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

TorchCuda torchCudaOf(int version, const std::string& compilerFlags) {
    return {version, numbersBehind(compilerFlags, "code=sm_"),
            numbersBehind(compilerFlags, "code=compute_")};
}

std::optional<Error> driverProblem(const CudaDriver& driver, int torchCuda,
                                   const std::string& device) {
    using State = CudaDriver::State;
    if (driver.state == State::Missing) {
        return makeError(ErrorCode::GpuDriverMissing, {{"device", device}}, driver.errorText);
    }
    // Before what it sees: a driver that is too old may not see GPUs newer than itself.
    if (torchCuda > 0 && driver.version > 0 && driver.version / 1000 < torchCuda / 1000) {
        return makeError(ErrorCode::GpuDriverOld,
                         {{"device", device},
                          {"release", driver.release.empty() ? "here" : driver.release},
                          {"found", cudaVersionText(driver.version)},
                          {"needed", cudaVersionText(torchCuda / 1000 * 1000)},
                          {"update", releaseFor(torchCuda / 1000)}});
    }
    if (driver.state == State::Failed) {
        return makeError(
            ErrorCode::GpuDriverFailed,
            {{"device", device}, {"name", driver.errorName}, {"reason", failureText(driver)}});
    }
    if (driver.state == State::NoGpu && driver.visibleDevices) {
        const bool known = driver.installedGpus >= 0;
        return makeError(
            ErrorCode::GpuHidden,
            {{"device", device},
             {"value", *driver.visibleDevices},
             {"count", known ? std::to_string(driver.installedGpus) : "an unknown number of"}});
    }
    if (driver.state == State::NoGpu) {
        return makeError(ErrorCode::GpuNone, {{"device", device}});
    }
    return std::nullopt;
}

std::optional<Error> gpuProblem(const GpuFacts& gpu, const TorchCuda& torch,
                                const std::string& device) {
    const auto runs = [&](int binary) {
        return binary / 10 == gpu.capability / 10 && binary <= gpu.capability;
    };
    const auto translates = [&](int portable) { return portable <= gpu.capability; };
    const bool known = !torch.binaries.empty() || !torch.portable.empty();
    if (!known || std::any_of(torch.binaries.begin(), torch.binaries.end(), runs) ||
        std::any_of(torch.portable.begin(), torch.portable.end(), translates)) {
        return std::nullopt;
    }
    auto all = torch.binaries;
    all.insert(all.end(), torch.portable.begin(), torch.portable.end());
    return makeError(ErrorCode::GpuUnsupported,
                     {{"device", device},
                      {"name", gpu.name},
                      {"capability", "sm_" + std::to_string(gpu.capability)},
                      {"known", listText(std::move(all))}});
}

std::string deviceLine(int index, const GpuFacts& gpu) {
    std::array<char, 64> memory{};
    std::snprintf(memory.data(), memory.size(), "%.1f GB",
                  static_cast<double>(gpu.memoryBytes) / 1e9);
    return "cuda:" + std::to_string(index) + " " + gpu.name + " (sm_" +
           std::to_string(gpu.capability) + ", " + memory.data() + ")";
}

}  // namespace pareto::runtime
