#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/json.h"
#include "engine/spec/layers.h"

namespace pareto {

/// What is measured. A kind is one pair of files in tasks/.
enum class TaskKind {
    Classification,       ///< a class a text (or pair); accuracy, macro-F1, MCC. Decoders: zero-shot
    TokenClassification,  ///< a tag a word; entity F1
    MultipleChoice,       ///< the likeliest of several endings; accuracy
    QuestionAnswering,    ///< a span of a context; exact match and F1 of SQuAD
    Translation,          ///< BLEU, chrF
    Generation,           ///< summaries and other texts with a reference; ROUGE
    Perplexity,
    Dialogue,             ///< perplexity of the assistant's turns
    Fidelity,             ///< how far the outputs moved from the untouched model's
    Similarity,           ///< Spearman of cosine (or a cross-encoder's score) and a given score
    Retrieval,            ///< nDCG, MRR, recall over a corpus
    Ranking,              ///< the same, a cross-encoder ordering given candidates
};
std::string_view nameOf(TaskKind value);
std::span<const TaskKind> allTaskKinds();

enum class DataFormat { Csv, Tsv, Jsonl, Text, Squad, Beir, Conll };
std::string_view nameOf(DataFormat value);

/// A role that a column of the data plays in a kind of task ("text", "label", "context").
struct ColumnRole {
    std::string_view role;
    std::string_view usual;    ///< the column's name when the task says none
    bool required = true;
};
/// The template of a kind: which column is what. Empty where the format says it all (SQuAD, BEIR).
std::span<const ColumnRole> columnRoles(TaskKind kind);
/// Formats that a kind can be read from.
std::span<const DataFormat> dataFormats(TaskKind kind);

/// Data, how it is fed to the model, and its metric (task JSON, version 1).
struct Task {
    std::string name;               ///< built-in name or the file's stem
    TaskKind kind{};
    std::string data;               ///< absolute path of a file, or of a folder of split files
    DataFormat format = DataFormat::Csv;
    std::map<std::string, std::string> columns;  ///< role -> column, where it is not the usual one
    std::map<std::string, int> labels;  ///< label as in the data -> class index; empty: integers or the model's label names
    std::vector<std::string> labelTexts;  ///< decoders: the words whose likelihood decides, a class each
    std::string prompt;             ///< decoders: template with {role}s, e.g. "{text}\nSentiment:"; prefix of a T5 task
    std::string split;              ///< "test"; empty: the whole file
    std::int64_t limit = 0;         ///< rows drawn with `seed`; 0: all
    std::uint64_t seed = 0;
    std::int64_t maxLength = 256;
    std::int64_t window = 512;      ///< perplexity, fidelity of decoders
    std::string protocol = "gptq";  ///< perplexity: disjoint windows, all tokens but each first
    std::int64_t docStride = 128;   ///< question answering: tokens two windows share
    std::int64_t maxTokens = 128;   ///< of a generated text
    int beams = 1;
    bool operator==(const Task&) const = default;

    /// The column of a role: as given, else the usual one; empty when the kind has no such role.
    std::string column(std::string_view role) const;
    /// Whether the role is required or was given a column.
    bool hasColumn(std::string_view role) const;
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
/// Why a task cannot run on a model.
enum class Unfit {
    None,
    NeedsClassifier,       ///< no classification head
    NeedsLabelTexts,       ///< a decoder classifies by likelihood, the task says no label_texts
    NeedsTokenClassifier,
    NeedsAnswerHead,
    NeedsDecoder,
    NeedsSeq2Seq,
    NeedsGenerator,
    NeedsEmbeddings,
    NeedsRanker,           ///< a classifier with one class: a score
    NeedsText,             ///< fidelity of a decoder is measured on a plain text
};
Unfit unfitness(const Task& task, const ModelLayout& layout);
/// Empty when the task can run on the model, else the reason in English for TaskUnfit.
std::string whyUnfit(const Task& task, const ModelLayout& layout);
/// Headline metric of a task kind: "accuracy", "perplexity", "fidelity_cosine".
std::string headlineMetric(TaskKind kind);
/// Settings that must agree for two runs to be comparable, without the data's hash.
std::string taskKey(const Task& task);

}  // namespace pareto
