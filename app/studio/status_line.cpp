#include "app/studio/status_line.h"

#include <algorithm>

#include <QDateTime>
#include <QFileInfo>
#include <QLabel>
#include <QProgressBar>
#include <QStatusBar>

#include "app/studio/job_queue.h"
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
    m_stage = new QLabel(bar);
    m_stage->setObjectName(u"statusStageLabel"_s);
    m_bar = new QProgressBar(bar);
    m_bar->setObjectName(u"statusProgressBar"_s);
    m_bar->setAccessibleName(tr("Progress of the running job"));
    m_bar->setMaximumSize(180, 14);
    m_bar->setTextVisible(false);
    m_state = new QLabel(bar);
    m_state->setObjectName(u"statusStateLabel"_s);
    bar->addWidget(m_stage);
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
    if (job == nullptr) {
        m_stage->setText(opening ? text(Stage::Opening) : QString());
        m_bar->setRange(0, 0);
        return;
    }
    QString line = job->title + u": "_s + text(job->progress);
    const double left = job->secondsLeft(QDateTime::currentMSecsSinceEpoch());
    if (left >= 0.0) {
        line += u" · "_s + tr("%1 left").arg(duration(left));
    }
    m_stage->setText(line);
    if (job->progress.total > 0) {
        m_bar->setRange(0, 1000);
        m_bar->setValue(static_cast<int>(job->progress.done * 1000 / job->progress.total));
    } else {
        m_bar->setRange(0, 0);
    }
}

QString StatusLine::workerText() const {
    const auto& worker = m_services.worker;
    switch (worker.state()) {
    case WorkerClient::State::Off:
        return tr("worker: not started");
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
