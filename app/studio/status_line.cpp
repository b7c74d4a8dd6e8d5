#include "app/studio/status_line.h"

#include <algorithm>

#include <QDateTime>
#include <QDesktopServices>
#include <QFileInfo>
#include <QLabel>
#include <QProgressBar>
#include <QStatusBar>
#include <QToolButton>
#include <QUrl>

#include "app/studio/job_queue.h"
#include "app/studio/job_texts.h"
#include "app/studio/main_window.h"
#include "app/studio/runs.h"
#include "app/studio/store_thread.h"
#include "app/studio/texts.h"
#include "app/studio/worker_client.h"
#include "app/studio/workspace.h"
#include "widgets/support/elided_label.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

StatusLine::StatusLine(const Services& services, MainWindow& window)
    : QObject(&window), m_services(services) {
    auto* bar = window.statusBar();
    bar->setObjectName(u"statusBar"_s);
    m_stage = new widgets::ElidedLabel(bar);
    m_stage->setObjectName(u"statusStageLabel"_s);
    m_bar = new QProgressBar(bar);
    m_bar->setObjectName(u"statusProgressBar"_s);
    m_bar->setAccessibleName(tr("Progress of the running job"));
    m_bar->setMaximumSize(180, 14);
    m_bar->setTextVisible(false);
    m_state = new QLabel(bar);
    m_state->setObjectName(u"statusStateLabel"_s);
    m_act = new QToolButton(bar);
    m_act->setObjectName(u"statusActButton"_s);
    m_act->setAutoRaise(true);
    m_act->setFocusPolicy(Qt::StrongFocus);
    m_act->setText(tr("Retry"));
    m_act->setAccessibleName(tr("Retry"));
    m_act->hide();
    connect(m_act, &QToolButton::clicked, this, &StatusLine::actOnOutcome);
    bar->addWidget(m_stage, 1);
    bar->addWidget(m_act);
    bar->addWidget(m_bar);
    bar->addPermanentWidget(m_state);
    connect(&services.queue, &JobQueue::jobsChanged, this, &StatusLine::showProgress);
    connect(&services.queue, &JobQueue::progressed, this, &StatusLine::showProgress);
    connect(&services.queue, &JobQueue::progressed, this, &StatusLine::showState);
    connect(&services.worker, &WorkerClient::stateChanged, this, &StatusLine::showState);
    connect(&services.runs, &Runs::changed, this, &StatusLine::showState);
    connect(&services.workspace, &Workspace::openingChanged, this, &StatusLine::showProgress);
    showProgress();
    showState();
}

void StatusLine::showProgress() {
    const auto* job = m_services.queue.running();
    const bool opening = m_services.workspace.opening();
    m_bar->setVisible(job != nullptr || opening);
    m_act->hide();
    if (job == nullptr) {
        m_bar->setRange(0, 0);
        if (opening) {
            m_stage->setFullText(text(Stage::Opening));
        } else {
            showOutcome();
        }
        return;
    }
    QString line = job->title + u": "_s + text(job->progress);
    const double left = job->secondsLeft(QDateTime::currentMSecsSinceEpoch());
    if (left >= 0.0) {
        line += u" · "_s + tr("%1 left").arg(duration(left));
    }
    m_stage->setFullText(line);
    if (job->progress.total > 0) {
        m_bar->setRange(0, 1000);
        m_bar->setValue(static_cast<int>(job->progress.done * 1000 / job->progress.total));
    } else {
        m_bar->setRange(0, 0);
    }
}

/// How the job ended that ended last, and what can be done about it.
void StatusLine::showOutcome() {
    const Job* last = nullptr;
    for (const auto& job : m_services.queue.jobs()) {
        if (job.finishedAt > 0 && job.state != JobState::Queued &&
            (last == nullptr || job.finishedAt >= last->finishedAt)) {
            last = &job;
        }
    }
    m_ended = last == nullptr ? 0 : last->id;
    if (last == nullptr) {
        m_stage->setFullText({});
        return;
    }
    const QString folder = exportFolder(*last);
    m_stage->setFullText(folder.isEmpty()
                             ? last->title + u": "_s + outcomeText(*last)
                             : tr("Exported to %1 · %2", "folder, outcome")
                                   .arg(folder, outcomeText(*last)));
    const QString act = !folder.isEmpty()                   ? tr("Show folder")
                        : last->state == JobState::Failed ? tr("Retry")
                                                            : QString();
    m_act->setText(act);
    m_act->setAccessibleName(act);
    m_act->setVisible(!act.isEmpty());
}

void StatusLine::actOnOutcome() {
    const auto* job = m_services.queue.find(m_ended);
    if (job == nullptr) {
        return;
    }
    if (const QString folder = exportFolder(*job); !folder.isEmpty()) {
        QDesktopServices::openUrl(QUrl::fromLocalFile(folder));
    } else {
        m_services.queue.retry(job->id);
    }
}

QString StatusLine::workerText() const {
    const auto& worker = m_services.worker;
    switch (worker.state()) {
    case WorkerClient::State::Off:
        return tr("worker: not running");
    case WorkerClient::State::Starting:
        return tr("worker: starting");
    case WorkerClient::State::Ready:
        break;
    case WorkerClient::State::Busy:
        return worker.residentBytes() == 0
                   ? tr("worker: busy")
                   : tr("worker: busy, %1").arg(megabytes(worker.residentBytes()));
    }
    return worker.residentBytes() == 0
               ? tr("worker: ready")
               : tr("worker: ready, %1").arg(megabytes(worker.residentBytes()));
}

void StatusLine::showState() {
    const auto& rows = m_services.runs.frame()->rows();
    const auto runs =
        std::count_if(rows.begin(), rows.end(), [](const auto& run) { return !run.deleted; });
    QStringList parts{workerText(), tr("%n run(s)", nullptr, static_cast<int>(runs)),
                      QFileInfo(m_services.store.path()).fileName()};
    if (m_services.store.readOnly()) {
        parts.last() += u' ' + tr("(read only)");
    }
    m_state->setText(parts.join(u" · "_s));
    m_state->setToolTip(m_services.store.path());
}

}  // namespace pareto::studio
