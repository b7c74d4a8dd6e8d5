#include "engine/jobs/run/export_job.h"

#include "engine/core/version.h"
#include "engine/export/exporter.h"
#include "engine/jobs/run/guarded.h"
#include "engine/jobs/run/ready_model.h"
#include "engine/models/model.h"
#include "engine/runtime/parallel.h"
#include "engine/weights/weights_hash.h"

namespace pareto::jobs {

namespace {

constexpr const char* kDiffers = "The weights differ from those of the stored run: the model's files, the program or the "
                                 "processor are not the same.";

Result<ExportResult> writeExport(ModelCache& cache, const ExportParams& params, Progress& progress,
                               std::stop_token stop) {
    PARETO_TRY(const auto format, exporting::exportFormatFromName(params.format));
    PARETO_CHECK(exporting::checkTarget(params.target));
    ReadyRequest request;
    request.model = params.model;
    request.recipe = params.recipe;
    request.whole = true;
    PARETO_TRY(const auto ready, compressedModel(cache, request, progress, stop));

    exporting::ExportRequest writing;
    writing.target = params.target;
    writing.format = format;
    writing.parallel = runtime::poolParallelFor();
    writing.report = params.report;
    if (!writing.report.contains("recipe")) {
        writing.report["recipe"] = recipeToJson(params.recipe);
    }
    if (!writing.report.contains("versions")) {
        writing.report["versions"] = {{"program", std::string(programVersion())},
                                      {"libtorch", models::libtorchVersion()}};
    }
    PARETO_TRY(const auto outcome, exporting::exportModel(ready.compressed.model,
                                                          *ready.opened->files, writing, progress,
                                                          stop));
    ExportResult result{outcome.path, outcome.format, outcome.verified, outcome.bytes,
                        outcome.notes};
    result.notes.insert(result.notes.end(), ready.notes.begin(), ready.notes.end());
    if (!params.expectWeightsHash.empty() &&
        weightsHash(ready.compressed.model) != params.expectWeightsHash) {
        result.notes.emplace_back(kDiffers);
    }
    return result;
}

}  // namespace

Result<ExportResult> runExport(ModelCache& cache, const ExportParams& params, Progress& progress,
                               std::stop_token stop) {
    return guarded(kJobExport, [&] { return writeExport(cache, params, progress, stop); });
}

}  // namespace pareto::jobs
