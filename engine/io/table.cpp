#include "engine/io/table.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "engine/core/file.h"
#include "engine/core/json.h"
#include "engine/io/char_source.h"
#include "engine/io/utf8.h"

namespace pareto::io {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{2} << 30;
constexpr std::size_t kMaxCellBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxColumns = 16384;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

class TableReader {
public:
    TableReader(const InputFile& file, const TableOptions& options, Progress& progress,
                std::stop_token stop)
        : m_options(options), m_source(file, progress, std::move(stop)) {
        m_table.path = file.path();
    }

    Result<Table> run() {
        const Status status = m_options.format == TableFormat::Jsonl ? readJsonl() : readSeparated();
        PARETO_CHECK(m_source.status());
        PARETO_CHECK(status);
        return std::move(m_table);
    }

private:
    Error invalid(std::int64_t line, std::string reason) const {
        return makeError(ErrorCode::DataRowInvalid, {{"file", m_table.path},
                                                     {"line", std::to_string(line)},
                                                     {"reason", std::move(reason)}});
    }
    bool enough() {
        const bool full = m_options.maxRows > 0 &&
                          static_cast<std::int64_t>(m_table.rows.size()) >= m_options.maxRows;
        if (full && m_source.peek() >= 0) {
            m_table.complete = false;
        }
        return full;
    }

    Status readSeparated() {
        const char separator = m_options.format == TableFormat::Tsv ? '\t' : ',';
        bool first = true;
        while (m_source.peek() >= 0 && !enough()) {
            TableRow row;
            row.line = m_source.line();
            PARETO_CHECK(readRecord(separator, row.cells));
            if (row.cells.size() == 1 && row.cells.front().empty()) {
                continue;
            }
            if (first) {
                first = false;
                m_table.columns = std::move(row.cells);
                PARETO_CHECK(checkColumns(row.line));
                continue;
            }
            if (row.cells.size() != m_table.columns.size()) {
                return invalid(row.line, "it has " + std::to_string(row.cells.size()) +
                                             " columns, the heading has " +
                                             std::to_string(m_table.columns.size()));
            }
            m_table.rows.push_back(std::move(row));
        }
        return Done{};
    }

    Status checkColumns(std::int64_t line) const {
        auto names = m_table.columns;
        std::sort(names.begin(), names.end());
        const auto twice = std::adjacent_find(names.begin(), names.end());
        if (twice != names.end()) {
            return invalid(line, "the column name \"" + *twice + "\" stands twice");
        }
        return Done{};
    }

    Status readRecord(char separator, std::vector<std::string>& cells) {
        for (;;) {
            std::string cell;
            PARETO_CHECK(readCell(separator, cell));
            cells.push_back(replaceInvalidUtf8(std::move(cell)));
            if (cells.size() > kMaxColumns) {
                return invalid(m_source.line(), "it has more than 16384 columns");
            }
            const int end = m_source.peek();
            if (end == separator) {
                m_source.next();
                continue;
            }
            if (end == '\r') {
                m_source.next();
            }
            if (m_source.peek() == '\n') {
                m_source.next();
            }
            return Done{};
        }
    }

    /// Up to, but not including, the separator or the end of the line.
    Status readCell(char separator, std::string& cell) {
        const auto line = m_source.line();
        const auto tooLong = [&] { return invalid(line, "a cell is longer than 64 MiB"); };
        if (m_source.peek() == '"') {
            m_source.next();
            for (;;) {
                const int c = m_source.next();
                if (c < 0) {
                    return invalid(line, "a quoted cell that begins here does not end");
                }
                if (c == '"') {
                    if (m_source.peek() != '"') {
                        break;
                    }
                    m_source.next();
                }
                cell += static_cast<char>(c);
                if (cell.size() > kMaxCellBytes) {
                    return tooLong();
                }
            }
        }
        // Text after a closing quote is kept, as most readers do.
        for (int c = m_source.peek(); c >= 0 && c != separator && c != '\n' && c != '\r';
             c = m_source.peek()) {
            cell += static_cast<char>(m_source.next());
            if (cell.size() > kMaxCellBytes) {
                return tooLong();
            }
        }
        return Done{};
    }

    Status readJsonl() {
        std::map<std::string, std::size_t> places;
        while (m_source.peek() >= 0 && !enough()) {
            TableRow row;
            row.line = m_source.line();
            std::string text;
            if (!m_source.takeLine(text, kMaxCellBytes)) {
                return invalid(row.line, "it is longer than 64 MiB");
            }
            if (text.find_first_not_of(" \t\r") == std::string::npos) {
                continue;
            }
            auto parsed = parseOrdered(replaceInvalidUtf8(std::move(text)), row.line);
            PARETO_CHECK(parsed);
            for (auto& [key, value] : parsed.value()) {
                const auto [place, isNew] = places.emplace(key, m_table.columns.size());
                if (isNew) {
                    if (m_table.columns.size() >= kMaxColumns) {
                        return invalid(row.line, "there are more than 16384 different keys");
                    }
                    m_table.columns.push_back(key);
                }
                row.cells.resize(std::max(row.cells.size(), place->second + 1));
                row.cells[place->second] = std::move(value);
            }
            m_table.rows.push_back(std::move(row));
        }
        for (auto& row : m_table.rows) {
            row.cells.resize(m_table.columns.size());
        }
        return Done{};
    }

    /// Keys in the order of the line, values as text.
    Result<std::vector<std::pair<std::string, std::string>>> parseOrdered(const std::string& text,
                                                                          std::int64_t line) const {
        auto strict = parseJson(text, m_table.path);
        if (!strict.ok()) {
            return invalid(line, "not valid JSON: " + strict.error().args.at("reason"));
        }
        if (!strict->is_object()) {
            return invalid(line, "it is not a JSON object");
        }
        const auto ordered = nlohmann::ordered_json::parse(text, nullptr, false);
        std::vector<std::pair<std::string, std::string>> out;
        for (const auto& [key, value] : ordered.items()) {
            out.emplace_back(key, value.is_string() ? value.get<std::string>()
                                  : value.is_null() ? std::string()
                                                    : value.dump());
        }
        return out;
    }

    TableOptions m_options;
    CharSource m_source;
    Table m_table;
};

Error tooLarge(const std::string& path, std::uint64_t size) {
    return makeError(ErrorCode::FileUnsafe,
                     {{"file", path},
                      {"reason", "it has " + std::to_string(size) +
                                     " bytes; data files may have 2 GiB. Split it"}});
}

}  // namespace

Result<std::size_t> Table::column(const std::string& name) const {
    const auto found = std::find(columns.begin(), columns.end(), name);
    if (found != columns.end()) {
        return static_cast<std::size_t>(found - columns.begin());
    }
    std::string known;
    for (const auto& column : columns) {
        known += (known.empty() ? "" : ", ") + column;
    }
    return makeError(ErrorCode::DataColumnMissing,
                     {{"file", path}, {"column", name}, {"known", known.empty() ? "none" : known}});
}

Result<Table> readTable(const std::string& path, const TableOptions& options, Progress& progress,
                        std::stop_token stop) {
    PARETO_TRY(const auto file, InputFile::open(path));
    if (file->size() > kMaxFileBytes && options.maxRows == 0) {
        return tooLarge(path, file->size());
    }
    progress.begin(Stage::Opening, static_cast<std::int64_t>(file->size()), Unit::Bytes);
    return TableReader(*file, options, progress, std::move(stop)).run();
}

Result<Table> readTable(const std::string& path, const TableOptions& options) {
    Progress progress;
    return readTable(path, options, progress, {});
}

Result<std::string> readPlainText(const std::string& path, std::uint64_t maxBytes) {
    PARETO_TRY(const auto file, InputFile::open(path));
    const bool cut = maxBytes > 0 && file->size() > maxBytes;
    const auto size = cut ? maxBytes : file->size();
    if (size > kMaxFileBytes) {
        return tooLarge(path, file->size());
    }
    std::string text(size, '\0');
    PARETO_CHECK(file->readAt(0, std::as_writable_bytes(std::span(text))));
    if (cut) {
        // A character that the cut goes through is left out, not replaced.
        std::size_t tail = 0;
        while (tail < 3 && tail < text.size() && (text[text.size() - 1 - tail] & 0xC0) == 0x80) {
            ++tail;
        }
        if (tail < text.size() && (text[text.size() - 1 - tail] & 0xC0) == 0xC0 &&
            !isUtf8(std::string_view(text).substr(text.size() - 1 - tail))) {
            text.resize(text.size() - 1 - tail);
        }
    }
    if (text.starts_with(kByteOrderMark)) {
        text.erase(0, kByteOrderMark.size());
    }
    return replaceInvalidUtf8(std::move(text));
}

TableFormat tableFormatOf(const std::string& path) {
    std::string ending = std::filesystem::path(path).extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(),
                   [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
    if (ending == ".tsv" || ending == ".tab") {
        return TableFormat::Tsv;
    }
    return ending == ".jsonl" || ending == ".ndjson" ? TableFormat::Jsonl : TableFormat::Csv;
}

}  // namespace pareto::io
