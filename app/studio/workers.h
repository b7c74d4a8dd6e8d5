#pragma once

#include <map>
#include <memory>
#include <vector>

#include <QObject>
#include <QString>

#include "app/studio/courier.h"
#include "app/studio/worker_client.h"

namespace pareto::studio {

class Settings;

/// A machine that jobs can be sent to over ssh.
struct Host {
    SshHost ssh;
    bool sameFiles = false;  ///< models and data lie there under the paths they have here; else they are copied
    QString name() const { return QString::fromStdString(ssh.name); }
    bool operator==(const Host&) const = default;
};

/// The worker of each machine that is a target: this one's, and those reached by ssh, which the settings remember. GUI thread.
class Workers : public QObject {
    Q_OBJECT
public:
    /// `local` is this machine's and outlives this.
    Workers(WorkerClient& local, Settings& settings, WorkerPatience patience = remotePatience(), QObject* parent = nullptr);
    ~Workers() override;
    /// What the name of this machine is in a Target.
    static QString localName() { return QStringLiteral("local"); }
    static WorkerPatience remotePatience() { return {45'000, 20'000, 2'000, 2'000}; }

    const std::vector<Host>& hosts() const { return m_hosts; }
    const Host* host(const QString& machine) const;
    /// A host of the same name gets the new settings.
    void addHost(const Host& host);
    void removeHost(const QString& machine);

    WorkerClient& local() { return m_local; }
    /// Made on first need; a name that no host has is one with the usual program.
    WorkerClient& worker(const QString& machine);
    Courier& courier(const QString& machine);
    /// What is known of a machine without asking it anything; null before its worker has greeted.
    const jobs::HelloMessage* hello(const QString& machine) const;
    void shutDown();

Q_SIGNALS:
    void hostsChanged();
    void helloReceived(const QString& machine);
    void stateChanged(const QString& machine);  ///< of a worker on another machine: reached, not reached
    void logged(const QByteArray& text);

private:
    struct Remote {
        std::unique_ptr<WorkerClient> worker;
        std::unique_ptr<Courier> courier;
    };
    Remote& remote(const QString& machine);
    void store();

    WorkerClient& m_local;
    Settings& m_settings;
    WorkerPatience m_patience;
    std::vector<Host> m_hosts;
    std::shared_ptr<jobs::FileHashes> m_hashes = std::make_shared<jobs::FileHashes>();  ///< for all machines
    std::unique_ptr<Courier> m_localCourier;
    std::map<QString, Remote> m_remotes;
};

}  // namespace pareto::studio
