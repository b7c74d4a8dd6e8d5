#pragma once

#include "engine/kernels/kernel_table.h"

namespace pareto::kernels {

const KernelTable& referenceTable();
#if defined(PARETO_X86_KERNELS)
const KernelTable& avx2Table();
const KernelTable& avx512Table();
const KernelTable& avx512VnniTable();
const KernelTable& avx512Vbmi2Table();
const KernelTable& avx512Bf16Table();
#endif

}  // namespace pareto::kernels
