#include "engine/spec/task.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

namespace pareto {
namespace fs = std::filesystem;
namespace {

/// Everything that is fixed for a kind of task: one row each.
struct KindRow {
    TaskKind kind;
    std::string_view name;
    std::string_view metric;      ///< headline: key of the catalogue
    std::vector<DataFormat> formats;
    std::vector<ColumnRole> roles;
};

const std::vector<KindRow>& kindRows() {
    using enum DataFormat;
    static const std::vector<DataFormat> tables{Csv, Tsv, Jsonl};
    static const std::vector<DataFormat> texts{Csv, Tsv, Jsonl, Text};
    static const std::vector<KindRow> rows{
        {TaskKind::Classification, "classification", "accuracy", tables,
         {{"text", "text"}, {"label", "label"}, {"pair", "", false}}},
        {TaskKind::TokenClassification, "token-classification", "entity_f1", {Conll, Jsonl},
         {{"tokens", "tokens"}, {"tags", "tags"}}},
        {TaskKind::MultipleChoice, "multiple-choice", "accuracy", tables,
         {{"text", "question"}, {"choices", "choices"}, {"label", "label"}, {"context", "", false}}},
        {TaskKind::QuestionAnswering, "qa", "squad_f1", {Squad, Jsonl},
         {{"question", "question"}, {"context", "context"}, {"answers", "answers"}}},
        {TaskKind::Translation, "translation", "bleu", tables,
         {{"source", "source"}, {"target", "target"}}},
        {TaskKind::Generation, "generation", "rouge_l", tables,
         {{"text", "document"}, {"target", "summary"}}},
        {TaskKind::Perplexity, "perplexity", "perplexity", {Text}, {}},
        {TaskKind::Dialogue, "dialogue", "perplexity", {Jsonl}, {{"messages", "messages"}}},
        {TaskKind::Fidelity, "fidelity", "fidelity_cosine", texts,
         {{"text", "text"}, {"pair", "", false}}},
        {TaskKind::Similarity, "similarity", "similarity_spearman", tables,
         {{"text", "sentence1"}, {"pair", "sentence2"}, {"score", "score"}}},
        {TaskKind::Retrieval, "retrieval", "ndcg_10", {Beir}, {}},
        {TaskKind::Ranking, "ranking", "ndcg_10", {Beir}, {}},
    };
    return rows;
}

const KindRow& rowOf(TaskKind kind) {
    const auto& rows = kindRows();
    return *std::find_if(rows.begin(), rows.end(), [&](const KindRow& row) { return row.kind == kind; });
}

constexpr std::array kFormats{DataFormat::Csv,   DataFormat::Tsv,  DataFormat::Jsonl, DataFormat::Text,
                              DataFormat::Squad, DataFormat::Beir, DataFormat::Conll};

template <typename T>
void readNamed(JsonReader& reader, std::string_view key, std::span<const T> values, T& out) {
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

/// The format given, else what the file's name says, else the first that the kind can be read from.
void readFormat(JsonReader& reader, Task& out) {
    const auto formats = dataFormats(out.kind);
    const auto fits = [&] {
        return std::find(formats.begin(), formats.end(), out.format) != formats.end();
    };
    if (!reader.has("format")) {
        out.format = fits() ? out.format : formats.front();
        return;
    }
    readNamed<DataFormat>(reader, "format", kFormats, out.format);
    if (reader.failed() || fits()) {
        return;
    }
    std::string known;
    for (const auto format : formats) {
        known += (known.empty() ? "" : ", ") + std::string(nameOf(format));
    }
    reader.fail("format", "\"" + std::string(nameOf(out.format)) + "\" cannot hold a " +
                              std::string(nameOf(out.kind)) + " task (can: " + known + ")");
}

std::vector<std::string> readTexts(JsonReader& reader, std::string_view key) {
    std::vector<std::string> out;
    const Json* list = reader.find(key);
    if (list == nullptr) {
        return out;
    }
    for (const auto& text : *list) {
        if (!list->is_array() || !text.is_string()) {
            reader.fail(key, "must be a list of texts");
            return {};
        }
        out.push_back(text.get<std::string>());
    }
    return out;
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
    if (!columns->is_object()) {
        reader.fail("columns", "must be an object: role -> column");
        return;
    }
    std::string known;
    for (const auto& role : columnRoles(out.kind)) {
        known += (known.empty() ? "" : ", ") + std::string(role.role);
    }
    for (const auto& [role, column] : columns->items()) {
        const auto roles = columnRoles(out.kind);
        const bool fits = std::any_of(roles.begin(), roles.end(),
                                      [&](const ColumnRole& one) { return one.role == role; });
        if (!fits || !column.is_string()) {
            reader.fail("columns." + role, fits ? "must be a column's name"
                                                : "is not known (known: " + known + ")");
            return;
        }
        out.columns[role] = column.get<std::string>();
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
    trec.limit = 500;
    trec.maxLength = 128;
    for (const auto& task : {injection, trec, wiki}) {
        std::error_code ignored;
        out.push_back({task.name, task.kind, headlineMetric(task.kind), fs::exists(task.data, ignored), task});
    }
    return out;
}

/// A classifier with one class: a score.
bool isScorer(const ModelLayout& layout) { return layout.isClassifier() && layout.labels.size() == 1; }

}  // namespace

std::string_view nameOf(TaskKind value) { return rowOf(value).name; }

std::span<const TaskKind> allTaskKinds() {
    static const std::vector<TaskKind> kinds = [] {
        std::vector<TaskKind> all;
        for (const auto& row : kindRows()) {
            all.push_back(row.kind);
        }
        return all;
    }();
    return kinds;
}

std::span<const ColumnRole> columnRoles(TaskKind kind) { return rowOf(kind).roles; }
std::span<const DataFormat> dataFormats(TaskKind kind) { return rowOf(kind).formats; }

std::string Task::column(std::string_view role) const {
    if (const auto given = columns.find(std::string(role)); given != columns.end()) {
        return given->second;
    }
    for (const auto& one : columnRoles(kind)) {
        if (one.role == role) {
            return std::string(one.usual);
        }
    }
    return {};
}

bool Task::hasColumn(std::string_view role) const { return !column(role).empty(); }

std::string_view nameOf(DataFormat value) {
    switch (value) {
        case DataFormat::Csv: return "csv";
        case DataFormat::Tsv: return "tsv";
        case DataFormat::Jsonl: return "jsonl";
        case DataFormat::Text: return "text";
        case DataFormat::Squad: return "squad";
        case DataFormat::Beir: return "beir";
        case DataFormat::Conll: return "conll";
    }
    return "";
}

Result<Task> taskFromJson(const Json& json, const std::string& folder) {
    JsonReader reader(json, ErrorCode::TaskInvalid, "task");
    reader.allowOnly({"version", "name", "kind", "data", "format", "columns", "labels", "split", "limit",
                      "seed", "max_length", "window", "protocol", "prompt", "label_texts", "doc_stride",
                      "max_tokens", "beams"});
    reader.integer("version", 1, 1, 1);
    Task out;
    reader.require("kind");
    readNamed(reader, "kind", allTaskKinds(), out.kind);
    const auto data = reader.require("data").text("data");
    if (!reader.failed() && data.empty()) {
        reader.fail("data", "must not be empty");
    }
    out.data = (fs::path(folder) / data).lexically_normal().string();
    out.name = reader.text("name", fs::path(data).stem().string());
    out.format = formatOfPath(data);
    readFormat(reader, out);
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
    out.prompt = reader.text("prompt");
    out.labelTexts = readTexts(reader, "label_texts");
    out.docStride = reader.integer("doc_stride", out.docStride, 0, 1 << 20);
    out.maxTokens = reader.integer("max_tokens", out.maxTokens, 1, 1 << 20);
    out.beams = static_cast<int>(reader.integer("beams", out.beams, 1, 64));
    PARETO_CHECK(reader.status());
    return out;
}

/// Only what means something for the kind: the text is what makes runs comparable.
Json taskToJson(const Task& task) {
    Json out{{"version", 1},         {"name", task.name},     {"kind", nameOf(task.kind)},
             {"data", task.data},    {"format", nameOf(task.format)}, {"limit", task.limit},
             {"seed", task.seed}};
    const bool windows = task.kind == TaskKind::Perplexity ||
                         (task.kind == TaskKind::Fidelity && task.format == DataFormat::Text);
    if (windows) {
        out["window"] = task.window;
        out["protocol"] = task.protocol;
        return out;
    }
    for (const auto& role : columnRoles(task.kind)) {
        if (const auto column = task.column(role.role); !column.empty()) {
            out["columns"][std::string(role.role)] = column;
        }
    }
    if (!task.labels.empty()) {
        out["labels"] = task.labels;
    }
    if (!task.labelTexts.empty()) {
        out["label_texts"] = task.labelTexts;
    }
    if (!task.prompt.empty()) {
        out["prompt"] = task.prompt;
    }
    if (task.kind == TaskKind::QuestionAnswering) {
        out["doc_stride"] = task.docStride;
    }
    if (task.kind == TaskKind::Translation || task.kind == TaskKind::Generation) {
        out["max_tokens"] = task.maxTokens;
        out["beams"] = task.beams;
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

Unfit unfitness(const Task& task, const ModelLayout& layout) {
    const auto unless = [](bool fits, Unfit reason) { return fits ? Unfit::None : reason; };
    switch (task.kind) {
        case TaskKind::Classification:
            return layout.isDecoder() ? unless(!task.labelTexts.empty(), Unfit::NeedsLabelTexts)
                                      : unless(layout.isClassifier(), Unfit::NeedsClassifier);
        case TaskKind::TokenClassification:
            return unless(layout.outputs == Outputs::TokenClasses, Unfit::NeedsTokenClassifier);
        case TaskKind::QuestionAnswering:
            return unless(layout.outputs == Outputs::AnswerSpan, Unfit::NeedsAnswerHead);
        case TaskKind::MultipleChoice:
        case TaskKind::Perplexity:
        case TaskKind::Dialogue: return unless(layout.isDecoder(), Unfit::NeedsDecoder);
        case TaskKind::Translation: return unless(layout.isSeq2Seq(), Unfit::NeedsSeq2Seq);
        case TaskKind::Generation: return unless(layout.generates(), Unfit::NeedsGenerator);
        case TaskKind::Fidelity:
            return layout.isDecoder() ? unless(task.format == DataFormat::Text, Unfit::NeedsText)
                                      : unless(layout.outputs == Outputs::Embedding, Unfit::NeedsEmbeddings);
        case TaskKind::Similarity:
            return unless(layout.outputs == Outputs::Embedding || isScorer(layout), Unfit::NeedsEmbeddings);
        case TaskKind::Retrieval:
            return unless(layout.outputs == Outputs::Embedding, Unfit::NeedsEmbeddings);
        case TaskKind::Ranking:
            return unless(isScorer(layout), Unfit::NeedsRanker);
    }
    return Unfit::None;
}

std::string whyUnfit(const Task& task, const ModelLayout& layout) {
    switch (unfitness(task, layout)) {
        case Unfit::None: return {};
        case Unfit::NeedsClassifier: return "the model has no classification head";
        case Unfit::NeedsLabelTexts: return "a text generator classifies by likelihood: the task needs label_texts";
        case Unfit::NeedsTokenClassifier: return "the model has no head that tags tokens";
        case Unfit::NeedsAnswerHead: return "the model has no question-answering head";
        case Unfit::NeedsDecoder: return "it needs a text generator (a decoder)";
        case Unfit::NeedsSeq2Seq: return "it needs an encoder-decoder model";
        case Unfit::NeedsGenerator: return "it needs a model that generates text";
        case Unfit::NeedsEmbeddings: return "it needs an encoder that gives embeddings";
        case Unfit::NeedsRanker: return "it needs a cross-encoder: a classifier with one class";
        case Unfit::NeedsText: return "for a text generator it needs a plain text";
    }
    return {};
}

std::string headlineMetric(TaskKind kind) { return std::string(rowOf(kind).metric); }

std::string taskKey(const Task& task) {
    Json json = taskToJson(task);
    json.erase("data");   // the data's hash stands for its place
    json.erase("name");
    return json.dump();
}

}  // namespace pareto
