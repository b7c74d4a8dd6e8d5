#include "engine/compress/quantize/rtn.h"

#include <atomic>
#include <cmath>
#include <limits>

#include "engine/weights/quantize.h"

namespace pareto::compress {

namespace {

constexpr std::int64_t kGrainValues = 1 << 18;
/// From here on values round to infinity in binary16 (65504 + half a step).
constexpr float kHalfOverflow = 65520.0F;

std::int64_t countBeyond(std::span<const float> values, float limit, const ParallelFor& parallel) {
    std::atomic<std::int64_t> beyond{0};
    parallel(static_cast<std::int64_t>(values.size()), kGrainValues,
             [&](std::int64_t begin, std::int64_t end) {
                 std::int64_t part = 0;
                 for (std::int64_t at = begin; at < end; ++at) {
                     // NaN compares false with everything.
                     part += std::fabs(values[static_cast<std::size_t>(at)]) < limit ? 0 : 1;
                 }
                 beyond.fetch_add(part, std::memory_order_relaxed);
             });
    return beyond.load();
}

}  // namespace

Status checkFits(std::span<const float> values, NumberFormat format, const TensorLabel& label,
                 const ParallelFor& parallel) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    if (const auto bad = countBeyond(values, kInfinity, parallel); bad != 0) {
        return badValues(label, bad, "no recipe step can work with them");
    }
    if (format >= NumberFormat::F8) {
        // The lowest code stands for up to 2^b / (2^b − 1) of the largest magnitude, which must be finite.
        const float limit = bitsOf(format) < 4 ? 0x1.7p127F : 0x1.Ep127F;
        if (const auto bad = countBeyond(values, limit, parallel); bad != 0) {
            return badValues(label, bad, "they are beyond what codes with fp32 scales can say");
        }
    }
    if (format == NumberFormat::F16) {
        if (const auto bad = countBeyond(values, kHalfOverflow, parallel); bad != 0) {
            return badValues(label, bad, "fp16 ends at 65504; use bf16 for this layer");
        }
    }
    if (format == NumberFormat::BF16) {
        // Values above the largest bf16 by half a step or more.
        if (const auto bad = countBeyond(values, 0x1.FFp127F, parallel); bad != 0) {
            return badValues(label, bad, "they are beyond the range of bf16");
        }
    }
    return Done{};
}

Result<Tensor> roundToNearest(const Tensor& weight, const WeightFormat& format,
                              const TensorLabel& label, std::stop_token stop,
                              const ParallelFor& parallel) {
    std::vector<float> own;
    std::span<const float> values;
    if (weight.isDense() && weight.dense().dtype == DType::F32) {
        values = weight.dense().values.as<float>();
    } else {
        own = dequantize(weight, parallel);
        values = own;
    }
    PARETO_CHECK(checkFits(values, format.format, label, parallel));
    return quantizeMatrix({values, weight.shape[0], weight.shape[1]}, format, std::move(stop),
                          parallel);
}

Status checkFinite(const Tensor& weight, const TensorLabel& label, const ParallelFor& parallel) {
    if (weight.isDense() && weight.dense().dtype == DType::F32) {
        return checkFits(weight.dense().values.as<float>(), NumberFormat::F32, label, parallel);
    }
    return checkFits(dequantize(weight, parallel), NumberFormat::F32, label, parallel);
}

}  // namespace pareto::compress
