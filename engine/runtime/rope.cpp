#include "engine/runtime/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_cuda_kernels.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::runtime {
namespace {

using Scaling = RopeSettings::Scaling;
constexpr std::int64_t kGrainValues = 16384;

/// base^(2i/d), in fp32 as torch computes it.
float power(double base, std::int64_t i, std::int64_t dims) {
    return std::pow(static_cast<float>(base), static_cast<float>(2 * i) / static_cast<float>(dims));
}

/// Peng et al. 2023: pairs that turn often keep their frequency, slow ones are interpolated.
std::vector<float> yarn(const RopeSettings& s, std::int64_t dims) {
    const auto turns = [&](double rotations) {
        return static_cast<double>(dims) *
               std::log(static_cast<double>(s.originalPositions) /
                        (rotations * 2.0 * std::numbers::pi)) /
               (2.0 * std::log(s.theta));
    };
    const double low = std::max(std::floor(turns(s.betaFast)), 0.0);
    double high = std::min(std::ceil(turns(s.betaSlow)), static_cast<double>(dims - 1));
    high = low == high ? high + 0.001 : high;
    std::vector<float> out;
    for (std::int64_t i = 0; i < dims / 2; ++i) {
        const float every = power(s.theta, i, dims);
        const auto ramp =
            static_cast<float>(std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0));
        out.push_back(1.0F / (static_cast<float>(s.factor) * every) * ramp +
                      1.0F / every * (1.0F - ramp));
    }
    return out;
}

float llama3(const RopeSettings& s, float inverse) {
    const auto original = static_cast<double>(s.originalPositions);
    const double wavelength = 2.0 * std::numbers::pi / static_cast<double>(inverse);
    if (wavelength > original / s.lowFrequencyFactor) {
        return inverse / static_cast<float>(s.factor);
    }
    if (wavelength < original / s.highFrequencyFactor) {
        return inverse;
    }
    const auto smooth = static_cast<float>((original / wavelength - s.lowFrequencyFactor) /
                                           (s.highFrequencyFactor - s.lowFrequencyFactor));
    return (1.0F - smooth) * inverse / static_cast<float>(s.factor) + smooth * inverse;
}

/// Frequencies with `theta` in the place of the settings' and divided by `factors`, if any.
std::vector<float> plain(double theta, const std::vector<double>& factors, std::int64_t dims) {
    std::vector<float> out;
    for (std::int64_t i = 0; i < dims / 2; ++i) {
        const float by =
            factors.empty() ? 1.0F : static_cast<float>(factors[static_cast<std::size_t>(i)]);
        out.push_back(1.0F / (by * power(theta, i, dims)));
    }
    return out;
}

std::vector<float> frequencies(const RopeSettings& s, std::int64_t dims) {
    if (s.scaling == Scaling::Yarn) {
        return yarn(s, dims);
    }
    auto out = plain(s.theta,
                     s.scaling == Scaling::LongRope ? s.shortFactors : std::vector<double>(), dims);
    for (float& inverse : out) {
        if (s.scaling == Scaling::Linear) {
            inverse /= static_cast<float>(s.factor);
        } else if (s.scaling == Scaling::Llama3) {
            inverse = llama3(s, inverse);
        }
    }
    return out;
}

/// Factor of cosines and sines, unless the settings name one.
double attentionFactor(const RopeSettings& s) {
    if (s.attentionFactor > 0.0 || s.factor <= 1.0) {
        return s.attentionFactor > 0.0 ? s.attentionFactor : 1.0;
    }
    switch (s.scaling) {
    case Scaling::Yarn:
        return 0.1 * std::log(s.factor) + 1.0;
    case Scaling::LongRope:
        return std::sqrt(1.0 +
                         std::log(s.factor) / std::log(static_cast<double>(s.originalPositions)));
    default:
        return 1.0;
    }
}

/// Theta that stretches the slowest pair over `length` positions.
double dynamicTheta(const RopeSettings& s, std::int64_t length, std::int64_t dims) {
    const double stretch =
        s.factor * static_cast<double>(length) / static_cast<double>(s.originalPositions) -
        (s.factor - 1.0);
    return s.theta * std::pow(stretch, static_cast<double>(dims) / static_cast<double>(dims - 2));
}

}  // namespace

struct RopeTable::OnDevice {
    at::Tensor cosines, sines;  ///< [rows][1][half]
    at::Tensor positions;       ///< of a fixed step, instead of these
};

/// From position 0 on: [positions][half].
struct RopeTable::DeviceTables {
    at::Tensor cosines, sines;
    at::Tensor longCosines, longSines;  ///< LongRope only
    std::int64_t positions = 0;
};

RopeTable::RopeTable(std::int64_t headDim, const RopeSettings& settings)
    : m_settings(settings),
      m_half(headDim / 2),
      m_attention(static_cast<float>(attentionFactor(settings))) {
    m_table.inverse = frequencies(settings, headDim);
    if (settings.scaling == Scaling::LongRope) {
        m_long.inverse = plain(settings.theta, settings.longFactors, headDim);
    }
}

RopeTable::~RopeTable() = default;
RopeTable::RopeTable(RopeTable&&) noexcept = default;

void RopeTable::angle(float inverse, std::int64_t position, float& cosine, float& sine) const {
    const auto at = static_cast<double>(static_cast<float>(position) * inverse);
    cosine = static_cast<float>(std::cos(at)) * m_attention;
    sine = static_cast<float>(std::sin(at)) * m_attention;
}

void RopeTable::grow(Table& table, std::int64_t positions) const {
    const auto have =
        static_cast<std::int64_t>(table.cosines.size()) / std::max<std::int64_t>(1, m_half);
    if (positions <= have) {
        return;
    }
    const std::int64_t want = std::max(positions, have * 2);
    table.cosines.resize(static_cast<std::size_t>(want * m_half));
    table.sines.resize(static_cast<std::size_t>(want * m_half));
    for (std::int64_t t = have; t < want; ++t) {
        for (std::int64_t i = 0; i < m_half; ++i) {
            const auto at = static_cast<std::size_t>(t * m_half + i);
            angle(table.inverse[static_cast<std::size_t>(i)], t, table.cosines[at],
                  table.sines[at]);
        }
    }
}

void RopeTable::rowsFrom(Table& table, std::int64_t past, std::int64_t row, std::int64_t tokens) {
    grow(table, past + tokens);
    const auto copy = [&](const std::vector<float>& from, std::vector<float>& to) {
        std::copy_n(from.begin() + past * m_half, tokens * m_half, to.begin() + row * m_half);
    };
    copy(table.cosines, m_cosines);
    copy(table.sines, m_sines);
}

bool RopeTable::followsPositions(std::int64_t reach) const {
    return m_settings.scaling != Scaling::Dynamic || reach <= m_settings.originalPositions;
}

std::shared_ptr<const void> RopeTable::tablesOnDevice() const { return m_deviceTables; }

void RopeTable::growTables(const Device& device, std::int64_t positions) {
    if (m_deviceTables != nullptr && m_deviceTables->positions >= positions) {
        return;
    }
    const auto upload = [&](std::vector<float>& values) {
        return at::from_blob(values.data(), {positions, m_half}, at::TensorOptions().dtype(at::kFloat))
            .to(at::TensorOptions().device(torchDevice(device)), false, true);
    };
    auto out = std::make_shared<DeviceTables>();
    out->positions = positions;
    grow(m_table, positions);
    out->cosines = upload(m_table.cosines);
    out->sines = upload(m_table.sines);
    if (m_settings.scaling == Scaling::LongRope) {
        grow(m_long, positions);
        out->longCosines = upload(m_long.cosines);
        out->longSines = upload(m_long.sines);
    }
    m_deviceTables = std::move(out);
}

void RopeTable::prepare(const Device& device, const StepRows& step) {
    if (ownKernels(device) != nullptr && step.onDevice != nullptr && step.onDevice->fixed) {
        growTables(device, step.onDevice->reach);
        m_onDevice = std::make_unique<OnDevice>(OnDevice{{}, {}, step.onDevice->positions});
        return;
    }
    m_cosines.resize(static_cast<std::size_t>(step.rows() * m_half));
    m_sines.resize(m_cosines.size());
    for (std::size_t s = 0; s < step.sequences(); ++s) {
        const std::int64_t length = step.past[s] + step.tokens(s);
        const bool beyond = length > m_settings.originalPositions;
        if (m_settings.scaling == Scaling::Dynamic && beyond) {
            const Table now{
                plain(dynamicTheta(m_settings, length, 2 * m_half), {}, 2 * m_half), {}, {}};
            for (std::int64_t t = step.past[s]; t < length; ++t) {
                const auto row = (step.starts[s] + t - step.past[s]) * m_half;
                for (std::int64_t i = 0; i < m_half; ++i) {
                    const auto at = static_cast<std::size_t>(row + i);
                    angle(now.inverse[static_cast<std::size_t>(i)], t, m_cosines[at], m_sines[at]);
                }
            }
            continue;
        }
        const bool isLong = m_settings.scaling == Scaling::LongRope && beyond;
        rowsFrom(isLong ? m_long : m_table, step.past[s], step.starts[s], step.tokens(s));
    }
    if (device.usesTorch()) {
        const auto upload = [&](std::vector<float>& values) {
            return at::from_blob(values.data(), {step.rows(), 1, m_half},
                                 at::TensorOptions().dtype(at::kFloat))
                .to(at::TensorOptions().device(torchDevice(device)), false, true);
        };
        m_onDevice = std::make_unique<OnDevice>(OnDevice{upload(m_cosines), upload(m_sines), {}});
    }
}

void RopeTable::rotateOwn(const Device& device, at::Tensor& x, std::int64_t heads) const {
    const bool byPosition = m_onDevice->positions.defined();
    kernels::cuda::RopeRows work;
    work.x = x.mutable_data_ptr<float>();
    work.ldx = x.size(1);
    work.rows = x.size(0);
    work.heads = heads;
    work.headDim = 2 * m_half;
    work.cosines = (byPosition ? m_deviceTables->cosines : m_onDevice->cosines).const_data_ptr<float>();
    work.sines = (byPosition ? m_deviceTables->sines : m_onDevice->sines).const_data_ptr<float>();
    if (byPosition) {
        work.positions = m_onDevice->positions.const_data_ptr<std::int32_t>();
        if (m_deviceTables->longCosines.defined()) {
            work.longCosines = m_deviceTables->longCosines.const_data_ptr<float>();
            work.longSines = m_deviceTables->longSines.const_data_ptr<float>();
            work.longFrom = m_settings.originalPositions;
        }
    }
    launch(device, device.cudaTable->rope, work);
}

void RopeTable::rotate(const Device& device, at::Tensor& x, std::int64_t heads) const {
    if (ownKernels(device) != nullptr && x.is_contiguous()) {
        rotateOwn(device, x, heads);
        return;
    }
    if (device.usesTorch()) {
        at::Tensor view = x.view({x.size(0), heads, 2 * m_half});
        at::Tensor low = view.slice(2, 0, m_half);
        at::Tensor high = view.slice(2, m_half, 2 * m_half);
        const at::Tensor newLow = low * m_onDevice->cosines - high * m_onDevice->sines;
        const at::Tensor newHigh = high * m_onDevice->cosines + low * m_onDevice->sines;
        if (device.gradients) {
            x = at::cat({newLow, newHigh}, 2).view(x.sizes());
            return;
        }
        low.copy_(newLow);
        high.copy_(newHigh);
        return;
    }
    kernels::Rope work;
    work.ldx = x.size(1);
    work.x = x.mutable_data_ptr<float>();
    work.heads = heads;
    work.headDim = 2 * m_half;
    work.cosines = m_cosines.data();
    work.sines = m_sines.data();
    const std::int64_t grain = std::max<std::int64_t>(1, kGrainValues / work.ldx);
    parallel(x.size(0), grain,
             [&](std::int64_t begin, std::int64_t end) { device.table->rope(work, begin, end); });
}

}  // namespace pareto::runtime
