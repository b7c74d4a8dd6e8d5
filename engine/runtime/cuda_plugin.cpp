#include "engine/runtime/cuda_plugin.h"

#include <cstdlib>
#include <filesystem>

#include "engine/runtime/library_function.h"

namespace pareto::runtime {
namespace {

const char* const kFileName = "libpareto_cuda.so";

CudaPlugin refused(const std::string& problem) { return {nullptr, problem}; }

CudaPlugin firstPlugin() {
    const auto places = cudaPluginPlaces();
    std::string looked;
    for (const auto& place : places) {
        std::error_code failed;
        if (std::filesystem::exists(place, failed)) {
            return openCudaPlugin(place);
        }
        looked += (looked.empty() ? "" : ", ") + place;
    }
    return refused("there is no " + std::string(kFileName) + " (looked for: " + looked +
                   "); a build with the CUDA toolkit makes it");
}

const CudaPlugin& plugin() {
    static const CudaPlugin found = firstPlugin();
    return found;
}

}  // namespace

CudaPlugin openCudaPlugin(const std::string& path) {
    // Never closed: tables point into it.
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const char* why = dlerror();
        return refused(path + " cannot be loaded" +
                       (why != nullptr ? " (" + std::string(why) + ")" : ""));
    }
    kernels::cuda::TableEntry entry = nullptr;
    if (!takeFunction(library, "pareto_cuda_table", entry)) {
        return refused(path + " is no plugin of this program: it has no pareto_cuda_table");
    }
    const auto* table = entry(kernels::cuda::kAbi);
    if (table == nullptr || table->abi != kernels::cuda::kAbi) {
        return refused(path +
                       " belongs to another version of this program (its table is not version " +
                       std::to_string(kernels::cuda::kAbi) + "); build both together");
    }
    return {table, ""};
}

std::vector<std::string> cudaPluginPlaces() {
    const char* wanted = std::getenv("PARETO_CUDA_PLUGIN");
    if (wanted != nullptr && *wanted != '\0') {
        return {wanted};
    }
    std::error_code failed;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
    if (failed) {
        return {};
    }
    const auto folder = program.parent_path();
    return {folder / kFileName, folder.parent_path() / "lib" / kFileName};
}

CudaPlugin cudaPluginFor(int device) {
    CudaPlugin out = plugin();
    kernels::cuda::Reason reason;
    if (out.table != nullptr && !out.table->runsOn(device, &reason)) {
        return refused("its kernels do not run on this device (" + std::string(reason.text) + ")");
    }
    return out;
}

}  // namespace pareto::runtime
