// Sweeps as folders: who may work on what, and what is known of it, whoever is killed.
#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QtTest>

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "engine/jobs/api/sweep.h"
#include "engine/jobs/run/slurm.h"

using namespace pareto;
using jobs::Sweep;

class TestSweep : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init();
    void comesBackAsItWasMade();
    void folderMustBeNew();
    void badFilesAreNamed_data();
    void badFilesAreNamed();
    void oneHoldsARun();
    void lookingIsNoHolding();
    void outcomesStay();
    void aKilledHolderLetsGo();
    void threeDeathsAreAnOutcome();
    void failedRunsCanBeTriedAgain();
    void recipesAreVaried();
    void arraysOfSlurm();

private:
    std::string path() const { return m_folder->filePath(QStringLiteral("sweep")).toStdString(); }
    Sweep made(std::size_t runs = 3) const {
        std::vector<jobs::RunParams> list(runs);
        for (std::size_t i = 0; i < runs; ++i) {
            list[i].model = "/models/some";
            list[i].seed = i;
        }
        const auto created = Sweep::create(path(), "name", list);
        auto opened = Sweep::open(path());
        [&] { QVERIFY(created.ok() && opened.ok()); }();
        return std::move(opened.value());
    }
    static RunRecord finished() {
        RunRecord out;
        out.status = RunStatus::Finished;
        out.measurements.push_back({"accuracy", 0.1 + 0.2, 0.25, 0.35, 20});
        out.headlineKey = "accuracy";
        return out;
    }
    std::unique_ptr<QTemporaryDir> m_folder;
};

void TestSweep::init() { m_folder = std::make_unique<QTemporaryDir>(); }

void TestSweep::comesBackAsItWasMade() {
    const auto sweep = made(2);
    QCOMPARE(sweep.name(), std::string("name"));
    QCOMPARE(sweep.runs().size(), std::size_t{2});
    QCOMPARE(sweep.runs()[1].seed, std::uint64_t{1});
    QCOMPARE(sweep.runs()[0].model, std::string("/models/some"));
    QCOMPARE(sweep.id().size(), std::size_t{16});
    QVERIFY(sweep.stateOf(0) == Sweep::State::Waiting);
}

void TestSweep::folderMustBeNew() {
    const auto sweep = made();
    const auto again = Sweep::create(path(), "other", sweep.runs());
    QVERIFY(!again.ok());
    QCOMPARE(again.error().code, ErrorCode::FileWriteDenied);
    QCOMPARE(Sweep::open(path())->name(), std::string("name"));
    QVERIFY(!Sweep::create(path() + "2", "none", {}).ok());
}

void TestSweep::badFilesAreNamed_data() {
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<QByteArray>("said");
    QTest::newRow("no JSON") << QByteArray("{") << QByteArray("not valid JSON");
    QTest::newRow("version") << QByteArray(R"({"version": 9, "id": "a", "runs": [{"model": "m"}]})") << QByteArray("version is 9");
    QTest::newRow("id") << QByteArray(R"({"version": 1, "runs": [{"model": "m"}]})") << QByteArray("id is missing");
    QTest::newRow("runs") << QByteArray(R"({"version": 1, "id": "a", "runs": 3})") << QByteArray("runs is missing");
    QTest::newRow("a run") << QByteArray(R"({"version": 1, "id": "a", "runs": [{"model": "m"}, {}]})") << QByteArray("runs[1]");
}

void TestSweep::badFilesAreNamed() {
    QFETCH(QByteArray, content);
    QFETCH(QByteArray, said);
    const auto sweep = made();
    QFile file(QString::fromStdString(path() + "/sweep.json"));
    QVERIFY(file.open(QIODevice::WriteOnly) && file.write(content) == content.size());
    file.close();
    const auto opened = Sweep::open(path());
    QVERIFY(!opened.ok());
    QVERIFY2(errorMessage(opened.error()).find(said.toStdString()) != std::string::npos, errorMessage(opened.error()).c_str());
    QVERIFY(errorMessage(opened.error()).find("sweep.json") != std::string::npos);
}

void TestSweep::oneHoldsARun() {
    const auto sweep = made();
    const auto other = Sweep::open(path());
    {
        const auto claim = sweep.claim(1);
        QVERIFY(claim.ok() && claim.value());
        QCOMPARE(claim.value()->run(), std::size_t{1});
        QCOMPARE(claim.value()->attempt(), 1);
        QVERIFY(other->stateOf(1) == Sweep::State::Working);
        const auto second = other->claim(1);
        QVERIFY(second.ok() && !second.value());
        QVERIFY(other->claim(2)->has_value());
    }
    QVERIFY(other->stateOf(1) == Sweep::State::Waiting);
    const auto next = other->claim(1);
    QVERIFY(next.ok() && next.value());
    QCOMPARE(next.value()->attempt(), 2);
}

/// Whoever looks at a sweep again and again (a window) takes no run from those who begin one.
void TestSweep::lookingIsNoHolding() {
    const auto sweep = made();
    QVERIFY(sweep.claim(0)->has_value());  // the file is there now
    std::atomic<int> workersSeen = 0;
    std::vector<std::jthread> watchers;
    for (int i = 0; i < 3; ++i) {
        watchers.emplace_back([&](const std::stop_token& stop) {
            while (!stop.stop_requested()) {
                workersSeen += sweep.stateOf(0) == Sweep::State::Working ? 1 : 0;
                std::this_thread::sleep_for(std::chrono::microseconds(50));
            }
        });
    }
    // Nobody but the lookers: none of them takes another for somebody who works.
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    const int before = workersSeen;
    int refused = 0;
    for (int i = 0; i < 200; ++i) {
        QVERIFY(sweep.finish(0, jobs::failedOutcome(sweep.runs()[0], makeError(ErrorCode::DiskFull, {{"file", "f"}}))).ok());
        QVERIFY(sweep.retry(0).ok());
        QVERIFY(sweep.claim(0)->has_value());  // makes the file again
        refused += sweep.claim(0)->has_value() ? 0 : 1;
    }
    watchers.clear();
    QCOMPARE(before, 0);
    QCOMPARE(refused, 0);
    QVERIFY(sweep.claim(0)->has_value());
}

void TestSweep::outcomesStay() {
    const auto sweep = made();
    {
        const auto claim = sweep.claim(0);
        QVERIFY(claim.ok() && claim.value());
        QVERIFY(sweep.finish(0, finished()).ok());
    }
    QVERIFY(sweep.stateOf(0) == Sweep::State::Finished);
    QVERIFY(sweep.outcomeTime(0) && !sweep.outcomeTime(1));
    const auto outcome = Sweep::open(path())->outcomeOf(0);
    QVERIFY(outcome.ok() && outcome.value());
    QCOMPARE(outcome.value()->find("accuracy")->value, 0.1 + 0.2);
    QVERIFY(!sweep.claim(0)->has_value());
    QVERIFY(!sweep.outcomeOf(1)->has_value());
}

void TestSweep::aKilledHolderLetsGo() {
    const auto sweep = made();
    int ready[2];
    QCOMPARE(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto claim = sweep.claim(0);
        const char yes = claim.ok() && claim.value() ? 'y' : 'n';
        [[maybe_unused]] const auto written = ::write(ready[1], &yes, 1);
        for (;;) {
            ::pause();
        }
    }
    char said = 0;
    QCOMPARE(::read(ready[0], &said, 1), ssize_t{1});
    QCOMPARE(said, 'y');
    QVERIFY(sweep.stateOf(0) == Sweep::State::Working);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    QVERIFY(sweep.stateOf(0) == Sweep::State::Waiting);
    QVERIFY(sweep.claim(0)->has_value());
    ::close(ready[0]);
    ::close(ready[1]);
}

void TestSweep::threeDeathsAreAnOutcome() {
    const auto sweep = made();
    for (int i = 0; i < Sweep::kMostAttempts; ++i) {
        QVERIFY(sweep.claim(2)->has_value());
    }
    const auto last = sweep.claim(2);
    QVERIFY(last.ok() && !last.value());
    QVERIFY(sweep.stateOf(2) == Sweep::State::Failed);
    const auto outcome = sweep.outcomeOf(2);
    QVERIFY(outcome.value()->error.code == ErrorCode::WorkerCrashed);
    QVERIFY(errorMessage(outcome.value()->error).find("each of 3 processes") != std::string::npos);
}

void TestSweep::failedRunsCanBeTriedAgain() {
    const auto sweep = made();
    RunRecord failed = finished();
    failed.status = RunStatus::Failed;
    failed.error = makeError(ErrorCode::DiskFull, {{"file", "f"}});
    QVERIFY(sweep.claim(0)->has_value());
    QVERIFY(sweep.finish(0, failed).ok());
    QVERIFY(sweep.finish(1, finished()).ok());
    QVERIFY(sweep.stateOf(0) == Sweep::State::Failed);
    for (const std::size_t run : {0U, 1U, 2U}) {
        QVERIFY(sweep.retry(run).ok());
    }
    QVERIFY(sweep.stateOf(0) == Sweep::State::Waiting);
    QVERIFY(sweep.stateOf(1) == Sweep::State::Finished);
    QCOMPARE(sweep.claim(0).value()->attempt(), 1);
}

void TestSweep::recipesAreVaried() {
    const Json base = Json::parse(R"({"version": 1, "defaults": {"prune": {"pattern": "unstructured", "method": "magnitude"}}})");
    const auto all = jobs::variedRecipes(base, {{"/defaults/prune/ratio", {0.25, 0.5}}, {"/defaults/quantize/weights", {"int8", "int4"}}});
    QVERIFY(all.ok());
    std::vector<std::string> found;
    for (const auto& recipe : all.value()) {
        found.push_back(recipeSummary(recipe));
    }
    QCOMPARE(found, (std::vector<std::string>{"W25 int8", "W25 int4/g64", "W50 int8", "W50 int4/g64"}));
    const auto misplaced = jobs::variedRecipes(base, {{"/defaults/prune/method/deeper", {1}}});
    QVERIFY(!misplaced.ok());
    QCOMPARE(misplaced.error().code, ErrorCode::RecipeInvalid);
    const auto wrong = jobs::variedRecipes(base, {{"/defaults/prune/ratio", {7}}});
    QVERIFY(!wrong.ok());
    const auto none = jobs::variedRecipes(Json{{"version", 1}}, {});
    QVERIFY(none.ok() && none->size() == 1 && none->front().isEmpty());
}

void TestSweep::arraysOfSlurm() {
    QCOMPARE(jobs::arrayOf({0, 1, 2, 5, 7, 8}), std::string("0-2,5,7-8"));
    QCOMPARE(jobs::arrayOf({3}), std::string("3"));
    QCOMPARE(jobs::arrayOf({}), std::string());
}

QTEST_GUILESS_MAIN(TestSweep)
#include "tst_sweep.moc"
