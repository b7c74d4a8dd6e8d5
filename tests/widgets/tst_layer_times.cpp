#include <cmath>

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>

#include "widgets/plots/bar_plot.h"

using namespace pareto;
using namespace pareto::widgets;

class TestLayerTimes : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void matchesLayersByName();
    void sorts();
    void clickChoosesTheLayer();
    void keyboardChoosesTheLayer();
    void showingAChoiceEmitsNothing();
};

namespace {

LayerMeasurement layer(const char* name, double ms) {
    LayerMeasurement measured;
    measured.name = name;
    measured.ms = ms;
    measured.share = ms / 10.0;
    measured.kernel = "int8";
    return measured;
}

RunRecord run() {
    RunRecord record;
    record.layers = {layer("encoder.layer.0.attention.query", 2.0), layer("encoder.layer.0.ffn.in", 4.0),
                     layer("classifier", 1.0)};
    return record;
}

RunRecord baseline() {
    RunRecord record;
    record.layers = {layer("encoder.layer.0.attention.query", 4.0), layer("encoder.layer.0.ffn.in", 8.0),
                     layer("encoder.layer.1.ffn.in", 3.0)};
    return record;
}

const QString kFfn = QStringLiteral("encoder.layer.0.ffn.in");

}  // namespace

void TestLayerTimes::matchesLayersByName() {
    const RunRecord now = run();
    const RunRecord before = baseline();
    const auto times = layerTimes(now, &before);
    QCOMPARE(times.size(), std::size_t{4});
    QCOMPARE(times[1].baselineMs, 8.0);
    QVERIFY(std::isnan(times[2].baselineMs));
    QVERIFY(std::isnan(times[3].ms));
    QCOMPARE(times[3].layer, QStringLiteral("encoder.layer.1.ffn.in"));
    QCOMPARE(shortLayerName(kFfn), QStringLiteral("0 · ffn.in"));
    QCOMPARE(shortLayerName(QStringLiteral("classifier")), QStringLiteral("classifier"));
}

void TestLayerTimes::sorts() {
    LayerTimesModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    const RunRecord before = baseline();
    model.setTimes(layerTimes(run(), &before), true);
    const auto layers = [&] {
        QStringList names;
        for (int row = 0; row < model.rowCount(); ++row) {
            names.append(model.index(row, 0).data().toString());
        }
        return names;
    };
    model.sort(LayerTimesModel::Time, Qt::DescendingOrder);
    QCOMPARE(layers().first(), QStringLiteral("0 · ffn.in"));
    QCOMPARE(layers().last(), QStringLiteral("1 · ffn.in"));
    model.sort(LayerTimesModel::Layer, Qt::DescendingOrder);
    QCOMPARE(layers().first(), QStringLiteral("1 · ffn.in"));
    QCOMPARE(model.index(model.rowOfLayer(kFfn), 0).data(LayerTimesModel::BarRole).toDouble(), 0.5);
}

void TestLayerTimes::clickChoosesTheLayer() {
    BarPlot plot(QStringLiteral("bars"));
    const RunRecord before = baseline();
    plot.setTimes(layerTimes(run(), &before), true);
    plot.resize(420, 240);
    plot.show();
    QVERIFY(QTest::qWaitForWindowExposed(&plot));
    QSignalSpy clicked(&plot, &BarPlot::layerClicked);
    const auto pixel = plot.pixelOf(kFfn);
    QVERIFY(pixel);
    QTest::mouseClick(plot.viewport(), Qt::LeftButton, {}, *pixel);
    QCOMPARE(clicked.count(), 1);
    QCOMPARE(clicked.first().first().toString(), kFfn);
    QVERIFY(!plot.pixelOf(QStringLiteral("no such layer")));
}

void TestLayerTimes::keyboardChoosesTheLayer() {
    BarPlot plot(QStringLiteral("bars"));
    plot.setTimes(layerTimes(run(), nullptr), false);
    plot.resize(420, 240);
    plot.show();
    plot.activateWindow();
    plot.setFocus();
    QVERIFY(QTest::qWaitForWindowActive(&plot));
    plot.setCurrentLayer(QStringLiteral("encoder.layer.0.attention.query"));
    QSignalSpy clicked(&plot, &BarPlot::layerClicked);
    QTest::keyClick(&plot, Qt::Key_Down);
    QCOMPARE(clicked.count(), 1);
    QCOMPARE(clicked.last().first().toString(), kFfn);
    QVERIFY(plot.isColumnHidden(LayerTimesModel::Baseline));
}

void TestLayerTimes::showingAChoiceEmitsNothing() {
    BarPlot plot(QStringLiteral("bars"));
    plot.setTimes(layerTimes(run(), nullptr), false);
    plot.show();
    plot.setFocus();
    QSignalSpy clicked(&plot, &BarPlot::layerClicked);
    plot.setCurrentLayer(kFfn);
    QCOMPARE(plot.currentIndex().row(), 1);
    plot.setCurrentLayer(QStringLiteral("no such layer"));
    QVERIFY(!plot.currentIndex().isValid());
    QCOMPARE(clicked.count(), 0);
}

QTEST_MAIN(TestLayerTimes)
#include "tst_layer_times.moc"
