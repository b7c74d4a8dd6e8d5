#include "app/cli/command_list.h"
#include "app/cli/compute_options.h"
#include "app/cli/sampling_options.h"
#include "app/cli/text_table.h"
#include "engine/jobs/run/generate_job.h"
#include "engine/jobs/run/run_job.h"

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

/// The turns of --messages, --system and --chat; none for a plain continuation.
Status takeTurns(const Arguments& arguments, jobs::GenerateParams& params) {
    if (arguments.has("messages")) {
        PARETO_TRY(const auto messages, readJsonFile(arguments.text("messages")));
        const Json given{{"model", params.model}, {"messages", messages}};
        PARETO_TRY(auto read, jobs::generateParamsFromJson(given));
        params.turns = std::move(read.turns);
    }
    if (arguments.has("system")) {
        params.turns.insert(params.turns.begin(), jobs::ChatTurn{"system", arguments.text("system")});
    }
    if (!params.prompt.empty() && (arguments.has("chat") || !params.turns.empty())) {
        params.turns.push_back({"user", params.prompt});
    }
    return Done{};
}

/// The draft of --draft, --draft-recipe and --draft-tokens; none without the first two.
Result<std::optional<jobs::DraftParams>> draftOf(const Arguments& arguments) {
    jobs::DraftParams params;
    PARETO_TRY(const auto tokens,
               arguments.integer("draft-tokens", params.tokens, 1, jobs::kMostDraftTokens));
    params.tokens = static_cast<int>(tokens);
    params.model = arguments.text("draft");
    if (arguments.has("draft-recipe")) {
        PARETO_TRY(params.recipe, loadRecipe(arguments.text("draft-recipe")));
    } else if (!arguments.has("draft")) {
        return arguments.has("draft-tokens")
                   ? Result<std::optional<jobs::DraftParams>>(makeError(
                         ErrorCode::UsageMissing,
                         {{"what", "The draft of --draft-tokens (--draft or --draft-recipe)"},
                          {"help", arguments.help()}}))
                   : std::optional<jobs::DraftParams>();
    }
    return std::optional(std::move(params));
}

Result<jobs::GenerateParams> paramsOf(const Arguments& arguments) {
    jobs::GenerateParams params;
    params.model = arguments.positional()[0];
    if (!arguments.has("messages")) {
        PARETO_TRY(params.prompt, arguments.required("prompt"));
        if (params.prompt.empty()) {
            return makeError(ErrorCode::UsageMissing,
                             {{"what", "The text of --prompt"}, {"help", arguments.help()}});
        }
    }
    params.prompt = arguments.text("prompt");
    PARETO_CHECK(takeTurns(arguments, params));
    PARETO_TRY(params.recipe, recipeOf(arguments));
    PARETO_TRY(params.target, deviceOf(arguments));
    PARETO_CHECK(takeParts(arguments, params.target));
    PARETO_TRY(params.sampling, samplingOf(arguments, {}));
    PARETO_TRY(params.draft, draftOf(arguments));
    return params;
}

std::string draftText(const models::SpeculativeFigures& draft) {
    return "draft: " + formatCount(draft.accepted) + " of " + formatCount(draft.drafted) +
           " tokens accepted (" + formatNumber(100.0 * draft.acceptance(), 1) + " %), " +
           formatCount(draft.targetSteps) + " steps of the model; " +
           formatNumber(draft.draftSeconds, 2) + " s in the draft, " +
           formatNumber(draft.targetSeconds, 2) + " s in the model";
}

Result<Output> generate(const Arguments& arguments, Context& context) {
    PARETO_TRY(const auto params, paramsOf(arguments));
    StreamSink sink(context);
    PARETO_TRY(const bool follows, jobs::isFollower(params.target));
    jobs::ModelCache cache;
    PARETO_TRY(const auto result,
               jobs::runGenerate(cache, params, context.progress, context.stop, sink));
    if (follows) {
        return Output{};
    }
    if (!context.json) {
        context.stream("\n");
        context.note(formatCount(static_cast<std::int64_t>(result.ids.size())) + " tokens, " +
                     formatNumber(result.tokensPerSecond, 1) + " tokens/s");
        if (result.draft) {
            context.note(draftText(*result.draft));
        }
    }
    return Output{jobs::toJson(result), {}};
}

}  // namespace

const Command kGenerateCommand{
    "generate",
    "MODEL",
    "Continue a text, or answer it with --chat",
    joined({{{"prompt", "TEXT", "the text to continue"},
             {"chat", "", "put the text into the chat format"},
             {"system", "TEXT", "begin the dialogue with this instruction"},
             {"messages", "FILE",
              "answer this dialogue: a JSON list of objects with role and content; --prompt is its "
              "last turn"}},
            samplingOptions({}),
            {recipeOption(),
             {"draft-recipe", "R",
              "the model under this recipe proposes tokens, which the model verifies"},
             {"draft", "MODEL",
              "another model of the same vocabulary proposes them (under --draft-recipe)"},
             {"draft-tokens", "K", "proposals a step, at most (default 3)"}},
            deviceOptions(),
            {partsOption(), hostsOption()}}),
    1,
    1,
    generate,
    "text, token_ids, prompt_tokens, reused_tokens, first_token_ms, tokens_per_s, stopped; with a "
    "draft: draft "
    "(drafted, accepted, acceptance, target_steps, draft_s, target_s)"};

}  // namespace pareto::cli
