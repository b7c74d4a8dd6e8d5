#pragma once

#include <memory>
#include <stop_token>
#include <vector>

#include <QObject>
#include <QProcess>
#include <QTimer>

#include "app/studio/worker_client.h"
#include "engine/jobs/api/file_sets.h"

namespace pareto::studio {

/// How far files have come to another machine.
struct CopyProgress {
    bool copying = false;  ///< false: they are looked at here, or there
    std::uint64_t done = 0;
    std::uint64_t total = 0;
};

/// Brings a job to the worker of a machine, and before it the files it reads where they are not there yet: their content is
/// hashed here, the worker says what it lacks, rsync copies that (what came before a break is gone on with), the worker compares
/// hashes. A job of this machine, or of one with the same files, is passed on as it is. GUI thread.
class Courier : public QObject {
    Q_OBJECT
public:
    /// `hashes`: of files that may have to be brought there; null: those there have the same paths.
    Courier(WorkerClient& worker, std::shared_ptr<jobs::FileHashes> hashes, QObject* parent = nullptr);
    ~Courier() override;

    WorkerClient& worker() { return m_worker; }
    bool isActive() const { return m_phase != Phase::Idle; }

    /// As WorkerClient: one job at a time, and one of `result`, `cancelled`, `failed`, `lost` or `absent` follows.
    void start(const QString& kind, const Json& params, const QString& id = {});
    void collect(const QString& id);
    void cancel();
    void forceStop();

Q_SIGNALS:
    void copied(const pareto::studio::CopyProgress& progress);
    void sent(const QString& id);  ///< the job itself is on its way
    void progress(const pareto::ProgressSnapshot& progress);
    void event(const pareto::Json& event);
    void result(const pareto::Json& result);
    void cancelled();
    void failed(const pareto::Error& error, bool trouble);
    void lost(const QString& reason);
    void absent();

private:
    enum class Phase { Idle, Listing, Asking, Copying, Running };
    struct Listed;
    void list();
    void onListed(const std::shared_ptr<Listed>& listed);
    void askNext();
    void onReceived(const Json& answer);
    void copy(const QString& folder, const std::vector<std::string>& missing);
    void onCopied(int code, QProcess::ExitStatus status);
    void readCopy();
    void run();
    void end();
    void fail(const Error& error, bool trouble = false);
    Error copyFailed(const QString& reason) const;

    WorkerClient& m_worker;
    Phase m_phase = Phase::Idle;
    QString m_kind;
    QString m_id;
    QString m_askId;  ///< of the question what is missing there
    Json m_params;
    std::shared_ptr<Listed> m_listed;
    std::size_t m_set = 0;      ///< of m_listed: the one in hand
    bool m_copiedOnce = false;  ///< of that set
    std::uint64_t m_copyBytes = 0;
    std::stop_source m_stop;
    std::shared_ptr<Progress> m_hashing;
    QTimer m_poll;
    QProcess* m_rsync = nullptr;
    QByteArray m_rsyncErrors;
    const std::shared_ptr<jobs::FileHashes> m_hashes;
};

}  // namespace pareto::studio
