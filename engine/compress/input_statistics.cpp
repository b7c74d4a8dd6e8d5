#include "engine/compress/input_statistics.h"

#include <algorithm>
#include <cmath>

namespace pareto::compress {

namespace {

struct Needed {
    const std::vector<float>& values;
    const char* name;
    std::int64_t size;
};

Needed find(const InputStatistics& statistics, Statistic which) {
    const std::int64_t cols = statistics.cols;
    switch (which) {
    case Statistic::Hessian:
        return {statistics.hessian, "products of inputs", cols * cols};
    case Statistic::MeanSquares:
        return {statistics.meanSquares, "mean squares of inputs", cols};
    case Statistic::MeanMagnitudes:
        return {statistics.meanMagnitudes, "mean magnitudes of inputs", cols};
    case Statistic::Means:
        return {statistics.means, "means of inputs", cols};
    case Statistic::Sample:
        return {statistics.sample, "sampled inputs", std::max<std::int64_t>(1, statistics.sampled()) * cols};
    case Statistic::Largest:
        break;
    }
    return {statistics.largest, "largest magnitudes of inputs", cols};
}

}  // namespace

Status checkStatistics(const InputStatistics& statistics, const Tensor& weight,
                       std::initializer_list<Statistic> needed, const TensorLabel& label) {
    if (weight.shape.rank() != 2 || weight.shape[1] != statistics.cols) {
        return makeError(ErrorCode::TensorShape,
                         {{"file", label.model},
                          {"tensor", label.tensor},
                          {"found", weight.shape.text()},
                          {"expected", "[rows, " + std::to_string(statistics.cols) + "]"}});
    }
    if (statistics.tokens <= 0) {
        return badValues(label, 0, "no calibration token reached the layer");
    }
    for (const Statistic which : needed) {
        const Needed one = find(statistics, which);
        if (static_cast<std::int64_t>(one.values.size()) != one.size) {
            return badValues(label, 0, std::string("the ") + one.name + " were not gathered");
        }
        const auto bad = std::count_if(one.values.begin(), one.values.end(),
                                       [](float value) { return !std::isfinite(value); });
        if (bad != 0) {
            return badValues(label, bad, std::string("they are among the ") + one.name);
        }
    }
    return Done{};
}

InputStatistics restrictTo(const InputStatistics& statistics,
                           std::span<const std::int64_t> columns) {
    const auto some = [&](const std::vector<float>& values, std::size_t from) {
        std::vector<float> out;
        out.reserve(values.empty() ? 0 : columns.size());
        for (const std::int64_t col : columns) {
            if (!values.empty()) {
                out.push_back(values[from + static_cast<std::size_t>(col)]);
            }
        }
        return out;
    };
    InputStatistics out;
    out.cols = static_cast<std::int64_t>(columns.size());
    out.tokens = statistics.tokens;
    out.meanSquares = some(statistics.meanSquares, 0);
    out.meanMagnitudes = some(statistics.meanMagnitudes, 0);
    out.means = some(statistics.means, 0);
    out.largest = some(statistics.largest, 0);
    for (std::int64_t row = 0; row < statistics.sampled(); ++row) {
        const auto part = some(statistics.sample, static_cast<std::size_t>(row * statistics.cols));
        out.sample.insert(out.sample.end(), part.begin(), part.end());
    }
    if (!statistics.hessian.empty()) {
        out.hessian.reserve(columns.size() * columns.size());
        for (const std::int64_t row : columns) {
            const auto part =
                some(statistics.hessian, static_cast<std::size_t>(row * statistics.cols));
            out.hessian.insert(out.hessian.end(), part.begin(), part.end());
        }
    }
    return out;
}

double meanLiveSquare(const InputStatistics& statistics) {
    double sum = 0.0;
    std::int64_t live = 0;
    for (std::int64_t col = 0; col < statistics.cols; ++col) {
        const auto at = static_cast<std::size_t>(col * statistics.cols + col);
        if (statistics.hessian[at] > 0.0F) {
            sum += statistics.hessian[at];
            ++live;
        }
    }
    return live > 0 ? sum / static_cast<double>(live) : 1.0;
}

double outputError(std::span<const float> reference, std::span<const float> now,
                   const InputStatistics& statistics, const LayerContext& context) {
    constexpr std::int64_t kRowsAtOnce = 256;
    const std::int64_t cols = statistics.cols;
    const std::int64_t rows = cols == 0 ? 0 : static_cast<std::int64_t>(reference.size()) / cols;
    std::vector<float> error(static_cast<std::size_t>(std::min(rows, kRowsAtOnce) * cols));
    std::vector<float> product(error.size());
    double total = 0.0;
    for (std::int64_t begin = 0; begin < rows; begin += kRowsAtOnce) {
        const std::int64_t count = std::min(kRowsAtOnce, rows - begin);
        const auto size = static_cast<std::size_t>(count * cols);
        const auto from = static_cast<std::size_t>(begin * cols);
        for (std::size_t at = 0; at < size; ++at) {
            error[at] = now[from + at] - reference[from + at];
        }
        MatrixProduct multiply;
        multiply.rows = count;
        multiply.cols = multiply.depth = cols;
        multiply.a = error.data();
        multiply.b = statistics.hessian.data();
        multiply.c = product.data();
        multiply.strideA = multiply.strideB = multiply.strideC = cols;
        context.math->multiply(multiply);
        for (std::size_t at = 0; at < size; ++at) {
            total += static_cast<double>(error[at]) * product[at];
        }
    }
    return total;
}

}  // namespace pareto::compress
