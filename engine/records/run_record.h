#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/core/json.h"

namespace pareto {

/// One measured quantity. `key` is in the catalogue (records/metrics.h).
struct Measurement {
    std::string key;
    double value = 0.0;
    std::optional<double> low;    ///< 95 % interval
    std::optional<double> high;
    std::int64_t n = 0;           ///< repetitions or items behind it
};

struct LayerMeasurement {
    std::string name;
    double ms = 0.0;              ///< median over traced passes
    double share = 0.0;           ///< of the whole pass
    std::uint64_t bytes = 0;
    std::string kernel;           ///< how it ran
    double relativeError = 0.0;   ///< of the weight, against the original
    double sparsity = 0.0;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
};

/// 256 equal bins over [low, high].
struct Histogram {
    std::string layer;
    double low = 0.0;
    double high = 0.0;
    std::vector<std::int64_t> counts;
    std::int64_t zeros = 0;
    std::int64_t nonFinite = 0;
};

/// The result of one item of a task: what paired comparison needs.
struct ItemResult {
    std::int64_t item = 0;        ///< row in the data (perplexity: window)
    double score = 0.0;           ///< 1/0 correct, NLL, cosine
    int predicted = -1;           ///< class, when there is one
    std::string answer = {};      ///< text the model gave, at most kMostAnswerBytes; empty: none
    /// What a corpus metric is summed from (BLEU's n-gram counts, …), so that runs can be compared by
    /// resampling items; the metric's header says what they are. Empty: the score says all.
    std::vector<double> parts = {};
};
inline constexpr std::size_t kMostAnswerBytes = 2000;

/// A GPU as the NVIDIA driver describes it.
struct GpuInfo {
    std::string device;           ///< "cuda:0"
    std::string name;
    std::string capability;       ///< "8.9"
    std::uint64_t memoryBytes = 0;
    std::string driver;           ///< "580.95.05"; empty: not said
    std::string cuda;             ///< newest CUDA that driver knows, "13.0"
    std::string pciId;
    std::string uuid;
    bool operator==(const GpuInfo&) const = default;
};

struct MachineInfo {
    std::string id;               ///< hash of the fingerprint
    std::string host;
    std::string cpu;
    int cores = 0;
    std::uint64_t memoryBytes = 0;
    std::string kernel;           ///< operating system
    std::string governor;         ///< "unknown" when it cannot be read
    std::vector<std::string> features;  ///< "avx512f", "avx512_vnni", …
    std::vector<std::string> devices;   ///< that can be used: "cpu", "cuda:0 NVIDIA …"
    std::vector<GpuInfo> gpus = {};     ///< all that the driver shows
};

enum class RunStatus { Queued, Running, Finished, Failed, Cancelled, Interrupted };
std::string_view nameOf(RunStatus status);  ///< "finished": the stable name in JSON and the store
bool statusFromName(std::string_view name, RunStatus& status);

/// Everything a run says, as the store keeps it and JSON carries it between processes. Specs are kept
/// as their JSON, whole, so that the run can be done again.
struct RunRecord {
    std::int64_t id = 0;          ///< 0: not stored yet
    std::string name;
    std::string note;
    RunStatus status = RunStatus::Finished;
    std::int64_t startedAt = 0;   ///< UTC, milliseconds
    std::int64_t finishedAt = 0;

    std::string modelPath;
    std::string modelName;
    std::string modelHash;
    std::string family;
    Json recipe = Json::object();
    std::string recipeName;
    std::string recipeHash;       ///< of the empty recipe: a baseline
    std::string recipeSummary;    ///< short text for tables, "H50 int8"
    Json task;                    ///< null: nothing was evaluated
    std::string taskName;
    std::string taskKey;          ///< settings and data hash: equal = comparable
    Json target = Json::object();
    std::string targetKey;        ///< settings and machine: equal = comparable
    std::string targetText;       ///< short text for tables, "CPU · 2 threads · 1×128"
    std::string headlineKey;      ///< metric of the task: "accuracy", …; empty: no task
    MachineInfo machine;
    std::uint64_t seed = 0;
    Json versions = Json::object();  ///< program, libtorch, SQLite, compiler, kernel table
    std::string weightsHash;      ///< of the optimized weights: an export is checked against it
    bool disturbed = false;       ///< other load above 5 % of the cores while timing
    std::string disturbance;      ///< why, in English

    std::vector<Measurement> measurements;
    std::vector<double> latenciesMs;      ///< raw, in order
    std::vector<LayerMeasurement> layers;
    std::vector<Histogram> histograms;
    std::vector<ItemResult> items;
    Json details = Json::object();        ///< confusion matrix, compress report, notes
    std::string exportPath;
    Error error{ErrorCode::EngineFailure, {}, {}};  ///< when Failed

    const Measurement* find(std::string_view key) const;
    bool isBaseline() const;
};

/// Every field both ways. JSON has no NaN and no infinity: such a number is null, and beside it stands
/// "<key>_nonfinite": "nan", "inf" or "-inf" (arrays: an object from index to that text).
Json runRecordToJson(const RunRecord& record);
/// Unknown keys are passed over, absent ones keep their default; a value of a wrong type or out of
/// range is ConfigInvalid.
Result<RunRecord> runRecordFromJson(const Json& json);
Json machineToJson(const MachineInfo& machine);
MachineInfo machineFromJson(const Json& json);
Json histogramToJson(const Histogram& histogram);
Histogram histogramFromJson(const Json& json);

/// One line of JSON; bytes that are no UTF-8 (a path may have them) become U+FFFD.
std::string compactJson(const Json& json);

}  // namespace pareto
