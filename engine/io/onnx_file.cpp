#include "engine/io/onnx_file.h"

#include <bit>

#include "engine/io/file_cursor.h"
#include "engine/io/utf8.h"

namespace pareto::io {
namespace {

constexpr std::size_t kMaxItems = 1 << 20;       ///< nodes, initializers
constexpr std::uint64_t kMaxText = 1 << 16;
constexpr std::size_t kMaxSizes = 16;
constexpr std::size_t kMaxNumbers = 1 << 16;     ///< of one small constant
constexpr std::size_t kMaxEnds = 1 << 12;        ///< inputs or outputs of a node

struct Field {
    std::uint32_t number = 0;
    std::uint32_t wire = 0;
    std::uint64_t value = 0;   ///< of a varint or a fixed number
    std::uint64_t offset = 0;  ///< of the payload
    std::uint64_t size = 0;    ///< of a length-delimited payload
    std::uint64_t end() const { return offset + size; }
};

constexpr std::uint32_t kVarint = 0;
constexpr std::uint32_t kFixed64 = 1;
constexpr std::uint32_t kBytes = 2;
constexpr std::uint32_t kFixed32 = 5;

class Reader {
public:
    explicit Reader(const InputFile& file) : m_cursor(file), m_file(file) {}

    Result<OnnxGraph> run() {
        bool found = false;
        PARETO_CHECK(eachField(m_file.size(), [&](const Field& field) -> Status {
            if (field.number == 2 && field.wire == kBytes) {
                return text(field, m_out.producer);
            }
            if (field.number == 7 && field.wire == kBytes) {
                if (found) {
                    return m_cursor.corrupt(field.offset, "the model has two graphs");
                }
                found = true;
                return graph(field);
            }
            return Done{};
        }));
        if (!found) {
            return makeError(ErrorCode::FileFormatUnknown,
                             {{"file", m_file.path()}, {"reason", "it is an ONNX file without a graph"}});
        }
        return std::move(m_out);
    }

private:
    Result<std::uint64_t> varint(std::uint64_t end) {
        std::uint64_t value = 0;
        const auto start = m_cursor.offset();
        for (int shift = 0; shift < 64; shift += 7) {
            if (m_cursor.offset() >= end) {
                return m_cursor.corrupt(start, "a number reaches beyond its message");
            }
            PARETO_TRY(const auto byte, m_cursor.value<std::uint8_t>());
            value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
            if ((byte & 0x80U) == 0) {
                return value;
            }
        }
        return m_cursor.corrupt(start, "a number has more than ten bytes");
    }

    Result<Field> next(std::uint64_t end) {
        const auto start = m_cursor.offset();
        PARETO_TRY(const auto tag, varint(end));
        Field field;
        field.number = static_cast<std::uint32_t>(tag >> 3);
        field.wire = static_cast<std::uint32_t>(tag & 7U);
        if (field.number == 0 || (tag >> 3) > 0x1FFFFFFF) {
            return m_cursor.corrupt(start, "a field has the number " + std::to_string(tag >> 3));
        }
        field.offset = m_cursor.offset();
        switch (field.wire) {
        case kVarint: {
            PARETO_TRY(field.value, varint(end));
            field.size = m_cursor.offset() - field.offset;
            return field;
        }
        case kFixed64:
        case kFixed32:
            field.size = field.wire == kFixed64 ? 8 : 4;
            if (field.size > end - field.offset) {
                return m_cursor.corrupt(start, "a number reaches beyond its message");
            }
            PARETO_CHECK(m_cursor.copy(&field.value, field.size));
            return field;
        case kBytes: {
            PARETO_TRY(field.size, varint(end));
            field.offset = m_cursor.offset();
            if (field.size > end - field.offset) {
                if (end == m_file.size()) {
                    return m_cursor.truncated(field.size);
                }
                return m_cursor.corrupt(start, "field " + std::to_string(field.number) + " of " +
                                                   std::to_string(field.size) +
                                                   " bytes reaches beyond its message");
            }
            return field;
        }
        default:
            return m_cursor.corrupt(start, "a field has the kind " + std::to_string(field.wire));
        }
    }

    /// Every field of the message that ends at `end`; what `handle` leaves of a field is passed over.
    template <typename Handle>
    Status eachField(std::uint64_t end, Handle&& handle) {
        while (m_cursor.offset() < end) {
            PARETO_TRY(const Field field, next(end));
            PARETO_CHECK(handle(field));
            PARETO_CHECK(m_cursor.skip(field.end() - m_cursor.offset()));
        }
        return Done{};
    }

    Status text(const Field& field, std::string& out) {
        if (field.size > kMaxText) {
            return m_cursor.corrupt(field.offset, "a name has " + std::to_string(field.size) + " bytes");
        }
        out.resize(field.size);
        PARETO_CHECK(m_cursor.copy(out.data(), out.size()));
        if (!isUtf8(out)) {
            return m_cursor.corrupt(field.offset, "a name is not UTF-8");
        }
        return Done{};
    }

    /// A repeated number, packed or one at a time.
    Status numbers(const Field& field, std::vector<std::int64_t>& out, std::size_t most, const char* what) {
        const auto add = [&](std::uint64_t value) -> Status {
            if (out.size() >= most) {
                return m_cursor.corrupt(field.offset, std::string("there are more than ") +
                                                          std::to_string(most) + " " + what);
            }
            out.push_back(static_cast<std::int64_t>(value));
            return Done{};
        };
        if (field.wire == kVarint) {
            return add(field.value);
        }
        while (m_cursor.offset() < field.end()) {
            PARETO_TRY(const auto value, varint(field.end()));
            PARETO_CHECK(add(value));
        }
        return Done{};
    }

    Status graph(const Field& message) {
        return eachField(message.end(), [&](const Field& field) -> Status {
            if (field.wire != kBytes) {
                return Done{};
            }
            if (m_out.nodes.size() + m_out.initializers.size() >= kMaxItems) {
                return m_cursor.corrupt(field.offset, "the graph has more than a million parts");
            }
            if (field.number == 1) {
                m_out.nodes.emplace_back();
                return node(field, m_out.nodes.back());
            }
            if (field.number == 5) {
                m_out.initializers.emplace_back();
                return tensor(field, m_out.initializers.back());
            }
            return Done{};
        });
    }

    Status node(const Field& message, OnnxNode& out) {
        return eachField(message.end(), [&](const Field& field) -> Status {
            if (field.wire != kBytes) {
                return Done{};
            }
            switch (field.number) {
            case 1:
            case 2: {
                auto& ends = field.number == 1 ? out.inputs : out.outputs;
                if (ends.size() >= kMaxEnds) {
                    return m_cursor.corrupt(field.offset, "a node has more than " +
                                                              std::to_string(kMaxEnds) + " inputs or outputs");
                }
                return text(field, ends.emplace_back());
            }
            case 3: return text(field, out.name);
            case 4: return text(field, out.op);
            case 5: return attribute(field, out);
            case 7: return text(field, out.domain);
            default: return Done{};
            }
        });
    }

    Status attribute(const Field& message, OnnxNode& out) {
        std::string name;
        std::optional<std::int64_t> integer;
        std::optional<float> real;
        std::optional<OnnxTensor> value;
        PARETO_CHECK(eachField(message.end(), [&](const Field& field) -> Status {
            if (field.number == 1 && field.wire == kBytes) {
                return text(field, name);
            }
            if (field.number == 2 && field.wire == kFixed32) {
                real = std::bit_cast<float>(static_cast<std::uint32_t>(field.value));
            } else if (field.number == 3 && field.wire == kVarint) {
                integer = static_cast<std::int64_t>(field.value);
            } else if (field.number == 5 && field.wire == kBytes) {
                return tensor(field, value.emplace());
            }
            return Done{};
        }));
        if (integer) {
            out.integers[name] = *integer;
        }
        if (real) {
            out.floats[name] = *real;
        }
        if (value && name == "value") {
            out.value = std::move(value);
        }
        return Done{};
    }

    Status tensor(const Field& message, OnnxTensor& out) {
        out.at = message.offset;
        return eachField(message.end(), [&](const Field& field) -> Status {
            const bool list = field.wire == kBytes || field.wire == kVarint;
            switch (field.number) {
            case 1: return list ? numbers(field, out.sizes, kMaxSizes, "dimensions") : Status(Done{});
            case 2: out.type = static_cast<int>(field.value & 0xFFFF); return Done{};
            case 5:  // int32_data, also of 8-bit integers
            case 7:  // int64_data
                // Weights are kept as raw_data: longer lists are no constants that anybody asks for.
                return list && out.numbers.size() < kMaxNumbers && field.size <= kMaxNumbers
                           ? numbers(field, out.numbers, kMaxNumbers, "numbers")
                           : Status(Done{});
            case 8: return field.wire == kBytes ? text(field, out.name) : Status(Done{});
            case 4:   // float_data; packed it is the same as raw_data
            case 9:   // raw_data
            case 10:  // double_data
                if (field.wire == kBytes) {
                    if (out.hasData) {
                        return m_cursor.corrupt(field.offset, "the tensor " + out.name + " has its values twice");
                    }
                    out.hasData = true;
                    out.offset = field.offset;
                    out.bytes = field.size;
                }
                return Done{};
            case 13: return field.wire == kBytes ? externalEntry(field, out) : Status(Done{});
            case 14: out.external = field.value == 1; return Done{};
            default: return Done{};
            }
        });
    }

    Status externalEntry(const Field& message, OnnxTensor& out) {
        std::string key;
        std::string value;
        PARETO_CHECK(eachField(message.end(), [&](const Field& field) -> Status {
            if (field.wire == kBytes && (field.number == 1 || field.number == 2)) {
                return text(field, field.number == 1 ? key : value);
            }
            return Done{};
        }));
        if (key == "location") {
            out.location = value;
            return Done{};
        }
        if (key != "offset" && key != "length") {
            return Done{};
        }
        if (value.empty() || value.size() > 19 ||
            value.find_first_not_of("0123456789") != std::string::npos) {
            return m_cursor.corrupt(message.offset, "the " + key + " of external data is no number");
        }
        (key == "offset" ? out.externalOffset : out.externalBytes.emplace()) = std::stoull(value);
        return Done{};
    }

    FileCursor m_cursor;
    const InputFile& m_file;
    OnnxGraph m_out;
};

}  // namespace

Result<OnnxGraph> readOnnxGraph(const InputFile& file) { return Reader(file).run(); }

}  // namespace pareto::io
