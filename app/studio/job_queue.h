#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <QObject>
#include <QString>
#include <QTimer>

#include "app/studio/courier.h"
#include "engine/core/progress.h"
#include "engine/jobs/api/jobs.h"
#include "engine/jobs/api/profile.h"
#include "engine/jobs/api/scaling.h"
#include "engine/records/run_record.h"

namespace pareto::studio {

class StoreThread;
class Workers;

/// Away: sent to another machine, to which the connection broke; it goes on there and is collected.
enum class JobState { Queued, Running, Stopping, Away, Finished, Failed, Cancelled, Interrupted };

/// One job as the window shows it. A copy of its parameters was made when it was queued: later edits
/// of the recipe change nothing.
struct Job {
    int id = 0;  ///< for this process
    JobState state = JobState::Queued;
    QString title;  ///< "Baseline", "half-int8", "Export half-int8"
    QString kind;   ///< jobs::kJobRun, kJobExport, kJobProfile or kJobScaling
    Json params;    ///< of the kind, with the paths of this machine
    QString machine;  ///< Workers::localName(), or a host
    ProgressSnapshot progress;
    qint64 stageStartedAt = 0;  ///< ms since the epoch, for the time left
    qint64 startedAt = 0;
    qint64 finishedAt = 0;
    std::uint64_t residentBytes = 0;  ///< of the worker
    std::int64_t run = 0;             ///< row in the store, once begun
    std::optional<Error> error;       ///< Failed
    Json result;                      ///< export: ExportResult; profile: Profile; scaling: Scaling
    /// A finished run whose commit failed: Retry commits it, it is not measured again.
    std::shared_ptr<RunRecord> uncommitted;
    bool paused = false;     ///< asked to wait; only training does
    qint64 pausedAt = 0;     ///< ms since the epoch, while it is paused
    bool finishing = false;  ///< asked to end with the best so far
    bool silent = false;  ///< no sign of life for 10 s: offer Force stop
    CopyProgress copy;       ///< Running, not yet sent: files on their way to the machine
    QString remoteId;        ///< of another machine: what it is collected by, once it was sent
    QString awayReason;      ///< Away: how the connection ended
    qint64 nextTryAt = 0;    ///< Away: when it is asked for again
    bool cancelWanted = false;  ///< Away: it is cancelled as soon as the machine can be reached
    bool isPending() const;  ///< queued, running, stopping or away: it has not ended
    /// Seconds left of the stage, -1 when it cannot be told.
    double secondsLeft(qint64 now) const;
};

/// The jobs of this window: on each machine one runs at a time, in the order they were queued. A finished run is
/// committed by the store thread before `runCommitted`. Queued and running jobs survive the end of
/// the program: they come back as Interrupted with Retry, or, where another machine has them, as Away. GUI thread.
class JobQueue : public QObject {
    Q_OBJECT
public:
    /// `folder`: where the queue of each window is remembered; empty: it is not.
    JobQueue(Workers& workers, StoreThread& store, QString folder, QObject* parent = nullptr);
    ~JobQueue() override;

    const std::vector<Job>& jobs() const { return m_jobs; }
    const Job* find(int id) const;
    /// Of a kind and a model, the one that was queued last (and, where that is asked for, has finished).
    const Job* newest(const char* kind, const std::string& model, bool finished) const;
    int pending() const;  ///< queued, running and away
    /// Pending, and lost when the program ends: those that another machine has go on.
    int pendingHere() const;
    const Job* running() const;      ///< on this machine, else on any other
    const Job* runningHere() const;  ///< on this machine
    bool waitsHere() const;          ///< something is queued for this machine
    bool held() const { return m_held; }

    int addRun(const jobs::RunParams& params, const QString& title);
    int addExport(const jobs::ExportParams& params, const QString& title, std::int64_t run);
    int addProfile(const jobs::ProfileParams& params, const QString& title);
    int addScaling(const jobs::ScalingParams& params, const QString& title);
    void cancel(int id);
    void cancelAll();
    void cancelHere();  ///< what pendingHere() counts
    /// Of the running job; a job that does not train goes on as it was.
    void setPaused(int id, bool paused);
    void finishEarly(int id);
    /// Kills the worker of a running job; of one on another machine the connection, and its answer is no longer waited for.
    void forceStop(int id);
    void collectNow(int id);  ///< Away: does not wait for the next try
    void retry(int id);
    void remove(int id);  ///< takes an ended job off the list
    void setHeld(bool held);
    /// Text of the log (stderr) of the worker of a job's machine, newest last.
    QString log(int id) const;
    static constexpr int kRetryMs = 15'000;  ///< between two tries to reach a machine that has a job

Q_SIGNALS:
    void jobsChanged();       ///< list or states
    void progressed(int id);  ///< at most twice a second
    /// What a running job says on its way (jobs::RunSink::partial): points of training.
    void partial(int id, const pareto::Json& event);
    void runCommitted(qint64 run);
    void exportFinished(int id);
    void heldChanged(bool held, const QString& reason);

private:
    /// A machine's share of the queue.
    struct Lane {
        QString machine;
        Courier* courier = nullptr;
        int active = 0;  ///< id of the job between its start and its commit; 0: none
        int troubleInARow = 0;
        qint64 lastProgressAt = 0;
    };
    int add(Job job);
    Lane& laneOf(const QString& machine);
    Lane* activeLane(int id);
    void connectLane(Lane& lane);
    void startNext();
    void startNext(Lane& lane);
    void send(int id);
    Job* edit(int id);
    void finish(int id, JobState state, std::optional<Error> error = {});
    void commit(int id, std::shared_ptr<RunRecord> record);
    /// Stores that a run did not finish; nothing waits for it.
    void storeEnd(const Job& job, RunStatus status);
    void onProgress(Lane& lane, const ProgressSnapshot& progress);
    void onCopied(Lane& lane, const CopyProgress& copy);
    void onSent(Lane& lane, const QString& id);
    void onResult(Lane& lane, const Json& result);
    void onCancelled(Lane& lane);
    void onFailed(Lane& lane, const Error& error, bool trouble);
    void onLost(Lane& lane, const QString& reason);
    void onAbsent(Lane& lane);
    void onSilent(Lane& lane, bool silent);
    void forget(const Job& job);
    void cancelThose(const std::function<bool(const Job&)>& wanted);
    QString ownFile() const;
    void persist();
    void restore();

    Workers& m_workers;
    StoreThread& m_store;
    QString m_folder;
    std::vector<Job> m_jobs;
    std::map<QString, std::unique_ptr<Lane>> m_lanes;
    int m_lastId = 0;
    bool m_held = false;
    QTimer m_retry;  ///< while a job is away
};

}  // namespace pareto::studio
