#include "app/cli/command_list.h"
#include "app/cli/compute_options.h"
#include "app/cli/sampling_options.h"
#include "app/cli/text_table.h"
#include "engine/jobs/run/translate_job.h"

namespace pareto::cli {

namespace {

/// As the Opus-MT models are used.
jobs::SamplingParams usual() {
    jobs::SamplingParams sampling;
    sampling.maxTokens = 256;
    sampling.beams = 4;
    return sampling;
}

/// Translations come in the order of the texts, in the end: batches are made by length.
class SilentSink : public jobs::RunSink {
public:
    void partial(const Json&) override {}
};

Result<Output> translate(const Arguments& arguments, Context& context) {
    jobs::TranslateParams params;
    params.model = arguments.positional()[0];
    PARETO_TRY(params.texts, textsOf(arguments));
    PARETO_TRY(params.recipe, recipeOf(arguments));
    PARETO_TRY(params.target, deviceOf(arguments));
    PARETO_TRY(params.sampling, samplingOf(arguments, usual()));
    SilentSink sink;
    jobs::ModelCache cache;
    PARETO_TRY(const auto result,
               jobs::runTranslate(cache, params, context.progress, context.stop, sink));
    std::string text;
    for (const auto& item : result.items) {
        text += item.text + "\n";
    }
    context.note(formatCount(static_cast<std::int64_t>(result.items.size())) + " texts, " +
                 formatNumber(result.tokensPerSecond, 1) + " tokens/s");
    return Output{jobs::toJson(result), std::move(text)};
}

}  // namespace

const Command kTranslateCommand{
    "translate", "MODEL [TEXT…]", "Translate texts with an encoder-decoder model",
    joined({textOptions(), samplingOptions(usual()), {recipeOption()}, deviceOptions()}), 1, -1,
    translate,
    "text of the first text, items of all: text, source_tokens, tokens, score; seconds, tokens_per_s"};

}  // namespace pareto::cli
