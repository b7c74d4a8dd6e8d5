#include "engine/compress/quantize/gptq.h"

#include "engine/compress/quantize/rtn.h"
#include "engine/compress/second_order.h"

namespace pareto::compress {

Result<Tensor> quantizeGptq(const Tensor& weight, const WeightFormat& format,
                            const GptqOptions& options, const InputStatistics& statistics,
                            const LayerContext& context) {
    if (!format.isInteger()) {
        return roundToNearest(weight, format, context.label, context.stop, context.parallel);
    }
    ColumnWork work;
    work.codes = format;
    work.keepZeros = options.keepZeros;
    work.actOrder = options.actOrder;
    work.staticGroups = options.staticGroups;
    work.blockSize = options.blockSize;
    work.damping = options.damping;
    return secondOrder(weight, work, statistics, context);
}

}  // namespace pareto::compress
