#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"

namespace pareto::io {

enum class TableFormat { Csv, Tsv, Jsonl };

struct TableOptions {
    TableFormat format = TableFormat::Csv;
    std::int64_t maxRows = 0;  ///< stop after so many rows; 0: all. Reads no further than needed.
};

struct TableRow {
    std::int64_t line = 0;  ///< of the row's first character, from 1
    std::vector<std::string> cells;  ///< as many as there are columns
};

/// A data set's rows as text. Invalid UTF-8 has become U+FFFD, a byte order mark is gone.
struct Table {
    std::string path;
    std::vector<std::string> columns;
    std::vector<TableRow> rows;
    bool complete = true;  ///< false when maxRows ended it

    /// DataColumnMissing with the names there are.
    Result<std::size_t> column(const std::string& name) const;
};

/// CSV as RFC 4180 (quotes doubled, line breaks inside quotes, CRLF or LF), the same with tabs, or a
/// JSON object a line (columns: the keys of all rows read, in order of appearance; values that are
/// not text as JSON; an absent key is empty). The first CSV or TSV row names the columns; empty lines
/// are skipped. FileMissing, FileUnreadable, FileUnsafe (over 2 GiB), DataRowInvalid.
Result<Table> readTable(const std::string& path, const TableOptions& options, Progress& progress,
                        std::stop_token stop);
Result<Table> readTable(const std::string& path, const TableOptions& options = {});

/// A plain text file as valid UTF-8, at most `maxBytes` of it (0: all), cut between characters.
Result<std::string> readPlainText(const std::string& path, std::uint64_t maxBytes = 0);

/// By the name's ending: .tsv and .tab, .jsonl and .ndjson, else CSV.
TableFormat tableFormatOf(const std::string& path);

}  // namespace pareto::io
