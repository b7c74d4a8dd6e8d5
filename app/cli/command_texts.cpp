#include <algorithm>
#include <sstream>

#include "app/cli/command_list.h"
#include "app/cli/compute_options.h"
#include "app/cli/text_table.h"
#include "engine/core/file.h"
#include "engine/jobs/run/text_jobs.h"

namespace pareto::cli {

namespace {

/// Texts come as further words, with --text, or as the lines of --file.
Result<jobs::TextParams> paramsOf(const Arguments& arguments) {
    jobs::TextParams params;
    params.model = arguments.positional()[0];
    params.texts.assign(arguments.positional().begin() + 1, arguments.positional().end());
    if (arguments.has("text")) {
        params.texts.push_back(arguments.text("text"));
    }
    if (arguments.has("file")) {
        PARETO_TRY(const auto content, readTextFile(arguments.text("file")));
        std::istringstream lines(content);
        for (std::string line; std::getline(lines, line);) {
            params.texts.push_back(line);
        }
    }
    if (params.texts.empty()) {
        return makeError(ErrorCode::UsageMissing, {{"what", "a text"}, {"help", arguments.help()}});
    }
    PARETO_TRY(params.recipe, recipeOf(arguments));
    PARETO_TRY(params.target, deviceOf(arguments));
    PARETO_TRY(params.maxLength, arguments.integer("max-length", params.maxLength, 4, 1 << 20));
    return params;
}

std::vector<OptionSpec> options() {
    return joined({{{"text", "TEXT", "a text"},
                    {"file", "FILE", "a text a line"},
                    {"max-length", "N", "cut texts to this many tokens (default 256)"},
                    recipeOption()},
                   deviceOptions()});
}

Result<Output> classify(const Arguments& arguments, Context& context) {
    PARETO_TRY(const auto params, paramsOf(arguments));
    jobs::ModelCache cache;
    PARETO_TRY(const auto result,
               jobs::runClassify(cache, params, context.progress, context.stop));
    TextTable table({{"label"}, {"probability", Align::Right}, {"text"}});
    for (std::size_t i = 0; i < result.items.size(); ++i) {
        const auto& scores = result.items[i].scores;
        table.add({result.items[i].label,
                   formatNumber(*std::max_element(scores.begin(), scores.end()), 4),
                   params.texts[i]});
    }
    return Output{jobs::toJson(result), table.text()};
}

Result<Output> embed(const Arguments& arguments, Context& context) {
    PARETO_TRY(const auto params, paramsOf(arguments));
    jobs::ModelCache cache;
    PARETO_TRY(const auto result, jobs::runEmbed(cache, params, context.progress, context.stop));
    std::string text;
    for (const auto& vector : result.vectors) {
        for (std::size_t i = 0; i < vector.size(); ++i) {
            text += (i == 0 ? "" : " ") + formatNumber(vector[i], 6);
        }
        text += "\n";
    }
    return Output{jobs::toJson(result), std::move(text)};
}

}  // namespace

const Command kClassifyCommand{"classify", "MODEL [TEXT…]", "Say which class texts belong to",
                               options(), 1, -1, classify};
const Command kEmbedCommand{"embed", "MODEL [TEXT…]", "Turn texts into vectors", options(), 1, -1,
                            embed};

}  // namespace pareto::cli
