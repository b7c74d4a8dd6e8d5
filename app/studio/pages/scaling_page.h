#pragma once

#include <optional>

#include <QWidget>

#include "engine/jobs/api/scaling.h"
#include "widgets/plots/scaling_plot.h"

QT_BEGIN_NAMESPACE
class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QPushButton;
class QStackedWidget;
class QTableView;
class QTabWidget;
QT_END_NAMESPACE

namespace pareto::widgets {
class CellTableModel;
class ElidedLabel;
class EmptyState;
}  // namespace pareto::widgets

namespace pareto::studio {

class Actions;
class Dialogs;
class JobQueue;
class PartTimelinePanel;
class Runs;
class Selection;
class Workspace;
struct Job;

/// How the open model would run on 2 … 1,024 processes, as a prediction, beside what this machine's cores measured; below, what
/// each process of a run in parts did in one step. Shows the prediction for the open model that was finished last in this
/// program; predictions are not stored.
class ScalingPage : public QWidget {
    Q_OBJECT
public:
    struct Parts {
        Workspace& workspace;
        JobQueue& queue;
        Runs& runs;
        Selection& selection;
        Actions& actions;
        Dialogs& dialogs;
    };
    explicit ScalingPage(const Parts& parts, QWidget* parent = nullptr);

    /// What is to be predicted with: absent: a link measured on this machine.
    std::optional<jobs::ScalingLink> link() const;
    bool measures() const;  ///< whether this machine's divisions are timed as well

    QTableView* view() const { return m_view; }
    widgets::ScalingPlot* plot() const { return m_plot; }
    PartTimelinePanel* timeline() const { return m_timeline; }
    /// Selected rows as tab-separated text with a header.
    void copy();

protected:
    void changeEvent(QEvent* event) override;

private:
    QWidget* makeBar();
    QWidget* makeLinkBar();
    void retranslate();
    void followJobs();
    void followLink();
    void editLink();
    void showState();
    void showScaling();
    void showStep();
    widgets::ScalingPicture picture(const std::string& step) const;
    void fillTable(const std::string& step);
    const Job* newestJob(bool finished) const;
    QString runningText() const;
    QString noteText() const;
    QString stepName() const;  ///< of the one shown, as in the result; empty: none

    Workspace& m_workspace;
    JobQueue& m_queue;
    jobs::Scaling m_scaling;
    int m_job = 0;  ///< whose result is shown; 0: none
    bool m_showing = false;
    widgets::ScalingPlot* m_plot = nullptr;
    widgets::CellTableModel* m_model = nullptr;
    QTableView* m_view = nullptr;
    PartTimelinePanel* m_timeline = nullptr;
    QTabWidget* m_tabs = nullptr;
    QComboBox* m_step = nullptr;
    QComboBox* m_figure = nullptr;
    QPushButton* m_predict = nullptr;
    QLabel* m_linkName = nullptr;
    QComboBox* m_links = nullptr;
    QDoubleSpinBox* m_latency = nullptr;
    QDoubleSpinBox* m_bandwidth = nullptr;
    QCheckBox* m_measure = nullptr;
    widgets::ElidedLabel* m_summary = nullptr;
    QLabel* m_note = nullptr;
    QStackedWidget* m_stack = nullptr;
    widgets::EmptyState* m_empty = nullptr;
};

}  // namespace pareto::studio
