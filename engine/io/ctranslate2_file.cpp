#include "engine/io/ctranslate2_file.h"

#include <array>

#include "engine/io/derived.h"
#include "engine/io/file_cursor.h"
#include "engine/io/utf8.h"

namespace pareto::io {
namespace {

constexpr std::uint32_t kOldestVersion = 4;
constexpr std::uint32_t kNewestVersion = 6;
constexpr std::uint32_t kMaxVariables = 1 << 20;
constexpr std::uint8_t kMaxRank = 8;
/// By the number that the file gives each type.
constexpr std::array kTypes{DType::F32, DType::I8, DType::I16, DType::I32, DType::F16, DType::BF16};

class Reader {
public:
    explicit Reader(const std::vector<WeightFile>& files)
        : m_files(files), m_cursor(*files.front().file) {}

    Result<CTranslate2File> run() {
        PARETO_TRY(const auto version, m_cursor.value<std::uint32_t>());
        if (version < kOldestVersion || version > kNewestVersion) {
            return makeError(ErrorCode::FileFormatUnknown,
                             {{"file", m_files.front().path},
                              {"reason", "it is a CTranslate2 model of version " + std::to_string(version) +
                                             "; known are 4 to 6. Convert the source model again"}});
        }
        PARETO_TRY(m_out.spec, text());
        PARETO_TRY(m_out.revision, m_cursor.value<std::uint32_t>());
        PARETO_TRY(const auto count, number("variables"));
        for (std::uint32_t i = 0; i < count; ++i) {
            PARETO_CHECK(variable());
        }
        PARETO_TRY(const auto aliases, number("aliases"));
        for (std::uint32_t i = 0; i < aliases; ++i) {
            PARETO_CHECK(alias());
        }
        if (m_cursor.remaining() != 0) {
            return m_cursor.corrupt(m_cursor.offset(), "there are " + std::to_string(m_cursor.remaining()) +
                                                           " bytes after the last alias");
        }
        return std::move(m_out);
    }

private:
    /// The length counts the zero at the end.
    Result<std::string> text() {
        const auto start = m_cursor.offset();
        PARETO_TRY(const auto length, m_cursor.value<std::uint16_t>());
        if (length < 2) {
            return m_cursor.corrupt(start, "a name is empty");
        }
        std::string out(length, '\0');
        PARETO_CHECK(m_cursor.copy(out.data(), out.size()));
        if (out.back() != '\0' || out.find('\0') != out.size() - 1 || !isUtf8(out)) {
            return m_cursor.corrupt(start, "a name is no text that ends with a zero");
        }
        out.pop_back();
        return out;
    }

    Result<std::uint32_t> number(const char* what) {
        const auto start = m_cursor.offset();
        PARETO_TRY(const auto count, m_cursor.value<std::uint32_t>());
        if (count > kMaxVariables) {
            return m_cursor.corrupt(start, "it is said to hold " + std::to_string(count) + " " + what);
        }
        return count;
    }

    Status variable() {
        const auto start = m_cursor.offset();
        PARETO_TRY(std::string name, text());
        PARETO_TRY(const auto rank, m_cursor.value<std::uint8_t>());
        if (rank > kMaxRank) {
            return m_cursor.corrupt(start, "the variable " + name + " has " + std::to_string(rank) +
                                               " dimensions");
        }
        std::vector<std::int64_t> sizes;
        for (std::uint8_t i = 0; i < rank; ++i) {
            PARETO_TRY(const auto size, m_cursor.value<std::uint32_t>());
            sizes.push_back(size);
        }
        PARETO_TRY(const auto type, m_cursor.value<std::uint8_t>());
        PARETO_TRY(const auto bytes, m_cursor.value<std::uint32_t>());
        if (type >= kTypes.size()) {
            return makeError(ErrorCode::TensorType,
                             {{"file", m_files.front().path},
                              {"tensor", name},
                              {"found", "number " + std::to_string(type)},
                              {"reason", "known are 0 to 5: float32, int8, int16, int32, float16, bfloat16"}});
        }
        const auto offset = m_cursor.offset();
        PARETO_CHECK(m_cursor.skip(bytes));
        PARETO_TRY(auto tensor, storedTensor(m_files, 0, name, Shape(std::move(sizes)), kTypes[type], offset,
                                             offset + bytes));
        if (tensor.bytes != bytes) {
            return m_cursor.corrupt(offset, "the variable " + name + " of shape " + tensor.shape.text() +
                                                " has " + std::to_string(bytes) + " bytes instead of " +
                                                std::to_string(tensor.bytes));
        }
        return add(start, std::move(name), std::move(tensor));
    }

    Status alias() {
        const auto start = m_cursor.offset();
        PARETO_TRY(std::string name, text());
        PARETO_TRY(const std::string target, text());
        const auto found = m_out.variables.find(target);
        if (found == m_out.variables.end()) {
            return m_cursor.corrupt(start, "the alias " + name + " stands for " + target +
                                               ", which there is not");
        }
        m_out.aliases.emplace(name, target);
        return add(start, name, renamed(found->second, name));
    }

    Status add(std::uint64_t offset, std::string name, TensorInfo tensor) {
        const auto [at, added] = m_out.variables.emplace(std::move(name), std::move(tensor));
        if (!added) {
            return m_cursor.corrupt(offset, "the name " + at->first + " occurs twice");
        }
        return Done{};
    }

    const std::vector<WeightFile>& m_files;
    FileCursor m_cursor;
    CTranslate2File m_out;
};

}  // namespace

Result<CTranslate2File> readCTranslate2File(const std::vector<WeightFile>& files) {
    return Reader(files).run();
}

}  // namespace pareto::io
