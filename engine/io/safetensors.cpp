#include "engine/io/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "engine/io/checked.h"

namespace pareto::io {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
/// The limit of the reference implementation.
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
constexpr std::size_t kMaxMetadataBytes = std::size_t{1} << 20;
/// object / tensor / array, and one to spare as the format's authors allow.
constexpr int kMaxDepth = 4;
constexpr std::size_t kMaxRank = 16;

/// Types of the format that no tensor of a model's forward pass has; a file that holds some is read without.
struct OtherType {
    std::string_view name;
    std::uint64_t bits;
};
constexpr std::array<OtherType, 10> kOtherTypes{{{"U64", 64},        {"U32", 32},
                                                 {"U16", 16},        {"C64", 64},
                                                 {"F8_E8M0", 8},     {"F8_E4M3FNUZ", 8},
                                                 {"F8_E5M2FNUZ", 8}, {"F6_E2M3", 6},
                                                 {"F6_E3M2", 6},     {"F4", 4}}};

class HeaderParser {
public:
    HeaderParser(const InputFile& file, std::string text) : m_file(file), m_text(std::move(text)) {}

    Result<SafetensorsHeader> run() {
        PARETO_TRY(const Json root, parse());
        if (!root.is_object()) {
            return corrupt(kLengthBytes, "the header is not a JSON object");
        }
        SafetensorsHeader header;
        header.tensors.reserve(root.size());
        for (const auto& [name, value] : root.items()) {
            if (name == "__metadata__") {
                PARETO_TRY(header.metadata, metadata(value));
            } else {
                PARETO_TRY(auto tensor, tensorOf(name, value));
                header.tensors.push_back(std::move(tensor));
            }
        }
        PARETO_CHECK(checkLayout(header.tensors));
        std::erase_if(header.tensors, [&](const TensorInfo& tensor) {
            const bool other = m_others.count(tensor.name) != 0;
            if (other) {
                header.unusable.push_back(tensor);
            }
            return other;
        });
        return header;
    }

private:
    Error corrupt(std::uint64_t offset, std::string reason) const {
        return makeError(ErrorCode::FileCorrupt, {{"file", m_file.path()},
                                                  {"offset", std::to_string(offset)},
                                                  {"reason", std::move(reason)}});
    }
    /// Where the entry of a tensor stands in the file; the header's start when its name is escaped.
    std::uint64_t entryOffset(const std::string& name) const {
        const auto at = m_text.find("\"" + name + "\"");
        return kLengthBytes + (at == std::string::npos ? 0 : at);
    }
    Error corruptTensor(const std::string& name, const std::string& reason) const {
        return corrupt(entryOffset(name), "tensor " + name + ": " + reason);
    }

    Result<Json> parse() const {
        // The JSON library takes a NUL for the end and would not see what follows it.
        if (const auto nul = m_text.find('\0'); nul != std::string::npos) {
            return corrupt(kLengthBytes + nul, "the header holds a NUL byte");
        }
        JsonLimits limits;
        limits.maxDepth = kMaxDepth;
        limits.maxBytes = kMaxHeaderBytes;
        auto parsed = parseJson(m_text, m_file.path(), limits);
        if (parsed.ok()) {
            return parsed;
        }
        const Error& error = parsed.error();
        const auto offset = error.args.at("offset");
        return corrupt(kLengthBytes + std::strtoull(offset.c_str(), nullptr, 10),
                       "the header is not valid JSON: " + error.args.at("reason"));
    }

    Result<std::map<std::string, std::string>> metadata(const Json& value) const {
        const auto offset = entryOffset("__metadata__");
        if (!value.is_object()) {
            return corrupt(offset, "__metadata__ is not an object");
        }
        std::map<std::string, std::string> out;
        std::size_t bytes = 0;
        for (const auto& [key, text] : value.items()) {
            if (!text.is_string()) {
                return corrupt(offset, "__metadata__ \"" + key + "\" is not text");
            }
            out[key] = text.get<std::string>();
            bytes += key.size() + out[key].size();
        }
        if (bytes > kMaxMetadataBytes) {
            return corrupt(offset, "__metadata__ is longer than 1 MiB");
        }
        return out;
    }

    /// Bits of an element; 0 when the format does not know the type.
    std::uint64_t elementBits(TensorInfo& tensor) {
        if (dtypeFromName(tensor.typeName, tensor.encoding.dtype)) {
            return 8 * dtypeBytes(tensor.encoding.dtype);
        }
        for (const auto& other : kOtherTypes) {
            if (other.name == tensor.typeName) {
                m_others.insert(tensor.name);
                return other.bits;
            }
        }
        return 0;
    }

    Result<TensorInfo> tensorOf(const std::string& name, const Json& value) {
        if (!value.is_object() || value.size() != 3 || !value.contains("dtype") ||
            !value.contains("shape") || !value.contains("data_offsets")) {
            return corruptTensor(name, "its entry does not consist of dtype, shape and data_offsets");
        }
        TensorInfo tensor;
        tensor.name = name;
        const Json& type = value["dtype"];
        if (!type.is_string()) {
            return corruptTensor(name, "dtype is not text");
        }
        tensor.typeName = type.get<std::string>();
        const auto bits = elementBits(tensor);
        if (bits == 0) {
            return makeError(ErrorCode::TensorType,
                             {{"file", m_file.path()},
                              {"tensor", name},
                              {"found", tensor.typeName},
                              {"reason", "readable are F64, F32, F16, BF16, F8_E4M3, F8_E5M2, I64, "
                                         "I32, I16, I8, U8, BOOL"}});
        }
        const bool wholeBytes = bits % 8 == 0;
        std::uint64_t bytes = wholeBytes ? bits / 8 : 1;
        PARETO_TRY(tensor.shape, shapeOf(name, value["shape"], bytes));
        if (!wholeBytes) {
            bytes = bytes / 8 * bits + bytes % 8 * bits / 8;
        }
        const Json& range = value["data_offsets"];
        if (!range.is_array() || range.size() != 2 || !range[0].is_number_unsigned() ||
            !range[1].is_number_unsigned()) {
            return corruptTensor(name, "data_offsets are not two whole numbers");
        }
        const auto begin = range[0].get<std::uint64_t>();
        const auto end = range[1].get<std::uint64_t>();
        if (end < begin || end - begin != bytes) {
            return corruptTensor(name, "data_offsets " + range.dump() + " do not span the " +
                                           std::to_string(bytes) + " bytes of its shape and type");
        }
        std::uint64_t absolute = 0;
        if (!checkedAdd(end, dataBegin(), absolute)) {
            return corruptTensor(name, "data_offsets " + range.dump() + " overflow");
        }
        tensor.offset = begin + dataBegin();
        tensor.bytes = bytes;
        return tensor;
    }

    /// `bytes`: in, of one element; out, of the tensor.
    Result<Shape> shapeOf(const std::string& name, const Json& value, std::uint64_t& bytes) const {
        if (!value.is_array() || value.size() > kMaxRank) {
            return corruptTensor(name, "shape is not a list of at most 16 sizes");
        }
        std::vector<std::int64_t> sizes;
        // Zero sizes must not hide an overflow of the others.
        std::uint64_t product = bytes;
        bool empty = false;
        for (const auto& size : value) {
            if (!size.is_number_unsigned() || size.get<std::uint64_t>() > std::uint64_t{INT64_MAX}) {
                return corruptTensor(name, "shape " + value.dump() +
                                               " holds something else than whole numbers >= 0");
            }
            const auto count = size.get<std::uint64_t>();
            empty = empty || count == 0;
            if (!checkedMultiply(product, std::max<std::uint64_t>(count, 1), product) ||
                product > std::uint64_t{INT64_MAX}) {
                return corruptTensor(name, "shape " + value.dump() + " overflows");
            }
            sizes.push_back(static_cast<std::int64_t>(count));
        }
        bytes = empty ? 0 : product;
        return Shape(std::move(sizes));
    }

    Status checkLayout(std::vector<TensorInfo>& tensors) const {
        std::sort(tensors.begin(), tensors.end(), [](const TensorInfo& a, const TensorInfo& b) {
            return std::pair(a.offset, a.bytes) < std::pair(b.offset, b.bytes);
        });
        std::uint64_t expected = dataBegin();
        for (const auto& tensor : tensors) {
            if (tensor.offset != expected) {
                return corruptTensor(tensor.name,
                                     std::string(tensor.offset < expected ? "its bytes overlap"
                                                                          : "a gap stands before") +
                                         " those of another tensor at offset " +
                                         std::to_string(tensor.offset));
            }
            expected += tensor.bytes;
            if (expected > m_file.size()) {
                return makeError(ErrorCode::FileTruncated,
                                 {{"file", m_file.path()},
                                  {"expected", std::to_string(lastEnd(tensors))},
                                  {"found", std::to_string(m_file.size())}},
                                 "tensor " + tensor.name);
            }
        }
        if (expected != m_file.size()) {
            return corrupt(expected, std::to_string(m_file.size() - expected) +
                                         " bytes follow the last tensor");
        }
        return Done{};
    }
    static std::uint64_t lastEnd(const std::vector<TensorInfo>& sorted) {
        return sorted.back().offset + sorted.back().bytes;
    }
    std::uint64_t dataBegin() const { return kLengthBytes + m_text.size(); }

    const InputFile& m_file;
    std::string m_text;
    std::set<std::string> m_others;  ///< tensors of kOtherTypes
};

}  // namespace

Result<SafetensorsHeader> readSafetensorsHeader(const InputFile& file) {
    const auto corrupt = [&](std::uint64_t offset, std::string reason) {
        return makeError(ErrorCode::FileCorrupt, {{"file", file.path()},
                                                  {"offset", std::to_string(offset)},
                                                  {"reason", std::move(reason)}});
    };
    std::uint64_t length = 0;
    PARETO_CHECK(file.readAt(0, std::as_writable_bytes(std::span(&length, 1))));
    if (length > kMaxHeaderBytes) {
        return corrupt(0, "a header of " + std::to_string(length) +
                              " bytes is announced, at most 100000000 are allowed");
    }
    if (length > file.size() - kLengthBytes) {
        return makeError(ErrorCode::FileTruncated,
                         {{"file", file.path()},
                          {"expected", std::to_string(kLengthBytes + length)},
                          {"found", std::to_string(file.size())}},
                         "header");
    }
    std::string text(length, '\0');
    PARETO_CHECK(file.readAt(kLengthBytes, std::as_writable_bytes(std::span(text))));
    if (text.empty() || text.front() != '{') {
        return corrupt(kLengthBytes, "the header does not start with {");
    }
    return HeaderParser(file, std::move(text)).run();
}

}  // namespace pareto::io
