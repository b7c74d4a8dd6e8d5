#pragma once

#include <cstdint>
#include <string_view>

namespace pareto {

/// F8: E4M3 (Micikevicius et al. 2022, arXiv 2209.05433; no infinities) times a scale. Integers of b bits
/// have the codes −2^(b−1) … 2^(b−1) − 1.
enum class NumberFormat { F32, F16, BF16, F8, Int16, Int8, Int4, Int3, Int2 };
enum class Granularity { Tensor, Channel, Group };
enum class RangeMethod { MinMax, Percentile, Mse };
/// Int8Dynamic: a scale per token, or per token and group of columns. Int8Static: one scale a layer, from
/// calibration. Int16Dynamic: a scale per token; products in fp32.
enum class Activations { None, Int8Dynamic, Int8Static, Int16Dynamic };

std::string_view nameOf(NumberFormat value);   ///< as in the recipe's JSON
std::string_view nameOf(RangeMethod value);
std::string_view nameOf(Activations value);

/// How one weight is held: every size formula and every storage kind starts here.
struct WeightFormat {
    NumberFormat format = NumberFormat::F32;
    Granularity granularity = Granularity::Channel;
    std::int64_t groupSize = 0;          ///< columns a scale covers (Channel: cols; Tensor: all)
    bool symmetric = true;
    RangeMethod range = RangeMethod::MinMax;
    Activations activations = Activations::None;
    std::int64_t activationGroup = 0;
    bool operator==(const WeightFormat&) const = default;
    bool isInteger() const { return format >= NumberFormat::Int16; }
    /// Held as codes with scales.
    bool isCoded() const { return format >= NumberFormat::F8; }
    /// The layer multiplies 8-bit integers.
    bool isInt8Product() const {
        return activations == Activations::Int8Dynamic || activations == Activations::Int8Static;
    }
    /// Sums of codes are held beside them: what products with unsigned inputs need.
    bool hasCodeSums() const {
        return isInt8Product() && format == NumberFormat::Int8 && granularity != Granularity::Group && symmetric;
    }
};

/// Bits of a value or code.
int bitsOf(NumberFormat format);
/// Integers of fewer than 8 bits lose too much under one scale a row to be held so by default.
bool prefersGroups(NumberFormat format);
/// Bytes of a row's codes (values): the bits one behind the other, the first in the lowest bits of the
/// first byte; each row begins with a byte of its own.
std::int64_t codeBytes(NumberFormat format, std::int64_t cols);

/// Number of scales a row has under this format.
std::int64_t groupsPerRow(const WeightFormat& format, std::int64_t cols);
/// Bytes of a weight's logical form: values, scales (fp32), zero points (one byte each), for int8
/// activations the sums of codes (int32 per row and activation group) that u8×s8 products need, and the
/// scale of static activations.
std::uint64_t weightBytes(const WeightFormat& format, std::int64_t rows, std::int64_t cols);

}  // namespace pareto
