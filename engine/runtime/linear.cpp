#include "engine/runtime/linear.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>

#include "engine/runtime/parallel.h"
#include "engine/runtime/sparse_choice.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/runtime/weights_impl.h"
#include "engine/weights/rounding.h"

namespace pareto::runtime {
namespace {

/// Fewer values than this are not worth a second thread.
constexpr std::int64_t kGrainValues = 16384;
/// Rows of codes start on cache lines.
constexpr std::int64_t kCodeAlignment = 64;

kernels::WeightKind kindOf(DType type) {
    return type == DType::F16    ? kernels::WeightKind::F16
           : type == DType::BF16 ? kernels::WeightKind::BF16
                                 : kernels::WeightKind::F32;
}

float largestOf(const float* x, std::int64_t count) {
    // Magnitudes are ordered as their bits are, which compilers make vectors of.
    std::uint32_t largest = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        largest = std::max(largest, std::bit_cast<std::uint32_t>(x[i]) & 0x7FFFFFFFU);
    }
    return std::bit_cast<float>(largest);
}

void round16(const float* x, std::int64_t count, float largest, float* out) {
    const float scale = largest / 32767.5F;
    const float inverse = scale > 0.0F ? 1.0F / scale : 0.0F;
    for (std::int64_t i = 0; i < count; ++i) {
        out[i] = scale * std::clamp(rounding::roundToEven(x[i] * inverse), -32768.0F, 32767.0F);
    }
}

}  // namespace

LinearInput::LinearInput(const Device& device, const at::Tensor& x, const LargestOfAll* largestOfAll)
    : m_device(device), m_x(x), m_rows(x.size(0)), m_cols(x.size(1)), m_largestOfAll(largestOfAll),
      m_quantized(&threadMemory()), m_codePanels(&threadMemory()),
      m_floatPanels(&threadMemory()), m_rounded(&threadMemory()) {
    m_data = device.usesTorch() ? nullptr : x.const_data_ptr<float>();
}

LinearInput::~LinearInput() = default;

/// Of the whole rows, whoever holds the rest of them.
std::vector<float> LinearInput::largestOfRows() const {
    std::vector<float> out(static_cast<std::size_t>(m_rows));
    for (std::int64_t row = 0; row < m_rows; ++row) {
        out[static_cast<std::size_t>(row)] = largestOf(m_data + row * m_cols, m_cols);
    }
    (*m_largestOfAll)(out);
    return out;
}

at::Tensor LinearInput::largestOnDevice(std::int64_t groupSize, float fixedScale) {
    if (m_largestOfAll == nullptr || groupSize != 0 || fixedScale > 0.0F) {
        return {};
    }
    return derived("largest", [&] {
        at::Tensor host = at::empty({m_rows, 1}, at::TensorOptions().dtype(at::kFloat));
        host.copy_(m_x.abs().amax({1}, true));
        (*m_largestOfAll)({host.mutable_data_ptr<float>(), static_cast<std::size_t>(m_rows)});
        return std::vector<at::Tensor>{host.to(torchDevice(m_device))};
    })[0];
}

const QuantizedInput& LinearInput::quantized(const InputRounding& how) {
    if (const auto found = m_quantized.find(how); found != m_quantized.end()) {
        return found->second;
    }
    const bool sums = how.sumSize != 0;
    kernels::QuantizeRows work;
    work.x = m_data;
    work.fixedScale = how.fixedScale;
    work.k = m_cols;
    work.ldx = m_cols;
    work.groupSize = sums ? how.sumSize : how.groupSize == 0 ? m_cols : how.groupSize;
    work.oneScale = sums && how.groupSize == 0;
    work.groups = (m_cols + work.groupSize - 1) / work.groupSize;
    work.ldc = (m_cols + kCodeAlignment - 1) / kCodeAlignment * kCodeAlignment;
    std::vector<float> given;
    if (m_largestOfAll != nullptr && how.groupSize == 0 && how.fixedScale == 0.0F) {
        given = largestOfRows();
        std::transform(given.begin(), given.end(), given.begin(), [](float largest) { return largest / 127.5F; });
        work.rowScales = given.data();
    }
    const auto scales = static_cast<std::size_t>(m_rows * work.groups);
    QuantizedInput out{ThreadArray<std::uint8_t>(static_cast<std::size_t>(m_rows * work.ldc)), ThreadArray<float>(scales),
                       ThreadArray<std::int32_t>(sums ? scales : 0), work.ldc};
    work.codes = out.codes.data();
    work.scales = out.scales.data();
    work.sums = sums ? out.sums.data() : nullptr;
    work.sumFactor = how.sumFactor;
    work.m = m_rows;
    parallel(m_rows, std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, m_cols)),
             [&](std::int64_t begin, std::int64_t end) { m_device.table->quantizeRows(work, begin, end); });
    return m_quantized.emplace(how, std::move(out)).first->second;
}

at::Tensor LinearInput::panels(const float* entries, std::int64_t ld) const {
    const std::int64_t columns = (ld + 1) / 2 * 2;
    const std::int64_t tiles = (m_rows + kernels::kTileTokens - 1) / kernels::kTileTokens;
    const std::int64_t tokens = (m_rows + kernels::kTokenLanes - 1) / kernels::kTokenLanes * kernels::kTokenLanes;
    at::Tensor made = emptyFloats(m_device, {tokens, columns});
    float* out = made.mutable_data_ptr<float>();
    parallel(tiles, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t first = begin * kernels::kTileTokens; first < std::min(m_rows, end * kernels::kTileTokens);
             first += kernels::kTileTokens) {
            const std::int64_t width = std::min(kernels::kTileTokens, tokens - first);
            const std::int64_t count = std::min(width, m_rows - first);
            float* tile = out + first * columns;
            m_device.table->transpose(entries + first * ld, ld, count, ld, tile, width);
            for (std::int64_t c = 0; count < width && c < ld; ++c) {
                std::fill(tile + c * width + count, tile + (c + 1) * width, 0.0F);
            }
            std::fill(tile + ld * width, tile + columns * width, 0.0F);
        }
    });
    return made;
}

const void* LinearInput::floatPanels() {
    if (m_floatPanels.empty()) {
        m_floatPanels.push_back(panels(m_data, m_cols));
    }
    return m_floatPanels.front().const_data_ptr();
}

const void* LinearInput::codePanels(const InputRounding& how) {
    auto [at, added] = m_codePanels.try_emplace(how);
    if (added) {
        const auto& codes = quantized(how);
        at->second = panels(reinterpret_cast<const float*>(codes.data()), codes.ldc / 4);
    }
    return at->second.const_data_ptr();
}

const at::Tensor& LinearInput::rounded16(std::int64_t groupSize) {
    auto [found, added] = m_rounded.try_emplace(groupSize);
    if (!added) {
        return found->second;
    }
    found->second = emptyFloats(m_device, {m_rows, m_cols});
    float* out = found->second.mutable_data_ptr<float>();
    const std::int64_t length = std::max<std::int64_t>(1, groupSize == 0 ? m_cols : groupSize);
    const bool given = m_largestOfAll != nullptr && groupSize == 0;
    const auto largest = given ? largestOfRows() : std::vector<float>();
    parallel(m_rows, std::max<std::int64_t>(1, kGrainValues / std::max<std::int64_t>(1, m_cols)),
             [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t row = begin; row < end; ++row) {
                     for (std::int64_t col = 0; col < m_cols; col += length) {
                         const std::int64_t at = row * m_cols + col;
                         const std::int64_t count = std::min(length, m_cols - col);
                         round16(m_data + at, count,
                                 given ? largest[static_cast<std::size_t>(row)] : largestOf(m_data + at, count), out + at);
                     }
                 }
             });
    return found->second;
}

const std::vector<at::Tensor>& LinearInput::derived(const std::string& key,
                                                    const std::function<std::vector<at::Tensor>()>& make) {
    const auto found = m_derived.find(key);
    return found != m_derived.end() ? found->second : m_derived.emplace(key, make()).first->second;
}

std::optional<PanelWork> Weight::panelWork(LinearInput&, const Epilogue&, at::Tensor&) const {
    return std::nullopt;
}

at::Tensor PanelWeight::multiply(LinearInput& x, const Epilogue& epilogue) const {
    at::Tensor out;
    const auto work = panelWork(x, epilogue, out);
    runPanels(*work, panelGrain(cols(), x.m()));
    return out;
}

std::int64_t openProduct(const Device& device, const LinearInput& x, const Epilogue& epilogue, std::int64_t rows,
                         at::Tensor& out, kernels::ProductOutput& work) {
    const std::int64_t end = epilogue.rowEnd < 0 ? rows : epilogue.rowEnd;
    out = emptyFloats(device, {x.m(), end - epilogue.rowBegin});
    work.m = x.m();
    work.out = out.mutable_data_ptr<float>();
    work.ldo = end - epilogue.rowBegin;
    work.bias = epilogue.bias != nullptr ? epilogue.bias->const_data_ptr<float>() : nullptr;
    work.act = epilogue.act;
    work.firstRow = epilogue.rowBegin;
    return end;
}

std::int64_t panelGrain(std::int64_t cols, std::int64_t m) {
    constexpr std::int64_t kGrainProducts = std::int64_t{1} << 18;  // worth a thread of their own
    const std::int64_t work = std::max<std::int64_t>(1, kernels::kPanelRows * cols * std::max<std::int64_t>(m, 8));
    return std::max<std::int64_t>(1, kGrainProducts / work);
}

void runPanels(const PanelWork& work, std::int64_t grain) {
    constexpr std::int64_t kTilePanels = 6;  // what kernels take at a time, two or three, divides it
    inPieces(work.end - work.begin, (grain + kTilePanels - 1) / kTilePanels * kTilePanels,
             [&](std::int64_t begin, std::int64_t end) { work.run(work.begin + begin, work.begin + end); });
}

PanelWork rowsWork(const Device& device, const kernels::WeightRows& weight, LinearInput& x, const Epilogue& epilogue,
                   at::Tensor& out) {
    kernels::RowsGemm work;
    const std::int64_t end = openProduct(device, x, epilogue, weight.rows, out, work);
    work.weight = weight;
    work.x = x.data();
    work.ldx = weight.cols;
    return panelWorkOf(epilogue, end, [table = device.table, work, end](std::int64_t from, std::int64_t to) {
        table->rowsGemm(work, from * kernels::kPanelRows, std::min(end, to * kernels::kPanelRows));
    });
}

void runRows(const PanelWork& work, std::int64_t cols) {
    constexpr std::int64_t kGrainPanelValues = 1024;
    runPanels(work, std::max<std::int64_t>(1, kGrainPanelValues / std::max<std::int64_t>(1, cols)));
}

Tensor aligned(const Tensor& tensor) {
    const bool off = tensor.isDense() && tensor.dense().dtype == DType::F32 && !isAligned(tensor.dense().values.data(), alignof(float));
    return off ? denseTensor(tensor.shape, Buffer::copyOf(tensor.dense().values.bytes())) : tensor;
}

at::Tensor lookedUp(const Device& device, std::span<const std::int32_t> ids, std::int64_t cols,
                    const std::function<void(std::int32_t, float*)>& read) {
    constexpr std::int64_t kGrainRead = 4096;  // values that a thread should have
    at::Tensor out = emptyFloats(device, {static_cast<std::int64_t>(ids.size()), cols});
    float* to = out.mutable_data_ptr<float>();
    parallel(static_cast<std::int64_t>(ids.size()), std::max<std::int64_t>(1, kGrainRead / std::max<std::int64_t>(1, cols)),
             [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                     read(ids[static_cast<std::size_t>(i)], to + i * cols);
                 }
             });
    return out;
}

InputRounding roundingOf(const Tensor& tensor) {
    return {tensor.format().activationGroup, tensor.quantized().inputScale};
}

std::string withInputs(const std::string& weights, const InputRounding& rounding) {
    return weights + (rounding.fixedScale > 0.0F ? " static" : " dynamic");
}

kernels::WeightKind kindOf(NumberFormat format) {
    switch (format) {
        case NumberFormat::F32: return kernels::WeightKind::F32;
        case NumberFormat::F16: return kernels::WeightKind::F16;
        case NumberFormat::BF16: return kernels::WeightKind::BF16;
        case NumberFormat::F8: return kernels::WeightKind::F8;
        case NumberFormat::Int16: return kernels::WeightKind::Int16;
        case NumberFormat::Int8: return kernels::WeightKind::Int8;
        case NumberFormat::Int4: return kernels::WeightKind::Int4;
        case NumberFormat::Int3: return kernels::WeightKind::Int3;
        case NumberFormat::Int2: return kernels::WeightKind::Int2;
    }
    return kernels::WeightKind::F32;
}

void setFormat(kernels::WeightRows& rows, const WeightFormat& format) {
    rows.kind = kindOf(format.format);
    rows.groups = format.granularity == Granularity::Tensor ? 0 : groupsPerRow(format, rows.cols);
    rows.groupSize = format.granularity == Granularity::Group ? format.groupSize : rows.cols;
}

kernels::WeightRows weightRows(const Tensor& tensor) {
    kernels::WeightRows out;
    out.rows = tensor.shape[0];
    out.cols = tensor.shape[1];
    if (tensor.isDense()) {
        out.kind = kindOf(tensor.dense().dtype);
        out.values = tensor.dense().values.data();
        return out;
    }
    const auto& q = tensor.quantized();
    setFormat(out, q.format);
    out.values = q.codes.data();
    out.scales = q.scales.as<float>().data();
    out.zeroPoints = q.zeroPoints.empty() ? nullptr : q.zeroPoints.as<std::int8_t>().data();
    return out;
}

std::shared_ptr<const Weight> makeWeight(const Tensor& tensor, const Device& device, Batching batching, Uses uses) {
    if (device.usesTorch()) {
        return makeDeviceWeight(tensor, device, uses != Uses::Products);
    }
    const bool floats = tensor.isDense() && tensor.dense().dtype == DType::F32;
    if (floats && uses == Uses::Lookups) {
        return makeRowsWeight(tensor, device);
    }
    if (floats || (!tensor.isDense() && hasInt8Kernel(tensor))) {
        auto weight = floats ? makeDenseWeight(tensor, device) : makeInt8Weight(tensor, device);
        if (batching != Batching::Unknown) {
            weight = fasterWithoutZeros(tensor, device, std::move(weight), batching);
        }
        releasePages(tensor);  // what was packed would count twice
        return weight;
    }
    return !tensor.isDense() && hasGroupKernel(tensor, device) ? makeGroupWeight(tensor, device)
                                                               : makeRowsWeight(tensor, device);
}

kernels::Act actOf(Activation activation) {
    switch (activation) {
        case Activation::None: return kernels::Act::None;
        case Activation::Gelu: return kernels::Act::Gelu;
        case Activation::GeluTanh: return kernels::Act::GeluTanh;
        case Activation::Relu: return kernels::Act::Relu;
        case Activation::Silu: return kernels::Act::Silu;
        case Activation::Tanh: return kernels::Act::Tanh;
    }
    return kernels::Act::None;
}

at::Tensor someInput(const Device& device, std::int64_t tokens, std::int64_t cols) {
    at::Tensor x = emptyFloats(device, {tokens, cols});
    float* values = x.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < x.numel(); ++i) {
        values[i] = static_cast<float>(i * 37 % 255 - 127) / 127.0F;
    }
    return x;
}

double secondsOf(const Weight& weight, const Device& device, const at::Tensor& x) {
    const auto start = std::chrono::steady_clock::now();
    LinearInput input(device, x);
    weight.multiply(input, {});
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace pareto::runtime
