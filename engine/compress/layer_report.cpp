#include "engine/compress/layer_report.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace pareto::compress {

namespace {

/// ‖a − b‖² and ‖a‖² of one row after the other, in fp64.
double relativeSquaredError(const Tensor& reference, const Tensor& now,
                            const ParallelFor& parallel) {
    const bool shared = reference.isDense() && now.isDense() &&
                        reference.dense().values.data() == now.dense().values.data();
    if (shared) {
        return 0.0;
    }
    const std::int64_t rows = reference.shape[0];
    const std::int64_t cols = reference.shape[1];
    std::vector<double> errors(static_cast<std::size_t>(rows));
    std::vector<double> norms(static_cast<std::size_t>(rows));
    constexpr std::int64_t kGrainValues = 1 << 16;
    const std::int64_t grain =
        std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, cols));
    parallel(rows, grain, [&](std::int64_t begin, std::int64_t end) {
        std::vector<float> a(static_cast<std::size_t>(cols));
        std::vector<float> b(static_cast<std::size_t>(cols));
        for (std::int64_t row = begin; row < end; ++row) {
            dequantizeRow(reference, row, a.data());
            dequantizeRow(now, row, b.data());
            double error = 0.0;
            double norm = 0.0;
            for (std::size_t col = 0; col < a.size(); ++col) {
                const double difference = static_cast<double>(a[col]) - b[col];
                error += difference * difference;
                norm += static_cast<double>(a[col]) * a[col];
            }
            errors[static_cast<std::size_t>(row)] = error;
            norms[static_cast<std::size_t>(row)] = norm;
        }
    });
    const double norm = std::accumulate(norms.begin(), norms.end(), 0.0);
    return norm > 0.0 ? std::accumulate(errors.begin(), errors.end(), 0.0) / norm : 0.0;
}

}  // namespace

LayerReport reportOf(const std::string& layer, const Tensor& before, const Tensor& held, const Tensor& acting,
                     std::uint64_t bytes, const ParallelFor& parallel) {
    const double values = static_cast<double>(std::max<std::int64_t>(1, held.shape.elements()));
    LayerReport report;
    report.name = layer;
    report.relativeError = relativeSquaredError(before, acting, parallel);
    report.sparsity = static_cast<double>(countZeros(held, parallel)) / values;
    report.bitsPerWeight = static_cast<double>(held.bytes()) * 8.0 / values;
    report.bytes = bytes;
    return report;
}

}  // namespace pareto::compress
