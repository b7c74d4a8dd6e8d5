#include "engine/io/npz.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/io/derived.h"
#include "engine/io/zip_archive.h"

namespace pareto::io {
namespace {

constexpr std::string_view kEnding = ".npy";
constexpr std::size_t kMaxHeader = 1 << 16;
constexpr std::size_t kMaxRank = 8;

/// The header of one array: numpy/lib/format.py. A Python dictionary of three entries, read as text.
class ArrayReader {
public:
    ArrayReader(const std::vector<WeightFile>& files, const ZipEntry& entry)
        : m_files(files),
          m_file(*files.front().file),
          m_entry(entry),
          m_name(entry.name.substr(0, entry.name.size() - kEnding.size())) {}

    Result<TensorInfo> run() {
        if (m_entry.method != 0) {
            return makeError(ErrorCode::FileFormatUnknown,
                             {{"file", m_file.path()},
                              {"reason", "its array " + m_name +
                                             " is compressed; write it again with numpy.savez instead of "
                                             "numpy.savez_compressed"}});
        }
        PARETO_CHECK(readHeader());
        DType type{};
        std::int64_t width = 1;
        PARETO_TRY(const std::string descr, text("'descr'"));
        if (!typeOf(descr, type, width)) {
            return makeError(ErrorCode::TensorType, {{"file", m_file.path()},
                                                     {"tensor", m_name},
                                                     {"found", descr},
                                                     {"reason", "arrays of little-endian numbers are read"}});
        }
        PARETO_TRY(std::vector<std::int64_t> sizes, shape());
        if (width != 1) {
            sizes.push_back(width);
        }
        const auto order = m_header.find("'fortran_order':");
        const bool columns = order != std::string::npos &&
                             m_header.find("True", order) != std::string::npos && sizes.size() == 2;
        if (columns) {
            std::swap(sizes[0], sizes[1]);
        }
        PARETO_TRY(TensorInfo tensor, storedTensor(m_files, 0, m_name, Shape(std::move(sizes)), type, m_data,
                                                   m_entry.offset + m_entry.size));
        if (tensor.bytes != m_entry.offset + m_entry.size - m_data) {
            return corrupt("has shape " + tensor.shape.text() + ", but " +
                           std::to_string(m_entry.offset + m_entry.size - m_data) + " bytes");
        }
        return columns ? transposed(m_files, tensor) : Result<TensorInfo>(std::move(tensor));
    }

private:
    Status readHeader() {
        std::array<unsigned char, 12> head{};
        const auto size = std::min<std::uint64_t>(head.size(), m_entry.size);
        PARETO_CHECK(m_file.readAt(m_entry.offset, std::as_writable_bytes(std::span(head).first(size))));
        if (size < head.size() || std::memcmp(head.data(), "\x93NUMPY", 6) != 0 || head[6] < 1 || head[6] > 3) {
            return corrupt("does not begin as a NumPy array");
        }
        const bool wide = head[6] > 1;
        const std::size_t start = wide ? 12 : 10;
        std::size_t length = std::size_t{head[8]} | std::size_t{head[9]} << 8;
        if (wide) {
            length |= std::size_t{head[10]} << 16 | std::size_t{head[11]} << 24;
        }
        if (length > kMaxHeader || length > m_entry.size - start) {
            return corrupt("has a header of " + std::to_string(length) + " bytes");
        }
        m_header.resize(length);
        m_data = m_entry.offset + start + length;
        return m_file.readAt(m_entry.offset + start, std::as_writable_bytes(std::span(m_header)));
    }

    /// What stands behind a key, between quotes.
    Result<std::string> text(std::string_view key) const {
        const auto at = m_header.find(key);
        const auto begin = at == std::string::npos ? at : m_header.find('\'', at + key.size());
        const auto end = begin == std::string::npos ? begin : m_header.find('\'', begin + 1);
        if (end == std::string::npos) {
            return corrupt("has a header without " + std::string(key));
        }
        return m_header.substr(begin + 1, end - begin - 1);
    }

    Result<std::vector<std::int64_t>> shape() const {
        const auto at = m_header.find("'shape':");
        const auto begin = at == std::string::npos ? at : m_header.find('(', at);
        const auto end = begin == std::string::npos ? begin : m_header.find(')', begin);
        if (end == std::string::npos) {
            return corrupt("has a header without 'shape'");
        }
        std::vector<std::int64_t> sizes;
        std::string digits;
        for (auto i = begin + 1; i <= end; ++i) {
            const char c = m_header[i];
            if (c >= '0' && c <= '9') {
                digits += c;
            } else if (c == ',' || c == ')') {
                if (digits.size() > 18 || sizes.size() >= kMaxRank) {
                    return corrupt("has a shape that is too large");
                }
                if (!digits.empty()) {
                    sizes.push_back(std::stoll(digits));
                }
                digits.clear();
            } else if (c != ' ') {
                return corrupt("has a shape that is no list of numbers");
            }
        }
        return sizes;
    }

    static bool typeOf(const std::string& descr, DType& type, std::int64_t& width) {
        struct Known {
            std::string_view name;
            DType type;
        };
        static constexpr Known kKnown[] = {{"<f4", DType::F32}, {"<f2", DType::F16}, {"<f8", DType::F64},
                                           {"|i1", DType::I8},  {"<i1", DType::I8},  {"|u1", DType::U8},
                                           {"<u1", DType::U8},  {"<i2", DType::I16}, {"<i4", DType::I32},
                                           {"<i8", DType::I64}, {"|b1", DType::Bool}};
        const auto found = std::find_if(std::begin(kKnown), std::end(kKnown),
                                        [&](const Known& one) { return one.name == descr; });
        if (found != std::end(kKnown)) {
            type = found->type;
            return true;
        }
        // "|S123": text of so many bytes.
        if (descr.size() < 3 || descr.size() > 11 || descr.compare(0, 2, "|S") != 0 ||
            descr.find_first_not_of("0123456789", 2) != std::string::npos) {
            return false;
        }
        type = DType::U8;
        width = std::stoll(descr.substr(2));
        return true;
    }

    Error corrupt(const std::string& reason) const {
        return makeError(ErrorCode::FileCorrupt, {{"file", m_file.path()},
                                                  {"offset", std::to_string(m_entry.offset)},
                                                  {"reason", "the array " + m_name + " " + reason}});
    }

    const std::vector<WeightFile>& m_files;
    const InputFile& m_file;
    const ZipEntry& m_entry;
    std::string m_name;
    std::string m_header;
    std::uint64_t m_data = 0;
};

bool isArray(const ZipEntry& entry) { return entry.name.size() > kEnding.size() && entry.name.ends_with(kEnding); }

}  // namespace

bool isNpz(const InputFile& file) {
    const auto entries = readZipDirectory(file);
    return entries.ok() && !entries.value().empty() &&
           std::all_of(entries.value().begin(), entries.value().end(), isArray);
}

Result<std::map<std::string, TensorInfo>> readNpz(const std::vector<WeightFile>& files) {
    PARETO_TRY(const auto entries, readZipDirectory(*files.front().file));
    std::map<std::string, TensorInfo> arrays;
    for (const auto& entry : entries) {
        if (isArray(entry)) {
            PARETO_TRY(TensorInfo tensor, ArrayReader(files, entry).run());
            const auto name = tensor.name;
            arrays.emplace(name, std::move(tensor));
        }
    }
    return arrays;
}

}  // namespace pareto::io
