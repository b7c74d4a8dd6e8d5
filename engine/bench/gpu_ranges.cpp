#include "engine/bench/gpu_ranges.h"

#include <cstdlib>
#include <string_view>

#include <torch/csrc/profiler/stubs/base.h>

namespace pareto::bench {

namespace {

const torch::profiler::impl::ProfilerStubs& stubs() { return *torch::profiler::impl::cudaStubs(); }

}  // namespace

bool gpuRangesWanted() {
    const char* wanted = std::getenv("PARETO_NVTX");
    return wanted != nullptr && std::string_view(wanted) == "1" && stubs().enabled();
}

void pushGpuRange(const std::string& name) { stubs().rangePush(name.c_str()); }

void popGpuRange() { stubs().rangePop(); }

}  // namespace pareto::bench
