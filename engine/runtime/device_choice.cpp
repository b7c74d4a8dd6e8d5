#include "engine/runtime/device_choice.h"

#include <algorithm>
#include <array>
#include <span>

namespace pareto::runtime {
namespace {

constexpr int kTensorCores = 70;  // fp16 products with sums in fp32
constexpr int kAmpere = 80;       // bf16, sparse tensor cores, the int4 kernel
constexpr int kFloat8 = 89;
/// Sums of products of two 8-bit codes stay below 2^31.
constexpr std::int64_t kMaxIntCols = 65536;
/// Below that the many small products of groups cost more than the integers save.
constexpr std::int64_t kMinIntGroup = 64;
constexpr std::int64_t kIntAlignment = 16;
/// What cuSPARSELt wants of fp16 and bf16 weights; int8 weights are filled up with zeros.
constexpr std::int64_t kSparseHalfAlignment = 16;

bool oneScaleARow(const WeightFormat& format) {
    return format.isCoded() && format.granularity != Granularity::Group;
}

DeviceKernel chooseHalves(const DeviceQuestion& q) {
    const int needed = q.format.format == NumberFormat::F16 ? kTensorCores : kAmpere;
    if (q.capability < needed) {
        return DeviceKernel::Floats;
    }
    const bool sparse = q.twoOfFour && !q.lookedUp && q.capability >= kAmpere &&
                        q.rows % kSparseHalfAlignment == 0 && q.cols % kSparseHalfAlignment == 0;
    return sparse ? DeviceKernel::SparseHalves : DeviceKernel::Halves;
}

DeviceKernel chooseIntegers(const DeviceQuestion& q) {
    const std::int64_t group = intMmGroup(q.format, q.cols);
    const bool whole = group == q.cols;
    if (bitsOf(q.format.format) > 8 || q.cols > kMaxIntCols || q.capability < kTensorCores ||
        (!whole && (group % kIntAlignment != 0 || group < kMinIntGroup))) {
        return DeviceKernel::Floats;
    }
    const bool sparse = whole && q.twoOfFour && !q.lookedUp && q.capability >= kAmpere &&
                        q.format.format == NumberFormat::Int8 && q.format.symmetric;
    return sparse ? DeviceKernel::SparseIntMm : DeviceKernel::IntMm;
}

DeviceKernel chooseWeightOnly(const DeviceQuestion& q) {
    const bool int4 = q.format.format == NumberFormat::Int4 && q.capability >= kAmpere &&
                      q.rows % 8 == 0 && int4PackGroup(q.format, q.cols) != 0;
    if (int4) {
        return DeviceKernel::Int4Pack;
    }
    if (!oneScaleARow(q.format) || bitsOf(q.format.format) > 8) {
        return DeviceKernel::Floats;
    }
    if (q.format.format == NumberFormat::F8 && q.capability >= kFloat8 && q.rows % 16 == 0 &&
        q.cols % 16 == 0) {
        return DeviceKernel::ScaledMm;
    }
    return q.capability >= kTensorCores ? DeviceKernel::HalfCodes : DeviceKernel::Floats;
}

template <typename Value>
bool twoOfFour(std::span<const Value> values, Value mask) {
    for (std::size_t i = 0; i < values.size(); i += 4) {
        const auto zeros = std::count_if(values.begin() + static_cast<std::ptrdiff_t>(i),
                                         values.begin() + static_cast<std::ptrdiff_t>(i) + 4,
                                         [mask](Value value) { return (value & mask) == 0; });
        if (zeros < 2) {
            return false;
        }
    }
    return true;
}

}  // namespace

DeviceKernel chooseDeviceKernel(const DeviceQuestion& question) {
    const WeightFormat& format = question.format;
    if (question.rows == 0 || question.cols == 0 || format.format == NumberFormat::F32) {
        return DeviceKernel::Floats;
    }
    if (!format.isCoded()) {
        return chooseHalves(question);
    }
    switch (format.activations) {
    case Activations::None:
        return chooseWeightOnly(question);
    case Activations::Int8Dynamic:
    case Activations::Int8Static:
        return format.isInteger() ? chooseIntegers(question) : DeviceKernel::Floats;
    case Activations::Int16Dynamic:
        break;
    }
    return DeviceKernel::Floats;
}

DeviceKernel fallbackOf(DeviceKernel kernel, const WeightFormat& format) {
    switch (kernel) {
    case DeviceKernel::SparseHalves:
        return DeviceKernel::Halves;
    case DeviceKernel::SparseIntMm:
        return DeviceKernel::IntMm;
    case DeviceKernel::Int4Pack:
    case DeviceKernel::ScaledMm:
        return oneScaleARow(format) ? DeviceKernel::HalfCodes : DeviceKernel::Floats;
    case DeviceKernel::Floats:
    case DeviceKernel::Halves:
    case DeviceKernel::HalfCodes:
    case DeviceKernel::IntMm:
        break;
    }
    return DeviceKernel::Floats;
}

std::string_view opOf(DeviceKernel kernel) {
    switch (kernel) {
    case DeviceKernel::Floats:
        return "linear";
    case DeviceKernel::Halves:
    case DeviceKernel::HalfCodes:
        return "mm";
    case DeviceKernel::IntMm:
        return "_int_mm";
    case DeviceKernel::Int4Pack:
        return "_weight_int4pack_mm";
    case DeviceKernel::ScaledMm:
        return "_scaled_mm";
    case DeviceKernel::SparseHalves:
    case DeviceKernel::SparseIntMm:
        return "_cslt_sparse_mm";
    }
    return "";
}

std::int64_t int4PackGroup(const WeightFormat& format, std::int64_t cols) {
    const std::int64_t held =
        format.granularity == Granularity::Group ? std::min(format.groupSize, cols) : cols;
    if (cols % held != 0) {
        return 0;
    }
    for (const std::int64_t group : std::array<std::int64_t, 4>{256, 128, 64, 32}) {
        if (held % group == 0) {
            return group;
        }
    }
    return 0;
}

std::int64_t intMmGroup(const WeightFormat& format, std::int64_t cols) {
    const std::int64_t weight = format.granularity == Granularity::Group ? format.groupSize : cols;
    const std::int64_t input = format.activationGroup == 0 ? cols : format.activationGroup;
    return std::min({weight, input, cols});
}

bool holdsTwoOfFour(const Tensor& tensor) {
    if (tensor.shape[1] % 4 != 0) {
        return false;
    }
    const WeightFormat format = tensor.format();
    if (format.format == NumberFormat::F16 || format.format == NumberFormat::BF16) {
        constexpr std::uint16_t kWithoutSign = 0x7FFF;
        return twoOfFour(tensor.dense().values.as<std::uint16_t>(), kWithoutSign);
    }
    return format.format == NumberFormat::Int8 && format.symmetric &&
           twoOfFour(tensor.quantized().codes.as<std::uint8_t>(), std::uint8_t{0xFF});
}

}  // namespace pareto::runtime
