#pragma once

namespace pareto::kernels {

/// What the processor has and the operating system saves.
struct CpuFeatures {
    bool avx2 = false;        ///< AVX2, FMA, F16C
    bool avx512 = false;      ///< AVX-512 F, BW, DQ, VL beside avx2
    bool avx512Vnni = false;
    bool avx512Vbmi2 = false;  ///< with VNNI: Ice Lake, Zen 4 and newer
    bool avx512Bf16 = false;   ///< with VBMI2: Zen 4, Sapphire Rapids and newer
};

/// Asks the processor once. Compiled without instruction-set flags: it must run anywhere.
const CpuFeatures& cpuFeatures();

}  // namespace pareto::kernels
