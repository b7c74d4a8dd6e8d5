#pragma once

// What the bodies of kernels are written with. nvcc compiles them for devices, the tests for the CPU.
//
// A body is a function template over a Team: the threads that work on one row (head, group) together. Every thread
// calls the body with the same index and its own lane(); all of them reach every collective call. A team has
//   int lane(), int lanes()
//   float sum(float), float max(float), std::int32_t sum(std::int32_t)   of all lanes, to all lanes
//   float eightSum(float), float eightMax(float)                         of eight neighbouring lanes, to each of them
//   void sync()                                                          what was written is seen by all lanes
#include <cmath>
#include <cstdint>
#include <cstring>

#include "engine/kernels/kernel_table.h"

#ifdef __CUDACC__
#include <cuda_fp16.h>
#define PARETO_DEVICE __device__ __forceinline__
#define PARETO_ROLLED _Pragma("unroll 1")
#else
#include "engine/core/dtype.h"
#define PARETO_DEVICE inline
#define PARETO_ROLLED
#endif

namespace pareto::kernels::cuda {

PARETO_DEVICE float halfValue(std::uint16_t bits) {
#ifdef __CUDACC__
    return __half2float(__ushort_as_half(bits));
#else
    return halfToFloat(bits);
#endif
}

PARETO_DEVICE std::uint16_t halfBits(float value) {
#ifdef __CUDACC__
    return __half_as_ushort(__float2half_rn(value));
#else
    return floatToHalf(value);
#endif
}

PARETO_DEVICE float floatOfBits(std::uint32_t bits) {
#ifdef __CUDACC__
    return __uint_as_float(bits);
#else
    float out = 0.0F;
    std::memcpy(&out, &bits, sizeof(out));
    return out;
#endif
}

PARETO_DEVICE float bfloatValue(std::uint16_t bits) {
    return floatOfBits(static_cast<std::uint32_t>(bits) << 16);
}

/// E4M3 without NaN: its exponent and mantissa moved to where binary32 has them stand for 2^−120 of the value.
PARETO_DEVICE float float8Value(std::uint8_t bits) {
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x80U) << 24;
    return floatOfBits(sign | static_cast<std::uint32_t>(bits & 0x7FU) << 20) * 0x1p120F;
}

/// A word from an address that is a multiple of its size.
template <typename Word>
PARETO_DEVICE Word alignedWord(const void* from) {
#ifdef __CUDACC__
    return *static_cast<const Word*>(from);
#else
    Word out;
    std::memcpy(&out, from, sizeof(out));
    return out;
#endif
}

/// Σ of the products of four signed bytes.
PARETO_DEVICE std::int32_t dotOfFour(std::uint32_t a, std::uint32_t b, std::int32_t sum) {
#ifdef __CUDACC__
    return __dp4a(static_cast<std::int32_t>(a), static_cast<std::int32_t>(b), sum);
#else
    for (int i = 0; i < 32; i += 8) {
        sum += static_cast<std::int8_t>(a >> i & 0xFFU) * static_cast<std::int8_t>(b >> i & 0xFFU);
    }
    return sum;
#endif
}

template <typename T>
PARETO_DEVICE T smaller(T a, T b) {
    return b < a ? b : a;
}

PARETO_DEVICE float activated(float x, Act act) {
    switch (act) {
    case Act::None:
        return x;
    case Act::Gelu:
        return 0.5F * x * (1.0F + erff(x * 0.70710678118654752F));
    case Act::GeluTanh:
        return 0.5F * x * (1.0F + tanhf(0.79788456080286536F * (x + 0.044715F * x * x * x)));
    case Act::Relu:
        return x <= 0.0F ? 0.0F : x;
    case Act::Silu:
        return x / (1.0F + expf(-x));
    case Act::Tanh:
        return tanhf(x);
    }
    return x;
}

/// The code of x with 1 / scale, as kernels::QuantizeRows finds it.
PARETO_DEVICE float inverseOf(float scale) { return scale > 0.0F ? 1.0F / scale : 0.0F; }
PARETO_DEVICE std::int32_t codeOf(float x, float inverse, float lowest, float highest) {
    return static_cast<std::int32_t>(fminf(fmaxf(rintf(x * inverse), lowest), highest));
}

}  // namespace pareto::kernels::cuda
