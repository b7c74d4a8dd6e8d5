#pragma once

#include <string>
#include <vector>

#include "engine/compress/input_statistics.h"
#include "engine/core/json.h"
#include "engine/weights/tensor.h"

/// Single linears with inputs, for tests of the compression methods.
namespace pareto::test {

struct MethodLayer {
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::vector<float> values;
    compress::InputStatistics statistics;

    Tensor weight() const { return denseTensor(Shape{rows, cols}, values); }
};

/// Every statistic of inputs [tokens][cols], summed in fp64.
compress::InputStatistics statisticsOf(const std::vector<float>& inputs, std::int64_t cols);

/// Whole numbers of a golden file, each divided by `by`.
std::vector<float> dividedBy(float by, const Json& numbers);

/// A layer as tests/golden/compress/make_methods.py describes one.
MethodLayer layerOf(const Json& description);

/// Normal weights and inputs that share a low-rank part, with a few loud columns.
MethodLayer correlatedLayer(std::int64_t rows, std::int64_t cols, std::uint64_t seed);

/// As make_methods.py writes a number format.
WeightFormat formatOf(const Json& form);
WeightFormat integers(NumberFormat number, Granularity granularity, std::int64_t group = 0);

std::vector<int> codesOf(const Tensor& tensor);

/// Four uneven pieces at the same time; and the same bytes are wanted.
void inPieces(std::int64_t count, std::int64_t grain,
              const std::function<void(std::int64_t, std::int64_t)>& body);
bool sameBytes(const Tensor& a, const Tensor& b);

/// tr(E·H·Eᵀ) of a compressed layer.
double errorOf(const MethodLayer& layer, const Tensor& now);

/// "none", "cancelled", or the code and sentence.
template <typename T>
std::string failureOf(const Result<T>& result) {
    return result.ok() ? "none"
           : result.cancelled()
               ? "cancelled"
               : std::string(errorName(result.error().code)) + " " + errorMessage(result.error());
}

}  // namespace pareto::test
