#include "app/studio/job_queue.h"

#include <algorithm>

#include <QCoreApplication>
#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QSaveFile>

#include "app/studio/store_thread.h"
#include "app/studio/worker_client.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

constexpr int kTroublesThatHold = 3;
constexpr int kProgressMs = 500;  ///< repaints while a latency is timed cost accuracy

qint64 now() { return QDateTime::currentMSecsSinceEpoch(); }

bool pendingState(JobState state) {
    return state == JobState::Queued || state == JobState::Running || state == JobState::Stopping;
}

Json ownerToJson(const store::Owner& owner) {
    return {{"machine", owner.machine},
            {"boot", owner.bootId},
            {"pid", owner.pid},
            {"start", owner.startTime}};
}

store::Owner ownerFromJson(const Json& json) {
    store::Owner owner;
    owner.machine = json.value("machine", std::string{});
    owner.bootId = json.value("boot", std::string{});
    owner.pid = json.value("pid", std::int64_t{0});
    owner.startTime = json.value("start", std::int64_t{0});
    return owner;
}

}  // namespace

double Job::secondsLeft(qint64 at) const {
    if (state != JobState::Running || paused || progress.total <= 0 || progress.done <= 0) {
        return -1.0;
    }
    const double spent = static_cast<double>(at - stageStartedAt) / 1000.0;
    const double share = static_cast<double>(progress.done) / static_cast<double>(progress.total);
    return spent < 1.0 ? -1.0 : std::max(0.0, spent / share - spent);
}

JobQueue::JobQueue(WorkerClient& worker, StoreThread& store, QString folder, QObject* parent)
    : QObject(parent), m_worker(worker), m_store(store), m_folder(std::move(folder)) {
    connect(&worker, &WorkerClient::progress, this, &JobQueue::onProgress);
    connect(&worker, &WorkerClient::event, this, [this](const Json& event) {
        if (m_active != 0) {
            Q_EMIT partial(m_active, event);
        }
    });
    connect(&worker, &WorkerClient::result, this, &JobQueue::onResult);
    connect(&worker, &WorkerClient::cancelled, this, &JobQueue::onCancelled);
    connect(&worker, &WorkerClient::failed, this, &JobQueue::onFailed);
    connect(&worker, &WorkerClient::silentChanged, this, &JobQueue::onSilent);
    // The worker may have been lent (the playground).
    connect(&worker, &WorkerClient::jobEnded, this, &JobQueue::startNext);
    restore();
}

JobQueue::~JobQueue() { persist(); }

const Job* JobQueue::find(int id) const { return const_cast<JobQueue*>(this)->edit(id); }

Job* JobQueue::edit(int id) {
    const auto found =
        std::find_if(m_jobs.begin(), m_jobs.end(), [id](const Job& job) { return job.id == id; });
    return found == m_jobs.end() ? nullptr : &*found;
}

int JobQueue::pending() const {
    return static_cast<int>(std::count_if(m_jobs.begin(), m_jobs.end(),
                                          [](const Job& job) { return pendingState(job.state); }));
}

const Job* JobQueue::running() const { return m_active == 0 ? nullptr : find(m_active); }

QString JobQueue::log() const { return m_worker.log(); }

int JobQueue::add(Job job) {
    job.id = ++m_lastId;
    m_jobs.push_back(std::move(job));
    persist();
    Q_EMIT jobsChanged();
    // Not before the caller has its id and has queued what belongs together.
    QMetaObject::invokeMethod(this, &JobQueue::startNext, Qt::QueuedConnection);
    return m_lastId;
}

int JobQueue::addRun(const jobs::RunParams& params, const QString& title) {
    Job job;
    job.title = title;
    job.kind = QString::fromLatin1(jobs::kJobRun);
    auto named = params;
    named.name = title.toStdString();
    job.params = jobs::toJson(named);
    return add(std::move(job));
}

int JobQueue::addExport(const jobs::ExportParams& params, const QString& title, std::int64_t run) {
    Job job;
    job.title = title;
    job.kind = QString::fromLatin1(jobs::kJobExport);
    job.params = jobs::toJson(params);
    job.run = run;
    return add(std::move(job));
}

int JobQueue::addProfile(const jobs::ProfileParams& params, const QString& title) {
    Job job;
    job.title = title;
    job.kind = QString::fromLatin1(jobs::kJobProfile);
    job.params = jobs::toJson(params);
    return add(std::move(job));
}

void JobQueue::startNext() {
    if (m_active != 0 || m_held || m_worker.jobActive()) {
        return;
    }
    const auto next = std::find_if(m_jobs.begin(), m_jobs.end(),
                                   [](const Job& job) { return job.state == JobState::Queued; });
    if (next == m_jobs.end()) {
        return;
    }
    const int id = next->id;
    m_active = id;
    next->state = JobState::Running;
    next->error.reset();
    next->progress = {};
    next->startedAt = next->stageStartedAt = now();
    Q_EMIT jobsChanged();
    if (next->uncommitted) {
        commit(id, next->uncommitted);
        return;
    }
    if (next->kind != QLatin1String(jobs::kJobRun)) {
        send(id);
        return;
    }
    const auto params = jobs::runParamsFromJson(next->params);
    if (!params.ok()) {
        finish(id, JobState::Failed, params.error());
        return;
    }
    const auto record = jobs::recordOf(params.value());
    m_store.ask<std::int64_t>(
        [record](store::Store& store) {
            return store.beginRun(record, store::Owner::thisProcess());
        },
        this,
        [this, id](Result<std::int64_t> run) {
            auto* job = edit(id);
            if (job == nullptr) {
                return;
            }
            if (!run.ok()) {
                finish(id, JobState::Failed, run.error());
                return;
            }
            job->run = run.value();
            Q_EMIT runCommitted(job->run);
            if (job->state == JobState::Stopping) {
                onCancelled();
            } else {
                send(id);
            }
        });
}

void JobQueue::send(int id) {
    const auto* job = find(id);
    m_worker.start(job->kind, job->params);
}

void JobQueue::finish(int id, JobState state, std::optional<Error> error) {
    auto* job = edit(id);
    job->state = state;
    job->error = std::move(error);
    job->finishedAt = now();
    job->silent = job->paused = job->finishing = false;
    if (m_active == id) {
        m_active = 0;
    }
    persist();
    Q_EMIT jobsChanged();
    startNext();
}

void JobQueue::commit(int id, std::shared_ptr<RunRecord> record) {
    m_store.ask<std::int64_t>([record](store::Store& store) { return store.finishRun(*record); },
                              this,
                              [this, id, record](Result<std::int64_t> run) {
                                  auto* job = edit(id);
                                  if (!run.ok()) {
                                      job->uncommitted = record;
                                      finish(id, JobState::Failed, run.error());
                                      return;
                                  }
                                  job->uncommitted.reset();
                                  job->run = run.value();
                                  Q_EMIT runCommitted(job->run);
                                  finish(id, JobState::Finished);
                              });
}

void JobQueue::storeEnd(const Job& job, RunStatus status) {
    if (job.kind != QLatin1String(jobs::kJobRun) || job.run == 0) {
        return;
    }
    const auto params = jobs::runParamsFromJson(job.params);
    if (!params.ok()) {
        return;
    }
    auto record = jobs::recordOf(params.value());
    record.startedAt = job.startedAt;
    record.id = job.run;
    record.status = status;
    record.finishedAt = now();
    if (job.error) {
        record.error = *job.error;
    }
    m_store.ask<std::int64_t>([record](store::Store& store) { return store.finishRun(record); },
                              this,
                              [this](Result<std::int64_t> run) {
                                  if (run.ok()) {
                                      Q_EMIT runCommitted(run.value());
                                  }
                              });
}

void JobQueue::onProgress(const ProgressSnapshot& progress) {
    auto* job = edit(m_active);
    if (job == nullptr) {
        return;
    }
    const auto time = now();
    const bool newStage = progress.stage != job->progress.stage;
    if (newStage) {
        job->stageStartedAt = time;
    }
    job->progress = progress;
    job->residentBytes = m_worker.residentBytes();
    if (newStage || time - m_lastProgressAt >= kProgressMs) {
        m_lastProgressAt = time;
        Q_EMIT progressed(m_active);
    }
}

void JobQueue::onResult(const Json& result) {
    auto* job = edit(m_active);
    if (job == nullptr) {
        return;
    }
    m_troubleInARow = 0;
    if (job->kind == QLatin1String(jobs::kJobProfile)) {
        job->result = result;
        finish(m_active, JobState::Finished);
        return;
    }
    if (job->kind != QLatin1String(jobs::kJobRun)) {
        job->result = result;
        const int id = m_active;
        const auto written = jobs::exportResultFromJson(result);
        if (written.ok() && job->run != 0) {
            m_store.ask<Done>([run = job->run, path = written->path](
                                  store::Store& store) { return store.setExport(run, path); },
                              this, [](Result<Done>) {});
        }
        finish(id, JobState::Finished);
        Q_EMIT exportFinished(id);
        return;
    }
    auto record = runRecordFromJson(result);
    if (!record.ok()) {
        onFailed(record.error(), false);
        return;
    }
    record.value().id = job->run;
    record.value().name = job->title.toStdString();
    commit(m_active, std::make_shared<RunRecord>(std::move(record).value()));
}

void JobQueue::onCancelled() {
    if (auto* job = edit(m_active)) {
        storeEnd(*job, RunStatus::Cancelled);
        finish(job->id, JobState::Cancelled);
    }
}

void JobQueue::onFailed(const Error& error, bool trouble) {
    auto* job = edit(m_active);
    if (job == nullptr) {
        return;
    }
    m_troubleInARow = trouble ? m_troubleInARow + 1 : 0;
    if (job->state == JobState::Stopping && trouble) {
        onCancelled();
        return;
    }
    if (m_troubleInARow >= kTroublesThatHold && !m_held) {
        m_held = true;
        m_troubleInARow = 0;
        Q_EMIT heldChanged(true,
                           tr("The worker failed three times in a row, so the queue is held."));
    }
    job->error = error;
    storeEnd(*job, RunStatus::Failed);
    finish(job->id, JobState::Failed, error);
}

void JobQueue::onSilent(bool silent) {
    if (auto* job = edit(m_active)) {
        job->silent = silent;
        Q_EMIT jobsChanged();
    }
}

void JobQueue::cancel(int id) {
    auto* job = edit(id);
    if (job == nullptr) {
        return;
    }
    if (job->state == JobState::Queued) {
        finish(id, JobState::Cancelled);
    } else if (job->state == JobState::Running) {
        job->state = JobState::Stopping;
        Q_EMIT jobsChanged();
        m_worker.cancel();
    }
}

void JobQueue::setPaused(int id, bool paused) {
    auto* job = edit(id);
    if (job == nullptr || job->state != JobState::Running || job->paused == paused || job->finishing) {
        return;
    }
    job->paused = paused;
    if (paused) {
        job->pausedAt = now();
    } else {
        job->stageStartedAt += now() - job->pausedAt;  // the time left knows no pauses
    }
    m_worker.control(paused ? jobs::ControlAction::Pause : jobs::ControlAction::Resume);
    Q_EMIT jobsChanged();
}

void JobQueue::finishEarly(int id) {
    auto* job = edit(id);
    if (job == nullptr || job->state != JobState::Running || job->finishing) {
        return;
    }
    if (job->paused) {
        job->stageStartedAt += now() - job->pausedAt;
    }
    job->finishing = true;
    job->paused = false;
    m_worker.control(jobs::ControlAction::Finish);
    Q_EMIT jobsChanged();
}

void JobQueue::cancelAll() {
    std::vector<int> ids;
    for (const auto& job : m_jobs) {
        if (pendingState(job.state)) {
            ids.push_back(job.id);
        }
    }
    std::reverse(ids.begin(), ids.end());  // the running one last, so that none of them starts
    for (const int id : ids) {
        cancel(id);
    }
}

void JobQueue::forceStop() {
    if (auto* job = edit(m_active)) {
        job->state = JobState::Stopping;
        m_worker.forceStop();
    }
}

void JobQueue::retry(int id) {
    auto* job = edit(id);
    if (job == nullptr || pendingState(job->state) || job->state == JobState::Finished) {
        return;
    }
    Job again = *job;
    again.state = JobState::Queued;
    again.error.reset();
    again.progress = {};
    again.finishedAt = 0;
    if (again.kind == QLatin1String(jobs::kJobRun) && !again.uncommitted) {
        again.run = 0;
    }
    std::erase_if(m_jobs, [id](const Job& other) { return other.id == id; });
    m_jobs.push_back(std::move(again));
    persist();
    Q_EMIT jobsChanged();
    QMetaObject::invokeMethod(this, &JobQueue::startNext, Qt::QueuedConnection);
}

void JobQueue::remove(int id) {
    const auto* job = find(id);
    if (job == nullptr || pendingState(job->state)) {
        return;
    }
    std::erase_if(m_jobs, [id](const Job& other) { return other.id == id; });
    persist();
    Q_EMIT jobsChanged();
}

void JobQueue::setHeld(bool held) {
    if (held == m_held) {
        return;
    }
    m_held = held;
    Q_EMIT heldChanged(held, {});
    Q_EMIT jobsChanged();
    if (!held) {
        startNext();
    }
}

QString JobQueue::ownFile() const {
    return m_folder + u"/jobs-"_s + QString::number(QCoreApplication::applicationPid()) +
           u".json"_s;
}

/// Jobs that have not ended, and those that wait for Retry after an interruption.
void JobQueue::persist() {
    if (m_folder.isEmpty()) {
        return;
    }
    Json list = Json::array();
    for (const auto& job : m_jobs) {
        if (pendingState(job.state) || job.state == JobState::Interrupted) {
            list.push_back({{"title", job.title.toStdString()},
                            {"kind", job.kind.toStdString()},
                            {"params", job.params},
                            {"run", job.kind == QLatin1String(jobs::kJobRun) ? 0 : job.run}});
        }
    }
    if (list.empty()) {
        QFile::remove(ownFile());
        return;
    }
    QDir().mkpath(m_folder);
    QSaveFile out(ownFile());
    if (out.open(QIODevice::WriteOnly)) {
        const Json document{{"owner", ownerToJson(store::Owner::thisProcess())}, {"jobs", list}};
        out.write(QByteArray::fromStdString(
            document.dump(-1, ' ', false, Json::error_handler_t::replace)));
        out.commit();
    }
}

/// Takes over the queues of windows whose process is gone.
void JobQueue::restore() {
    if (m_folder.isEmpty()) {
        return;
    }
    const QDir folder(m_folder);
    const auto files =
        folder.entryInfoList({u"jobs-*.json"_s}, QDir::Files, QDir::Time | QDir::Reversed);
    for (const auto& file : files) {
        const auto json = readJsonFile(file.absoluteFilePath().toStdString());
        if (!json.ok() || !json->is_object() || !json->contains("jobs") ||
            !json->contains("owner")) {
            continue;
        }
        const auto alive = ownerFromJson(json->at("owner")).alive();
        if (!alive || *alive) {
            continue;
        }
        for (const auto& entry : json->at("jobs")) {
            Job job;
            job.id = ++m_lastId;
            job.state = JobState::Interrupted;
            job.title = QString::fromStdString(entry.value("title", std::string{}));
            job.kind = QString::fromStdString(entry.value("kind", std::string{}));
            job.params = entry.value("params", Json::object());
            job.run = entry.value("run", std::int64_t{0});
            m_jobs.push_back(std::move(job));
        }
        QFile::remove(file.absoluteFilePath());
    }
    persist();
}

}  // namespace pareto::studio
