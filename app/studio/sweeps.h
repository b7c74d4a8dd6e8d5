#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <QObject>
#include <QString>
#include <QStringList>
#include <QTimer>

#include "engine/jobs/api/sweep.h"
#include "engine/records/run_record.h"

QT_BEGIN_NAMESPACE
class QProcess;
QT_END_NAMESPACE

namespace pareto::studio {

class Settings;
class StoreThread;

/// Where a grid runs.
struct GridPlace {
    enum class Where {
        Queue,  ///< this window's
        Here,   ///< a sweep by processes of this machine
        Slurm,  ///< a sweep as a job array
    };
    Where where = Where::Queue;
    int workers = 1;  ///< Here
    QString folder;   ///< of the sweep: a new one
    QStringList hosts = {};  ///< Here: a process on each of these machines too (sshHostText), where files have the same paths
};

/// How a run of a sweep stood when it was last looked at.
struct SweepRun {
    jobs::Sweep::State state = jobs::Sweep::State::Waiting;
    std::optional<Error> error;            ///< Failed
    std::optional<Measurement> headline;   ///< Finished, with a task
    double seconds = 0.0;                  ///< Finished: it took; 0: not said
    std::filesystem::file_time_type time;  ///< of its outcome
    bool stored = false;                   ///< Finished: it is in the store
};

enum class SweepState {
    Unread,    ///< it is being looked at
    Broken,    ///< see problem
    Starting,  ///< a process has begun, or is about to
    Working,
    InSlurm,    ///< its tasks wait there
    Stopping,   ///< asked to end
    Cancelled,  ///< runs wait, and nobody is to begin them
    Abandoned,  ///< runs wait, and nobody works on it
    Ended,      ///< every run has an outcome; some may have failed
};

/// A sweep as the window shows it.
struct FollowedSweep {
    int id = 0;  ///< for this process
    QString folder;
    int workers = 1;                           ///< processes of this machine that go on with it
    QStringList hosts;                         ///< other machines that do too, over ssh from this one
    bool slurm = false;                        ///< it was given to Slurm, which goes on with it
    std::shared_ptr<const jobs::Sweep> sweep;  ///< null until it was read
    SweepState state = SweepState::Unread;
    std::vector<SweepRun> runs;
    std::optional<Error> problem;       ///< why it cannot be read, or what was found broken
    std::optional<Error> trouble;       ///< of the last command
    std::optional<Error> storeTrouble;  ///< why runs that finished are not in the store
    std::optional<Error> slurmTrouble;  ///< why Slurm does not say what it has of them
    qint64 process = 0;  ///< `pareto sweep run` that this window started; 0: none lives

    QString title() const;  ///< its name; the folder's until it was read
    int count(jobs::Sweep::State state) const;
    int unfinished() const {
        return count(jobs::Sweep::State::Waiting) + count(jobs::Sweep::State::Working);
    }
    double share() const;  ///< of the runs that have an outcome
    /// From what finished runs took; below 0 where it cannot be told.
    double secondsLeft() const;
    bool isActive() const;  ///< somebody works on it, or is about to
    bool canCancel() const;
    bool canRetry() const;
    QString logFile() const;  ///< of the process of this machine that goes on with it

private:
    friend class Sweeps;
    bool isLookedAt = false;
    bool isAsked = false;  ///< a command is under way
    bool toldToEnd = false;
    int idleLooks = 0;      ///< looks in a row that saw nobody
    int storeWaits = 0;     ///< looks that leave the store alone
    int queued = 0;         ///< its tasks in Slurm
    qint64 queueAsked = 0;  ///< ms since the epoch
    std::int64_t processStart = 0;
};

/// The sweeps that this window follows: those it made and those that were opened, remembered in the settings. It looks
/// at their folders (in the pool, every two seconds while something can change; an outcome is read once) and brings
/// what has finished into the store, each run once whoever else does so too. Working on them is the matter of
/// `pareto sweep`, which goes on when the window is closed. GUI thread.
class Sweeps : public QObject {
    Q_OBJECT
public:
    /// `program`: of `pareto`.
    Sweeps(StoreThread& store, Settings& settings, QString program, QObject* parent = nullptr);
    ~Sweeps() override;

    const std::vector<FollowedSweep>& sweeps() const { return m_sweeps; }
    const FollowedSweep* find(int id) const;
    int working() const;  ///< sweeps that somebody works on

    /// Follows a folder, once; its row says what is wrong with it. Answers its id.
    int open(const QString& folder);
    /// Makes the folder and has it worked on. `failed` where it cannot be made.
    void start(const GridPlace& place, const std::vector<jobs::RunParams>& runs);
    void cancel(int id);
    /// Failed runs wait again, and where nobody works on it, it goes on as it was begun.
    void retry(int id);
    void remove(int id);  ///< follows it no more; its folder stays, and whoever works on it goes on

Q_SIGNALS:
    void changed();
    void runsCame();  ///< into the store
    void failed(const pareto::Error& error);

private:
    struct Look;
    FollowedSweep* edit(int id);
    int follow(const QString& folder, int workers, const QStringList& hosts = {});
    void remember(const FollowedSweep& sweep);
    void forget(const QString& folder);
    void tick();
    void look(int id);
    void take(int id, const Look& look);
    void store(int id, const Look& look);
    void judge(FollowedSweep& sweep);
    void goOn(int id);
    void startHere(FollowedSweep& sweep);
    void askSlurm(int id);
    /// `pareto sweep VERB FOLDER MORE`; `done` with what it answers.
    using Answered = std::function<void(FollowedSweep&, const Result<Json>&)>;
    void ask(int id, const QStringList& words, Answered done);
    /// The same for what somebody wants; another one waits until it is over.
    void command(int id, const QStringList& words, std::function<void(FollowedSweep&)> done);

    StoreThread& m_store;
    Settings& m_settings;
    QString m_program;
    std::vector<FollowedSweep> m_sweeps;
    std::vector<QProcess*> m_asking;
    QTimer m_timer;
    int m_lastId = 0;
};

}  // namespace pareto::studio
