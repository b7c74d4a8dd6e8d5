#include <QTest>

#include "engine/jobs/run/guarded.h"
#include "engine/jobs/run/job_table.h"
#include "tests/engine/jobs_run/jobs_fixture.h"

using namespace pareto;

class TestJobTable : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void runAnswersARecord();
    void unknownJobsAreNamed();
    void badParamsAreErrors();
    void exceptionsBecomeErrors();
};

void TestJobTable::runAnswersARecord() {
    const test::JobsFolder folder;
    const auto table = jobs::jobTable(std::make_shared<jobs::ModelCache>());
    const auto job = jobs::findJob(table, jobs::kJobRun);
    QVERIFY(job.ok());
    const auto params = jobs::toJson(
        test::quickRun(test::writeTinyClassifier(folder.path(QStringLiteral("m")))));
    Progress progress;
    test::NoSink sink;
    const auto json = job.value()(params, progress, {}, sink);
    QVERIFY2(json.ok(), json.ok() ? "" : errorMessage(json.error()).c_str());
    const auto record = runRecordFromJson(json.value());
    QVERIFY(record.ok());
    QVERIFY(record->find("latency_p50_ms") != nullptr);
}

void TestJobTable::unknownJobsAreNamed() {
    const auto table = jobs::jobTable(std::make_shared<jobs::ModelCache>());
    const auto job = jobs::findJob(table, "dance");
    QCOMPARE(job.error().code, ErrorCode::JobUnknown);
    QCOMPARE(job.error().args.at("job"), std::string("dance"));
    for (const auto* name : {"run", "export", "generate", "classify", "embed", "translate"}) {
        QVERIFY(job.error().args.at("known").find(name) != std::string::npos);
        QVERIFY(jobs::findJob(table, name).ok());
    }
}

void TestJobTable::badParamsAreErrors() {
    const auto table = jobs::jobTable(std::make_shared<jobs::ModelCache>());
    Progress progress;
    test::NoSink sink;
    for (const auto& [name, job] : table) {
        const auto result = job(Json::object(), progress, {}, sink);
        QVERIFY2(!result.ok() && !result.cancelled(), name.c_str());
        QCOMPARE(errorKind(result.error().code), ErrorKind::BadInput);
    }
}

void TestJobTable::exceptionsBecomeErrors() {
    const auto thrown = jobs::guarded("x", []() -> Result<int> { throw std::runtime_error("boom\nat"); });
    QCOMPARE(thrown.error().code, ErrorCode::EngineFailure);
    QCOMPARE(thrown.error().args.at("reason"), std::string("boom"));
    const auto memory = jobs::guarded("x", []() -> Result<int> { throw std::bad_alloc(); });
    QCOMPARE(memory.error().code, ErrorCode::MemoryShort);
    QCOMPARE(jobs::guarded("x", []() -> Result<int> { return 3; }).value(), 3);
}

QTEST_GUILESS_MAIN(TestJobTable)
#include "tst_job_table.moc"
