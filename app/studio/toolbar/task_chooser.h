#pragma once

#include <QToolButton>

#include "engine/spec/task.h"

QT_BEGIN_NAMESPACE
class QMenu;
QT_END_NAMESPACE

namespace pareto::studio {

class TaskCatalogue;
class Workspace;

/// Which data and metric runs are measured with; tasks that do not fit the model are greyed and say
/// why.
class TaskChooser : public QToolButton {
    Q_OBJECT
public:
    TaskChooser(Workspace& workspace, TaskCatalogue& catalogue, QWidget* parent = nullptr);

Q_SIGNALS:
    void ownDataRequested();

private:
    void fillMenu();
    void addLimits();
    void askLimit();
    void setLimit(std::int64_t rows);
    void showTask();

    Workspace& m_workspace;
    TaskCatalogue& m_catalogue;
    QMenu* m_menu = nullptr;
};

}  // namespace pareto::studio
