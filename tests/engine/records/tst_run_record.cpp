#include <cmath>
#include <limits>

#include <QtTest>

#include "engine/records/metrics.h"
#include "engine/records/run_record.h"

using namespace pareto;

namespace {

RunRecord fullRecord() {
    RunRecord record;
    record.id = 7;
    record.name = "half";
    record.note = "naïve \"quotes\"";
    record.status = RunStatus::Failed;
    record.startedAt = 1700000000000;
    record.finishedAt = 1700000001000;
    record.modelPath = "models/a";
    record.modelName = "a";
    record.modelHash = "abc";
    record.family = "bert";
    record.recipe = {{"version", 1}, {"defaults", {{"quantize", {{"weights", "int8"}}}}}};
    record.recipeSummary = "int8";
    record.task = {{"version", 1}, {"kind", "classification"}};
    record.taskKey = "t";
    record.target = {{"device", "cpu"}};
    record.targetText = "CPU";
    record.headlineKey = "accuracy";
    record.machine = {"m", "host", "cpu", 8, std::uint64_t{1} << 40, "Linux", "unknown", {"avx2"}, {"cpu"}};
    record.machine.gpus = {{"cuda:0", "NVIDIA Test", "9.0", 85000000000, "580.95.05", "13.0", "0000:01:00.0", "GPU-1"}};
    record.seed = 18446744073709551615ULL;
    record.disturbed = true;
    record.disturbance = "other load";
    record.measurements = {{"accuracy", 0.5, 0.4, 0.6, 100},
                           {"perplexity", std::numeric_limits<double>::quiet_NaN(), {}, {}, 3},
                           {"latency_p50_ms", std::numeric_limits<double>::infinity(), 1.0, {}, 0}};
    record.latenciesMs = {1.5, -std::numeric_limits<double>::infinity(), 0.1};
    record.layers = {{"l", 1.0, 0.5, 12345, "avx2", 0.01, 0.5, 3, 4}};
    record.items = {{3, 1.0, 0}, {5, std::numeric_limits<double>::quiet_NaN(), -1}};
    Histogram histogram{"l", -1.0, 2.0, std::vector<std::int64_t>(256, 2), 4, 1};
    record.histograms = {histogram};
    record.details = {{"confusion", {{1, 2}, {3, 4}}}};
    record.error = makeError(ErrorCode::DiskFull, {{"file", "x"}, {"needed", "1"}, {"free", "0"}}, "why");
    return record;
}

RunRecord throughText(const RunRecord& record) {
    const auto text = compactJson(runRecordToJson(record));
    const auto json = parseJson(text, "test");
    Q_ASSERT(json.ok());
    const auto back = runRecordFromJson(json.value());
    Q_ASSERT(back.ok());
    return back.value();
}

}  // namespace

class TestRunRecord : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everythingComesBack() {
        const RunRecord record = fullRecord();
        const RunRecord back = throughText(record);
        QCOMPARE(QByteArray::fromStdString(compactJson(runRecordToJson(back))),
                 QByteArray::fromStdString(compactJson(runRecordToJson(record))));
        QCOMPARE(back.seed, record.seed);
        QCOMPARE(back.note, record.note);
        QCOMPARE(back.machine.memoryBytes, record.machine.memoryBytes);
        QCOMPARE(back.items.size(), std::size_t{2});
        QVERIFY(back.items[1].item == 5);
        QCOMPARE(back.histograms[0].counts.size(), std::size_t{256});
        QVERIFY(back.error.code == ErrorCode::DiskFull);
        QCOMPARE(back.error.detail, std::string("why"));
    }

    void whatIsNotFiniteIsNamed() {
        const RunRecord back = throughText(fullRecord());
        QVERIFY(std::isnan(back.find("perplexity")->value));
        QCOMPARE(back.find("latency_p50_ms")->value, std::numeric_limits<double>::infinity());
        QCOMPARE(back.latenciesMs[1], -std::numeric_limits<double>::infinity());
        QVERIFY(std::isnan(back.items[1].score));
        const Json json = runRecordToJson(fullRecord());
        QVERIFY(json["measurements"][1]["value"].is_null());
        QCOMPARE(json["measurements"][1]["value_nonfinite"].get<std::string>(), std::string("nan"));
    }

    void unknownKeysArePassedOver() {
        Json json = runRecordToJson(fullRecord());
        json["from_the_future"] = {{"a", 1}};
        json["measurements"][0]["also"] = true;
        QVERIFY(runRecordFromJson(json).ok());
        QVERIFY(runRecordFromJson(Json::object()).ok());
    }

    void wrongValuesAreRefused_data() {
        QTest::addColumn<QString>("pointer");
        QTest::addColumn<QString>("value");
        QTest::newRow("no object") << "" << "[]";
        QTest::newRow("name") << "/name" << "3";
        QTest::newRow("status") << "/status" << "\"done\"";
        QTest::newRow("seed negative") << "/seed" << "-1";
        QTest::newRow("seed text") << "/seed" << "\"1\"";
        QTest::newRow("value") << "/measurements/0/value" << "\"0.5\"";
        QTest::newRow("null without flag") << "/measurements/0/value" << "null";
        QTest::newRow("key") << "/measurements/0/key" << "null";
        QTest::newRow("measurements") << "/measurements" << "{}";
        QTest::newRow("latency") << "/latencies_ms/0" << "\"x\"";
        QTest::newRow("columns") << "/items/item" << "[1]";
        QTest::newRow("item") << "/items/item/0" << "1.5";
        QTest::newRow("recipe") << "/recipe" << "\"int8\"";
        QTest::newRow("histograms") << "/histograms" << "7";
    }
    void wrongValuesAreRefused() {
        QFETCH(QString, pointer);
        QFETCH(QString, value);
        Json json = runRecordToJson(fullRecord());
        json[Json::json_pointer(pointer.toStdString())] = Json::parse(value.toStdString());
        const auto result = runRecordFromJson(json);
        QVERIFY(!result.ok());
        QVERIFY(result.error().code == ErrorCode::ConfigInvalid);
    }

    void baselineIsTheEmptyRecipe() {
        RunRecord record;
        QVERIFY(record.isBaseline());
        record.recipe = {{"version", 1}, {"name", "nothing"}, {"seed", 3}};
        QVERIFY(record.isBaseline());
        record.recipe["layers"] = Json::array({{{"match", "x"}, {"skip", true}}});
        QVERIFY(!record.isBaseline());
        record.recipe = {{"version", 1}, {"defaults", {{"prune", Json::array({{{"ratio", 0.5}}})}}}};
        QVERIFY(!record.isBaseline());
    }

    void bytesThatAreNoUtf8DoNotThrow() {
        RunRecord record;
        record.modelPath = "a\xff\xfe";
        const auto text = compactJson(runRecordToJson(record));
        QVERIFY(QString::fromUtf8(text.c_str()).contains(QChar(0xFFFD)));
    }

    void catalogueIsConsistent() {
        for (const auto& metric : metricCatalogue()) {
            QVERIFY(!metric.english.empty());
            QCOMPARE(findMetric(metric.key), &metric);
        }
        QVERIFY(findMetric("nothing") == nullptr);
    }

    void statusNamesGoBothWays() {
        for (const auto status : {RunStatus::Queued, RunStatus::Running, RunStatus::Finished,
                                  RunStatus::Failed, RunStatus::Cancelled, RunStatus::Interrupted}) {
            RunStatus back{};
            QVERIFY(statusFromName(nameOf(status), back));
            QVERIFY(back == status);
        }
    }
};

QTEST_GUILESS_MAIN(TestRunRecord)
#include "tst_run_record.moc"
