#include "engine/train/fake_quantize.h"

#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/round.h>

#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_ops.h"
#include "engine/weights/codes.h"
#include "engine/weights/quantize.h"
#include "engine/weights/rounding.h"

namespace pareto::train {
namespace {

/// Rounded, with the gradient of what was rounded.
at::Tensor straightThrough(const at::Tensor& x, const at::Tensor& rounded) { return x + (rounded - x).detach(); }

at::Tensor floats(const std::vector<float>& values, at::IntArrayRef sizes, const at::Tensor& like) {
    auto* data = const_cast<float*>(values.data());
    return at::from_blob(data, sizes, at::TensorOptions().dtype(at::kFloat)).clone().to(like.device());
}

}  // namespace

struct FakeWeight::State {
    WeightFormat format;
    rounding::Codes codes;
    std::int64_t length = 0;  ///< columns a scale covers
    at::Tensor first;         ///< scales as found
    at::Tensor zeros;         ///< undefined: symmetric
    at::Tensor ratios;

    /// A value a row and group brought to the columns it covers.
    at::Tensor widened(const at::Tensor& perGroup, std::int64_t cols) const {
        return perGroup.size(1) == 1 ? perGroup : at::repeat_interleave(perGroup, length, 1).slice(1, 0, cols);
    }
    at::Tensor rowsOf(const at::Tensor& perRow, const at::Tensor* rows) const {
        return rows == nullptr || perRow.size(0) == 1 ? perRow : perRow.index_select(0, *rows);
    }
};

FakeWeight::FakeWeight(const WeightFormat& format, const at::Tensor& values) : m_state(std::make_unique<State>()) {
    const at::NoGradGuard noGradients;
    const std::int64_t rows = values.size(0);
    const std::int64_t cols = values.size(1);
    auto& state = *m_state;
    state.format = format;
    state.codes = rounding::codesOf(format.format);
    state.length = format.granularity == Granularity::Group ? format.groupSize : cols;
    const at::Tensor host = values.detach().to(at::kCPU).contiguous();
    const Tensor rounded =
        quantizeTensor({host.const_data_ptr<float>(), static_cast<std::size_t>(host.numel())}, rows, cols, format,
                       runtime::poolParallelFor());
    const auto& held = rounded.quantized();
    const auto scales = held.scales.as<float>();
    const std::int64_t scaleRows = format.granularity == Granularity::Tensor ? 1 : rows;
    const std::int64_t groups = static_cast<std::int64_t>(scales.size()) / scaleRows;
    state.first = floats({scales.begin(), scales.end()}, {scaleRows, groups}, values);
    if (held.zeroPoints.size() > 0) {
        const auto zeros = held.zeroPoints.as<std::int8_t>();
        state.zeros = floats({zeros.begin(), zeros.end()}, {scaleRows, groups}, values);
    }
    state.ratios = at::ones_like(state.first);
}

FakeWeight::~FakeWeight() = default;

const WeightFormat& FakeWeight::format() const { return m_state->format; }

const at::Tensor& FakeWeight::ratios() const { return m_state->ratios; }

at::Tensor FakeWeight::act(const at::Tensor& values, const at::Tensor* rows) const {
    const auto& state = *m_state;
    const std::int64_t cols = values.size(1);
    const at::Tensor scales =
        state.widened(state.rowsOf(state.first, rows) * state.rowsOf(state.ratios, rows).abs(), cols);
    at::Tensor steps = values / scales;
    const at::Tensor zeros =
        state.zeros.defined() ? state.widened(state.rowsOf(state.zeros, rows), cols) : at::Tensor();
    if (zeros.defined()) {
        steps = steps + zeros;
    }
    const at::Tensor inside = at::clamp(steps, static_cast<double>(state.codes.low), static_cast<double>(state.codes.high));
    at::Tensor codes = straightThrough(inside, at::round(inside));
    if (zeros.defined()) {
        codes = codes - zeros;
    }
    return codes * scales;
}

Tensor FakeWeight::finished(const at::Tensor& values, float inputScale) const {
    const at::NoGradGuard noGradients;
    const auto& state = *m_state;
    const at::Tensor host = values.detach().to(at::kCPU).contiguous();
    const at::Tensor scales = (state.first * state.ratios.abs()).to(at::kCPU).contiguous();
    const at::Tensor zeros = state.zeros.defined() ? state.zeros.to(at::kCPU).contiguous() : at::Tensor();
    const std::int64_t rows = host.size(0);
    const std::int64_t cols = host.size(1);
    const std::int64_t groups = scales.size(1);
    std::vector<rounding::Step> steps(static_cast<std::size_t>(scales.numel()));
    for (std::size_t i = 0; i < steps.size(); ++i) {
        steps[i].scale = scales.const_data_ptr<float>()[i];
        steps[i].zero = zeros.defined() ? zeros.const_data_ptr<float>()[i] : 0.0F;
    }
    const std::int64_t stride = codeBytes(state.format.format, cols);
    const float* from = host.const_data_ptr<float>();
    Buffer codes = Buffer::create(static_cast<std::size_t>(rows * stride), [&](std::span<std::byte> bytes) {
        std::vector<std::int16_t> line(static_cast<std::size_t>(cols));
        for (std::int64_t row = 0; row < rows; ++row) {
            const auto* ofRow = steps.data() + (scales.size(0) == 1 ? 0 : row * groups);
            for (std::int64_t col = 0; col < cols; ++col) {
                const auto& step = ofRow[groups == 1 ? 0 : col / state.length];
                line[static_cast<std::size_t>(col)] =
                    static_cast<std::int16_t>(rounding::codeOf(from[row * cols + col], step, state.codes));
            }
            codes::write(state.format.format, line.data(), cols,
                         reinterpret_cast<std::uint8_t*>(bytes.data()) + row * stride);
        }
    });
    Tensor out = rounding::assemble(Shape{rows, cols}, state.format, std::move(codes), steps);
    std::get<QuantizedValues>(out.storage).inputScale = inputScale;
    return out;
}

struct FakeInput::State {
    WeightFormat format;
    at::Tensor scale;
    std::function<double(double)> highest = [](double own) { return own; };
    double share = 1.0;
};

FakeInput::FakeInput(const WeightFormat& format) : m_state(std::make_unique<State>()) { m_state->format = format; }
FakeInput::~FakeInput() = default;

const at::Tensor& FakeInput::scale() const { return m_state->scale; }

void FakeInput::setScale(const at::Tensor& scale) { m_state->scale = scale; }

void FakeInput::setHighest(std::function<double(double)> highest) { m_state->highest = std::move(highest); }

void FakeInput::setShare(double share) { m_state->share = share > 0.0 ? share : 1.0; }

at::Tensor FakeInput::act(const at::Tensor& input) {
    const auto& format = m_state->format;
    const int bits = format.activations == Activations::Int16Dynamic ? 16 : 8;
    if (format.activations != Activations::Int8Static) {
        return straightThrough(input,
                               runtime::roundActivations(input.detach(), format.activationGroup, bits, 0.0F));
    }
    constexpr double kSteps = 127.5;
    constexpr double kLow = -128.0;
    constexpr double kHigh = 127.0;
    if (!m_state->scale.defined()) {
        const double most = std::max(1e-8, m_state->highest(input.detach().abs().max().item<double>()));
        m_state->scale = at::full({1}, most / kSteps, input.options()).requires_grad_(true);
    }
    // The gradient by a scale sums over all values: LSQ divides it by the root of their number and of the codes.
    const double share = 1.0 / std::sqrt(static_cast<double>(input.numel()) / m_state->share * kHigh);
    const at::Tensor scale = m_state->scale * share + (m_state->scale * (1.0 - share)).detach();
    const at::Tensor inside = at::clamp(input / scale, kLow, kHigh);
    return straightThrough(inside, at::round(inside)) * scale;
}

}  // namespace pareto::train
