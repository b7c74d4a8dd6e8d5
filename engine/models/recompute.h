#pragma once

#include <functional>

namespace at {
class Tensor;
}

namespace pareto::models {

/// run(x), of which nothing is kept on the way: where gradients are asked for it is run again (Chen et al. 2016, arXiv
/// 1604.06174). Leaves that `run` multiplies with get their gradients as usual. What it draws from libtorch's generator
/// is drawn the same the second time.
at::Tensor recomputed(const at::Tensor& x, std::function<at::Tensor(const at::Tensor& x)> run);

}  // namespace pareto::models
