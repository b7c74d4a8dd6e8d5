#pragma once

#include <map>

#include "engine/core/json.h"
#include "engine/spec/layers.h"

namespace pareto {

enum class TaskKind { Classification, Perplexity, Fidelity };
std::string_view nameOf(TaskKind value);

enum class DataFormat { Csv, Tsv, Jsonl, Text };
std::string_view nameOf(DataFormat value);

/// Data, how it is fed to the model, and its metric (task JSON, version 1).
struct Task {
    std::string name;               ///< built-in name or the file's stem
    TaskKind kind{};
    std::string data;               ///< absolute path of a file, or of a folder of split files
    DataFormat format = DataFormat::Csv;
    std::string textColumn = "text";
    std::string pairColumn;         ///< second text, empty: none
    std::string labelColumn = "label";
    std::map<std::string, int> labels;  ///< label as in the data -> class index; empty: integers or the model's label names
    std::string split;              ///< "test"; empty: the whole file
    std::int64_t limit = 0;         ///< rows drawn with `seed`; 0: all
    std::uint64_t seed = 0;
    std::int64_t maxLength = 256;
    std::int64_t window = 512;      ///< perplexity
    std::string protocol = "gptq";  ///< perplexity: disjoint windows, all tokens but each first
    bool operator==(const Task&) const = default;
};

/// TaskInvalid with field and reason. Relative `data` is relative to `folder`.
Result<Task> taskFromJson(const Json& json, const std::string& folder);
Json taskToJson(const Task& task);
/// A built-in name (found in the samples folder), inline JSON, or a path.
Result<Task> loadTask(const std::string& text);
struct BuiltInTask {
    std::string name;       ///< "prompt-injection"
    TaskKind kind{};
    std::string metric;     ///< metric key
    bool available = false; ///< its data is there
    Task task;
};
const std::vector<BuiltInTask>& builtInTasks();
/// Where ./dev puts samples: $PARETO_SAMPLES, else the cache folder of the program.
std::string samplesFolder();
/// Empty when the task can run on the model, else the reason in English for TaskUnfit.
std::string whyUnfit(const Task& task, const ModelLayout& layout);
/// Headline metric of a task kind: "accuracy", "perplexity", "fidelity_cosine".
std::string headlineMetric(TaskKind kind);
/// Settings that must agree for two runs to be comparable, without the data's hash.
std::string taskKey(const Task& task);

}  // namespace pareto
