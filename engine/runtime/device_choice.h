#pragma once

#include <cstdint>
#include <string_view>

#include "engine/weights/tensor.h"

namespace pareto::runtime {

/// How a weight is held and multiplied on a CUDA device; the operation of libtorch behind each name is opOf()'s.
/// Products always end as fp32; what is rounded on the way stands here.
enum class DeviceKernel : std::uint8_t {
    Floats,  ///< any format: brought to fp32 a strip of rows at a time, multiplied in fp32 (never TF32)
    Halves,  ///< fp16, bf16: inputs rounded to that type (11, 8 bits), sums in fp32
    HalfCodes,  ///< codes of up to 8 bits with one scale a row, exact as fp16; inputs rounded to fp16, sums in fp32
    IntMm,     ///< codes of up to 8 bits, inputs of 8 bits: exact sums of codes, scales in fp32
    Int4Pack,  ///< int4 in groups: inputs, scales, zero points and results rounded to bf16
    ScaledMm,  ///< fp8 with one scale a row: an input is the sum of two fp8 numbers (8 bits), sums in fp32
    SparseHalves,  ///< fp16, bf16 with two zeros in four: as Halves, results rounded to that type too
    SparseIntMm,  ///< int8 with two zeros in four: as IntMm
};

/// What the choice depends on, and nothing else.
struct DeviceQuestion {
    WeightFormat format;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    int capability = 0;      ///< see Device::capability; 0: not known, or no CUDA device
    bool twoOfFour = false;  ///< holdsTwoOfFour()
    bool lookedUp =
        true;  ///< rows are asked for by number: the compressed sparse forms cannot tell them
};

/// The first kernel whose conditions hold. Sources: the checks of libtorch 2.15's operations
/// (aten/src/ATen/native: cuda/Blas.cpp, cuda/int4mm.cu, cuda/ScaledBlas.cpp, sparse/cuda/cuSPARSELtOps.cpp;
/// torch/sparse/semi_structured.py).
DeviceKernel chooseDeviceKernel(const DeviceQuestion& question);

/// What is tried next where a kernel does not work on a device; Floats always does.
DeviceKernel fallbackOf(DeviceKernel kernel, const WeightFormat& format);

/// "_int_mm"
std::string_view opOf(DeviceKernel kernel);

/// The columns that one scale and zero point of `_weight_int4pack_mm` shall cover: the largest of 256, 128, 64 and
/// 32 that the format's groups are made of; 0: none.
std::int64_t int4PackGroup(const WeightFormat& format, std::int64_t cols);

/// Columns of one integer product: those that share a scale of the weight and one of the input.
std::int64_t intMmGroup(const WeightFormat& format, std::int64_t cols);

/// Whether of every four neighbouring values of a row at least two are exactly zero (fp16, bf16, symmetric int8).
bool holdsTwoOfFour(const Tensor& tensor);

}  // namespace pareto::runtime
