#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
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

/// The file of a task's split: `data` itself, or "<split>.<extension>" in the folder `data`.
/// FileMissing.
Result<std::string> taskFile(const Task& task);

/// Rows of the task's split; `limit` of them drawn with `seed` from the stream "task.rows". In a
/// single file a split selects by a column named "split"; a file that carries the split's name needs
/// none. DataColumnMissing, DataEmpty, DataRowInvalid.
Result<TaskRows> readTaskRows(const Task& task, bool labels, Progress& progress,
                              std::stop_token stop);

/// SHA-256 of a file's bytes.
Result<std::string> hashFile(const std::string& path, std::stop_token stop);

}  // namespace pareto::tasks
