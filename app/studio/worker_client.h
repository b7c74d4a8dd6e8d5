#pragma once

#include <optional>
#include <string>

#include <QByteArray>
#include <QElapsedTimer>
#include <QObject>
#include <QProcess>
#include <QString>
#include <QStringList>
#include <QTimer>

#include "engine/core/ssh.h"
#include "engine/jobs/api/protocol.h"

namespace pareto::studio {

struct WorkerCommand {
    QString program;  ///< path of `pareto`
    QStringList arguments{QStringLiteral("worker")};
    QString host{};   ///< empty: this machine; else `program` is ssh, and the worker there keeps its jobs
    /// The worker of another machine (core/ssh.h).
    static WorkerCommand overSsh(const SshHost& host);
};

/// How long the worker may be silent.
struct WorkerPatience {
    int greetingMs = 10'000;  ///< until its hello
    int aliveMs = 10'000;     ///< between two lines; it sends a sign of life every 2 s
    int goodbyeMs = 2'000;    ///< until it ended after its stdin was closed
    int collectMs = 2'000;    ///< between two questions whether a job of an earlier connection has ended
};

/// The worker process of a machine: started on first need, one job at a time, started again after a
/// death. Every trouble ends the job with `failed`; the process can never harm the studio. A job of another machine goes on
/// when the connection is gone: `lost` ends it here, and collect() asks for it later. GUI thread
/// (a child with a parent-death signal dies with the thread that started it).
class WorkerClient : public QObject {
    Q_OBJECT
public:
    enum class State { Off, Starting, Ready, Busy };

    explicit WorkerClient(WorkerCommand command, WorkerPatience patience = {},
                          QObject* parent = nullptr);
    ~WorkerClient() override;

    State state() const { return m_state; }
    const WorkerCommand& command() const { return m_command; }
    bool isRemote() const { return !m_command.host.isEmpty(); }
    /// Why it could not be started the last time; nothing once it greeted.
    const std::optional<Error>& problem() const { return m_problem; }
    /// What the worker said of itself; stays after its death.
    const std::optional<jobs::HelloMessage>& hello() const { return m_hello; }
    std::uint64_t residentBytes() const { return m_residentBytes; }
    qint64 processId() const { return m_process ? m_process->processId() : 0; }
    /// Why the system may have killed the worker; memory is blamed only when it was scarce. `free` is
    /// measured after the death, when what the worker held has come back.
    static QString killedText(std::uint64_t held, std::uint64_t free);
    QString log() const { return m_log; }  ///< what it wrote on stderr and before its hello

    /// Starts the process without a job, so that its devices are known.
    void ensureStarted();
    bool jobActive() const { return m_jobActive; }
    /// Only when no job is active. `result`, `cancelled`, `failed` or `lost` follows, once. `id`: of a job of another machine,
    /// by which it can be collected (jobs::KeptJobs::isId).
    void start(const QString& job, const Json& params, const QString& id = {});
    /// Of another machine, only when no job is active: the job that was started under this id. As start(), or `absent`.
    void collect(const QString& id);
    /// The answer of a job of another machine is safe here.
    void forget(const QString& id);
    void cancel();     ///< asks; the job ends with `cancelled` (or its result)
    /// Pause, resume, or end with the best so far; only a job that trains looks at it.
    void control(jobs::ControlAction action);
    void forceStop();  ///< kills the process; the job ends with `cancelled`
    /// Closes its stdin and waits a little: the end of the program.
    void shutDown();

Q_SIGNALS:
    void stateChanged();
    void helloReceived();
    void progress(const pareto::ProgressSnapshot& progress);
    void event(const pareto::Json& event);
    void result(const pareto::Json& result);
    void cancelled();
    /// `trouble`: of the process itself, not of the job.
    void failed(const pareto::Error& error, bool trouble);
    /// The connection to another machine broke; the job may go on there.
    void lost(const QString& reason);
    void absent();    ///< the other machine knows nothing of the job
    void jobEnded();  ///< after result, cancelled or failed: another may be started
    void silentChanged(bool silent);
    void logged(const QByteArray& text);  ///< it went into log() too

private:
    void launch();
    void readLines();
    void readLog();
    void handleLine(std::string_view line);
    void handle(jobs::Message message);
    void handleResult(jobs::Message message);
    void onFinished(int code, QProcess::ExitStatus status);
    void onProcessError(QProcess::ProcessError error);
    void onSilence();
    void begin(const std::string& id, bool collecting);
    void sendJob();
    void write(const std::string& line);
    void endJob();
    void breakOff(const QString& reason);  ///< it does not keep to the protocol
    void giveUp(const Error& error);       ///< ends the process and fails the job
    QString deathReason(int code, QProcess::ExitStatus status) const;
    QString lastWords() const;
    Error unavailable(const QString& reason) const;
    void dropProcess();
    void setState(State state);
    void setSilent(bool silent);
    void appendLog(const QByteArray& text);

    WorkerCommand m_command;
    WorkerPatience m_patience;
    QProcess* m_process = nullptr;
    State m_state = State::Off;
    std::optional<jobs::HelloMessage> m_hello;
    std::optional<Error> m_problem;
    std::uint64_t m_residentBytes = 0;
    QByteArray m_buffer;
    QString m_log;
    QTimer m_watchdog;
    bool m_greeted = false;
    bool m_jobActive = false;
    bool m_killedByUs = false;
    bool m_silent = false;
    int m_jobNumber = 0;
    std::string m_jobId;
    QString m_job;
    Json m_params;
    bool m_collecting = false;
    QTimer m_collectTimer;
    qsizetype m_logStart = 0;  ///< of this process in the log
    std::string m_chunks;
    int m_chunkCount = 0;
};

}  // namespace pareto::studio
