#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/io/model_files.h"
#include "engine/models/model.h"
#include "engine/spec/resolve.h"
#include "engine/spec/target.h"
#include "engine/train/example.h"

namespace pareto::jobs {

/// Estimates of the memory that steps of a job will take beyond what the process holds already, so
/// that a job is refused with a sentence rather than killed by the system. They leave out what the
/// system can take back by itself: pages of mapped files.
std::uint64_t needToOpen(const io::ModelFiles& files, const ModelLayout& layout);

struct NeedOptions {
    bool compresses = false;   ///< the recipe is not empty
    bool baseline = false;     ///< the untouched model runs beside it
    models::CacheFormat cache = models::CacheFormat::F32;  ///< of keys and values
    std::optional<CalibrationSpec> calibration = {};       ///< texts run through the model while it is compressed
    bool gradients = false;                                ///< and are differentiated
    /// Tensors are read one at a time by so many processes, each of which holds its part: what this one needs. 0: the whole is
    /// opened and stands beside.
    int parts = 0;
};
/// What a cache for `sequences` sequences of `tokens` tokens holds, exactly.
std::uint64_t cacheBytes(const ModelLayout& layout, std::int64_t sequences, std::int64_t tokens,
                         models::CacheFormat format);
/// Compressing, packing and running.
std::uint64_t needToRun(const ModelLayout& original, const SizeEstimate& optimized,
                        const Target& target, const NeedOptions& options);

/// Training a model of that layout: values, gradients and moments, the best values, a teacher's values, and what one
/// batch leaves for its gradients. `teacher` may be null.
std::uint64_t needToTrain(const ModelLayout& layout, const RecoverSpec& spec, const train::TrainingData& data,
                          const LoadedModel* teacher);

/// MemoryShort when `need` is more than the process can still take; passes where that is not known.
Status checkMemory(const std::string& what, std::uint64_t need);

}  // namespace pareto::jobs
