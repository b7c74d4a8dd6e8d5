#include "engine/jobs/run/recover_reconstruct.h"

#include "engine/jobs/run/calibration_texts.h"

namespace pareto::jobs {

ReconstructModel reconstructTool(std::shared_ptr<const OpenedModel> opened, models::DeviceOptions device) {
    return [opened = std::move(opened), device = std::move(device)](
               const compress::RecoverRequest& request, const RecoverWatch& watch, Progress& progress,
               std::stop_token stop) -> Result<train::Reconstructed> {
        const Recipe& recipe = request.recipe;
        if (recipe.quantize && recipe.quantize->rotate) {
            return makeError(ErrorCode::RecipeInvalid,
                             {{"file", "recipe"},
                              {"field", "recover"},
                              {"reason", "cannot compare the blocks of a rotated model with the untouched ones; "
                                         "leave out either the rotation or the reconstruction"}});
        }
        train::ReconstructOptions options;
        options.spec = recipe.recover.at(request.step);
        options.device = device;
        options.seed = recipe.seed;
        options.report = watch.report;
        options.control = watch.control;
        const CalibrationSpec calibration = recipe.calibration.value_or(CalibrationSpec{});
        PARETO_TRY(const auto tokenizer, opened->tokenizer());
        PARETO_TRY(const auto texts,
                   calibrationTexts(calibration, *tokenizer, request.model.layout, progress, stop));
        PARETO_TRY(auto out,
                   train::reconstruct(request.model, request.original, texts, options, progress, stop));
        out.record.source = calibration.source.empty() ? "wikitext2" : calibration.source;
        return out;
    };
}

}  // namespace pareto::jobs
