#include "app/studio/panes/jobs_pane.h"

#include <algorithm>

#include <QAction>
#include <QCoreApplication>
#include <QDateTime>
#include <QDesktopServices>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QStackedWidget>
#include <QTableView>
#include <QTimer>
#include <QToolButton>
#include <QUrl>
#include <QVBoxLayout>

#include "app/studio/actions.h"
#include "app/studio/dialogs/dialogs.h"
#include "app/studio/dialogs/log_dialog.h"
#include "app/studio/dialogs/sweep_dialog.h"
#include "app/studio/job_queue.h"
#include "app/studio/job_texts.h"
#include "app/studio/sweeps.h"
#include "app/studio/texts.h"
#include "widgets/editors/progress_delegate.h"
#include "widgets/models/jobs_table_model.h"
#include "widgets/support/empty_state.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;
using widgets::JobsTableModel;

namespace {

bool isActive(const Job& job) {
    return job.state == JobState::Running || job.state == JobState::Stopping;
}

/// Rows of sweeps have the negative of their ids.
widgets::JobRow rowOf(const FollowedSweep& sweep) {
    widgets::JobRow row;
    row.id = -sweep.id;
    row.title = QCoreApplication::translate("JobTexts", "Sweep %1").arg(sweep.title());
    row.state = stateText(sweep);
    row.active = sweep.isActive();
    row.failed = sweep.state == SweepState::Broken;
    row.toolTip = row.state + u'\n' + sweep.folder;
    row.share = sweep.share();
    const double left = sweep.secondsLeft();
    row.timeLeft = left < 0.0 ? QString() : duration(left);
    return row;
}

}  // namespace

JobsPane::JobsPane(JobQueue& queue, Sweeps& sweeps, Actions& actions, Dialogs& dialogs,
                   QWidget* parent)
    : QWidget(parent), m_queue(queue), m_sweeps(sweeps), m_dialogs(dialogs) {
    setObjectName(u"jobsPane"_s);
    m_model = new JobsTableModel(this);
    m_view = new QTableView(this);
    m_view->setObjectName(u"jobsTable"_s);
    m_view->setAccessibleName(tr("Jobs"));
    m_view->setModel(m_model);
    m_view->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_view->setSelectionMode(QAbstractItemView::SingleSelection);
    m_view->setShowGrid(false);
    m_view->verticalHeader()->hide();
    m_view->horizontalHeader()->setSectionResizeMode(JobsTableModel::State, QHeaderView::Stretch);
    m_view->verticalHeader()->setDefaultSectionSize(m_view->fontMetrics().height() + 8);
    m_view->setWordWrap(false);
    m_view->setColumnWidth(JobsTableModel::Title, 150);
    m_view->setColumnWidth(JobsTableModel::Stage, 80);
    m_view->setColumnWidth(JobsTableModel::Progress, 64);
    m_view->setColumnWidth(JobsTableModel::TimeLeft, 64);
    m_view->setItemDelegateForColumn(
        JobsTableModel::Progress, new widgets::ProgressDelegate(JobsTableModel::ShareRole, m_view));
    m_empty = new widgets::EmptyState(this);
    m_empty->setObjectName(u"jobsEmpty"_s);
    m_empty->setText(tr("No jobs. F5 runs the recipe."));
    m_empty->addButton(actions[kActionRun]);
    m_stack = new QStackedWidget(this);
    m_stack->setObjectName(u"jobsStack"_s);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(m_view);
    m_notice = new QLabel(this);
    m_notice->setObjectName(u"jobsNoticeLabel"_s);
    m_notice->setWordWrap(true);
    m_notice->hide();

    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(4, 2, 4, 2);
    bar->setSpacing(2);
    m_cancel = addButton(u"jobsCancelButton"_s, tr("Cancel"), bar);
    m_force = addButton(u"jobsForceButton"_s, tr("Force stop"), bar);
    m_retry = addButton(u"jobsRetryButton"_s, tr("Retry"), bar);
    m_remove = addButton(u"jobsRemoveButton"_s, tr("Remove"), bar);
    m_folder = addButton(u"jobsFolderButton"_s, tr("Show folder"), bar);
    m_log = addButton(u"jobsLogButton"_s, tr("Log"), bar);
    bar->addStretch(1);
    auto* open = addButton(u"jobsOpenSweepButton"_s, {}, bar);
    open->setDefaultAction(actions[kActionOpenSweep]);
    open->setAccessibleName(tr("Open a sweep"));
    auto* hold = addButton(u"jobsHoldButton"_s, {}, bar);
    hold->setDefaultAction(actions[kActionHold]);
    hold->setAccessibleName(tr("Hold queue"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(bar);
    layout->addWidget(m_notice);
    layout->addWidget(m_stack, 1);

    connect(m_cancel, &QToolButton::clicked, this, [this] {
        currentSweep() != 0 ? m_sweeps.cancel(currentSweep()) : m_queue.cancel(currentJob());
    });
    connect(m_force, &QToolButton::clicked, this, [this] { m_queue.forceStop(currentJob()); });
    connect(m_retry, &QToolButton::clicked, this, [this] {
        const auto* job = m_queue.find(currentJob());
        if (currentSweep() != 0) {
            m_sweeps.retry(currentSweep());
        } else if (job != nullptr && job->state == JobState::Away) {
            m_queue.collectNow(job->id);
        } else {
            m_queue.retry(currentJob());
        }
    });
    connect(m_remove, &QToolButton::clicked, this, [this] {
        currentSweep() != 0 ? m_sweeps.remove(currentSweep()) : m_queue.remove(currentJob());
    });
    connect(m_folder, &QToolButton::clicked, this, &JobsPane::showFolder);
    connect(m_log, &QToolButton::clicked, this, &JobsPane::showLog);
    connect(m_view->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            &JobsPane::showButtons);
    connect(&m_queue, &JobQueue::jobsChanged, this, &JobsPane::showJobs);
    connect(&m_queue, &JobQueue::progressed, this, &JobsPane::showJobs);
    connect(&m_sweeps, &Sweeps::changed, this, &JobsPane::showJobs);
    connect(&m_queue, &JobQueue::heldChanged, this, [this](bool held, const QString& reason) {
        m_notice->setText(reason);
        m_notice->setVisible(held && !reason.isEmpty());
    });
    m_clock = new QTimer(this);
    m_clock->setInterval(1000);
    connect(m_clock, &QTimer::timeout, this, &JobsPane::showJobs);
    m_lastSweep = sweeps.sweeps().empty() ? 0 : sweeps.sweeps().back().id;
    showJobs();
}

QToolButton* JobsPane::addButton(const QString& name, const QString& text, QHBoxLayout* bar) {
    auto* button = new QToolButton(this);
    button->setObjectName(name);
    button->setText(text);
    button->setAccessibleName(text);
    button->setAutoRaise(true);
    button->setFocusPolicy(Qt::StrongFocus);
    bar->addWidget(button);
    return button;
}

QString JobsPane::stateText(const Job& job) const {
    switch (job.state) {
    case JobState::Queued:
        return m_queue.held() ? tr("held") : tr("waiting");
    case JobState::Running:
        if (job.copy.total > 0) {
            return job.copy.copying ? tr("copying to %1").arg(job.machine) : tr("comparing files with %1").arg(job.machine);
        }
        return job.silent      ? tr("running, no sign of life")
               : job.paused    ? tr("paused")
               : job.finishing ? tr("ending with the best so far")
                               : tr("running");
    case JobState::Stopping:
        return tr("stopping");
    case JobState::Away:
        return (job.cancelWanted ? tr("connection to %1 lost; cancelled when it is back: %2")
                                 : tr("connection to %1 lost; it goes on there and is collected: %2"))
            .arg(job.machine, job.awayReason.isEmpty() ? tr("not reached yet") : job.awayReason);
    default:
        return outcomeText(job);
    }
}

void JobsPane::showJobs() {
    std::vector<widgets::JobRow> rows;
    const qint64 now = QDateTime::currentMSecsSinceEpoch();
    bool running = false;
    for (const auto& job : m_queue.jobs()) {
        widgets::JobRow row;
        row.id = job.id;
        row.title = job.title;
        row.state = stateText(job);
        row.active = isActive(job);
        row.failed = job.state == JobState::Failed;
        row.toolTip = row.state;
        if (row.active) {
            running = true;
            row.stage = text(job.progress);
            if (job.copy.total > 0) {
                row.stage = tr("%1 of %2").arg(megabytes(job.copy.done), megabytes(job.copy.total));
                row.share = static_cast<double>(job.copy.done) / static_cast<double>(job.copy.total);
            } else if (job.progress.total > 0) {
                row.share = static_cast<double>(job.progress.done) /
                            static_cast<double>(job.progress.total);
            }
            const double left = job.secondsLeft(now);
            row.timeLeft = left < 0.0 ? QString() : duration(left);
        }
        rows.push_back(std::move(row));
    }
    for (const auto& sweep : m_sweeps.sweeps()) {
        rows.push_back(rowOf(sweep));
    }
    m_stack->setCurrentWidget(rows.empty() ? static_cast<QWidget*>(m_empty) : m_view);
    m_model->setJobs(std::move(rows));
    showRunning();
    if (!m_view->currentIndex().isValid() && m_model->rowCount() > 0) {
        m_view->setCurrentIndex(m_model->index(m_model->rowCount() - 1, 0));
    }
    if (running != m_clock->isActive()) {
        running ? m_clock->start() : m_clock->stop();
    }
    showButtons();
}

/// Only a running job has a stage and a bar (a sweep has no stage): the others use that room for how they ended. A job
/// that has just started, and a sweep that is new, comes into sight and becomes the current one.
void JobsPane::showRunning() {
    m_view->clearSpans();
    int active = 0;
    for (int row = 0; row < m_model->rowCount(); ++row) {
        const int id = m_model->jobAt(row);
        const auto* job = m_queue.find(id);
        const auto* sweep = m_sweeps.find(-id);
        if (job != nullptr && isActive(*job)) {
            active = id;
        } else if (sweep != nullptr && sweep->isActive()) {
            m_view->setSpan(row, JobsTableModel::State, 1,
                            JobsTableModel::Progress - JobsTableModel::State);
        } else {
            m_view->setSpan(row, JobsTableModel::State, 1,
                            JobsTableModel::ColumnCount - JobsTableModel::State);
        }
    }
    if (active != 0 && active != m_lastActive) {
        bringIntoSight(active);
    }
    m_lastActive = active;
    const auto& sweeps = m_sweeps.sweeps();
    if (!sweeps.empty() && sweeps.back().id > m_lastSweep) {
        m_lastSweep = sweeps.back().id;
        bringIntoSight(-m_lastSweep);
    }
}

void JobsPane::bringIntoSight(int id) {
    const auto index = m_model->index(m_model->rowOfJob(id), JobsTableModel::Title);
    m_view->setCurrentIndex(index);
    m_view->scrollTo(index);
}

int JobsPane::currentJob() const {
    const auto index = m_view->currentIndex();
    return index.isValid() ? m_model->jobAt(index.row()) : 0;
}

int JobsPane::currentSweep() const { return std::max(0, -currentJob()); }

void JobsPane::showSweepButtons(const FollowedSweep& sweep) {
    m_cancel->setEnabled(sweep.canCancel());
    m_force->setVisible(false);
    m_retry->setText(tr("Retry"));
    m_retry->setAccessibleName(m_retry->text());
    m_retry->setEnabled(sweep.canRetry());
    m_retry->setToolTip(
        tr("Failed runs wait again, and where nobody works on the sweep it goes on"));
    m_remove->setEnabled(true);
    m_remove->setToolTip(tr("Off this list; the folder stays, and whoever works on it goes on"));
    m_folder->setVisible(true);
    m_log->setEnabled(true);
}

void JobsPane::showButtons() {
    if (const auto* sweep = m_sweeps.find(currentSweep())) {
        showSweepButtons(*sweep);
        return;
    }
    m_retry->setToolTip({});
    m_remove->setToolTip({});
    const auto* job = m_queue.find(currentJob());
    const bool any = job != nullptr;
    const bool active = any && isActive(*job);
    const bool away = any && job->state == JobState::Away;
    const bool ended = any && !active && !away && job->state != JobState::Queued;
    m_cancel->setEnabled(any &&
                         (job->state == JobState::Queued || job->state == JobState::Running ||
                          (away && !job->cancelWanted)));
    m_force->setEnabled((active && (job->silent || job->state == JobState::Stopping)) || (away && job->cancelWanted));
    m_force->setVisible(active || away);
    m_retry->setText(away ? tr("Collect now") : tr("Retry"));
    m_retry->setAccessibleName(m_retry->text());
    m_retry->setEnabled(away || (ended && job->state != JobState::Finished));
    m_remove->setEnabled(ended);
    const bool exported =
        any && job->kind == QLatin1String(jobs::kJobExport) && job->state == JobState::Finished;
    m_folder->setVisible(exported);
    m_log->setEnabled(any);
}

void JobsPane::showFolder() {
    if (const auto* sweep = m_sweeps.find(currentSweep())) {
        QDesktopServices::openUrl(QUrl::fromLocalFile(sweep->folder));
    } else if (const auto* job = m_queue.find(currentJob())) {
        QDesktopServices::openUrl(QUrl::fromLocalFile(exportFolder(*job)));
    }
}

void JobsPane::showLog() {
    if (m_sweeps.find(currentSweep()) != nullptr) {
        m_dialogs.show(new SweepDialog(m_sweeps, currentSweep(), this));
    } else {
        m_dialogs.show(new LogDialog(m_queue.find(currentJob()), m_queue.log(currentJob()), this));
    }
}

}  // namespace pareto::studio
