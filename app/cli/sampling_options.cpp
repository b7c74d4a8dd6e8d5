#include "app/cli/sampling_options.h"

#include <limits>

#include "engine/core/json.h"

namespace pareto::cli {

namespace {

/// One text, or a JSON list of texts.
Result<std::vector<std::string>> stopsOf(const Arguments& arguments) {
    const auto text = arguments.text("stop");
    if (!text.starts_with("[")) {
        return std::vector<std::string>{text};
    }
    const Json list = Json::parse(text, nullptr, false);
    std::vector<std::string> stops;
    for (const auto& one : list.is_array() ? list : Json::array()) {
        if (one.is_string()) {
            stops.push_back(one.get<std::string>());
        }
    }
    if (!list.is_array() || stops.size() != list.size()) {
        return makeError(ErrorCode::UsageUnknown, {{"what", "The list of --stop \"" + text + "\""},
                                                   {"help", arguments.help()}});
    }
    return stops;
}

}  // namespace

std::vector<OptionSpec> samplingOptions(const jobs::SamplingParams& usual) {
    return {{"max-tokens", "N",
             "tokens to generate at most (default " + std::to_string(usual.maxTokens) + ")"},
            {"temperature", "T", "0: always the likeliest token (default)"},
            {"top-k", "K", "draw from the K likeliest only (default 0: off)"},
            {"top-p", "P", "draw from the likeliest that make up P (default 1: off)"},
            {"min-p", "P", "draw from those with P of the likeliest's probability (default 0: off)"},
            {"repetition-penalty", "R", "above 1: what occurred becomes less likely (default 1: off)"},
            {"beams", "B", "beam search over B texts (default " + std::to_string(usual.beams) + ")"},
            {"length-penalty", "L", "beam search: score / length^L (default 1)"},
            {"stop", "TEXT", "end before this text; a JSON list for several"},
            {"kv-cache", "F", "keep keys, values in fp32, fp16, int8 or int4 (default: as the recipe)"},
            {"seed", "N", "of the draw (default 0)"}};
}

Result<jobs::SamplingParams> samplingOf(const Arguments& arguments, jobs::SamplingParams usual) {
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    auto& out = usual;
    PARETO_TRY(out.maxTokens, arguments.integer("max-tokens", out.maxTokens, 1, 1 << 20));
    PARETO_TRY(out.temperature, arguments.number("temperature", out.temperature, 0.0, 100.0));
    PARETO_TRY(const auto topK, arguments.integer("top-k", out.topK, 0, 1 << 20));
    PARETO_TRY(out.topP, arguments.number("top-p", out.topP, 0.0, 1.0));
    PARETO_TRY(out.minP, arguments.number("min-p", out.minP, 0.0, 1.0));
    PARETO_TRY(out.repetitionPenalty,
               arguments.number("repetition-penalty", out.repetitionPenalty, 0.01, 100.0));
    PARETO_TRY(const auto beams, arguments.integer("beams", out.beams, 1, 64));
    PARETO_TRY(out.lengthPenalty,
               arguments.number("length-penalty", out.lengthPenalty, -10.0, 10.0));
    PARETO_TRY(const auto seed, arguments.integer("seed", 0, 0, kMost));
    if (arguments.has("stop")) {
        PARETO_TRY(out.stopTexts, stopsOf(arguments));
    }
    out.kvCache = arguments.text("kv-cache", out.kvCache);
    if (!jobs::isCacheName(out.kvCache)) {
        return makeError(ErrorCode::UsageUnknown,
                         {{"what", "The format \"" + out.kvCache + "\" of --kv-cache"},
                          {"help", arguments.help()}});
    }
    out.topK = static_cast<int>(topK);
    out.beams = static_cast<int>(beams);
    out.seed = static_cast<std::uint64_t>(seed);
    return out;
}

}  // namespace pareto::cli
