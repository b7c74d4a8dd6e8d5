#include <cmath>

#include <QAbstractItemModelTester>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QToolTip>

#include "widgets/models/layer_profile_model.h"
#include "widgets/plots/roofline_plot.h"

using namespace pareto;
using namespace pareto::widgets;
using namespace Qt::StringLiterals;

namespace {

ProfiledLayer linear(const std::string& name, const std::string& kernel, double ms,
                     std::int64_t operations, std::uint64_t bytes) {
    ProfiledLayer layer;
    layer.name = name;
    layer.kernel = kernel;
    layer.ms = ms;
    layer.share = ms / 10.0;
    layer.operations = operations;
    layer.bytes = bytes;
    return layer;
}

ProfiledStep step() {
    ProfiledStep out;
    out.name = "pass";
    out.ms = 10.0;
    out.layers = {linear("embeddings.word", "fp32 (libtorch)", 1.0, 0, 1'000'000),
                  linear("first", "fp32 (libtorch)", 2.0, 100'000'000, 2'000'000),
                  linear("second", "int8 dynamic (VNNI); 12 % zeros", 1.0, 200'000'000, 1'000'000),
                  linear("scores", "attention (avx2)", 3.0, 3'000'000, 3'000'000)};
    out.layers[2].arithmetic = Arithmetic::Int8;
    ProfiledLayer norm;
    norm.name = "norm";
    norm.ms = 0.5;
    out.layers.push_back(norm);
    return out;
}

Roofs roofs() {
    Roofs out;
    out.weights = {20.0, 19.0};
    out.memory = {12.0, 11.0};
    out.fp32 = {100.0, 95.0};
    out.int8 = {400.0, 390.0};
    return out;
}

}  // namespace

/// The plot and the table of a profile, over plain values and with a real mouse.
class TestRooflinePlot : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void pointsOfWhatComputes();
    void hoverTellsAndClicksChoose();
    void choicesOfOthersAreShown();
    void itIsSaved();
    void theTableSortsWithNothingLast();
};

void TestRooflinePlot::pointsOfWhatComputes() {
    RooflinePlot plot(u"plot"_s);
    QCOMPARE(plot.pointCount(), 0);
    plot.resize(640, 360);
    plot.show();
    QVERIFY(QTest::qWaitForWindowExposed(&plot));
    plot.setStep(step(), roofs());
    QCOMPARE(plot.pointCount(), 3);
    QCOMPARE(plot.series(),
             (QStringList{u"fp32 (libtorch)"_s, u"int8 dynamic (VNNI)"_s, u"attention (avx2)"_s}));
    QVERIFY(!plot.pixelOf(u"embeddings.word"_s));
    QVERIFY(!plot.pixelOf(u"norm"_s));
    const auto first = plot.pixelOf(u"first"_s);
    const auto second = plot.pixelOf(u"second"_s);
    const auto scores = plot.pixelOf(u"scores"_s);
    QVERIFY(first && second && scores);
    // More operations a byte stand further right, more of them a second higher.
    QVERIFY(scores->x() < first->x() && first->x() < second->x());
    QVERIFY(scores->y() > first->y() && first->y() > second->y());
    plot.setStep({}, {});
    QCOMPARE(plot.pointCount(), 0);
}

void TestRooflinePlot::hoverTellsAndClicksChoose() {
    RooflinePlot plot(u"plot"_s);
    plot.resize(640, 360);
    plot.show();
    QVERIFY(QTest::qWaitForWindowExposed(&plot));
    plot.setStep(step(), roofs());
    QSignalSpy clicked(&plot, &RooflinePlot::layerClicked);
    QTest::mouseMove(plot.canvas(), *plot.pixelOf(u"first"_s) + QPoint(3, 2));
    QTRY_COMPARE(plot.hoveredLayer(), u"first"_s);
    const QString card = plot.cardText(u"first"_s);
    // 100 M operations in 2 ms are 50 GOP/s; 50 operations a byte lie under the roof of computing.
    for (const auto& words :
         {u"first"_s, u"2.000 ms"_s, u"20.0 %"_s, u"50.0 operations a byte"_s, u"50.0 GOP/s"_s,
          u"50.0 % of its roof, 100 GOP/s"_s, u"fp32 (libtorch)"_s}) {
        QVERIFY2(card.contains(words), qPrintable(card));
    }
    QCOMPARE(QToolTip::text(), card);
    QTest::mouseClick(plot.canvas(), Qt::LeftButton, {}, *plot.pixelOf(u"second"_s));
    QCOMPARE(clicked.size(), 1);
    QCOMPARE(clicked.front().front().toString(), u"second"_s);
    // Empty ground and dragging choose nothing.
    QTest::mouseClick(plot.canvas(), Qt::LeftButton, {},
                      *plot.pixelOf(u"second"_s) + QPoint(-40, 30));
    QTest::mousePress(plot.canvas(), Qt::LeftButton, {}, *plot.pixelOf(u"first"_s) - QPoint(60, 0));
    QTest::mouseRelease(plot.canvas(), Qt::LeftButton, {}, *plot.pixelOf(u"first"_s));
    QCOMPARE(clicked.size(), 1);
    QTest::mouseMove(plot.canvas(), QPoint(plot.canvas()->width() - 5, 5));
    QTRY_VERIFY(plot.hoveredLayer().isEmpty());
}

void TestRooflinePlot::choicesOfOthersAreShown() {
    RooflinePlot plot(u"plot"_s);
    plot.resize(640, 360);
    plot.show();
    QVERIFY(QTest::qWaitForWindowExposed(&plot));
    plot.setStep(step(), roofs());
    QSignalSpy clicked(&plot, &RooflinePlot::layerClicked);
    QTest::qWait(50);  // what was asked for is drawn
    const auto before = plot.grab().toImage();
    plot.setSelected({u"first"_s, u"norm"_s, u"elsewhere"_s});
    QCOMPARE(plot.selected(), QStringList{u"first"_s});
    QTRY_VERIFY(plot.grab().toImage() != before);
    QCOMPARE(clicked.size(), 0);
    plot.setSelected({});
    QTRY_VERIFY(plot.grab().toImage() == before);
}

void TestRooflinePlot::itIsSaved() {
    QTemporaryDir folder;
    RooflinePlot plot(u"plot"_s);
    plot.resize(640, 360);
    plot.setStep(step(), roofs());
    QString error;
    QVERIFY2(plot.savePlot(folder.filePath(u"p.svg"_s), &error), qPrintable(error));
    QFile file(folder.filePath(u"p.svg"_s));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const auto svg = QString::fromUtf8(file.readAll());
    QVERIFY(svg.contains(u"fp32 100 GFLOP/s"_s) && svg.contains(u"20.0 GB/s"_s));
}

void TestRooflinePlot::theTableSortsWithNothingLast() {
    LayerProfileModel model;
    const QAbstractItemModelTester tester(&model,
                                          QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.setStep(step(), roofs());
    QCOMPARE(model.rowCount(), 5);
    model.sort(LayerProfileModel::RoofShare, Qt::AscendingOrder);
    const auto layerAt = [&](int row) {
        return model.index(row, 0).data(LayerProfileModel::LayerRole).toString();
    };
    QCOMPARE(layerAt(4), u"norm"_s);
    model.sort(LayerProfileModel::Rate, Qt::DescendingOrder);
    QCOMPARE(layerAt(0), u"second"_s);
    QCOMPARE(layerAt(4), u"norm"_s);
    const int row = model.rowOfLayer(u"first"_s);
    const auto cell = [&](int column) { return model.index(row, column).data().toString(); };
    QCOMPARE(cell(LayerProfileModel::Time), u"2.000 ms"_s);
    QCOMPARE(cell(LayerProfileModel::Operations), u"100 M"_s);
    QCOMPARE(cell(LayerProfileModel::Intensity), u"50.0"_s);
    QCOMPARE(cell(LayerProfileModel::Bandwidth), u"1.00"_s);
    QCOMPARE(cell(LayerProfileModel::RoofShare), u"50.0 %"_s);
    QCOMPARE(model.index(model.rowOfLayer(u"norm"_s), LayerProfileModel::Size).data().toString(),
             u"–"_s);
    model.clear();
    QCOMPARE(model.rowCount(), 0);
    QCOMPARE(model.rowOfLayer(u"first"_s), -1);
}

QTEST_MAIN(TestRooflinePlot)
#include "tst_roofline_plot.moc"
