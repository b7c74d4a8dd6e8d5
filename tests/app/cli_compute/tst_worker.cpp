#include <QFile>
#include <QTest>

#include <csignal>

#include <sys/types.h>
#include <unistd.h>

#include "engine/jobs/api/jobs.h"
#include "tests/app/cli_compute/program.h"

using namespace pareto;
using jobs::MessageType;

class TestWorker : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void itGreetsWithItsMachine();
    void aRunAnswersARecordAndReportsProgress();
    void itServesOneJobAfterAnother();
    void aFailedJobIsAnErrorAndTheWorkerGoesOn();
    void cancelAnswersSoon();
    void aWaitingJobCanBeCancelled();
    void badLinesAreAnsweredAndSurvived();
    void controlLinesHarmNothing();
    void signsOfLifeComeWhileItComputes();
    void endOfInputEndsItAlsoInTheMiddleOfAJob();
    void terminateEndsIt();
    void aKeptJobOutlivesItsConnection();
    void aKeptJobIsCancelledFromALaterConnection();
    void aKilledKeptJobIsAnError();
    void generatedTextComesInPieces();
    void aShrunkFileIsBadInput();
    void itDiesWithItsParent();

private:
    Json run(double seconds) const {
        jobs::RunParams params;
        params.model = m_classifier;
        params.target.threads = 1;
        params.target.sequence = 16;
        params.warmups = 1;
        params.minSeconds = seconds;
        params.minIterations = 5;
        params.maxIterations = 10'000'000;
        return jobs::toJson(params);
    }
    static bool isProgressOf(const jobs::Message& message, Stage stage) {
        return message.type == MessageType::Progress && message.progress.progress.stage == stage;
    }
    test::ProgramFolder m_folder;
    std::string m_classifier;
};

void TestWorker::initTestCase() {
    QVERIFY2(QFile::exists(QStringLiteral(PARETO_PROGRAM)), PARETO_PROGRAM);
    m_classifier = test::writeTinyClassifier(m_folder.path(QStringLiteral("classifier")));
}

void TestWorker::itGreetsWithItsMachine() {
    test::WorkerProcess worker(m_folder);
    const auto hello = worker.waitFor(MessageType::Hello);
    QVERIFY(hello);
    QCOMPARE(hello->hello.magic, std::string(jobs::kProtocolMagic));
    QCOMPARE(hello->hello.protocol, jobs::kProtocolVersion);
    QVERIFY(!hello->hello.machine.id.empty());
    QVERIFY(hello->hello.machine.cores > 0);
    QVERIFY(!hello->hello.machine.devices.empty());
    QVERIFY(hello->hello.versions.contains("libtorch"));
    QCOMPARE(worker.badLines, 0);
}

void TestWorker::aRunAnswersARecordAndReportsProgress() {
    test::WorkerProcess worker(m_folder);
    worker.start("7", jobs::kJobRun, run(0.5));
    const auto result = worker.waitFor(MessageType::Result);
    QVERIFY(result);
    QCOMPARE(result->id, std::string("7"));
    auto body = result->body;
    if (result->chunks > 0) {
        std::string bytes;
        for (const auto& message : worker.seen) {
            if (message.type == MessageType::Chunk && message.id == "7") {
                bytes += message.chunk;
            }
        }
        body = Json::parse(bytes);
    }
    const auto record = runRecordFromJson(body);
    QVERIFY(record.ok());
    QVERIFY(record->find("latency_p50_ms") != nullptr);
    QVERIFY(std::any_of(worker.seen.begin(), worker.seen.end(), [](const auto& message) {
        return isProgressOf(message, Stage::Timing) && message.progress.residentBytes > 0;
    }));
    QCOMPARE(worker.badLines, 0);
}

void TestWorker::itServesOneJobAfterAnother() {
    test::WorkerProcess worker(m_folder);
    const jobs::TextParams texts{m_classifier, {}, {}, {"hello cats"}, {}, 32};
    worker.start("a", jobs::kJobClassify, jobs::toJson(texts));
    worker.start("b", jobs::kJobClassify, jobs::toJson(texts));
    const auto first = worker.waitFor(MessageType::Result);
    const auto second = worker.waitFor(MessageType::Result);
    QVERIFY(first && second);
    QCOMPARE(first->id, std::string("a"));
    QCOMPARE(second->id, std::string("b"));
    QVERIFY(first->body == second->body);
}

void TestWorker::aFailedJobIsAnErrorAndTheWorkerGoesOn() {
    test::WorkerProcess worker(m_folder);
    auto missing = run(0.1);
    missing["model"] = m_folder.path(QStringLiteral("nothing"));
    worker.start("1", jobs::kJobRun, missing);
    worker.start("2", "dance", Json::object());
    worker.start("3", jobs::kJobRun, run(0.0));
    const auto first = worker.waitFor(MessageType::Error);
    const auto second = worker.waitFor(MessageType::Error);
    QVERIFY(first && second);
    QCOMPARE(first->id, std::string("1"));
    QCOMPARE(first->error.code, ErrorCode::FileMissing);
    QCOMPARE(second->error.code, ErrorCode::JobUnknown);
    const auto third = worker.waitFor(MessageType::Result);
    QVERIFY(third);
    QCOMPARE(third->id, std::string("3"));
}

void TestWorker::cancelAnswersSoon() {
    test::WorkerProcess worker(m_folder);
    worker.start("long", jobs::kJobRun, run(600.0));
    QVERIFY(worker.waitFor([](const auto& m) { return isProgressOf(m, Stage::Timing); }));
    QElapsedTimer timer;
    timer.start();
    worker.send(jobs::cancelLine("long"));
    const auto cancelled = worker.waitFor(MessageType::Cancelled, 2000);
    QVERIFY2(cancelled, qPrintable(QString::number(timer.elapsed())));
    QCOMPARE(cancelled->id, std::string("long"));
    worker.start("next", jobs::kJobRun, run(0.0));
    QVERIFY(worker.waitFor(MessageType::Result));
}

void TestWorker::aWaitingJobCanBeCancelled() {
    test::WorkerProcess worker(m_folder);
    worker.start("first", jobs::kJobRun, run(600.0));
    worker.start("waiting", jobs::kJobRun, run(600.0));
    QVERIFY(worker.waitFor(MessageType::Progress));
    worker.send(jobs::cancelLine("waiting"));
    const auto cancelled = worker.waitFor(MessageType::Cancelled);
    QVERIFY(cancelled);
    QCOMPARE(cancelled->id, std::string("waiting"));
    worker.send(jobs::cancelLine("nobody"));
    worker.send(jobs::cancelLine("first"));
    QCOMPARE(worker.waitFor(MessageType::Cancelled)->id, std::string("first"));
}

void TestWorker::badLinesAreAnsweredAndSurvived() {
    test::WorkerProcess worker(m_folder);
    QVERIFY(worker.waitFor(MessageType::Hello));
    const std::vector<std::string> lines{
        "this is no JSON\n", "{\"type\": \"start\"}\n", "[1, 2]\n", "{\"type\": \"alive\", \"rss\": 1}\n",
        "\xff\xfe\n", std::string(jobs::kMaxLine + 100, 'x') + "\n"};
    for (const auto& line : lines) {
        worker.send(line);
        const auto error = worker.waitFor(MessageType::Error);
        QVERIFY2(error, line.substr(0, 40).c_str());
        QCOMPARE(error->error.code, ErrorCode::WorkerProtocol);
    }
    worker.send("\n  \n");
    worker.start("ok", jobs::kJobRun, run(0.0));
    QVERIFY(worker.waitFor(MessageType::Result));
}

/// A job that does not train does not look at them; what is no action is an error of the conversation.
void TestWorker::controlLinesHarmNothing() {
    test::WorkerProcess worker(m_folder);
    worker.start("long", jobs::kJobRun, run(600.0));
    QVERIFY(worker.waitFor([](const auto& m) { return isProgressOf(m, Stage::Timing); }));
    for (const auto action : {jobs::ControlAction::Pause, jobs::ControlAction::Resume, jobs::ControlAction::Finish}) {
        worker.send(jobs::controlLine("long", action));
        worker.send(jobs::controlLine("nobody", action));
    }
    worker.send("{\"type\": \"control\", \"id\": \"long\", \"action\": \"dance\"}\n");
    const auto error = worker.waitFor(MessageType::Error);
    QVERIFY(error);
    QCOMPARE(error->error.code, ErrorCode::WorkerProtocol);
    worker.send(jobs::cancelLine("long"));
    QVERIFY(worker.waitFor(MessageType::Cancelled, 2000));
    worker.start("next", jobs::kJobRun, run(0.0));
    QVERIFY(worker.waitFor(MessageType::Result));
}

void TestWorker::signsOfLifeComeWhileItComputes() {
    test::WorkerProcess worker(m_folder);
    worker.start("long", jobs::kJobRun, run(600.0));
    QVERIFY(worker.waitFor([](const auto& m) { return isProgressOf(m, Stage::Timing); }));
    for (int i = 0; i < 2; ++i) {
        const auto alive = worker.waitFor(MessageType::Alive, 8000);
        QVERIFY(alive);
        QVERIFY(alive->residentBytes > (std::uint64_t{10} << 20));
    }
}

void TestWorker::endOfInputEndsItAlsoInTheMiddleOfAJob() {
    test::WorkerProcess idle(m_folder);
    QVERIFY(idle.waitFor(MessageType::Hello));
    idle.process().closeWriteChannel();
    QVERIFY(idle.process().waitForFinished(10000));
    QCOMPARE(idle.process().exitCode(), 0);

    test::WorkerProcess busy(m_folder);
    busy.start("long", jobs::kJobRun, run(600.0));
    QVERIFY(busy.waitFor([](const auto& m) { return isProgressOf(m, Stage::Timing); }));
    busy.process().closeWriteChannel();
    QVERIFY(busy.process().waitForFinished(10000));
    QCOMPARE(busy.process().exitStatus(), QProcess::NormalExit);
}

void TestWorker::terminateEndsIt() {
    test::WorkerProcess worker(m_folder);
    worker.start("long", jobs::kJobRun, run(600.0));
    QVERIFY(worker.waitFor([](const auto& m) { return isProgressOf(m, Stage::Timing); }));
    worker.process().terminate();
    QVERIFY(worker.process().waitForFinished(10000));
}

void TestWorker::aKeptJobOutlivesItsConnection() {
    test::WorkerProcess lost(m_folder, {QStringLiteral("--keep")});
    lost.start("kept-1", jobs::kJobRun, run(4.0));
    QVERIFY(lost.waitFor([](const auto& m) { return isProgressOf(m, Stage::Timing); }));
    lost.process().closeWriteChannel();
    lost.process().closeReadChannel(QProcess::StandardOutput);  // whatever it says goes nowhere

    test::WorkerProcess later(m_folder, {QStringLiteral("--keep")});
    later.send(jobs::collectLine("kept-1"));
    const auto working = later.waitFor(MessageType::Progress);
    QVERIFY(working);
    QCOMPARE(working->id, std::string("kept-1"));
    QVERIFY(lost.process().waitForFinished(30000));
    QCOMPARE(lost.process().exitCode(), 0);
    const auto answer = [&](const std::string& line, MessageType type) {
        later.send(line);
        return later.waitFor(type, 10000);
    };
    for (int times = 0; times < 2; ++times) {  // until it is said to have arrived
        const auto result = answer(jobs::collectLine("kept-1"), MessageType::Result);
        QVERIFY(result);
        if (result->chunks == 0) {
            const auto record = runRecordFromJson(result->body);
            QVERIFY(record.ok());
            QVERIFY(record->find("latency_p50_ms") != nullptr);
        }
    }
    later.send(jobs::forgetLine("kept-1"));
    QVERIFY(answer(jobs::collectLine("kept-1"), MessageType::Absent));
}

void TestWorker::aKeptJobIsCancelledFromALaterConnection() {
    test::WorkerProcess lost(m_folder, {QStringLiteral("--keep")});
    lost.start("kept-2", jobs::kJobRun, run(600.0));
    QVERIFY(lost.waitFor([](const auto& m) { return isProgressOf(m, Stage::Timing); }));
    lost.process().closeWriteChannel();
    test::WorkerProcess later(m_folder, {QStringLiteral("--keep")});
    QVERIFY(later.waitFor(MessageType::Hello));
    later.send(jobs::cancelLine("kept-2"));
    QVERIFY(later.process().waitForBytesWritten(5000));
    QVERIFY(lost.process().waitForFinished(15000));
    later.send(jobs::collectLine("kept-2"));
    QVERIFY(later.waitFor(MessageType::Cancelled, 10000));
}

void TestWorker::aKilledKeptJobIsAnError() {
    test::WorkerProcess killed(m_folder, {QStringLiteral("--keep")});
    killed.start("kept-3", jobs::kJobRun, run(600.0));
    QVERIFY(killed.waitFor([](const auto& m) { return isProgressOf(m, Stage::Timing); }));
    killed.process().kill();
    QVERIFY(killed.process().waitForFinished(5000));
    test::WorkerProcess later(m_folder, {QStringLiteral("--keep")});
    later.send(jobs::collectLine("kept-3"));
    const auto error = later.waitFor(MessageType::Error, 20000);
    QVERIFY(error);
    QCOMPARE(error->error.code, ErrorCode::WorkerCrashed);
    // The same id cannot be begun again before it is forgotten.
    later.start("kept-3", jobs::kJobRun, run(0.1));
    QVERIFY(later.waitFor(MessageType::Error, 20000));
    later.send(jobs::forgetLine("kept-3"));
    later.start("kept-3", jobs::kJobRun, run(0.1));
    QVERIFY(later.waitFor(MessageType::Result, 60000));
}

void TestWorker::generatedTextComesInPieces() {
    test::WorkerProcess worker(m_folder);
    jobs::GenerateParams params;
    params.model = test::writeTinyLlama(m_folder.path(QStringLiteral("llama")));
    params.prompt = "the cat";
    params.sampling.maxTokens = 12;
    params.target.threads = 1;
    worker.start("g", jobs::kJobGenerate, jobs::toJson(params));
    const auto result = worker.waitFor(MessageType::Result);
    QVERIFY(result);
    std::string streamed;
    for (const auto& message : worker.seen) {
        if (message.type == MessageType::Event) {
            streamed += message.body["text"].get<std::string>();
        }
    }
    QCOMPARE(streamed, result->body["text"].get<std::string>());
}

void TestWorker::aShrunkFileIsBadInput() {
    const auto model = test::writeTinyClassifier(m_folder.path(QStringLiteral("shrinking")));
    test::WorkerProcess worker(m_folder);
    auto params = run(600.0);
    params["model"] = model;
    worker.start("s", jobs::kJobRun, params);
    QVERIFY(worker.waitFor([](const auto& m) { return isProgressOf(m, Stage::Timing); }));
    QVERIFY(::truncate((model + "/model.safetensors").c_str(), 4096) == 0);
    const auto error = worker.waitFor(MessageType::Error, 20000);
    if (!error && worker.process().state() == QProcess::Running) {
        QSKIP("the model's weights were packed into memory of its own: no page of the file is read again");
    }
    QVERIFY(error);
    QCOMPARE(error->id, std::string("s"));
    QCOMPARE(error->error.code, ErrorCode::FileUnreadable);
    QVERIFY(worker.process().waitForFinished(5000));
    QCOMPARE(worker.process().exitCode(), 4);
}

void TestWorker::itDiesWithItsParent() {
    // A shell starts the worker in the background, says its process id, and is killed.
    QProcess shell;
    shell.setProcessEnvironment(m_folder.environment());
    shell.start(QStringLiteral("/bin/sh"),
                {QStringLiteral("-c"),
                 QStringLiteral("\"$0\" worker --die-with-parent <&0 & echo pid $!; wait"),
                 QStringLiteral(PARETO_PROGRAM)});
    QVERIFY(shell.waitForReadyRead(10000));
    const auto words = QString::fromUtf8(shell.readLine()).split(QLatin1Char(' '));
    QCOMPARE(words.first(), QStringLiteral("pid"));
    const auto pid = static_cast<pid_t>(words.last().trimmed().toInt());
    QTRY_VERIFY_WITH_TIMEOUT(shell.canReadLine() || shell.waitForReadyRead(100), 30000);   // its hello
    QVERIFY(::kill(pid, 0) == 0);
    shell.kill();
    shell.waitForFinished(5000);
    QTRY_VERIFY_WITH_TIMEOUT(::kill(pid, 0) != 0 || QFile(QStringLiteral("/proc/%1/cmdline").arg(pid)).size() == 0, 10000);
}

QTEST_GUILESS_MAIN(TestWorker)
#include "tst_worker.moc"
