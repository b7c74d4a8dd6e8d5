#include "app/cli/stored_run.h"

#include <chrono>
#include <cstdio>

#include "app/cli/run_output.h"
#include "app/cli/text_table.h"
#include "engine/jobs/api/machine.h"
#include "engine/jobs/run/run_job.h"
#include "engine/records/metrics.h"
#include "engine/records/training.h"

namespace pareto::cli {

namespace {

std::string figure(const char* format, double value) {
    char text[64];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

std::string metricText(const ValidationPoint& point) {
    const auto* info = findMetric(point.metric);
    return (info != nullptr ? std::string(info->english) : point.metric) + " " + formatMetric(point.metric, point.value);
}

}  // namespace

Result<RunRecord> storedRun(const jobs::RunParams& params, Context& context) {
    PARETO_TRY(const auto store, context.openStore());
    PARETO_CHECK(store->markInterrupted());
    auto started = jobs::recordOf(params);
    started.machine = jobs::thisMachine();
    PARETO_TRY(const auto id, store->beginRun(started, store::Owner::thisProcess()));
    jobs::ModelCache cache;
    TrainingSink sink(context);
    auto result = jobs::runRun(cache, params, context.progress, context.stop, &sink);
    if (!result.ok()) {
        started.id = id;
        started.status = result.cancelled() ? RunStatus::Cancelled : RunStatus::Failed;
        if (!result.cancelled()) {
            started.error = result.error();
        }
        // The job's own failure is what the caller must hear of, whether or not this works.
        if (const auto stored = store->finishRun(started); !stored.ok()) {
            context.note("The failed run " + std::to_string(id) + " could not be stored.");
        }
        return result;
    }
    result->id = id;
    PARETO_CHECK(store->finishRun(result.value()));
    return result;
}

void TrainingSink::partial(const Json& event) {
    if (event.contains("validation")) {
        const auto point = validationPointFromJson(event["validation"]);
        if (point.ok()) {
            m_context.note("Step " + std::to_string(point.value().step) + ": " + metricText(point.value()) +
                           " on validation" + (point.value().best ? " (best)" : ""));
        }
        return;
    }
    const auto points = event.find("training");
    constexpr std::int64_t kBetween = 10;
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(
                         std::chrono::steady_clock::now().time_since_epoch())
                         .count();
    if (points == event.end() || points->empty() || now - m_told < kBetween) {
        return;
    }
    const auto point = trainingPointFromJson(points->back());
    if (point.ok()) {
        m_told = now;
        m_context.note("Step " + std::to_string(point.value().step) + " of " + std::to_string(point.value().steps) +
                       ": loss " + figure("%.4f", point.value().loss) + ", " +
                       figure("%.1f", point.value().examplesPerSecond) + " examples/s");
    }
}

std::string recoveryText(const RunRecord& record) {
    std::string out;
    for (const auto& json : record.details.value("recover", Json::array())) {
        const auto step = trainingRecordFromJson(json);
        if (!step.ok()) {
            continue;
        }
        const auto& did = step.value();
        out += "Recovery: " + did.method + " on " + did.source + ", " + std::to_string(did.examples) + " examples, " +
               std::to_string(did.steps) + " steps in " + figure("%.0f", did.seconds) + " s";
        for (const auto& point : did.validations) {
            if (point.step == did.keptStep) {
                out += "; kept step " + std::to_string(did.keptStep) + ": " + metricText(point) + " on validation";
            }
        }
        out += "\n";
        for (const auto& note : did.notes) {
            out += "  " + note + "\n";
        }
    }
    return out;
}

Result<Output> runAndStore(const jobs::RunParams& params, Context& context) {
    PARETO_TRY(const bool follows, jobs::isFollower(params));
    if (follows) {
        // The run is rank 0's: this process computes for it, and says nothing but what goes wrong.
        jobs::ModelCache cache;
        PARETO_CHECK(jobs::runRun(cache, params, context.progress, context.stop));
        return Output{};
    }
    PARETO_TRY(const auto record, storedRun(params, context));
    PARETO_CHECK(jobs::exportFailure(record));
    Json json{{"run_id", record.id}, {"name", record.name}, {"status", nameOf(record.status)}};
    for (const auto* key : {"model_bytes", "parameters", "nonzero_parameters"}) {
        if (const auto* figure = record.find(key)) {
            json[key] = static_cast<std::int64_t>(figure->value);
        }
    }
    std::string text = "Run " + std::to_string(record.id) + " · " + record.name + " · " +
                       record.modelName + " · " + record.targetText + "\n" + figuresText(record);
    if (params.timing) {
        json["bench"] = benchJson(record);
        text += layersText(record);
    }
    text += compressionText(record) + recoveryText(record);
    if (record.details.contains("recover")) {
        json["recover"] = record.details["recover"];
    }
    if (auto compress = record.details.value("compress", Json::object()); compress.contains("layers")) {
        compress.erase("spectra");
        json["compress"] = std::move(compress);
    }
    if (params.task) {
        json["eval"] = evalJson(record);
    }
    if (record.details.contains("export")) {
        json["export"] = record.details["export"];
        text += "Exported to " + record.exportPath + "\n";
    }
    return Output{std::move(json), std::move(text)};
}

}  // namespace pareto::cli
