#pragma once

#include "engine/compress/calibration.h"
#include "engine/jobs/run/model_cache.h"
#include "engine/models/state_store.h"

namespace pareto::jobs {

using models::kStateBytes;

/// Calibration as compression wants it: the opened model's tokenizer cuts the texts, its blocks run on them.
/// Hidden states beyond `memoryLimit` bytes lie in a file that nobody sees. Encoders and decoders; on the CPU.
compress::OpenBlockInputs blockInputsOf(std::shared_ptr<const OpenedModel> opened, int threads,
                                        std::uint64_t memoryLimit = kStateBytes);

}  // namespace pareto::jobs
