#include "engine/io/gguf.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_set>

#include "engine/io/checked.h"
#include "engine/io/file_cursor.h"
#include "engine/io/gguf_dequant.h"
#include "engine/io/utf8.h"

namespace pareto::io {
namespace {

constexpr std::uint64_t kMaxTensors = std::uint64_t{1} << 20;
constexpr std::uint64_t kMaxPairs = std::uint64_t{1} << 16;
constexpr std::uint64_t kMaxKeyBytes = 65535;
constexpr std::uint64_t kMaxTensorNameBytes = 63;
constexpr std::uint64_t kMaxContentBytes = std::uint64_t{256} << 20;
/// Smallest records: key length + one byte + type + one byte; name length + one byte + dimensions +
/// one size + type + offset.
constexpr std::uint64_t kMinPairBytes = 14;
constexpr std::uint64_t kMinTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;
constexpr std::size_t kSmallArray = 1024;
constexpr std::uint32_t kMinAlignment = 8;
constexpr std::uint32_t kMaxAlignment = 65536;

enum ValueType : std::uint32_t {
    kU8, kI8, kU16, kI16, kU32, kI32, kF32, kBool, kString, kArray, kU64, kI64, kF64
};

/// Bytes of a scalar, 0 for strings, arrays and unknown types.
std::uint64_t scalarBytes(std::uint32_t type) {
    switch (type) {
        case kU8: case kI8: case kBool: return 1;
        case kU16: case kI16: return 2;
        case kU32: case kI32: case kF32: return 4;
        case kU64: case kI64: case kF64: return 8;
        default: return 0;
    }
}

class Parser {
public:
    explicit Parser(const InputFile& file) : m_file(file), m_cursor(file) {}

    Result<GgufHeader> run() {
        PARETO_CHECK(readPreamble());
        for (std::uint64_t i = 0; i < m_pairs; ++i) {
            PARETO_CHECK(readPair());
        }
        PARETO_CHECK(readAlignment());
        m_header.tensors.reserve(m_tensors);
        for (std::uint64_t i = 0; i < m_tensors; ++i) {
            PARETO_CHECK(readTensor());
        }
        PARETO_CHECK(placeTensors());
        return std::move(m_header);
    }

private:
    Error corrupt(std::uint64_t offset, std::string reason) const {
        return m_cursor.corrupt(offset, std::move(reason));
    }

    Status readPreamble() {
        std::array<char, 4> magic{};
        PARETO_CHECK(m_cursor.copy(magic.data(), magic.size()));
        if (std::string_view(magic.data(), 4) != "GGUF") {
            return corrupt(0, "it does not start with GGUF");
        }
        PARETO_TRY(m_header.version, m_cursor.value<std::uint32_t>());
        if (m_header.version != 2 && m_header.version != 3) {
            const bool swapped = (m_header.version & 0xFFFFU) == 0;
            return makeError(ErrorCode::FileFormatUnknown,
                             {{"file", m_file.path()},
                              {"reason", swapped ? std::string("it is a big-endian GGUF file, convert "
                                                               "it to little-endian first")
                                                 : "it is GGUF version " +
                                                       std::to_string(m_header.version) +
                                                       ", versions 2 and 3 are known"}});
        }
        PARETO_TRY(m_tensors, m_cursor.value<std::uint64_t>());
        PARETO_TRY(m_pairs, m_cursor.value<std::uint64_t>());
        if (m_tensors > kMaxTensors || m_tensors * kMinTensorBytes > m_cursor.remaining()) {
            return corrupt(8, std::to_string(m_tensors) + " tensors are announced, more than fit");
        }
        if (m_pairs > kMaxPairs || m_pairs * kMinPairBytes > m_cursor.remaining()) {
            return corrupt(16, std::to_string(m_pairs) +
                                   " metadata entries are announced, more than fit");
        }
        return Done{};
    }

    Result<std::string> readString(std::uint64_t limit, std::string_view what) {
        const auto at = m_cursor.offset();
        PARETO_TRY(const auto size, m_cursor.value<std::uint64_t>());
        if (size > limit) {
            return corrupt(at, std::string(what) + " has " + std::to_string(size) +
                                   " bytes, at most " + std::to_string(limit) + " are allowed");
        }
        if (size > m_cursor.remaining()) {
            return m_cursor.truncated(size);
        }
        std::string text(size, '\0');
        PARETO_CHECK(m_cursor.copy(text.data(), size));
        return text;
    }

    Status readPair() {
        const auto at = m_cursor.offset();
        PARETO_TRY(const std::string key, readString(kMaxKeyBytes, "a metadata key"));
        if (key.empty()) {
            return corrupt(at, "a metadata key is empty");
        }
        if (!isUtf8(key)) {
            return corrupt(at, "a metadata key is not UTF-8");
        }
        if (!m_keys.insert(key).second) {
            return corrupt(at, "the metadata key " + key + " stands twice");
        }
        const auto typeAt = m_cursor.offset();
        PARETO_TRY(const auto type, m_cursor.value<std::uint32_t>());
        if (type == kArray) {
            return readArray(key);
        }
        if (type == kString) {
            PARETO_TRY(std::string text, readString(kMaxContentBytes, "the value of " + key));
            m_header.metadata.values[key] = replaceInvalidUtf8(std::move(text));
            return Done{};
        }
        if (scalarBytes(type) == 0) {
            return corrupt(typeAt, "the value of " + key + " has the unknown type " +
                                       std::to_string(type));
        }
        if (key == "general.alignment" && type != kU32) {
            return corrupt(typeAt, "general.alignment is not a 32-bit number");
        }
        PARETO_TRY(m_header.metadata.values[key], readScalar(type));
        return Done{};
    }

    Result<Json> readScalar(std::uint32_t type) {
        const auto as = [&]<typename T>(T) -> Result<Json> {
            PARETO_TRY(const T value, m_cursor.value<T>());
            return Json(value);
        };
        switch (type) {
            case kU8: return as(std::uint8_t{});
            case kI8: return as(std::int8_t{});
            case kU16: return as(std::uint16_t{});
            case kI16: return as(std::int16_t{});
            case kU32: return as(std::uint32_t{});
            case kI32: return as(std::int32_t{});
            case kU64: return as(std::uint64_t{});
            case kI64: return as(std::int64_t{});
            case kF32: return as(float{});
            case kF64: return as(double{});
            default: break;
        }
        const auto at = m_cursor.offset();
        PARETO_TRY(const auto flag, m_cursor.value<std::uint8_t>());
        if (flag > 1) {
            return corrupt(at, "a true/false value is neither 0 nor 1");
        }
        return Json(flag == 1);
    }

    Status readArray(const std::string& key) {
        const auto at = m_cursor.offset();
        PARETO_TRY(const auto type, m_cursor.value<std::uint32_t>());
        PARETO_TRY(const auto count, m_cursor.value<std::uint64_t>());
        if (type != kString && scalarBytes(type) == 0) {
            return corrupt(at, "the array " + key + " has elements of the " +
                                   (type == kArray ? std::string("type array, which is not allowed")
                                                   : "unknown type " + std::to_string(type)));
        }
        const std::uint64_t smallest = type == kString ? 8 : scalarBytes(type);
        std::uint64_t bytes = 0;
        if (!checkedMultiply(count, smallest, bytes) || bytes > kMaxContentBytes) {
            return corrupt(at + 4, "the array " + key + " announces " + std::to_string(count) +
                                       " elements, more than fit");
        }
        if (bytes > m_cursor.remaining()) {
            return m_cursor.truncated(bytes);
        }
        return type == kString ? readStrings(key, count) : readNumbers(key, type, count);
    }

    Status readStrings(const std::string& key, std::uint64_t count) {
        auto& out = m_header.metadata.strings[key];
        std::uint64_t total = 0;
        for (std::uint64_t i = 0; i < count; ++i) {
            PARETO_TRY(std::string text,
                       readString(kMaxContentBytes - total, "an element of " + key));
            total += text.size();
            out.push_back(std::move(text));
        }
        if (out.size() <= kSmallArray) {
            auto& small = m_header.metadata.values[key] = Json::array();
            for (const auto& text : out) {
                small.push_back(replaceInvalidUtf8(text));
            }
        }
        return Done{};
    }

    Status readNumbers(const std::string& key, std::uint32_t type, std::uint64_t count) {
        auto& out = m_header.metadata.numbers[key];
        Json small = Json::array();
        for (std::uint64_t i = 0; i < count; ++i) {
            PARETO_TRY(const Json value, readScalar(type));
            out.push_back(value.is_boolean() ? (value.get<bool>() ? 1.0 : 0.0)
                                             : value.get<double>());
            if (count <= kSmallArray) {
                small.push_back(value);
            }
        }
        if (count <= kSmallArray) {
            m_header.metadata.values[key] = std::move(small);
        }
        return Done{};
    }

    Status readAlignment() {
        const Json& values = m_header.metadata.values;
        const auto found = values.find("general.alignment");
        if (found == values.end()) {
            if (m_keys.count("general.alignment") != 0) {
                return corrupt(24, "general.alignment is not a number");
            }
            return Done{};
        }
        if (!found->is_number_unsigned()) {
            return corrupt(24, "general.alignment is not a number");
        }
        const auto value = found->get<std::uint32_t>();
        if (value < kMinAlignment || value > kMaxAlignment || (value & (value - 1)) != 0) {
            return corrupt(24, "general.alignment is " + std::to_string(value) +
                                   ", not a power of two from 8 to 65536");
        }
        m_header.alignment = value;
        return Done{};
    }

    Status readTensor() {
        TensorInfo tensor;
        const auto at = m_cursor.offset();
        PARETO_TRY(tensor.name, readString(kMaxTensorNameBytes, "a tensor name"));
        if (tensor.name.empty() || !isUtf8(tensor.name)) {
            return corrupt(at, "a tensor name is empty or not UTF-8");
        }
        if (!m_names.insert(tensor.name).second) {
            return corrupt(at, "the tensor " + tensor.name + " stands twice");
        }
        const auto rankAt = m_cursor.offset();
        PARETO_TRY(const auto rank, m_cursor.value<std::uint32_t>());
        if (rank < 1 || rank > 4) {
            return corrupt(rankAt, "tensor " + tensor.name + " has " + std::to_string(rank) +
                                       " dimensions, 1 to 4 are allowed");
        }
        std::vector<std::uint64_t> sizes(rank);
        PARETO_CHECK(m_cursor.copy(sizes.data(), rank * sizeof(std::uint64_t)));
        const auto typeAt = m_cursor.offset();
        PARETO_TRY(const auto typeId, m_cursor.value<std::uint32_t>());
        const auto* type = ggmlType(typeId);
        if (type == nullptr) {
            return makeError(ErrorCode::TensorType,
                             {{"file", m_file.path()},
                              {"tensor", tensor.name},
                              {"found", ggmlTypeName(typeId)},
                              {"reason", "readable are " + readableGgmlTypes()}},
                             "at offset " + std::to_string(typeAt));
        }
        PARETO_CHECK(shapeTensor(tensor, sizes, *type, rankAt));
        const auto offsetAt = m_cursor.offset();
        PARETO_TRY(tensor.offset, m_cursor.value<std::uint64_t>());
        m_offsetsAt.push_back(offsetAt);
        m_header.tensors.push_back(std::move(tensor));
        return Done{};
    }

    Status shapeTensor(TensorInfo& tensor, const std::vector<std::uint64_t>& sizes,
                       const GgmlType& type, std::uint64_t rankAt) const {
        std::uint64_t elements = 1;
        std::vector<std::int64_t> shape;
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            const auto sizeAt = rankAt + 4 + 8 * i;
            if (sizes[i] == 0) {
                return corrupt(sizeAt, "tensor " + tensor.name + " has a dimension of size 0");
            }
            // 8 bytes an element at most: below 2^60 elements no byte count overflows.
            if (!checkedMultiply(elements, sizes[i], elements) ||
                elements >= (std::uint64_t{1} << 60)) {
                return corrupt(sizeAt, "the dimensions of tensor " + tensor.name + " overflow");
            }
            shape.insert(shape.begin(), static_cast<std::int64_t>(sizes[i]));
        }
        if (sizes[0] % type.blockElements != 0) {
            return corrupt(rankAt + 4, "tensor " + tensor.name + " has rows of " +
                                           std::to_string(sizes[0]) + " elements, " +
                                           std::string(type.name) + " needs multiples of " +
                                           std::to_string(type.blockElements));
        }
        tensor.shape = Shape(std::move(shape));
        tensor.encoding = {type.block, type.dtype, type.block ? type.id : 0};
        tensor.typeName = std::string(type.name);
        tensor.bytes = elements / type.blockElements * type.blockBytes;
        return Done{};
    }

    /// Turns offsets relative to the data into offsets in the file and checks where they lie.
    Status placeTensors() {
        const std::uint64_t alignment = m_header.alignment;
        const auto headerEnd = m_cursor.offset();
        const std::uint64_t dataBegin = (headerEnd + alignment - 1) / alignment * alignment;
        std::vector<std::size_t> order;
        for (std::size_t i = 0; i < m_header.tensors.size(); ++i) {
            auto& tensor = m_header.tensors[i];
            if (tensor.offset % alignment != 0) {
                return corrupt(m_offsetsAt[i], "the data of tensor " + tensor.name +
                                                   " is not aligned to " +
                                                   std::to_string(alignment) + " bytes");
            }
            std::uint64_t begin = 0;
            std::uint64_t end = 0;
            if (!checkedAdd(tensor.offset, dataBegin, begin) ||
                !checkedAdd(begin, tensor.bytes, end)) {
                return corrupt(m_offsetsAt[i], "the place of tensor " + tensor.name + " overflows");
            }
            if (end > m_file.size()) {
                return makeError(ErrorCode::FileTruncated,
                                 {{"file", m_file.path()},
                                  {"expected", std::to_string(end)},
                                  {"found", std::to_string(m_file.size())}},
                                 "tensor " + tensor.name);
            }
            tensor.offset = begin;
            order.push_back(i);
        }
        const auto& tensors = m_header.tensors;
        std::sort(order.begin(), order.end(),
                  [&](std::size_t a, std::size_t b) { return tensors[a].offset < tensors[b].offset; });
        for (std::size_t i = 1; i < order.size(); ++i) {
            const auto& before = tensors[order[i - 1]];
            const auto& tensor = tensors[order[i]];
            if (tensor.offset < before.offset + before.bytes) {
                return corrupt(m_offsetsAt[order[i]], "the data of tensor " + tensor.name +
                                                          " overlaps that of " + before.name);
            }
        }
        return Done{};
    }

    const InputFile& m_file;
    FileCursor m_cursor;
    GgufHeader m_header;
    std::uint64_t m_tensors = 0;
    std::uint64_t m_pairs = 0;
    std::unordered_set<std::string> m_keys;
    std::unordered_set<std::string> m_names;
    std::vector<std::uint64_t> m_offsetsAt;  ///< where each tensor's offset stands in the header
};

}  // namespace

Result<GgufHeader> readGgufHeader(const InputFile& file) { return Parser(file).run(); }

}  // namespace pareto::io
