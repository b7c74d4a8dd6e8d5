#include "engine/compress/rotate.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

#include "engine/compress/hadamard.h"
#include "engine/compress/quantize/rtn.h"

namespace pareto::compress {

namespace {

constexpr std::int64_t kGrainValues = 1 << 13;
constexpr std::uint64_t kHeadSeed = 0x9E3779B97F4A7C15U;  ///< apart from the stream's

Error refused(const std::string& reason) {
    return makeError(
        ErrorCode::RecipeInvalid,
        {{"file", "recipe"}, {"field", "rotate"}, {"reason", "cannot be used: " + reason}});
}

bool isFfn(LayerRole role) {
    return role == LayerRole::FfnGate || role == LayerRole::FfnUp || role == LayerRole::FfnIn;
}

/// fp32 values [rows][cols] of a weight, or [cols] of a bias with one row.
struct Values {
    std::vector<float> data;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
};

Values transposed(const Values& values) {
    constexpr std::int64_t kBlock = 32;
    Values out{std::vector<float>(values.data.size()), values.cols, values.rows};
    for (std::int64_t row = 0; row < values.rows; row += kBlock) {
        for (std::int64_t col = 0; col < values.cols; ++col) {
            for (std::int64_t at = row; at < std::min(row + kBlock, values.rows); ++at) {
                out.data[static_cast<std::size_t>(col * values.rows + at)] =
                    values.data[static_cast<std::size_t>(at * values.cols + col)];
            }
        }
    }
    return out;
}

template <typename Body>
void forRows(const Values& values, const ParallelFor& parallel, Body&& body) {
    const std::int64_t grain = std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, values.cols));
    parallel(values.rows, grain, body);
}

/// Each row, or each piece of it that the rotation is as wide as, times Q.
using RotateRows = std::function<void(Values&)>;

void rotateRows(Values& values, const Rotation& rotation, const ParallelFor& parallel) {
    const std::int64_t width = rotation.width();
    forRows(values, parallel, [&](std::int64_t begin, std::int64_t end) {
        std::vector<double> line(static_cast<std::size_t>(width));
        std::vector<double> scratch;
        for (std::int64_t at = begin * values.cols; at < end * values.cols; at += width) {
            float* piece = values.data.data() + at;
            std::copy(piece, piece + width, line.begin());
            rotation.apply(line, scratch);
            std::transform(line.begin(), line.end(), piece, [](double value) { return static_cast<float>(value); });
        }
    });
}

void multiplyRows(Values& values, const std::vector<float>& matrix, std::int64_t width, const MatrixMath& math) {
    std::vector<float> out(values.data.size());
    MatrixProduct product;
    product.rows = static_cast<std::int64_t>(values.data.size()) / width;
    product.cols = product.depth = width;
    product.strideA = product.strideB = product.strideC = width;
    product.a = values.data.data();
    product.b = matrix.data();
    product.c = out.data();
    math.multiply(product);
    values.data = std::move(out);
}

class ModelRotation {
public:
    /// `head` may be empty.
    ModelRotation(const LoadedModel& model, RotateRows stream, RotateRows head, std::stop_token stop,
                  const ParallelFor& parallel)
        : m_stop(std::move(stop)), m_parallel(parallel), m_stream(std::move(stream)), m_head(std::move(head)) {
        m_out.model = model;
        m_out.heads = static_cast<bool>(m_head);
    }

    Result<RotatedModel> run() {
        untie();
        for (LayerInfo& layer : m_out.model.layout.layers) {
            if (m_stop.stop_requested()) {
                return Cancelled{};
            }
            PARETO_CHECK(rotate(layer));
        }
        resetNorms();
        return std::move(m_out);
    }

private:
    std::string normOf(const LayerInfo& layer) const {
        if (layer.block < 0) {
            return "decoder.norm.weight";
        }
        const auto& block = m_out.model.layout.blocks[static_cast<std::size_t>(layer.block)];
        return block.name + (isFfn(layer.role) ? ".ffn" : ".attention") + ".norm.weight";
    }

    void untie() {
        for (LayerInfo& layer : m_out.model.layout.layers) {
            if (!layer.tiedTo.empty()) {
                m_out.model.tensors.insert_or_assign(layer.name + ".weight",
                                                     m_out.model.weight(layer));
                layer.tiedTo.clear();
                m_out.untiedBytes +=
                    weightBytes({.format = NumberFormat::F32}, layer.rows, layer.cols);
            }
        }
    }

    Status rotate(LayerInfo& layer) {
        PARETO_TRY(Values weight, valuesOf(layer.name + ".weight"));
        const bool reads = readsStream(layer.role) || layer.role == LayerRole::Head;
        if (reads) {
            PARETO_TRY(const Values norm, valuesOf(normOf(layer)));
            multiplyColumns(weight, norm.data);
        }
        if (reads || layer.isEmbedding()) {
            m_stream(weight);
        }
        if (layer.role == LayerRole::AttentionOutput && m_out.heads) {
            m_head(weight);
        }
        const bool byRows =
            writesStream(layer.role) || (layer.role == LayerRole::Value && m_out.heads);
        const RotateRows& outputs = layer.role == LayerRole::Value ? m_head : m_stream;
        if (byRows) {
            Values columns = transposed(weight);
            outputs(columns);
            weight = transposed(columns);
        }
        PARETO_CHECK(put(layer.name + ".weight", weight, Shape{weight.rows, weight.cols}));
        layer.sourceFormat = m_out.model.weight(layer).format();
        layer.sourceType = "F32";
        if (layer.hasBias && byRows) {
            PARETO_TRY(Values bias, valuesOf(layer.name + ".bias"));
            outputs(bias);
            PARETO_CHECK(put(layer.name + ".bias", bias, Shape{bias.cols}));
        }
        return Done{};
    }

    Result<Values> valuesOf(const std::string& name) const {
        const Tensor& tensor = m_out.model.tensors.at(name);
        Values out{dequantize(tensor, m_parallel), 1, tensor.shape[tensor.shape.rank() - 1]};
        out.rows = out.cols == 0 ? 0 : tensor.shape.elements() / out.cols;
        PARETO_CHECK(
            checkFits(out.data, NumberFormat::F32, {m_out.model.layout.name, name}, m_parallel));
        return out;
    }

    Status put(const std::string& name, const Values& values, Shape shape) {
        PARETO_CHECK(
            checkFits(values.data, NumberFormat::F32, {m_out.model.layout.name, name}, m_parallel));
        m_out.model.tensors.insert_or_assign(name, denseTensor(std::move(shape), values.data));
        return Done{};
    }

    void multiplyColumns(Values& values, const std::vector<float>& by) const {
        forRows(values, m_parallel, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end; ++row) {
                float* line = values.data.data() + row * values.cols;
                std::transform(line, line + values.cols, by.begin(), line, std::multiplies<>());
            }
        });
    }

    void resetNorms() {
        const std::vector<float> ones(static_cast<std::size_t>(m_out.model.layout.hidden), 1.0F);
        const Tensor norm = denseTensor(Shape{m_out.model.layout.hidden}, ones);
        for (const LayerInfo& layer : m_out.model.layout.layers) {
            if (readsStream(layer.role) || layer.role == LayerRole::Head) {
                m_out.model.tensors.insert_or_assign(normOf(layer), norm);
            }
        }
    }

    RotatedModel m_out;
    std::stop_token m_stop;
    const ParallelFor& m_parallel;
    RotateRows m_stream;
    RotateRows m_head;  ///< of the values within their heads
};

}  // namespace

Status checkRotatable(const ModelLayout& layout) {
    const std::string why = whyUnrotatable(layout);
    return why.empty() ? Status(Done{}) : refused(why);
}

Result<RotatedModel> rotateModel(const LoadedModel& model, std::uint64_t seed, std::stop_token stop,
                                 const ParallelFor& parallel) {
    PARETO_CHECK(checkRotatable(model.layout));
    const std::int64_t headDim = model.layout.headDim;
    const bool heads = std::has_single_bit(static_cast<std::uint64_t>(headDim));
    const Rotation stream(model.layout.hidden, seed);
    const Rotation head(headDim, seed ^ kHeadSeed);
    const auto by = [&parallel](const Rotation& rotation) {
        return [&](Values& values) { rotateRows(values, rotation, parallel); };
    };
    return ModelRotation(model, by(stream), heads ? RotateRows(by(head)) : RotateRows(), std::move(stop), parallel).run();
}

Result<RotatedModel> rotateModel(const LoadedModel& model, std::span<const double> stream, const MatrixMath& math,
                                 std::stop_token stop, const ParallelFor& parallel) {
    PARETO_CHECK(checkRotatable(model.layout));
    const std::vector<float> matrix(stream.begin(), stream.end());
    const auto multiply = [&](Values& values) { multiplyRows(values, matrix, model.layout.hidden, math); };
    return ModelRotation(model, multiply, {}, std::move(stop), parallel).run();
}

}  // namespace pareto::compress
