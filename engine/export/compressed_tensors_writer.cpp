// Formats: vllm-project/compressed-tensors, src/compressed_tensors/compressors/{pack_quantized,naive_quantized}
// (float-quantized is the latter)
// and quantization/quant_{args,config,scheme}.py.
#include "engine/export/compressed_tensors_writer.h"

#include <algorithm>

#include "engine/export/hf_names.h"
#include "engine/layout/names.h"
#include "engine/weights/codes.h"

namespace pareto::exporting {

namespace {

bool isFloat8(const WeightFormat& format) { return format.format == NumberFormat::F8; }

std::int64_t wordsFor(std::int64_t values, int bits) { return (values * bits + 31) / 32; }

const std::uint8_t* rowOf(const Tensor& weight, std::int64_t row) {
    const QuantizedValues& values = weight.quantized();
    return reinterpret_cast<const std::uint8_t*>(values.codes.data()) +
           row * codeBytes(values.format.format, weight.shape[1]);
}

/// int4 or int8 codes from 0 on, in 32-bit words.
Buffer packCodes(const Tensor& weight) {
    const NumberFormat format = weight.quantized().format.format;
    const int bits = bitsOf(format);
    const std::int64_t perWord = 32 / bits;
    const std::int64_t cols = weight.shape[1];
    const std::int64_t words = wordsFor(cols, bits);
    std::vector<std::uint32_t> packed(static_cast<std::size_t>(weight.shape[0] * words));
    for (std::int64_t row = 0; row < weight.shape[0]; ++row) {
        for (std::int64_t col = 0; col < cols; ++col) {
            const int code = codes::at(format, rowOf(weight, row), col) + (1 << (bits - 1));
            packed[static_cast<std::size_t>(row * words + col / perWord)] |= static_cast<std::uint32_t>(code)
                                                                             << (col % perWord * bits);
        }
    }
    return Buffer::copyOf(std::span<const std::uint32_t>(packed));
}

/// Codes as one signed byte each.
Buffer byteCodes(const Tensor& weight) {
    const QuantizedValues& values = weight.quantized();
    if (values.format.format == NumberFormat::Int8) {
        return values.codes;
    }
    const std::int64_t cols = weight.shape[1];
    std::vector<std::int8_t> codes(static_cast<std::size_t>(weight.shape.elements()));
    for (std::int64_t at = 0; at < weight.shape.elements(); ++at) {
        codes[static_cast<std::size_t>(at)] = static_cast<std::int8_t>(
            codes::at(values.format.format, rowOf(weight, at / cols), at % cols));
    }
    return Buffer::copyOf(std::span<const std::int8_t>(codes));
}

io::TensorToWrite ready(std::string name, DType dtype, Shape shape, Buffer bytes) {
    return {std::move(name), dtype, std::move(shape),
            [bytes = std::move(bytes)]() -> Result<Buffer> { return bytes; }};
}

Json weightArguments(const WeightFormat& format) {
    const bool grouped = format.granularity == Granularity::Group;
    return {{"num_bits", bitsOf(format.format)},
            {"type", isFloat8(format) ? "float" : "int"},
            {"symmetric", format.symmetric},
            {"strategy", grouped ? "group" : "channel"},
            {"group_size", grouped ? Json(format.groupSize) : Json()},
            {"block_structure", nullptr},
            {"dynamic", false},
            {"actorder", nullptr},
            {"observer", "minmax"},
            {"observer_kwargs", Json::object()}};
}

Json activationArguments(const WeightFormat& format) {
    const bool fixed = format.activations == Activations::Int8Static;
    const bool grouped = format.activationGroup > 0;
    return {{"num_bits", 8},
            {"type", "int"},
            {"symmetric", true},
            {"strategy", fixed ? "tensor" : grouped ? "group" : "token"},
            {"group_size", grouped ? Json(format.activationGroup) : Json()},
            {"block_structure", nullptr},
            {"dynamic", !fixed},
            {"actorder", nullptr},
            {"observer", fixed ? Json("minmax") : Json()},
            {"observer_kwargs", Json::object()}};
}

std::string storageName(const WeightFormat& format) {
    return isFloat8(format)         ? "float-quantized"
           : isIntQuantized(format) ? "int-quantized"
                                    : "pack-quantized";
}

/// Python regular expression (re.match) for a module, however deep it sits in the class that is loaded.
std::string targetOf(const std::string& module) {
    std::string escaped;
    for (const char c : module) {
        escaped += c == '.' ? std::string("\\.") : std::string(1, c);
    }
    return "re:(.*\\.)?" + escaped + "$";
}

Json groupJson(const WeightFormat& format, Json targets) {
    return {{"targets", std::move(targets)},
            {"weights", weightArguments(format)},
            {"input_activations",
             format.isInt8Product() ? activationArguments(format) : Json()},
            {"output_activations", nullptr},
            {"format", storageName(format)}};
}

/// What compressed-tensors can tell apart; how a range was found is not part of it.
WeightFormat schemeOf(WeightFormat format) {
    format.range = RangeMethod::MinMax;
    if (format.granularity != Granularity::Group) {
        format.groupSize = 0;
    }
    return format;
}

}  // namespace

bool isIntQuantized(const WeightFormat& format) {
    return format.isInt8Product() || !format.symmetric;
}

std::vector<io::TensorToWrite> compressedTensors(const std::string& module, const Tensor& weight) {
    const QuantizedValues& values = weight.quantized();
    const std::int64_t rows = weight.shape[0];
    const std::int64_t cols = weight.shape[1];
    const std::int64_t groups = groupsPerRow(values.format, cols);
    std::vector<io::TensorToWrite> out;
    out.push_back(ready(module + ".weight_scale", DType::F32, {rows, groups}, values.scales));
    if (isFloat8(values.format)) {
        out.push_back(ready(module + ".weight", DType::F8E4M3, weight.shape, values.codes));
        return out;
    }
    if (values.format.activations == Activations::Int8Static) {
        out.push_back(ready(module + ".input_scale", DType::F32, {1},
                            Buffer::copyOf(std::span<const float>(&values.inputScale, 1))));
    }
    if (isIntQuantized(values.format)) {
        out.push_back({module + ".weight", DType::I8, weight.shape,
                       [weight]() -> Result<Buffer> { return byteCodes(weight); }});
        if (!values.zeroPoints.empty()) {
            out.push_back(
                ready(module + ".weight_zero_point", DType::I8, {rows, groups}, values.zeroPoints));
        }
        return out;
    }
    const int bits = bitsOf(values.format.format);
    out.push_back({module + ".weight_packed", DType::I32, Shape{rows, wordsFor(cols, bits)},
                   [weight]() -> Result<Buffer> { return packCodes(weight); }});
    const std::vector<std::int64_t> shape{rows, cols};
    out.push_back(ready(module + ".weight_shape", DType::I64, {2},
                        Buffer::copyOf(std::span<const std::int64_t>(shape))));
    return out;
}

Json quantizationConfig(const LoadedModel& model) {
    const ModelLayout& layout = model.layout;
    std::vector<std::pair<WeightFormat, std::vector<std::string>>> schemes;
    std::vector<std::string> dense;
    for (const auto& layer : layout.layers) {
        if (layer.isEmbedding() || denseNumber(layer.name) >= 0) {
            continue;
        }
        const std::string module = hfModuleName(layout, layer.name);
        const Tensor& weight = model.weight(layer);
        if (weight.isDense()) {
            dense.push_back(module);
            continue;
        }
        const WeightFormat scheme = schemeOf(weight.format());
        auto known = std::find_if(schemes.begin(), schemes.end(),
                                  [&](const auto& entry) { return entry.first == scheme; });
        if (known == schemes.end()) {
            schemes.push_back({scheme, {}});
            known = schemes.end() - 1;
        }
        known->second.push_back(module);
    }
    if (schemes.empty()) {
        return nullptr;
    }
    // transformers' encoders make a pooler whether or not the checkpoint has one.
    if (const auto pooler = hfModuleName(layout, "pooler");
        layout.outputs == Outputs::Embedding && layout.layerIndex("pooler") < 0 && !pooler.empty()) {
        dense.push_back(pooler);
    }
    Json ignore = Json::array();
    for (const auto& module : dense) {
        ignore.push_back(targetOf(module));
    }
    Json groups = Json::object();
    for (std::size_t at = 0; at < schemes.size(); ++at) {
        Json targets = Json::array();
        if (schemes.size() == 1) {
            targets.push_back("Linear");
        } else {
            for (const auto& module : schemes[at].second) {
                targets.push_back(targetOf(module));
            }
        }
        groups["group_" + std::to_string(at)] = groupJson(schemes[at].first, std::move(targets));
    }
    const bool mixed = std::any_of(schemes.begin(), schemes.end(), [&](const auto& entry) {
        return storageName(entry.first) != storageName(schemes.front().first);
    });
    return {{"quant_method", "compressed-tensors"},
            {"format", mixed ? std::string("mixed-precision") : storageName(schemes.front().first)},
            {"quantization_status", "compressed"},
            {"config_groups", std::move(groups)},
            {"ignore", std::move(ignore)},
            {"kv_cache_scheme", nullptr},
            {"global_compression_ratio", nullptr}};
}

}  // namespace pareto::exporting
