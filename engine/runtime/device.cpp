#include "engine/runtime/device.h"

#include <dlfcn.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include <ATen/Context.h>

#include "engine/kernels/choose.h"
#include "engine/runtime/cuda_plugin.h"
#include "engine/runtime/failures.h"
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

/// "13.2" of the wheel's version.py → 13020; 0: a wheel without CUDA.
int wheelCuda() {
    const std::string text = PARETO_TORCH_CUDA;
    const auto dot = text.find('.');
    return text.empty()
               ? 0
               : 1000 * std::atoi(text.c_str()) +
                     (dot == std::string::npos ? 0 : 10 * std::atoi(text.c_str() + dot + 1));
}

/// What the driver sees and what libtorch's CUDA half, which is opened here, can do with it.
struct CudaState {
    CudaDriver driver;
    TorchCuda torch;
    std::optional<Error> problem;  ///< with {device} "cuda"
};

Error librariesMissing(const std::string& reason) {
    return makeError(ErrorCode::GpuLibrariesMissing, {{"device", "cuda"}, {"reason", reason}});
}

/// The program links the CPU half of libtorch alone; the CUDA half registers itself when opened.
std::optional<Error> openTorchCuda(CudaState& state) {
    if (state.torch.version == 0) {
        return librariesMissing("the torch package was built without CUDA");
    }
    if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
        const char* why = dlerror();
        return librariesMissing(why != nullptr ? why : "no reason given");
    }
    try {
        if (!at::globalContext().hasCUDA() || at::detail::getCUDAHooks().deviceCount() <= 0) {
            return makeError(
                ErrorCode::GpuDriverFailed,
                {{"device", "cuda"},
                 {"name", "for libtorch"},
                 {"reason", "the driver lists " + std::to_string(state.driver.gpus.size()) +
                                " GPUs, libtorch's CUDA runtime none"}});
        }
        state.torch = torchCudaOf(state.torch.version, at::detail::getCUDAHooks().showConfig());
    } catch (const std::exception& problem) {
        return asError("opening libtorch's CUDA libraries", problem);
    }
    return std::nullopt;
}

CudaState probeCuda() {
    CudaState state;
    state.driver = readCudaDriver();
    state.torch.version = wheelCuda();
    state.problem = driverProblem(state.driver, state.torch.version, "cuda");
    if (!state.problem) {
        state.problem = openTorchCuda(state);
    }
    return state;
}

const CudaState& cudaState() {
    static const CudaState state = probeCuda();
    return state;
}

Error about(const std::string& device, Error error) {
    if (error.args.contains("device")) {
        error.args["device"] = device;
    }
    return error;
}

Error unavailable(const std::string& name, const std::string& reason) {
    return makeError(ErrorCode::DeviceUnavailable, {{"device", name}, {"reason", reason}});
}

}  // namespace

int usableCores() {
    const int affinity = affinityCores();
    const int quota = quotaCores();
    return quota > 0 ? std::min(affinity, quota) : affinity;
}

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

Result<std::string> deviceOfRank(const std::string& name, int localRank, int processes, int gpus) {
    const int first = cudaIndex(name);
    if (first < 0) {
        return name;
    }
    if (const int last = first + processes - 1; last >= gpus) {
        return unavailable(name, std::to_string(processes) + " processes of this machine need a GPU each, cuda:" +
                                     std::to_string(first) + " to cuda:" + std::to_string(last) + ", and there " +
                                     (gpus == 1 ? "is one GPU" : "are " + std::to_string(gpus) + " GPUs"));
    }
    return "cuda:" + std::to_string(first + localRank);
}

const CudaDriver& cudaDriver() { return cudaState().driver; }

std::optional<Error> cudaProblem() { return cudaState().problem; }

std::optional<Error> cudaProblem(int index) {
    const auto& state = cudaState();
    const auto name = "cuda:" + std::to_string(index);
    if (state.problem) {
        return about(name, *state.problem);
    }
    const auto count = static_cast<int>(state.driver.gpus.size());
    if (index >= count) {
        return unavailable(
            name, count == 1 ? "there is one GPU, cuda:0"
                             : "there are " + std::to_string(count) + " GPUs, numbered from 0");
    }
    if (const auto reason = lostGpu(); !reason.empty()) {
        return makeError(ErrorCode::DeviceLost,
                         {{"device", name}, {"where", "an earlier job"}, {"reason", reason}});
    }
    return gpuProblem(state.driver.gpus[static_cast<std::size_t>(index)], state.torch, name);
}

Result<Device> openDevice(const std::string& name, int threads) {
    Device out;
    out.name = name.empty() ? "cpu" : name;
    PARETO_TRY(out.table, kernels::chooseTable());
    if (out.name != "cpu") {
        const int index = cudaIndex(out.name);
        if (index < 0) {
            return unavailable(out.name, "the devices are cpu and cuda:N");
        }
        if (auto problem = cudaProblem(index)) {
            return *problem;
        }
        out.cuda = true;
        out.index = index;
        out.capability = cudaDriver().gpus[static_cast<std::size_t>(index)].capability;
        out.name = "cuda:" + std::to_string(index);
        noteCudaDevice(index);
        auto plugin = cudaPluginFor(index);
        out.cudaTable = plugin.table;
        out.cudaTableProblem = std::move(plugin.problem);
    }
    out.threads = setPoolThreads(threads > 0 ? threads : usableCores());
    return out;
}

}  // namespace pareto::runtime
