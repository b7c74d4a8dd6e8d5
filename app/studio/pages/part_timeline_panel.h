#pragma once

#include <vector>

#include <QWidget>

#include "app/studio/selection.h"
#include "engine/records/step_timeline.h"

QT_BEGIN_NAMESPACE
class QComboBox;
class QLabel;
class QPushButton;
class QStackedWidget;
QT_END_NAMESPACE

namespace pareto::widgets {
class ElidedLabel;
class StepTimelinePlot;
}  // namespace pareto::widgets

namespace pareto::studio {

class Dialogs;
class Runs;

/// What each process of a run in parts did in one step. Of the chosen run, or where none is chosen of the newest in parts.
class PartTimelinePanel : public QWidget {
    Q_OBJECT
public:
    PartTimelinePanel(Runs& runs, Selection& selection, Dialogs& dialogs,
                      QWidget* parent = nullptr);

    RunId run() const { return m_run; }  ///< whose timeline is shown; 0: none
    widgets::StepTimelinePlot* plot() const { return m_plot; }

protected:
    void changeEvent(QEvent* event) override;

private:
    void retranslate();
    void follow();
    void setTimelines(RunId run, std::vector<PartTimeline> timelines, const QString& title);
    void showStep();
    void showNothing();
    QString sharesText(int step) const;
    void save();

    Runs& m_runs;
    Selection& m_selection;
    Dialogs& m_dialogs;
    RunId m_wanted = 0;
    RunId m_run = 0;
    QString m_title;
    std::vector<PartTimeline> m_timelines;
    QStackedWidget* m_stack = nullptr;
    QLabel* m_nothing = nullptr;
    widgets::ElidedLabel* m_name = nullptr;
    widgets::ElidedLabel* m_shares = nullptr;
    QComboBox* m_step = nullptr;
    QPushButton* m_save = nullptr;
    widgets::StepTimelinePlot* m_plot = nullptr;
};

}  // namespace pareto::studio
