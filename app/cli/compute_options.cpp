#include "app/cli/compute_options.h"

#include <limits>
#include <sstream>

#include "engine/core/file.h"
#include "engine/jobs/run/rank_group.h"

namespace pareto::cli {

namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

/// Puts the options that were given into the target's JSON, so that one parser checks them all.
Result<Target> overridden(const Arguments& arguments, const Target& base,
                          std::initializer_list<std::pair<const char*, const char*>> numbers) {
    auto json = targetToJson(base);
    if (arguments.has("device")) {
        json["device"] = arguments.text("device");
    }
    for (const auto& [option, key] : numbers) {
        if (arguments.has(option)) {
            PARETO_TRY(json[key], arguments.integer(option, 0, 0, kMost));
        }
    }
    return targetFromJson(json);
}

}  // namespace

std::vector<OptionSpec> joined(std::vector<std::vector<OptionSpec>> parts) {
    std::vector<OptionSpec> all;
    for (auto& part : parts) {
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

std::vector<OptionSpec> deviceOptions() {
    return {{"device", "D", "cpu or cuda:N (default cpu)"},
            {"threads", "N", "threads that compute, of each process (default 0: every core it may use)"},
            {"tp", "T", "tensor parallel: processes that share each block's heads and neurons (default 1)"},
            {"pp", "P", "pipeline parallel: stages of blocks, of T processes each (default 1)"},
            {"replicas", "N", "data parallel, where times are measured: N processes with the whole model, a batch each, at the "
                              "same time (default 1)"}};
}

std::vector<OptionSpec> targetOptions() {
    return joined({{{"target", "T", "JSON, or \"cpu,threads=2,batch=1,seq=128\"; the options below win"}},
                   deviceOptions(),
                   {{"batch", "B", "items a pass (default 1)"},
                    {"seq", "S", "encoders: tokens an item (default 128)"},
                    {"prompt", "P", "text generation: tokens of the prompt (default 64)"},
                    {"generate", "G", "text generation: tokens generated (default 32)"}}});
}

Result<Target> targetOf(const Arguments& arguments) {
    Target base;
    if (arguments.has("target")) {
        PARETO_TRY(base, parseTarget(arguments.text("target")));
    }
    if (base.machine != Target{}.machine) {
        return makeError(ErrorCode::TargetInvalid,
                         {{"field", "machine"},
                          {"reason", "is \"" + base.machine + "\": this command measures where it is called. Call it there "
                                     "(ssh " + base.machine + " pareto …), or choose the machine in the studio"}});
    }
    return overridden(arguments, base,
                      {{"threads", "threads"},
                       {"tp", "tp"},
                       {"pp", "pp"},
                       {"replicas", "replicas"},
                       {"batch", "batch"},
                       {"seq", "sequence"},
                       {"prompt", "prompt"},
                       {"generate", "generate"}});
}

Result<Target> deviceOf(const Arguments& arguments) {
    return overridden(arguments, Target{}, {{"threads", "threads"}, {"tp", "tp"}, {"pp", "pp"}, {"replicas", "replicas"}});
}

std::vector<OptionSpec> timingOptions() {
    return {{"warmups", "N", "passes before timing (default 3)"},
            {"min-seconds", "S", "time for at least this long (default 3)"},
            {"min-iterations", "N", "and at least this many passes (default 20)"},
            {"max-iterations", "N", "but no more than this many (default 2000)"},
            {"no-paired", "", "do not re-time the untouched model in between (A-B-B-A)"},
            {"seed", "N", "of everything drawn at random (default 0)"}};
}

Status takeTiming(const Arguments& arguments, jobs::RunParams& params) {
    constexpr int kMostPasses = 10'000'000;
    PARETO_TRY(const auto warmups, arguments.integer("warmups", params.warmups, 0, kMostPasses));
    PARETO_TRY(params.minSeconds, arguments.number("min-seconds", params.minSeconds, 0.0, 86400.0));
    PARETO_TRY(const auto least,
               arguments.integer("min-iterations", params.minIterations, 1, kMostPasses));
    PARETO_TRY(const auto most,
               arguments.integer("max-iterations", params.maxIterations, 1, kMostPasses));
    PARETO_TRY(const auto seed, arguments.integer("seed", 0, 0, kMost));
    params.warmups = static_cast<int>(warmups);
    params.minIterations = static_cast<int>(least);
    params.maxIterations = static_cast<int>(most);
    params.seed = static_cast<std::uint64_t>(seed);
    params.pairedBaseline = !arguments.has("no-paired");
    return Done{};
}

std::vector<OptionSpec> taskOptions() {
    return {{"task", "T", "a built-in task, a file, or inline JSON"},
            {"limit", "N", "use this many rows (perplexity: windows) of the data"},
            {"max-length", "N", "cut texts to this many tokens"},
            {"window", "N", "perplexity: tokens a window"},
            {"protocol", "P", "perplexity: gptq, llama.cpp or strided"}};
}

Result<Task> taskOf(const Arguments& arguments) {
    PARETO_TRY(const auto text, arguments.required("task"));
    PARETO_TRY(const auto task, loadTask(text));
    auto json = taskToJson(task);
    for (const auto& [option, key] : {std::pair{"limit", "limit"},
                                      std::pair{"max-length", "max_length"},
                                      std::pair{"window", "window"}}) {
        if (arguments.has(option)) {
            PARETO_TRY(json[key], arguments.integer(option, 0, 0, kMost));
        }
    }
    if (arguments.has("protocol")) {
        json["protocol"] = arguments.text("protocol");
    }
    // `data` is absolute by now, so the folder that relative names stand in does not matter.
    return taskFromJson(json, "/");
}

OptionSpec exportFormatOption() {
    return {"format", "F",
            "hf: a Hugging Face folder (default); gguf: a file for llama.cpp, gguf:TYPE with weights "
            "of that type (f32, f16, bf16, q8_0, q6_k, q5_k, q5_1, q5_0, q4_k, q4_1, q4_0)"};
}

std::vector<OptionSpec> textOptions() {
    return {{"text", "TEXT", "a text"}, {"file", "FILE", "a text a line"}};
}

Result<std::vector<std::string>> textsOf(const Arguments& arguments) {
    std::vector<std::string> texts(arguments.positional().begin() + 1, arguments.positional().end());
    if (arguments.has("text")) {
        texts.push_back(arguments.text("text"));
    }
    if (arguments.has("file")) {
        PARETO_TRY(const auto content, readTextFile(arguments.text("file")));
        std::istringstream lines(content);
        for (std::string line; std::getline(lines, line);) {
            texts.push_back(line);
        }
    }
    if (texts.empty()) {
        return makeError(ErrorCode::UsageMissing, {{"what", "a text"}, {"help", arguments.help()}});
    }
    return texts;
}

OptionSpec ranksOption() {
    return {"ranks", "N", "processes that share every batch of training and the rows of tasks, each with its part of the cores (1)"};
}

Status takeRanks(const Arguments& arguments, jobs::RunParams& params) {
    PARETO_CHECK(takeHosts(arguments));
    PARETO_TRY(const auto ranks, arguments.integer("ranks", 1, 1, jobs::kMostRanks));
    params.ranks = static_cast<int>(ranks);
    return Done{};
}

OptionSpec hostsOption() {
    return {"hosts", "A,B", "start ranks on these machines too, over ssh (host or host:/path/of/pareto); models lie there under the "
                            "same paths"};
}

Status takeHosts(const Arguments& arguments) {
    return arguments.has("hosts") ? jobs::useHosts(arguments.text("hosts")) : Status(Done{});
}

OptionSpec partsOption() {
    return {"ranks", "N", "as many processes, each with its part of the cores: tp × pp where these are given, else --tp N"};
}

Status takeParts(const Arguments& arguments, Target& target) {
    PARETO_CHECK(takeHosts(arguments));
    PARETO_TRY(const auto ranks, arguments.integer("ranks", 0, 1, kMostParallel));
    if (!arguments.has("ranks") || ranks == target.processes()) {
        return Done{};
    }
    if (target.processes() > 1) {
        return makeError(ErrorCode::TargetInvalid,
                         {{"field", "ranks"}, {"reason", "is " + std::to_string(ranks) + ", but tp × pp is " +
                                                             std::to_string(target.processes())}});
    }
    target.tensorParallel = static_cast<int>(ranks);
    return Done{};
}

OptionSpec recipeOption() { return {"recipe", "R", "a recipe's file, or inline JSON"}; }

Result<Recipe> recipeOf(const Arguments& arguments) {
    if (!arguments.has("recipe")) {
        return Recipe{};
    }
    return loadRecipe(arguments.text("recipe"));
}

}  // namespace pareto::cli
