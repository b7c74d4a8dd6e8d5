#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/spec/task.h"

namespace pareto::tasks {

/// One row that a task uses.
struct TextRow {
    std::int64_t row = 0;    ///< position among the data's rows, from 0
    std::int64_t line = 0;   ///< line in the file, for messages
    std::string text;
    std::string pair;
    bool hasPair = false;
    std::string label;       ///< as in the data; empty when no labels were asked for
};

struct TaskRows {
    std::string file;        ///< the file that was read
    std::string hash;        ///< SHA-256 of its bytes
    std::int64_t available = 0;  ///< rows before `limit`
    std::vector<TextRow> rows;   ///< in the order of the file
};

/// One row of a table with the text of each role that was asked for, in that order; empty where the
/// task has no column for an optional role.
struct DataRow {
    std::int64_t row = 0;
    std::int64_t line = 0;
    std::vector<std::string> values;
};

struct DataRows {
    std::string file;
    std::string hash;
    std::int64_t available = 0;
    std::vector<DataRow> rows;
    /// DataRowInvalid about one of the rows.
    Error invalid(std::int64_t line, std::string reason) const;
};

/// The file of a task's split: `data` itself, or "<split>.<extension>" in the folder `data`.
/// FileMissing.
Result<std::string> taskFile(const Task& task);

/// Rows of the task's split; `limit` of them drawn with `seed` from the stream "task.rows". In a
/// single file a split selects by a column named "split"; a file that carries the split's name needs
/// none. DataColumnMissing, DataEmpty, DataRowInvalid.
Result<TaskRows> readTaskRows(const Task& task, bool labels, Progress& progress,
                              std::stop_token stop);

/// The same for any roles of the task's kind (spec/task.h: columnRoles).
Result<DataRows> readDataRows(const Task& task, std::span<const std::string_view> roles,
                              Progress& progress, std::stop_token stop);

/// Which of n items a task uses: `limit` of them (0: all) drawn with `seed` from the stream
/// "task.rows", in their order.
std::vector<std::size_t> drawnIndices(std::size_t n, std::int64_t limit, std::uint64_t seed);

/// A cell with several texts: a JSON list of texts or numbers, an object with such a list under "text"
/// (as data sets of SQuAD's kind have), else the cell itself as the only one. Empty: none.
std::vector<std::string> textsOfCell(const std::string& cell);

}  // namespace pareto::tasks
