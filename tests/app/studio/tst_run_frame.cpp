#include <QTest>

#include "app/studio/run_frame.h"
#include "app/studio/runner.h"

using namespace pareto;
using namespace pareto::studio;
using namespace Qt::StringLiterals;

namespace {

store::RunSummary run(RunId id, const std::string& task, const std::string& target,
                      bool baseline = false) {
    store::RunSummary out;
    out.id = id;
    out.taskKey = task;
    out.targetKey = target;
    out.baseline = baseline;
    out.modelHash = "m";
    return out;
}

}  // namespace

class TestRunFrame : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void onlyTheSameSettingsAreComparable() {
        const RunFrame frame({run(3, "T data=a", "cpu/t2/b1/s1 machine=x"),
                              run(1, "T data=a", "cpu/t2/b1/s1 machine=x", true),
                              run(2, "T data=a", "cpu/t2/b1/s128 machine=x"),
                              run(4, "T data=old", "cpu/t2/b1/s1 machine=x"),
                              run(5, "T data=a", "cpu/t2/b1/s1 machine=y"),
                              run(6, "T data=a", "cpu/t2/b1/s1 machine=x")});
        const auto set = comparableRuns(frame, {"T", "cpu/t2/b1/s1"});
        QCOMPARE(set.comparable, (std::vector<RunId>{1, 3, 6}));
        QCOMPARE(set.hidden, (std::vector<RunId>{2, 4, 5}));
        QCOMPARE(set.taskKey, std::string("T data=a"));
        QVERIFY(set.contains(6) && !set.contains(2));
    }

    void unfinishedAndDeletedRunsAreNeither() {
        auto failed = run(1, "T", "X");
        failed.status = RunStatus::Failed;
        auto deleted = run(2, "T", "X");
        deleted.deleted = true;
        const RunFrame frame({failed, deleted, run(3, "T", "X")});
        const auto set = comparableRuns(frame, {"T", "X"});
        QCOMPARE(set.comparable, (std::vector<RunId>{3}));
        QVERIFY(set.hidden.empty());
    }

    void withoutATaskOnlyRunsWithoutOne() {
        const RunFrame frame({run(1, "", "X"), run(2, "T", "X")});
        QCOMPARE(comparableRuns(frame, {"", "X"}).comparable, (std::vector<RunId>{1}));
    }

    void pinnedBeatsNewestBaseline() {
        auto pinned = run(2, "T", "X");
        pinned.pinned = true;
        const RunFrame plain({run(1, "T", "X", true), run(2, "T", "X"), run(3, "T", "X", true)});
        QCOMPARE(baselineFor(plain, *plain.find(2)), RunId{3});
        const RunFrame frame({run(1, "T", "X", true), pinned, run(3, "T", "X", true)});
        QCOMPARE(baselineFor(frame, *frame.find(3)), RunId{2});
        QCOMPARE(baselineOf(frame, comparableRuns(frame, {"T", "X"}), "m"), RunId{2});
    }

    void aGridIsEveryCombinationOnce() {
        Runner::Grid grid;
        grid.ratios = {0.0, 0.5};
        QuantizeSpec int8;
        grid.formats = {std::nullopt, int8};
        // 0 % as in the file is the baseline, which is queued by itself.
        QCOMPARE(Runner::recipesOf(grid).size(), std::size_t{3});
    }

    void theCommandLineIsQuoted() {
        jobs::RunParams params;
        params.model = "/models/it's here";
        const QString line = Runner::commandLine(params);
        QVERIFY(line.startsWith(u"pareto run '/models/it'\\''s here' --recipe '{"_s));
    }
};

QTEST_MAIN(TestRunFrame)
#include "tst_run_frame.moc"
