#include "app/studio/toolbar/task_chooser.h"

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
        action->setChecked(chosen && *chosen == choice.task);
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
    auto* own = m_menu->addAction(tr("Use my own data…"));
    own->setObjectName(u"task.own"_s);
    connect(own, &QAction::triggered, this, &TaskChooser::ownDataRequested);
}

}  // namespace pareto::studio
