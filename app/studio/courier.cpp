#include "app/studio/courier.h"

#include <algorithm>
#include <map>

#include <QUuid>

#include "app/studio/in_pool.h"
#include "app/studio/texts.h"
#include "engine/core/ssh.h"
#include "engine/jobs/api/job_files.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

constexpr int kPollMs = 200;

template <typename Params>
Result<Json> replaced(Result<Params> params, const jobs::PathVisitor& visit) {
    PARETO_CHECK(params);
    PARETO_CHECK(jobs::replacePaths(params.value(), visit));
    return jobs::toJson(params.value());
}

/// The parameters of a kind of job with other paths in them.
Result<Json> withPaths(const QString& kind, const Json& json, const jobs::PathVisitor& visit) {
    if (kind == QLatin1String(jobs::kJobProfile)) {
        return replaced(jobs::profileParamsFromJson(json), visit);
    }
    if (kind == QLatin1String(jobs::kJobScaling)) {
        return replaced(jobs::scalingParamsFromJson(json), visit);
    }
    return replaced(jobs::runParamsFromJson(json), visit);
}

QString newId() { return QUuid::createUuid().toString(QUuid::WithoutBraces); }

}  // namespace

struct Courier::Listed {
    struct Set {
        jobs::FileSet files;
        std::string there;  ///< the folder's path on the other machine
    };
    std::vector<Set> sets;
    std::map<std::string, std::size_t> ofPath;  ///< path here → its set
    std::optional<Error> error;
    bool cancelled = false;
};

Courier::Courier(WorkerClient& worker, std::shared_ptr<jobs::FileHashes> hashes, QObject* parent)
    : QObject(parent), m_worker(worker), m_hashes(std::move(hashes)) {
    const auto running = [this] { return m_phase == Phase::Running; };
    connect(&worker, &WorkerClient::progress, this, [this, running](const ProgressSnapshot& snapshot) {
        if (running()) {
            Q_EMIT progress(snapshot);
        }
    });
    connect(&worker, &WorkerClient::event, this, [this, running](const Json& body) {
        if (running()) {
            Q_EMIT event(body);
        }
    });
    connect(&worker, &WorkerClient::result, this, [this](const Json& body) {
        if (m_phase == Phase::Asking) {
            onReceived(body);
        } else if (m_phase == Phase::Running) {
            end();
            Q_EMIT result(body);
        }
    });
    connect(&worker, &WorkerClient::cancelled, this, [this] {
        if (m_phase == Phase::Asking || m_phase == Phase::Running) {
            end();
            Q_EMIT cancelled();
        }
    });
    connect(&worker, &WorkerClient::failed, this, [this](const Error& error, bool trouble) {
        if (m_phase == Phase::Asking || m_phase == Phase::Running) {
            fail(error, trouble);
        }
    });
    connect(&worker, &WorkerClient::lost, this, [this](const QString& reason) {
        if (m_phase == Phase::Asking) {
            fail(copyFailed(reason), true);
        } else if (m_phase == Phase::Running) {
            end();
            Q_EMIT lost(reason);
        }
    });
    connect(&worker, &WorkerClient::absent, this, [this, running] {
        if (running()) {
            end();
            Q_EMIT absent();
        }
    });
    m_poll.setInterval(kPollMs);
    connect(&m_poll, &QTimer::timeout, this, [this] {
        const auto now = m_hashing->snapshot();
        Q_EMIT copied({false, static_cast<std::uint64_t>(now.done), static_cast<std::uint64_t>(now.total)});
    });
}

Courier::~Courier() {
    m_stop.request_stop();
    if (m_rsync != nullptr) {
        m_rsync->disconnect(this);
        m_rsync->kill();
        m_rsync->waitForFinished(1000);
    }
}

void Courier::start(const QString& kind, const Json& params, const QString& id) {
    m_kind = kind;
    m_params = params;
    m_id = id;
    if (m_hashes) {
        list();
    } else {
        run();
    }
}

void Courier::collect(const QString& id) {
    m_phase = Phase::Running;
    m_worker.collect(id);
}

void Courier::cancel() {
    switch (m_phase) {
    case Phase::Idle: break;
    case Phase::Listing: m_stop.request_stop(); break;
    case Phase::Copying: m_rsync->terminate(); break;
    case Phase::Asking:
    case Phase::Running: m_worker.cancel(); break;
    }
}

void Courier::forceStop() {
    if (m_phase == Phase::Listing || m_phase == Phase::Copying) {
        cancel();
    } else {
        m_worker.forceStop();
    }
}

void Courier::list() {
    m_phase = Phase::Listing;
    m_stop = std::stop_source();
    m_hashing = std::make_shared<Progress>();
    m_poll.start();
    inPool<Listed>(
        this,
        [kind = m_kind, params = m_params, hashes = m_hashes, hashing = m_hashing, stop = m_stop.get_token()] {
            Listed out;
            const auto visit = [&](jobs::FilesOf of, const std::string& path) -> Result<std::string> {
                if (out.ofPath.count(path) == 0) {
                    PARETO_TRY(auto set, of == jobs::FilesOf::Model ? jobs::modelFileSet(path, *hashes, *hashing, stop)
                                                                    : jobs::dataFileSet(path, *hashes, *hashing, stop));
                    out.ofPath[path] = out.sets.size();
                    out.sets.push_back({std::move(set), {}});
                }
                return path;
            };
            const auto all = withPaths(kind, params, visit);
            out.cancelled = all.cancelled();
            if (!all.ok() && !all.cancelled()) {
                out.error = all.error();
            }
            return out;
        },
        [this](Listed& listed) { onListed(std::make_shared<Listed>(std::move(listed))); });
}

void Courier::onListed(const std::shared_ptr<Listed>& listed) {
    m_poll.stop();
    if (m_stop.stop_requested() || listed->cancelled) {
        end();
        Q_EMIT cancelled();
    } else if (listed->error) {
        fail(*listed->error);
    } else {
        m_listed = listed;
        m_set = 0;
        m_copiedOnce = false;
        askNext();
    }
}

void Courier::askNext() {
    if (m_set == m_listed->sets.size()) {
        const auto there = [this](jobs::FilesOf, const std::string& path) -> Result<std::string> {
            const auto& set = m_listed->sets[m_listed->ofPath.at(path)];
            return set.files.leaf.empty() ? set.there : set.there + "/" + set.files.leaf;
        };
        auto params = withPaths(m_kind, m_params, there);
        if (!params.ok()) {
            fail(params.error());
            return;
        }
        m_params = std::move(params).value();
        run();
        return;
    }
    m_phase = Phase::Asking;
    m_worker.start(QString::fromLatin1(jobs::kJobReceive),
                   jobs::toJson(jobs::receiveParamsOf(m_listed->sets[m_set].files)), m_askId = newId());
}

void Courier::onReceived(const Json& answer) {
    m_worker.forget(m_askId);
    const auto received = jobs::receiveResultFromJson(answer);
    if (!received.ok()) {
        fail(received.error());
    } else if (received->complete) {
        m_listed->sets[m_set].there = received->folder;
        ++m_set;
        m_copiedOnce = false;
        askNext();
    } else if (m_copiedOnce) {
        fail(copyFailed(tr("%1 did not arrive as it is here").arg(QString::fromStdString(received->missing.front()))));
    } else {
        copy(QString::fromStdString(received->folder), received->missing);
    }
}

void Courier::copy(const QString& folder, const std::vector<std::string>& missing) {
    m_phase = Phase::Copying;
    m_copiedOnce = true;
    const auto& set = m_listed->sets[m_set].files;
    m_copyBytes = 0;
    QByteArray names;
    for (const auto& file : set.files) {
        if (std::find(missing.begin(), missing.end(), file.name) != missing.end()) {
            m_copyBytes += file.bytes;
            names.append(QByteArray::fromStdString(file.name) + '\0');
        }
    }
    QStringList shell;
    for (const auto& word : sshProgram()) {
        shell.append(QString::fromStdString(word));
    }
    m_rsync = new QProcess(this);
    m_rsyncErrors.clear();
    connect(m_rsync, &QProcess::readyReadStandardOutput, this, &Courier::readCopy);
    connect(m_rsync, &QProcess::readyReadStandardError, this,
            [this] { m_rsyncErrors += m_rsync->readAllStandardError(); });
    connect(m_rsync, &QProcess::finished, this, &Courier::onCopied);
    connect(m_rsync, &QProcess::errorOccurred, this, [this](QProcess::ProcessError problem) {
        if (problem == QProcess::FailedToStart) {
            m_rsync->deleteLater();
            m_rsync = nullptr;
            fail(copyFailed(tr("rsync could not be started; install it here and on %1").arg(m_worker.command().host)));
        }
    });
    // Half a file stays and is gone on with; one that has its size was looked at by the worker.
    m_rsync->start(u"rsync"_s, {u"--recursive"_s, u"--copy-links"_s, u"--partial"_s, u"--size-only"_s, u"--protect-args"_s,
                                u"--no-inc-recursive"_s, u"--info=progress2"_s, u"--outbuf=N"_s, u"--from0"_s,
                                u"--files-from=-"_s, u"--timeout=60"_s, u"--rsh="_s + shell.join(u' '),
                                QString::fromStdString(set.folder) + u'/', m_worker.command().host + u':' + folder + u'/'});
    m_rsync->write(names);
    m_rsync->closeWriteChannel();
    Q_EMIT copied({true, 0, m_copyBytes});
}

/// "     32,768  12%   31.25MB/s    0:00:00": the bytes so far.
void Courier::readCopy() {
    const auto lines = QString::fromUtf8(m_rsync->readAllStandardOutput()).split(u'\r');
    for (const auto& line : lines) {
        QString number = line.trimmed().section(u' ', 0, 0);
        number.remove(u',').remove(u'.');
        bool ok = false;
        const auto bytes = number.toULongLong(&ok);
        if (ok) {
            Q_EMIT copied({true, std::min<std::uint64_t>(bytes, m_copyBytes), m_copyBytes});
        }
    }
}

void Courier::onCopied(int code, QProcess::ExitStatus status) {
    m_rsyncErrors += m_rsync->readAllStandardError();
    m_rsync->deleteLater();
    m_rsync = nullptr;
    constexpr int kTerminated = 20;  // rsync's code for SIGTERM
    if (status == QProcess::NormalExit && code == 0) {
        askNext();
    } else if (status == QProcess::CrashExit || code == kTerminated) {
        end();
        Q_EMIT cancelled();
    } else {
        const QString words = QString::fromUtf8(m_rsyncErrors).trimmed();
        fail(copyFailed(words.isEmpty() ? tr("rsync ended with code %1").arg(code) : words.section(u'\n', 0, 0)), true);
    }
}

void Courier::run() {
    m_phase = Phase::Running;
    m_listed.reset();
    Q_EMIT sent(m_id);
    m_worker.start(m_kind, m_params, m_id);
}

void Courier::end() {
    m_phase = Phase::Idle;
    m_listed.reset();
    m_params = {};
}

void Courier::fail(const Error& error, bool trouble) {
    m_poll.stop();
    end();
    Q_EMIT failed(error, trouble);
}

Error Courier::copyFailed(const QString& reason) const {
    const bool known = m_listed && m_set < m_listed->sets.size();
    const auto what = known ? QString::fromStdString(m_listed->sets[m_set].files.folder) : QString();
    return makeError(ErrorCode::FileWriteDenied,
                     {{"file", tr("%1 on %2", "folder, machine").arg(what, m_worker.command().host).toStdString()},
                      {"reason", reason.toStdString()}});
}

}  // namespace pareto::studio
