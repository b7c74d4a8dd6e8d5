#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <QObject>
#include <QString>

#include "engine/core/progress.h"
#include "engine/jobs/api/jobs.h"
#include "engine/jobs/api/profile.h"
#include "engine/records/run_record.h"

namespace pareto::studio {

class StoreThread;
class WorkerClient;

enum class JobState { Queued, Running, Stopping, Finished, Failed, Cancelled, Interrupted };

/// One job as the window shows it. A copy of its parameters was made when it was queued: later edits
/// of the recipe change nothing.
struct Job {
    int id = 0;  ///< for this process
    JobState state = JobState::Queued;
    QString title;  ///< "Baseline", "half-int8", "Export half-int8"
    QString kind;   ///< jobs::kJobRun, jobs::kJobExport or jobs::kJobProfile
    Json params;    ///< of the kind, as the worker gets it
    ProgressSnapshot progress;
    qint64 stageStartedAt = 0;  ///< ms since the epoch, for the time left
    qint64 startedAt = 0;
    qint64 finishedAt = 0;
    std::uint64_t residentBytes = 0;  ///< of the worker
    std::int64_t run = 0;             ///< row in the store, once begun
    std::optional<Error> error;       ///< Failed
    Json result;                      ///< export: ExportResult; profile: Profile
    /// A finished run whose commit failed: Retry commits it, it is not measured again.
    std::shared_ptr<RunRecord> uncommitted;
    bool paused = false;     ///< asked to wait; only training does
    qint64 pausedAt = 0;     ///< ms since the epoch, while it is paused
    bool finishing = false;  ///< asked to end with the best so far
    bool silent = false;  ///< no sign of life for 10 s: offer Force stop
    /// Seconds left of the stage, -1 when it cannot be told.
    double secondsLeft(qint64 now) const;
};

/// The jobs of this window: one runs at a time, in the order they were queued. A finished run is
/// committed by the store thread before `runCommitted`. Queued and running jobs survive the end of
/// the program: they come back as Interrupted with Retry. GUI thread.
class JobQueue : public QObject {
    Q_OBJECT
public:
    /// `folder`: where the queue of each window is remembered; empty: it is not.
    JobQueue(WorkerClient& worker, StoreThread& store, QString folder, QObject* parent = nullptr);
    ~JobQueue() override;

    const std::vector<Job>& jobs() const { return m_jobs; }
    const Job* find(int id) const;
    int pending() const;  ///< queued and running
    const Job* running() const;
    bool held() const { return m_held; }

    int addRun(const jobs::RunParams& params, const QString& title);
    int addExport(const jobs::ExportParams& params, const QString& title, std::int64_t run);
    int addProfile(const jobs::ProfileParams& params, const QString& title);
    void cancel(int id);
    void cancelAll();
    /// Of the running job; a job that does not train goes on as it was.
    void setPaused(int id, bool paused);
    void finishEarly(int id);
    void forceStop();  ///< kills the worker of the running job
    void retry(int id);
    void remove(int id);  ///< takes an ended job off the list
    void setHeld(bool held);
    /// Text of the worker's own log (stderr), newest last.
    QString log() const;

Q_SIGNALS:
    void jobsChanged();       ///< list or states
    void progressed(int id);  ///< at most twice a second
    /// What a running job says on its way (jobs::RunSink::partial): points of training.
    void partial(int id, const pareto::Json& event);
    void runCommitted(qint64 run);
    void exportFinished(int id);
    void heldChanged(bool held, const QString& reason);

private:
    int add(Job job);
    void startNext();
    void send(int id);
    Job* edit(int id);
    void finish(int id, JobState state, std::optional<Error> error = {});
    void commit(int id, std::shared_ptr<RunRecord> record);
    /// Stores that a run did not finish; nothing waits for it.
    void storeEnd(const Job& job, RunStatus status);
    void onProgress(const ProgressSnapshot& progress);
    void onResult(const Json& result);
    void onCancelled();
    void onFailed(const Error& error, bool trouble);
    void onSilent(bool silent);
    QString ownFile() const;
    void persist();
    void restore();

    WorkerClient& m_worker;
    StoreThread& m_store;
    QString m_folder;
    std::vector<Job> m_jobs;
    int m_lastId = 0;
    int m_active = 0;  ///< id of the job between its start and its commit; 0: none
    int m_troubleInARow = 0;
    bool m_held = false;
    qint64 m_lastProgressAt = 0;
};

}  // namespace pareto::studio
