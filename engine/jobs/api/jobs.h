#pragma once

#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/control.h"
#include "engine/core/json.h"
#include "engine/core/progress.h"
#include "engine/records/run_record.h"
#include "engine/spec/recipe.h"
#include "engine/spec/target.h"
#include "engine/spec/task.h"

/// Every user action that takes time, as values: the studio, the command line and the worker all pass
/// through these. Torch-free; jobs/run implements those that compute.
namespace pareto::jobs {

/// The whole of it: optimize, measure, evaluate, (export). Also bench (no task) and eval (no timing).
struct RunParams {
    std::string model;                 ///< path on the machine that runs it
    std::string name;                  ///< of the run; empty: made from the recipe
    Recipe recipe;
    std::optional<Task> task;          ///< nothing is evaluated without one
    /// Beside `task`: rows by which runs are chosen among (details["validation"]), so that nothing is chosen by the
    /// rows of `task`.
    std::optional<Task> validation;
    Target target;
    bool timing = true;
    bool pairedBaseline = true;        ///< re-time the untouched model interleaved (A-B-B-A)
    int warmups = 3;
    double minSeconds = 3.0;           ///< timing goes on for at least this long…
    int minIterations = 20;            ///< …and this many passes
    int maxIterations = 2000;
    std::uint64_t seed = 0;
    std::string exportTo;              ///< folder; empty: no export
    std::string exportFormat = "hf";   ///< a name of exporting::exportFormats()
    int ranks = 1;                     ///< processes of this machine that share the recipe's training and the tasks' rows
};
/// The most that RunParams::ranks may be.
inline constexpr int kMostRanks = 256;
Json toJson(const RunParams& params);
Result<RunParams> runParamsFromJson(const Json& json);
/// The row a run begins with: name, specs and their summaries, start time, seed and program version;
/// everything that is known before the model is opened. Whoever asks for a run stores this first;
/// jobs/run fills in the rest of the same record.
RunRecord recordOf(const RunParams& params);
/// The export that a finished run failed at; what it measured is kept all the same.
Status exportFailure(const RunRecord& record);

/// Applies the recipe again with its seed and writes the model.
struct ExportParams {
    std::string model;
    Recipe recipe;
    std::string format = "hf";         ///< a name of exporting::exportFormats()
    std::string target;
    std::string expectWeightsHash;     ///< of the stored run; empty: not compared
    Json report = Json::object();      ///< measurements of the run, for pareto_report.json
};
struct ExportResult {
    std::string path;
    std::string format;
    bool verified = false;
    std::uint64_t bytes = 0;
    std::vector<std::string> notes;    ///< also: weights differ from those of the stored run
};
Json toJson(const ExportParams& params);
Result<ExportParams> exportParamsFromJson(const Json& json);
Json toJson(const ExportResult& result);
Result<ExportResult> exportResultFromJson(const Json& json);

/// One turn of a dialogue. Roles as chat templates know them: "system", "user", "assistant".
struct ChatTurn {
    std::string role;
    std::string content;
};

/// How text is generated: by decoders and by encoder-decoder models.
struct SamplingParams {
    std::int64_t maxTokens = 64;
    double temperature = 0.0;      ///< 0: greedy
    int topK = 0;                  ///< 0: off
    double topP = 1.0;
    double minP = 0.0;
    double repetitionPenalty = 1.0;
    int beams = 1;                 ///< more than 1: beam search
    double lengthPenalty = 1.0;
    std::vector<std::string> stopTexts;  ///< the text ends before the first of these
    std::string kvCache;  ///< "fp32", "fp16", "int8", "int4"; "": as the model's recipe says
    std::uint64_t seed = 0;
};
/// Whether `kvCache` may be that.
bool isCacheName(const std::string& name);
Json toJson(const SamplingParams& params);
/// Of the fields of an object that holds others, too.
SamplingParams takeSampling(JsonReader& reader);

/// A smaller model that proposes tokens, for the model to verify (engine/models/speculative.h).
struct DraftParams {
    std::string model;             ///< empty: the same model under the draft's recipe
    Recipe recipe;
    int tokens = 3;                ///< at most so many proposals a step
};

struct GenerateParams {
    std::string model;
    Recipe recipe;
    Target target;
    std::string prompt;
    std::vector<ChatTurn> turns;   ///< not empty: answered under the model's chat template, `prompt` is unused
    SamplingParams sampling;
    std::optional<DraftParams> draft;  ///< of decoders
};
/// The most that DraftParams::tokens may be.
inline constexpr int kMostDraftTokens = 64;
Json toJson(const GenerateParams& params);
Result<GenerateParams> generateParamsFromJson(const Json& json);

/// classify, embed, tag (a class a word) and fill (what could stand for the mask).
struct TextParams {
    std::string model;
    Recipe recipe;
    Target target;
    std::vector<std::string> texts;
    std::vector<std::string> pairs;    ///< classify: second texts, one a text (query and passage); empty: none
    std::int64_t maxLength = 256;
};
Json toJson(const TextParams& params);
Result<TextParams> textParamsFromJson(const Json& json);

/// Encoder-decoder models: texts to texts.
struct TranslateParams {
    std::string model;
    Recipe recipe;
    Target target;
    std::vector<std::string> texts;
    SamplingParams sampling;
};
Json toJson(const TranslateParams& params);
Result<TranslateParams> translateParamsFromJson(const Json& json);

/// Extractive question answering.
struct AnswerParams {
    std::string model;
    Recipe recipe;
    Target target;
    std::string question;
    std::string context;
    std::int64_t maxLength = 384;
    std::int64_t docStride = 128;
};
Json toJson(const AnswerParams& params);
Result<AnswerParams> answerParamsFromJson(const Json& json);

struct InspectParams {
    std::string model;
    bool statistics = false;           ///< also read every value: non-zeros, range, mean |w|
};
struct InspectedLayer {
    std::string name;
    std::string role;
    std::string type;                  ///< as in the file
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::int64_t parameters = 0;
    std::uint64_t bytes = 0;           ///< in memory, untouched
    std::string tiedTo;
    std::int64_t nonzero = -1;         ///< -1: not counted
    double minimum = 0.0;
    double maximum = 0.0;
    double meanAbsolute = 0.0;
    std::int64_t nonFinite = 0;
};
struct InspectResult {
    ModelLayout layout;
    std::string path;
    std::string format;
    std::int64_t parameters = 0;
    std::int64_t nonzeroParameters = -1;
    std::uint64_t bytes = 0;           ///< in memory, untouched
    std::uint64_t fileBytes = 0;
    std::vector<InspectedLayer> layers;
};
/// Runs in the calling process, without libtorch (the studio's pool, the command line).
Result<InspectResult> runInspect(const InspectParams& params, Progress& progress, std::stop_token stop);
Json toJson(const InspectResult& result);   ///< the command line's `inspect --json`

struct HistogramParams {
    std::string model;
    std::string layer;
};
/// 256 bins over the file's own values.
Result<Histogram> runHistogram(const HistogramParams& params, Progress& progress, std::stop_token stop);
/// The same bins for values in memory.
Histogram histogramOf(const std::string& layer, std::span<const float> values);

/// Names of jobs in the worker's protocol.
inline constexpr const char* kJobRun = "run";
inline constexpr const char* kJobExport = "export";
inline constexpr const char* kJobGenerate = "generate";
inline constexpr const char* kJobClassify = "classify";
inline constexpr const char* kJobEmbed = "embed";
inline constexpr const char* kJobTag = "tag";
inline constexpr const char* kJobFill = "fill";
inline constexpr const char* kJobAnswer = "answer";
inline constexpr const char* kJobTranslate = "translate";

/// Receives finished units of a job. The command line's sink writes the store, the worker's writes
/// lines.
class RunSink {
public:
    virtual ~RunSink() = default;
    /// {"token": "…"} while generating; {"training": [points]} and {"validation": point} (records/training.h) while a
    /// recipe recovers accuracy, a few times a second at most.
    virtual void partial(const Json& event) = 0;
    /// Pause, and "end with the best so far", of whoever asked; jobs that train look at it.
    virtual const Control& control() const {
        static const Control never;
        return never;
    }
};

/// Any job by name: JSON in, JSON out ("run" answers a RunRecord). Implemented by jobs/run.
using JobFunction = std::function<Result<Json>(const Json& params, Progress& progress,
                                               std::stop_token stop, RunSink& sink)>;

}  // namespace pareto::jobs
