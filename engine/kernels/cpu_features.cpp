#include "engine/kernels/cpu_features.h"

namespace pareto::kernels {
namespace {

// __builtin_cpu_supports looks at CPUID and at XGETBV: a feature whose registers the system does
// not save is reported as absent.
CpuFeatures detect() {
    CpuFeatures out;
#if defined(__x86_64__)
    __builtin_cpu_init();
    out.avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
               __builtin_cpu_supports("f16c") != 0;
    out.avx512 = out.avx2 && __builtin_cpu_supports("avx512f") != 0 &&
                 __builtin_cpu_supports("avx512bw") != 0 &&
                 __builtin_cpu_supports("avx512dq") != 0 &&
                 __builtin_cpu_supports("avx512vl") != 0;
    out.avx512Vnni = out.avx512 && __builtin_cpu_supports("avx512vnni") != 0;
    out.avx512Vbmi2 = out.avx512Vnni && __builtin_cpu_supports("avx512vbmi2") != 0;
    out.avx512Bf16 = out.avx512Vbmi2 && __builtin_cpu_supports("avx512bf16") != 0;
#endif
    return out;
}

}  // namespace

const CpuFeatures& cpuFeatures() {
    static const CpuFeatures features = detect();
    return features;
}

}  // namespace pareto::kernels
