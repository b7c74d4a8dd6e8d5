#include <cmath>

#include <QFileInfo>
#include <QTest>
#include <QTemporaryDir>

#include "widgets/plots/histogram_plot.h"
#include "widgets/plots/latency_plot.h"
#include "widgets/support/theme.h"

using namespace pareto;
using namespace pareto::widgets;

class TestHistogramPlot : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void saysZerosAndWhatIsHidden();
    void drawsBeforeAndAfter();
    void themeChangesTheGround();
    void constantWeightIsDrawn();
    void latencyCurves();
};

namespace {

Histogram bell(double width, std::int64_t zeros) {
    Histogram histogram;
    histogram.layer = "encoder.layer.0.ffn.in";
    histogram.low = -1.0;
    histogram.high = 1.0;
    histogram.counts.resize(256);
    for (int bin = 0; bin < 256; ++bin) {
        const double x = (bin - 127.5) / 127.5 / width;
        histogram.counts[static_cast<std::size_t>(bin)] =
            static_cast<std::int64_t>(10000.0 * std::exp(-x * x));
    }
    histogram.counts[128] += zeros;
    histogram.zeros = zeros;
    return histogram;
}

}  // namespace

void TestHistogramPlot::saysZerosAndWhatIsHidden() {
    HistogramPlot plot(QStringLiteral("weights"));
    Histogram before;
    before.low = 0;
    before.high = 1;
    before.counts = {90, 0, 10};
    before.zeros = 10;
    Histogram after = before;
    after.zeros = 50;
    after.nonFinite = 3;
    plot.setHistograms(before, std::nullopt);
    QCOMPARE(plot.summary(), QStringLiteral("Zeros: 10.0 %"));
    plot.setHistograms(before, after);
    QVERIFY(plot.summary().startsWith(QStringLiteral("Zeros: 10.0 % before, 50.0 % after")));
    QVERIFY(plot.summary().contains(QChar(u'3')));
}

void TestHistogramPlot::drawsBeforeAndAfter() {
    HistogramPlot plot(QStringLiteral("weights"));
    plot.resize(420, 240);
    plot.show();
    QVERIFY(QTest::qWaitForWindowExposed(&plot));
    plot.setHistograms(bell(0.3, 10), std::nullopt);
    const QImage one = plot.grab().toImage();
    plot.setHistograms(bell(0.3, 10), bell(0.2, 500'000));
    const QImage two = plot.grab().toImage();
    QVERIFY(one != two);
    QTemporaryDir folder;
    QString error;
    for (const char* suffix : {"png", "svg", "pdf"}) {
        const QString path = folder.filePath(QStringLiteral("h.") + QLatin1String(suffix));
        QVERIFY2(plot.savePlot(path, &error), qPrintable(error));
        QVERIFY(QFileInfo(path).size() > 500);
    }
}

void TestHistogramPlot::themeChangesTheGround() {
    HistogramPlot plot(QStringLiteral("weights"));
    plot.resize(300, 200);
    plot.setPalette(lightPalette());
    plot.setHistograms(bell(0.3, 10), std::nullopt);
    plot.show();
    QVERIFY(QTest::qWaitForWindowExposed(&plot));
    QVERIFY(plot.grab().toImage().pixelColor(2, 2).lightness() > 200);
    plot.setPalette(darkPalette());
    QVERIFY(plot.grab().toImage().pixelColor(2, 2).lightness() < 60);
}

void TestHistogramPlot::constantWeightIsDrawn() {
    HistogramPlot plot(QStringLiteral("weights"));
    Histogram constant;
    constant.low = 1.0;
    constant.high = 1.0;
    constant.counts.assign(256, 0);
    constant.counts[0] = 4096;
    plot.resize(300, 200);
    plot.setHistograms(constant, std::nullopt);
    QVERIFY(!plot.grab().isNull());
}

void TestHistogramPlot::latencyCurves() {
    LatencyPlot plot(QStringLiteral("latency"));
    plot.resize(300, 200);
    plot.show();
    QVERIFY(QTest::qWaitForWindowExposed(&plot));
    const QImage empty = plot.grab().toImage();
    plot.setLatencies({8.1, 8.3, 8.0, 9.9}, {19.0, 19.4});
    QTRY_VERIFY(plot.grab().toImage() != empty);
    auto* canvas = plot.findChild<QWidget*>(QStringLiteral("latencyCanvas"));
    QCOMPARE(canvas->accessibleDescription(), QStringLiteral("8.00 to 9.90 ms"));
}

QTEST_MAIN(TestHistogramPlot)
#include "tst_histogram_plot.moc"
