#pragma once

#include <cstdint>
#include <string_view>

namespace pareto {

enum class NumberFormat { F32, F16, BF16, Int8, Int4 };
enum class Granularity { Tensor, Channel, Group };
enum class RangeMethod { MinMax, Percentile, Mse };
enum class Activations { None, Int8Dynamic };  ///< Int8Dynamic: per token or per token and group

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
    bool isInteger() const { return format == NumberFormat::Int8 || format == NumberFormat::Int4; }
};

/// Number of scales a row has under this format.
std::int64_t groupsPerRow(const WeightFormat& format, std::int64_t cols);
/// Bytes of a weight's logical form: values, scales (fp32), zero points (one byte each), and for int8
/// activations the sums of codes (int32 per row and activation group) that u8×s8 products need.
std::uint64_t weightBytes(const WeightFormat& format, std::int64_t rows, std::int64_t cols);

}  // namespace pareto
