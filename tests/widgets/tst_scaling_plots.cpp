#include <QApplication>
#include <QTest>
#include <QToolTip>
#include <QWheelEvent>

#include "widgets/plots/scaling_plot.h"
#include "widgets/plots/step_timeline_plot.h"

using namespace pareto;
using namespace pareto::widgets;
using namespace Qt::StringLiterals;

namespace {

std::vector<PartTimeline> timelines() {
    const std::vector<PartCall> first{{PartDoing::Sum, 0.002, 0.006, 0.003},
                                      {PartDoing::Hand, 0.008, 0.010, 0.0}};
    const std::vector<PartCall> second{{PartDoing::Idle, 0.0, 0.001, 0.0},
                                       {PartDoing::Hand, 0.001, 0.010, 0.008}};
    std::vector<PartTimeline> out(2);
    for (int rank = 0; rank < 2; ++rank) {
        auto& one = out[static_cast<std::size_t>(rank)];
        one.rank = rank;
        one.stage = rank;
        one.host = "here";
        one.steps = {partStep(rank == 0 ? first : second, {"prefill", 0.0, 0.010}, true, 100)};
    }
    return out;
}

ScalingPicture picture() {
    ScalingPicture out;
    out.label = u"tokens/s"_s;
    out.ideal = {100.0, 200.0, 400.0, 800.0};
    out.predicted = {{ScalingPicture::Way::Tensor, {1, 2, 4}, {100, 180, 300}},
                     {ScalingPicture::Way::Replicas, {1, 2, 4, 8}, {100, 200, 400, 800}}};
    out.measured = {{u"one process"_s, 1.0, 100.0, 95.0, 105.0},
                    {u"tp 2"_s, 2.0, 160.0, 150.0, 170.0, 180.0}};
    return out;
}

}  // namespace

/// The plots of a model in parts, over plain values and with a real mouse.
class TestScalingPlots : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aRowARank() {
        StepTimelinePlot plot(u"timeline"_s);
        plot.resize(600, 200);
        plot.setStep(timelines(), 0);
        plot.show();
        QVERIFY(QTest::qWaitForWindowExposed(&plot));
        QCOMPARE(plot.rowCount(), 2);
        QCOMPARE(plot.legend(), (QStringList{u"computing"_s, u"exchanging"_s, u"handing on"_s,
                                             u"waiting for its stage"_s, u"nothing to do"_s}));
        const auto first = plot.pixelOf(0, 0.005);
        const auto second = plot.pixelOf(1, 0.005);
        QVERIFY(first && second);
        QVERIFY2(first->y() < second->y(), "the first rank stands on top");
        QVERIFY(!plot.pixelOf(7, 0.005));
        QVERIFY(plot.cardText(0, 0.0045).contains(u"waiting for a part of its stage"_s));
        QVERIFY2(plot.cardText(0, 0.0055).contains(u"1.000 ms: from 5.000 to 6.000 ms"_s),
                 qPrintable(plot.cardText(0, 0.0055)));
        QVERIFY(plot.cardText(1, 0.0005).contains(u"waiting to hear what to do"_s));
        QVERIFY(plot.cardText(1, 0.005).contains(u"waiting for another stage"_s));
        QCOMPARE(plot.cardText(1, 0.5), QString());
        QVERIFY(plot.canvas()->accessibleDescription().contains(u"Rank 0: 40.0 % computing"_s));
    }

    /// What is drawn where is what happened there.
    void coloursFollowTheSegments() {
        StepTimelinePlot plot(u"timeline"_s);
        plot.resize(600, 200);
        plot.setStep(timelines(), 0);
        plot.show();
        QVERIFY(QTest::qWaitForWindowExposed(&plot));
        const auto colour = [&](int rank, double seconds) {
            const auto at = plot.pixelOf(rank, seconds);
            return at ? plot.canvas()->grab().toImage().pixelColor(*at) : QColor();
        };
        const auto computing = colour(0, 0.001);
        QCOMPARE(colour(0, 0.007), computing);
        QVERIFY(colour(0, 0.0055) != computing);
        QVERIFY(colour(0, 0.0035) != computing);
        QVERIFY(colour(0, 0.0035) != colour(1, 0.005));
        QVERIFY(colour(0, 0.009) != colour(0, 0.0055));
    }

    void theMouseZoomsTimeOnly() {
        StepTimelinePlot plot(u"timeline"_s);
        plot.resize(600, 200);
        plot.setStep(timelines(), 0);
        plot.show();
        QVERIFY(QTest::qWaitForWindowExposed(&plot));
        QTest::mouseMove(plot.canvas(), *plot.pixelOf(0, 0.001));
        QTRY_VERIFY(QToolTip::text().contains(u"Rank 0 on here, stage 0"_s));
        const auto all = plot.view();
        QCOMPARE(all, (std::pair{0.0, 0.010}));
        const auto middle = plot.pixelOf(0, 0.005);
        QWheelEvent wheel(*middle, plot.canvas()->mapToGlobal(*middle), {}, {0, 120}, Qt::NoButton,
                          Qt::NoModifier, Qt::NoScrollPhase, false);
        QApplication::sendEvent(plot.canvas(), &wheel);
        QVERIFY(plot.view().first > 0.0 && plot.view().second < 0.010);
        QVERIFY(plot.pixelOf(1, 0.005).has_value());
        // Not beyond the step.
        for (int i = 0; i < 20; ++i) {
            QWheelEvent out(*middle, plot.canvas()->mapToGlobal(*middle), {}, {0, -120},
                            Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
            QApplication::sendEvent(plot.canvas(), &out);
        }
        QVERIFY(plot.view().first >= 0.0 && plot.view().second <= 0.010 + 1e-12);
        QTest::mouseDClick(plot.canvas(), Qt::LeftButton, {}, *middle);
        QTest::mouseRelease(plot.canvas(), Qt::LeftButton, {}, *middle);
        QCOMPARE(plot.view(), all);
    }

    /// Nothing recorded, a rank without the step, another language's numbers.
    void whatIsMissingIsEmpty() {
        StepTimelinePlot plot(u"timeline"_s);
        plot.resize(600, 200);
        plot.show();
        QVERIFY(QTest::qWaitForWindowExposed(&plot));
        QCOMPARE(plot.rowCount(), 0);
        QVERIFY(plot.legend().isEmpty());
        auto some = timelines();
        some[1].steps.clear();
        plot.setStep(some, 0);
        QCOMPARE(plot.rowCount(), 2);
        QCOMPARE(plot.cardText(1, 0.005), QString());
        plot.setStep(some, 5);
        QVERIFY(plot.legend().isEmpty());
    }

    void predictionsAndMeasurements() {
        ScalingPlot plot(u"scaling"_s);
        plot.resize(600, 300);
        plot.setPicture(picture());
        plot.show();
        QVERIFY(QTest::qWaitForWindowExposed(&plot));
        QCOMPARE(plot.legend(),
                 (QStringList{u"ideal"_s, u"predicted: tensor parallel"_s, u"predicted: replicas"_s,
                              u"measured, 95 % interval"_s}));
        const auto one = plot.pixelOf(0);
        const auto two = plot.pixelOf(1);
        QVERIFY(one && two);
        QVERIFY(one->x() < two->x() && one->y() > two->y());
        QVERIFY(!plot.pixelOf(2));
        QVERIFY2(plot.cardText(1).contains(u"predicted 180.0, error 12.5 %"_s),
                 qPrintable(plot.cardText(1)));
        QVERIFY(!plot.cardText(0).contains(u"predicted"_s));
        QTest::mouseMove(plot.canvas(), *two);
        QTRY_VERIFY(QToolTip::text().startsWith(u"tp 2"_s));
        QVERIFY(plot.canvas()->accessibleDescription().contains(u"tp 2, measured 160.0"_s));
        plot.setPicture({});
        QVERIFY(!plot.pixelOf(0));
    }
};

QTEST_MAIN(TestScalingPlots)
#include "tst_scaling_plots.moc"
