#include "app/studio/toolbar/task_chooser.h"

#include <array>

#include <QInputDialog>
#include <QMenu>

#include "app/studio/task_catalogue.h"
#include "app/studio/texts.h"
#include "app/studio/workspace.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

TaskChooser::TaskChooser(Workspace& workspace, TaskCatalogue& catalogue, QWidget* parent)
    : QToolButton(parent), m_workspace(workspace), m_catalogue(catalogue) {
    setObjectName(u"taskChooser"_s);
    setPopupMode(QToolButton::InstantPopup);
    setToolButtonStyle(Qt::ToolButtonTextOnly);
    setFocusPolicy(Qt::StrongFocus);
    m_menu = new QMenu(this);
    m_menu->setObjectName(u"taskMenu"_s);
    m_menu->setToolTipsVisible(true);
    setMenu(m_menu);
    connect(m_menu, &QMenu::aboutToShow, this, &TaskChooser::fillMenu);
    connect(&m_workspace, &Workspace::taskChanged, this, &TaskChooser::showTask);
    connect(&m_workspace, &Workspace::modelChanged, this, &TaskChooser::showTask);
    showTask();
    fillMenu();
}

void TaskChooser::showTask() {
    const auto& task = m_workspace.task();
    setText(task ? TaskCatalogue::titleOf(*task) : tr("none: latency only"));
    setAccessibleName(tr("Task: %1").arg(text()));
    setToolTip(task ? tr("Measured with the data of %1").arg(fromUtf8(task->data))
                    : tr("Without a task only latency and size are measured"));
}

/// Fewer rows make a run shorter and its interval wider; runs of different limits are not comparable.
void TaskChooser::addLimits() {
    constexpr std::array<std::int64_t, 3> kLimits{0, 400, 1000};
    const auto& task = m_workspace.task();
    auto* limits = m_menu->addMenu(tr("Rows"));
    limits->setObjectName(u"taskRowsMenu"_s);
    limits->menuAction()->setEnabled(task.has_value());
    bool known = false;
    for (const auto rows : kLimits) {
        auto* action = limits->addAction(rows == 0 ? tr("all") : count(rows));
        action->setObjectName(u"task.rows."_s + QString::number(rows));
        action->setCheckable(true);
        action->setChecked(task && task->limit == rows);
        known = known || action->isChecked();
        connect(action, &QAction::triggered, this, [this, rows] { setLimit(rows); });
    }
    auto* other = limits->addAction(task && !known ? tr("%1 …", "number of rows").arg(count(task->limit))
                                                   : tr("Other number…"));
    other->setObjectName(u"task.rows.other"_s);
    other->setCheckable(true);
    other->setChecked(task && !known);
    connect(other, &QAction::triggered, this, &TaskChooser::askLimit);
}

void TaskChooser::askLimit() {
    auto* dialog = new QInputDialog(window());
    dialog->setObjectName(u"taskRowsDialog"_s);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setInputMode(QInputDialog::IntInput);
    dialog->setWindowTitle(tr("Rows"));
    dialog->setLabelText(tr("How many rows are evaluated, drawn with the task's seed:"));
    dialog->setIntRange(1, 10'000'000);
    const auto& task = m_workspace.task();
    dialog->setIntValue(task && task->limit > 0 ? static_cast<int>(task->limit) : 400);
    connect(dialog, &QInputDialog::intValueSelected, this, [this](int rows) { setLimit(rows); });
    dialog->open();
}

void TaskChooser::setLimit(std::int64_t rows) {
    if (auto task = m_workspace.task()) {
        task->limit = rows;
        m_workspace.setTask(std::move(task));
    }
}

void TaskChooser::fillMenu() {
    m_menu->clear();
    const auto& model = m_workspace.model();
    const auto& chosen = m_workspace.task();
    int number = 0;
    for (const auto& choice : m_catalogue.choices(model ? &model->layout : nullptr)) {
        const QString title =
            choice.reason.isEmpty()
                ? choice.title
                : tr("%1 (%2)", "task, why it cannot be chosen").arg(choice.title, choice.reason);
        auto* action = m_menu->addAction(title);
        action->setObjectName(u"task."_s + QString::number(number++));
        action->setCheckable(true);
        auto same = choice.task;
        same.limit = chosen ? chosen->limit : same.limit;
        action->setChecked(chosen && *chosen == same);
        action->setEnabled(choice.reason.isEmpty());
        action->setToolTip(choice.reason);
        connect(action, &QAction::triggered, this,
                [this, task = choice.task] { m_workspace.setTask(task); });
    }
    auto* none = m_menu->addAction(tr("none: latency only"));
    none->setObjectName(u"task.none"_s);
    none->setCheckable(true);
    none->setChecked(!chosen);
    connect(none, &QAction::triggered, this, [this] { m_workspace.setTask(std::nullopt); });
    m_menu->addSeparator();
    addLimits();
    auto* own = m_menu->addAction(tr("Use my own data…"));
    own->setObjectName(u"task.own"_s);
    connect(own, &QAction::triggered, this, &TaskChooser::ownDataRequested);
}

}  // namespace pareto::studio
