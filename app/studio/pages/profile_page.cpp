#include "app/studio/pages/profile_page.h"

#include <algorithm>

#include <QAction>
#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QItemSelection>
#include <QPushButton>
#include <QScopedValueRollback>
#include <QSplitter>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>

#include "app/studio/actions.h"
#include "app/studio/dialogs/dialogs.h"
#include "app/studio/job_queue.h"
#include "app/studio/selection.h"
#include "app/studio/texts.h"
#include "app/studio/workspace.h"
#include "engine/core/file.h"
#include "widgets/models/layer_profile_model.h"
#include "widgets/plots/roofline_plot.h"
#include "widgets/support/elided_label.h"
#include "widgets/support/empty_state.h"
#include "widgets/support/gpu_facts.h"
#include "widgets/support/tsv.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;
using widgets::LayerProfileModel;

ProfilePage::ProfilePage(Workspace& workspace, JobQueue& queue, Selection& selection,
                         Actions& actions, Dialogs& dialogs, QWidget* parent)
    : QWidget(parent),
      m_workspace(workspace),
      m_queue(queue),
      m_selection(selection),
      m_dialogs(dialogs) {
    setObjectName(u"profilePage"_s);
    m_empty = new widgets::EmptyState(this);
    m_empty->setObjectName(u"profileEmpty"_s);
    m_empty->addButton(actions[kActionProfile]);
    m_stack = new QStackedWidget(this);
    m_stack->setObjectName(u"profileStack"_s);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(makeContent(actions));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_stack);

    connect(&m_queue, &JobQueue::jobsChanged, this, &ProfilePage::followJobs);
    connect(&m_queue, &JobQueue::progressed, this, &ProfilePage::showState);
    connect(&m_workspace, &Workspace::modelChanged, this, &ProfilePage::followJobs);
    connect(&m_selection, &Selection::layersChanged, this, &ProfilePage::showSelection);
    connect(m_view->selectionModel(), &QItemSelectionModel::selectionChanged, this,
            &ProfilePage::publishSelection);
    connect(m_view->selectionModel(), &QItemSelectionModel::currentChanged, this,
            &ProfilePage::publishSelection);
    connect(m_plot, &widgets::RooflinePlot::layerClicked, this,
            [this](const QString& layer) { m_selection.setLayers({layer}, layer); });
    connect(m_step, &QComboBox::currentIndexChanged, this, [this] {
        if (!m_showing) {
            showStep();
        }
    });
    retranslate();
    followJobs();
}

QWidget* ProfilePage::makeContent(Actions& actions) {
    m_model = new LayerProfileModel(this);
    m_plot = new widgets::RooflinePlot(u"profilePlot"_s, this);
    m_view = new QTableView(this);
    m_view->setObjectName(u"profileTable"_s);
    m_view->setModel(m_model);
    m_view->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_view->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_view->setShowGrid(false);
    m_view->setWordWrap(false);
    m_view->setTabKeyNavigation(false);
    m_view->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_view->verticalHeader()->hide();
    m_view->verticalHeader()->setDefaultSectionSize(m_view->fontMetrics().height() + 4);
    m_view->horizontalHeader()->setObjectName(u"profileTableHeader"_s);
    m_view->horizontalHeader()->setHighlightSections(false);
    m_view->setSortingEnabled(true);
    m_view->sortByColumn(LayerProfileModel::Time, Qt::DescendingOrder);
    auto* split = new QSplitter(Qt::Vertical, this);
    split->setObjectName(u"profileSplit"_s);
    split->addWidget(m_plot);
    split->addWidget(m_view);
    split->setStretchFactor(0, 1);
    split->setSizes({260, 120});
    auto* content = new QWidget(this);
    content->setObjectName(u"profileContent"_s);
    auto* inner = new QVBoxLayout(content);
    inner->setContentsMargins(0, 0, 0, 0);
    inner->setSpacing(0);
    inner->addWidget(makeBar(actions));
    m_roofs = new widgets::ElidedLabel(content);
    m_roofs->setObjectName(u"profileRoofsLabel"_s);
    m_roofs->setContentsMargins(8, 0, 8, 2);
    inner->addWidget(m_roofs);
    inner->addWidget(split, 1);
    return content;
}

QWidget* ProfilePage::makeBar(Actions& actions) {
    auto* bar = new QWidget(this);
    bar->setObjectName(u"profileBar"_s);
    m_summary = new widgets::ElidedLabel(bar);
    m_summary->setObjectName(u"profileSummaryLabel"_s);
    m_step = new QComboBox(bar);
    m_step->setObjectName(u"profileStepCombo"_s);
    m_measure = new QPushButton(bar);
    m_measure->setObjectName(u"profileButton"_s);
    m_measure->setAutoDefault(false);
    m_save = new QPushButton(bar);
    m_save->setObjectName(u"profileSaveButton"_s);
    m_save->setAutoDefault(false);
    auto* layout = new QHBoxLayout(bar);
    layout->setContentsMargins(8, 4, 8, 4);
    layout->addWidget(m_summary, 1);
    layout->addWidget(m_step);
    layout->addWidget(m_measure);
    layout->addWidget(m_save);
    auto* action = actions[kActionProfile];
    const auto follow = [this, action] {
        m_measure->setEnabled(action->isEnabled());
        m_measure->setToolTip(action->toolTip());
    };
    connect(action, &QAction::changed, m_measure, follow);
    connect(m_measure, &QPushButton::clicked, action, &QAction::trigger);
    connect(m_save, &QPushButton::clicked, this, &ProfilePage::saveTimeline);
    follow();
    return bar;
}

void ProfilePage::retranslate() {
    m_view->setAccessibleName(tr("Layers under their roofs"));
    m_step->setAccessibleName(tr("Step of the model"));
    m_measure->setText(tr("Profile"));
    m_measure->setAccessibleName(m_measure->text());
    m_save->setText(tr("Save Timeline…"));
    m_save->setAccessibleName(m_save->text());
    m_save->setToolTip(tr("Writes one pass as a trace file for chrome://tracing or Perfetto"));
}

/// Of the open model.
const Job* ProfilePage::newestJob(bool finished) const {
    if (!m_workspace.model()) {
        return nullptr;
    }
    return m_queue.newest(jobs::kJobProfile, m_workspace.model()->path.toStdString(), finished);
}

/// What the newest job is doing, or why it has no result; empty when it has one.
QString ProfilePage::runningText() const {
    const auto* job = newestJob(false);
    if (job == nullptr || job->state == JobState::Finished) {
        return {};
    }
    if (job->isPending()) {
        return job->state == JobState::Queued ? tr("The profile is waiting.")
                                              : tr("Profiling: %1").arg(text(job->progress));
    }
    return job->error ? tr("The profile failed: %1").arg(text(*job->error))
                      : tr("The profile was stopped.");
}

void ProfilePage::followJobs() {
    const auto* job = newestJob(true);
    const int id = job != nullptr ? job->id : 0;
    if (id != m_job) {
        m_job = id;
        m_profile = {};
        if (job != nullptr) {
            auto profile = profileFromJson(job->result);
            if (profile.ok()) {
                m_profile = std::move(profile).value();
            }
        }
        showProfile();
    }
    showState();
}

void ProfilePage::showState() {
    const QString running = runningText();
    m_stack->setCurrentIndex(m_profile.steps.empty() ? 0 : 1);
    if (m_profile.steps.empty()) {
        m_empty->setText(
            !running.isEmpty()
                ? running
                : tr("Profile shows each layer's time under the machine's measured roofs."));
        return;
    }
    QStringList parts{fromUtf8(m_profile.recipeSummary), fromUtf8(m_profile.targetText)};
    if (const int at = m_step->currentIndex(); at >= 0) {
        const auto& step = m_profile.steps[static_cast<std::size_t>(at)];
        parts.append(tr("%1 ms a step, median of %L2").arg(number(step.ms, 3)).arg(step.steps));
    }
    if (m_profile.disturbed) {
        parts.append(tr("disturbed by other programs"));
    }
    m_summary->setFullText(running.isEmpty() ? parts.join(u" · "_s) : running);
}

QString ProfilePage::roofsText() const {
    const auto& roofs = m_profile.roofs;
    QStringList parts{
        tr("Roofs: %1 GB/s over the weights, %2 GB/s of memory, fp32 %3 GFLOP/s, int8 %4 GOP/s")
            .arg(widgets::rateText(roofs.weights.best), widgets::rateText(roofs.memory.best),
                 widgets::rateText(roofs.fp32.best), widgets::rateText(roofs.int8.best))};
    if (roofs.fp16.best > 0.0 || !roofs.device.empty()) {
        parts.append(tr("fp16 or bf16 %1 GFLOP/s").arg(widgets::rateText(roofs.fp16.best)));
    }
    if (!roofs.device.empty()) {
        parts.append(m_profile.noKernels.empty()
                         ? tr("GPU kernels in the timeline: %L1").arg(m_profile.kernels.size())
                         : tr("GPU kernels: not recorded (%1)").arg(fromUtf8(m_profile.noKernels)));
        if (const QString gpu = widgets::gpuFactsText(m_profile.gpu); !gpu.isEmpty()) {
            parts.append(gpu);
        }
    }
    if (!m_profile.noCounters.empty()) {
        parts.append(
            tr("hardware counters: not available (%1)").arg(fromUtf8(m_profile.noCounters)));
    } else if (const int at = m_step->currentIndex(); at >= 0) {
        const auto& counts = m_profile.steps[static_cast<std::size_t>(at)].counts;
        const auto counted = [](const std::optional<double>& value) {
            return value ? widgets::operationsText(*value) : u"–"_s;
        };
        parts.append(tr("a step: %1 cycles, %2 instructions, %3 cache misses")
                         .arg(counted(counts.cycles), counted(counts.instructions),
                              counted(counts.cacheMisses)));
    }
    return parts.join(u" · "_s);
}

void ProfilePage::showProfile() {
    const QScopedValueRollback showing(m_showing, true);
    const auto titleOf = [](const std::string& step) {
        return step == "prefill"  ? tr("Prompt and first token")
               : step == "decode" ? tr("One token")
                                  : tr("One pass");
    };
    m_step->clear();
    for (const auto& step : m_profile.steps) {
        m_step->addItem(titleOf(step.name));
    }
    m_step->setVisible(m_profile.steps.size() > 1);
    m_save->setEnabled(!m_profile.timeline.empty());
    showStep();
}

void ProfilePage::showStep() {
    const QScopedValueRollback showing(m_showing, true);
    const int at = m_step->currentIndex();
    if (at < 0) {
        m_model->clear();
        m_plot->setStep({}, {});
        return;
    }
    const auto& step = m_profile.steps[static_cast<std::size_t>(at)];
    m_model->setStep(step, m_profile.roofs);
    m_plot->setStep(step, m_profile.roofs);
    const auto* header = m_view->horizontalHeader();
    m_view->sortByColumn(header->sortIndicatorSection(), header->sortIndicatorOrder());
    m_view->resizeColumnsToContents();
    m_roofs->setFullText(roofsText());
    showState();
    showSelection();
}

void ProfilePage::showSelection() {
    const QScopedValueRollback showing(m_showing, true);
    QItemSelection wanted;
    for (const auto& name : m_selection.layers()) {
        if (const int row = m_model->rowOfLayer(name); row >= 0) {
            wanted.select(m_model->index(row, 0), m_model->index(row, 0));
        }
    }
    m_view->selectionModel()->select(
        wanted, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    if (const int row = m_model->rowOfLayer(m_selection.currentLayer()); row >= 0) {
        m_view->selectionModel()->setCurrentIndex(m_model->index(row, 0),
                                                  QItemSelectionModel::NoUpdate);
        m_view->scrollTo(m_model->index(row, 0));
    }
    m_plot->setSelected(m_selection.layers());
}

QStringList ProfilePage::chosenLayers() const {
    QStringList out;
    for (const auto& index : m_view->selectionModel()->selectedRows()) {
        out.append(index.data(LayerProfileModel::LayerRole).toString());
    }
    return out;
}

void ProfilePage::publishSelection() {
    if (!m_showing) {
        m_selection.setLayers(
            chosenLayers(),
            m_view->selectionModel()->currentIndex().data(LayerProfileModel::LayerRole).toString());
    }
}

void ProfilePage::saveTimeline() {
    FileRequest request;
    request.kind = FileRequest::Kind::SaveFile;
    request.id = u"saveTimeline"_s;
    request.title = tr("Save Timeline");
    request.name = fromUtf8(m_profile.modelName) + u"-timeline.json"_s;
    request.filters = {tr("Traces (*.json)")};
    request.suffix = u"json"_s;
    m_dialogs.chooseFile(request, [this, trace = chromeTrace(m_profile)](const QString& path) {
        const auto written = writeFileAtomically(path.toStdString(), compactJson(trace) + "\n");
        if (!written.ok() && !written.cancelled()) {
            m_dialogs.tell(tr("The timeline was not saved"), written.error());
        }
    });
}

void ProfilePage::copy() { widgets::copySelectedRows(*m_view); }

void ProfilePage::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::LanguageChange) {
        retranslate();
        showProfile();
        showState();
    }
}

}  // namespace pareto::studio
