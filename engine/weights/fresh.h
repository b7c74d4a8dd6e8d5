#pragma once

#include <cstdint>

#include "engine/weights/tensor.h"

namespace pareto {

/// The model's shapes with weights as an untrained model has them: matrices from N(0, 0.02), as transformers' BERT and
/// Llama begin, weights of norms 1, biases and other vectors 0. Each tensor is drawn from RandomStream(seed,
/// "fresh.<tensor>"): the same seed gives the same bytes. All are fp32.
LoadedModel withFreshWeights(const LoadedModel& model, std::uint64_t seed);

}  // namespace pareto
