#pragma once

#include "engine/compress/gradients.h"
#include "engine/jobs/run/model_cache.h"

namespace pareto::jobs {

/// Gradients as compression wants them: the opened model's tokenizer cuts the calibration's texts, a differentiable
/// copy of the model in fp32 runs on them, one at a time. Encoders and decoders; on the CPU.
compress::OpenWeightGradients weightGradientsOf(std::shared_ptr<const OpenedModel> opened, int threads);

}  // namespace pareto::jobs
