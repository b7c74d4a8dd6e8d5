#pragma once

#include <memory>
#include <vector>

#include <QWidget>

#include "app/studio/selection.h"
#include "engine/core/json.h"
#include "widgets/models/run_columns.h"

QT_BEGIN_NAMESPACE
class QCheckBox;
class QLabel;
class QStackedWidget;
class QToolButton;
QT_END_NAMESPACE

namespace pareto::widgets {
class EmptyState;
class MetricChooser;
class ParetoPlot;
}

namespace pareto::studio {

class Actions;
class RecoveryPaths;
class Runs;
class Workspace;

/// The comparable runs on two metrics. Click chooses a run everywhere, double click wants it compared
/// with the baseline; runs that are not comparable are counted, and one click lists them with the
/// reason. An arrow leads from a run to the same with its accuracy recovered.
class ParetoPage : public QWidget {
    Q_OBJECT
public:
    ParetoPage(Workspace& workspace, Runs& runs, Selection& selection, Actions& actions,
               QWidget* parent = nullptr);
    ~ParetoPage() override;

    widgets::ParetoPlot* plot() const { return m_plot; }
    /// Axes, logarithms and zoom, for the window-state file; what does not fit is passed over.
    Json state() const;
    void restoreState(const Json& state);
    /// Runs that are not shown, each with the reason, as the link lists them.
    QStringList hiddenReasons() const;

Q_SIGNALS:
    void compareRequested(const std::vector<RunId>& runs);

protected:
    void changeEvent(QEvent* event) override;

private:
    QWidget* makeHeader();
    void retranslate();
    void showRuns();
    void showCounts();
    void showEmptyState();
    void showSelection();
    void axesChosen();
    void metricForTask();
    void listHidden();
    void openMenu(const QPoint& at, qint64 run);
    void activate(qint64 run);

    Workspace& m_workspace;
    Runs& m_runs;
    Selection& m_selection;
    Actions& m_actions;
    RecoveryPaths* m_paths = nullptr;
    widgets::RunColumnsPtr m_columns;
    widgets::ParetoPlot* m_plot = nullptr;
    widgets::MetricChooser* m_x = nullptr;
    widgets::MetricChooser* m_y = nullptr;
    QLabel* m_xLabel = nullptr;
    QLabel* m_yLabel = nullptr;
    QCheckBox* m_logX = nullptr;
    QToolButton* m_table = nullptr;
    QLabel* m_counts = nullptr;
    QToolButton* m_hidden = nullptr;
    QStackedWidget* m_stack = nullptr;
    widgets::EmptyState* m_empty = nullptr;
    QWidget* m_content = nullptr;
    QString m_emptyKind;        ///< which buttons the empty state has now
    bool m_axisChosen = false;  ///< the user chose y: it no longer follows the task
};

}  // namespace pareto::studio
