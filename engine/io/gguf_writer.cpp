#include "engine/io/gguf_writer.h"

#include <algorithm>
#include <array>
#include <set>
#include <type_traits>

#include "engine/io/gguf_dequant.h"
#include "engine/io/output_file.h"
#include "engine/io/utf8.h"

namespace pareto::io {
namespace {

constexpr std::uint32_t kVersion = 3;
constexpr std::uint64_t kAlignment = 32;
constexpr std::size_t kMaxKeyBytes = 65535;
constexpr std::size_t kMaxNameBytes = 63;
constexpr std::uint32_t kArray = 9;

/// Type ids of metadata values.
template <typename T>
constexpr std::uint32_t typeOf() {
    if constexpr (std::is_same_v<T, std::uint8_t>) {
        return 0;
    } else if constexpr (std::is_same_v<T, std::uint32_t>) {
        return 4;
    } else if constexpr (std::is_same_v<T, std::int32_t>) {
        return 5;
    } else if constexpr (std::is_same_v<T, float>) {
        return 6;
    } else if constexpr (std::is_same_v<T, bool>) {
        return 7;
    } else {
        static_assert(std::is_same_v<T, std::string>);
        return 8;
    }
}

std::uint64_t aligned(std::uint64_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

std::int64_t rowsOf(const Shape& shape) {
    return shape.rank() == 1 ? 1 : shape.elements() / shape[shape.rank() - 1];
}

std::uint64_t rowBytesOf(const GgufTensor& tensor) {
    return ggufRowBytes(tensor.type, tensor.shape[tensor.shape.rank() - 1]);
}

std::uint64_t bytesOf(const GgufTensor& tensor) {
    return static_cast<std::uint64_t>(rowsOf(tensor.shape)) * rowBytesOf(tensor);
}

/// The header's bytes, built in memory: vocabularies make up its size.
class Header {
public:
    template <typename T>
    void add(const T& value) {
        if constexpr (std::is_same_v<T, std::string>) {
            add(static_cast<std::uint64_t>(value.size()));
            m_bytes += value;
        } else if constexpr (std::is_same_v<T, bool>) {
            m_bytes += value ? '\1' : '\0';
        } else {
            m_bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
        }
    }

    void addValue(const GgufValue& value) {
        std::visit(
            [this]<typename T>(const T& held) {
                if constexpr (requires { typename T::value_type; } &&
                              !std::is_same_v<T, std::string>) {
                    add(kArray);
                    add(typeOf<typename T::value_type>());
                    add(static_cast<std::uint64_t>(held.size()));
                    for (const auto& element : held) {
                        add(element);
                    }
                } else {
                    add(typeOf<T>());
                    add(held);
                }
            },
            value);
    }

    void pad() { m_bytes.resize(aligned(m_bytes.size()), '\0'); }
    const std::string& bytes() const { return m_bytes; }

private:
    std::string m_bytes;
};

class Writer {
public:
    Writer(const std::string& path, const std::vector<GgufEntry>& entries,
           const std::vector<GgufTensor>& tensors, Progress& progress, std::stop_token stop)
        : m_path(path),
          m_entries(entries),
          m_tensors(tensors),
          m_progress(progress),
          m_stop(std::move(stop)),
          m_file(path) {}

    Status run() {
        PARETO_CHECK(check());
        const Header header = makeHeader();
        std::uint64_t total = header.bytes().size();
        for (const auto& tensor : m_tensors) {
            total += aligned(bytesOf(tensor));
        }
        m_progress.begin(Stage::Writing, static_cast<std::int64_t>(total), Unit::Bytes);
        PARETO_CHECK(m_file.create(total));
        PARETO_CHECK(m_file.write(std::as_bytes(std::span(header.bytes()))));
        m_progress.advance(static_cast<std::int64_t>(header.bytes().size()));
        for (const auto& tensor : m_tensors) {
            PARETO_CHECK(writeTensor(tensor));
        }
        return m_file.finish();
    }

private:
    Error mismatch(const std::string& tensor, std::string reason) const {
        return makeError(ErrorCode::ExportMismatch,
                         {{"file", m_path}, {"tensor", tensor}, {"reason", std::move(reason)}});
    }

    Status check() const {
        std::set<std::string> names;
        for (const auto& entry : m_entries) {
            if (entry.key.empty() || entry.key.size() > kMaxKeyBytes || !isUtf8(entry.key) ||
                !names.insert(entry.key).second) {
                return mismatch(entry.key, "the metadata key is empty, too long or used twice");
            }
        }
        names.clear();
        for (const auto& tensor : m_tensors) {
            if (tensor.name.empty() || tensor.name.size() > kMaxNameBytes || !isUtf8(tensor.name) ||
                !names.insert(tensor.name).second) {
                return mismatch(tensor.name, "the name is empty, too long or used twice");
            }
            const auto rank = tensor.shape.rank();
            if (rank < 1 || rank > 4 || tensor.shape.elements() < 1) {
                return mismatch(tensor.name, "the format has no shape " + tensor.shape.text());
            }
            if (rowBytesOf(tensor) == 0) {
                return mismatch(tensor.name, "rows of shape " + tensor.shape.text() +
                                                 " are no whole blocks of " +
                                                 ggmlTypeName(tensor.type));
            }
        }
        return Done{};
    }

    Header makeHeader() const {
        Header header;
        for (const char c : std::string_view("GGUF")) {
            header.add(c);
        }
        header.add(kVersion);
        header.add(static_cast<std::uint64_t>(m_tensors.size()));
        header.add(static_cast<std::uint64_t>(m_entries.size()));
        for (const auto& entry : m_entries) {
            header.add(entry.key);
            header.addValue(entry.value);
        }
        std::uint64_t offset = 0;
        for (const auto& tensor : m_tensors) {
            const auto rank = tensor.shape.rank();
            header.add(tensor.name);
            header.add(static_cast<std::uint32_t>(rank));
            for (auto at = rank; at-- > 0;) {
                header.add(static_cast<std::uint64_t>(tensor.shape[at]));
            }
            header.add(tensor.type);
            header.add(offset);
            offset += aligned(bytesOf(tensor));
        }
        header.pad();
        return header;
    }

    Status writeTensor(const GgufTensor& tensor) {
        const auto rows = rowsOf(tensor.shape);
        const auto rowBytes = rowBytesOf(tensor);
        const auto stretch = static_cast<std::int64_t>(
            std::max<std::uint64_t>(1, OutputFile::kPiece / rowBytes));
        for (std::int64_t begin = 0; begin < rows; begin += stretch) {
            if (m_stop.stop_requested()) {
                return Cancelled{};
            }
            const auto count = std::min(stretch, rows - begin);
            PARETO_TRY(const Buffer bytes, tensor.rows(begin, count));
            if (bytes.size() != static_cast<std::uint64_t>(count) * rowBytes) {
                return mismatch(tensor.name, std::to_string(bytes.size()) + " bytes for " +
                                                 std::to_string(count) + " rows of " +
                                                 std::to_string(rowBytes));
            }
            PARETO_CHECK(m_file.write(bytes.bytes()));
            m_progress.advance(static_cast<std::int64_t>(bytes.size()));
        }
        static constexpr std::array<std::byte, kAlignment> kZeros{};
        const auto size = bytesOf(tensor);
        return m_file.write(std::span(kZeros).first(aligned(size) - size));
    }

    const std::string& m_path;
    const std::vector<GgufEntry>& m_entries;
    const std::vector<GgufTensor>& m_tensors;
    Progress& m_progress;
    std::stop_token m_stop;
    OutputFile m_file;
};

}  // namespace

std::uint64_t ggufRowBytes(std::uint32_t type, std::int64_t cols) {
    const GgmlType* known = ggmlType(type);
    const auto elements = static_cast<std::uint64_t>(cols);
    return known == nullptr || elements % known->blockElements != 0
               ? 0
               : elements / known->blockElements * known->blockBytes;
}

Status writeGguf(const std::string& path, const std::vector<GgufEntry>& entries,
                 const std::vector<GgufTensor>& tensors, Progress& progress, std::stop_token stop) {
    return Writer(path, entries, tensors, progress, std::move(stop)).run();
}

}  // namespace pareto::io
