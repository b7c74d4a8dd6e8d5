#include "tests/engine/compress/method_layers.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include "engine/core/random.h"
#include "engine/weights/codes.h"

namespace pareto::test {

using compress::InputStatistics;

InputStatistics statisticsOf(const std::vector<float>& inputs, std::int64_t cols) {
    const auto n = static_cast<std::size_t>(cols);
    const std::size_t tokens = inputs.size() / n;
    std::vector<double> products(n * n);
    std::vector<double> magnitudes(n);
    std::vector<double> sums(n);
    InputStatistics out;
    out.cols = cols;
    out.tokens = static_cast<std::int64_t>(tokens);
    out.largest.resize(n);
    out.sample = inputs;
    for (std::size_t token = 0; token < tokens; ++token) {
        const float* x = inputs.data() + token * n;
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
                products[i * n + j] += static_cast<double>(x[i]) * x[j];
            }
            magnitudes[i] += std::fabs(x[i]);
            sums[i] += x[i];
            out.largest[i] = std::max(out.largest[i], std::fabs(x[i]));
        }
    }
    const auto mean = [&](double sum) {
        return static_cast<float>(sum / static_cast<double>(tokens));
    };
    for (std::size_t i = 0; i < n; ++i) {
        out.meanSquares.push_back(mean(products[i * n + i]));
        out.meanMagnitudes.push_back(mean(magnitudes[i]));
        out.means.push_back(mean(sums[i]));
        for (std::size_t j = 0; j < n; ++j) {
            out.hessian.push_back(mean(products[i * n + j]));
        }
    }
    return out;
}

std::vector<float> dividedBy(float by, const Json& numbers) {
    std::vector<float> out;
    for (const auto& value : numbers) {
        out.push_back(value.get<float>() / by);
    }
    return out;
}

MethodLayer layerOf(const Json& description) {
    MethodLayer out;
    out.rows = description["rows"];
    out.cols = description["cols"];
    out.values = dividedBy(1024.0F, description["weight1024"]);
    const std::vector<float> inputs = dividedBy(16.0F, description["inputs16"]);
    out.statistics = statisticsOf(inputs, out.cols);
    return out;
}

MethodLayer correlatedLayer(std::int64_t rows, std::int64_t cols, std::uint64_t seed) {
    RandomStream random(seed, "method layer");
    MethodLayer out;
    out.rows = rows;
    out.cols = cols;
    for (std::int64_t at = 0; at < rows * cols; ++at) {
        out.values.push_back(static_cast<float>(random.normal()) * 0.05F);
    }
    const std::int64_t rank = std::max<std::int64_t>(1, cols / 8);
    const std::int64_t tokens = 3 * cols;
    std::vector<double> mixing(static_cast<std::size_t>(rank * cols));
    std::generate(mixing.begin(), mixing.end(), [&] { return random.normal(); });
    std::vector<double> loudness(static_cast<std::size_t>(cols));
    std::generate(loudness.begin(), loudness.end(),
                  [&] { return random.below(16) == 0 ? 8.0 : 1.0; });
    std::vector<float> inputs;
    for (std::int64_t token = 0; token < tokens; ++token) {
        std::vector<double> shared(static_cast<std::size_t>(rank));
        std::generate(shared.begin(), shared.end(), [&] { return random.normal(); });
        for (std::int64_t col = 0; col < cols; ++col) {
            double value = 0.3 * random.normal();
            for (std::int64_t part = 0; part < rank; ++part) {
                value += shared[static_cast<std::size_t>(part)] *
                         mixing[static_cast<std::size_t>(part * cols + col)] /
                         std::sqrt(static_cast<double>(rank));
            }
            inputs.push_back(static_cast<float>(value * loudness[static_cast<std::size_t>(col)]));
        }
    }
    out.statistics = statisticsOf(inputs, cols);
    return out;
}

WeightFormat integers(NumberFormat number, Granularity granularity, std::int64_t group) {
    WeightFormat out;
    out.format = number;
    out.granularity = granularity;
    out.groupSize = group;
    return out;
}

WeightFormat formatOf(const Json& form) {
    const std::string granularity = form["granularity"];
    const std::string range = form["range"];
    WeightFormat out = integers(form["bits"] == 4 ? NumberFormat::Int4 : NumberFormat::Int8,
                                granularity == "tensor"    ? Granularity::Tensor
                                : granularity == "channel" ? Granularity::Channel
                                                           : Granularity::Group,
                                form["group"]);
    out.symmetric = form["symmetric"];
    out.range = range == "minmax" ? RangeMethod::MinMax
                : range == "mse"  ? RangeMethod::Mse
                                  : RangeMethod::Percentile;
    return out;
}

std::vector<int> codesOf(const Tensor& tensor) {
    std::vector<int> out;
    const std::int64_t cols = tensor.shape[1];
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(tensor.quantized().codes.data());
    const NumberFormat format = tensor.quantized().format.format;
    for (std::int64_t row = 0; row < tensor.shape[0]; ++row) {
        for (std::int64_t col = 0; col < cols; ++col) {
            out.push_back(codes::at(format, bytes + row * codeBytes(format, cols), col));
        }
    }
    return out;
}

void inPieces(std::int64_t count, std::int64_t /*grain*/,
              const std::function<void(std::int64_t, std::int64_t)>& body) {
    const std::vector<std::int64_t> cuts{0, count / 7, count / 3, count / 3 + count / 5, count};
    std::vector<std::jthread> threads;
    for (std::size_t at = 0; at + 1 < cuts.size(); ++at) {
        if (cuts[at] < cuts[at + 1]) {
            threads.emplace_back([&, at] { body(cuts[at], cuts[at + 1]); });
        }
    }
}

bool sameBytes(const Tensor& a, const Tensor& b) {
    const auto same = [](const Buffer& x, const Buffer& y) {
        return std::ranges::equal(x.bytes(), y.bytes());
    };
    if (a.isDense() != b.isDense() || a.shape != b.shape) {
        return false;
    }
    if (a.isDense()) {
        return same(a.dense().values, b.dense().values);
    }
    const QuantizedValues& x = a.quantized();
    const QuantizedValues& y = b.quantized();
    return x.format == y.format && same(x.codes, y.codes) && same(x.scales, y.scales) &&
           same(x.zeroPoints, y.zeroPoints) && same(x.codeSums, y.codeSums);
}

double errorOf(const MethodLayer& layer, const Tensor& now) {
    return compress::outputError(layer.values, dequantize(now), layer.statistics, {});
}

}  // namespace pareto::test
