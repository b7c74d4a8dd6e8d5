#pragma once

#include <memory>
#include <optional>
#include <stop_token>

#include <QWidget>

#include "app/studio/runs.h"

QT_BEGIN_NAMESPACE
class QLabel;
class QStackedWidget;
class QTabWidget;
QT_END_NAMESPACE

namespace pareto::widgets {
class BarPlot;
class ElidedLabel;
class EmptyState;
class HistogramPlot;
class LatencyPlot;
}

namespace pareto::studio {

class Actions;
class JobQueue;
class Selection;
class Workspace;

/// The current run's time per layer and latencies with the baseline's beside them, and the weights of
/// the current layer before (from the file) and after (stored with the run).
class DetailsPane : public QWidget {
    Q_OBJECT
public:
    DetailsPane(Workspace& workspace, Runs& runs, Selection& selection, JobQueue& queue,
                Actions& actions, QWidget* parent = nullptr);
    ~DetailsPane() override;

    widgets::BarPlot* layerTimes() const { return m_bars; }
    widgets::HistogramPlot* weights() const { return m_weights; }
    QTabWidget* tabs() const { return m_tabs; }

protected:
    void changeEvent(QEvent* event) override;

private:
    void makeTimesTab();
    void makeLatencyTab();
    void makeWeightsTab();
    void retranslate();
    void runChanged();
    void showTimes();
    void layerChanged();
    void showWeights();
    void startHistogram();
    std::optional<Histogram> storedHistogram() const;

    Workspace& m_workspace;
    Runs& m_runs;
    Selection& m_selection;
    JobQueue& m_queue;
    QTabWidget* m_tabs = nullptr;
    QStackedWidget* m_timesStack = nullptr;
    widgets::EmptyState* m_timesEmpty = nullptr;
    widgets::BarPlot* m_bars = nullptr;
    QStackedWidget* m_latencyStack = nullptr;
    widgets::EmptyState* m_latencyEmpty = nullptr;
    widgets::LatencyPlot* m_latency = nullptr;
    QLabel* m_parts = nullptr;  ///< what the processes did that held the model's parts
    QLabel* m_gpu = nullptr;  ///< what was read of the GPU the run was measured on
    QStackedWidget* m_weightsStack = nullptr;
    widgets::EmptyState* m_weightsEmpty = nullptr;
    widgets::ElidedLabel* m_weightsTitle = nullptr;
    QLabel* m_weightsNote = nullptr;
    widgets::HistogramPlot* m_weights = nullptr;

    RunId m_run = 0;
    RunRecordPtr m_record;
    RunRecordPtr m_baseline;
    QString m_layer;
    std::optional<Histogram> m_before;    ///< of m_layer in the file, once read
    QString m_beforeProblem;
    std::stop_source m_reading;           ///< stops the histogram that is no longer wanted
    bool m_waiting = false;               ///< a latency is being timed: reading starts afterwards
    int m_ticket = 0;
};

}  // namespace pareto::studio
