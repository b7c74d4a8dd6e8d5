#include <algorithm>
#include <iterator>

#include "app/cli/command_list.h"
#include "app/cli/run_ids.h"
#include "app/cli/run_tables.h"
#include "engine/core/file.h"

namespace pareto::cli {
namespace {

/// Every stored run; without a store at the default place there are none yet.
Result<std::vector<store::RunSummary>> allRuns(const Arguments& arguments, const Context& context) {
    std::vector<store::RunSummary> runs;
    auto store = context.openStoreReadOnly();
    if (!store.ok() && !store.cancelled() && store.error().code == ErrorCode::FileMissing &&
        context.database == store::Store::defaultPath()) {
        return runs;
    }
    PARETO_TRY(const auto opened, std::move(store));
    if (opened->newer()) {
        context.note("A newer Pareto Studio wrote " + context.database +
                     ": runs may hold more than is shown.");
    }
    store::RunFilter filter;
    filter.includeDeleted = arguments.has("deleted");
    while (true) {
        PARETO_TRY(auto page, opened->runs(filter));
        const bool last = static_cast<int>(page.size()) < filter.limit;
        runs.insert(runs.end(), std::make_move_iterator(page.begin()),
                    std::make_move_iterator(page.end()));
        if (last) {
            return runs;
        }
        filter.afterId = runs.back().id;
    }
}

Result<Output> list(const Arguments& arguments, Context& context) {
    PARETO_TRY(const auto runs, allRuns(arguments, context));
    Json json = Json::array();
    for (const auto& run : runs) {
        json.push_back(summaryToJson(run));
    }
    return Output{{{"runs", std::move(json)}}, summaryTable(runs)};
}

Result<Output> show(const Arguments& arguments, Context& context) {
    PARETO_TRY(const auto ids, runIds(arguments, 1));
    PARETO_TRY(const auto store, context.openStoreReadOnly());
    Json runs = Json::array();
    std::string text;
    for (const auto id : ids) {
        PARETO_TRY(const RunRecord run, store->run(id));
        runs.push_back(runRecordToJson(run));
        text += (text.empty() ? "" : "\n") + runText(run);
    }
    return Output{ids.size() == 1 ? runs[0] : Json{{"runs", runs}}, text};
}

Result<Output> hide(const Arguments& arguments, Context& context) {
    PARETO_TRY(const auto ids, runIds(arguments, 1));
    PARETO_TRY(const auto store, context.openStore());
    const bool restore = arguments.has("restore");
    PARETO_CHECK(store->setDeleted(ids, !restore));
    const std::string verb = restore ? "restored" : "deleted";
    return Output{{{verb, ids}}, std::to_string(ids.size()) + (ids.size() == 1 ? " run " : " runs ") +
                                     verb + (restore ? "" : " (--restore brings them back)")};
}

Result<Output> exportRuns(const Arguments& arguments, Context& context) {
    const std::string format = arguments.text("format", "json");
    if (format != "json" && format != "csv") {
        return makeError(ErrorCode::UsageUnknown,
                         {{"what", "The format " + format + " (known: json, csv)"},
                          {"help", arguments.help()}});
    }
    PARETO_TRY(auto runs, allRuns(arguments, context));
    if (arguments.positional().size() > 1) {
        PARETO_TRY(const auto ids, runIds(arguments, 1));
        std::erase_if(runs, [&](const store::RunSummary& run) {
            return std::find(ids.begin(), ids.end(), run.id) == ids.end();
        });
    }
    std::string content;
    if (format == "csv") {
        content = summaryCsv(runs);
    } else {
        PARETO_TRY(const auto store, context.openStoreReadOnly());
        Json whole = Json::array();
        for (const auto& summary : runs) {
            if (context.stop.stop_requested()) {
                return Cancelled{};
            }
            PARETO_TRY(const RunRecord run, store->run(summary.id));
            whole.push_back(runRecordToJson(run));
        }
        content = compactJson({{"version", 1}, {"runs", std::move(whole)}}) + "\n";
    }
    if (!arguments.has("out")) {
        return Output{format == "csv" ? Json{{"csv", content}} : Json::parse(content), content};
    }
    const std::string path = arguments.text("out");
    PARETO_CHECK(writeFileAtomically(path, content));
    return Output{{{"path", path}, {"format", format}, {"runs", runs.size()}},
                  std::to_string(runs.size()) + " runs written to " + path};
}

Result<Output> runs(const Arguments& arguments, Context& context) {
    const std::string& action = arguments.positional()[0];
    if (action == "list") {
        return list(arguments, context);
    }
    if (action == "show") {
        return show(arguments, context);
    }
    if (action == "delete") {
        return hide(arguments, context);
    }
    if (action == "export") {
        return exportRuns(arguments, context);
    }
    return makeError(ErrorCode::UsageUnknown,
                     {{"what", "The action " + action + " (known: list, show, delete, export)"},
                      {"help", arguments.help()}});
}

}  // namespace

const Command kRunsCommand{"runs",
                           "list | show RUN… | delete RUN… | export [RUN…]",
                           "List, show, delete and export stored runs",
                           {{"deleted", "", "list and export: deleted runs as well"},
                            {"restore", "", "delete: bring the runs back instead"},
                            {"format", "F", "export: json (everything) or csv (one line a run)"},
                            {"out", "FILE", "export: write to a file"}},
                           1,
                           -1,
                           runs};

}  // namespace pareto::cli
