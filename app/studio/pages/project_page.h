#pragma once

#include <QWidget>

#include "app/studio/projects.h"

QT_BEGIN_NAMESPACE
class QLabel;
class QPushButton;
class QStackedWidget;
class QTableView;
QT_END_NAMESPACE

namespace pareto::widgets {
class CellTableModel;
class ElidedLabel;
class EmptyState;
}  // namespace pareto::widgets

namespace pareto::studio {

class Actions;
class JobQueue;
class Selection;

/// The open project: its steps with what became of them, and the table of what was measured. A row of
/// results chooses the run everywhere.
class ProjectPage : public QWidget {
    Q_OBJECT
public:
    ProjectPage(Projects& projects, JobQueue& queue, Selection& selection, Actions& actions,
                QWidget* parent = nullptr);

    QTableView* stepsView() const { return m_stepsView; }
    QTableView* resultsView() const { return m_resultsView; }
    void copy();

Q_SIGNALS:
    /// Its runs on the Pareto page, under its task and target.
    void plotRequested();

protected:
    void changeEvent(QEvent* event) override;

private:
    QWidget* makeBar();
    QTableView* makeTable(const QString& name, widgets::CellTableModel* model);
    void retranslate();
    void showProject();
    void showSteps();
    void showResults();
    void showButtons();
    void showRunning();
    void chooseRun();
    std::string chosenStep() const;

    Projects& m_projects;
    JobQueue& m_queue;
    Selection& m_selection;
    bool m_showing = false;
    widgets::CellTableModel* m_steps = nullptr;
    widgets::CellTableModel* m_results = nullptr;
    QTableView* m_stepsView = nullptr;
    QTableView* m_resultsView = nullptr;
    QPushButton* m_run = nullptr;
    QPushButton* m_again = nullptr;
    QPushButton* m_stop = nullptr;
    QPushButton* m_plot = nullptr;
    widgets::ElidedLabel* m_title = nullptr;
    widgets::ElidedLabel* m_found = nullptr;
    widgets::ElidedLabel* m_running = nullptr;
    QLabel* m_marks = nullptr;
    widgets::EmptyState* m_empty = nullptr;
    QStackedWidget* m_stack = nullptr;
};

}  // namespace pareto::studio
