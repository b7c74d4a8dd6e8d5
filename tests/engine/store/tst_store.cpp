#include <algorithm>
#include <cmath>
#include <ctime>

#include <QTemporaryDir>
#include <QtTest>

#include "engine/records/metrics.h"
#include "engine/store/figure_columns.h"
#include "engine/store/repositories.h"
#include "tests/engine/store/sample_record.h"

using namespace pareto;
using namespace pareto::store;
using pareto::test::sampleRecord;
using pareto::test::sampleTranslation;

class TestStore : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    int m_next = 0;

    std::string newPath() {
        return m_folder.filePath(QString::number(m_next++) + QStringLiteral(".db")).toStdString();
    }
    std::unique_ptr<Store> newStore() {
        auto store = Store::open(newPath());
        return store.ok() ? std::move(store).value() : nullptr;
    }

private Q_SLOTS:
    void everythingOfARunComesBack() {
        const auto store = newStore();
        QVERIFY(store);
        RunRecord record = sampleRecord();
        const auto id = store->finishRun(record);
        QVERIFY(id.ok());
        const auto back = store->run(id.value());
        QVERIFY(back.ok());
        record.id = id.value();
        record.finishedAt = back->finishedAt;
        QVERIFY(back->finishedAt > 0);
        QCOMPARE(QByteArray::fromStdString(compactJson(runRecordToJson(back.value()))),
                 QByteArray::fromStdString(compactJson(runRecordToJson(record))));
        const auto items = store->items(id.value());
        QVERIFY(items.ok() && items->size() == 3);
        QVERIFY(items.value()[1].item == 3 && std::isnan(items.value()[2].score));
    }

    /// Also where it was deleted since, and whatever its own number was.
    void whatWasMadeElsewhereComesOnce() {
        const auto store = newStore();
        QVERIFY(store);
        QVERIFY(store->finishRun(sampleRecord()).ok());
        auto record = sampleRecord(2);
        record.id = 1;
        const auto first = store->importRun(record, "sweep a", 7);
        QVERIFY(first.ok() && first.value());
        QVERIFY(*first.value() != 1);
        for (const auto& [origin, number, comes] : {std::tuple{"sweep a", 7, false}, {"sweep a", 8, true}, {"sweep b", 7, true}}) {
            const auto next = store->importRun(record, origin, number);
            QVERIFY(next.ok());
            QCOMPARE(next.value().has_value(), comes);
        }
        QCOMPARE(store->runs()->size(), std::size_t{4});
        QVERIFY(store->setDeleted({*first.value()}, true).ok());
        QVERIFY(store->emptyDeleted().ok());
        QCOMPARE(store->runs()->size(), std::size_t{3});
        const auto again = store->importRun(record, "sweep a", 7);
        QVERIFY(again.ok() && !again.value());
    }

    void summariesHaveTheHeadlineFigures() {
        const auto store = newStore();
        RunRecord failed = sampleRecord(2);
        failed.status = RunStatus::Failed;
        failed.error = makeError(ErrorCode::DiskFull, {{"file", "f"}});
        failed.task = nullptr;
        failed.recipe = Json{{"version", 1}};
        QVERIFY(store->finishRun(sampleRecord(1)).ok());
        QVERIFY(store->finishRun(failed).ok());
        const auto runs = store->runs();
        QVERIFY(runs.ok());
        QVERIFY(runs->size() == 2);
        const RunSummary& first = runs.value()[0];
        QCOMPARE(first.recipeSummary, std::string("int8"));
        QCOMPARE(first.targetText, std::string("CPU · 2 threads"));
        QCOMPARE(first.find("latency_p50_ms")->value, 13.5);
        QCOMPARE(first.find("latency_p50_ms")->high.value(), 13.0);
        QVERIFY(first.find("perplexity") == nullptr);  // NaN never reaches a plot
        QVERIFY(first.find("f1_macro") == nullptr);
        QVERIFY(!first.baseline);
        QVERIFY(runs.value()[1].baseline);
        QVERIFY(runs.value()[1].status == RunStatus::Failed);
        const auto back = store->run(runs.value()[1].id);
        QVERIFY(back.ok() && back->task.is_null());
        QVERIFY(back->error.code == ErrorCode::DiskFull);
    }

    void itemsKeepWhatTheModelSaid() {
        const auto store = newStore();
        const RunRecord record = sampleTranslation();
        const auto id = store->finishRun(record);
        QVERIFY(id.ok());
        const auto items = store->items(id.value());
        QVERIFY(items.ok());
        QCOMPARE(items->front().answer, record.items[0].answer);
        QCOMPARE(items->front().parts, record.items[0].parts);
        QVERIFY(items->back().answer.empty() && items->back().parts.empty());
        const auto runs = store->runs();
        QVERIFY(runs.ok());
        QCOMPARE(runs->front().find("bleu")->value, 31.5);
        QCOMPARE(runs->front().find("bleu")->high.value(), 33.0);
    }

    void everyMetricHasAColumn() {
        QVERIFY(kFigureColumns.size() == metricCatalogue().size());
        for (const auto& metric : metricCatalogue()) {
            const bool found = std::any_of(kFigureColumns.begin(), kFigureColumns.end(),
                                           [&](const FigureColumn& c) { return metric.key == c.key; });
            QVERIFY2(found, metric.key.data());
        }
    }

    void aRunBeginsAndEnds() {
        const auto store = newStore();
        RunRecord record = sampleRecord();
        record.measurements.clear();
        const auto id = store->beginRun(record, Owner::thisProcess());
        QVERIFY(id.ok());
        QVERIFY(store->runs().value()[0].status == RunStatus::Running);
        const auto living = store->markInterrupted();
        QVERIFY(living.ok() && living.value() == 0);
        QVERIFY(store->rename(id.value(), "by hand").ok());
        record = sampleRecord();
        record.id = id.value();
        QVERIFY(store->finishRun(record).ok());
        const auto back = store->run(id.value());
        QVERIFY(back.ok() && back->status == RunStatus::Finished);
        QCOMPARE(back->name, std::string("by hand"));
        QVERIFY(back->measurements.size() == 4);
        // Once more: what was there is replaced, not added to.
        QVERIFY(store->finishRun(record).ok());
        QVERIFY(store->run(id.value())->items.size() == 3);
    }

    void runsOfDeadOwnersAreInterrupted() {
        const auto store = newStore();
        Owner dead = Owner::thisProcess();
        QVERIFY(dead.alive() == std::optional(true));
        dead.startTime += 1;
        QVERIFY(dead.alive() == std::optional(false));
        Owner elsewhere = Owner::thisProcess();
        elsewhere.machine = "another machine";
        QVERIFY(!elsewhere.alive());
        Owner before = Owner::thisProcess();
        before.bootId = "an earlier boot";
        QVERIFY(before.alive() == std::optional(false));
        QVERIFY(store->beginRun(sampleRecord(1), dead).ok());
        QVERIFY(store->beginRun(sampleRecord(2), elsewhere).ok());
        QVERIFY(store->beginRun(sampleRecord(3), before).ok());
        // Said while reading already, also where nothing may be written.
        const auto reader = Store::openReadOnly(store->path());
        QVERIFY(reader.ok());
        for (auto* opened : {store.get(), reader.value().get()}) {
            const auto derived = opened->runs();
            QVERIFY(derived.ok() && derived->size() == 3);
            QVERIFY(derived.value()[0].status == RunStatus::Interrupted);
            QVERIFY(derived.value()[1].status == RunStatus::Running);
            QVERIFY(opened->run(derived.value()[0].id)->status == RunStatus::Interrupted);
            QVERIFY(opened->run(derived.value()[1].id)->status == RunStatus::Running);
        }
        const auto marked = store->markInterrupted();
        QVERIFY(marked.ok() && marked.value() == 2);
        const auto runs = store->runs();
        QVERIFY(runs.value()[0].status == RunStatus::Interrupted);
        QVERIFY(runs.value()[1].status == RunStatus::Running);
        QVERIFY(runs.value()[2].status == RunStatus::Interrupted);
    }

    void oneRunASetIsPinned() {
        const auto store = newStore();
        const auto a = store->finishRun(sampleRecord(1)).value();
        const auto b = store->finishRun(sampleRecord(2)).value();
        RunRecord other = sampleRecord(3);
        other.targetKey = "another target";
        const auto c = store->finishRun(other).value();
        QVERIFY(store->setPinned(a, true).ok());
        QVERIFY(store->setPinned(c, true).ok());
        QVERIFY(store->setPinned(b, true).ok());
        const auto runs = store->runs();
        QVERIFY(!runs.value()[0].pinned && runs.value()[1].pinned && runs.value()[2].pinned);
        QVERIFY(store->setPinned(b, false).ok());
        QVERIFY(!store->runs().value()[1].pinned);
    }

    void runsAreHiddenRestoredAndRemoved() {
        const auto store = newStore();
        const auto a = store->finishRun(sampleRecord(1)).value();
        const auto b = store->finishRun(sampleRecord(2)).value();
        QVERIFY(store->setDeleted({a}, true).ok());
        QVERIFY(store->runs()->size() == 1);
        RunFilter all;
        all.includeDeleted = true;
        QVERIFY(store->runs(all)->size() == 2);
        QVERIFY(store->setDeleted({a}, false).ok());
        QVERIFY(store->runs()->size() == 2);
        QVERIFY(store->setDeleted({b}, true).ok());
        QVERIFY(store->emptyDeleted().ok());
        QVERIFY(store->runs(all)->size() == 1);
        QVERIFY(store->items(b)->empty());
        // All or nothing: an id that is not there changes no other.
        const auto failed = store->setDeleted({a, 999}, true);
        QVERIFY(!failed.ok() && failed.error().code == ErrorCode::RunUnknown);
        QVERIFY(store->runs()->size() == 1);
    }

    void unknownRunsAreSaid() {
        const auto store = newStore();
        QVERIFY(store->run(5).error().code == ErrorCode::RunUnknown);
        QVERIFY(store->rename(5, "x").error().code == ErrorCode::RunUnknown);
        QVERIFY(store->setNote(5, "x").error().code == ErrorCode::RunUnknown);
        QVERIFY(store->setPinned(5, true).error().code == ErrorCode::RunUnknown);
        QVERIFY(store->setExport(5, "x").error().code == ErrorCode::RunUnknown);
        RunRecord record = sampleRecord();
        record.id = 5;
        QVERIFY(store->finishRun(record).error().code == ErrorCode::RunUnknown);
        QVERIFY(store->runs()->empty());
    }

    void jobsAreKept() {
        const auto store = newStore();
        const auto run = store->finishRun(sampleRecord()).value();
        JobRow job;
        job.kind = "run";
        job.params = R"({"model":"m"})";
        job.state = "queued";
        const auto id = store->addJob(job);
        QVERIFY(id.ok());
        job.id = id.value();
        job.state = "interrupted";
        job.error = R"({"code":"WorkerCrashed"})";
        job.runId = run;
        QVERIFY(store->updateJob(job).ok());
        const auto jobs = store->jobs();
        QVERIFY(jobs.ok() && jobs->size() == 1);
        QCOMPARE(jobs.value()[0].params, job.params);
        QCOMPARE(jobs.value()[0].state, job.state);
        QCOMPARE(jobs.value()[0].error, job.error);
        QVERIFY(jobs.value()[0].runId == run);
        job.state = "no such state";
        QVERIFY(!store->updateJob(job).ok());
        QVERIFY(store->removeJob(id.value()).ok());
        QVERIFY(store->jobs()->empty());
    }

    void otherConnectionsAreNoticed() {
        const std::string path = newPath();
        const auto store = Store::open(path);
        const auto other = Store::open(path);
        QVERIFY(store.ok() && other.ok());
        const auto before = store.value()->dataVersion().value();
        QVERIFY(other.value()->finishRun(sampleRecord()).ok());
        QVERIFY(store.value()->dataVersion().value() != before);
        const auto reader = Store::openReadOnly(path);
        QVERIFY(reader.ok() && reader.value()->readOnly());
        QVERIFY(reader.value()->runs()->size() == 1);
        QVERIFY(!reader.value()->finishRun(sampleRecord()).ok());
    }

    void manyRunsAreReadFast() {
        const std::string path = newPath();
        QVERIFY(Store::open(path).ok());
        constexpr int kRuns = 100000;
        {
            auto database = Database::open(path, OpenMode::ReadWriteCreate);
            QVERIFY(database.ok());
            auto transaction = Transaction::begin(*database.value());
            QVERIFY(transaction.ok());
            RunRecord record = sampleRecord();
            for (int i = 0; i < kRuns; ++i) {
                record.startedAt = i + 1;
                QVERIFY(insertRun(*database.value(), record, Owner{}).ok());
            }
            QVERIFY(transaction.value().commit().ok());
        }
        const auto store = Store::open(path);
        QVERIFY(store.ok());
        // Processor time: other tests may run beside this one.
        const std::clock_t begin = std::clock();
        RunFilter filter;
        int read = 0;
        while (true) {
            const auto page = store.value()->runs(filter);
            QVERIFY(page.ok());
            if (page->empty()) {
                break;
            }
            read += static_cast<int>(page->size());
            QVERIFY(static_cast<int>(page->size()) <= filter.limit);
            filter.afterId = page->back().id;
        }
        QCOMPARE(read, kRuns);
        const auto milliseconds = 1000.0 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
        qInfo("read %d summaries in %.0f ms", read, milliseconds);
        QVERIFY2(milliseconds < 1500.0, qPrintable(QString::number(milliseconds)));
    }
};

QTEST_GUILESS_MAIN(TestStore)
#include "tst_store.moc"
