#include "app/studio/panes/run_columns_of.h"

namespace pareto::studio {

namespace {

widgets::RunRow rowOf(const store::RunSummary& run) {
    widgets::RunRow row;
    row.id = run.id;
    row.name = QString::fromStdString(run.name);
    row.note = QString::fromStdString(run.note);
    row.status = run.status;
    row.startedAt = run.startedAt;
    row.modelName = QString::fromStdString(run.modelName);
    row.modelHash = QString::fromStdString(run.modelHash);
    row.recipe = QString::fromStdString(run.recipeSummary);
    row.recipeHash = QString::fromStdString(run.recipeHash);
    row.taskName = QString::fromStdString(run.taskName);
    row.taskKey = QString::fromStdString(run.taskKey);
    row.target = QString::fromStdString(run.targetText);
    row.targetKey = QString::fromStdString(run.targetKey);
    row.headlineKey = QString::fromStdString(run.headlineKey);
    row.baseline = run.baseline;
    row.pinned = run.pinned;
    row.deleted = run.deleted;
    row.disturbed = run.disturbed;
    row.figures = run.figures;
    return row;
}

}  // namespace

widgets::RunColumnsPtr runColumnsOf(const RunFramePtr& frame) {
    // Remembers the last frame only; both are immutable, so sharing them is safe.
    static std::weak_ptr<const RunFrame> lastFrame;
    static std::weak_ptr<const widgets::RunColumns> lastColumns;
    if (const auto columns = lastColumns.lock(); columns && lastFrame.lock() == frame) {
        return columns;
    }
    auto columns = std::make_shared<widgets::RunColumns>();
    columns->reserve(frame->rows().size());
    for (const auto& run : frame->rows()) {
        columns->append(rowOf(run));
    }
    columns->finish();
    lastFrame = frame;
    lastColumns = columns;
    return columns;
}

}  // namespace pareto::studio
