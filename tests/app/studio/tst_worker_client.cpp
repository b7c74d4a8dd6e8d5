#include <csignal>

#include <QElapsedTimer>
#include <QFileInfo>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "app/studio/log_file.h"
#include "app/studio/worker_client.h"
#include "engine/jobs/api/jobs.h"
#include "tests/app/studio/studio_test.h"

using namespace pareto;
using namespace pareto::studio;
using namespace Qt::StringLiterals;

namespace {

WorkerPatience patience() { return {800, 600, 300}; }

/// The outcome of one job, whichever it is.
struct Outcome {
    explicit Outcome(WorkerClient& client) {
        QObject::connect(&client, &WorkerClient::failed, &context, [this](const Error& e, bool t) {
            error = e;
            trouble = t;
            ++count;
        });
        QObject::connect(&client, &WorkerClient::result, &context, [this](const Json& json) {
            result = json;
            ++count;
        });
        QObject::connect(&client, &WorkerClient::cancelled, &context, [this] {
            cancelled = true;
            ++count;
        });
    }
    bool wait(int ms = 8000) {
        return QTest::qWaitFor([this] { return count > 0; }, ms);
    }
    std::string reason() const {
        const auto found = error->args.find("reason");
        return found == error->args.end() ? std::string{} : found->second;
    }
    QObject context;
    std::optional<Error> error;
    std::optional<Json> result;
    bool trouble = false;
    bool cancelled = false;
    int count = 0;
};

Json params() {
    jobs::RunParams params;
    params.model = "/nowhere";
    return jobs::toJson(params);
}

}  // namespace

class TestWorkerClient : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() { qputenv("PARETO_FAKE_WORKER", "good"); }

    void answersAndStaysForTheNextJob() {
        WorkerClient client({test::fakeWorker()}, patience());
        QSignalSpy progress(&client, &WorkerClient::progress);
        for (int job = 0; job < 2; ++job) {
            Outcome outcome(client);
            client.start(u"run"_s, params());
            QVERIFY(outcome.wait());
            QVERIFY(outcome.result.has_value());
        }
        QVERIFY(progress.size() >= 2);
        QCOMPARE(client.state(), WorkerClient::State::Ready);
        QCOMPARE(client.hello()->machine.id, std::string("fake-machine"));
        QVERIFY(client.log().contains(u"before the greeting"_s));
    }

    void itsWordsCanBeKept() {
        const QTemporaryDir folder;
        LogFile log(folder.filePath(u"logs/worker.log"_s));
        WorkerClient client({test::fakeWorker()}, patience());
        connect(&client, &WorkerClient::logged, &client,
                [&log](const QByteArray& text) { log.append(text); });
        Outcome outcome(client);
        client.start(u"run"_s, params());
        QVERIFY(outcome.wait());
        QFile file(log.path());
        QVERIFY(file.open(QIODevice::ReadOnly));
        QVERIFY(file.readAll().contains("before the greeting"));
    }

    void theLogStartsAnewWhenItIsLong() {
        const QTemporaryDir folder;
        LogFile log(folder.filePath(u"worker.log"_s));
        log.append(QByteArray(6'000'000, 'x'));
        log.append("new");
        QCOMPARE(QFileInfo(log.path()).size(), qint64{3});
        QCOMPARE(QFileInfo(log.path() + u".1"_s).size(), qint64{6'000'000});
        LogFile nowhere(u"/proc/no/such/worker.log"_s);
        nowhere.append("lost");  // and nothing else happens
        QVERIFY(!QFileInfo::exists(nowhere.path()));
    }

    void longResultsComeInPieces() {
        qputenv("PARETO_FAKE_WORKER", "big");
        WorkerClient client({test::fakeWorker()}, patience());
        Outcome outcome(client);
        client.start(u"run"_s, params());
        QVERIFY(outcome.wait());
        QVERIFY(outcome.result.has_value());
        QVERIFY(outcome.result->dump().size() > jobs::kMaxLine);
    }

    void troubles_data() {
        QTest::addColumn<QString>("mode");
        QTest::addColumn<int>("code");
        QTest::addColumn<QString>("reason");
        const auto crashed = static_cast<int>(ErrorCode::WorkerCrashed);
        const auto protocol = static_cast<int>(ErrorCode::WorkerProtocol);
        const auto unavailable = static_cast<int>(ErrorCode::WorkerUnavailable);
        QTest::newRow("no greeting") << u"mute"_s << unavailable << u"did not answer"_s;
        QTest::newRow("dies at once") << u"dies-at-once"_s << unavailable << u"127"_s;
        QTest::newRow("other protocol") << u"other-protocol"_s << protocol << u"version"_s;
        QTest::newRow("junk") << u"junk"_s << protocol << QString();
        QTest::newRow("long line") << u"long-line"_s << protocol << u"1 MiB"_s;
        QTest::newRow("segfault") << u"segfault"_s << crashed << u"SIGSEGV"_s;
        QTest::newRow("killed") << u"killed"_s << crashed << u"SIGKILL"_s;
        QTest::newRow("exit") << u"exit"_s << crashed << u"code 3"_s;
    }

    void troubles() {
        QFETCH(QString, mode);
        QFETCH(int, code);
        QFETCH(QString, reason);
        qputenv("PARETO_FAKE_WORKER", mode.toUtf8());
        WorkerClient client({test::fakeWorker()}, patience());
        Outcome outcome(client);
        client.start(u"run"_s, params());
        QVERIFY(outcome.wait());
        QVERIFY(outcome.error.has_value());
        QCOMPARE(static_cast<int>(outcome.error->code), code);
        QVERIFY(outcome.trouble);
        QVERIFY2(QString::fromStdString(outcome.reason()).contains(reason),
                 outcome.reason().c_str());
        QCOMPARE(outcome.count, 1);
        // The next job starts a new process.
        qputenv("PARETO_FAKE_WORKER", "good");
        Outcome next(client);
        client.start(u"run"_s, params());
        QVERIFY(next.wait());
        QVERIFY(next.result.has_value());
    }

    void memoryIsBlamedOnlyWhenItWasScarce() {
        constexpr std::uint64_t kGiB = 1ULL << 30U;
        const QString blame = u"out of memory"_s;
        QVERIFY(!WorkerClient::killedText(kGiB, 8 * kGiB).contains(blame));
        QVERIFY(!WorkerClient::killedText(0, kGiB).contains(blame));
        QVERIFY(WorkerClient::killedText(8 * kGiB, 8 * kGiB + kGiB / 8).contains(blame));
    }

    void missingProgram() {
        WorkerClient client({u"/nowhere/pareto"_s}, patience());
        Outcome outcome(client);
        client.start(u"run"_s, params());
        QVERIFY(outcome.wait());
        QCOMPARE(outcome.error->code, ErrorCode::WorkerUnavailable);
    }

    void errorsOfTheJobAreNoTrouble() {
        qputenv("PARETO_FAKE_WORKER", "error");
        WorkerClient client({test::fakeWorker()}, patience());
        Outcome outcome(client);
        client.start(u"run"_s, params());
        QVERIFY(outcome.wait());
        QCOMPARE(outcome.error->code, ErrorCode::MemoryShort);
        QVERIFY(!outcome.trouble);
        QCOMPARE(client.state(), WorkerClient::State::Ready);
    }

    void silenceIsSaidAndForceStopEndsIt() {
        qputenv("PARETO_FAKE_WORKER", "silent");
        WorkerClient client({test::fakeWorker()}, patience());
        QSignalSpy silent(&client, &WorkerClient::silentChanged);
        Outcome outcome(client);
        client.start(u"run"_s, params());
        QVERIFY(QTest::qWaitFor([&] { return silent.size() == 1; }, 5000));
        QCOMPARE(silent.first().first().toBool(), true);
        QCOMPARE(outcome.count, 0);
        QElapsedTimer timer;
        timer.start();
        client.forceStop();
        QVERIFY(outcome.wait());
        QVERIFY(outcome.cancelled);
        QVERIFY(timer.elapsed() < 1000);
    }

    void cancelIsAnOutcomeOfItsOwn() {
        qputenv("PARETO_FAKE_WORKER", "slow");
        WorkerClient client({test::fakeWorker()}, patience());
        QSignalSpy progress(&client, &WorkerClient::progress);
        Outcome outcome(client);
        client.start(u"run"_s, params());
        QVERIFY(QTest::qWaitFor([&] { return progress.size() > 1; }, 5000));
        client.cancel();
        QVERIFY(outcome.wait(2000));
        QVERIFY(outcome.cancelled);
        QCOMPARE(client.state(), WorkerClient::State::Ready);
    }

    void killedFromOutsideNamesTheSignal() {
        qputenv("PARETO_FAKE_WORKER", "slow");
        WorkerClient client({test::fakeWorker()}, patience());
        QSignalSpy progress(&client, &WorkerClient::progress);
        Outcome outcome(client);
        client.start(u"run"_s, params());
        QVERIFY(QTest::qWaitFor([&] { return progress.size() > 1; }, 5000));
        ::kill(static_cast<pid_t>(client.processId()), SIGTERM);
        QVERIFY(outcome.wait());
        QVERIFY(QString::fromStdString(outcome.reason()).contains(u"SIGTERM"_s));
    }
};

QTEST_MAIN(TestWorkerClient)
#include "tst_worker_client.moc"
