#include "engine/jobs/run/job_table.h"

#include "engine/jobs/api/file_sets.h"
#include "engine/jobs/run/export_job.h"
#include "engine/jobs/run/generate_job.h"
#include "engine/jobs/run/profile_job.h"
#include "engine/jobs/run/replica_team.h"
#include "engine/jobs/run/run_job.h"
#include "engine/jobs/run/scaling_job.h"
#include "engine/jobs/run/shard_team.h"
#include "engine/jobs/run/text_jobs.h"
#include "engine/jobs/run/token_jobs.h"
#include "engine/jobs/run/translate_job.h"

namespace pareto::jobs {

namespace {

/// A job that answers once: parameters from JSON, the result as JSON.
template <typename Params, typename Answer>
JobFunction plainJob(std::shared_ptr<ModelCache> cache, Result<Params> (*read)(const Json&),
                     Result<Answer> (*run)(ModelCache&, const Params&, Progress&,
                                           std::stop_token)) {
    return [cache = std::move(cache), read, run](const Json& json, Progress& progress,
                                                 std::stop_token stop, RunSink&) -> Result<Json> {
        PARETO_TRY(const auto params, read(json));
        PARETO_TRY(const auto result, run(*cache, params, progress, stop));
        return toJson(result);
    };
}

}  // namespace

JobTable jobTable(std::shared_ptr<ModelCache> cache) {
    JobTable table;
    table[kJobRun] = [cache](const Json& json, Progress& progress, std::stop_token stop,
                             RunSink& sink) -> Result<Json> {
        PARETO_TRY(const auto params, runParamsFromJson(json));
        PARETO_TRY(const auto record, runRun(*cache, params, progress, stop, &sink));
        return runRecordToJson(record);
    };
    table[kJobProfile] = [cache](const Json& json, Progress& progress, std::stop_token stop,
                                 RunSink&) -> Result<Json> {
        PARETO_TRY(const auto params, profileParamsFromJson(json));
        PARETO_TRY(const auto profile, runProfile(*cache, params, progress, stop));
        return profileToJson(profile);
    };
    table[kJobScaling] = plainJob(cache, scalingParamsFromJson, runScaling);
    table[kJobGenerate] = [cache](const Json& json, Progress& progress, std::stop_token stop,
                                  RunSink& sink) -> Result<Json> {
        PARETO_TRY(const auto params, generateParamsFromJson(json));
        PARETO_TRY(const auto result, runGenerate(*cache, params, progress, stop, sink));
        return toJson(result);
    };
    table[kJobShard] = [cache](const Json& json, Progress& progress, std::stop_token stop, RunSink&) -> Result<Json> {
        PARETO_TRY(const auto params, shardParamsFromJson(json));
        return runShard(*cache, params, progress, stop);
    };
    table[kJobReplica] = [cache](const Json& json, Progress& progress, std::stop_token stop, RunSink&) -> Result<Json> {
        PARETO_TRY(const auto params, replicaParamsFromJson(json));
        return runReplica(*cache, params, progress, stop);
    };
    table[kJobReceive] = [](const Json& json, Progress& progress, std::stop_token stop, RunSink&) -> Result<Json> {
        PARETO_TRY(const auto params, receiveParamsFromJson(json));
        PARETO_TRY(const auto result, receiveFiles(params, progress, stop));
        return toJson(result);
    };
    table[kJobExport] = plainJob(cache, exportParamsFromJson, runExport);
    table[kJobClassify] = plainJob(cache, textParamsFromJson, runClassify);
    table[kJobEmbed] = plainJob(cache, textParamsFromJson, runEmbed);
    table[kJobTag] = plainJob(cache, textParamsFromJson, runTag);
    table[kJobFill] = plainJob(cache, textParamsFromJson, runFill);
    table[kJobAnswer] = plainJob(cache, answerParamsFromJson, runAnswer);
    table[kJobTranslate] = [cache](const Json& json, Progress& progress, std::stop_token stop,
                                   RunSink& sink) -> Result<Json> {
        PARETO_TRY(const auto params, translateParamsFromJson(json));
        PARETO_TRY(const auto result, runTranslate(*cache, params, progress, stop, sink));
        return toJson(result);
    };
    return table;
}

Result<JobFunction> findJob(const JobTable& table, const std::string& name) {
    if (const auto found = table.find(name); found != table.end()) {
        return found->second;
    }
    std::string known;
    for (const auto& [job, function] : table) {
        known += (known.empty() ? "" : ", ") + job;
    }
    return makeError(ErrorCode::JobUnknown, {{"job", name}, {"known", known}});
}

}  // namespace pareto::jobs
