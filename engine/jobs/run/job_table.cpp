#include "engine/jobs/run/job_table.h"

#include "engine/jobs/run/export_job.h"
#include "engine/jobs/run/generate_job.h"
#include "engine/jobs/run/run_job.h"
#include "engine/jobs/run/text_jobs.h"

namespace pareto::jobs {

JobTable jobTable(std::shared_ptr<ModelCache> cache) {
    JobTable table;
    table[kJobRun] = [cache](const Json& json, Progress& progress, std::stop_token stop,
                             RunSink&) -> Result<Json> {
        PARETO_TRY(const auto params, runParamsFromJson(json));
        PARETO_TRY(const auto record, runRun(*cache, params, progress, stop));
        return runRecordToJson(record);
    };
    table[kJobExport] = [cache](const Json& json, Progress& progress, std::stop_token stop,
                                RunSink&) -> Result<Json> {
        PARETO_TRY(const auto params, exportParamsFromJson(json));
        PARETO_TRY(const auto result, runExport(*cache, params, progress, stop));
        return toJson(result);
    };
    table[kJobGenerate] = [cache](const Json& json, Progress& progress, std::stop_token stop,
                                  RunSink& sink) -> Result<Json> {
        PARETO_TRY(const auto params, generateParamsFromJson(json));
        PARETO_TRY(const auto result, runGenerate(*cache, params, progress, stop, sink));
        return toJson(result);
    };
    table[kJobClassify] = [cache](const Json& json, Progress& progress, std::stop_token stop,
                                  RunSink&) -> Result<Json> {
        PARETO_TRY(const auto params, textParamsFromJson(json));
        PARETO_TRY(const auto result, runClassify(*cache, params, progress, stop));
        return toJson(result);
    };
    table[kJobEmbed] = [cache](const Json& json, Progress& progress, std::stop_token stop,
                               RunSink&) -> Result<Json> {
        PARETO_TRY(const auto params, textParamsFromJson(json));
        PARETO_TRY(const auto result, runEmbed(*cache, params, progress, stop));
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
