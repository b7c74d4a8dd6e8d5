#include "engine/compress/scaled_error.h"

#include <algorithm>

#include "engine/compress/quantize/rtn.h"

namespace pareto::compress {

Result<ScaledError> scaledError(const Tensor& weight, std::span<const float> scales,
                                const WeightFormat& format, const InputStatistics& statistics,
                                const LayerContext& context) {
    const std::vector<float> values = dequantize(weight, context.parallel);
    const std::size_t cols = scales.size();
    std::vector<float> scaled(values.size());
    for (std::size_t row = 0; row < values.size(); row += cols) {
        std::transform(scales.begin(), scales.end(), values.begin() + row, scaled.begin() + row,
                       [](float scale, float value) { return value * scale; });
    }
    PARETO_TRY(const Tensor rounded, roundToNearest(denseTensor(weight.shape, scaled), format,
                                                    context.label, context.stop, context.parallel));
    scaled = dequantize(rounded, context.parallel);
    ScaledError out;
    out.columnEnergy.resize(cols);
    for (std::size_t row = 0; row < scaled.size(); row += cols) {
        float* held = scaled.data() + row;
        for (std::size_t col = 0; col < cols; ++col) {
            out.columnEnergy[col] += static_cast<double>(held[col]) * held[col];
            held[col] /= scales[col];
        }
    }
    out.output = outputError(values, scaled, statistics, context);
    return out;
}

}  // namespace pareto::compress
