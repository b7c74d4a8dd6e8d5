#include "app/studio/plot_command.h"

#include <algorithm>
#include <cstdio>

#include "app/studio/panes/run_columns_of.h"
#include "app/studio/run_frame.h"
#include "app/studio/texts.h"
#include "widgets/plots/pareto_plot.h"

namespace pareto::studio {
namespace {

int fail(const QString& reason, int code) {
    std::fprintf(stderr, "pareto-studio: %s\n", qPrintable(reason));
    return code;
}

/// The comparable set of the newest run that was finished.
ComparableSet newestSet(const RunFrame& frame) {
    const auto& rows = frame.rows();
    const auto newest = std::find_if(rows.rbegin(), rows.rend(), [](const auto& run) {
        return run.status == RunStatus::Finished && !run.deleted && !run.taskKey.empty();
    });
    if (newest == rows.rend()) {
        return {};
    }
    return comparableRuns(frame, {newest->taskKey, newest->targetKey});
}

}  // namespace

int runPlotCommand(const PlotCommand& command) {
    const auto path =
        command.database.isEmpty() ? store::Store::defaultPath() : command.database.toStdString();
    auto store = store::Store::openReadOnly(path);
    if (!store.ok()) {
        return fail(text(store.error()), static_cast<int>(errorKind(store.error().code)));
    }
    std::vector<store::RunSummary> all;
    store::RunFilter filter;
    for (;;) {
        auto page = store.value()->runs(filter);
        if (!page.ok()) {
            return fail(text(page.error()), static_cast<int>(errorKind(page.error().code)));
        }
        if (page->empty()) {
            break;
        }
        filter.afterId = page->back().id;
        std::move(page->begin(), page->end(), std::back_inserter(all));
    }
    const auto frame = std::make_shared<const RunFrame>(std::move(all));
    const auto set = newestSet(*frame);
    if (set.comparable.empty()) {
        return fail(
            QStringLiteral("there is no finished run with a task in %1").arg(fromUtf8(path)), 4);
    }
    const auto columns = runColumnsOf(frame);
    std::vector<int> rows;
    for (const auto id : set.comparable) {
        rows.push_back(columns->rowOf(id));
    }
    widgets::ParetoRenderOptions options;
    const auto& headline = frame->find(set.comparable.back())->headlineKey;
    if (!headline.empty()) {
        options.axes.y = fromUtf8(headline);
    }
    options.baseline = baselineOf(*frame, set, frame->find(set.comparable.back())->modelHash);
    options.dark = command.dark;
    QString problem;
    if (!widgets::renderParetoPlot(columns, rows, options, command.output, &problem)) {
        return fail(problem, 1);
    }
    const auto& last = *frame->find(set.comparable.back());
    std::fprintf(stderr,
                 "pareto-studio: %zu runs drawn (%s, %s), %zu left out as not comparable\n",
                 set.comparable.size(), last.taskName.c_str(), last.targetText.c_str(),
                 set.hidden.size());
    return 0;
}

}  // namespace pareto::studio
