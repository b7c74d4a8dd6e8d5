#pragma once

#include "engine/kernels/cuda/cuda_table.h"
#include "engine/kernels/cuda/host_device.h"

namespace pareto::kernels::cuda {

/// Two passes over the row, as the mean must be known before squares are summed. A lane comes back to the columns
/// that it wrote alone.
template <bool kCentered, typename Team>
PARETO_DEVICE void normalizeRow(const NormRows& a, Team& team, std::int64_t row) {
    const float* x = a.x + row * a.width;
    const float* residual = a.residual != nullptr ? a.residual + row * a.width : nullptr;
    float* sum = a.sum != nullptr ? a.sum + row * a.width : nullptr;
    const auto value = [&](std::int64_t i) {
        return sum != nullptr ? sum[i] : residual != nullptr ? x[i] + residual[i] : x[i];
    };
    if (sum != nullptr) {
        for (std::int64_t i = team.lane(); i < a.width; i += team.lanes()) {
            sum[i] = residual != nullptr ? x[i] + residual[i] : x[i];
        }
    }
    const auto width = static_cast<float>(a.width);
    float mean = 0.0F;
    if constexpr (kCentered) {
        for (std::int64_t i = team.lane(); i < a.width; i += team.lanes()) {
            mean += value(i);
        }
        mean = team.sum(mean) / width;
    }
    float squares = 0.0F;
    for (std::int64_t i = team.lane(); i < a.width; i += team.lanes()) {
        const float d = value(i) - mean;
        squares += d * d;
    }
    const float inverse = 1.0F / sqrtf(team.sum(squares) / width + a.epsilon);
    float* out = a.out + row * a.width;
    for (std::int64_t i = team.lane(); i < a.width; i += team.lanes()) {
        out[i] = (value(i) - mean) * inverse * a.weight[i] + (kCentered ? a.bias[i] : 0.0F);
    }
}

}  // namespace pareto::kernels::cuda
