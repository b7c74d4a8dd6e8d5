#include <limits>

#include <QTest>

#include "tests/widgets/run_fixture.h"
#include "widgets/plots/pareto_data.h"

using namespace pareto;
using namespace pareto::widgets;
using namespace pareto::widgets::test;

class TestParetoData : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void frontInDisplayUnits();
    void frontTurnsWithTheAxis();
    void missingAndInfiniteValuesAreCounted();
    void logarithmicAxisHidesZero();
    void manyModelsShareTheLastColour();
    void hiddenModelsLeaveTheFront();
};

namespace {

std::vector<std::int64_t> frontOf(const ParetoPoints& points) {
    std::vector<std::int64_t> runs;
    for (const int index : points.front) {
        runs.push_back(points.id[static_cast<std::size_t>(index)]);
    }
    return runs;
}

}  // namespace

void TestParetoData::frontInDisplayUnits() {
    const auto columns = columnsOf(exampleRows());
    const auto points = paretoPoints(*columns, allRows(*columns), {});
    QCOMPARE(points.size(), 5);
    QCOMPARE(points.y[0], 70.5);
    QCOMPARE(points.x[0], 19.4);
    QCOMPARE(frontOf(points), (std::vector<std::int64_t>{3, 2, 1}));
    QVERIFY(!points.onFront[3]);
}

void TestParetoData::frontTurnsWithTheAxis() {
    const auto columns = columnsOf(exampleRows());
    ParetoAxes axes;
    axes.x = QStringLiteral("accuracy");
    axes.y = QStringLiteral("model_bytes");
    const auto points = paretoPoints(*columns, allRows(*columns), axes);
    QVERIFY(!points.lowerXIsBetter);
    QVERIFY(points.lowerYIsBetter);
    // int4 is the smallest, int8 more accurate, the baseline the most accurate.
    QCOMPARE(frontOf(points), (std::vector<std::int64_t>{4, 2, 1}));
}

void TestParetoData::missingAndInfiniteValuesAreCounted() {
    auto rows = exampleRows();
    rows[1].figures[1].value = std::numeric_limits<double>::quiet_NaN();
    rows[2].figures[0].value = std::numeric_limits<double>::infinity();
    rows[3].figures.clear();
    const auto columns = columnsOf(rows);
    const auto points = paretoPoints(*columns, allRows(*columns), {});
    QCOMPARE(points.size(), 2);
    QCOMPARE(points.hidden, 3);
}

void TestParetoData::logarithmicAxisHidesZero() {
    auto rows = exampleRows();
    rows[0].figures[0].value = 0.0;
    const auto columns = columnsOf(rows);
    ParetoAxes axes;
    axes.logX = true;
    QCOMPARE(paretoPoints(*columns, allRows(*columns), axes).hidden, 1);
}

void TestParetoData::manyModelsShareTheLastColour() {
    std::vector<RunRow> rows;
    for (int i = 0; i < 9; ++i) {
        rows.push_back(rowOf({i + 1, QStringLiteral("run"), 5.0 + i, 0.5, 10.0,
                              QStringLiteral("model %1").arg(i)}));
    }
    const auto columns = columnsOf(rows);
    const auto points = paretoPoints(*columns, allRows(*columns), {});
    QCOMPARE(points.seriesNames.size(), 7);
    QCOMPARE(points.seriesNames.last(), QStringLiteral("other models"));
    QCOMPARE(points.series[8], std::uint8_t{6});
    QCOMPARE(points.seriesCount[6], 3);
}

void TestParetoData::hiddenModelsLeaveTheFront() {
    auto rows = exampleRows();
    rows.push_back(rowOf({6, QStringLiteral("tiny"), 1.0, 0.9, 1.0, QStringLiteral("wonder")}));
    const auto columns = columnsOf(rows);
    QCOMPARE(frontOf(paretoPoints(*columns, allRows(*columns), {})), (std::vector<std::int64_t>{6}));
    const auto points =
        paretoPoints(*columns, allRows(*columns), {}, {QStringLiteral("wonder")});
    QCOMPARE(frontOf(points), (std::vector<std::int64_t>{3, 2, 1}));
    QCOMPARE(points.hidden, 0);
    QCOMPARE(points.seriesNames.size(), 2);
}

QTEST_MAIN(TestParetoData)
#include "tst_pareto_data.moc"
