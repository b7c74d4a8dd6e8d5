#include "engine/jobs/run/run_job.h"

#include <chrono>
#include <optional>

#include "engine/bench/memory.h"
#include "engine/bench/timing.h"
#include "engine/bench/trace.h"
#include "engine/export/exporter.h"
#include "engine/jobs/api/machine.h"
#include "engine/jobs/api/machine_lock.h"
#include "engine/jobs/run/guarded.h"
#include "engine/jobs/run/layer_summary.h"
#include "engine/jobs/run/part_timeline.h"
#include "engine/jobs/run/process_facts.h"
#include "engine/jobs/run/rank_team.h"
#include "engine/jobs/run/ready_model.h"
#include "engine/jobs/run/replica_team.h"
#include "engine/jobs/run/shard_team.h"
#include "engine/records/measured.h"
#include "engine/records/numbers.h"
#include "engine/runtime/device.h"
#include "engine/runtime/parallel.h"
#include "engine/tasks/task_runner.h"

namespace pareto::jobs {

namespace {

std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// What compressing did to a layer, for the report.
Json toJson(const compress::LayerReport& layer) {
    Json out{{"name", layer.name},
             {"relative_error", layer.relativeError},
             {"sparsity", layer.sparsity},
             {"bits_per_weight", layer.bitsPerWeight},
             {"bytes", layer.bytes}};
    if (layer.output) {
        out["output_error"] = layer.output->error;
        out["output_cosine"] = layer.output->cosine;
    }
    if (layer.scaling) {
        out["scaling"] = *layer.scaling;
    }
    if (layer.seconds > 0.0) {
        out["seconds"] = layer.seconds;
    }
    return out;
}

Json compressDetails(const ReadyModel& ready) {
    Json kept = Json::object();
    for (const auto& [group, units] : ready.compressed.report.keptUnits) {
        kept[group] = units;
    }
    const auto& report = ready.compressed.report;
    Json out{{"removed_blocks", report.removedBlocks},
             {"kept_units", std::move(kept)},
             {"layers", Json::array()},
             {"seconds", report.seconds},
             {"notes", ready.notes}};
    for (const auto& layer : report.layers) {
        out["layers"].push_back(toJson(layer));
    }
    for (const auto& layer : report.layers) {
        if (layer.spectrum) {
            out["spectra"][layer.name] = {{"ranks", layer.spectrum->ranks},
                                          {"before", layer.spectrum->before},
                                          {"after", layer.spectrum->after}};
        }
    }
    for (const auto& note : report.notes) {
        out["notes"].push_back(note);
    }
    if (report.calibrationTokens > 0) {
        out["calibration"] = {{"samples", report.calibrationSamples}, {"tokens", report.calibrationTokens}};
    }
    return out;
}

/// One run while it is going on: the steps share the model, its baseline and the record.
class Run {
public:
    Run(ModelCache& cache, const RunParams& params, RunSink* sink, Progress& progress, std::stop_token stop)
        : m_cache(cache), m_params(params), m_sink(sink), m_progress(progress), m_stop(std::move(stop)) {}

    Result<RunRecord> execute() {
        m_record = recordOf(m_params);
        // Before this process keeps to a part of the cores.
        m_record.machine = thisMachine();
        PARETO_CHECK(checkRun(m_params));
        PARETO_TRY(m_follows, ShardTeam::follows(m_params.target));
        PARETO_CHECK(gatherReplicas());
        PARETO_CHECK(m_follows ? serve() : prepare());
        if (m_follows) {
            m_record.status = RunStatus::Finished;
            m_record.finishedAt = now();
            return std::move(m_record);
        }
        PARETO_CHECK(describe());
        if (m_params.timing) {
            PARETO_CHECK(measure());
        } else {
            m_record.layers = layerRows(m_ready.compressed, m_ready.runnable.model(), {});
        }
        if (m_params.task) {
            PARETO_CHECK(evaluate());
        }
        if (m_params.validation) {
            PARETO_CHECK(validate());
        }
        if (!m_params.exportTo.empty()) {
            const auto exported = exportResult();
            if (exported.cancelled()) {
                return Cancelled{};
            }
            if (!exported.ok()) {
                // What was measured is worth keeping without the export.
                m_record.details["export"] = {{"error", errorToJson(exported.error())}};
            }
        }
        m_record.status = RunStatus::Finished;
        m_record.finishedAt = now();
        return std::move(m_record);
    }

private:
    bool changesModel() const { return !m_params.recipe.isEmpty(); }
    bool pairs() const { return m_params.timing && m_params.pairedBaseline && changesModel(); }
    bool comparesOutputs() const {
        const auto compares = [](const std::optional<Task>& task) { return task && task->kind == TaskKind::Fidelity; };
        return changesModel() && (compares(m_params.task) || compares(m_params.validation));
    }

    Status gatherReplicas() {
        const auto& target = m_params.target;
        if (target.replicas == 1) {
            return Done{};
        }
        if (!m_params.timing) {
            return makeError(ErrorCode::TargetInvalid,
                             {{"field", "replicas"},
                              {"reason", "is " + std::to_string(target.replicas) + ", but no times are measured; a task's rows are "
                                         "shared with ranks"}});
        }
        if (m_params.ranks > 1) {
            return wrongRanks("is " + std::to_string(m_params.ranks) + ", but the target has " + std::to_string(target.replicas) +
                              " replicas: give one of them");
        }
        PARETO_TRY(m_replicas, ReplicaTeam::gather({m_params.model, m_params.recipe, target, pairs(), m_params.seed}, m_stop));
        m_follows = m_replicas->rank() > 0;
        return Done{};
    }

    /// A part of the model, or a replica, for a rank 0 that has the job.
    Status serve() {
        if (m_replicas) {
            return m_replicas->serve(m_cache, m_progress, m_stop);
        }
        PARETO_CHECK(runShard(m_cache, {m_params.model, m_params.recipe, m_params.target}, m_progress, m_stop));
        return Done{};
    }

    Status prepare() {
        const int parts = m_params.target.processes();
        PARETO_TRY(const auto opened, m_cache.openHeaders(m_params.model, m_progress));
        if (m_params.timing) {
            PARETO_CHECK(bench::checkLengths(opened->weights.layout, m_params.target));
        }
        std::optional<LoadedModel> original;
        if (parts == 1 && !m_params.recipe.recover.empty()) {
            // It may train a head that the files do not have.
            PARETO_TRY(const auto whole, m_cache.open(m_params.model, m_progress, m_stop));
            PARETO_TRY(original, originalFor(*whole, m_params.recipe, m_progress, m_stop));
        }
        const auto& layout = original ? original->layout : opened->weights.layout;
        for (const auto* task : {&m_params.task, &m_params.validation}) {
            if (!*task) {
                continue;
            }
            // Said before the minutes that compressing may take.
            if (auto reason = whyUnfit(**task, layout); !reason.empty()) {
                return makeError(ErrorCode::TaskUnfit, {{"task", (*task)->name},
                                                        {"model", opened->weights.layout.name},
                                                        {"reason", std::move(reason)}});
            }
            PARETO_CHECK(opened->tokenizer());
        }
        ReadyRequest request{m_params.model, m_params.recipe, m_params.target, pairs() || comparesOutputs()};
        request.target.replicas = 1;  // of which this process is one
        request.sink = m_sink;
        request.original = std::move(original);
        request.whole = !m_params.exportTo.empty();
        if (parts > 1 && m_params.ranks > 1 && m_params.ranks != parts) {
            return wrongRanks("is " + std::to_string(m_params.ranks) + ", but tp × pp is " + std::to_string(parts) +
                              ": give one of them");
        }
        std::unique_ptr<RankTeam> team;
        if (parts == 1 && m_replicas == nullptr) {
            PARETO_TRY(team, RankTeam::gather(m_params, m_stop));
        }
        if (team == nullptr) {
            PARETO_TRY(m_ready, readyModel(m_cache, request, m_progress, m_stop));
            return Done{};
        }
        PARETO_CHECK(team->disband(share(*team, request), m_stop));
        m_follows = team->rank() > 0;
        team.reset();
        return m_follows ? Status(Done{}) : pack(m_ready, m_params.target, m_progress, m_stop);
    }

    /// All that ranks do together. What is packed here is packed for a part of the cores.
    Status share(RankTeam& team, ReadyRequest& request) {
        request.ranks = &team;
        PARETO_TRY(m_ready, compressedModel(m_cache, request, m_progress, m_stop));
        m_team = &team;
        m_ranks = team.size();
        if (m_params.task || m_params.validation) {
            PARETO_CHECK(pack(m_ready, m_params.target, m_progress, m_stop));
        }
        if (m_params.task) {
            PARETO_TRY(m_evaluated, evaluated(*m_params.task));
        }
        if (m_params.validation) {
            PARETO_TRY(m_validated, evaluated(*m_params.validation));
        }
        m_baseline.reset();
        m_team = nullptr;
        return Done{};
    }

    Status describe() {
        PARETO_TRY(auto values, m_ready.onDemand
                                    ? summarizeValues(*m_ready.onDemand, m_progress, m_stop, m_ready.compressed.report.layers)
                                    : summarizeValues(HeldTensors(m_ready.compressed.model), m_progress, m_stop));
        const auto& layout = m_ready.compressed.model.layout;
        const auto& runnable = m_ready.runnable.model();
        m_record.modelPath = m_ready.opened->files->path();
        m_record.modelName = m_ready.opened->files->name();
        PARETO_TRY(m_record.modelHash, m_ready.opened->contentHash(m_progress, m_stop));
        m_record.family = familyName(layout.family);
        addDevices(m_record.machine);
        auto target = m_params.target;
        target.threads = runnable.device().threads;
        m_record.target = targetToJson(target);
        m_record.targetText = targetSummary(target, layout.generates());
        m_record.targetKey = targetKey(target, layout.generates()) + " machine=" + m_record.machine.id + gpuKey();
        if (m_ready.team && m_ready.team->machines() > 1) {
            m_record.targetKey += " machines=" + std::to_string(m_ready.team->machines());
        }
        m_record.versions["libtorch"] = models::libtorchVersion();
        m_record.versions["compiler"] = __VERSION__;
        m_record.versions["kernel_table"] = runnable.device().kernelTable;
        addDriverVersion(m_record.versions);
        m_record.details["compress"] = compressDetails(m_ready);
        for (const auto& step : m_ready.recovered) {
            m_record.details["recover"].push_back(toJson(step));
        }
        m_record.histograms = std::move(values.histograms);
        m_record.weightsHash = std::move(values.weightsHash);
        add("model_bytes", static_cast<double>(runnable.bytes()));
        add("parameters", static_cast<double>(values.parameters));
        add("nonzero_parameters", static_cast<double>(values.nonzero));
        return Done{};
    }

    /// Another GPU in the same place is another machine; a newer driver is not.
    std::string gpuKey() const {
        const int index = runtime::cudaIndex(m_params.target.device);
        if (index < 0 || static_cast<std::size_t>(index) >= m_record.machine.gpus.size()) {
            return {};
        }
        const auto& gpu = m_record.machine.gpus[static_cast<std::size_t>(index)];
        return " gpu=" + gpu.name + "/" + std::to_string(gpu.memoryBytes);
    }

    Status prepareBaseline() {
        if (!m_baseline) {
            PARETO_TRY(m_baseline, packOriginal(m_ready, m_params.target, m_progress, m_stop));
        }
        return Done{};
    }

    Status measure() {
        const bench::TimingOptions options{m_params.target,        m_params.warmups,
                                           m_params.minSeconds,    m_params.minIterations,
                                           m_params.maxIterations, m_params.seed,
                                           m_replicas.get()};
        if (m_replicas) {
            m_progress.begin(Stage::StartingRanks);
            PARETO_CHECK(m_replicas->meet(m_stop));
        }
        m_progress.begin(Stage::WaitingForMachine);
        PARETO_TRY(const auto lock, MachineLock::acquire(m_record.name, m_stop));
        // The peak is taken before the baseline is there: it is the optimized model's own.
        bench::releaseUnusedMemory(m_ready.opened->files->files());
        PARETO_TRY(const auto warm, bench::warmUp(m_ready.runnable, options, m_progress, m_stop));
        add("peak_rss_bytes", static_cast<double>(warm.peakRssBytes));
        m_record.details["peak_since_start"] = !warm.peakReset;
        if (pairs()) {
            PARETO_CHECK(prepareBaseline());
        }
        if (m_ready.team) {
            PARETO_CHECK(m_ready.team->report());  // what comes next is counted
        }
        PARETO_TRY(auto timing, bench::timeModel(m_ready.runnable, pairs() ? &*m_baseline : nullptr,
                                                 options, m_progress, m_stop));
        m_record.measurements.insert(m_record.measurements.end(), timing.measurements.begin(),
                                     timing.measurements.end());
        m_record.latenciesMs = std::move(timing.latenciesMs);
        m_record.disturbed = timing.disturbed;
        m_record.disturbance = std::move(timing.disturbance);
        m_record.details["timing"] = std::move(timing.details);
        if (m_replicas) {
            m_record.details["timing"]["replicas"] = m_params.target.replicas;
            m_replicas.reset();  // the cores are this process's again
        }
        if (warm.gpu) {
            timing.gpu["memory"] = bench::toJson(*warm.gpu);
        }
        if (const auto& steps = m_ready.runnable.model().device().steps; !steps.empty()) {
            timing.gpu["steps"] = steps;
        }
        if (!timing.gpu.empty()) {
            m_record.details["gpu"] = std::move(timing.gpu);
        }
        if (m_ready.team) {
            PARETO_TRY(const auto reports, m_ready.team->report());
            m_record.details["stages"] = {{"starts", m_ready.team->stages()}, {"measured", m_ready.team->measuredStages()}};
            PARETO_TRY(const auto timelines, recordSteps(m_ready, m_params.target, m_params.seed, m_stop));
            for (const auto& report : reports) {
                Json part = toJson(report);
                part["timeline"] = timelineToJson(timelines[static_cast<std::size_t>(report.rank)]);
                m_record.details["parts"].push_back(std::move(part));
            }
        }
        bench::TraceOptions trace;
        trace.target = m_params.target;
        trace.seed = m_params.seed;
        PARETO_TRY(auto layers, bench::traceLayers(m_ready.runnable, trace, m_progress, m_stop));
        m_record.layers =
            layerRows(m_ready.compressed, m_ready.runnable.model(), std::move(layers));
        return Done{};
    }

    Result<tasks::EvalResult> evaluated(const Task& task) {
        tasks::EvalRequest request;
        request.model = &m_ready.runnable;
        if (comparesOutputs()) {
            PARETO_CHECK(prepareBaseline());
            request.original = &*m_baseline;
        }
        PARETO_TRY(request.tokenizer, m_ready.opened->tokenizer());
        request.task = task;
        request.peers = m_team;
        if (request.task.kind == TaskKind::Dialogue) {
            PARETO_TRY(request.chatTemplate, text::loadChatTemplate(*m_ready.opened->files));
        }
        return tasks::evaluate(request, m_progress, m_stop);
    }

    Status evaluate() {
        if (!m_evaluated) {
            PARETO_TRY(m_evaluated, evaluated(*m_params.task));
        }
        auto& result = *m_evaluated;
        m_record.taskKey = taskKey(*m_params.task) + " data=" + result.dataHash;
        m_record.headlineKey = result.metric;
        m_record.measurements.insert(m_record.measurements.end(), result.measurements.begin(),
                                     result.measurements.end());
        m_record.items = std::move(result.items);
        m_record.details["eval"] = std::move(result.details);
        if (m_ranks > 1) {
            m_record.details["eval"]["ranks"] = m_ranks;
        }
        m_record.details["eval"]["seconds"] = result.seconds;
        m_record.details["eval"]["data_hash"] = result.dataHash;
        return Done{};
    }

    Status validate() {
        if (!m_validated) {
            PARETO_TRY(m_validated, evaluated(*m_params.validation));
        }
        const auto& result = *m_validated;
        m_record.details["validation"] = {{"split", m_params.validation->split},
                                          {"data_hash", result.dataHash},
                                          {"measurements", measurementsToJson(result.measurements)}};
        return Done{};
    }

    Status exportResult() {
        Json measurements = Json::object();
        for (const auto& measurement : m_record.measurements) {
            putFigure(measurements, measurement.key, measurement.key, measurement.value);
        }
        exporting::ExportRequest request;
        request.target = m_params.exportTo;
        PARETO_TRY(request.format, exporting::exportFormatFromName(m_params.exportFormat));
        request.parallel = runtime::poolParallelFor();
        request.report = {{"recipe", m_record.recipe},
                          {"measurements", std::move(measurements)},
                          {"target", m_record.target},
                          {"task", m_record.task},
                          {"versions", m_record.versions},
                          {"seed", m_record.seed}};
        PARETO_TRY(const auto outcome,
                   exporting::exportModel(m_ready.compressed.model, *m_ready.opened->files, request,
                                          m_progress, m_stop));
        m_record.exportPath = outcome.path;
        m_record.details["export"] = {{"path", outcome.path},
                                      {"format", outcome.format},
                                      {"verified", outcome.verified},
                                      {"bytes", outcome.bytes},
                                      {"notes", outcome.notes}};
        return Done{};
    }

    void add(const std::string& key, double value) {
        m_record.measurements.push_back({key, value, std::nullopt, std::nullopt, 1});
    }

    ModelCache& m_cache;
    const RunParams& m_params;
    RunSink* m_sink;
    Progress& m_progress;
    std::stop_token m_stop;
    RunRecord m_record;
    ReadyModel m_ready;
    bool m_follows = false;  ///< another process has the result
    std::unique_ptr<ReplicaTeam> m_replicas;  ///< until times are measured
    RankTeam* m_team = nullptr;  ///< while tasks are shared
    int m_ranks = 1;             ///< that shared them
    std::optional<tasks::EvalResult> m_evaluated;
    std::optional<tasks::EvalResult> m_validated;
    std::optional<models::RunnableModel> m_baseline;
};

}  // namespace

Status checkRun(const RunParams& params) {
    PARETO_CHECK(checkDevice(params.target));
    PARETO_CHECK(exporting::exportFormatFromName(params.exportFormat));
    return params.exportTo.empty() ? Status(Done{}) : exporting::checkTarget(params.exportTo);
}

Result<bool> isFollower(const RunParams& params) {
    return params.target.processes() > 1 || params.target.replicas > 1 ? isFollower(params.target) : RankTeam::follows(params);
}

Result<bool> isFollower(const Target& target) {
    return target.replicas > 1 ? ReplicaTeam::follows(target) : ShardTeam::follows(target);
}

Result<RunRecord> runRun(ModelCache& cache, const RunParams& params, Progress& progress,
                         std::stop_token stop, RunSink* sink) {
    return guarded(kJobRun, [&] { return Run(cache, params, sink, progress, stop).execute(); });
}

}  // namespace pareto::jobs
