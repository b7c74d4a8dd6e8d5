#include "app/studio/workers.h"

#include <algorithm>

#include "app/studio/settings.h"

namespace pareto::studio {

Workers::Workers(WorkerClient& local, Settings& settings, WorkerPatience patience, QObject* parent)
    : QObject(parent), m_local(local), m_settings(settings), m_patience(patience) {
    m_localCourier = std::make_unique<Courier>(local, nullptr);
    connect(&local, &WorkerClient::helloReceived, this, [this] { Q_EMIT helloReceived(localName()); });
    for (const auto& text : settings.hosts()) {
        const auto json = parseJson(text.toStdString(), "hosts");
        if (json.ok() && json->is_object()) {
            auto ssh = sshHostFrom(json->value("host", std::string()));
            if (ssh.ok()) {
                m_hosts.push_back({std::move(ssh).value(), json->value("same_files", false)});
            }
        }
    }
}

Workers::~Workers() = default;

const Host* Workers::host(const QString& machine) const {
    const auto found =
        std::find_if(m_hosts.begin(), m_hosts.end(), [&](const Host& host) { return host.name() == machine; });
    return found == m_hosts.end() ? nullptr : &*found;
}

void Workers::addHost(const Host& host) {
    const auto known =
        std::find_if(m_hosts.begin(), m_hosts.end(), [&](const Host& other) { return other.ssh.name == host.ssh.name; });
    if (known == m_hosts.end()) {
        m_hosts.push_back(host);
    } else if (*known != host) {
        *known = host;
    } else {
        return;
    }
    const auto remote = m_remotes.find(host.name());
    // One that works is left alone: the settings hold from its next start.
    if (remote != m_remotes.end() && !remote->second.courier->isActive()) {
        m_remotes.erase(remote);
    }
    store();
}

void Workers::removeHost(const QString& machine) {
    std::erase_if(m_hosts, [&](const Host& host) { return host.name() == machine; });
    store();
}

void Workers::store() {
    QStringList texts;
    for (const auto& host : m_hosts) {
        const Json json{{"host", sshHostText(host.ssh)}, {"same_files", host.sameFiles}};
        texts.append(QString::fromStdString(json.dump()));
    }
    m_settings.setHosts(texts);
    Q_EMIT hostsChanged();
}

Workers::Remote& Workers::remote(const QString& machine) {
    auto& out = m_remotes[machine];
    if (!out.worker) {
        const Host* known = host(machine);
        const Host used = known != nullptr ? *known : Host{{machine.toStdString(), "pareto"}, false};
        out.worker = std::make_unique<WorkerClient>(WorkerCommand::overSsh(used.ssh), m_patience);
        out.courier = std::make_unique<Courier>(*out.worker, used.sameFiles ? nullptr : m_hashes);
        connect(out.worker.get(), &WorkerClient::helloReceived, this, [this, machine] { Q_EMIT helloReceived(machine); });
        connect(out.worker.get(), &WorkerClient::stateChanged, this, [this, machine] { Q_EMIT stateChanged(machine); });
        connect(out.worker.get(), &WorkerClient::logged, this, &Workers::logged);
    }
    return out;
}

WorkerClient& Workers::worker(const QString& machine) {
    return machine == localName() ? m_local : *remote(machine).worker;
}

Courier& Workers::courier(const QString& machine) {
    return machine == localName() ? *m_localCourier : *remote(machine).courier;
}

const jobs::HelloMessage* Workers::hello(const QString& machine) const {
    const auto found = m_remotes.find(machine);
    const WorkerClient* worker = machine == localName() ? &m_local
                                 : found == m_remotes.end() ? nullptr
                                                            : found->second.worker.get();
    return worker != nullptr && worker->hello() ? &*worker->hello() : nullptr;
}

void Workers::shutDown() {
    for (auto& [machine, remote] : m_remotes) {
        remote.worker->shutDown();
    }
    m_local.shutDown();
}

}  // namespace pareto::studio
