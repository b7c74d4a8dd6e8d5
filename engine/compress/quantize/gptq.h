#pragma once

#include "engine/compress/input_statistics.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

struct GptqOptions {
    std::int64_t blockSize = 128;  ///< columns between two updates of the rest; only speed
    double damping = 0.01;         ///< of the mean of H's diagonal
    /// Columns by falling mean square of their inputs. Our storage keeps groups of neighbouring
    /// columns, so that with granularity Group this implies staticGroups.
    bool actOrder = false;
    bool staticGroups = false;  ///< a group's step from the weights as they came
    bool keepZeros = true;      ///< what pruning removed before stays zero
};

/// GPTQ (Frantar et al. 2022, arXiv 2210.17323): rounds `weight` [rows][cols] to the codes of `format`
/// column by column and lets the columns still to come make up for each error, as the inputs'
/// `statistics.hessian` says; second_order.h has the particulars. Scales, zero points, ranges and
/// layout are those of quantizeMatrix. Where H is diagonal it is round-to-nearest to the bit; formats
/// without codes are round-to-nearest always. The same bytes for any way `parallel` cuts the work.
/// TensorShape, TensorValues.
Result<Tensor> quantizeGptq(const Tensor& weight, const WeightFormat& format,
                            const GptqOptions& options, const InputStatistics& statistics,
                            const LayerContext& context);

}  // namespace pareto::compress
