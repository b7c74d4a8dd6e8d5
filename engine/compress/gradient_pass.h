#pragma once

#include <span>

#include "engine/compress/gradients.h"
#include "engine/compress/pipeline.h"
#include "engine/compress/prune/structure.h"

namespace pareto::compress {

/// Taylor importance of the units of groups (Molchanov et al. 2019, arXiv 1906.10771; for heads Michel et al. 2019):
/// the mean over samples of (Σ g·w)², summed over the output layer's columns of a unit, which is the squared change
/// of the loss to first order when the unit goes. TensorValues when a gradient is not finite.
Result<UnitImportance> taylorImportance(const LoadedModel& model, std::span<const int> groups,
                                        WeightGradients& gradients, Progress& progress, std::stop_token stop);

/// Bytes of Fisher information held at once.
constexpr std::uint64_t kFisherBytes = std::uint64_t{2} << 30;

/// Prunes `layers` (indices, with their plans in `resolved`) by their Fisher information, in `recomputations` + 1
/// rounds of rising sparsity with the information found anew for each, as far as `memoryLimit` bytes hold it at once:
/// beyond that in several passes over the samples. N:M has one round. What pruneByFisher says.
Status pruneByGradients(LoadedModel& model, std::span<const int> layers, const ResolvedRecipe& resolved,
                        WeightGradients& gradients, Progress& progress, std::stop_token stop,
                        const CompressTools& tools, std::uint64_t memoryLimit = kFisherBytes);

}  // namespace pareto::compress
