#include <cmath>
#include <limits>
#include <random>

#include <QDir>
#include <QMouseEvent>
#include <QTemporaryDir>
#include <QTest>
#include <QWheelEvent>

#include "widgets/plots/training_curve.h"
#include "widgets/plots/training_plot.h"
#include "widgets/support/theme.h"

using namespace pareto;
using namespace pareto::widgets;
using namespace Qt::StringLiterals;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::shared_ptr<TrainingCurve> curveOf(const std::vector<double>& losses,
                                       std::int64_t planned = 0) {
    auto curve = std::make_shared<TrainingCurve>();
    for (std::size_t i = 0; i < losses.size(); ++i) {
        TrainingPoint point;
        point.step = static_cast<std::int64_t>(i) + 1;
        point.steps = planned > 0 ? planned : static_cast<std::int64_t>(losses.size());
        point.loss = losses[i];
        point.learningRate = 1e-4 * static_cast<double>(losses.size() - i);
        curve->append(point);
    }
    return curve;
}

/// Falling, with noise and one spike that nothing may swallow.
std::vector<double> longLosses(std::size_t count, std::size_t spike) {
    std::mt19937 random(7);
    std::normal_distribution<double> noise(0.0, 0.1);
    std::vector<double> out(count);
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = 2.0 / (1.0 + 1e-4 * static_cast<double>(i)) + noise(random);
    }
    out[spike] = 50.0;
    return out;
}

}  // namespace

/// The curve, how it is thinned, and the plot with real clicks.
class TestTrainingPlot : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { QLocale::setDefault(QLocale::c()); }

    /// Against the weighted mean written out: Σ lᵢ aⁿ⁻ⁱ / Σ aⁿ⁻ⁱ with a = exp(−1/window).
    void smoothedIsTheWeightedMean() {
        const std::vector<double> losses{3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0};
        const auto curve = curveOf(losses, 500);  // a window of 10
        const double a = std::exp(-1.0 / 10.0);
        for (std::size_t n = 0; n < losses.size(); ++n) {
            double sum = 0.0;
            double weights = 0.0;
            for (std::size_t i = 0; i <= n; ++i) {
                const double weight = std::pow(a, static_cast<double>(n - i));
                sum += losses[i] * weight;
                weights += weight;
            }
            QVERIFY(std::abs(curve->smoothed()[n] - sum / weights) < 1e-12);
        }
    }

    void lossesThatAreNoNumberAreSurvived() {
        const auto curve = curveOf({kNaN, 2.0, kNaN, 2.0});
        QVERIFY(std::isnan(curve->smoothed()[0]));
        QCOMPARE(curve->smoothed()[1], 2.0);
        QCOMPARE(curve->smoothed()[2], 2.0);
        QCOMPARE(curve->smoothed()[3], 2.0);
    }

    void stepsOnlyRise() {
        auto curve = curveOf({1.0, 2.0, 3.0});
        TrainingPoint late;
        late.step = 2;
        late.loss = 99.0;
        curve->append(late);
        QCOMPARE(curve->size(), std::size_t{3});
        QCOMPARE(curve->last().step, std::int64_t{3});
        QCOMPARE(curve->indexAt(2.4), 1);
        QCOMPARE(curve->indexAt(2.6), 2);
        QCOMPARE(curve->indexAt(-5.0), 0);
        QCOMPARE(curve->indexAt(99.0), 2);
        QCOMPARE(TrainingCurve().indexAt(1.0), -1);
    }

    void aThinnedLineHasEveryColumnsExtremes_data() {
        QTest::addColumn<double>("from");
        QTest::addColumn<double>("to");
        QTest::newRow("all") << 0.0 << 100'000.0;
        QTest::newRow("a part") << 20'000.5 << 61'000.25;
        QTest::newRow("beyond both ends") << -5000.0 << 130'000.0;
    }
    void aThinnedLineHasEveryColumnsExtremes() {
        QFETCH(double, from);
        QFETCH(double, to);
        constexpr int kColumns = 300;
        const auto y = longLosses(100'000, 54'321);
        std::vector<double> x(y.size());
        for (std::size_t i = 0; i < x.size(); ++i) {
            x[i] = static_cast<double>(i + 1);
        }
        const auto line = drawnLine(x, y, from, to, kColumns);
        QVERIFY(line.x.size() <= 4 * (kColumns + 2));
        QVERIFY(std::is_sorted(line.x.begin(), line.x.end()));
        for (int column = 0; column < kColumns; ++column) {
            const double left = from + (to - from) * column / kColumns;
            const double right = from + (to - from) * (column + 1) / kColumns;
            const auto extremes = [&](const std::vector<double>& xs,
                                      const std::vector<double>& ys) {
                std::pair<double, double> out{1e300, -1e300};
                for (std::size_t i = 0; i < xs.size(); ++i) {
                    // A point on a border may go to either side by rounding.
                    if (xs[i] >= left + 1e-6 && xs[i] < right - 1e-6) {
                        out = {std::min(out.first, ys[i]), std::max(out.second, ys[i])};
                    }
                }
                return out;
            };
            QCOMPARE(extremes(line.x, line.y), extremes(x, y));
        }
        QVERIFY(std::find(line.y.begin(), line.y.end(), 50.0) != line.y.end());
    }

    void aShortLineIsWhole() {
        const std::vector<double> x{1.0, 2.0, 3.0, 4.0};
        const auto line = drawnLine(x, {5.0, kNaN, 6.0, 7.0}, 0.0, 5.0, 400);
        QCOMPARE(line.x, (std::vector<double>{1.0, 3.0, 4.0}));
        QCOMPARE(line.y, (std::vector<double>{5.0, 6.0, 7.0}));
        QVERIFY(drawnLine({}, {}, 0.0, 1.0, 10).x.empty());
        QVERIFY(drawnLine(x, x, 3.0, 3.0, 10).x.empty());
    }

    /// The cost of a replot is what it hands to the painter: bounded by the width, at 1,000 points
    /// and at 100,000.
    void aHundredThousandPointsCostNoMoreThanTheWidth() {
        const auto plot = shown();
        const auto losses = longLosses(100'000, 54'321);
        auto curve = std::make_shared<TrainingCurve>();
        const int most = 2 * 4 * (plot->canvas()->width() + 2);
        int before = 0;
        for (std::size_t i = 0; i < losses.size(); ++i) {
            TrainingPoint point;
            point.step = static_cast<std::int64_t>(i) + 1;
            point.steps = 100'000;
            point.loss = losses[i];
            curve->append(point);
            if ((i + 1) % 10'000 == 0) {
                plot->setPicture({curve, {}, 0});
                QVERIFY2(plot->drawnPoints() <= most,
                         qPrintable(QString::number(plot->drawnPoints())));
                QVERIFY(plot->drawnPoints() > plot->canvas()->width());  // and not a poorer picture
                before = plot->drawnPoints();
            }
        }
        QCOMPARE(curve->size(), std::size_t{100'000});
        QVERIFY(plot->view().second >= 100'000.0);
        // Zoomed in to 40 steps every one of them is drawn, and the neighbour on either side.
        plot->setView(50'000.0, 50'040.0);
        QVERIFY(plot->drawnPoints() < before);
        QVERIFY(plot->drawnPoints() >= 2 * 41 && plot->drawnPoints() <= 2 * 43);
        // New points leave the zoomed view where it is.
        TrainingPoint next;
        next.step = 100'001;
        next.steps = 200'000;
        next.loss = 1.0;
        curve->append(next);
        plot->setPicture({curve, {}, 0});
        QCOMPARE(plot->view(), (std::pair{50'000.0, 50'040.0}));
    }

    void theWheelZoomsAndADoubleClickShowsAll() {
        const auto plot = shown();
        plot->setPicture({curveOf(longLosses(1000, 10)), {}, 0});
        const auto whole = plot->view();
        QVERIFY(!plot->isZoomed());
        const QPoint at = plot->pixelOf(400).value_or(QPoint());
        QVERIFY(!at.isNull());
        QWheelEvent wheel(at, plot->canvas()->mapToGlobal(at), {}, QPoint(0, 240), Qt::NoButton, {},
                          Qt::NoScrollPhase, false);
        QCoreApplication::sendEvent(plot->canvas(), &wheel);
        QVERIFY(plot->isZoomed());
        QVERIFY(plot->view().second - plot->view().first < whole.second - whole.first);
        QVERIFY(plot->view().first < 400.0 && plot->view().second > 400.0);
        // Dragging in the lower picture moves both.
        const auto zoomed = plot->view();
        const QPoint low(plot->canvas()->width() / 2, plot->canvas()->height() - 50);
        QTest::mousePress(plot->canvas(), Qt::LeftButton, {}, low);
        QMouseEvent move(QEvent::MouseMove, low + QPoint(60, 0),
                         plot->canvas()->mapToGlobal(low + QPoint(60, 0)), Qt::NoButton,
                         Qt::LeftButton, {});
        QCoreApplication::sendEvent(plot->canvas(), &move);
        QTest::mouseRelease(plot->canvas(), Qt::LeftButton, {}, low + QPoint(60, 0));
        QVERIFY(plot->view().first < zoomed.first);
        QTest::mouseDClick(plot->canvas(), Qt::LeftButton, {}, at);
        QVERIFY(!plot->isZoomed());
        QCOMPARE(plot->view(), whole);
        // Another curve is shown whole.
        plot->setView(3.0, 9.0);
        plot->setPicture({curveOf({1.0, 2.0, 3.0}), {}, 0});
        QVERIFY(!plot->isZoomed());
    }

    void theMetricHasAnAxisOfItsOwnAndTheKeptStepIsMarked() {
        const auto plot = shown();
        const std::vector<ValidationPoint> validations{{10, "accuracy", 0.8, true},
                                                       {20, "accuracy", 0.9, true},
                                                       {30, "accuracy", 0.85, false}};
        plot->setPicture({curveOf(std::vector<double>(30, 1.0)), validations, 20});
        const auto first = plot->pixelOf(10, true);
        const auto best = plot->pixelOf(20, true);
        const auto last = plot->pixelOf(30, true);
        QVERIFY(first && best && last);
        QVERIFY(best->y() < last->y() && last->y() < first->y());
        QVERIFY(plot->pixelOf(20)->y() < best->y());  // the loss is above
        QCOMPARE(plot->pixelOf(20)->x(), best->x());  // steps stand below each other
        QVERIFY(!plot->pixelOf(15, true));
        QVERIFY2(plot->cardText(20).contains(u"90.00 %"_s), qPrintable(plot->cardText(20)));
        QVERIFY(plot->cardText(20).startsWith(u"Step 20"_s));
        // The dashed line of the kept step stands in the picture: pixels of its colour in that column.
        const QImage image = plot->canvas()->grab().toImage();
        const QColor wanted = plotColours(plot->palette()).selection;
        const qreal ratio = image.devicePixelRatio();
        int marked = 0;
        for (int y = 0; y < image.height(); ++y) {
            for (int dx = -1; dx <= 1; ++dx) {
                const QColor pixel = image.pixelColor(qRound(best->x() * ratio) + dx, y);
                marked += std::abs(pixel.red() - wanted.red()) < 40 &&
                          std::abs(pixel.green() - wanted.green()) < 40 &&
                          std::abs(pixel.blue() - wanted.blue()) < 40;
            }
        }
        QVERIFY2(marked > 30, qPrintable(QString::number(marked)));
    }

    void theLearningRateComesOnDemand() {
        const auto plot = shown();
        plot->setPicture({curveOf(longLosses(500, 3)), {}, 0});
        const int without = plot->drawnPoints();
        plot->setLearningRateShown(true);
        QVERIFY(plot->drawnPoints() > without);
        plot->setLearningRateShown(false);
        QCOMPARE(plot->drawnPoints(), without);
        QVERIFY(plot->cardText(1).contains(u"Learning rate 0.05"_s));
    }

    void nothingIsAPictureToo() {
        const auto plot = shown();
        plot->setPicture({curveOf({kNaN, kNaN}), {}, 0});
        plot->setPicture({});
        QCOMPARE(plot->drawnPoints(), 0);
        QVERIFY(!plot->pixelOf(1));
        QVERIFY(plot->canvas()->accessibleDescription().startsWith(u"0 step"_s));
    }

    void itIsSaved() {
        const QTemporaryDir folder;
        const auto plot = shown();
        plot->setPicture({curveOf(longLosses(500, 3)), {{100, "accuracy", 0.5, true}}, 100});
        for (const auto& ending : {u"png"_s, u"svg"_s, u"pdf"_s}) {
            QString error;
            const QString file = folder.filePath(u"training."_s + ending);
            QVERIFY2(plot->savePlot(file, &error), qPrintable(error));
            QVERIFY(QFileInfo(file).size() > 1000);
        }
    }

private:
    static std::unique_ptr<TrainingPlot> shown() {
        auto plot = std::make_unique<TrainingPlot>(u"trainingPlot"_s);
        plot->resize(700, 420);
        plot->show();
        (void)QTest::qWaitForWindowExposed(plot.get());
        return plot;
    }
};

QTEST_MAIN(TestTrainingPlot)
#include "tst_training_plot.moc"
