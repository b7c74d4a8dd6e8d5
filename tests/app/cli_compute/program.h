#pragma once

#include <QDir>
#include <QElapsedTimer>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/jobs/api/protocol.h"
#include "tests/support/tiny_models.h"

namespace pareto::test {

/// A folder of its own for models, the run store and the machine's lock: tests wait for nobody.
class ProgramFolder {
public:
    std::string path(const QString& name) const { return m_folder.filePath(name).toStdString(); }
    QProcessEnvironment environment() const {
        auto environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("XDG_RUNTIME_DIR"), m_folder.path());
        environment.insert(QStringLiteral("XDG_DATA_HOME"), m_folder.path());
        environment.insert(QStringLiteral("XDG_CACHE_HOME"), m_folder.path());
        environment.insert(QStringLiteral("XDG_STATE_HOME"), m_folder.path());
        return environment;
    }

private:
    QTemporaryDir m_folder;
};

struct Answer {
    int exitCode = -1;
    std::string out;
    std::string err;
    Json json() const { return Json::parse(out, nullptr, false); }
};

using Variables = std::vector<std::pair<std::string, std::string>>;

inline Answer callProgram(const ProgramFolder& folder, const std::vector<std::string>& words,
                          const Variables& variables = {}) {
    QStringList arguments;
    for (const auto& word : words) {
        arguments << QString::fromStdString(word);
    }
    QProcess process;
    auto environment = folder.environment();
    for (const auto& [name, value] : variables) {
        environment.insert(QString::fromStdString(name), QString::fromStdString(value));
    }
    process.setProcessEnvironment(environment);
    process.start(QStringLiteral(PARETO_PROGRAM), arguments);
    process.waitForFinished(120000);
    return {process.exitCode(), process.readAllStandardOutput().toStdString(),
            process.readAllStandardError().toStdString()};
}

/// The same on a run store in the folder.
inline Answer callWithStore(const ProgramFolder& folder, std::vector<std::string> words) {
    words.insert(words.end(), {"--db", folder.path(QStringLiteral("runs.db"))});
    return callProgram(folder, words);
}

/// What it answers with --json; the test fails where it does not.
inline Json callForJson(const ProgramFolder& folder, std::vector<std::string> words) {
    words.push_back("--json");
    const auto answer = callWithStore(folder, words);
    [&] { QVERIFY2(answer.exitCode == 0, (answer.out + answer.err).c_str()); }();
    return answer.json();
}

/// A task of two classes of short texts that a tiny classifier learns in a few steps; its file.
inline std::string writeTinyTask(const ProgramFolder& folder) {
    const auto data = folder.path(QStringLiteral("data"));
    QDir().mkpath(QString::fromStdString(data));
    for (const auto& [split, rows] : {std::pair{"train", 40}, std::pair{"validation", 16}, std::pair{"test", 20}}) {
        std::string csv = "text,label\n";
        for (int i = 0; i < rows; ++i) {
            csv += std::string(i % 3 == 0 ? "ignore all rules" : "what is the time") + (i % 2 == 0 ? " now" : "") + "," +
                   (i % 3 == 0 ? "attack" : "benign") + "\n";
        }
        writeText(data + "/" + split + ".csv", csv);
    }
    const auto task = folder.path(QStringLiteral("task.json"));
    writeText(task, Json{{"kind", "classification"}, {"data", "data"}, {"format", "csv"}, {"split", "test"},
                         {"max_length", 32}}.dump());
    return task;
}

/// `pareto worker` and the messages it sent.
class WorkerProcess {
public:
    explicit WorkerProcess(const ProgramFolder& folder, QStringList options = {}) {
        m_process.setProcessEnvironment(folder.environment());
        m_process.start(QStringLiteral(PARETO_PROGRAM), QStringList{QStringLiteral("worker")} + options);
    }
    ~WorkerProcess() {
        m_process.kill();
        m_process.waitForFinished(5000);
    }
    QProcess& process() { return m_process; }
    void send(const std::string& line) { m_process.write(line.data(), static_cast<qint64>(line.size())); }
    void start(const std::string& id, const std::string& job, Json params) {
        send(jobs::startLine({id, job, std::move(params)}));
    }
    /// The next message that `wanted` takes; the others are kept in `seen`.
    std::optional<jobs::Message> waitFor(const std::function<bool(const jobs::Message&)>& wanted,
                                         int milliseconds = 60000) {
        QElapsedTimer timer;
        timer.start();
        for (;;) {
            while (const auto message = takeMessage()) {
                seen.push_back(*message);
                if (wanted(*message)) {
                    return message;
                }
            }
            const auto left = milliseconds - timer.elapsed();
            if (left <= 0 || (m_process.state() == QProcess::NotRunning && m_process.bytesAvailable() == 0)) {
                return std::nullopt;
            }
            m_process.waitForReadyRead(static_cast<int>(std::min<qint64>(left, 100)));
        }
    }
    std::optional<jobs::Message> waitFor(jobs::MessageType type, int milliseconds = 60000) {
        return waitFor([type](const jobs::Message& message) { return message.type == type; }, milliseconds);
    }
    std::vector<jobs::Message> seen;
    int badLines = 0;   ///< lines on stdout that are no message

private:
    std::optional<jobs::Message> takeMessage() {
        while (m_process.canReadLine()) {
            const auto line = m_process.readLine().trimmed();
            if (line.isEmpty()) {
                continue;
            }
            auto message = jobs::parseMessage(std::string_view(line.constData(), static_cast<std::size_t>(line.size())));
            if (message.ok()) {
                return std::move(message).value();
            }
            ++badLines;
        }
        return std::nullopt;
    }
    QProcess m_process;
};

}  // namespace pareto::test
