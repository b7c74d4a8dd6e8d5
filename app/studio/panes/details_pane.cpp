#include "app/studio/panes/details_pane.h"

#include <algorithm>

#include <QEvent>
#include <QFutureWatcher>
#include <QLabel>
#include <QStackedWidget>
#include <QTabWidget>
#include <QVBoxLayout>
#include <QtConcurrent>

#include "app/studio/actions.h"
#include "app/studio/job_queue.h"
#include "app/studio/selection.h"
#include "app/studio/texts.h"
#include "app/studio/workspace.h"
#include "widgets/plots/bar_plot.h"
#include "widgets/plots/histogram_plot.h"
#include "widgets/plots/latency_plot.h"
#include "widgets/support/elided_label.h"
#include "widgets/support/empty_state.h"
#include "widgets/support/gpu_facts.h"
#include "widgets/support/part_facts.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

/// While a latency is being timed the studio starts no background work.
bool isTiming(const JobQueue& queue) {
    const Job* job = queue.runningHere();
    return job != nullptr
           && (job->progress.stage == Stage::WarmingUp || job->progress.stage == Stage::Timing);
}

widgets::EmptyState* makeEmpty(const QString& name, QWidget* parent) {
    auto* empty = new widgets::EmptyState(parent);
    empty->setObjectName(name);
    return empty;
}

}  // namespace

DetailsPane::DetailsPane(Workspace& workspace, Runs& runs, Selection& selection, JobQueue& queue,
                         Actions& actions, QWidget* parent)
    : QWidget(parent), m_workspace(workspace), m_runs(runs), m_selection(selection),
      m_queue(queue) {
    setObjectName(u"detailsPane"_s);
    m_tabs = new QTabWidget(this);
    m_tabs->setObjectName(u"detailsTabs"_s);
    m_tabs->setDocumentMode(true);
    m_tabs->setUsesScrollButtons(true);
    makeTimesTab();
    makeLatencyTab();
    makeWeightsTab();
    m_timesEmpty->addButton(actions[kActionMeasureBaseline]);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_tabs);
    setMinimumWidth(180);

    connect(m_bars, &widgets::BarPlot::layerClicked, this,
            [this](const QString& layer) { m_selection.setLayers({layer}); });
    connect(&m_selection, &Selection::runsChanged, this, &DetailsPane::runChanged);
    connect(&m_runs, &Runs::changed, this, &DetailsPane::runChanged);
    connect(&m_selection, &Selection::layersChanged, this, &DetailsPane::layerChanged);
    connect(&m_workspace, &Workspace::modelChanged, this, [this] {
        m_layer.clear();
        layerChanged();
    });
    const auto goOn = [this] {
        if (m_waiting && !isTiming(m_queue)) {
            startHistogram();
        }
    };
    connect(&m_queue, &JobQueue::jobsChanged, this, goOn);
    connect(&m_queue, &JobQueue::progressed, this, goOn);
    retranslate();
    runChanged();
    layerChanged();
}

DetailsPane::~DetailsPane() {
    m_reading.request_stop();
}

void DetailsPane::makeTimesTab() {
    m_timesStack = new QStackedWidget(this);
    m_timesStack->setObjectName(u"detailsTimesStack"_s);
    m_timesEmpty = makeEmpty(u"detailsTimesEmpty"_s, this);
    m_bars = new widgets::BarPlot(u"detailsLayerTimes"_s, this);
    m_timesStack->addWidget(m_timesEmpty);
    m_timesStack->addWidget(m_bars);
    m_tabs->addTab(m_timesStack, QString());
}

void DetailsPane::makeLatencyTab() {
    m_latencyStack = new QStackedWidget(this);
    m_latencyStack->setObjectName(u"detailsLatencyStack"_s);
    m_latencyEmpty = makeEmpty(u"detailsLatencyEmpty"_s, this);
    auto* content = new QWidget(this);
    content->setObjectName(u"detailsLatencyContent"_s);
    m_latency = new widgets::LatencyPlot(u"detailsLatencies"_s, content);
    const auto facts = [content](const QString& objectName, const QString& name) {
        auto* label = new QLabel(content);
        label->setObjectName(objectName);
        label->setAccessibleName(name);
        label->setWordWrap(true);
        label->setContentsMargins(6, 0, 6, 2);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
        return label;
    };
    m_parts = facts(u"detailsParts"_s, tr("What the processes did that held parts of the model"));
    m_gpu = facts(u"detailsGpu"_s, tr("What the GPU did during the run"));
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_latency, 1);
    layout->addWidget(m_parts);
    layout->addWidget(m_gpu);
    m_latencyStack->addWidget(m_latencyEmpty);
    m_latencyStack->addWidget(content);
    m_tabs->addTab(m_latencyStack, QString());
}

void DetailsPane::makeWeightsTab() {
    m_weightsStack = new QStackedWidget(this);
    m_weightsStack->setObjectName(u"detailsWeightsStack"_s);
    m_weightsEmpty = makeEmpty(u"detailsWeightsEmpty"_s, this);
    auto* content = new QWidget(this);
    content->setObjectName(u"detailsWeightsContent"_s);
    m_weightsTitle = new widgets::ElidedLabel(content);
    m_weightsTitle->setObjectName(u"detailsWeightsTitle"_s);
    m_weightsTitle->setElideMode(Qt::ElideMiddle);
    m_weightsTitle->setContentsMargins(6, 2, 6, 0);
    m_weightsNote = new QLabel(content);
    m_weightsNote->setObjectName(u"detailsWeightsNote"_s);
    m_weightsNote->setWordWrap(true);
    m_weightsNote->setContentsMargins(6, 0, 6, 2);
    m_weights = new widgets::HistogramPlot(u"detailsWeights"_s, content);
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_weightsTitle);
    layout->addWidget(m_weights, 1);
    layout->addWidget(m_weightsNote);
    m_weightsStack->addWidget(m_weightsEmpty);
    m_weightsStack->addWidget(content);
    m_tabs->addTab(m_weightsStack, QString());
}

void DetailsPane::retranslate() {
    m_tabs->setAccessibleName(tr("Details of the current run and layer"));
    m_tabs->setTabText(0, m_run == 0 ? tr("Layer times") : tr("Layer times of #%1").arg(m_run));
    m_tabs->setTabText(1, tr("Latencies"));
    m_tabs->setTabText(2, tr("Weights of layer"));
    m_latencyEmpty->setText(m_run == 0 ? tr("Choose a run")
                                       : tr("This run has no timings."));
    m_timesEmpty->setText(m_run == 0 ? tr("Choose a run") : tr("This run has no times per layer."));
    m_weightsEmpty->setText(tr("Choose a layer"));
}

void DetailsPane::runChanged() {
    const RunId run = m_selection.currentRun();
    if (run != m_run) {
        m_run = run;
        m_record = nullptr;
        m_baseline = nullptr;
    }
    if (run == 0) {
        showTimes();
        showWeights();
        return;
    }
    m_runs.fetch(run, this, [this, run](const RunRecordPtr& record) {
        if (run != m_run) {
            return;
        }
        m_record = record;
        showTimes();
        showWeights();
    });
    const RunId baseline = m_runs.baselineFor(run);
    if (baseline == 0 || baseline == run) {
        m_baseline = nullptr;
        showTimes();
        return;
    }
    m_runs.fetch(baseline, this, [this, run](const RunRecordPtr& record) {
        if (run == m_run) {
            m_baseline = record;
            showTimes();
        }
    });
}

void DetailsPane::showTimes() {
    retranslate();
    const bool haveLayers = m_record && !m_record->layers.empty();
    if (haveLayers) {
        m_bars->setTimes(widgets::layerTimes(*m_record, m_baseline.get()), m_baseline != nullptr);
        m_bars->setCurrentLayer(m_layer);
    }
    m_timesStack->setCurrentIndex(haveLayers ? 1 : 0);
    const bool haveLatencies = m_record && !m_record->latenciesMs.empty();
    if (haveLatencies) {
        m_latency->setLatencies(m_record->latenciesMs,
                                m_baseline ? m_baseline->latenciesMs : std::vector<double>());
    }
    m_latencyStack->setCurrentIndex(haveLatencies ? 1 : 0);
    const auto show = [this](QLabel* label, const char* key, QString (*text)(const Json&)) {
        const bool there = m_record && m_record->details.is_object() && m_record->details.contains(key);
        label->setText(there ? text(m_record->details[key]) : QString());
        label->setVisible(!label->text().isEmpty());
    };
    show(m_parts, "parts", widgets::partFactsText);
    show(m_gpu, "gpu", widgets::gpuFactsText);
}

void DetailsPane::layerChanged() {
    const QString layer = m_selection.currentLayer();
    if (layer == m_layer && !layer.isEmpty()) {
        return;
    }
    m_layer = layer;
    m_before.reset();
    m_beforeProblem.clear();
    m_reading.request_stop();
    ++m_ticket;
    m_bars->setCurrentLayer(layer);
    startHistogram();
    showWeights();
}

std::optional<Histogram> DetailsPane::storedHistogram() const {
    if (!m_record) {
        return std::nullopt;
    }
    const std::string layer = m_layer.toStdString();
    const auto found = std::find_if(m_record->histograms.begin(), m_record->histograms.end(),
                                    [&](const Histogram& each) { return each.layer == layer; });
    return found == m_record->histograms.end() ? std::nullopt : std::optional(*found);
}

void DetailsPane::startHistogram() {
    m_waiting = false;
    const auto model = m_workspace.model();
    if (!model || model->layout.findLayer(m_layer.toStdString()) == nullptr) {
        return;
    }
    if (isTiming(m_queue)) {
        m_waiting = true;
        showWeights();
        return;
    }
    m_reading = std::stop_source();
    const int ticket = ++m_ticket;
    const jobs::HistogramParams params{model->path.toStdString(), m_layer.toStdString()};
    using Answer = std::shared_ptr<Result<Histogram>>;
    auto* watcher = new QFutureWatcher<Answer>(this);
    connect(watcher, &QFutureWatcherBase::finished, this, [this, watcher, ticket] {
        watcher->deleteLater();
        if (ticket != m_ticket) {
            return;
        }
        const Answer answer = watcher->result();
        if (answer->ok()) {
            m_before = answer->value();
        } else if (!answer->cancelled()) {
            m_beforeProblem = text(answer->error());
        }
        showWeights();
    });
    watcher->setFuture(QtConcurrent::run([params, stop = m_reading.get_token()] {
        Progress progress;
        return std::make_shared<Result<Histogram>>(jobs::runHistogram(params, progress, stop));
    }));
}

void DetailsPane::showWeights() {
    const auto model = m_workspace.model();
    const auto* layer = model ? model->layout.findLayer(m_layer.toStdString()) : nullptr;
    m_weightsStack->setCurrentIndex(layer != nullptr ? 1 : 0);
    if (layer == nullptr) {
        // Groups and blocks have no weight of their own.
        m_weightsEmpty->setText(tr("Choose a layer"));
        return;
    }
    m_weightsTitle->setFullText(tr("%1 · %2 × %3").arg(m_layer).arg(layer->rows).arg(layer->cols));
    const auto after = storedHistogram();
    m_weights->setHistograms(m_before, after);
    QStringList notes;
    if (!m_beforeProblem.isEmpty()) {
        notes.append(m_beforeProblem);
    } else if (m_waiting) {
        notes.append(tr("The file is read when the timing has ended."));
    } else if (!m_before) {
        notes.append(tr("Reading the file…"));
    }
    if (m_record == nullptr) {
        notes.append(tr("After: run first, or choose a run."));
    } else if (!after) {
        notes.append(tr("After: run #%1 has no histogram of this layer.").arg(m_run));
    }
    m_weightsNote->setText(notes.join(u" "_s));
    m_weightsNote->setVisible(!notes.isEmpty());
}

void DetailsPane::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::LanguageChange) {
        showTimes();
        showWeights();
    }
}

}  // namespace pareto::studio
