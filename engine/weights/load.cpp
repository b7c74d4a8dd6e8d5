#include "engine/weights/load.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>

#include "engine/weights/count.h"
#include "engine/weights/quantized_source.h"
#include "engine/weights/select.h"

namespace pareto {

namespace {

constexpr std::int64_t kGrainValues = 1 << 18;

/// GGUF holds the rows of rotary queries and keys in pairs (i, i + d/2) side by side: row
/// head·d + 2i + j. Hugging Face's rotate_half, which the forward pass follows, wants row
/// head·d + j·d/2 + i (llama.cpp, convert_hf_to_gguf.py, LlamaModel.permute).
Buffer unpermuteRope(const Buffer& values, std::int64_t rows, std::int64_t heads) {
    const std::int64_t headRows = rows / heads;
    const std::int64_t half = headRows / 2;
    const std::size_t rowBytes = values.size() / static_cast<std::size_t>(rows);
    return Buffer::createLasting(values.size(), [&](std::span<std::byte> out) {
        for (std::int64_t row = 0; row < rows; ++row) {
            const std::int64_t head = row / headRows;
            const std::int64_t pair = row % headRows / 2;
            const std::int64_t part = row % 2;
            const std::int64_t to = head * headRows + part * half + pair;
            std::memcpy(out.data() + static_cast<std::size_t>(to) * rowBytes,
                        values.data() + static_cast<std::size_t>(row) * rowBytes, rowBytes);
        }
    });
}

/// Columns [first, first + count) of [rows][cols], upright: [count][rows], `valueBytes` a value.
Buffer transposedColumns(const Buffer& values, const Shape& shape, std::int64_t first,
                         std::int64_t count, std::size_t valueBytes) {
    constexpr std::int64_t kTile = 32;  // so that both sides stay in the cache
    const std::int64_t rows = shape[0];
    const std::int64_t cols = shape[1];
    return Buffer::createLasting(static_cast<std::size_t>(rows * count) * valueBytes, [&](std::span<std::byte> out) {
        for (std::int64_t tile = 0; tile < rows; tile += kTile) {
            for (std::int64_t col = 0; col < count; ++col) {
                for (std::int64_t row = tile; row < std::min(rows, tile + kTile); ++row) {
                    std::memcpy(out.data() + static_cast<std::size_t>(col * rows + row) * valueBytes,
                                values.data() + static_cast<std::size_t>(row * cols + first + col) * valueBytes,
                                valueBytes);
                }
            }
        }
    });
}

Buffer addOne(const Buffer& values) {
    std::vector<float> out(values.as<float>().begin(), values.as<float>().end());
    for (float& value : out) {
        value += 1.0F;
    }
    return Buffer::copyOf(std::span<const float>(out));
}

/// Values [begin, end) with all of the exponent's bits set.
template <typename Bits>
std::int64_t countExponents(const Buffer& values, std::int64_t begin, std::int64_t end, Bits exponent) {
    const auto* bits = reinterpret_cast<const Bits*>(values.data());
    return countWhere(end - begin, [&](std::int64_t i) { return (bits[begin + i] & exponent) == exponent; });
}

std::int64_t countNotFinite(const DenseValues& dense, const ParallelFor& parallel) {
    std::atomic<std::int64_t> bad{0};
    const auto count = static_cast<std::int64_t>(dense.values.size() / dtypeBytes(dense.dtype));
    parallel(count, kGrainValues, [&](std::int64_t begin, std::int64_t end) {
        if (dense.dtype == DType::F32) {
            bad += countExponents<std::uint32_t>(dense.values, begin, end, 0x7F800000U);
        } else {
            bad += countExponents<std::uint16_t>(dense.values, begin, end,
                                                 dense.dtype == DType::F16 ? 0x7C00 : 0x7F80);
        }
    });
    return bad.load();
}

class Loader {
public:
    Loader(const io::ModelFiles& files, const ModelLayout& layout, QuantizedSource quantized,
           const ParallelFor& parallel)
        : m_files(files),
          m_layout(layout),
          m_quantized(std::move(quantized)),
          m_parallel(parallel) {}

    Result<Tensor> load(const TensorBinding& binding) const {
        if (m_quantized.holds(m_files, binding.source)) {
            return loadQuantized(binding);
        }
        const io::TensorInfo* info = m_files.find(binding.source);
        if (info == nullptr) {
            return makeError(ErrorCode::TensorMissing,
                             {{"file", m_files.path()}, {"tensor", binding.source}});
        }
        if (info->shape.elements() != binding.shape.elements() * binding.parts) {
            return makeError(ErrorCode::TensorShape, {{"file", m_files.path()},
                                                      {"tensor", binding.source},
                                                      {"found", info->shape.text()},
                                                      {"expected", binding.shape.text()}});
        }
        PARETO_TRY(DenseValues dense, readDense(binding, *info));
        if (const auto bad = countNotFinite(dense, m_parallel); bad != 0) {
            return makeError(ErrorCode::TensorValues,
                             {{"file", m_files.path()},
                              {"tensor", binding.source},
                              {"count", std::to_string(bad)},
                              {"reason", "the model cannot be run with them"}});
        }
        if (binding.transform == Transform::UnpermuteRope && dense.values.size() != 0) {
            const std::int64_t rows = binding.shape[0];
            if (binding.heads < 1 || rows % (2 * binding.heads) != 0) {
                return typeError(binding, "its rows do not fall into pairs a head");
            }
            dense.values = unpermuteRope(dense.values, rows, binding.heads);
        }
        if (binding.transform == Transform::AddOne) {
            dense.values = addOne(dense.values);
        }
        dense.values.releasePages();
        return Tensor{binding.shape, std::move(dense)};
    }

private:
    /// GPTQ turns a Conv1D's weight into a linear's before it packs it: nothing is left to transpose.
    Result<Tensor> loadQuantized(const TensorBinding& binding) const {
        const bool turned =
            binding.transform == Transform::Transpose && !m_files.find(binding.source);
        if (binding.transform != Transform::None && !turned) {
            return typeError(binding, "integer codes with permuted rows are not known");
        }
        const std::int64_t rows = binding.shape[0];
        PARETO_TRY(Tensor whole, m_quantized.read(m_files, binding.source,
                                                  Shape{rows * binding.parts, binding.shape[1]}));
        if (binding.parts == 1) {
            return whole;
        }
        std::vector<std::int64_t> chosen(static_cast<std::size_t>(rows));
        std::iota(chosen.begin(), chosen.end(), rows * binding.part);
        return selectRows(whole, chosen);
    }

    /// The binding's values, put upright and cut from their fused neighbours. Weights stay in 16 bits.
    /// Biases and norms become fp32: they are small, and every size formula
    /// counts them so.
    Result<DenseValues> readDense(const TensorBinding& binding, const io::TensorInfo& info) const {
        constexpr std::string_view kSuffix = ".weight";
        const bool isWeight =
            binding.name.ends_with(kSuffix) &&
            m_layout.layerIndex(binding.name.substr(0, binding.name.size() - kSuffix.size())) >= 0;
        const bool sixteen =
            isWeight && !info.encoding.block &&
            (info.encoding.dtype == DType::F16 || info.encoding.dtype == DType::BF16);
        DenseValues dense;
        dense.dtype = sixteen ? info.encoding.dtype : DType::F32;
        const std::int64_t rows = binding.shape.rank() > 0 ? binding.shape[0] : 1;
        const bool upright = binding.transform != Transform::Transpose || binding.shape.rank() != 2;
        if (binding.parts > 1 && upright && !sixteen) {
            // Only its own rows: a view of all parts would keep what was expanded of the others.
            PARETO_TRY(dense.values, m_files.floatRows(info, binding.part * rows, rows, m_parallel));
            return dense;
        }
        PARETO_TRY(dense.values, sixteen ? m_files.raw(info) : m_files.floats(info, m_parallel));
        if (!upright) {
            dense.values = transposedColumns(dense.values, Shape{binding.shape[1], rows * binding.parts},
                                             binding.part * rows, rows, dtypeBytes(dense.dtype));
        } else if (binding.parts > 1) {
            const std::size_t bytes = dense.values.size() / static_cast<std::size_t>(binding.parts);
            dense.values = dense.values.part(bytes * static_cast<std::size_t>(binding.part), bytes);
        }
        return dense;
    }

    Error typeError(const TensorBinding& binding, std::string reason) const {
        const io::TensorInfo* info = m_files.find(binding.source);
        return makeError(ErrorCode::TensorType,
                         {{"file", m_files.path()},
                          {"tensor", binding.source},
                          {"found", info != nullptr ? info->typeName : std::string("packed codes")},
                          {"reason", std::move(reason)}});
    }

    const io::ModelFiles& m_files;
    const ModelLayout& m_layout;
    QuantizedSource m_quantized;
    const ParallelFor& m_parallel;
};

class FileTensors : public TensorSource {
public:
    FileTensors(std::shared_ptr<const io::ModelFiles> files, ModelLayout layout, QuantizedSource quantized, ParallelFor parallel)
        : m_files(std::move(files)),
          m_layout(std::move(layout)),
          m_parallel(std::move(parallel)),
          m_loader(*m_files, m_layout, std::move(quantized), m_parallel) {
        for (const auto& binding : m_layout.bindings) {
            m_bindings.emplace(binding.name, &binding);
        }
    }
    FileTensors(const FileTensors&) = delete;
    FileTensors& operator=(const FileTensors&) = delete;

    const ModelLayout& layout() const override { return m_layout; }
    std::vector<std::string> names() const override {
        std::vector<std::string> out;
        for (const auto& [name, binding] : m_bindings) {
            out.push_back(name);
        }
        return out;
    }
    bool has(const std::string& name) const override { return m_bindings.contains(name); }
    Result<Tensor> tensor(const std::string& name) const override {
        const auto found = m_bindings.find(name);
        if (found == m_bindings.end()) {
            return makeError(ErrorCode::TensorMissing, {{"file", m_files->path()}, {"tensor", name}});
        }
        return m_loader.load(*found->second);
    }

private:
    std::shared_ptr<const io::ModelFiles> m_files;
    ModelLayout m_layout;
    ParallelFor m_parallel;
    Loader m_loader;
    std::map<std::string, const TensorBinding*> m_bindings;
};

}  // namespace

Result<std::unique_ptr<TensorSource>> openWeights(std::shared_ptr<const io::ModelFiles> files, ModelLayout layout,
                                                  ParallelFor parallel) {
    PARETO_TRY(QuantizedSource quantized, QuantizedSource::open(*files));
    const bool packed = std::any_of(layout.bindings.begin(), layout.bindings.end(),
                                    [&](const TensorBinding& binding) { return quantized.holds(*files, binding.source); });
    if (packed) {
        return std::unique_ptr<TensorSource>();
    }
    return std::unique_ptr<TensorSource>(
        std::make_unique<FileTensors>(std::move(files), std::move(layout), std::move(quantized), std::move(parallel)));
}

Result<LoadedModel> loadWeights(const io::ModelFiles& files, ModelLayout layout, Progress& progress,
                                std::stop_token stop, const ParallelFor& parallel) {
    PARETO_TRY(QuantizedSource quantized, QuantizedSource::open(files));
    const Loader loader(files, layout, std::move(quantized), parallel);
    std::int64_t total = 0;
    for (const auto& binding : layout.bindings) {
        total += binding.shape.elements();
    }
    progress.begin(Stage::Opening, total * static_cast<std::int64_t>(sizeof(float)), Unit::Bytes);
    LoadedModel model;
    for (const auto& binding : layout.bindings) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        PARETO_TRY(Tensor tensor, loader.load(binding));
        progress.advance(binding.shape.elements() * static_cast<std::int64_t>(sizeof(float)));
        model.tensors.emplace(binding.name, std::move(tensor));
    }
    // What the tensors are held in is the last word on what the layout says of them.
    for (auto& layer : layout.layers) {
        const auto weight =
            model.tensors.find((layer.tiedTo.empty() ? layer.name : layer.tiedTo) + ".weight");
        if (weight != model.tensors.end()) {
            layer.sourceFormat = weight->second.format();
        }
    }
    model.layout = std::move(layout);
    return model;
}

}  // namespace pareto
