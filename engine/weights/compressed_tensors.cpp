#include "engine/weights/compressed_tensors.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/layout/packed_config.h"
#include "engine/weights/quantize.h"
#include "engine/weights/quantized_parts.h"

namespace pareto {

namespace {

constexpr std::size_t kLongestPattern = 512;  ///< std::regex recurses: hostile patterns stay small

Error invalid(const std::string& file, std::string field, std::string reason) {
    return makeError(
        ErrorCode::ConfigInvalid,
        {{"file", file}, {"field", "quantization_config." + field}, {"reason", std::move(reason)}});
}

std::string moduleOf(const std::string& source) {
    constexpr std::string_view kSuffix = ".weight";
    return source.ends_with(kSuffix) ? source.substr(0, source.size() - kSuffix.size()) : source;
}

Status readActivations(const Json& json, const std::string& file, CompressedScheme& scheme) {
    JsonReader reader(json, ErrorCode::ConfigInvalid, file,
                      "quantization_config.config_groups.input_activations");
    const auto bits = reader.integer("num_bits", 8, 1, 32);
    const bool dynamic = reader.boolean("dynamic", false);
    const std::string type = reader.text("type", "int");
    const std::string strategy = reader.text("strategy", dynamic ? "token" : "tensor");
    const bool symmetric = reader.boolean("symmetric", true);
    if (strategy == "group") {
        scheme.activationGroup = reader.integer("group_size", 0, 1, std::int64_t{1} << 20);
    }
    PARETO_CHECK(reader.status());
    const bool perToken = dynamic && (strategy == "token" || strategy == "group");
    const bool fixed = !dynamic && strategy == "tensor" && symmetric;
    if (bits != 8 || type != "int" || (!perToken && !fixed)) {
        return invalid(file, "config_groups.input_activations",
                       "must be 8-bit integers, dynamic per token or group, or static and symmetric per "
                       "tensor; other schemes are not known");
    }
    scheme.activations = fixed ? Activations::Int8Static : Activations::Int8Dynamic;
    return Done{};
}

/// The files' side of one quantized weight.
struct Parts {
    const io::TensorInfo* codes = nullptr;
    const io::TensorInfo* scale = nullptr;
    const io::TensorInfo* zero = nullptr;
    bool packed = false;
};

Result<Parts> findParts(const io::ModelFiles& files, const std::string& source, bool floating) {
    Parts parts;
    parts.codes = files.find(source + "_packed");
    parts.packed = parts.codes != nullptr;
    if (!parts.packed) {
        parts.codes = files.find(source);
    }
    parts.scale = files.find(source + "_scale");
    parts.zero = files.find(source + "_zero_point");
    for (const auto& [tensor, name] :
         {std::pair{parts.codes, source}, std::pair{parts.scale, source + "_scale"}}) {
        if (tensor == nullptr) {
            return makeError(ErrorCode::TensorMissing, {{"file", files.path()}, {"tensor", name}});
        }
    }
    if (floating) {
        return hasType(*parts.codes, DType::F8E4M3)
                   ? Result<Parts>(parts)
                   : wrongType(files, *parts.codes, "8-bit floats are F8_E4M3");
    }
    if (parts.packed ? !hasType(*parts.codes, DType::I32) : !hasType(*parts.codes, DType::I8)) {
        return wrongType(files, *parts.codes,
                         parts.packed ? "packed codes are I32 words" : "codes are I8");
    }
    return parts;
}

/// Granularity and group size, as the shape of the scales tells them.
Status readGranularity(const io::ModelFiles& files, const io::TensorInfo& scale, const Shape& shape,
                       WeightFormat& format) {
    const std::int64_t rows = shape[0];
    const std::int64_t cols = shape[1];
    if (scale.shape.elements() == 1 && rows != 1) {
        format.granularity = Granularity::Tensor;
        format.groupSize = 0;
        return Done{};
    }
    if (scale.shape.rank() == 0 || scale.shape[0] != rows || scale.shape.rank() > 2) {
        return wrongShape(files, scale, std::to_string(rows) + "×groups");
    }
    const std::int64_t groups = scale.shape.rank() == 2 ? scale.shape[1] : 1;
    if (groups == 1) {
        format.granularity = Granularity::Channel;
        format.groupSize = 0;
        return Done{};
    }
    if (groups < 1 || cols % groups != 0) {
        return wrongShape(
            files, scale,
            std::to_string(rows) + "×groups that divide " + std::to_string(cols) + " columns");
    }
    format.granularity = Granularity::Group;
    format.groupSize = cols / groups;
    return Done{};
}

Result<Buffer> readPackedCodes(const io::ModelFiles& files, const io::TensorInfo& tensor,
                               const Shape& shape, int bits) {
    const std::int64_t rows = shape[0];
    const std::int64_t cols = shape[1];
    const std::int64_t words = (cols * bits + 31) / 32;
    if (tensor.shape != Shape{rows, words}) {
        return wrongShape(files, tensor, Shape{rows, words}.text());
    }
    PARETO_TRY(const Buffer raw, files.raw(tensor));
    const auto packed = raw.as<std::uint32_t>();
    return Buffer::create(static_cast<std::size_t>(rows * cols), [&](std::span<std::byte> out) {
        for (std::int64_t row = 0; row < rows; ++row) {
            const auto line = packed.subspan(static_cast<std::size_t>(row * words));
            for (std::int64_t col = 0; col < cols; ++col) {
                const int stored = static_cast<int>(packedElement(line, col, bits));
                out[static_cast<std::size_t>(row * cols + col)] =
                    static_cast<std::byte>(stored - (1 << (bits - 1)));
            }
        }
    });
}

/// One signed byte a code. Codes of fewer bits are stored so, too, where zero points keep them from being
/// packed.
Result<Buffer> readByteCodes(const io::ModelFiles& files, const io::TensorInfo& tensor, int bits) {
    PARETO_TRY(Buffer raw, files.raw(tensor));
    const auto codes = raw.as<std::int8_t>();
    const int limit = 1 << (bits - 1);
    if (std::any_of(codes.begin(), codes.end(),
                    [&](int code) { return code < -limit || code >= limit; })) {
        return wrongType(files, tensor,
                         "a code does not fit into " + std::to_string(bits) + " bits");
    }
    return raw;
}

Result<Buffer> readZeroPoints(const io::ModelFiles& files, const Parts& parts, std::int64_t rows,
                              std::int64_t groups, int bits) {
    const io::TensorInfo& tensor = *parts.zero;
    if (hasType(tensor, DType::I8)) {
        if (tensor.shape.elements() != rows * groups) {
            return wrongShape(files, tensor, Shape{rows, groups}.text());
        }
        return files.raw(tensor);
    }
    if (!hasType(tensor, DType::I32)) {
        return wrongType(files, tensor, "zero points are I8, or I32 words");
    }
    // Packed along the rows.
    const std::int64_t words = (rows * bits + 31) / 32;
    if (tensor.shape != Shape{words, groups}) {
        return wrongShape(files, tensor, Shape{words, groups}.text());
    }
    PARETO_TRY(const Buffer raw, files.raw(tensor));
    const auto packed = raw.as<std::uint32_t>();
    std::vector<std::int8_t> zeros(static_cast<std::size_t>(rows * groups));
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t group = 0; group < groups; ++group) {
            const auto column = packed.subspan(static_cast<std::size_t>(group));
            const auto stored = packedElement(column, row, bits, groups);
            zeros[static_cast<std::size_t>(row * groups + group)] =
                static_cast<std::int8_t>(static_cast<int>(stored) - (1 << (bits - 1)));
        }
    }
    return Buffer::copyOf(std::span<const std::int8_t>(zeros));
}

/// The step of a linear's inputs.
Result<float> readInputScale(const io::ModelFiles& files, const std::string& module) {
    PARETO_TRY(const io::TensorInfo* info, partNamed(files, module + ".input_scale"));
    if (info->shape.elements() != 1) {
        return wrongShape(files, *info, "1");
    }
    PARETO_TRY(const Buffer scale, readScales(files, *info));
    const float value = scale.as<float>()[0];
    if (!(value > 0.0F)) {
        return makeError(ErrorCode::TensorValues, {{"file", files.path()},
                                                   {"tensor", info->name},
                                                   {"count", "1"},
                                                   {"reason", "scales of inputs must be above 0"}});
    }
    return value;
}

/// E4M3 as it lies. TensorValues: a NaN.
Result<Tensor> readFloats(const io::ModelFiles& files, const io::TensorInfo& tensor, Buffer scales,
                          const WeightFormat& format) {
    QuantizedValues values;
    values.format = format;
    values.scales = std::move(scales);
    PARETO_TRY(values.codes, files.raw(tensor));
    const auto codes = values.codes.as<std::uint8_t>();
    const auto bad = std::count_if(codes.begin(), codes.end(),
                                   [](std::uint8_t code) { return (code & 0x7F) == 0x7F; });
    if (bad != 0) {
        return makeError(ErrorCode::TensorValues, {{"file", files.path()},
                                                   {"tensor", tensor.name},
                                                   {"count", std::to_string(bad)},
                                                   {"reason", "the model cannot be run with them"}});
    }
    return Tensor{tensor.shape, std::move(values)};
}

}  // namespace

Result<CompressedConfig::Group> CompressedConfig::parseGroup(const Json& json,
                                                             const std::string& file) {
    Group group;
    const auto targets = json.find("targets");
    const auto weights = json.find("weights");
    if (targets == json.end() || !targets->is_array() || weights == json.end() ||
        !weights->is_object()) {
        return invalid(file, "config_groups", "needs targets and weights");
    }
    JsonReader reader(*weights, ErrorCode::ConfigInvalid, file,
                      "quantization_config.config_groups.weights");
    group.scheme.bits = static_cast<int>(reader.integer("num_bits", 8, 1, 32));
    group.scheme.symmetric = reader.boolean("symmetric", true);
    const std::string type = reader.text("type", "int");
    PARETO_CHECK(reader.status());
    group.scheme.floating = type == "float";
    if ((type != "int" && type != "float") || group.scheme.bits > 8 ||
        (group.scheme.floating && group.scheme.bits != 8) || group.scheme.bits < 2) {
        return invalid(file, "config_groups.weights",
                       "must be integers of 2 to 8 bits or floats of 8");
    }
    if (const auto activations = json.find("input_activations");
        !group.scheme.floating && activations != json.end() && activations->is_object()) {
        PARETO_CHECK(readActivations(*activations, file, group.scheme));
    }
    for (const auto& target : *targets) {
        const std::string text = target.is_string() ? target.get<std::string>() : std::string();
        if (text == "Linear") {
            group.allLinears = true;
        } else if (text.starts_with("re:") && text.size() <= kLongestPattern) {
            try {
                group.patterns.emplace_back(text.substr(3), std::regex::ECMAScript);
            } catch (const std::regex_error&) {
                return invalid(file, "config_groups.targets", "has a bad pattern: " + text);
            }
        } else {
            group.names.push_back(text);
        }
    }
    return group;
}

Result<CompressedConfig> CompressedConfig::parse(const io::ModelFiles& files) {
    CompressedConfig result;
    const Json& config = files.config();
    if (!config.is_object() || !config.contains("quantization_config")) {
        return result;
    }
    const std::string file = files.transformerFolder() + "/config.json";
    const Json& json = config.at("quantization_config");
    const std::string method =
        json.is_object() && json.contains("quant_method") && json.at("quant_method").is_string()
            ? json.at("quant_method").get<std::string>()
            : std::string();
    if (method != "compressed-tensors") {
        return invalid(file, "quant_method",
                       "is \"" + method + "\"; known are compressed-tensors, gptq and awq");
    }
    const auto groups = json.find("config_groups");
    if (groups == json.end() || !groups->is_object()) {
        return invalid(file, "config_groups", "is missing");
    }
    for (const auto& [name, value] : groups->items()) {
        PARETO_TRY(Group group, parseGroup(value, file));
        result.m_groups.push_back(std::move(group));
    }
    return result;
}

const CompressedScheme* CompressedConfig::find(const std::string& name) const {
    const CompressedScheme* byClass = nullptr;
    for (const auto& group : m_groups) {
        // compressed-tensors uses Python's re.match: anchored at the start only.
        const bool named =
            std::find(group.names.begin(), group.names.end(), name) != group.names.end() ||
            std::any_of(group.patterns.begin(), group.patterns.end(), [&](const auto& pattern) {
                return std::regex_search(name, pattern, std::regex_constants::match_continuous);
            });
        if (named) {
            return &group.scheme;
        }
        if (group.allLinears && byClass == nullptr) {
            byClass = &group.scheme;
        }
    }
    return byClass;
}

bool isCompressed(const io::ModelFiles& files, const std::string& source) {
    return files.find(source + "_scale") != nullptr || files.find(source + "_packed") != nullptr;
}

Result<Tensor> readCompressed(const io::ModelFiles& files, const CompressedConfig& config,
                              const std::string& source, const Shape& shape) {
    const CompressedScheme* scheme = config.find(moduleOf(source));
    if (scheme == nullptr) {
        return invalid(files.transformerFolder() + "/config.json", "config_groups",
                       "does not say how " + moduleOf(source) + " is quantized");
    }
    PARETO_TRY(const Parts parts, findParts(files, source, scheme->floating));
    if (!parts.packed && parts.codes->shape != shape) {
        return wrongShape(files, *parts.codes, shape.text());
    }
    WeightFormat format;
    format.format = scheme->floating ? NumberFormat::F8 : heldIntegers(scheme->bits);
    format.symmetric = scheme->floating || scheme->symmetric;
    format.activations = scheme->activations;
    format.activationGroup = scheme->activationGroup;
    PARETO_CHECK(readGranularity(files, *parts.scale, shape, format));
    IntegerCodes codes;
    codes.rows = shape[0];
    codes.cols = shape[1];
    PARETO_TRY(codes.scales, readScales(files, *parts.scale));
    if (scheme->floating) {
        return readFloats(files, *parts.codes, std::move(codes.scales), format);
    }
    PARETO_TRY(codes.codes, parts.packed ? readPackedCodes(files, *parts.codes, shape, scheme->bits)
                                         : readByteCodes(files, *parts.codes, scheme->bits));
    if (!scheme->symmetric) {
        if (parts.zero == nullptr) {
            return makeError(ErrorCode::TensorMissing,
                             {{"file", files.path()}, {"tensor", source + "_zero_point"}});
        }
        const bool perTensor = format.granularity == Granularity::Tensor;
        const std::int64_t groups = groupsPerRow(format, shape[1]);
        PARETO_TRY(codes.zeros, readZeroPoints(files, parts, perTensor ? 1 : shape[0],
                                               perTensor ? 1 : groups, scheme->bits));
    }
    const auto groupIndex = source + "_g_idx";
    PARETO_TRY(codes.groupOf, scatteredGroups(files, groupIndex, shape[1], format.groupSize));
    PARETO_TRY(Tensor tensor, heldTensor(files, groupIndex, std::move(codes), format));
    if (format.activations == Activations::Int8Static && !tensor.isDense()) {
        PARETO_TRY(std::get<QuantizedValues>(tensor.storage).inputScale,
                   readInputScale(files, moduleOf(source)));
    }
    return tensor;
}

}  // namespace pareto
