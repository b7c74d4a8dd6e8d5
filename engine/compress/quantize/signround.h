#pragma once

#include "engine/compress/input_statistics.h"
#include "engine/weights/tensor.h"

namespace pareto::compress {

struct SignRoundOptions {
    int steps = 200;
    bool keepZeros = true;  ///< what pruning removed before stays zero
};

/// SignRound (Cheng et al. 2023, arXiv 2309.05516): rounds `weight` [rows][cols] to the codes of the integer
/// `format` as
///   code = round(clamp(w / scale + zero + v)),
/// with an offset v of −½ … ½ for each weight and factors α, β of ½ … 1 for the upper and the lower end of
/// each scale's range (one for both where it is symmetric). All are trained by signed gradients, `steps`
/// of them, each of length 1 / steps falling linearly to nothing; rounding passes gradients straight
/// through, clamping none but to the ends of the range.
///
/// The authors run samples through a block; here the loss is tr(E·H·Eᵀ), E = Ŵ − W, the same mean squared
/// error of this linear's output over all calibration tokens, from the Hessian alone. H is not damped.
///
/// It starts at round-to-nearest, ranges by the format's method, and the best step met is kept, for each
/// row by itself (for the whole with granularity Tensor): never worse than round-to-nearest in that loss.
/// Offsets of inputs that were always zero do not move. Formats without integer codes are
/// round-to-nearest always.
///
/// A step costs one product of W's shape with H. The same bytes for any way `parallel` cuts the work. Looks
/// at the stop token a step. Needs the Hessian. TensorShape, TensorValues.
Result<Tensor> quantizeSignRound(const Tensor& weight, const WeightFormat& format,
                                 const SignRoundOptions& options, const InputStatistics& statistics,
                                 const LayerContext& context);

}  // namespace pareto::compress
