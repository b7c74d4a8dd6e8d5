// A libcuda.so.1 that says what a test tells it: tests of how the driver is read and what is said about it, not of a
// GPU. It computes nothing. The environment:
//   FAKE_CUDA_INIT=803          what cuInit answers
//   FAKE_CUDA_VERSION=13000     what cuDriverGetVersion says
//   FAKE_CUDA_GPUS=name,90,85000000000;…   its GPUs
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

namespace {

struct Gpu {
    std::string name;
    int capability = 0;
    unsigned long long bytes = 0;
};

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

int number(const char* name) { return std::atoi(variable(name).c_str()); }

std::vector<Gpu> gpus() {
    const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
    std::vector<Gpu> out;
    if (visible != nullptr && (*visible == '\0' || *visible == '-')) {
        return out;
    }
    std::istringstream list(variable("FAKE_CUDA_GPUS"));
    for (std::string entry; std::getline(list, entry, ';');) {
        std::istringstream fields(entry);
        Gpu gpu;
        std::string capability, bytes;
        std::getline(fields, gpu.name, ',');
        std::getline(fields, capability, ',');
        std::getline(fields, bytes, ',');
        gpu.capability = std::atoi(capability.c_str());
        gpu.bytes = std::strtoull(bytes.c_str(), nullptr, 10);
        out.push_back(gpu);
    }
    return out;
}

constexpr int kNoDevice = 100;
constexpr int kInvalidDevice = 101;

bool there(int device) { return device >= 0 && device < static_cast<int>(gpus().size()); }

}  // namespace

extern "C" {

int cuInit(unsigned) {
    const int wanted = number("FAKE_CUDA_INIT");
    return wanted != 0 ? wanted : gpus().empty() ? kNoDevice : 0;
}
int cuDriverGetVersion(int* version) {
    *version = number("FAKE_CUDA_VERSION");
    return 0;
}
int cuDeviceGetCount(int* count) {
    *count = static_cast<int>(gpus().size());
    return 0;
}
int cuDeviceGet(int* device, int ordinal) {
    *device = ordinal;
    return there(ordinal) ? 0 : kInvalidDevice;
}
int cuDeviceGetName(char* name, int length, int device) {
    if (!there(device)) {
        return kInvalidDevice;
    }
    std::snprintf(name, static_cast<std::size_t>(length), "%s",
                  gpus()[static_cast<std::size_t>(device)].name.c_str());
    return 0;
}
int cuDeviceGetAttribute(int* value, int attribute, int device) {
    if (!there(device)) {
        return kInvalidDevice;
    }
    const int capability = gpus()[static_cast<std::size_t>(device)].capability;
    *value = attribute == 75 ? capability / 10 : attribute == 76 ? capability % 10 : 0;
    return 0;
}
int cuDeviceTotalMem_v2(std::size_t* bytes, int device) {
    *bytes = there(device) ? gpus()[static_cast<std::size_t>(device)].bytes : 0;
    return there(device) ? 0 : kInvalidDevice;
}
int cuDeviceGetUuid_v2(unsigned char* uuid, int device) {
    for (int i = 0; i < 16; ++i) {
        uuid[i] = static_cast<unsigned char>(16 * device + i);
    }
    return 0;
}
int cuDeviceGetPCIBusId(char* id, int length, int device) {
    std::snprintf(id, static_cast<std::size_t>(length), "0000:%02X:00.0", device + 1);
    return 0;
}
int cuGetErrorName(int error, const char** name) {
    *name = error == 803   ? "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"
            : error == 999 ? "CUDA_ERROR_UNKNOWN"
                           : nullptr;
    return *name != nullptr ? 0 : 1;
}
int cuGetErrorString(int error, const char** text) {
    *text = error == 803   ? "system has unsupported display driver / cuda driver combination"
            : error == 999 ? "unknown error"
                           : nullptr;
    return *text != nullptr ? 0 : 1;
}

}  // extern "C"
