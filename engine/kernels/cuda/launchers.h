#pragma once

#include "engine/kernels/cuda/cuda_table.h"

/// The launchers of the table, see there.
namespace pareto::kernels::cuda {

int launchLayerNorm(const NormRows& work, void* stream);
int launchRmsNorm(const NormRows& work, void* stream);
int launchGateProduct(const GateProduct& work, void* stream);
int launchRope(const RopeRows& work, void* stream);
int launchLookup(const Lookup& work, void* stream);
int launchRoundRows(const RoundRows& work, void* stream);
int launchFinishProduct(const FinishProduct& work, void* stream);
int launchRowsProduct(const RowsProduct& work, void* stream);
int launchIntegerProduct(const IntegerProduct& work, void* stream);
int launchCacheAppend(const CacheAppend& work, void* stream);
int launchTokenAttention(const TokenAttention& work, void* stream);

const char* errorText(int error);
/// Whether the current device can run what was compiled; an error of errorText() else.
int kernelsRunHere();

}  // namespace pareto::kernels::cuda
