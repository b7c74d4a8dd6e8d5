#include "engine/spec/task.h"

#include <cstdlib>
#include <filesystem>

namespace pareto {
namespace fs = std::filesystem;
namespace {

constexpr std::initializer_list<TaskKind> kKinds{TaskKind::Classification, TaskKind::Perplexity,
                                                 TaskKind::Fidelity};
constexpr std::initializer_list<DataFormat> kFormats{DataFormat::Csv, DataFormat::Tsv, DataFormat::Jsonl,
                                                     DataFormat::Text};

template <typename T>
void readNamed(JsonReader& reader, std::string_view key, std::initializer_list<T> values, T& out) {
    if (!reader.has(key)) {
        return;
    }
    const auto text = reader.text(key);
    std::string known;
    for (const T value : values) {
        if (nameOf(value) == text) {
            out = value;
            return;
        }
        known += (known.empty() ? "" : ", ") + std::string(nameOf(value));
    }
    reader.fail(key, "\"" + text + "\" is not available in this version (available: " + known + ")");
}

DataFormat formatOfPath(const std::string& path) {
    const auto extension = fs::path(path).extension().string();
    if (extension == ".tsv") {
        return DataFormat::Tsv;
    }
    if (extension == ".jsonl" || extension == ".json") {
        return DataFormat::Jsonl;
    }
    return extension == ".txt" || extension == ".raw" ? DataFormat::Text : DataFormat::Csv;
}

void readColumns(JsonReader& reader, Task& out) {
    const Json* columns = reader.find("columns");
    if (columns == nullptr) {
        return;
    }
    JsonReader inner(*columns, ErrorCode::TaskInvalid, "task", "columns");
    inner.allowOnly({"text", "pair", "label"});
    out.textColumn = inner.text("text", out.textColumn);
    out.pairColumn = inner.text("pair");
    out.labelColumn = inner.text("label", out.labelColumn);
    if (inner.failed()) {
        const auto& problem = inner.status().error();
        reader.fail(problem.args.at("field"), problem.args.at("reason"));
    }
}

void readLabels(JsonReader& reader, Task& out) {
    const Json* labels = reader.find("labels");
    if (labels == nullptr) {
        return;
    }
    if (!labels->is_object()) {
        reader.fail("labels", "must be an object: label as in the data -> class number");
        return;
    }
    for (const auto& [label, index] : labels->items()) {
        if (!index.is_number_integer() || index.get<std::int64_t>() < 0 || index.get<std::int64_t>() > 100000) {
            reader.fail("labels." + label, "must be a class number from 0");
            return;
        }
        out.labels[label] = index.get<int>();
    }
}

Task builtIn(std::string name, TaskKind kind, const fs::path& data, DataFormat format) {
    Task task;
    task.name = std::move(name);
    task.kind = kind;
    task.data = data.string();
    task.format = format;
    return task;
}

std::vector<BuiltInTask> makeBuiltIns() {
    const fs::path samples = samplesFolder();
    std::vector<BuiltInTask> out;
    Task injection = builtIn("prompt-injection", TaskKind::Classification, samples / "prompt-injection",
                             DataFormat::Csv);
    injection.split = "test";
    Task wiki = builtIn("wikitext2-valid", TaskKind::Perplexity, samples / "wikitext2" / "valid.txt",
                        DataFormat::Text);
    Task trec = builtIn("trec-fidelity", TaskKind::Fidelity, samples / "trec" / "trec.csv", DataFormat::Csv);
    trec.textColumn = "text";
    trec.limit = 500;
    trec.maxLength = 128;
    for (const auto& task : {injection, trec, wiki}) {
        std::error_code ignored;
        out.push_back({task.name, task.kind, headlineMetric(task.kind), fs::exists(task.data, ignored), task});
    }
    return out;
}

}  // namespace

std::string_view nameOf(TaskKind value) {
    switch (value) {
        case TaskKind::Classification: return "classification";
        case TaskKind::Perplexity: return "perplexity";
        case TaskKind::Fidelity: return "fidelity";
    }
    return "";
}

std::string_view nameOf(DataFormat value) {
    switch (value) {
        case DataFormat::Csv: return "csv";
        case DataFormat::Tsv: return "tsv";
        case DataFormat::Jsonl: return "jsonl";
        case DataFormat::Text: return "text";
    }
    return "";
}

Result<Task> taskFromJson(const Json& json, const std::string& folder) {
    JsonReader reader(json, ErrorCode::TaskInvalid, "task");
    reader.allowOnly({"version", "name", "kind", "data", "format", "columns", "labels", "split", "limit",
                      "seed", "max_length", "window", "protocol"});
    reader.integer("version", 1, 1, 1);
    Task out;
    reader.require("kind");
    readNamed(reader, "kind", kKinds, out.kind);
    const auto data = reader.require("data").text("data");
    if (!reader.failed() && data.empty()) {
        reader.fail("data", "must not be empty");
    }
    out.data = (fs::path(folder) / data).lexically_normal().string();
    out.name = reader.text("name", fs::path(data).stem().string());
    out.format = formatOfPath(data);
    readNamed(reader, "format", kFormats, out.format);
    readColumns(reader, out);
    readLabels(reader, out);
    out.split = reader.text("split");
    if (out.split.find_first_of("/\\") != std::string::npos || out.split == "..") {
        reader.fail("split", "must be a plain name");
    }
    out.limit = reader.integer("limit", 0, 0, INT64_MAX);
    out.seed = static_cast<std::uint64_t>(reader.integer("seed", 0, 0, INT64_MAX));
    out.maxLength = reader.integer("max_length", out.maxLength, 4, 1 << 20);
    out.window = reader.integer("window", out.window, 8, 1 << 20);
    out.protocol = reader.text("protocol", out.protocol);
    if (out.protocol != "gptq" && out.protocol != "llama.cpp" && out.protocol != "strided") {
        reader.fail("protocol", "\"" + out.protocol + "\" is not available in this version (available: gptq, llama.cpp, strided)");
    }
    PARETO_CHECK(reader.status());
    return out;
}

Json taskToJson(const Task& task) {
    Json out{{"version", 1},         {"name", task.name},     {"kind", nameOf(task.kind)},
             {"data", task.data},    {"format", nameOf(task.format)}, {"limit", task.limit},
             {"seed", task.seed}};
    if (task.kind == TaskKind::Perplexity) {
        out["window"] = task.window;
        out["protocol"] = task.protocol;
        return out;
    }
    out["columns"] = {{"text", task.textColumn}};
    if (!task.pairColumn.empty()) {
        out["columns"]["pair"] = task.pairColumn;
    }
    if (task.kind == TaskKind::Classification) {
        out["columns"]["label"] = task.labelColumn;
        if (!task.labels.empty()) {
            out["labels"] = task.labels;
        }
    }
    out["split"] = task.split;
    out["max_length"] = task.maxLength;
    return out;
}

Result<Task> loadTask(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first != std::string::npos && text[first] == '{') {
        PARETO_TRY(const Json json, parseJson(text, "task"));
        return taskFromJson(json, fs::current_path().string());
    }
    std::string known;
    for (const auto& task : builtInTasks()) {
        if (task.name == text) {
            return task.task;
        }
        known += (known.empty() ? "" : ", ") + task.name;
    }
    std::error_code ignored;
    if (!fs::exists(text, ignored) && text.find('/') == std::string::npos &&
        text.find('.') == std::string::npos) {
        return makeError(ErrorCode::TaskInvalid,
                         {{"file", text},
                          {"field", "\"" + text + "\""},
                          {"reason", "is neither a built-in task (" + known + ") nor a file"}});
    }
    PARETO_TRY(const Json json, readJsonFile(text));
    return taskFromJson(json, fs::absolute(fs::path(text)).parent_path().string());
}

const std::vector<BuiltInTask>& builtInTasks() {
    static const std::vector<BuiltInTask> tasks = makeBuiltIns();
    return tasks;
}

std::string samplesFolder() {
    if (const char* set = std::getenv("PARETO_SAMPLES"); set != nullptr && *set != '\0') {
        return set;
    }
    const char* cache = std::getenv("XDG_CACHE_HOME");
    const char* home = std::getenv("HOME");
    const fs::path base = cache != nullptr && *cache != '\0' ? fs::path(cache)
                                                             : fs::path(home != nullptr ? home : ".") / ".cache";
    return (base / "pareto-studio" / "samples").string();
}

std::string whyUnfit(const Task& task, const ModelLayout& layout) {
    switch (task.kind) {
        case TaskKind::Classification:
            return layout.isClassifier() ? "" : "the model has no classification head";
        case TaskKind::Perplexity:
            return layout.isDecoder() ? "" : "perplexity needs a text generator (a decoder)";
        case TaskKind::Fidelity:
            return layout.isDecoder()       ? "embeddings need an encoder"
                   : layout.isClassifier() ? "the model gives classes, not embeddings"
                                           : "";
    }
    return "";
}

std::string headlineMetric(TaskKind kind) {
    switch (kind) {
        case TaskKind::Classification: return "accuracy";
        case TaskKind::Perplexity: return "perplexity";
        case TaskKind::Fidelity: return "fidelity_cosine";
    }
    return "";
}

std::string taskKey(const Task& task) {
    Json json = taskToJson(task);
    json.erase("data");   // the data's hash stands for its place
    json.erase("name");
    return json.dump();
}

}  // namespace pareto
