#include "app/studio/worker_client.h"

#include <csignal>
#include <cstring>

#include <sys/prctl.h>
#include <unistd.h>

#include <QFile>
#include <QFileInfo>

#include "app/studio/texts.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

constexpr int kLogCharacters = 200'000;

/// MemAvailable of this machine; 0 when it cannot be read.
std::uint64_t availableMemory() {
    QFile file(u"/proc/meminfo"_s);
    if (file.open(QIODevice::ReadOnly)) {
        const auto lines = file.readAll().split('\n');
        for (const auto& line : lines) {
            if (line.startsWith("MemAvailable:")) {
                return line.mid(13).trimmed().split(' ').first().toULongLong() * 1024;
            }
        }
    }
    return 0;
}

}  // namespace

WorkerCommand WorkerCommand::overSsh(const SshHost& host) {
    WorkerCommand out;
    out.host = QString::fromStdString(host.name);
    out.arguments.clear();
    for (const auto& word : sshCommand(host, "worker --keep")) {
        out.arguments.append(QString::fromStdString(word));
    }
    out.program = out.arguments.takeFirst();
    return out;
}

WorkerClient::WorkerClient(WorkerCommand command, WorkerPatience patience, QObject* parent)
    : QObject(parent), m_command(std::move(command)), m_patience(patience) {
    m_watchdog.setSingleShot(true);
    connect(&m_watchdog, &QTimer::timeout, this, &WorkerClient::onSilence);
    m_collectTimer.setSingleShot(true);
    connect(&m_collectTimer, &QTimer::timeout, this, [this] {
        if (m_jobActive && m_collecting && m_greeted) {
            write(jobs::collectLine(m_jobId));
        }
    });
}

WorkerClient::~WorkerClient() {
    if (m_process != nullptr) {
        m_process->disconnect(this);
        shutDown();
    }
}

void WorkerClient::setState(State state) {
    if (state != m_state) {
        m_state = state;
        Q_EMIT stateChanged();
    }
}

void WorkerClient::setSilent(bool silent) {
    if (silent != m_silent) {
        m_silent = silent;
        Q_EMIT silentChanged(silent);
    }
}

void WorkerClient::appendLog(const QByteArray& text) {
    m_log += QString::fromUtf8(text);
    if (m_log.size() > kLogCharacters) {
        m_logStart = std::max<qsizetype>(0, m_logStart - (m_log.size() - kLogCharacters / 2));
        m_log = m_log.right(kLogCharacters / 2);
    }
    Q_EMIT logged(text);
}

void WorkerClient::ensureStarted() {
    if (m_process == nullptr) {
        launch();
    }
}

void WorkerClient::launch() {
    m_process = new QProcess(this);
    m_buffer.clear();
    m_greeted = false;
    m_killedByUs = false;
    m_residentBytes = 0;
    m_logStart = m_log.size();
    const auto parent = ::getpid();
    m_process->setChildProcessModifier([parent] {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) {  // the parent was gone before the signal was asked for
            ::_exit(1);
        }
    });
    connect(m_process, &QProcess::readyReadStandardOutput, this, &WorkerClient::readLines);
    connect(m_process, &QProcess::readyReadStandardError, this, &WorkerClient::readLog);
    connect(m_process, &QProcess::finished, this, &WorkerClient::onFinished);
    connect(m_process, &QProcess::errorOccurred, this, &WorkerClient::onProcessError);
    setState(State::Starting);
    m_watchdog.start(m_patience.greetingMs);
    m_process->start(m_command.program, m_command.arguments);
}

void WorkerClient::start(const QString& job, const Json& params, const QString& id) {
    m_job = job;
    m_params = params;
    begin(id.isEmpty() ? std::to_string(++m_jobNumber) : id.toStdString(), false);
}

void WorkerClient::collect(const QString& id) { begin(id.toStdString(), true); }

void WorkerClient::begin(const std::string& id, bool collecting) {
    Q_ASSERT(!m_jobActive);
    m_jobActive = true;
    m_collecting = collecting;
    m_jobId = id;
    m_chunks.clear();
    m_chunkCount = 0;
    ensureStarted();
    if (m_greeted) {
        sendJob();
    }
}

void WorkerClient::forget(const QString& id) {
    if (m_greeted && isRemote()) {
        write(jobs::forgetLine(id.toStdString()));
    }
}

void WorkerClient::write(const std::string& line) { m_process->write(line.data(), static_cast<qint64>(line.size())); }

void WorkerClient::sendJob() {
    setState(State::Busy);
    m_watchdog.start(m_patience.aliveMs);
    write(m_collecting ? jobs::collectLine(m_jobId) : jobs::startLine({m_jobId, m_job.toStdString(), m_params}));
}

void WorkerClient::cancel() {
    if (!m_jobActive) {
        return;
    }
    if (!m_greeted && !m_collecting) {  // nothing was sent yet
        endJob();
        Q_EMIT cancelled();
        return;
    }
    if (m_greeted) {
        write(jobs::cancelLine(m_jobId));
    }
}

void WorkerClient::control(jobs::ControlAction action) {
    if (m_jobActive && m_greeted) {
        write(jobs::controlLine(m_jobId, action));
    }
}

void WorkerClient::forceStop() {
    if (m_process != nullptr) {
        m_killedByUs = true;
        m_process->kill();
    }
}

void WorkerClient::shutDown() {
    if (m_process == nullptr) {
        return;
    }
    m_killedByUs = true;
    m_process->closeWriteChannel();
    if (!m_process->waitForFinished(m_patience.goodbyeMs)) {
        m_process->kill();
        m_process->waitForFinished(1000);
    }
}

void WorkerClient::endJob() {
    m_jobActive = false;
    m_collectTimer.stop();
    m_params = {};
    m_chunks.clear();
    m_chunkCount = 0;
    setSilent(false);
    QMetaObject::invokeMethod(this, &WorkerClient::jobEnded, Qt::QueuedConnection);
    if (m_greeted && m_process != nullptr) {
        m_watchdog.start(m_patience.aliveMs);
        setState(State::Ready);
    }
}

void WorkerClient::readLog() {
    if (m_process != nullptr) {
        appendLog(m_process->readAllStandardError());
    }
}

void WorkerClient::readLines() {
    auto* process = m_process;
    m_buffer += process->readAllStandardOutput();
    for (;;) {
        const auto end = m_buffer.indexOf('\n');
        if (end < 0) {
            break;
        }
        const QByteArray line = m_buffer.left(end);
        m_buffer.remove(0, end + 1);
        handleLine({line.constData(), static_cast<std::size_t>(line.size())});
        if (m_process != process) {  // it was dropped because of this line
            return;
        }
    }
    if (static_cast<std::size_t>(m_buffer.size()) > jobs::kMaxLine) {
        breakOff(tr("a line is longer than 1 MiB"));
    }
}

void WorkerClient::handleLine(std::string_view line) {
    if (line.size() > jobs::kMaxLine) {
        breakOff(tr("a line is longer than 1 MiB"));
        return;
    }
    auto message = jobs::parseMessage(line);
    if (!m_greeted && (!message.ok() || message->type != jobs::MessageType::Hello)) {
        appendLog(QByteArray(line.data(), static_cast<qsizetype>(line.size())) + '\n');
        return;
    }
    if (!message.ok()) {
        const auto reason = message.error().args.find("reason");
        breakOff(reason == message.error().args.end() ? tr("a line is no message")
                                                      : fromUtf8(reason->second));
        return;
    }
    setSilent(false);
    m_watchdog.start(m_patience.aliveMs);
    handle(std::move(message).value());
}

void WorkerClient::handle(jobs::Message message) {
    using Type = jobs::MessageType;
    if (message.type == Type::Hello) {
        if (message.hello.protocol != jobs::kProtocolVersion) {
            breakOff(tr("it speaks version %1 of the protocol, the studio version %2; both must "
                        "come from "
                        "one installation")
                         .arg(message.hello.protocol)
                         .arg(jobs::kProtocolVersion));
            return;
        }
        m_greeted = true;
        m_problem.reset();
        m_hello = std::move(message.hello);
        Q_EMIT helloReceived();
        if (m_jobActive) {
            sendJob();
        } else {
            setState(State::Ready);
        }
        return;
    }
    if (message.residentBytes != 0 && message.residentBytes != m_residentBytes) {
        m_residentBytes = message.residentBytes;
        Q_EMIT stateChanged();
    }
    if (message.type == Type::Alive || !m_jobActive || message.id != m_jobId) {
        return;  // a late word about a job that is over
    }
    switch (message.type) {
    case Type::Progress:
        if (m_collecting) {
            m_collectTimer.start(m_patience.collectMs);
        }
        Q_EMIT progress(message.progress.progress);
        break;
    case Type::Absent:
        endJob();
        Q_EMIT absent();
        break;
    case Type::Event:
        Q_EMIT event(message.body);
        break;
    case Type::Chunk:
        m_chunks += message.chunk;
        ++m_chunkCount;
        break;
    case Type::Result:
        handleResult(std::move(message));
        break;
    case Type::Cancelled:
        endJob();
        Q_EMIT cancelled();
        break;
    case Type::Error: {
        const Error error = message.error;
        endJob();
        Q_EMIT failed(error, false);
        break;
    }
    default:
        breakOff(tr("a message that only the studio may send"));
        break;
    }
}

void WorkerClient::handleResult(jobs::Message message) {
    Json body = std::move(message.body);
    if (message.chunks > 0) {
        if (message.chunks != m_chunkCount) {
            breakOff(tr("a result came in %1 of %2 pieces").arg(m_chunkCount).arg(message.chunks));
            return;
        }
        auto parsed = parseJson(m_chunks, "result", {64, std::size_t{1} << 30});
        if (!parsed.ok()) {
            breakOff(tr("a result is no JSON"));
            return;
        }
        body = std::move(parsed).value();
    }
    endJob();
    Q_EMIT result(body);
}

void WorkerClient::breakOff(const QString& reason) {
    giveUp(makeError(ErrorCode::WorkerProtocol, {{"reason", reason.toStdString()}}));
}

void WorkerClient::giveUp(const Error& error) {
    m_problem = error;
    dropProcess();
    if (m_jobActive && m_collecting && error.code == ErrorCode::WorkerUnavailable) {
        const auto reason = fromUtf8(error.args.at("reason"));
        endJob();  // what it did goes on being there
        Q_EMIT lost(lastWords().isEmpty() ? reason : lastWords());
    } else if (m_jobActive) {
        endJob();
        Q_EMIT failed(error, true);
    } else {
        Q_EMIT stateChanged();
    }
}

void WorkerClient::dropProcess() {
    m_watchdog.stop();
    m_greeted = false;
    if (m_process != nullptr) {
        auto* process = std::exchange(m_process, nullptr);
        process->disconnect(this);
        appendLog(process->readAllStandardError());
        if (process->state() != QProcess::NotRunning) {
            connect(process, &QProcess::finished, process, &QObject::deleteLater);
            process->kill();
        } else {
            process->deleteLater();
        }
    }
    setSilent(false);
    setState(State::Off);
}

void WorkerClient::onProcessError(QProcess::ProcessError error) {
    if (error != QProcess::FailedToStart) {
        return;  // `finished` follows
    }
    giveUp(unavailable(m_process->errorString()));
}

Error WorkerClient::unavailable(const QString& reason) const {
    const QString program = isRemote() ? m_command.arguments.constLast().section(u' ', 0, 0) : m_command.program;
    const QString where = isRemote() ? tr("%1 on %2", "program, machine").arg(program, m_command.host) : program;
    return makeError(ErrorCode::WorkerUnavailable,
                     {{"program", where.toStdString()}, {"reason", reason.toStdString()}});
}

/// Of what this process wrote: ssh says there what is wrong.
QString WorkerClient::lastWords() const {
    return m_log.mid(m_logStart).trimmed().section(u'\n', -1).trimmed();
}

QString WorkerClient::killedText(std::uint64_t held, std::uint64_t free) {
    if (held > 0 && free > 0 && free < held + held / 4) {
        return tr("killed by the system, perhaps out of memory: it held %1, %2 are free")
            .arg(megabytes(held), megabytes(free));
    }
    return tr("killed from outside (SIGKILL)");
}

QString WorkerClient::deathReason(int code, QProcess::ExitStatus status) const {
    if (status == QProcess::NormalExit) {
        return tr("it ended with code %1").arg(code);
    }
    if (code == SIGKILL) {
        return killedText(m_residentBytes, availableMemory());
    }
    const char* name = ::sigabbrev_np(code);
    return tr("signal %1")
        .arg(name == nullptr ? QString::number(code) : u"SIG"_s + QString::fromLatin1(name));
}

void WorkerClient::onFinished(int code, QProcess::ExitStatus status) {
    readLines();
    if (m_process == nullptr) {
        return;
    }
    const bool wanted = m_killedByUs;
    QString reason = deathReason(code, status);
    const bool greeted = m_greeted;
    dropProcess();
    if (isRemote() && !lastWords().isEmpty()) {
        reason = lastWords();
    }
    if (!greeted && !wanted) {
        m_problem = unavailable(reason);
        Q_EMIT stateChanged();
    }
    if (!m_jobActive) {
        return;
    }
    const bool collecting = m_collecting;
    endJob();
    if (wanted) {
        Q_EMIT cancelled();
    } else if (isRemote() && (greeted || collecting)) {
        Q_EMIT lost(reason);
    } else if (greeted) {
        Q_EMIT failed(makeError(ErrorCode::WorkerCrashed, {{"reason", reason.toStdString()}}),
                      true);
    } else {
        Q_EMIT failed(unavailable(reason), true);
    }
}

void WorkerClient::onSilence() {
    if (m_process == nullptr) {
        return;
    }
    if (m_greeted) {
        setSilent(true);
        return;
    }
    giveUp(unavailable(tr("it did not answer within %n second(s)", nullptr, m_patience.greetingMs / 1000)));
}

}  // namespace pareto::studio
