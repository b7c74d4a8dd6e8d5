#include <charconv>
#include <filesystem>

#include "app/cli/command_list.h"
#include "app/cli/compute_options.h"
#include "app/cli/stored_run.h"
#include "engine/jobs/run/run_job.h"

namespace pareto::cli {

namespace {

namespace fs = std::filesystem;

std::vector<OptionSpec> trainingOptions() {
    return {{"text", "FILE", "plain text that a decoder learns (instead of --task)"},
            {"split", "NAME", "of the task's data to learn from (train)"},
            {"validation", "NAME", "split that decides which weights are kept (validation)"},
            {"rows", "N", "learn from N rows drawn with the seed (all)"},
            {"epochs", "N", "passes over the rows (3)"},
            {"steps", "N", "of the optimizer, instead of --epochs"},
            {"batch-size", "N", "rows a step (32)"},
            {"accumulate", "N", "batches whose gradients make one step (1)"},
            {"learning-rate", "X", "at its highest (5e-5)"},
            {"schedule", "S", "constant, linear or cosine (linear)"},
            {"warmup", "X", "share of the steps in which the learning rate rises (0.1)"},
            {"weight-decay", "X", "AdamW's (0.01)"},
            {"dropout", "X", "share that is dropped (0.1; decoders: none)"},
            {"patience", "N", "end after N validations without a better one (never)"},
            {"learns", "PART", "all, biases, norms or biases-norms (all)"},
            {"adapters", "RANK", "learn low-rank adapters (LoRA) beside the weights, added to them in the end"},
            {"fresh", "", "draw all weights anew first: a student with the recipe's shape alone"},
            {"prune-begin", "X", "share of the steps behind which a recipe's method that prunes while training begins (0.1)"},
            {"prune-end", "X", "share behind which it has come to its ratio (0.7)"},
            {"qat", "", "train with weights and inputs rounded as the recipe will"},
            {"bf16", "", "products of linears in bf16"}};
}

std::vector<OptionSpec> teachingOptions() {
    return {{"teacher", "MODEL", "another model (the untouched one)"},
            {"labels-weight", "X", "of the task's own loss; 0: no labels are looked at (1)"},
            {"temperature", "X", "of the outputs (2)"},
            {"logits", "X", "weight of the outputs' term (1)"},
            {"hidden", "X", "weight of the hidden states' term (0)"},
            {"attention", "X", "weight of the attention maps' term (0)"},
            {"relations", "X", "weight of the term of query, key and value relations (0)"},
            {"sequences", "N", "learn N texts that the teacher writes (none)"},
            {"pairs", "S:T,…", "student and teacher blocks that are paired, from 0 (spread evenly)"}};
}

/// Reads a number where the option is there.
Status take(const Arguments& arguments, const char* option, double most, Json& out, const char* key) {
    if (arguments.has(option)) {
        PARETO_TRY(const double value, arguments.number(option, 0.0, 0.0, most));
        out[key] = value;
    }
    return Done{};
}

Status takeWhole(const Arguments& arguments, const char* option, Json& out, const char* key) {
    if (arguments.has(option)) {
        PARETO_TRY(const auto value, arguments.integer(option, 0, 1, std::int64_t{1} << 40));
        out[key] = value;
    }
    return Done{};
}

Result<Json> pairsOf(const std::string& text) {
    Json out = Json::array();
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find(',', begin), text.size());
        const auto pair = text.substr(begin, end - begin);
        int student = -1;
        int teacher = -1;
        const auto first = std::from_chars(pair.data(), pair.data() + pair.size(), student);
        const char* rest = first.ptr < pair.data() + pair.size() ? first.ptr + 1 : first.ptr;
        const auto second = std::from_chars(rest, pair.data() + pair.size(), teacher);
        if (first.ec != std::errc{} || *first.ptr != ':' || second.ec != std::errc{}) {
            return makeError(ErrorCode::UsageUnknown,
                             {{"what", "The pair '" + pair + "' of --pairs"}, {"help", "pareto distil --help"}});
        }
        out.push_back({student, teacher});
        begin = end + 1;
    }
    return out;
}

Result<Json> distilOf(const Arguments& arguments) {
    constexpr double kMost = 1e6;
    Json out = Json::object();
    if (arguments.has("teacher")) {
        out["teacher"] = fs::absolute(arguments.text("teacher")).lexically_normal().string();
    }
    PARETO_CHECK(take(arguments, "temperature", kMost, out, "temperature"));
    PARETO_CHECK(take(arguments, "logits", kMost, out, "logits"));
    PARETO_CHECK(take(arguments, "hidden", kMost, out, "hidden"));
    PARETO_CHECK(take(arguments, "attention", kMost, out, "attention"));
    PARETO_CHECK(take(arguments, "relations", kMost, out, "relations"));
    if (arguments.has("sequences")) {
        PARETO_CHECK(takeWhole(arguments, "sequences", out["sequences"], "count"));
    }
    if (arguments.has("pairs")) {
        PARETO_TRY(out["blocks"], pairsOf(arguments.text("pairs")));
    }
    return out;
}

/// The recovery step that the options describe.
Result<RecoverSpec> stepOf(const Arguments& arguments, bool distils) {
    constexpr double kMost = 1e6;
    Json out{{"method", "train"}};
    if (arguments.has("text")) {
        out["source"] = fs::absolute(arguments.text("text")).lexically_normal().string();
    } else {
        PARETO_TRY(const auto task, taskOf(arguments));
        out["source"] = taskToJson(task);
        if (arguments.has("max-length")) {
            out["max_length"] = task.maxLength;
        }
    }
    for (const auto* name : {"split", "validation", "schedule"}) {
        if (arguments.has(name)) {
            out[name] = arguments.text(name);
        }
    }
    PARETO_CHECK(takeWhole(arguments, "rows", out, "limit"));
    PARETO_CHECK(takeWhole(arguments, "epochs", out, "epochs"));
    PARETO_CHECK(takeWhole(arguments, "steps", out, "steps"));
    PARETO_CHECK(takeWhole(arguments, "batch-size", out, "batch"));
    PARETO_CHECK(takeWhole(arguments, "accumulate", out, "accumulate"));
    PARETO_CHECK(takeWhole(arguments, "patience", out, "patience"));
    PARETO_CHECK(take(arguments, "learning-rate", 10.0, out, "learning_rate"));
    PARETO_CHECK(take(arguments, "warmup", 1.0, out, "warmup"));
    PARETO_CHECK(take(arguments, "weight-decay", 10.0, out, "weight_decay"));
    PARETO_CHECK(take(arguments, "dropout", 0.95, out, "dropout"));
    if (arguments.has("learns")) {
        out["learns"] = arguments.text("learns");
    }
    if (arguments.has("adapters")) {
        PARETO_CHECK(takeWhole(arguments, "adapters", out["adapters"], "rank"));
    }
    if (arguments.has("prune-begin") || arguments.has("prune-end")) {
        PARETO_CHECK(take(arguments, "prune-begin", 1.0, out["sparsify"], "begin"));
        PARETO_CHECK(take(arguments, "prune-end", 1.0, out["sparsify"], "end"));
    }
    out["fresh"] = arguments.has("fresh");
    out["quantize_aware"] = arguments.has("qat");
    out["bf16"] = arguments.has("bf16");
    if (distils) {
        PARETO_CHECK(take(arguments, "labels-weight", kMost, out, "labels"));
        PARETO_TRY(out["distil"], distilOf(arguments));
    }
    return recoverFromJson(out, "recover");
}

/// Rows that nothing was learned from: the split that the task names, unless that is what was learned.
bool measures(const Task& task, const RecoverSpec& step) {
    return !task.split.empty() && task.split != step.split && task.split != step.validation;
}

Result<Output> teach(const Arguments& arguments, Context& context, bool distils) {
    jobs::RunParams params;
    params.model = fs::absolute(arguments.positional()[0]).lexically_normal().string();
    params.name = arguments.text("name");
    params.timing = false;
    PARETO_TRY(params.recipe, recipeOf(arguments));
    PARETO_TRY(params.target, deviceOf(arguments));
    PARETO_CHECK(takeRanks(arguments, params));
    PARETO_TRY(auto step, stepOf(arguments, distils));
    PARETO_TRY(const auto seed, arguments.integer("seed", 0, 0, INT64_MAX));
    params.recipe.seed = static_cast<std::uint64_t>(seed);
    params.seed = params.recipe.seed;
    if (arguments.has("task")) {
        PARETO_TRY(auto task, taskOf(arguments));
        if (measures(task, step)) {
            params.task = std::move(task);
        }
    }
    params.recipe.recover.push_back(std::move(step));
    if (arguments.has("out")) {
        params.exportTo = fs::absolute(arguments.text("out")).string();
    }
    params.exportFormat = arguments.text("format", params.exportFormat);
    std::error_code ignored;
    if (!fs::exists(params.model, ignored)) {
        return makeError(ErrorCode::FileMissing, {{"file", params.model}});
    }
    PARETO_CHECK(jobs::checkRun(params));
    return runAndStore(params, context);
}

Result<Output> train(const Arguments& arguments, Context& context) { return teach(arguments, context, false); }
Result<Output> distil(const Arguments& arguments, Context& context) { return teach(arguments, context, true); }

std::vector<OptionSpec> commonOptions() {
    return joined({{recipeOption()},
                   taskOptions(),
                   trainingOptions(),
                   deviceOptions(),
                   {ranksOption(), hostsOption()},
                   {{"seed", "N", "of everything that is drawn (0)"},
                    {"name", "NAME", "of the run (default: made from the recipe)"},
                    {"out", "DIR", "write the trained model to this folder"},
                    exportFormatOption()}});
}

}  // namespace

const Command kTrainCommand{"train", "MODEL",
                            "Train a model on a task's training rows (a new head where it needs one), behind the "
                            "pruning of --recipe",
                            commonOptions(), 1, 1, train};
const Command kDistilCommand{"distil", "MODEL",
                             "The same with a teacher: the untouched model, or another one",
                             joined({commonOptions(), teachingOptions()}), 1, 1, distil};

}  // namespace pareto::cli
