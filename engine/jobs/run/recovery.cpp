#include "engine/jobs/run/recovery.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "engine/core/folders.h"
#include "engine/core/hash.h"
#include "engine/jobs/run/memory_need.h"
#include "engine/jobs/run/rank_team.h"
#include "engine/jobs/run/ready_model.h"
#include "engine/jobs/run/recover_reconstruct.h"
#include "engine/jobs/run/teacher_texts.h"
#include "engine/jobs/run/training_data.h"
#include "engine/jobs/run/validation.h"
#include "engine/train/fitted.h"
#include "engine/weights/fresh.h"
#include "engine/weights/weights_hash.h"

namespace pareto::jobs {
namespace {

namespace fs = std::filesystem;

/// Changes when the same recipe would be trained to other weights than before.
constexpr int kTrainingVersion = 2;
constexpr std::uint64_t kMostCached = std::uint64_t{8} << 30;

fs::path cacheFolder() { return fs::path(userFolder("XDG_CACHE_HOME", ".cache")) / "recovered"; }

double checkpointSeconds(double usual) {
    const char* set = std::getenv("PARETO_CHECKPOINT_SECONDS");
    char* end = nullptr;
    const double value = set != nullptr ? std::strtod(set, &end) : usual;
    return set != nullptr && end != set && value >= 0.0 ? value : usual;
}

/// Lets go of the files used longest ago.
void shrinkCache(const fs::path& folder, const fs::path& keep) {
    struct Entry {
        fs::path path;
        std::uint64_t bytes = 0;
        fs::file_time_type used;
    };
    std::vector<Entry> entries;
    std::uint64_t total = 0;
    std::error_code problem;
    for (fs::directory_iterator it(folder, problem), end; !problem && it != end; it.increment(problem)) {
        std::error_code ignored;
        Entry entry{it->path(), static_cast<std::uint64_t>(it->file_size(ignored)), it->last_write_time(ignored)};
        if (!ignored) {
            total += entry.bytes;
            entries.push_back(std::move(entry));
        }
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.used < b.used; });
    for (const auto& entry : entries) {
        if (total <= kMostCached) {
            break;
        }
        std::error_code ignored;
        if (entry.path != keep && fs::remove(entry.path, ignored)) {
            total -= entry.bytes;
        }
    }
}

/// A step without the places where its data and its teacher lie: their contents count.
Json placeless(const RecoverSpec& spec) {
    Json out = recoverToJson(spec);
    if (const auto task = recoverTask(spec); spec.method == RecoverMethod::Train && task.ok()) {
        out["source"] = taskToJson(task.value());
        out["source"].erase("data");
        out["source"].erase("name");
    }
    if (out.contains("distil")) {
        out["distil"].erase("teacher");
    }
    return out;
}

/// Everything that decides what a step makes of a model.
std::string keyOf(const compress::RecoverRequest& request, const LoadedModel* teacher, const std::string& data) {
    const auto& spec = request.recipe.recover[request.step];
    Json key{{"version", kTrainingVersion},
             {"model", weightsHash(request.model)},
             {"step", placeless(spec)},
             {"seed", request.recipe.seed},
             {"data", data}};
    if (teacher != nullptr) {
        key["teacher"] = weightsHash(*teacher);
    }
    for (const auto& plan : request.plans) {
        if (plan.sparsity > 0.0) {
            key["prunes"].push_back({nameOf(plan.method), plan.sparsity, plan.keepOf, plan.groupOf, plan.tileRows, plan.tileCols});
        } else if (key.contains("prunes")) {
            key["prunes"].push_back(nullptr);
        }
    }
    if (spec.quantizeAware) {
        for (const auto& plan : request.plans) {
            const auto& format = plan.format;
            key["formats"].push_back({static_cast<int>(format.format), static_cast<int>(format.granularity), format.groupSize,
                                      format.symmetric, static_cast<int>(format.range),
                                      static_cast<int>(format.activations), format.activationGroup});
        }
    }
    return sha256Hex(key.dump());
}

/// Gives steps and validations to the sink, a few times a second.
class Reporter {
public:
    explicit Reporter(RunSink* sink) : m_sink(sink) {}
    ~Reporter() { send(); }
    Reporter(const Reporter&) = delete;
    Reporter& operator=(const Reporter&) = delete;

    void step(const TrainingPoint& point) {
        if (m_sink == nullptr) {
            return;
        }
        m_waiting.push_back(toJson(point));
        constexpr std::chrono::milliseconds kBetween{200};
        if (point.step == point.steps || std::chrono::steady_clock::now() - m_sent >= kBetween) {
            send();
        }
    }

    void validation(const ValidationPoint& point) {
        if (m_sink != nullptr) {
            send();
            m_sink->partial({{"validation", toJson(point)}});
        }
    }

private:
    void send() {
        if (!m_waiting.empty()) {
            m_sink->partial({{"training", m_waiting}});
            m_waiting = Json::array();
        }
        m_sent = std::chrono::steady_clock::now();
    }

    RunSink* m_sink;
    Json m_waiting = Json::array();
    std::chrono::steady_clock::time_point m_sent;
};

bool isFirst(const train::Ranks* ranks) { return ranks == nullptr || ranks->rank() == 0; }

/// The original, or another model's files. `held` keeps what is opened.
Result<const LoadedModel*> teacherOf(const compress::RecoverRequest& request, const DistilSpec& spec,
                                     std::shared_ptr<const OpenedModel>& held, Progress& progress,
                                     std::stop_token stop) {
    if (spec.teacher.empty()) {
        return &request.original;
    }
    ModelCache own;
    PARETO_TRY(held, own.open(spec.teacher, progress, std::move(stop)));
    return &held->weights;
}

/// Sequence-level distillation: the teacher's own texts stand in the place of the source's. Rank 0 has them written.
Status learnFromTexts(TrainingSet& set, const RecoverSpec& spec, const LoadedModel* teacher,
                      const train::TrainOptions& options, const std::string& file, Progress& progress,
                      std::stop_token stop) {
    if (teacher == nullptr || !spec.distil->sequences) {
        return Done{};
    }
    auto* ranks = options.ranks;
    std::vector<train::Example> texts;
    if (isFirst(ranks)) {
        PARETO_TRY(texts, textsOfTeacher(*teacher, *spec.distil->sequences, set.training.examples, options.seed,
                                         options.device, file, progress, stop));
    }
    if (ranks != nullptr) {
        constexpr std::size_t kMostText = std::size_t{1} << 30;
        PARETO_TRY(const auto text, train::textOfFirst(*ranks, textsToJson(texts).dump(), kMostText, stop));
        PARETO_TRY(const auto json, parseJson(text, "the teacher's texts"));
        texts = textsFromJson(json, "the teacher's texts", teacher->layout.vocabulary);
    }
    set.training.examples = std::move(texts);
    std::int64_t tokens = 0;
    for (const auto& example : set.training.examples) {
        tokens += static_cast<std::int64_t>(example.ids.size() + example.target.size()) - example.answerFrom;
    }
    set.notes.push_back("the teacher wrote " + std::to_string(tokens) + " tokens in " +
                        std::to_string(set.training.examples.size()) + " texts");
    return Done{};
}

Result<LoadedModel> trainStep(const RecoveryJob& job, const compress::RecoverRequest& request, Progress& progress,
                              std::stop_token stop) {
    const auto& spec = request.recipe.recover[request.step];
    PARETO_TRY(const auto tokenizer, job.opened->tokenizer());
    PARETO_TRY(const auto targets, job.opened->targetTokenizer());
    PARETO_TRY(auto set,
               readTrainingSet(spec, {*tokenizer, *targets}, request.model.layout, request.recipe.seed, progress, stop));
    std::shared_ptr<const OpenedModel> held;
    const LoadedModel* teacher = nullptr;
    if (spec.distil) {
        PARETO_TRY(teacher, teacherOf(request, *spec.distil, held, progress, stop));
    }
    const auto here = static_cast<std::uint64_t>(job.ranks != nullptr && isFirst(job.ranks) ? job.ranks->here() : 1);
    PARETO_CHECK(checkMemory("training " + request.model.layout.name,
                             here * needToTrain(request.model.layout, spec, set.training, teacher)));
    train::TrainOptions options;
    options.spec = spec;
    options.device = deviceOptions(job.target);
    options.seed = request.recipe.seed;
    options.key = keyOf(request, teacher, set.hash);
    options.ranks = job.ranks;
    const fs::path folder = cacheFolder();
    std::error_code problem;
    fs::create_directories(folder, problem);
    const fs::path file = folder / (options.key + ".safetensors");
    options.checkpoint = problem || !isFirst(job.ranks) ? std::string() : file.string();
    options.checkpointSeconds = checkpointSeconds(options.checkpointSeconds);
    const auto texts = problem ? std::string() : (folder / (options.key + ".texts.json")).string();
    PARETO_CHECK(learnFromTexts(set, spec, teacher, options, texts, progress, stop));
    options.validate = validatorOf(set, options.device, teacher, progress, job.ranks);
    options.everyRankValidates = job.ranks != nullptr;
    const LoadedModel model = spec.fresh ? withFreshWeights(request.model, request.recipe.seed) : request.model;
    Reporter reporter(job.sink);
    options.stepDone = [&](const TrainingPoint& point) { reporter.step(point); };
    options.validated = [&](const ValidationPoint& point) { reporter.validation(point); };
    if (job.sink != nullptr) {
        options.control = &job.sink->control();
    }
    PARETO_TRY(auto outcome, train::train(model, teacher, request.plans, set.training, options, progress, stop));
    if (isFirst(job.ranks)) {
        shrinkCache(folder, file);
    }
    outcome.record.source = set.source;
    outcome.record.notes.insert(outcome.record.notes.end(), set.notes.begin(), set.notes.end());
    if (job.records != nullptr) {
        job.records->push_back(std::move(outcome.record));
    }
    return std::move(outcome.model);
}

/// What each block's output lost, for the report.
std::string fitNote(const train::ReconstructedBlock& block) {
    char text[96];
    std::snprintf(text, sizeof text, ": output error %.4f, then %.4f", block.before, block.after);
    return block.name + text;
}

/// Kept as trained steps are: blocks are fitted once for a recipe.
Result<LoadedModel> reconstructStep(const RecoveryJob& job, const compress::RecoverRequest& request, Progress& progress,
                                    std::stop_token stop) {
    const auto calibration = request.recipe.calibration.value_or(CalibrationSpec{});
    const Json texts{calibration.source, calibration.samples, calibration.length, calibration.seed};
    const auto key = keyOf(request, &request.original, texts.dump());
    const fs::path folder = cacheFolder();
    const fs::path file = folder / (key + ".safetensors");
    PARETO_TRY(auto kept, train::loadFitted(file.string(), key, request.model));
    if (!kept) {
        Reporter reporter(job.sink);
        RecoverWatch watch;
        watch.report = [&](const TrainingPoint& point) { reporter.step(point); };
        watch.control = job.sink != nullptr ? &job.sink->control() : nullptr;
        PARETO_TRY(auto found, reconstructTool(job.opened, deviceOptions(job.target))(request, watch, progress, stop));
        for (const auto& block : found.blocks) {
            found.record.notes.push_back(fitNote(block));
        }
        kept = train::TrainOutcome{std::move(found.model), std::move(found.record)};
        std::error_code problem;
        fs::create_directories(folder, problem);
        if (!problem && kept->record.ended != "asked") {
            PARETO_CHECK(train::saveFitted(file.string(), key, request.model, *kept));
            shrinkCache(folder, file);
        }
    }
    if (job.records != nullptr) {
        job.records->push_back(std::move(kept->record));
    }
    return std::move(kept->model);
}

}  // namespace

compress::RecoverModel recoveryOf(RecoveryJob job) {
    return [job = std::move(job)](const compress::RecoverRequest& request, Progress& progress,
                                  std::stop_token stop) -> Result<LoadedModel> {
        const auto& spec = request.recipe.recover[request.step];
        if (spec.method == RecoverMethod::Train) {
            return trainStep(job, request, progress, std::move(stop));
        }
        return reconstructStep(job, request, progress, std::move(stop));
    };
}

}  // namespace pareto::jobs
