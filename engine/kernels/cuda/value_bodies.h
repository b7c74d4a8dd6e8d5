#pragma once

// One value, or a pair of them, a thread.
#include "engine/kernels/cuda/weight_values.h"

namespace pareto::kernels::cuda {

PARETO_DEVICE void gateValue(const GateProduct& a, std::int64_t i) {
    const float value = activated(a.gate[i], a.act);
    a.gate[i] = a.up != nullptr ? value * a.up[i] : value;
}

/// Pair `index` of [rows][heads][headDim / 2].
PARETO_DEVICE void rotatePair(const RopeRows& a, std::int64_t index) {
    const std::int64_t half = a.headDim / 2;
    const std::int64_t pair = index % half;
    const std::int64_t head = index / half % a.heads;
    const std::int64_t row = index / half / a.heads;
    const std::int64_t position = a.positions != nullptr ? a.positions[row] : row;
    const bool isLong = a.longCosines != nullptr && position >= a.longFrom;
    const std::int64_t at = position * half + pair;
    const float cosine = (isLong ? a.longCosines : a.cosines)[at];
    const float sine = (isLong ? a.longSines : a.sines)[at];
    float* x = a.x + row * a.ldx + head * a.headDim + pair;
    const float low = x[0];
    const float high = x[half];
    x[0] = low * cosine - high * sine;
    x[half] = high * cosine + low * sine;
}

/// Value `index` of [count][cols].
PARETO_DEVICE void lookUpValue(const Lookup& a, std::int64_t index) {
    const std::int64_t row = index / a.table.cols;
    a.out[index] = weightValue(a.table, a.ids[row], index % a.table.cols);
}

/// Value `index` of [m][n].
PARETO_DEVICE void finishValue(const FinishProduct& a, std::int64_t index) {
    const std::int64_t i = index / a.n;
    const std::int64_t row = index % a.n;
    const std::int64_t scale = a.perTensor ? 0 : row;
    std::int64_t product = a.products[i * a.ldp + row];
    if (a.zeroPoints != nullptr) {
        product -= static_cast<std::int64_t>(a.zeroPoints[scale]) * a.inputSums[i];
    }
    const float value = static_cast<float>(product) * (a.weightScales[scale] * a.inputScales[i]) +
                        (a.bias != nullptr ? a.bias[row] : 0.0F);
    a.out[i * a.ldo + row - a.firstRow] = activated(value, a.act);
}

}  // namespace pareto::kernels::cuda
