#include "engine/tasks/task_data.h"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <optional>

#include "engine/core/file_hash.h"
#include "engine/core/json.h"
#include "engine/core/random.h"
#include "engine/io/table.h"

namespace pareto::tasks {

namespace {

namespace fs = std::filesystem;

constexpr const char* kSplitColumn = "split";

std::string extensionOf(DataFormat format) {
    switch (format) {
    case DataFormat::Text: return "txt";
    case DataFormat::Squad: return "json";
    case DataFormat::Csv:
    case DataFormat::Tsv:
    case DataFormat::Jsonl:
    case DataFormat::Beir:
    case DataFormat::Conll: break;
    }
    return std::string(nameOf(format));
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

/// Every line that is not empty is a row, of the role "text".
Result<std::vector<DataRow>> rowsOfLines(const std::string& file, std::span<const std::string_view> roles) {
    PARETO_TRY(const auto text, io::readPlainText(file));
    std::vector<DataRow> rows;
    std::int64_t line = 1;
    for (std::size_t begin = 0; begin < text.size(); ++line) {
        auto end = text.find('\n', begin);
        end = end == std::string::npos ? text.size() : end;
        auto content = text.substr(begin, end - begin);
        if (!content.empty() && content.back() == '\r') {
            content.pop_back();
        }
        if (content.find_first_not_of(" \t") != std::string::npos) {
            DataRow row{static_cast<std::int64_t>(rows.size()), line, {}};
            for (const auto role : roles) {
                row.values.push_back(role == "text" ? content : std::string());
            }
            rows.push_back(std::move(row));
        }
        begin = end + 1;
    }
    return rows;
}

/// A column each role; none where the task has none.
Result<std::vector<std::optional<std::size_t>>> columnsOf(const io::Table& table, const Task& task,
                                                          std::span<const std::string_view> roles) {
    std::vector<std::optional<std::size_t>> columns;
    for (const auto role : roles) {
        columns.emplace_back();
        if (task.hasColumn(role)) {
            PARETO_TRY(columns.back(), table.column(task.column(role)));
        }
    }
    return columns;
}

/// The column that says each row's split, where the file holds several.
Result<std::optional<std::size_t>> splitColumn(const io::Table& table, const Task& task) {
    if (task.split.empty() || fs::path(table.path).stem() == task.split) {
        return std::optional<std::size_t>();
    }
    PARETO_TRY(const auto column, table.column(kSplitColumn));
    return std::optional(column);
}

Result<std::vector<DataRow>> rowsOfTable(const std::string& file, const Task& task,
                                         std::span<const std::string_view> roles, Progress& progress,
                                         std::stop_token stop) {
    io::TableOptions options;
    options.format = tableFormat(task.format);
    PARETO_TRY(auto table, io::readTable(file, options, progress, stop));
    PARETO_TRY(const auto columns, columnsOf(table, task, roles));
    PARETO_TRY(const auto split, splitColumn(table, task));
    std::vector<DataRow> rows;
    std::int64_t position = 0;
    for (auto& cells : table.rows) {
        const auto index = position++;
        if (split && cells.cells[*split] != task.split) {
            continue;
        }
        DataRow row{index, cells.line, {}};
        for (const auto& column : columns) {
            row.values.push_back(column ? cells.cells[*column] : std::string());
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

/// The texts of a JSON list; none when it is something else.
std::vector<std::string> textsOfJson(const Json& json) {
    std::vector<std::string> texts;
    if (!json.is_array()) {
        return texts;
    }
    for (const auto& value : json) {
        texts.push_back(value.is_string() ? value.get<std::string>() : value.dump());
    }
    return texts;
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

Error DataRows::invalid(std::int64_t line, std::string reason) const {
    return makeError(ErrorCode::DataRowInvalid,
                     {{"file", file}, {"line", std::to_string(line)}, {"reason", std::move(reason)}});
}

std::vector<std::size_t> drawnIndices(std::size_t n, std::int64_t limit, std::uint64_t seed) {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto wanted = static_cast<std::size_t>(limit);
    if (limit <= 0 || wanted >= n) {
        return order;
    }
    // The first steps of a Fisher-Yates shuffle.
    RandomStream random(seed, "task.rows");
    for (std::size_t i = 0; i < wanted; ++i) {
        std::swap(order[i], order[i + static_cast<std::size_t>(random.below(order.size() - i))]);
    }
    order.resize(wanted);
    std::sort(order.begin(), order.end());
    return order;
}

std::vector<std::string> textsOfCell(const std::string& cell) {
    if (cell.empty()) {
        return {};
    }
    if (cell.front() == '[' || cell.front() == '{') {
        const auto json = parseJson(cell, "cell");
        if (json.ok() && json->is_array()) {
            return textsOfJson(json.value());
        }
        if (json.ok() && json->is_object() && json->contains("text")) {
            return textsOfJson(json->at("text"));
        }
    }
    return {cell};
}

Result<DataRows> readDataRows(const Task& task, std::span<const std::string_view> roles,
                              Progress& progress, std::stop_token stop) {
    DataRows data;
    PARETO_TRY(data.file, taskFile(task));
    PARETO_TRY(data.hash, hashFile(data.file, stop));
    std::vector<DataRow> rows;
    if (task.format == DataFormat::Text) {
        PARETO_TRY(rows, rowsOfLines(data.file, roles));
    } else {
        PARETO_TRY(rows, rowsOfTable(data.file, task, roles, progress, stop));
    }
    if (rows.empty()) {
        return emptyData(data.file, task);
    }
    data.available = static_cast<std::int64_t>(rows.size());
    for (const auto index : drawnIndices(rows.size(), task.limit, task.seed)) {
        data.rows.push_back(std::move(rows[index]));
    }
    return data;
}

Result<TaskRows> readTaskRows(const Task& task, bool labels, Progress& progress,
                              std::stop_token stop) {
    std::vector<std::string_view> roles{"text", "pair"};
    if (labels) {
        roles.push_back("label");
    }
    PARETO_TRY(auto data, readDataRows(task, roles, progress, stop));
    TaskRows out{std::move(data.file), std::move(data.hash), data.available, {}};
    for (auto& row : data.rows) {
        out.rows.push_back({row.row, row.line, std::move(row.values[0]), std::move(row.values[1]),
                            task.hasColumn("pair"), labels ? std::move(row.values[2]) : std::string()});
    }
    return out;
}

}  // namespace pareto::tasks
