#include "engine/project/source_rows.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <unordered_set>

#include "engine/core/file_hash.h"
#include "engine/io/table.h"
#include "engine/project/text_keys.h"

namespace pareto::project {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostLabels = 1000;

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

std::optional<Split> splitOf(const std::string& name) {
    static const std::vector<std::pair<std::string_view, Split>> kNames{
        {"train", Split::Train},
        {"training", Split::Train},
        {"validation", Split::Validation},
        {"valid", Split::Validation},
        {"val", Split::Validation},
        {"dev", Split::Validation},
        {"development", Split::Validation},
        {"test", Split::Test},
        {"testing", Split::Test}};
    const auto wanted = lower(name);
    for (const auto& [known, split] : kNames) {
        if (known == wanted) {
            return split;
        }
    }
    return std::nullopt;
}

Error invalid(std::string field, std::string reason) {
    return makeError(ErrorCode::TaskInvalid,
                     {{"field", std::move(field)}, {"reason", std::move(reason)}});
}

struct Source {
    std::string path;
    std::optional<Split> split;
};

Result<std::vector<Source>> sourcesOf(const std::string& path) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
        return std::vector<Source>{{path, std::nullopt}};
    }
    static const std::set<std::string> kTables{".csv", ".tsv", ".tab", ".jsonl", ".ndjson"};
    std::vector<Source> out;
    for (fs::directory_iterator it(path, ignored), end; it != end; it.increment(ignored)) {
        const auto split = splitOf(it->path().stem().string());
        if (split && kTables.contains(lower(it->path().extension().string()))) {
            out.push_back({it->path().string(), split});
        }
    }
    std::sort(out.begin(), out.end(), [](const Source& a, const Source& b) {
        return std::pair(a.split, a.path) < std::pair(b.split, b.path);
    });
    for (std::size_t i = 1; i < out.size(); ++i) {
        if (out[i].split == out[i - 1].split) {
            return invalid(
                "data", "has two files for one split: " + out[i - 1].path + " and " + out[i].path);
        }
    }
    if (out.empty() || out.front().split != Split::Train) {
        return invalid("data", path + " holds no train.csv, train.tsv or train.jsonl");
    }
    return out;
}

/// What a column's cells look like.
struct ColumnFacts {
    std::string name;
    std::size_t distinct = 0;
    double meanLength = 0.0;  ///< bytes
    bool numbers = true;      ///< every cell that is not empty is one
};

bool isNumber(const std::string& text) {
    char* end = nullptr;
    std::strtod(text.c_str(), &end);
    return !text.empty() && *end == '\0';
}

ColumnFacts factsOf(const io::Table& table, std::size_t column) {
    ColumnFacts out;
    out.name = table.columns[column];
    std::unordered_set<std::string> seen;
    double bytes = 0.0;
    for (const auto& row : table.rows) {
        const auto& cell = row.cells[column];
        bytes += static_cast<double>(cell.size());
        out.numbers = out.numbers && (cell.empty() || isNumber(cell));
        if (!cell.empty()) {
            seen.insert(cell);
        }
    }
    out.distinct = seen.size();
    out.meanLength = table.rows.empty() ? 0.0 : bytes / static_cast<double>(table.rows.size());
    return out;
}

class ColumnChooser {
public:
    ColumnChooser(const io::Table& table, const DataOptions& options, DataReport& report)
        : m_table(table), m_options(options), m_report(report) {}

    Status run() {
        for (std::size_t i = 0; i < m_table.columns.size(); ++i) {
            m_facts.push_back(factsOf(m_table, i));
        }
        m_report.labelColumn = m_options.label;
        m_report.textColumn = m_options.text;
        m_report.labelWhy = m_report.textWhy = "given";
        if (m_options.text.empty()) {
            PARETO_CHECK(guessText());
        }
        if (m_options.label.empty()) {
            PARETO_CHECK(guessLabel());
        }
        PARETO_CHECK(m_table.column(m_report.textColumn));
        PARETO_CHECK(m_table.column(m_report.labelColumn));
        return Done{};
    }

    /// The column that names splits, when every cell of it does.
    Result<std::string> splitColumn() const {
        const bool given = !m_options.split.empty();
        for (const char* name : {"split", "set", "partition", "subset"}) {
            for (const auto& facts : m_facts) {
                const bool meant =
                    given ? facts.name == m_options.split : lower(facts.name) == name;
                if (!meant) {
                    continue;
                }
                PARETO_TRY(const auto column, m_table.column(facts.name));
                const auto odd = std::find_if(
                    m_table.rows.begin(), m_table.rows.end(),
                    [&](const io::TableRow& row) { return !splitOf(row.cells[column]); });
                if (odd == m_table.rows.end()) {
                    return facts.name;
                }
                if (given) {
                    return invalid("split", "\"" + odd->cells[column] + "\" in line " +
                                                std::to_string(odd->line) +
                                                " is none of train, validation and test");
                }
            }
        }
        if (given) {
            PARETO_CHECK(m_table.column(m_options.split));
        }
        return std::string();
    }

private:
    bool isTaken(const std::string& name) const {
        return name == m_options.split ||
               (name == m_report.labelColumn && !m_options.label.empty()) ||
               name == m_report.textColumn;
    }

    std::string known() const {
        std::string names;
        for (const auto& facts : m_facts) {
            names += (names.empty() ? "\"" : ", \"") + facts.name + "\"";
        }
        return names;
    }

    static std::string rounded(double value) {
        return std::to_string(static_cast<std::int64_t>(value + 0.5));
    }

    Status guessText() {
        const ColumnFacts* best = nullptr;
        const auto score = [&](const ColumnFacts& facts) {
            return facts.meanLength * static_cast<double>(facts.distinct);
        };
        for (const auto& facts : m_facts) {
            if (facts.name == "text" && !isTaken(facts.name)) {
                m_report.textColumn = facts.name;
                m_report.textWhy = "it has the usual name";
                return Done{};
            }
            if (!facts.numbers && !isTaken(facts.name) &&
                (best == nullptr || score(facts) > score(*best))) {
                best = &facts;
            }
        }
        if (best == nullptr) {
            return invalid("text",
                           "was not given and no column holds texts (columns: " + known() + ")");
        }
        m_report.textColumn = best->name;
        m_report.textWhy = "it has the longest and most distinct texts (" +
                           std::to_string(best->distinct) + " of " +
                           std::to_string(m_table.rows.size()) + " distinct, " +
                           rounded(best->meanLength) + " bytes on average)";
        return Done{};
    }

    Status guessLabel() {
        const ColumnFacts* best = nullptr;
        for (const auto& facts : m_facts) {
            if (isTaken(facts.name)) {
                continue;
            }
            if (facts.name == "label") {
                m_report.labelColumn = facts.name;
                m_report.labelWhy = "it has the usual name";
                return Done{};
            }
            const bool fits = facts.distinct >= 2 && facts.distinct <= kMostLabels &&
                              facts.distinct * 2 <= m_table.rows.size() &&
                              !splitOf(firstCell(facts));
            const bool named = lower(facts.name).find("label") != std::string::npos;
            const bool bestNamed =
                best != nullptr && lower(best->name).find("label") != std::string::npos;
            if (fits && (best == nullptr || std::pair(!named, facts.distinct) <
                                                std::pair(!bestNamed, best->distinct))) {
                best = &facts;
            }
        }
        if (best == nullptr) {
            return invalid("label",
                           "was not given and no column has few values (columns: " + known() + ")");
        }
        m_report.labelColumn = best->name;
        m_report.labelWhy = "it has few values (" + std::to_string(best->distinct) + ")";
        return Done{};
    }

    std::string firstCell(const ColumnFacts& facts) const {
        const auto column = m_table.column(facts.name);
        return column.ok() && !m_table.rows.empty() ? m_table.rows.front().cells[column.value()]
                                                    : std::string();
    }

    const io::Table& m_table;
    const DataOptions& m_options;
    DataReport& m_report;
    std::vector<ColumnFacts> m_facts;
};

}  // namespace

Result<std::vector<SourceRow>> readSource(const DataOptions& options, DataReport& report,
                                          Progress& progress, std::stop_token stop) {
    PARETO_TRY(const auto sources, sourcesOf(options.source));
    std::vector<SourceRow> rows;
    std::string splitName;
    for (std::size_t file = 0; file < sources.size(); ++file) {
        const auto& source = sources[file];
        io::TableOptions how;
        how.format = io::tableFormatOf(source.path);
        PARETO_TRY(const auto table, io::readTable(source.path, how, progress, stop));
        PARETO_TRY(const auto hash, hashFile(source.path, stop));
        report.files.push_back({source.path, hash, static_cast<std::int64_t>(table.rows.size())});
        if (file == 0) {
            ColumnChooser chooser(table, options, report);
            PARETO_CHECK(chooser.run());
            PARETO_TRY(const auto column, chooser.splitColumn());
            splitName = source.split ? std::string() : column;
        }
        PARETO_TRY(const auto text, table.column(report.textColumn));
        PARETO_TRY(const auto label, table.column(report.labelColumn));
        std::optional<std::size_t> split;
        if (!splitName.empty()) {
            PARETO_TRY(split, table.column(splitName));
        }
        for (const auto& row : table.rows) {
            rows.push_back({row.cells[text], row.cells[label],
                            split ? splitOf(row.cells[*split]) : source.split, file, row.line});
        }
    }
    report.splitsFrom = sources.front().split ? "files"
                        : splitName.empty()   ? "drawn"
                                              : "column " + splitName;
    report.read = static_cast<std::int64_t>(rows.size());
    return rows;
}

}  // namespace pareto::project
