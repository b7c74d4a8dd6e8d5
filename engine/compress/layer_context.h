#pragma once

#include <stop_token>
#include <string>

#include "engine/compress/matrix_math.h"
#include "engine/core/error.h"
#include "engine/core/parallel.h"

namespace pareto::compress {

/// How a tensor is named in errors.
struct TensorLabel {
    std::string model;
    std::string tensor;
};

/// TensorValues with `count` values that are to blame (0: none alone, but what they make together).
Error badValues(const TensorLabel& label, std::int64_t count, std::string reason);

/// What a calibrated method needs beside its layer and its options. `math` outlives the call.
struct LayerContext {
    TensorLabel label;
    const MatrixMath* math = &plainMath();
    std::stop_token stop;
    ParallelFor parallel = serialFor;
};

}  // namespace pareto::compress
