#pragma once

#include "engine/compress/matrix_math.h"

namespace pareto::jobs {

/// libtorch's matrix products and factors, on the pool's threads.
const compress::MatrixMath& torchMath();

}  // namespace pareto::jobs
