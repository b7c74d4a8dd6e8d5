#pragma once

#include <memory>
#include <stop_token>
#include <vector>

#include <QWidget>

#include "app/studio/runs.h"
#include "app/studio/selection.h"

QT_BEGIN_NAMESPACE
class QCheckBox;
class QLabel;
class QPushButton;
class QStackedWidget;
class QTableView;
QT_END_NAMESPACE

namespace pareto::widgets {
class EmptyState;
}  // namespace pareto::widgets

namespace pareto::studio {

class Actions;
class ItemsModel;
class Workspace;
struct ItemComparison;

/// How two runs on the same task differ item by item, worst first.
class ItemsPage : public QWidget {
    Q_OBJECT
public:
    ItemsPage(Workspace& workspace, Runs& runs, Actions& actions, QWidget* parent = nullptr);
    ~ItemsPage() override;

    /// The first two of them; one run is compared with its baseline.
    void showRuns(std::vector<RunId> runs);
    std::vector<RunId> runs() const { return {m_a, m_b}; }
    void copy();

private:
    QWidget* makeBar();
    void collect();
    void compare(const RunRecordPtr& a, const RunRecordPtr& b);
    void showComparison(const std::shared_ptr<const ItemComparison>& comparison);
    void readTexts();
    void say(const QString& text);
    QString summary(const ItemComparison& comparison) const;
    void fitColumns();

    Workspace& m_workspace;
    Runs& m_runs;
    RunId m_a = 0;
    RunId m_b = 0;
    RunRecordPtr m_recordA;
    RunRecordPtr m_recordB;
    int m_ticket = 0;
    std::stop_source m_stop;
    ItemsModel* m_model = nullptr;
    QTableView* m_view = nullptr;
    QCheckBox* m_changedOnly = nullptr;
    QPushButton* m_swap = nullptr;
    QLabel* m_summary = nullptr;
    QStackedWidget* m_stack = nullptr;
    widgets::EmptyState* m_empty = nullptr;
};

}  // namespace pareto::studio
