#include "engine/tasks/task_data.h"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <optional>

#include "engine/core/file.h"
#include "engine/core/hash.h"
#include "engine/core/random.h"
#include "engine/io/table.h"

namespace pareto::tasks {

namespace {

namespace fs = std::filesystem;

constexpr const char* kSplitColumn = "split";
constexpr std::uint64_t kHashPiece = std::uint64_t{4} << 20;

std::string extensionOf(DataFormat format) {
    return format == DataFormat::Text ? "txt" : std::string(nameOf(format));
}

io::TableFormat tableFormat(DataFormat format) {
    switch (format) {
    case DataFormat::Tsv: return io::TableFormat::Tsv;
    case DataFormat::Jsonl: return io::TableFormat::Jsonl;
    case DataFormat::Csv:
    case DataFormat::Text:
    case DataFormat::Squad:
    case DataFormat::Beir:
    case DataFormat::Conll: break;
    }
    return io::TableFormat::Csv;
}

Error emptyData(const std::string& file, const Task& task) {
    return makeError(ErrorCode::DataEmpty,
                     {{"file", file}, {"split", task.split.empty() ? "all" : task.split}});
}

/// Every line that is not empty is a row.
Result<std::vector<TextRow>> rowsOfLines(const std::string& file) {
    PARETO_TRY(const auto text, io::readPlainText(file));
    std::vector<TextRow> rows;
    std::int64_t line = 1;
    for (std::size_t begin = 0; begin < text.size(); ++line) {
        auto end = text.find('\n', begin);
        end = end == std::string::npos ? text.size() : end;
        auto content = text.substr(begin, end - begin);
        if (!content.empty() && content.back() == '\r') {
            content.pop_back();
        }
        if (content.find_first_not_of(" \t") != std::string::npos) {
            TextRow row;
            row.row = static_cast<std::int64_t>(rows.size());
            row.line = line;
            row.text = std::move(content);
            rows.push_back(std::move(row));
        }
        begin = end + 1;
    }
    return rows;
}

struct Columns {
    std::size_t text = 0;
    std::optional<std::size_t> pair;
    std::optional<std::size_t> label;
    std::optional<std::size_t> split;
};

Result<Columns> columnsOf(const io::Table& table, const Task& task, bool labels) {
    Columns columns;
    PARETO_TRY(columns.text, table.column(task.column("text")));
    if (task.hasColumn("pair")) {
        PARETO_TRY(columns.pair, table.column(task.column("pair")));
    }
    if (labels) {
        PARETO_TRY(columns.label, table.column(task.column("label")));
    }
    const bool ownFile = fs::path(table.path).stem() == task.split;
    if (!task.split.empty() && !ownFile) {
        PARETO_TRY(columns.split, table.column(kSplitColumn));
    }
    return columns;
}

Result<std::vector<TextRow>> rowsOfTable(const std::string& file, const Task& task, bool labels,
                                         Progress& progress, std::stop_token stop) {
    io::TableOptions options;
    options.format = tableFormat(task.format);
    PARETO_TRY(auto table, io::readTable(file, options, progress, stop));
    PARETO_TRY(const auto columns, columnsOf(table, task, labels));
    std::vector<TextRow> rows;
    std::int64_t position = 0;
    for (auto& cells : table.rows) {
        const auto index = position++;
        if (columns.split && cells.cells[*columns.split] != task.split) {
            continue;
        }
        TextRow row;
        row.row = index;
        row.line = cells.line;
        if (columns.label) {
            row.label = cells.cells[*columns.label];
        }
        row.hasPair = columns.pair.has_value();
        if (columns.pair) {
            row.pair = cells.cells[*columns.pair];
        }
        row.text = std::move(cells.cells[columns.text]);
        rows.push_back(std::move(row));
    }
    return rows;
}

/// `limit` rows without repetition (the first steps of a Fisher-Yates shuffle), in the file's order.
std::vector<TextRow> drawRows(std::vector<TextRow> rows, std::int64_t limit, std::uint64_t seed) {
    const auto wanted = static_cast<std::size_t>(limit);
    if (limit <= 0 || wanted >= rows.size()) {
        return rows;
    }
    RandomStream random(seed, "task.rows");
    std::vector<std::size_t> order(rows.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t i = 0; i < wanted; ++i) {
        std::swap(order[i], order[i + static_cast<std::size_t>(random.below(order.size() - i))]);
    }
    order.resize(wanted);
    std::sort(order.begin(), order.end());
    std::vector<TextRow> drawn;
    for (const auto index : order) {
        drawn.push_back(std::move(rows[index]));
    }
    return drawn;
}

}  // namespace

Result<std::string> taskFile(const Task& task) {
    std::error_code ignored;
    auto path = fs::path(task.data);
    if (fs::is_directory(path, ignored)) {
        if (task.split.empty()) {
            return makeError(ErrorCode::TaskInvalid,
                             {{"file", "task"},
                              {"field", "split"},
                              {"reason", "is missing: " + task.data + " is a folder"}});
        }
        path /= task.split + "." + extensionOf(task.format);
    }
    if (!fs::exists(path, ignored)) {
        return makeError(ErrorCode::FileMissing, {{"file", path.string()}});
    }
    return path.string();
}

Result<TaskRows> readTaskRows(const Task& task, bool labels, Progress& progress,
                              std::stop_token stop) {
    TaskRows data;
    PARETO_TRY(data.file, taskFile(task));
    PARETO_TRY(data.hash, hashFile(data.file, stop));
    if (task.format == DataFormat::Text) {
        PARETO_TRY(data.rows, rowsOfLines(data.file));
    } else {
        PARETO_TRY(data.rows, rowsOfTable(data.file, task, labels, progress, stop));
    }
    if (data.rows.empty()) {
        return emptyData(data.file, task);
    }
    data.available = static_cast<std::int64_t>(data.rows.size());
    data.rows = drawRows(std::move(data.rows), task.limit, task.seed);
    return data;
}

Result<std::string> hashFile(const std::string& path, std::stop_token stop) {
    PARETO_TRY(const auto file, InputFile::open(path));
    Sha256 hash;
    for (std::uint64_t offset = 0; offset < file->size(); offset += kHashPiece) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        PARETO_TRY(const auto piece,
                   file->read(offset, std::min(kHashPiece, file->size() - offset)));
        hash.add(piece.bytes());
    }
    return hash.hex();
}

}  // namespace pareto::tasks
