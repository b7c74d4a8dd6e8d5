#pragma once

#include <algorithm>
#include <bit>
#include <vector>

#include "engine/weights/quantize.h"

/// The grid of codes that round-to-nearest and the methods with error feedback share. Internal to
/// engine/weights, engine/compress and engine/runtime.
namespace pareto::rounding {

/// The codes of a format that has them.
struct Codes {
    float low = -128.0F;
    float high = 127.0F;
    float steps = 255.0F;   ///< 2^b − 1; F8: twice its largest number
    bool floating = false;  ///< F8: codes are E4M3's numbers
};

Codes codesOf(NumberFormat format);

/// value = scale · (code − zero)
struct Step {
    float scale = 1.0F;
    float zero = 0.0F;
};

/// To the nearest integer, ties to even, for |value| < 2^22: what adding and taking away 1.5·2^23
/// leaves in fp32. Unlike std::nearbyint it vectorizes without SSE4.1.
inline float roundToEven(float value) {
    constexpr float kMagic = 12582912.0F;
    return (value + kMagic) - kMagic;
}

/// To the nearest number of E4M3, ties to even, for |value| ≤ 448: three bits behind the first, and steps of
/// 2^−9 below 2^−6.
inline float roundToFloat8(float value) {
    constexpr std::uint32_t kSmallest = (127U - 6U) << 23;
    const std::uint32_t exponent = std::max(std::bit_cast<std::uint32_t>(value) & 0x7F800000U, kSmallest);
    const float magic = std::bit_cast<float>((exponent + (20U << 23)) | 0x400000U);  // 1.5·2^23 steps
    return (value + magic) - magic;
}

/// `value` is finite. Integers, or E4M3's numbers.
template <bool kFloating = false>
inline float codeOf(float value, const Step& step, const Codes& codes) {
    const float scaled = value / step.scale + step.zero;
    const float inside = std::min(std::max(scaled, codes.low), codes.high);
    return kFloating ? roundToFloat8(inside) : roundToEven(inside);
}

inline float valueOf(float code, const Step& step) { return step.scale * (code - step.zero); }

/// Scale and zero point of values that share them, by the format's range method. `scratch` may be
/// reused from call to call.
Step stepOf(const float* values, std::int64_t count, const WeightFormat& format,
            std::vector<float>& scratch);

/// The same for a whole matrix; the errors of least squares are summed in row order, whoever
/// computed the rows. Looks at the stop token at every row.
Step stepOfMatrix(const MatrixView& matrix, const WeightFormat& format, const std::stop_token& stop,
                  const ParallelFor& parallel);

/// The tensor of codes as held with a step each row and group (one alone per tensor).
Tensor assemble(Shape shape, const WeightFormat& format, Buffer codes, std::span<const Step> steps);

}  // namespace pareto::rounding
