#include <cmath>

#include <QAbstractItemModelTester>
#include <QTest>

#include "widgets/models/compare_model.h"

using namespace pareto;
using namespace pareto::widgets;

class TestCompareModel : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void differingSettingsFirst();
    void measurementsComeFirst();
    void recipesAreReadInWords();
    void showAllSettings();
    void intervalsThatOverlapAreNotSignificant();
    void itemsArePaired();
    void verdictFollowsTheBetterDirection();
    void missingFigures();
    void environmentDifferences();
    void gpusAsTheyWereRead();
};

namespace {

RunRecord record(std::int64_t id, const char* weights, double ms) {
    RunRecord run;
    run.id = id;
    run.name = weights;
    run.modelName = "classifier";
    run.taskKey = "task";
    run.recipe = Json{{"version", 1}, {"defaults", {{"quantize", {{"weights", weights}}}}}};
    run.target = Json{{"device", "cpu"}, {"threads", 2}};
    run.machine.cpu = "one CPU";
    run.machine.cores = 2;
    run.versions = Json{{"program", "0.1.0"}};
    run.measurements = {{"latency_p50_ms", ms, ms * 0.98, ms * 1.02, 200},
                        {"model_bytes", 1e6 * ms, std::nullopt, std::nullopt, 1}};
    return run;
}

CompareModel::RecordPtr shared(RunRecord run) {
    return std::make_shared<const RunRecord>(std::move(run));
}

int rowLabelled(const CompareModel& model, const QString& label) {
    for (int row = 0; row < model.rowCount(); ++row) {
        if (model.index(row, 0).data().toString() == label) {
            return row;
        }
    }
    return -1;
}

const MetricInfo& metric(const char* key) {
    return *findMetric(key);
}

}  // namespace

void TestCompareModel::differingSettingsFirst() {
    CompareModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    model.setRuns({shared(record(1, "int8", 20)), shared(record(2, "int4", 10))}, 0);
    QCOMPARE(model.columnCount(), 3);
    QVERIFY(model.headerData(1, Qt::Horizontal, Qt::DisplayRole).toString().contains(
        QStringLiteral("baseline")));
    QVERIFY(model.index(0, 0).data(CompareModel::SectionRole).toBool());
    const int weights = rowLabelled(model, QStringLiteral("Recipe: number format, weights"));
    QVERIFY(weights > rowLabelled(model, QStringLiteral("Settings")));
    QCOMPARE(model.index(weights, 1).data().toString(), QStringLiteral("int8"));
    QCOMPARE(model.index(weights, 2).data().toString(), QStringLiteral("int4"));
    QCOMPARE(rowLabelled(model, QStringLiteral("Target: threads")), -1);
}

void TestCompareModel::measurementsComeFirst() {
    CompareModel model;
    RunRecord noisy = record(2, "int4", 10);
    noisy.disturbed = true;
    noisy.disturbance = "other load 12 %";
    model.setRuns({shared(record(1, "int8", 20)), shared(noisy)}, 0);
    QCOMPARE(model.index(0, 0).data().toString(), QStringLiteral("Measurements"));
    QCOMPARE(rowLabelled(model, QStringLiteral("Latency p50")), 1);
    const int load = rowLabelled(model, QStringLiteral("Other load while timing"));
    const int settings = rowLabelled(model, QStringLiteral("Settings"));
    QVERIFY(load > 1 && load < settings);
    QVERIFY(model.index(load, 2).data().toString().contains(QStringLiteral("12 %")));
    QCOMPARE(model.index(load, 1).data().toString(), QStringLiteral("none noticed"));
    QCOMPARE(rowLabelled(model, QStringLiteral("Recipe")), settings + 1);
    QCOMPARE(model.index(settings + 1, 2).data().toString(), QStringLiteral("int4/g64"));
}

void TestCompareModel::recipesAreReadInWords() {
    CompareModel model;
    RunRecord pruned = record(2, "int8", 10);
    pruned.recipe["defaults"]["prune"] =
        Json::array({{{"method", "l1"}, {"pattern", "heads"}, {"ratio", 0.5}},
                     {{"method", "l1"}, {"pattern", "neurons"}, {"ratio", 0.25}}});
    pruned.recipe["layers"] =
        Json::array({{{"match", "encoder.0.query"}, {"quantize", {{"weights", "int4"}}}}});
    model.setRuns({shared(record(1, "int8", 20)), shared(pruned)}, 0);
    const int ratio = rowLabelled(model, QStringLiteral("Recipe: prune, neurons, share removed"));
    QVERIFY(ratio > 0);
    QCOMPARE(model.index(ratio, 2).data().toString(), QStringLiteral("0.25"));
    QVERIFY(rowLabelled(model, QStringLiteral(
                "Recipe: only for, encoder.0.query, number format, weights")) > 0);
}

void TestCompareModel::showAllSettings() {
    CompareModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    model.setRuns({shared(record(1, "int8", 20)), shared(record(2, "int4", 10))}, 0);
    model.setOnlyDiffering(false);
    QVERIFY(rowLabelled(model, QStringLiteral("Target: threads")) > 1);
    QVERIFY(rowLabelled(model, QStringLiteral("CPU")) > 1);
    QVERIFY(rowLabelled(model, QStringLiteral("Recipe: number format, weights")) > 1);
}

void TestCompareModel::intervalsThatOverlapAreNotSignificant() {
    const auto near = compareFigure(record(1, "a", 20), record(2, "b", 20.3), metric("latency_p50_ms"));
    QCOMPARE(near.verdict, Verdict::NotSignificant);
    const auto far = compareFigure(record(1, "a", 20), record(2, "b", 10), metric("latency_p50_ms"));
    QCOMPARE(far.verdict, Verdict::Better);
    QVERIFY(std::abs(far.delta + 0.5) < 1e-12);
    const auto slower = compareFigure(record(1, "a", 10), record(2, "b", 20), metric("latency_p50_ms"));
    QCOMPARE(slower.verdict, Verdict::Worse);
    const auto size = compareFigure(record(1, "a", 20), record(2, "b", 10), metric("model_bytes"));
    QCOMPARE(size.verdict, Verdict::Exact);
}

void TestCompareModel::itemsArePaired() {
    // 400 items with intervals that overlap widely, but the same 12 items lost by the second run.
    RunRecord a = record(1, "a", 20);
    RunRecord b = record(2, "b", 20);
    for (int i = 0; i < 400; ++i) {
        const double score = i % 10 < 7 ? 1.0 : 0.0;
        a.items.push_back({i, score, 0});
        const bool lost = i % 10 == 0 && i < 120;
        b.items.push_back({i, lost ? 0.0 : score, 0});
    }
    a.measurements.push_back({"accuracy", 0.70, 0.65, 0.74, 400});
    b.measurements.push_back({"accuracy", 0.67, 0.62, 0.71, 400});
    const auto comparison = compareFigure(a, b, metric("accuracy"));
    QVERIFY(comparison.paired);
    QCOMPARE(comparison.verdict, Verdict::Worse);
    b.taskKey = "another task";
    const auto unpaired = compareFigure(a, b, metric("accuracy"));
    QVERIFY(!unpaired.paired);
    QCOMPARE(unpaired.verdict, Verdict::NotSignificant);
}

void TestCompareModel::verdictFollowsTheBetterDirection() {
    RunRecord a = record(1, "a", 20);
    RunRecord b = record(2, "b", 20);
    a.measurements.push_back({"throughput_items_per_s", 50, 49, 51, 200});
    b.measurements.push_back({"throughput_items_per_s", 100, 99, 101, 200});
    QCOMPARE(compareFigure(a, b, metric("throughput_items_per_s")).verdict, Verdict::Better);
    QCOMPARE(compareFigure(b, a, metric("throughput_items_per_s")).verdict, Verdict::Worse);
}

void TestCompareModel::missingFigures() {
    CompareModel model;
    RunRecord b = record(2, "b", 10);
    b.measurements.erase(b.measurements.begin());
    model.setRuns({shared(record(1, "a", 20)), shared(b)}, 0);
    const int row = rowLabelled(model, QStringLiteral("Latency p50"));
    QVERIFY(row > 0);
    QCOMPARE(model.index(row, 2).data().toString(), QStringLiteral("–"));
    QCOMPARE(model.index(row, 2).data(CompareModel::VerdictRole).toInt(),
             static_cast<int>(Verdict::None));
}

void TestCompareModel::environmentDifferences() {
    CompareModel model;
    RunRecord b = record(2, "b", 10);
    b.machine.governor = "powersave";
    b.versions["program"] = "0.2.0";
    model.setRuns({shared(record(1, "a", 20)), shared(b)}, 0);
    QVERIFY(rowLabelled(model, QStringLiteral("CPU governor")) > 0);
    const int version = rowLabelled(model, QStringLiteral("Version: program"));
    QVERIFY(version > 0);
    QCOMPARE(model.index(version, 2).data().toString(), QStringLiteral("0.2.0"));
    QCOMPARE(rowLabelled(model, QStringLiteral("CPU")), -1);
}

void TestCompareModel::gpusAsTheyWereRead() {
    CompareModel model;
    auto onGpu = record(2, "int4", 10);
    onGpu.details = {{"gpu",
                      {{"pass_ms", {{"median", 9.5}, {"n", 20}}},
                       {"memory", {{"peak_allocated_bytes", 1200000000}}},
                       {"steps", "one graph a token"},
                       {"watch",
                        {{"power_w", {{"median", 320.0}}},
                         {"power_limit_w", 700.0},
                         {"sm_mhz", {{"median", 1980.0}}},
                         {"throttles", {{{"name", "power cap"}, {"share", 0.4}}}}}}}}};
    model.setRuns({shared(record(1, "int8", 20)), shared(onGpu)}, 0);
    const auto cell = [&](const char* label, int run) {
        const int row = rowLabelled(model, QString::fromLatin1(label));
        return row < 0 ? QString() : model.index(row, run).data().toString();
    };
    QCOMPARE(cell("GPU power", 2), QStringLiteral("320 W of 700 W"));
    QCOMPARE(cell("GPU power", 1), QStringLiteral("–"));
    QCOMPARE(cell("Pass by GPU events", 2), QStringLiteral("9.50 ms"));
    QVERIFY(cell("GPU memory at most", 2).contains(QStringLiteral("1.2")));
    QCOMPARE(cell("GPU held back by", 2), QStringLiteral("power cap 40 %"));
    QCOMPARE(cell("Decoding steps on the GPU", 2), QStringLiteral("one graph a token"));
    // What was not read has no row.
    QVERIFY(cell("GPU temperature", 2).isEmpty());
    model.setRuns({shared(record(1, "int8", 20)), shared(record(3, "int4", 10))}, 0);
    QVERIFY(cell("GPU power", 2).isEmpty());
}

QTEST_MAIN(TestCompareModel)
#include "tst_compare_model.moc"
