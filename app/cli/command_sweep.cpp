#include <charconv>
#include <filesystem>
#include <map>
#include <set>

#include "app/cli/command_list.h"
#include "app/cli/compute_options.h"
#include "app/cli/text_table.h"
#include "engine/jobs/run/run_job.h"
#include "engine/jobs/run/slurm.h"
#include "engine/jobs/run/sweep_run.h"
#include "engine/records/metrics.h"

namespace pareto::cli {

namespace {

namespace fs = std::filesystem;
using jobs::Sweep;

Error unknown(const std::string& what, const Arguments& arguments) {
    return makeError(ErrorCode::UsageUnknown, {{"what", what}, {"help", arguments.help()}});
}

/// What a text of --vary says: JSON, or else the text itself.
Json valueOf(const std::string& text) {
    auto json = parseJson(text, "--vary");
    return json.ok() ? std::move(json.value()) : Json(text);
}

/// "defaults.prune.ratio=0.1,0.3;defaults.quantize.weights=int8,int4": fields and their values.
Result<std::vector<jobs::VariedField>> fieldsOf(const Arguments& arguments) {
    std::vector<jobs::VariedField> out;
    const auto text = arguments.text("vary");
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find(';', begin), text.size());
        const auto part = text.substr(begin, end - begin);
        const auto equals = part.find('=');
        if (equals == 0 || equals == std::string::npos || equals + 1 == part.size()) {
            return unknown("The part '" + part + "' of --vary (defaults.prune.ratio=0.1,0.3)", arguments);
        }
        jobs::VariedField field{"/" + part.substr(0, equals), {}};
        for (auto& letter : field.pointer) {
            letter = letter == '.' ? '/' : letter;
        }
        const auto values = part.substr(equals + 1);
        for (std::size_t from = 0; from <= values.size();) {
            const auto to = std::min(values.find(',', from), values.size());
            field.values.push_back(valueOf(values.substr(from, to - from)));
            from = to + 1;
        }
        out.push_back(std::move(field));
        begin = end + 1;
    }
    return out;
}

/// A recipe that --vary may still have to complete: a file, or inline JSON.
Result<Json> baseOf(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    return first != std::string::npos && text[first] == '{' ? parseJson(text, "recipe") : readJsonFile(text);
}

Result<std::vector<Recipe>> recipesOf(const Arguments& arguments) {
    std::vector<Json> bases;
    if (arguments.has("recipes")) {
        std::vector<std::string> files;
        std::error_code problem;
        for (fs::directory_iterator it(arguments.text("recipes"), problem), end; !problem && it != end; it.increment(problem)) {
            if (it->path().extension() == ".json") {
                files.push_back(it->path().string());
            }
        }
        if (files.empty()) {
            return makeError(ErrorCode::FileMissing, {{"file", arguments.text("recipes") + "/*.json"}});
        }
        std::sort(files.begin(), files.end());
        for (const auto& file : files) {
            PARETO_TRY(auto recipe, readJsonFile(file));
            bases.push_back(std::move(recipe));
        }
    } else {
        PARETO_TRY(auto recipe, arguments.has("recipe") ? baseOf(arguments.text("recipe")) : Result<Json>(Json{{"version", 1}}));
        bases.push_back(std::move(recipe));
    }
    PARETO_TRY(const auto fields, fieldsOf(arguments));
    std::vector<Recipe> out;
    if (arguments.has("baseline")) {
        out.emplace_back();
    }
    for (const auto& base : bases) {
        PARETO_TRY(auto varied, jobs::variedRecipes(base, fields));
        std::move(varied.begin(), varied.end(), std::back_inserter(out));
    }
    return out;
}

Result<Output> make(const Arguments& arguments) {
    if (arguments.positional().size() != 3) {
        return makeError(ErrorCode::UsageMissing, {{"what", "The model behind the folder"}, {"help", arguments.help()}});
    }
    jobs::RunParams params;
    params.model = fs::absolute(arguments.positional()[2]).lexically_normal().string();
    std::error_code ignored;
    if (!fs::exists(params.model, ignored)) {
        return makeError(ErrorCode::FileMissing, {{"file", params.model}});
    }
    params.timing = !arguments.has("no-timing");
    PARETO_TRY(params.target, targetOf(arguments));
    PARETO_CHECK(takeTiming(arguments, params));
    if (arguments.has("task")) {
        PARETO_TRY(params.task, taskOf(arguments));
    }
    PARETO_TRY(const auto recipes, recipesOf(arguments));
    PARETO_TRY(const auto seeds, arguments.integer("seeds", 1, 1, 10000));
    std::vector<jobs::RunParams> runs;
    for (const auto& recipe : recipes) {
        for (std::int64_t i = 0; i < seeds; ++i) {
            auto run = params;
            run.recipe = recipe;
            run.seed += static_cast<std::uint64_t>(i);
            run.recipe.seed = run.seed;
            runs.push_back(std::move(run));
        }
    }
    const auto folder = fs::absolute(arguments.positional()[1]).lexically_normal();
    PARETO_CHECK(Sweep::create(folder.string(), folder.filename().string(), runs));
    return Output{{{"folder", folder.string()}, {"runs", runs.size()}},
                  std::to_string(runs.size()) + " runs in " + folder.string() + "; begin with: pareto sweep run " + folder.string()};
}

/// Whether a finished run was not in the store yet, and has come into it.
Result<bool> taken(const Sweep& sweep, std::size_t run, const RunRecord& record, store::Store& store) {
    if (record.status != RunStatus::Finished) {
        return false;
    }
    PARETO_TRY(const auto id, store.importRun(record, "sweep " + sweep.id(), static_cast<std::int64_t>(run)));
    return id.has_value();
}

/// What is done and not in the store yet comes into it, each once.
Result<std::size_t> gathered(const Sweep& sweep, store::Store& store) {
    std::size_t count = 0;
    for (std::size_t run = 0; run < sweep.runs().size(); ++run) {
        PARETO_TRY(const auto record, sweep.outcomeOf(run));
        if (record) {
            PARETO_TRY(const bool came, taken(sweep, run, *record, store));
            count += came ? 1 : 0;
        }
    }
    return count;
}

std::string numberOf(std::size_t run) { return std::to_string(run); }

Result<Output> status(const Sweep& sweep, Context& context) {
    std::map<std::string, std::size_t> counts;
    TextTable table({{"run", Align::Right}, {"state"}, {"recipe"}, {"result"}});
    Json rows = Json::array();
    for (std::size_t run = 0; run < sweep.runs().size(); ++run) {
        const auto outcome = sweep.outcomeOf(run);
        const auto state = std::string(Sweep::nameOf(sweep.stateOf(run, outcome)));
        ++counts[state];
        Json row{{"run", run}, {"state", state}};
        std::string result;
        if (!outcome.ok()) {
            result = errorMessage(outcome.error());
        } else if (outcome.value() && outcome.value()->status == RunStatus::Finished) {
            if (const auto* figure = outcome.value()->find(outcome.value()->headlineKey)) {
                result = formatMetric(figure->key, figure->value);
                row[figure->key] = figure->value;
            }
            if (const auto* latency = outcome.value()->find("latency_p50_ms")) {
                result += (result.empty() ? "" : " · ") + formatMetric(latency->key, latency->value);
            }
        } else if (outcome.value()) {
            result = errorMessage(outcome.value()->error);
            row["error"] = errorToJson(outcome.value()->error);
        }
        const auto recipe = recipeSummary(sweep.runs()[run].recipe);
        table.add({numberOf(run), state, recipe, result});
        rows.push_back(std::move(row));
    }
    Json json{{"name", sweep.name()}, {"counts", counts}, {"runs", std::move(rows)}};
    std::string text = table.text();
    for (const auto& [state, count] : counts) {
        text += std::to_string(count) + " " + state + "  ";
    }
    const auto slurm = jobs::statesInSlurm(sweep, context.stop);
    if (slurm.ok()) {
        json["slurm"] = slurm.value();
        for (const auto& [state, count] : slurm.value()) {
            text += "\nSlurm: " + std::to_string(count) + " " + state;
        }
    } else if (!slurm.cancelled()) {
        // Outcomes are known all the same.
        json["slurm"] = {{"error", errorToJson(slurm.error())}};
        text += "\n" + errorMessage(slurm.error());
    }
    return Output{std::move(json), text};
}

/// What Slurm says alone: no outcome is read.
Result<Output> queue(const Sweep& sweep, Context& context) {
    PARETO_TRY(const auto states, jobs::statesInSlurm(sweep, context.stop));
    std::string text;
    for (const auto& [state, count] : states) {
        text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + state;
    }
    return Output{{{"slurm", states}}, text.empty() ? "Slurm has none of its runs" : text};
}

Result<Output> runHere(const Sweep& sweep, const Arguments& arguments, Context& context) {
    PARETO_CHECK(takeHosts(arguments));
    PARETO_TRY(const auto workers, arguments.integer("workers", 1, arguments.has("hosts") ? 0 : 1, jobs::kMostRanks));
    PARETO_CHECK(jobs::mayGoOn(sweep));
    PARETO_TRY(const auto store, context.openStore());
    const auto total = sweep.runs().size();
    std::set<std::size_t> done;
    Status stored = Done{};
    jobs::SweepListener listener;
    listener.begun = [&](std::size_t run) {
        context.note("Run " + numberOf(run) + ": " + recipeSummary(sweep.runs()[run].recipe));
    };
    listener.finished = [&](std::size_t run, const RunRecord& record) {
        done.insert(run);
        const auto* figure = record.find(record.headlineKey);
        const auto what = record.status != RunStatus::Finished ? "failed: " + errorMessage(record.error)
                          : figure != nullptr                  ? formatMetric(figure->key, figure->value)
                                                               : std::string("finished");
        context.note("Run " + numberOf(run) + " " + what + " (" + std::to_string(done.size()) + " of " + std::to_string(total) + ")");
        if (stored.ok()) {
            const auto came = taken(sweep, run, record, *store);
            stored = came.ok() ? Status(Done{}) : came.failure<Done>();
        }
    };
    listener.died = [&](std::size_t run, const std::string& how) {
        context.note("The process of run " + numberOf(run) + " " + how + "; it is begun again");
    };
    listener.lost = [&](const std::string& host, const std::string& how) {
        context.note("The host " + host + " is not asked any more: pareto there " + how + "; its runs go to the others");
    };
    PARETO_CHECK(jobs::runSweep(sweep, static_cast<int>(workers), listener, context.stop));
    PARETO_CHECK(stored);
    return status(sweep, context);
}

Result<Output> item(const Sweep& sweep, const Arguments& arguments, Context& context) {
    if (arguments.positional().size() != 3) {
        return makeError(ErrorCode::UsageMissing, {{"what", "The number of a run"}, {"help", arguments.help()}});
    }
    const auto& word = arguments.positional()[2];
    std::size_t run = 0;
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), run);
    if (parsed.ec != std::errc{} || parsed.ptr != word.data() + word.size()) {
        return unknown("The run " + word + " (a number from 0)", arguments);
    }
    jobs::ModelCache cache;
    PARETO_TRY(const auto record, jobs::runSweepItem(cache, sweep, run, context.progress, context.stop));
    if (record && record->status != RunStatus::Finished) {
        return record->error;
    }
    const std::string state = record ? "finished" : "somebody else's";
    return Output{{{"run", run}, {"state", state}}, "Run " + word + ": " + state};
}

Result<Output> submit(const Sweep& sweep, const Arguments& arguments, Context& context) {
    jobs::SlurmOptions options;
    PARETO_TRY(const auto atOnce, arguments.integer("at-once", 0, 0, 1000000));
    options.atOnce = static_cast<int>(atOnce);
    const auto more = arguments.text("sbatch");
    for (std::size_t begin = 0; begin < more.size();) {
        const auto end = std::min(more.find(' ', begin), more.size());
        if (end > begin) {
            options.more.push_back(more.substr(begin, end - begin));
        }
        begin = end + 1;
    }
    PARETO_CHECK(jobs::mayGoOn(sweep));
    PARETO_TRY(const auto job, jobs::submitToSlurm(sweep, options, context.stop));
    return Output{{{"job", job}}, job.empty() ? "Nothing waits: no job was submitted" : "Submitted as job " + job};
}

Result<Output> gather(const Sweep& sweep, Context& context) {
    PARETO_TRY(const auto store, context.openStore());
    PARETO_TRY(const auto count, gathered(sweep, *store));
    return Output{{{"gathered", count}}, std::to_string(count) + " runs came into " + store->path()};
}

Result<Output> again(const Sweep& sweep) {
    std::size_t count = 0;
    for (std::size_t run = 0; run < sweep.runs().size(); ++run) {
        if (sweep.stateOf(run) == Sweep::State::Failed) {
            PARETO_CHECK(sweep.retry(run));
            ++count;
        }
    }
    return Output{{{"waiting", count}}, std::to_string(count) + " failed runs wait again"};
}

Result<Output> cancel(const Sweep& sweep, Context& context) {
    PARETO_CHECK(jobs::askToEnd(sweep));
    PARETO_CHECK(jobs::cancelInSlurm(sweep, context.stop));
    return Output{{{"cancelled", true}}, "Whoever works on it ends; 'run' and 'slurm' go on"};
}

Result<Output> sweepCommand(const Arguments& arguments, Context& context) {
    const auto& what = arguments.positional()[0];
    if (what == "new") {
        return make(arguments);
    }
    PARETO_TRY(const auto sweep, Sweep::open(arguments.positional()[1]));
    if (what == "run") {
        return runHere(sweep, arguments, context);
    }
    if (what == "item") {
        return item(sweep, arguments, context);
    }
    if (what == "slurm") {
        return submit(sweep, arguments, context);
    }
    if (what == "status") {
        return arguments.has("queue") ? queue(sweep, context) : status(sweep, context);
    }
    if (what == "gather") {
        return gather(sweep, context);
    }
    if (what == "retry") {
        return again(sweep);
    }
    if (what == "cancel") {
        return cancel(sweep, context);
    }
    return unknown("'" + what + "' (new, run, item, slurm, status, gather, retry, cancel)", arguments);
}

}  // namespace

const Command kSweepCommand{
    "sweep",
    "new|run|slurm|status|gather|retry|cancel DIR [MODEL]",
    "Many runs as a folder: here with several processes, or as a job array of Slurm; none is lost or done twice",
    joined({{recipeOption(),
             {"recipes", "DIR", "new: every recipe (*.json) of a folder, instead of --recipe"},
             {"vary", "F", "new: fields of the recipe and their values, all combinations: "
                           "\"defaults.prune.ratio=0.1,0.3;defaults.quantize.weights=int8,int4\""},
             {"baseline", "", "new: the untouched model too"},
             {"seeds", "N", "new: each recipe with N seeds (1)"}},
            taskOptions(),
            targetOptions(),
            timingOptions(),
            {{"no-timing", "", "new: do not measure latency and memory"},
             {"workers", "N", "run: processes of this machine (1; times are measured by one at a time, and say when others disturbed them)"},
             {"hosts", "A,B", "run: a worker on each of these machines too, over ssh (host or host:/path/of/pareto); models lie "
                              "there under the same paths. With --workers 0 on them alone"},
             {"queue", "", "status: only how many runs Slurm has, by state"},
             {"at-once", "N", "slurm: runs at a time (as Slurm likes)"},
             {"sbatch", "ARGS", "slurm: further options of sbatch"}}}),
    2, 3, sweepCommand};

}  // namespace pareto::cli
