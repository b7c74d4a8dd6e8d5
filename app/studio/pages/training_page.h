#pragma once

#include <QTimer>
#include <QWidget>

#include "app/studio/training_runs.h"

QT_BEGIN_NAMESPACE
class QCheckBox;
class QComboBox;
class QPushButton;
class QStackedWidget;
QT_END_NAMESPACE

namespace pareto::widgets {
class ElidedLabel;
class EmptyState;
class TrainingPlot;
}  // namespace pareto::widgets

namespace pareto::studio {

class Actions;
class ConfusionPanel;
class DistilPairsPanel;
class Workspace;

/// The curves of recovery: of the job that trains, live, with pause and "stop and keep best", and
/// of the chosen run as its record holds them; beside them which classes the last validation took
/// for which and, where the recipe distils, who learns from whom. A job that begins to train comes into sight; a run that is chosen while nothing
/// trains, too.
class TrainingPage : public QWidget {
    Q_OBJECT
public:
    TrainingPage(Workspace& workspace, TrainingRuns& training, Actions& actions,
                 QWidget* parent = nullptr);

    widgets::TrainingPlot* plot() const { return m_plot; }
    ConfusionPanel* confusion() const { return m_confusion; }
    DistilPairsPanel* pairs() const { return m_pairs; }

protected:
    void changeEvent(QEvent* event) override;

private:
    enum Source { kLive, kStored };

    QWidget* makeBar();
    void retranslate();
    void showSources();
    void showSteps();
    void showStep();
    void showState();
    const TrainingSteps& steps() const;
    const TrainingStep* step() const;
    QString stateText(const TrainingStep& step) const;
    QString factsText(const TrainingStep& step) const;

    TrainingRuns& m_training;
    Source m_source = kLive;
    QComboBox* m_sources = nullptr;
    QComboBox* m_steps = nullptr;
    QCheckBox* m_rate = nullptr;
    QPushButton* m_pause = nullptr;
    QPushButton* m_finish = nullptr;
    widgets::ElidedLabel* m_state = nullptr;
    widgets::ElidedLabel* m_facts = nullptr;
    widgets::TrainingPlot* m_plot = nullptr;
    ConfusionPanel* m_confusion = nullptr;
    DistilPairsPanel* m_pairs = nullptr;
    widgets::EmptyState* m_empty = nullptr;
    QStackedWidget* m_stack = nullptr;
    QTimer m_clock;
};

}  // namespace pareto::studio
