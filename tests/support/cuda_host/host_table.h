#pragma once

#include "engine/kernels/cuda/cuda_table.h"

namespace pareto::test {

/// The bodies of the CUDA kernels, run on the CPU lane by lane. It records no graphs.
const kernels::cuda::Table& hostCudaTable();

}  // namespace pareto::test
