#include "app/studio/job_queue.h"

#include <algorithm>

#include <QCoreApplication>
#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QSaveFile>
#include <QUuid>

#include "app/studio/store_thread.h"
#include "app/studio/workers.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

constexpr int kTroublesThatHold = 3;
constexpr int kProgressMs = 500;  ///< repaints while a latency is timed cost accuracy

qint64 now() { return QDateTime::currentMSecsSinceEpoch(); }

/// The machine that a job's parameters name. What is written for the user is written here.
QString machineOf(const QString& kind, const Json& params) {
    const auto target = params.find("target");
    const auto exporting = params.find("export_to");
    const bool writes = exporting != params.end() && *exporting != "";
    const bool measures = kind == QLatin1String(jobs::kJobRun) || kind == QLatin1String(jobs::kJobProfile) ||
                          kind == QLatin1String(jobs::kJobScaling);
    if (!measures || writes || target == params.end() || !target->is_object()) {
        return Workers::localName();
    }
    return QString::fromStdString(target->value("machine", Workers::localName().toStdString()));
}

/// A record of another machine, with the names that model, recipe and data have here.
RunRecord asAskedHere(RunRecord record, const Job& job) {
    const auto params = jobs::runParamsFromJson(job.params);
    if (!params.ok()) {
        return record;
    }
    const auto asked = jobs::recordOf(params.value());
    record.details["remote"] = {{"host", job.machine.toStdString()}, {"model", record.modelPath}};
    record.modelPath = asked.modelPath;
    record.modelName = asked.modelName;
    record.recipe = asked.recipe;
    record.recipeName = asked.recipeName;
    record.recipeHash = asked.recipeHash;
    record.recipeSummary = asked.recipeSummary;
    record.task = asked.task;
    record.taskName = asked.taskName;
    record.targetText = job.machine.toStdString() + " · " + record.targetText;
    return record;
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

bool Job::isPending() const {
    return state == JobState::Queued || state == JobState::Running || state == JobState::Stopping ||
           state == JobState::Away;
}

double Job::secondsLeft(qint64 at) const {
    if (state != JobState::Running || paused || progress.total <= 0 || progress.done <= 0) {
        return -1.0;
    }
    const double spent = static_cast<double>(at - stageStartedAt) / 1000.0;
    const double share = static_cast<double>(progress.done) / static_cast<double>(progress.total);
    return spent < 1.0 ? -1.0 : std::max(0.0, spent / share - spent);
}

JobQueue::JobQueue(Workers& workers, StoreThread& store, QString folder, QObject* parent)
    : QObject(parent), m_workers(workers), m_store(store), m_folder(std::move(folder)) {
    m_retry.setInterval(1000);
    connect(&m_retry, &QTimer::timeout, this, qOverload<>(&JobQueue::startNext));
    laneOf(Workers::localName());
    restore();
}

JobQueue::Lane& JobQueue::laneOf(const QString& machine) {
    auto& lane = m_lanes[machine];
    if (!lane) {
        lane = std::make_unique<Lane>();
        lane->machine = machine;
    }
    Courier& courier = m_workers.courier(machine);
    if (lane->courier != &courier) {  // a host's settings may have been changed since
        lane->courier = &courier;
        connectLane(*lane);
    }
    return *lane;
}

void JobQueue::connectLane(Lane& lane) {
    auto& courier = *lane.courier;
    auto* at = &lane;
    connect(&courier, &Courier::copied, this, [this, at](const CopyProgress& copy) { onCopied(*at, copy); });
    connect(&courier, &Courier::sent, this, [this, at](const QString& id) { onSent(*at, id); });
    connect(&courier, &Courier::progress, this, [this, at](const ProgressSnapshot& progress) { onProgress(*at, progress); });
    connect(&courier, &Courier::event, this, [this, at](const Json& event) {
        if (at->active != 0) {
            Q_EMIT partial(at->active, event);
        }
    });
    connect(&courier, &Courier::result, this, [this, at](const Json& result) { onResult(*at, result); });
    connect(&courier, &Courier::cancelled, this, [this, at] { onCancelled(*at); });
    connect(&courier, &Courier::failed, this, [this, at](const Error& error, bool trouble) { onFailed(*at, error, trouble); });
    connect(&courier, &Courier::lost, this, [this, at](const QString& reason) { onLost(*at, reason); });
    connect(&courier, &Courier::absent, this, [this, at] { onAbsent(*at); });
    connect(&courier.worker(), &WorkerClient::silentChanged, this, [this, at](bool silent) { onSilent(*at, silent); });
    // The worker may have been lent (the playground).
    connect(&courier.worker(), &WorkerClient::jobEnded, this, qOverload<>(&JobQueue::startNext));
}

JobQueue::Lane* JobQueue::activeLane(int id) {
    for (const auto& [machine, lane] : m_lanes) {
        if (id != 0 && lane->active == id) {
            return lane.get();
        }
    }
    return nullptr;
}

JobQueue::~JobQueue() { persist(); }

const Job* JobQueue::find(int id) const { return const_cast<JobQueue*>(this)->edit(id); }

Job* JobQueue::edit(int id) {
    const auto found =
        std::find_if(m_jobs.begin(), m_jobs.end(), [id](const Job& job) { return job.id == id; });
    return found == m_jobs.end() ? nullptr : &*found;
}

const Job* JobQueue::newest(const char* kind, const std::string& model, bool finished) const {
    const auto found = std::find_if(m_jobs.rbegin(), m_jobs.rend(), [&](const Job& job) {
        return job.kind == QLatin1String(kind) && job.params.value("model", std::string()) == model &&
               (!finished || job.state == JobState::Finished);
    });
    return found == m_jobs.rend() ? nullptr : &*found;
}

int JobQueue::pending() const {
    return static_cast<int>(std::count_if(m_jobs.begin(), m_jobs.end(),
                                          [](const Job& job) { return job.isPending(); }));
}

int JobQueue::pendingHere() const {
    return static_cast<int>(std::count_if(m_jobs.begin(), m_jobs.end(), [](const Job& job) {
        return job.isPending() && job.remoteId.isEmpty();
    }));
}

const Job* JobQueue::runningHere() const {
    const auto& lane = m_lanes.at(Workers::localName());
    return lane->active == 0 ? nullptr : find(lane->active);
}

bool JobQueue::waitsHere() const {
    return std::any_of(m_jobs.begin(), m_jobs.end(), [](const Job& job) {
        return job.state == JobState::Queued && job.machine == Workers::localName();
    });
}

const Job* JobQueue::running() const {
    if (const auto* here = runningHere()) {
        return here;
    }
    for (const auto& [machine, lane] : m_lanes) {
        if (lane->active != 0) {
            return find(lane->active);
        }
    }
    return nullptr;
}

QString JobQueue::log(int id) const {
    const auto* job = find(id);
    return m_workers.worker(job == nullptr ? Workers::localName() : job->machine).log();
}

int JobQueue::add(Job job) {
    job.id = ++m_lastId;
    job.machine = machineOf(job.kind, job.params);
    m_jobs.push_back(std::move(job));
    persist();
    Q_EMIT jobsChanged();
    // Not before the caller has its id and has queued what belongs together.
    QMetaObject::invokeMethod(this, qOverload<>(&JobQueue::startNext), Qt::QueuedConnection);
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

int JobQueue::addScaling(const jobs::ScalingParams& params, const QString& title) {
    Job job;
    job.title = title;
    job.kind = QString::fromLatin1(jobs::kJobScaling);
    job.params = jobs::toJson(params);
    return add(std::move(job));
}

void JobQueue::startNext() {
    std::vector<QString> machines;
    bool away = false;
    for (const auto& job : m_jobs) {
        away = away || job.state == JobState::Away;
        if ((job.state == JobState::Queued || job.state == JobState::Away) &&
            std::find(machines.begin(), machines.end(), job.machine) == machines.end()) {
            machines.push_back(job.machine);
        }
    }
    for (const auto& machine : machines) {
        if (auto& lane = laneOf(machine); lane.active == 0) {
            startNext(lane);
        }
    }
    if (away != m_retry.isActive()) {
        away ? m_retry.start() : m_retry.stop();
    }
}

void JobQueue::startNext(Lane& lane) {
    if (lane.courier->isActive() || lane.courier->worker().jobActive()) {
        return;
    }
    const auto first = [&](JobState state) {
        return std::find_if(m_jobs.begin(), m_jobs.end(), [&](const Job& job) {
            return job.state == state && job.machine == lane.machine;
        });
    };
    // What the machine has comes first: while it cannot be reached nothing else can be sent.
    if (const auto away = first(JobState::Away); away != m_jobs.end()) {
        if (now() >= away->nextTryAt) {
            lane.active = away->id;
            lane.courier->collect(away->remoteId);
        }
        return;
    }
    const auto next = first(JobState::Queued);
    if (m_held || next == m_jobs.end()) {
        return;
    }
    const int id = next->id;
    lane.active = id;
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
                onCancelled(laneOf(job->machine));
            } else {
                send(id);
            }
        });
}

void JobQueue::send(int id) {
    auto* job = edit(id);
    auto& lane = laneOf(job->machine);
    const bool remote = lane.courier->worker().isRemote();
    lane.courier->start(job->kind, job->params,
                        remote ? QUuid::createUuid().toString(QUuid::WithoutBraces) : QString());
}

void JobQueue::finish(int id, JobState state, std::optional<Error> error) {
    auto* job = edit(id);
    job->state = state;
    job->error = std::move(error);
    job->finishedAt = now();
    job->silent = job->paused = job->finishing = job->cancelWanted = false;
    job->copy = {};
    if (auto* lane = activeLane(id)) {
        lane->active = 0;
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
                                  forget(*job);
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

/// The other machine need not keep what has come in.
void JobQueue::forget(const Job& job) {
    if (!job.remoteId.isEmpty()) {
        m_workers.worker(job.machine).forget(job.remoteId);
    }
}

void JobQueue::onProgress(Lane& lane, const ProgressSnapshot& progress) {
    auto* job = edit(lane.active);
    if (job == nullptr) {
        return;
    }
    if (job->state == JobState::Away) {  // it is reached again
        job->state = job->cancelWanted ? JobState::Stopping : JobState::Running;
        job->awayReason.clear();
        if (job->cancelWanted) {
            lane.courier->cancel();
        }
        Q_EMIT jobsChanged();
    }
    const auto time = now();
    const bool newStage = progress.stage != job->progress.stage;
    if (newStage) {
        job->stageStartedAt = time;
    }
    job->progress = progress;
    job->residentBytes = lane.courier->worker().residentBytes();
    if (newStage || time - lane.lastProgressAt >= kProgressMs) {
        lane.lastProgressAt = time;
        Q_EMIT progressed(lane.active);
    }
}

void JobQueue::onCopied(Lane& lane, const CopyProgress& copy) {
    if (auto* job = edit(lane.active)) {
        job->copy = copy;
        if (const auto time = now(); time - lane.lastProgressAt >= kProgressMs) {
            lane.lastProgressAt = time;
            Q_EMIT progressed(lane.active);
        }
    }
}

void JobQueue::onSent(Lane& lane, const QString& id) {
    auto* job = edit(lane.active);
    if (job != nullptr && !id.isEmpty()) {
        job->copy = {};
        job->remoteId = id;
        job->stageStartedAt = now();
        persist();
        Q_EMIT jobsChanged();
    }
}

void JobQueue::onResult(Lane& lane, const Json& result) {
    auto* job = edit(lane.active);
    if (job == nullptr) {
        return;
    }
    lane.troubleInARow = 0;
    const int id = lane.active;
    if (job->kind == QLatin1String(jobs::kJobProfile) || job->kind == QLatin1String(jobs::kJobScaling)) {
        job->result = result;
        forget(*job);
        finish(id, JobState::Finished);
        return;
    }
    if (job->kind != QLatin1String(jobs::kJobRun)) {
        job->result = result;
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
        onFailed(lane, record.error(), false);
        return;
    }
    job->state = JobState::Running;
    record.value().id = job->run;
    record.value().name = job->title.toStdString();
    if (!job->remoteId.isEmpty()) {
        record = asAskedHere(std::move(record).value(), *job);
    }
    commit(id, std::make_shared<RunRecord>(std::move(record).value()));
}

void JobQueue::onCancelled(Lane& lane) {
    if (auto* job = edit(lane.active)) {
        storeEnd(*job, RunStatus::Cancelled);
        forget(*job);
        finish(job->id, JobState::Cancelled);
    }
}

void JobQueue::onFailed(Lane& lane, const Error& error, bool trouble) {
    auto* job = edit(lane.active);
    if (job == nullptr) {
        return;
    }
    lane.troubleInARow = trouble ? lane.troubleInARow + 1 : 0;
    if (job->state == JobState::Stopping && trouble) {
        onCancelled(lane);
        return;
    }
    if (lane.troubleInARow >= kTroublesThatHold && !m_held) {
        m_held = true;
        lane.troubleInARow = 0;
        Q_EMIT heldChanged(true,
                           tr("The worker failed three times in a row, so the queue is held."));
    }
    job->error = error;
    storeEnd(*job, RunStatus::Failed);
    forget(*job);
    finish(job->id, JobState::Failed, error);
}

void JobQueue::onLost(Lane& lane, const QString& reason) {
    auto* job = edit(lane.active);
    lane.active = 0;
    if (job == nullptr) {
        return;
    }
    job->cancelWanted = job->cancelWanted || job->state == JobState::Stopping;
    job->state = JobState::Away;
    job->awayReason = reason;
    job->silent = job->paused = false;
    job->nextTryAt = now() + kRetryMs;
    persist();
    Q_EMIT jobsChanged();
    startNext();
}

void JobQueue::onAbsent(Lane& lane) {
    if (auto* job = edit(lane.active)) {
        job->state = JobState::Running;
        onFailed(lane, makeError(ErrorCode::WorkerCrashed,
                                 {{"reason", tr("%1 does not know the job: it never arrived, or its answer was removed")
                                                 .arg(job->machine)
                                                 .toStdString()}}),
                 false);
    }
}

void JobQueue::onSilent(Lane& lane, bool silent) {
    if (auto* job = edit(lane.active)) {
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
        laneOf(job->machine).courier->cancel();
    } else if (job->state == JobState::Away) {
        job->cancelWanted = true;
        Q_EMIT jobsChanged();
        collectNow(id);
    }
}

void JobQueue::collectNow(int id) {
    auto* job = edit(id);
    if (job != nullptr && job->state == JobState::Away) {
        job->nextTryAt = 0;
        startNext();
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
    m_workers.worker(job->machine).control(paused ? jobs::ControlAction::Pause : jobs::ControlAction::Resume);
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
    m_workers.worker(job->machine).control(jobs::ControlAction::Finish);
    Q_EMIT jobsChanged();
}

void JobQueue::cancelAll() {
    cancelThose([](const Job&) { return true; });
}

void JobQueue::cancelHere() {
    cancelThose([](const Job& job) { return job.remoteId.isEmpty(); });
}

void JobQueue::cancelThose(const std::function<bool(const Job&)>& wanted) {
    std::vector<int> ids;
    for (const auto& job : m_jobs) {
        if (job.isPending() && wanted(job)) {
            ids.push_back(job.id);
        }
    }
    std::reverse(ids.begin(), ids.end());  // the running one last, so that none of them starts
    for (const int id : ids) {
        cancel(id);
    }
}

void JobQueue::forceStop(int id) {
    auto* job = edit(id);
    if (job == nullptr) {
        return;
    }
    if (job->state == JobState::Away) {
        if (auto* lane = activeLane(id)) {
            lane->active = 0;
            lane->courier->forceStop();
        }
        storeEnd(*job, RunStatus::Cancelled);
        finish(id, JobState::Cancelled);
    } else if (auto* lane = activeLane(id)) {
        job->state = JobState::Stopping;
        lane->courier->forceStop();
    }
}

void JobQueue::retry(int id) {
    auto* job = edit(id);
    if (job == nullptr || job->isPending() || job->state == JobState::Finished) {
        return;
    }
    Job again = *job;
    again.state = JobState::Queued;
    again.error.reset();
    again.progress = {};
    again.finishedAt = 0;
    again.remoteId.clear();
    again.awayReason.clear();
    if (again.kind == QLatin1String(jobs::kJobRun) && !again.uncommitted) {
        again.run = 0;
    }
    std::erase_if(m_jobs, [id](const Job& other) { return other.id == id; });
    m_jobs.push_back(std::move(again));
    persist();
    Q_EMIT jobsChanged();
    QMetaObject::invokeMethod(this, qOverload<>(&JobQueue::startNext), Qt::QueuedConnection);
}

void JobQueue::remove(int id) {
    const auto* job = find(id);
    if (job == nullptr || job->isPending()) {
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
        if (job.isPending() || job.state == JobState::Interrupted) {
            const bool remote = !job.remoteId.isEmpty() && job.state != JobState::Interrupted;
            list.push_back({{"title", job.title.toStdString()},
                            {"kind", job.kind.toStdString()},
                            {"params", job.params},
                            {"remote", remote ? job.remoteId.toStdString() : std::string()},
                            {"started", job.startedAt},
                            {"run", !remote && job.kind == QLatin1String(jobs::kJobRun) ? 0 : job.run}});
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
            job.machine = machineOf(job.kind, job.params);
            job.remoteId = QString::fromStdString(entry.value("remote", std::string{}));
            if (!job.remoteId.isEmpty()) {
                job.state = JobState::Away;
                job.startedAt = entry.value("started", std::int64_t{0});
            }
            m_jobs.push_back(std::move(job));
        }
        QFile::remove(file.absoluteFilePath());
    }
    persist();
    QMetaObject::invokeMethod(this, qOverload<>(&JobQueue::startNext), Qt::QueuedConnection);
}

}  // namespace pareto::studio
