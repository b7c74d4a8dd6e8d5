#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "app/studio/job_queue.h"
#include "app/studio/settings.h"
#include "app/studio/store_thread.h"
#include "app/studio/workers.h"
#include "tests/app/studio/studio_test.h"

using namespace pareto;
using namespace pareto::studio;
using namespace Qt::StringLiterals;

namespace {

struct Bench {
    explicit Bench(const QString& folder)
        : store(folder + u"/studio.db"_s),
          worker({test::fakeWorker()}, {800, 600, 300}),
          settings(folder + u"/studio.ini"_s),
          workers(worker, settings),
          queue(workers, store, folder) {}
    int add(const QString& title) {
        jobs::RunParams params;
        params.model = "/models/tiny";
        params.target.threads = 1;
        return queue.addRun(params, title);
    }
    bool waitFor(int job, JobState state) {
        return QTest::qWaitFor([&] { return queue.find(job)->state == state; }, 10'000);
    }
    std::vector<store::RunSummary> runs() {
        std::optional<std::vector<store::RunSummary>> rows;
        QObject context;
        store.ask<std::vector<store::RunSummary>>(
            [](store::Store& s) { return s.runs({}); }, &context,
            [&](auto result) { rows = std::move(result).value(); });
        (void)QTest::qWaitFor([&] { return rows.has_value(); }, 5000);
        return rows.value_or(std::vector<store::RunSummary>{});
    }
    StoreThread store;
    WorkerClient worker;
    Settings settings;
    Workers workers;
    JobQueue queue;
};

}  // namespace

class TestJobQueue : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() { qputenv("PARETO_FAKE_WORKER", "good"); }

    void runsInOrderAndCommits() {
        const QTemporaryDir folder;
        Bench bench(folder.path());
        const int first = bench.add(u"Baseline"_s);
        const int second = bench.add(u"half"_s);
        QCOMPARE(bench.queue.pending(), 2);
        QVERIFY(bench.waitFor(second, JobState::Finished));
        QCOMPARE(bench.queue.find(first)->state, JobState::Finished);
        const auto rows = bench.runs();
        QCOMPARE(rows.size(), std::size_t{2});
        QCOMPARE(rows[0].name, std::string("Baseline"));
        QCOMPARE(rows[0].status, RunStatus::Finished);
        QVERIFY(rows[0].find("latency_p50_ms") != nullptr);
        QCOMPARE(rows[1].id, bench.queue.find(second)->run);
    }

    void aCrashFailsTheJobAndRetryWorks() {
        const QTemporaryDir folder;
        Bench bench(folder.path());
        qputenv("PARETO_FAKE_WORKER", "segfault");
        const int job = bench.add(u"crash"_s);
        QVERIFY(bench.waitFor(job, JobState::Failed));
        QCOMPARE(bench.queue.find(job)->error->code, ErrorCode::WorkerCrashed);
        QTRY_COMPARE(bench.runs().front().status, RunStatus::Failed);
        qputenv("PARETO_FAKE_WORKER", "good");
        bench.queue.retry(job);
        QVERIFY(bench.waitFor(job, JobState::Finished));
        QCOMPARE(bench.runs().size(), std::size_t{2});
    }

    void threeDeathsHoldTheQueue() {
        const QTemporaryDir folder;
        Bench bench(folder.path());
        qputenv("PARETO_FAKE_WORKER", "killed");
        QSignalSpy held(&bench.queue, &JobQueue::heldChanged);
        int last = 0;
        for (int i = 0; i < 4; ++i) {
            last = bench.add(QString::number(i));
        }
        QVERIFY(QTest::qWaitFor([&] { return bench.queue.held(); }, 15'000));
        QCOMPARE(bench.queue.find(last)->state, JobState::Queued);
        QVERIFY(!held.last().at(1).toString().isEmpty());
        qputenv("PARETO_FAKE_WORKER", "good");
        bench.queue.setHeld(false);
        QVERIFY(bench.waitFor(last, JobState::Finished));
    }

    void cancelOfARunningAndAQueuedJob() {
        const QTemporaryDir folder;
        Bench bench(folder.path());
        qputenv("PARETO_FAKE_WORKER", "slow");
        const int running = bench.add(u"running"_s);
        const int queued = bench.add(u"queued"_s);
        QVERIFY(
            QTest::qWaitFor([&] { return bench.queue.find(running)->progress.total > 0; }, 8000));
        bench.queue.cancel(queued);
        QCOMPARE(bench.queue.find(queued)->state, JobState::Cancelled);
        bench.queue.cancel(running);
        QVERIFY(bench.waitFor(running, JobState::Cancelled));
        QTRY_COMPARE(bench.runs().front().status, RunStatus::Cancelled);
        QCOMPARE(bench.queue.pending(), 0);
    }

    void aHeldQueueStartsNothing() {
        const QTemporaryDir folder;
        Bench bench(folder.path());
        bench.queue.setHeld(true);
        const int job = bench.add(u"later"_s);
        QTest::qWait(100);
        QCOMPARE(bench.queue.find(job)->state, JobState::Queued);
        bench.queue.setHeld(false);
        QVERIFY(bench.waitFor(job, JobState::Finished));
    }

    /// A queue whose process is gone comes back as interrupted jobs that Retry runs.
    void interruptedJobsComeBack() {
        const QTemporaryDir folder;
        jobs::RunParams params;
        params.model = "/models/tiny";
        auto owner = store::Owner::thisProcess();
        owner.startTime -= 1;  // the same pid, another process
        const Json left{{"owner",
                         {{"machine", owner.machine},
                          {"boot", owner.bootId},
                          {"pid", owner.pid},
                          {"start", owner.startTime}}},
                        {"jobs", Json::array({{{"title", "left"},
                                               {"kind", "run"},
                                               {"params", jobs::toJson(params)},
                                               {"run", 0}}})}};
        QFile file(folder.filePath(u"jobs-1.json"_s));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(QByteArray::fromStdString(left.dump()));
        file.close();
        Bench bench(folder.path());
        QCOMPARE(bench.queue.jobs().size(), std::size_t{1});
        const int job = bench.queue.jobs().front().id;
        QCOMPARE(bench.queue.find(job)->state, JobState::Interrupted);
        bench.queue.retry(job);
        QVERIFY(bench.waitFor(job, JobState::Finished));
        QVERIFY(!QFile::exists(file.fileName()));
    }

    void runsOfAnotherProcessAppear() {
        const QTemporaryDir folder;
        Bench bench(folder.path());
        QVERIFY(bench.runs().empty());
        QSignalSpy changed(&bench.store, &StoreThread::changedOutside);
        auto other = store::Store::open(folder.filePath(u"studio.db"_s).toStdString());
        QVERIFY(other.ok());
        RunRecord record;
        record.name = "from the command line";
        QVERIFY(other.value()->finishRun(record).ok());
        QVERIFY(QTest::qWaitFor([&] { return changed.size() > 0; }, 5000));
        QCOMPARE(bench.runs().size(), std::size_t{1});
    }

    void aNewerStoreIsNotTouched() {
        const QTemporaryDir folder;
        const QString path = folder.filePath(u"studio.db"_s);
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("this is no database, and certainly not ours");
        file.close();
        Bench bench(folder.path());
        QVERIFY(QTest::qWaitFor([&] { return bench.store.problem().has_value(); }, 5000));
        const int job = bench.add(u"x"_s);
        QVERIFY(bench.waitFor(job, JobState::Failed));
        QVERIFY(file.open(QIODevice::ReadOnly));
        QVERIFY(file.readAll().startsWith("this is no database"));
    }
};

QTEST_MAIN(TestJobQueue)
#include "tst_job_queue.moc"
