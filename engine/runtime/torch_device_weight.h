#pragma once

// Torch headers: only for .cpp files of runtime/. Weights on a device that libtorch drives, one file a way of
// multiplying; device_choice.h says which is taken. All of them run on the CPU as well, for tests, except
// _weight_int4pack_mm and _cslt_sparse_mm, which libtorch has for CUDA alone.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>

#include "engine/runtime/device_choice.h"
#include "engine/runtime/linear.h"
#include "engine/runtime/own_products.h"

namespace pareto::runtime {

struct DeviceCodes;

/// What such weights have in common. Up to 8 tokens, and lookups, go to our own CUDA kernels where the codes lie as they
/// read them and the plugin is there (own_products.h).
class DeviceWeight : public Weight {
public:
    at::Tensor multiply(LinearInput& x, const Epilogue& epilogue) const final;
    at::Tensor lookup(std::span<const std::int32_t> ids) const final;
    std::string kernelName() const final;

protected:
    /// `how`: what stands before the operation in the kernel's name.
    DeviceWeight(const Tensor& tensor, const Device& device, DeviceKernel kernel,
                 const std::string& how);

    /// What multiply() and lookup() answer, by libtorch's operation.
    virtual at::Tensor product(LinearInput& x, const Epilogue& epilogue) const = 0;
    virtual at::Tensor rowsAt(std::span<const std::int32_t> ids) const = 0;
    /// Null where there are none as the tensor held them.
    virtual const DeviceCodes* plainCodes() const { return nullptr; }

    const Device& device() const { return m_device; }
    std::int64_t endOf(const Epilogue& epilogue) const {
        return epilogue.rowEnd < 0 ? rows() : epilogue.rowEnd;
    }
    /// Adds the bias to `out`, [m][rowEnd − rowBegin], and applies the activation.
    at::Tensor finished(const at::Tensor& out, const Epilogue& epilogue) const;

private:
    const Device m_device;
    std::string m_name;  ///< without the device
};

/// Codes with scales as a tensor holds them, on the device.
struct DeviceCodes {
    DeviceCodes(const Tensor& tensor, const Device& device);

    /// Codes of rows [begin, end) as the numbers they stand for, before zero point and scale, in fp32.
    at::Tensor numbers(std::int64_t begin, std::int64_t end) const {
        return numbersOf(codes.slice(0, begin, end));
    }
    at::Tensor numbersOf(const at::Tensor& held) const;
    /// Rows [begin, end) in fp32.
    at::Tensor values(std::int64_t begin, std::int64_t end) const;
    /// The rows with these numbers in fp32.
    at::Tensor lookup(const at::Tensor& ids) const;
    /// A scale or zero point of rows [begin, end), of the columns of group `group` where there are groups: [1][rows],
    /// of a tensor's [1][1].
    at::Tensor scalesOf(std::int64_t begin, std::int64_t end, std::int64_t group = 0) const {
        return partOf(scales, begin, end, group);
    }
    at::Tensor zerosOf(std::int64_t begin, std::int64_t end, std::int64_t group = 0) const {
        return partOf(zeros, begin, end, group);
    }
    std::uint64_t bytes() const;
    CodedRows codedRows() const { return {format, rows, cols, codes, scales, zeros, inputScale}; }

    WeightFormat format;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    at::Tensor codes;   ///< [rows][codes of a row], int8, int16 or bytes
    at::Tensor scales;  ///< [rows or 1][groups]
    at::Tensor zeros;   ///< the same, int8; undefined when symmetric
    float inputScale = 0.0F;

private:
    static at::Tensor partOf(const at::Tensor& held, std::int64_t begin, std::int64_t end,
                             std::int64_t group);
};

/// The values of a dense tensor as they are held, on the device: [rows][cols].
at::Tensor denseOnDevice(const Tensor& tensor, const Device& device);

/// For LinearInput::derived().
std::string roundingKey(const char* what, int bits, std::int64_t group, float fixedScale);

/// An input as 16-bit floats. fp16 ends at 65504: rows that exceed `largest` are divided by a power of two.
struct HalfInput {
    at::Tensor values;   ///< [m][cols]
    at::Tensor factors;  ///< [m][1], what results are multiplied with; undefined: 1
};
HalfInput halfInput(LinearInput& x, at::ScalarType type, double largest);
constexpr double kLargestHalfInput = 32768.0;

/// x · wᵀ of 16-bit floats with sums and results in fp32: [m][rows of w].
at::Tensor halfProduct(const at::Tensor& x, const at::Tensor& w);

/// `part(begin, end)` answers outputs [m][end − begin]; asked for strips of rows of which not more than 2^25
/// values are unpacked at a time. The strips side by side.
template <typename Part>
at::Tensor inStrips(std::int64_t begin, std::int64_t end, std::int64_t cols, const Part& part) {
    constexpr std::int64_t kStripValues = std::int64_t{1} << 25;
    constexpr std::int64_t kMultiple = 64;
    const std::int64_t height =
        std::max(kMultiple, kStripValues / std::max<std::int64_t>(1, cols) / kMultiple * kMultiple);
    if (end - begin <= height) {
        return part(begin, end);
    }
    std::vector<at::Tensor> parts;
    for (std::int64_t row = begin; row < end; row += height) {
        parts.push_back(part(row, std::min(end, row + height)));
    }
    return at::cat(parts, 1);
}

/// "int8 dynamic", "int4 weight-only", "fp16"
std::string formatName(const Tensor& tensor);

std::shared_ptr<const Weight> makeFloatsWeight(const Tensor& tensor, const Device& device);
std::shared_ptr<const Weight> makeHalvesWeight(const Tensor& tensor, const Device& device);
std::shared_ptr<const Weight> makeSparseHalvesWeight(const Tensor& tensor, const Device& device);
std::shared_ptr<const Weight> makeHalfCodesWeight(const Tensor& tensor, const Device& device);
/// Dense, or `sparse`: compressed.
std::shared_ptr<const Weight> makeIntMmWeight(const Tensor& tensor, const Device& device,
                                              bool sparse);
std::shared_ptr<const Weight> makeInt4PackWeight(const Tensor& tensor, const Device& device);
std::shared_ptr<const Weight> makeScaledMmWeight(const Tensor& tensor, const Device& device);

/// What _weight_int4pack_mm reads (aten/src/ATen/native/cuda/int4mm.cu). `nibbles`: code + 8 of each weight,
/// bytes, [rows][cols]; `innerTiles`: 2, 4 or 8 stretches of 16 columns that lie together. int32[rows / 8][cols /
/// (16 · innerTiles)][32][innerTiles / 2]: lane t of 32 holds columns 2(t mod 4) + {0, 1, 8, 9} of each stretch of
/// row t / 4, two stretches an int32, even columns in its lower half.
at::Tensor int4Tiles(const at::Tensor& nibbles, std::int64_t innerTiles);
/// Rows `ids` of such tiles as nibbles again: [ids][cols].
at::Tensor int4Rows(const at::Tensor& tiles, const at::Tensor& ids);

}  // namespace pareto::runtime
