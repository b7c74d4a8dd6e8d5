#include "engine/compress/prune/sparsegpt.h"

#include "engine/compress/second_order.h"

namespace pareto::compress {

Result<Tensor> pruneSparseGpt(const Tensor& weight, const SparseGptOptions& options,
                              const InputStatistics& statistics, const LayerContext& context) {
    ColumnWork work;
    work.pattern = options.pattern;
    work.codes = options.codes;
    work.blockSize = options.blockSize;
    work.damping = options.damping;
    return secondOrder(weight, work, statistics, context);
}

}  // namespace pareto::compress
