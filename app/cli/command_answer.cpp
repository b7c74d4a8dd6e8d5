#include "app/cli/command_list.h"
#include "app/cli/compute_options.h"
#include "app/cli/text_table.h"
#include "engine/core/file.h"
#include "engine/jobs/run/token_jobs.h"

namespace pareto::cli {

namespace {

Result<jobs::AnswerParams> paramsOf(const Arguments& arguments) {
    jobs::AnswerParams params;
    params.model = arguments.positional()[0];
    PARETO_TRY(params.question, arguments.required("question"));
    if (arguments.has("file")) {
        PARETO_TRY(params.context, readTextFile(arguments.text("file")));
    } else {
        PARETO_TRY(params.context, arguments.required("context"));
    }
    PARETO_TRY(params.maxLength, arguments.integer("max-length", params.maxLength, 8, 1 << 20));
    PARETO_TRY(params.docStride, arguments.integer("stride", params.docStride, 0, 1 << 20));
    PARETO_TRY(params.recipe, recipeOf(arguments));
    PARETO_TRY(params.target, deviceOf(arguments));
    return params;
}

Result<Output> answer(const Arguments& arguments, Context& context) {
    PARETO_TRY(const auto params, paramsOf(arguments));
    jobs::ModelCache cache;
    PARETO_TRY(const auto result, jobs::runAnswer(cache, params, context.progress, context.stop));
    TextTable table({{"score", Align::Right}, {"bytes"}, {"answer"}});
    for (const auto& part : result.answers) {
        table.add({formatNumber(part.score, 4),
                   std::to_string(part.begin) + "-" + std::to_string(part.end), part.text});
    }
    return Output{jobs::toJson(result), table.empty() ? "no answer" : table.text()};
}

}  // namespace

const Command kAnswerCommand{
    "answer",
    "MODEL",
    "Find the answer to a question in a text",
    joined({{{"question", "TEXT", "the question"},
             {"context", "TEXT", "the text that holds the answer"},
             {"file", "FILE", "the same from a file"},
             {"max-length", "N", "tokens of a window of the text with the question (default 384)"},
             {"stride", "N", "tokens that a window repeats of the one before (default 128)"},
             recipeOption()},
            deviceOptions()}),
    1,
    1,
    answer,
    "answer, begin and end in bytes, score of the best; answers: the best three"};

}  // namespace pareto::cli
