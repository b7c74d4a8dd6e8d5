#include "engine/jobs/run/calibration_texts.h"

#include <malloc.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <optional>

#include "engine/core/random.h"
#include "engine/io/table.h"
#include "engine/jobs/api/job_files.h"
#include "engine/spec/task.h"
#include "engine/tasks/task_data.h"

namespace pareto::jobs {
namespace {

using Sequences = std::vector<std::vector<std::int32_t>>;

constexpr std::uint64_t kMaxTextBytes = std::uint64_t{64} << 20;
/// Shorter lines of a text are headings and rests.
constexpr std::size_t kLineBytes = 64;

Error tooShort(const std::string& path, const std::string& reason) {
    return makeError(ErrorCode::TargetInvalid,
                     {{"field", "calibration.source"}, {"reason", path + " " + reason}});
}

/// `count` of the numbers below `size`, each once, in the order drawn.
std::vector<std::size_t> draw(std::size_t size, std::size_t count, std::uint64_t seed) {
    std::vector<std::size_t> numbers(size);
    std::iota(numbers.begin(), numbers.end(), std::size_t{0});
    RandomStream random(seed, "calibration");
    count = std::min(count, size);
    for (std::size_t i = 0; i < count; ++i) {
        std::swap(numbers[i], numbers[i + random.below(size - i)]);
    }
    numbers.resize(count);
    return numbers;
}

Sequences encodeDrawn(const std::vector<std::string>& texts, const CalibrationSpec& calibration,
                      const text::Tokenizer& tokenizer, std::int64_t length, Progress& progress) {
    text::EncodeOptions options;
    options.maxLength = length;
    Sequences out;
    for (const auto index : draw(texts.size(), static_cast<std::size_t>(calibration.samples), calibration.seed)) {
        auto ids = tokenizer.encode(texts[index], options).ids;
        if (!ids.empty()) {
            out.push_back(std::move(ids));
        }
        progress.advance();
    }
    return out;
}

Sequences windowsOf(const std::string& text, const CalibrationSpec& calibration, const text::Tokenizer& tokenizer,
                    std::int64_t length, Progress& progress) {
    text::EncodeOptions options;
    options.addSpecialTokens = false;
    const auto ids = tokenizer.encode(text, options).ids;
    Sequences out;
    if (static_cast<std::int64_t>(ids.size()) < length) {
        return out;
    }
    RandomStream random(calibration.seed, "calibration");
    const auto places = static_cast<std::uint64_t>(ids.size()) - static_cast<std::uint64_t>(length) + 1;
    for (int i = 0; i < calibration.samples; ++i) {
        const auto at = ids.begin() + static_cast<std::ptrdiff_t>(random.below(places));
        out.emplace_back(at, at + static_cast<std::ptrdiff_t>(length));
        progress.advance();
    }
    return out;
}

std::vector<std::string> longLines(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        if (end - begin >= kLineBytes) {
            lines.push_back(text.substr(begin, end - begin));
        }
        begin = end + 1;
    }
    return lines;
}

/// The task that a source names or is: a built-in one, a file of its own, or its JSON. What is wrong with the file.
Result<std::optional<Task>> taskOf(const std::string& source) {
    for (const auto& task : builtInTasks()) {
        if (task.name == source) {
            return std::optional(task.task);
        }
    }
    if (!source.starts_with('{') && std::filesystem::path(source).extension() != ".json") {
        return std::optional<Task>();
    }
    PARETO_TRY(auto task, loadTask(source));
    return std::optional(std::move(task));
}

/// Never the rows that the task measures: "train" in the folder, or beside the file.
Result<Task> trainingSplit(Task task, const std::string& source) {
    namespace fs = std::filesystem;
    constexpr const char* kTraining = "train";
    std::error_code ignored;
    fs::path data(task.data);
    if (!fs::is_directory(data, ignored)) {
        const fs::path beside = data.parent_path() / (kTraining + data.extension().string());
        if (!fs::exists(beside, ignored)) {
            return tooShort(source, "has no training split (" + beside.string() +
                                        "): name a text, or a table and its column as train.csv#text");
        }
        data = beside;
    }
    task.data = data.string();
    task.split = kTraining;
    task.limit = 0;
    return task;
}

Result<Sequences> readTexts(const CalibrationSpec& calibration, const text::Tokenizer& tokenizer,
                            const ModelLayout& layout, Progress& progress, std::stop_token stop) {
    const auto length = layout.maxPositions > 0 ? std::min<std::int64_t>(calibration.length, layout.maxPositions)
                                                : calibration.length;
    progress.begin(Stage::Tokenizing, calibration.samples, Unit::Samples);
    std::string path = calibration.source;
    if (path.empty()) {
        path = defaultCalibrationText();
    }
    PARETO_TRY(const auto task, taskOf(path));
    if (task) {
        PARETO_TRY(const Task training, trainingSplit(*task, path));
        if (training.format != DataFormat::Text) {
            const std::string_view role = columnRoles(training.kind).front().role;
            PARETO_TRY(const auto rows, tasks::readDataRows(training, {&role, 1}, progress, stop));
            std::vector<std::string> texts;
            for (const auto& row : rows.rows) {
                texts.push_back(row.values.front());
            }
            return encodeDrawn(texts, calibration, tokenizer, length, progress);
        }
        path = training.data;
    }
    const auto hash = path.rfind('#');
    if (hash != std::string::npos) {
        const auto file = path.substr(0, hash);
        PARETO_TRY(const auto table, io::readTable(file, {.format = io::tableFormatOf(file)}, progress, stop));
        PARETO_TRY(const auto column, table.column(path.substr(hash + 1)));
        std::vector<std::string> texts;
        for (const auto& row : table.rows) {
            texts.push_back(row.cells[column]);
        }
        auto out = encodeDrawn(texts, calibration, tokenizer, length, progress);
        return out.empty() ? Result<Sequences>(tooShort(file, "has no rows")) : Result<Sequences>(std::move(out));
    }
    PARETO_TRY(const auto text, io::readPlainText(path, kMaxTextBytes));
    auto out = layout.isEncoder() ? encodeDrawn(longLines(text), calibration, tokenizer, length, progress)
                                  : windowsOf(text, calibration, tokenizer, length, progress);
    if (out.empty()) {
        return tooShort(path, layout.isEncoder() ? "has no line of " + std::to_string(kLineBytes) + " bytes"
                                                 : "has fewer than " + std::to_string(length) + " tokens");
    }
    return out;
}

}  // namespace

Result<Sequences> calibrationTexts(const CalibrationSpec& calibration, const text::Tokenizer& tokenizer,
                                   const ModelLayout& layout, Progress& progress, std::stop_token stop) {
    auto out = readTexts(calibration, tokenizer, layout, progress, std::move(stop));
    // Cutting a text to tokens takes twenty times its size in small pieces, which malloc would keep.
    malloc_trim(0);
    return out;
}

}  // namespace pareto::jobs
