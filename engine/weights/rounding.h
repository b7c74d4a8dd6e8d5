#pragma once

#include <algorithm>
#include <vector>

#include "engine/weights/quantize.h"

/// The grid of codes that round-to-nearest and the methods with error feedback share. Internal to
/// engine/weights and engine/compress.
namespace pareto::rounding {

/// The codes of an integer format.
struct Codes {
    float low = -128.0F;
    float high = 127.0F;
    float steps = 255.0F;  ///< 2^b − 1
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

/// `value` is finite.
inline float codeOf(float value, const Step& step, const Codes& codes) {
    const float scaled = value / step.scale + step.zero;
    return roundToEven(std::min(std::max(scaled, codes.low), codes.high));
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

/// Bytes that a row of `cols` codes takes.
std::int64_t codeStride(NumberFormat format, std::int64_t cols);

/// A row of codes as held: bytes, or nibbles of code + 8.
void storeCodes(const std::int8_t* codes, std::int64_t cols, NumberFormat format,
                std::uint8_t* out);

/// The tensor of codes as held with a step each row and group (one alone per tensor).
Tensor assemble(Shape shape, const WeightFormat& format, Buffer codes, std::span<const Step> steps);

}  // namespace pareto::rounding
