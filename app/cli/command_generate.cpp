#include <limits>

#include "app/cli/command_list.h"
#include "app/cli/compute_options.h"
#include "app/cli/text_table.h"
#include "engine/jobs/run/generate_job.h"

namespace pareto::cli {

namespace {

/// Text on stdout as it comes; nothing with --json, where it is one field of the result.
class StreamSink : public jobs::RunSink {
public:
    explicit StreamSink(const Context& context) : m_context(context) {}
    void partial(const Json& event) override {
        if (!m_context.json && event.contains("text")) {
            m_context.stream(event["text"].get<std::string>());
        }
    }

private:
    const Context& m_context;
};

Result<jobs::GenerateParams> paramsOf(const Arguments& arguments) {
    jobs::GenerateParams params;
    params.model = arguments.positional()[0];
    PARETO_TRY(params.prompt, arguments.required("prompt"));
    if (params.prompt.empty()) {
        return makeError(ErrorCode::UsageMissing,
                         {{"what", "The text of --prompt"}, {"help", arguments.help()}});
    }
    PARETO_TRY(params.recipe, recipeOf(arguments));
    PARETO_TRY(params.target, deviceOf(arguments));
    if (arguments.has("chat")) {
        params.turns = {{"user", params.prompt}};
    }
    auto& sampling = params.sampling;
    PARETO_TRY(sampling.maxTokens, arguments.integer("max-tokens", sampling.maxTokens, 1, 1 << 20));
    PARETO_TRY(sampling.temperature,
               arguments.number("temperature", sampling.temperature, 0.0, 100.0));
    PARETO_TRY(const auto topK, arguments.integer("top-k", sampling.topK, 0, 1 << 20));
    PARETO_TRY(sampling.topP, arguments.number("top-p", sampling.topP, 0.0, 1.0));
    PARETO_TRY(const auto seed,
               arguments.integer("seed", 0, 0, std::numeric_limits<std::int64_t>::max()));
    sampling.topK = static_cast<int>(topK);
    sampling.seed = static_cast<std::uint64_t>(seed);
    return params;
}

Result<Output> generate(const Arguments& arguments, Context& context) {
    PARETO_TRY(const auto params, paramsOf(arguments));
    StreamSink sink(context);
    jobs::ModelCache cache;
    PARETO_TRY(const auto result,
               jobs::runGenerate(cache, params, context.progress, context.stop, sink));
    if (!context.json) {
        context.stream("\n");
        context.note(formatCount(static_cast<std::int64_t>(result.ids.size())) + " tokens, " +
                     formatNumber(result.tokensPerSecond, 1) + " tokens/s");
    }
    return Output{jobs::toJson(result), {}};
}

}  // namespace

const Command kGenerateCommand{
    "generate", "MODEL", "Continue a text, or answer it with --chat",
    joined({{{"prompt", "TEXT", "the text to continue"},
             {"chat", "", "put the text into the chat format (ChatML)"},
             {"max-tokens", "N", "tokens to generate at most (default 64)"},
             {"temperature", "T", "0: always the likeliest token (default)"},
             {"top-k", "K", "draw from the K likeliest only (default 0: off)"},
             {"top-p", "P", "draw from the likeliest that make up P (default 1: off)"},
             {"seed", "N", "of the draw (default 0)"},
             recipeOption()},
            deviceOptions()}),
    1, 1, generate};

}  // namespace pareto::cli
