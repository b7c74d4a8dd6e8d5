#pragma once

#include "engine/kernels/kernel_table.h"

namespace pareto::kernels {

// Integer products; see KernelTable::int8Gemm. Each is compiled for the instructions it is named after.
void int8GemmAvx2(const Int8Gemm& work, std::int64_t panelBegin, std::int64_t panelEnd);
void int8GemmVnni(const Int8Gemm& work, std::int64_t panelBegin, std::int64_t panelEnd);

}  // namespace pareto::kernels
