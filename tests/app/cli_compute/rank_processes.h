#pragma once

// Ranks as processes of the program, and what may happen to them.
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QTest>

#include <csignal>
#include <memory>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/core/random.h"
#include "tests/app/cli_compute/program.h"

namespace pareto::test {

/// Processes whose parent is `parent`.
inline std::vector<pid_t> childrenOf(qint64 parent) {
    std::vector<pid_t> out;
    for (const auto& name : QDir(QStringLiteral("/proc")).entryList(QDir::Dirs)) {
        QFile file(QStringLiteral("/proc/%1/stat").arg(name));
        bool number = false;
        const auto pid = static_cast<pid_t>(name.toInt(&number));
        if (!number || !file.open(QIODevice::ReadOnly)) {
            continue;
        }
        const QByteArray text = file.readAll();
        const auto fields = text.mid(text.lastIndexOf(')') + 2).split(' ');
        if (fields.size() > 1 && fields[1].toLongLong() == parent) {
            out.push_back(pid);
        }
    }
    return out;
}

inline bool isThere(pid_t process) {
    QFile file(QStringLiteral("/proc/%1/stat").arg(process));
    return file.open(QIODevice::ReadOnly) && !file.readAll().contains(") Z");
}

/// Whether a process used any time within a second.
inline bool isComputing(pid_t process) {
    const auto used = [&] {
        QFile file(QStringLiteral("/proc/%1/stat").arg(process));
        const QByteArray text = file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
        const auto fields = text.mid(text.lastIndexOf(')') + 2).split(' ');
        return fields.size() > 12 ? fields[11].toLongLong() + fields[12].toLongLong() : 0;
    };
    const auto before = used();
    QTest::qWait(1000);
    return used() - before > 10;
}

/// A port that is free now.
inline std::string freePort() {
    const int listening = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listening, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(listening);
    return std::to_string(ntohs(address.sin_port));
}

inline Variables rankVariables(int rank, int size, const std::string& port, const std::string& token = "secret") {
    return {{"RANK", std::to_string(rank)}, {"WORLD_SIZE", std::to_string(size)}, {"MASTER_ADDR", "127.0.0.1"},
            {"MASTER_PORT", port},          {"PARETO_RANKS_TOKEN", token},       {"PARETO_RANKS_TIMEOUT", "20"}};
}

inline std::unique_ptr<QProcess> startProgram(const ProgramFolder& folder, const std::vector<std::string>& words,
                                              const Variables& variables) {
    QStringList arguments;
    for (const auto& word : words) {
        arguments << QString::fromStdString(word);
    }
    auto process = std::make_unique<QProcess>();
    auto environment = folder.environment();
    for (const auto& [name, value] : variables) {
        environment.insert(QString::fromStdString(name), QString::fromStdString(value));
    }
    process->setProcessEnvironment(environment);
    process->start(QStringLiteral(PARETO_PROGRAM), arguments);
    return process;
}

/// How long all may take to end: 10 s, or the timeout and what it takes to end who is stopped.
inline int limitFor(int signal, int timeoutSeconds) { return signal == SIGSTOP ? (timeoutSeconds + 15) * 1000 : 10000; }

/// Rounds of what a soak does more often.
inline int disturbedRounds() { return qEnvironmentVariableIsSet("PARETO_SOAK") ? 50 : 1; }

/// Sends a signal to one of a job's processes, drawn at random, and waits until none is left. What was said; nothing where the
/// job had ended already, or had not begun.
inline std::optional<QByteArray> disturbed(QProcess& process, std::size_t others, int signal, int timeoutSeconds,
                                           RandomStream& random) {
    const auto ranks = childrenOf(process.processId());
    if (process.state() != QProcess::Running || ranks.size() != others) {
        process.kill();
        process.waitForFinished();
        return std::nullopt;
    }
    const auto first = static_cast<pid_t>(process.processId());
    const pid_t victim = signal == SIGINT ? first : random.below(others + 1) == 0 ? first : ranks[random.below(others)];
    const int limit = limitFor(signal, timeoutSeconds);
    ::kill(victim, signal);
    const auto waitFor = [limit](const std::function<bool()>& done) { return QTest::qWaitFor(done, limit); };
    bool ended = true;
    if (victim == first && signal == SIGSTOP) {
        // It cannot end itself; the others do, and wait to be buried.
        for (const auto rank : ranks) {
            ended = waitFor([rank] { return !isThere(rank) || !isComputing(rank); }) && ended;
        }
        process.kill();
    }
    ended = process.waitForFinished(limit) && ended;
    auto said = process.readAllStandardError();
    for (const auto rank : ranks) {
        ended = waitFor([rank] { return !isThere(rank); }) && ended;
    }
    [&] { QVERIFY2(ended, said.constData()); }();
    if (victim != first && process.exitCode() != 0) {
        // Lost, or (at the very beginning) one that did not come.
        [&] { QVERIFY2(said.toLower().contains("rank "), said.constData()); }();
    }
    return said;
}

}  // namespace pareto::test
