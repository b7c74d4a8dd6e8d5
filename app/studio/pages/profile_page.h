#pragma once

#include <QStringList>
#include <QWidget>

#include "engine/records/profile.h"

QT_BEGIN_NAMESPACE
class QComboBox;
class QPushButton;
class QStackedWidget;
class QTableView;
QT_END_NAMESPACE

namespace pareto::widgets {
class ElidedLabel;
class EmptyState;
class LayerProfileModel;
class RooflinePlot;
}  // namespace pareto::widgets

namespace pareto::studio {

class Actions;
class Dialogs;
class JobQueue;
class Selection;
class Workspace;
struct Job;

/// Where the model's time goes: its layers under the machine's measured roofs, as a plot and a table, and one pass as a
/// timeline to save. Shows the profile of the open model that was finished last in this program; profiles are not stored.
class ProfilePage : public QWidget {
    Q_OBJECT
public:
    ProfilePage(Workspace& workspace, JobQueue& queue, Selection& selection, Actions& actions,
                Dialogs& dialogs, QWidget* parent = nullptr);

    QTableView* view() const { return m_view; }
    widgets::RooflinePlot* plot() const { return m_plot; }
    /// Selected rows as tab-separated text with a header.
    void copy();

protected:
    void changeEvent(QEvent* event) override;

private:
    QWidget* makeBar(Actions& actions);
    QWidget* makeContent(Actions& actions);
    void retranslate();
    void followJobs();
    void showState();
    void showProfile();
    void showStep();
    void showSelection();
    void publishSelection();
    void saveTimeline();
    const Job* newestJob(bool finished) const;
    QString runningText() const;
    QString roofsText() const;
    QStringList chosenLayers() const;

    Workspace& m_workspace;
    JobQueue& m_queue;
    Selection& m_selection;
    Dialogs& m_dialogs;
    Profile m_profile;
    int m_job = 0;  ///< whose result is shown; 0: none
    bool m_showing = false;
    widgets::LayerProfileModel* m_model = nullptr;
    widgets::RooflinePlot* m_plot = nullptr;
    QTableView* m_view = nullptr;
    QComboBox* m_step = nullptr;
    QPushButton* m_measure = nullptr;
    QPushButton* m_save = nullptr;
    widgets::ElidedLabel* m_summary = nullptr;
    widgets::ElidedLabel* m_roofs = nullptr;
    QStackedWidget* m_stack = nullptr;
    widgets::EmptyState* m_empty = nullptr;
};

}  // namespace pareto::studio
