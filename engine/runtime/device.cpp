#include "engine/runtime/device.h"

#include <dlfcn.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include <ATen/Context.h>

#include "engine/kernels/choose.h"
#include "engine/runtime/cuda_plugin.h"
#include "engine/runtime/parallel.h"

namespace pareto::runtime {
namespace {

int affinityCores() {
    // Machines with more than 1024 logical processors need a larger set than cpu_set_t.
    for (int size = CPU_SETSIZE; size <= 1 << 16; size *= 4) {
        cpu_set_t* set = CPU_ALLOC(static_cast<std::size_t>(size));
        if (set == nullptr) {
            break;
        }
        const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(size));
        const bool ok = sched_getaffinity(0, bytes, set) == 0;
        const int count = ok ? CPU_COUNT_S(bytes, set) : 0;
        CPU_FREE(set);
        if (ok) {
            return std::max(count, 1);
        }
    }
    return 1;
}

/// Cores that `quota / period` allows, rounded up; 0 when there is no limit.
int coresOf(double quota, double period) {
    return quota > 0.0 && period > 0.0 ? static_cast<int>(std::ceil(quota / period)) : 0;
}

/// The cgroup's own limits as a container sees them, below the mount point.
int quotaCores() {
    std::ifstream v2("/sys/fs/cgroup/cpu.max");
    std::string quota;
    double period = 0.0;
    if (v2 >> quota >> period) {
        return quota == "max" ? 0 : coresOf(std::strtod(quota.c_str(), nullptr), period);
    }
    std::ifstream quotaV1("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
    std::ifstream periodV1("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    double quotaUs = -1.0;
    double periodUs = 0.0;
    if (quotaV1 >> quotaUs && periodV1 >> periodUs) {
        return coresOf(quotaUs, periodUs);
    }
    return 0;
}

struct CudaState {
    int devices = 0;
    std::string problem;
};

CudaState probeCuda() {
    CudaState out;
    // The program links the CPU half of libtorch alone; the CUDA half registers itself when opened.
    if (dlopen("libcuda.so.1", RTLD_LAZY | RTLD_GLOBAL) == nullptr) {
        out.problem = "no NVIDIA driver was found (libcuda.so.1)";
        return out;
    }
    if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
        const char* why = dlerror();
        out.problem = "libtorch's CUDA libraries are not installed";
        out.problem += why != nullptr ? " (" + std::string(why) + ")" : "";
        return out;
    }
    try {
        if (!at::globalContext().hasCUDA()) {
            out.problem = "the NVIDIA driver reports no device";
            return out;
        }
        out.devices = static_cast<int>(at::detail::getCUDAHooks().deviceCount());
        out.problem = out.devices > 0 ? "" : "the NVIDIA driver reports no device";
    } catch (const std::exception& problem) {
        out.problem = problem.what();
    }
    return out;
}

const CudaState& cudaState() {
    static const CudaState state = probeCuda();
    return state;
}

Error unavailable(const std::string& name, const std::string& reason) {
    return makeError(ErrorCode::DeviceUnavailable, {{"device", name}, {"reason", reason}});
}

/// "cuda" is "cuda:0"; -1 when the name is not one of a CUDA device.
int cudaIndex(const std::string& name) {
    if (name == "cuda") {
        return 0;
    }
    const std::string prefix = "cuda:";
    const bool digits = name.size() > prefix.size() && name.size() < prefix.size() + 4 &&
                        name.compare(0, prefix.size(), prefix) == 0 &&
                        name.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
    return digits ? std::stoi(name.substr(prefix.size())) : -1;
}

}  // namespace

int usableCores() {
    const int affinity = affinityCores();
    const int quota = quotaCores();
    return quota > 0 ? std::min(affinity, quota) : affinity;
}

std::string cudaProblem() { return cudaState().problem; }

int cudaDeviceCount() { return cudaState().devices; }

Result<Device> openDevice(const std::string& name, int threads) {
    Device out;
    out.name = name.empty() ? "cpu" : name;
    PARETO_TRY(out.table, kernels::chooseTable());
    if (out.name != "cpu") {
        const int index = cudaIndex(out.name);
        if (index < 0) {
            return unavailable(out.name, "the devices are cpu and cuda:N");
        }
        if (!cudaProblem().empty()) {
            return unavailable(out.name, cudaProblem());
        }
        if (index >= cudaDeviceCount()) {
            return unavailable(out.name, "there are " + std::to_string(cudaDeviceCount()) +
                                             " CUDA devices, numbered from 0");
        }
        out.cuda = true;
        out.index = index;
        out.name = "cuda:" + std::to_string(index);
        auto plugin = cudaPluginFor(index);
        out.cudaTable = plugin.table;
        out.cudaTableProblem = std::move(plugin.problem);
    }
    out.threads = setPoolThreads(threads > 0 ? threads : usableCores());
    return out;
}

}  // namespace pareto::runtime
