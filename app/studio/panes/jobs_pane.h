#pragma once

#include <QWidget>

QT_BEGIN_NAMESPACE
class QHBoxLayout;
class QLabel;
class QStackedWidget;
class QTableView;
class QTimer;
class QToolButton;
QT_END_NAMESPACE

namespace pareto::widgets {
class EmptyState;
class JobsTableModel;
}  // namespace pareto::widgets

namespace pareto::studio {

class Actions;
class Dialogs;
class JobQueue;
class Sweeps;
struct FollowedSweep;
struct Job;

/// The jobs of this window, and the sweeps that it follows: state, stage, progress, time left; cancel, retry, force stop, log.
class JobsPane : public QWidget {
    Q_OBJECT
public:
    JobsPane(JobQueue& queue, Sweeps& sweeps, Actions& actions, Dialogs& dialogs,
             QWidget* parent = nullptr);

private:
    QToolButton* addButton(const QString& name, const QString& text, QHBoxLayout* bar);
    void showJobs();
    void showRunning();
    void showButtons();
    void bringIntoSight(int id);  ///< and make it the current one
    void showSweepButtons(const FollowedSweep& sweep);
    int currentJob() const;
    int currentSweep() const;  ///< 0: the current row is none
    void showLog();
    void showFolder();
    QString stateText(const Job& job) const;

    JobQueue& m_queue;
    Sweeps& m_sweeps;
    Dialogs& m_dialogs;
    widgets::JobsTableModel* m_model = nullptr;
    QTableView* m_view = nullptr;
    QStackedWidget* m_stack = nullptr;
    widgets::EmptyState* m_empty = nullptr;
    QLabel* m_notice = nullptr;
    QToolButton* m_cancel = nullptr;
    QToolButton* m_retry = nullptr;
    QToolButton* m_force = nullptr;
    QToolButton* m_remove = nullptr;
    QToolButton* m_folder = nullptr;
    QToolButton* m_log = nullptr;
    QTimer* m_clock = nullptr;  ///< time left goes on between two messages
    int m_lastActive = 0;
    int m_lastSweep = 0;
};

}  // namespace pareto::studio
