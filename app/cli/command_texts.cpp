#include <algorithm>

#include "app/cli/command_list.h"
#include "app/cli/compute_options.h"
#include "app/cli/text_table.h"
#include "engine/jobs/run/text_jobs.h"
#include "engine/jobs/run/token_jobs.h"

namespace pareto::cli {

namespace {

Result<jobs::TextParams> paramsOf(const Arguments& arguments) {
    jobs::TextParams params;
    params.model = arguments.positional()[0];
    PARETO_TRY(params.texts, textsOf(arguments));
    PARETO_TRY(params.recipe, recipeOf(arguments));
    PARETO_TRY(params.target, deviceOf(arguments));
    PARETO_TRY(params.maxLength, arguments.integer("max-length", params.maxLength, 4, 1 << 20));
    return params;
}

std::vector<OptionSpec> options(std::vector<OptionSpec> more = {}) {
    return joined({textOptions(),
                   std::move(more),
                   {{"max-length", "N", "cut texts to this many tokens (default 256)"},
                    recipeOption()},
                   deviceOptions()});
}

std::string labelsOf(const jobs::Classification& item, bool several) {
    if (!several) {
        return item.label;
    }
    std::string labels;
    for (const auto& label : item.chosen) {
        labels += (labels.empty() ? "" : ", ") + label;
    }
    return labels.empty() ? "(none)" : labels;
}

Result<Output> classify(const Arguments& arguments, Context& context) {
    PARETO_TRY(auto params, paramsOf(arguments));
    if (arguments.has("pair")) {
        params.pairs.assign(params.texts.size(), arguments.text("pair"));
    }
    jobs::ModelCache cache;
    PARETO_TRY(const auto result, jobs::runClassify(cache, params, context.progress, context.stop));
    const bool ranks = result.labels.size() == 1;
    TextTable table({{"label"}, {ranks ? "score" : "probability", Align::Right}, {"text"}});
    for (std::size_t i = 0; i < result.items.size(); ++i) {
        const auto& item = result.items[i];
        const double best = *std::max_element(item.scores.begin(), item.scores.end());
        table.add({labelsOf(item, result.severalClasses),
                   formatNumber(item.score.value_or(best), 4), params.texts[i]});
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

Result<Output> tag(const Arguments& arguments, Context& context) {
    PARETO_TRY(const auto params, paramsOf(arguments));
    jobs::ModelCache cache;
    PARETO_TRY(const auto result, jobs::runTag(cache, params, context.progress, context.stop));
    TextTable table(
        {{"line", Align::Right}, {"label"}, {"score", Align::Right}, {"bytes"}, {"entity"}});
    for (std::size_t i = 0; i < result.items.size(); ++i) {
        for (const auto& entity : result.items[i].entities) {
            table.add({std::to_string(i + 1), entity.label, formatNumber(entity.score, 4),
                       std::to_string(entity.begin) + "-" + std::to_string(entity.end),
                       entity.text});
        }
    }
    return Output{jobs::toJson(result), table.empty() ? "no entities" : table.text()};
}

Result<Output> fill(const Arguments& arguments, Context& context) {
    PARETO_TRY(const auto params, paramsOf(arguments));
    jobs::ModelCache cache;
    PARETO_TRY(const auto result, jobs::runFill(cache, params, context.progress, context.stop));
    TextTable table(
        {{"line", Align::Right}, {"mask", Align::Right}, {"score", Align::Right}, {"token"}});
    for (std::size_t i = 0; i < result.items.size(); ++i) {
        const auto& masks = result.items[i].masks;
        for (std::size_t mask = 0; mask < masks.size(); ++mask) {
            for (const auto& filling : masks[mask]) {
                table.add({std::to_string(i + 1), std::to_string(mask + 1),
                           formatNumber(filling.score, 4), filling.text});
            }
        }
    }
    return Output{jobs::toJson(result), table.text()};
}

}  // namespace

const Command kClassifyCommand{
    "classify",
    "MODEL [TEXT…]",
    "Say which class texts belong to",
    options({{"pair", "TEXT", "a second text to each of the texts (a ranker's passage)"}}),
    1,
    -1,
    classify,
    "label and scores of the first text, items of all; a ranker's items have score, those of "
    "classes "
    "that do not exclude each other labels"};
const Command kEmbedCommand{"embed",
                            "MODEL [TEXT…]",
                            "Turn texts into vectors",
                            options(),
                            1,
                            -1,
                            embed,
                            "vector of the first text, vectors of all"};
const Command kTagCommand{"tag",
                          "MODEL [TEXT…]",
                          "Find names and other entities in texts",
                          options(),
                          1,
                          -1,
                          tag,
                          "entities and words of the first text, items of all: label, text, begin "
                          "and end in bytes, score"};
const Command kFillCommand{
    "fill",
    "MODEL [TEXT…]",
    "Say what could stand for [MASK] or <mask>",
    options(),
    1,
    -1,
    fill,
    "masks of the first text, items of all: each mask has candidates: text, token_id, score"};

}  // namespace pareto::cli
