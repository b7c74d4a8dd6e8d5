#include "engine/layout/packed_config.h"

#include <algorithm>

namespace pareto {
namespace {

constexpr std::size_t kLongestPattern = 512;  ///< std::regex recurses: hostile patterns stay small
constexpr std::size_t kMostRules = 4096;
constexpr std::int64_t kMaxGroup = std::int64_t{1} << 20;

Error invalid(const std::string& file, std::string field, std::string reason) {
    return makeError(
        ErrorCode::ConfigInvalid,
        {{"file", file}, {"field", "quantization_config." + field}, {"reason", std::move(reason)}});
}

bool isGptqWidth(std::int64_t bits) { return bits == 2 || bits == 3 || bits == 4 || bits == 8; }

/// Reads what both the whole and one rule of `dynamic` may say.
Status readScheme(const Json& json, const std::string& file, const std::string& field,
                  PackedScheme& scheme) {
    JsonReader reader(json, ErrorCode::ConfigInvalid, file, field);
    const auto bits = reader.integer("bits", scheme.bits, 1, 32);
    scheme.groupSize = reader.integer("group_size", scheme.groupSize, -1, kMaxGroup);
    scheme.symmetric = reader.boolean("sym", scheme.symmetric);
    PARETO_CHECK(reader.status());
    if (!isGptqWidth(bits)) {
        return invalid(file, "bits", "is " + std::to_string(bits) + "; 2, 3, 4 and 8 can be read");
    }
    if (scheme.groupSize == 0) {
        return invalid(file, "group_size", "is 0");
    }
    scheme.bits = static_cast<int>(bits);
    return Done{};
}

std::string textOf(const Json& json, const char* key, const char* otherwise) {
    const auto found = json.find(key);
    return found == json.end() || found->is_null() ? otherwise
           : found->is_string()                    ? found->get<std::string>()
                                                   : found->dump();
}

}  // namespace

NumberFormat heldIntegers(std::int64_t bits) {
    return bits == 2   ? NumberFormat::Int2
           : bits == 3 ? NumberFormat::Int3
           : bits == 4 ? NumberFormat::Int4
                       : NumberFormat::Int8;
}

WeightFormat PackedScheme::format(std::int64_t cols) const {
    WeightFormat out;
    out.format = heldIntegers(bits);
    out.symmetric = symmetric;
    const bool grouped = groupSize > 0 && groupSize < cols;
    out.granularity = grouped ? Granularity::Group : Granularity::Channel;
    out.groupSize = grouped ? groupSize : 0;
    return out;
}

Result<PackedConfig> PackedConfig::parse(const io::ModelFiles& files) {
    PackedConfig result;
    const Json& config = files.config();
    const auto found = config.is_object() ? config.find("quantization_config") : config.end();
    if (!config.is_object() || found == config.end() || !found->is_object()) {
        return result;
    }
    const std::string file = files.transformerFolder() + "/config.json";
    const auto method = textOf(*found, "quant_method", "");
    if (method == "gptq") {
        PARETO_CHECK(result.parseGptq(*found, file));
    } else if (method == "awq") {
        PARETO_CHECK(result.parseAwq(*found, file));
    }
    return result;
}

Status PackedConfig::parseGptq(const Json& json, const std::string& file) {
    m_known = true;
    PARETO_CHECK(readScheme(json, file, "quantization_config", m_scheme));
    const auto version = textOf(json, "checkpoint_format", "gptq");
    if (version != "gptq" && version != "gptq_v2") {
        return invalid(file, "checkpoint_format",
                       "is " + version + "; gptq and gptq_v2 can be read");
    }
    m_scheme.zeroMinusOne = version == "gptq";
    if (const auto word = textOf(json, "pack_dtype", "int32"); word != "int32") {
        return invalid(file, "pack_dtype", "is " + word + "; int32 can be read");
    }
    const auto rules = json.find("dynamic");
    return rules == json.end() || rules->is_null() ? Status(Done{}) : parseRules(*rules, file);
}

/// {"+:pattern" or "pattern": {what differs}, "-:pattern": {}}: a pattern is matched from the start of the
/// module's name, as Python's re.match does.
Status PackedConfig::parseRules(const Json& rules, const std::string& file) {
    if (!rules.is_object() || rules.size() > kMostRules) {
        return invalid(file, "dynamic", "is not an object of at most 4096 rules");
    }
    for (const auto& [key, value] : rules.items()) {
        const auto pattern = key.starts_with("+:") || key.starts_with("-:") ? key.substr(2) : key;
        if (pattern.size() > kLongestPattern || !value.is_object()) {
            return invalid(file, "dynamic", "has a rule that is too long or no object");
        }
        Rule rule{{}, m_scheme};
        try {
            rule.pattern = std::regex(pattern, std::regex::ECMAScript);
        } catch (const std::regex_error&) {
            return invalid(file, "dynamic", "has a bad pattern: " + pattern);
        }
        PARETO_CHECK(readScheme(value, file, "quantization_config.dynamic", rule.scheme));
        m_rules.push_back(std::move(rule));
    }
    return Done{};
}

Status PackedConfig::parseAwq(const Json& json, const std::string& file) {
    m_known = true;
    const auto version = textOf(json, "version", "gemm");
    if (version != "gemm" && version != "GEMM") {
        return invalid(file, "version", "is " + version + "; gemm can be read");
    }
    JsonReader reader(json, ErrorCode::ConfigInvalid, file, "quantization_config");
    const auto bits = reader.integer(json.contains("bits") ? "bits" : "w_bit", 4, 1, 32);
    m_scheme.groupSize = reader.integer(json.contains("group_size") ? "group_size" : "q_group_size",
                                        128, -1, kMaxGroup);
    PARETO_CHECK(reader.status());
    if (bits != 4 || m_scheme.groupSize == 0) {
        return invalid(file, "bits", "must be 4 and group_size not 0 for AWQ");
    }
    m_scheme.layout = PackedScheme::Layout::Awq;
    m_scheme.symmetric = false;
    m_scheme.zeroMinusOne = false;
    return Done{};
}

PackedScheme PackedConfig::find(const std::string& module) const {
    for (const auto& rule : m_rules) {
        if (std::regex_search(module, rule.pattern, std::regex_constants::match_continuous)) {
            return rule.scheme;
        }
    }
    return m_scheme;
}

bool isPacked(const io::ModelFiles& files, const std::string& module) {
    return files.find(module + ".qweight") != nullptr;
}

Result<std::vector<std::int32_t>> scatteredGroups(const io::ModelFiles& files,
                                                  const std::string& name, std::int64_t cols,
                                                  std::int64_t groupSize) {
    std::vector<std::int32_t> groups;
    const auto* tensor = files.find(name);
    if (tensor == nullptr) {
        return groups;
    }
    if (tensor->encoding.block || tensor->encoding.dtype != DType::I32) {
        return makeError(ErrorCode::TensorType, {{"file", files.path()},
                                                 {"tensor", tensor->name},
                                                 {"found", tensor->typeName},
                                                 {"reason", "groups are I32"}});
    }
    if (tensor->shape != Shape{cols}) {
        return makeError(ErrorCode::TensorShape, {{"file", files.path()},
                                                  {"tensor", tensor->name},
                                                  {"found", tensor->shape.text()},
                                                  {"expected", Shape{cols}.text()}});
    }
    PARETO_TRY(const Buffer raw, files.raw(*tensor));
    const auto values = raw.as<std::int32_t>();
    const std::int64_t length = groupSize > 0 ? groupSize : cols;
    if (std::all_of(values.begin(), values.end(), [](std::int32_t group) { return group == -1; })) {
        return groups;
    }
    for (std::int64_t col = 0; col < cols; ++col) {
        if (values[static_cast<std::size_t>(col)] != col / length) {
            groups.assign(values.begin(), values.end());
            break;
        }
    }
    return groups;
}

}  // namespace pareto
