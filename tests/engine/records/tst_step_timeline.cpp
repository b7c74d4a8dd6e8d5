// What a process did in a step, from its calls to the others.
#include <QTest>

#include "engine/records/step_timeline.h"

using namespace pareto;

namespace {

/// "compute 0-1, wait_part 1-3, …"
std::string textOf(const PartStep& step) {
    std::string out;
    for (const auto& segment : step.segments) {
        char text[64];
        std::snprintf(text, sizeof text, " %g-%g", segment.begin, segment.end);
        out += (out.empty() ? "" : ", ") + std::string(nameOf(segment.doing)) + text;
    }
    return out;
}

/// Of a step from 10 to 20.
PartStep stepOf(const std::vector<PartCall>& calls, bool pipeline = false, std::size_t most = 100) {
    return partStep(calls, {"pass", 10.0, 20.0}, pipeline, most);
}

Json partsOf(PartTimeline timeline) {
    Json part{{"rank", timeline.rank}, {"host", timeline.host}};
    part["timeline"] = timelineToJson(timeline);
    return Json::array({part});
}

}  // namespace

class TestStepTimeline : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void betweenCallsItComputes() {
        const auto step =
            stepOf({{PartDoing::Sum, 11.0, 15.0, 3.0}, {PartDoing::Hand, 16.0, 17.0, 0.0}});
        QCOMPARE(textOf(step),
                 std::string(
                     "compute 0-1, wait_part 1-4, sum 4-5, compute 5-6, hand 6-7, compute 7-10"));
        QCOMPARE(step.seconds, 10.0);
        QCOMPARE(step.shares.compute, 0.5);
        QCOMPARE(step.shares.transfer, 0.2);
        QCOMPARE(step.shares.wait, 0.3);
        QVERIFY(!step.shares.bubble);
    }

    /// What another stage is waited for, and hearing what to do, is nothing to do; waiting for parts of the same stage is not.
    void theBubbleIsOfStages() {
        const auto step = stepOf({{PartDoing::Idle, 5.0, 12.0, 0.0},
                                  {PartDoing::Sum, 12.0, 14.0, 1.0},
                                  {PartDoing::Hand, 14.0, 18.0, 3.0}},
                                 true);
        QCOMPARE(textOf(step),
                 std::string(
                     "idle 0-2, wait_part 2-3, sum 3-4, wait_stage 4-7, hand 7-8, compute 8-10"));
        QCOMPARE(step.shares.wait, 0.6);
        QCOMPARE(*step.shares.bubble, 0.5);
    }

    void callsAreCutToTheStep() {
        QCOMPARE(textOf(stepOf({{PartDoing::Sum, 1.0, 9.0, 1.0},
                                {PartDoing::Hand, 19.0, 30.0, 5.0},
                                {PartDoing::Sum, 40.0, 41.0, 0.0}})),
                 std::string("compute 0-9, wait_stage 9-10, hand 10-10"));
        QCOMPARE(textOf(stepOf({})), std::string("compute 0-10"));
        // One that only waited still was a call; one of a clock that is a little off does not overlap.
        QCOMPARE(
            textOf(stepOf({{PartDoing::Sum, 12.0, 14.0, 9.0}, {PartDoing::Sum, 13.0, 15.0, 0.0}})),
            std::string("compute 0-2, wait_part 2-4, sum 4-4, sum 4-5, compute 5-10"));
    }

    void sharesAreOfAllThatHappened() {
        const std::vector<PartCall> calls{{PartDoing::Sum, 11.0, 12.0, 0.0},
                                          {PartDoing::Sum, 13.0, 14.0, 0.0}};
        const auto step = stepOf(calls, false, 2);
        QCOMPARE(step.segments.size(), std::size_t{2});
        QCOMPARE(step.leftOut, std::int64_t{3});
        QCOMPARE(step.shares.transfer, 0.2);
    }

    void jsonThereAndBack() {
        PartTimeline timeline;
        timeline.rank = 3;
        timeline.stage = 1;
        timeline.host = "there";
        timeline.clockError = 12e-6;
        timeline.waitsKnown = false;
        timeline.leftOut = {"prefill"};
        auto step = stepOf({{PartDoing::Sum, 11.0, 15.0, 3.0}}, true);
        step.begin = 0.25;
        timeline.steps = {step};
        const auto read = partTimelinesFromJson(partsOf(timeline));
        QVERIFY(read.ok());
        QCOMPARE(read->size(), std::size_t{1});
        const auto& one = read->front();
        QCOMPARE(one.rank, 3);
        QCOMPARE(one.stage, 1);
        QCOMPARE(one.host, std::string("there"));
        QCOMPARE(one.clockError, 12e-6);
        QVERIFY(!one.waitsKnown);
        QVERIFY(one.leftOut == std::vector<std::string>{"prefill"});
        QCOMPARE(textOf(one.steps.at(0)), textOf(step));
        QCOMPARE(one.steps[0].begin, 0.25);
        QCOMPARE(one.steps[0].shares.wait, step.shares.wait);
        QCOMPARE(one.steps[0].shares.bubble.has_value(), true);
        // Runs of before have none.
        QVERIFY(partTimelinesFromJson(Json::array({{{"rank", 0}}}))->empty());
        QVERIFY(partTimelinesFromJson(Json())->empty());
    }

    void whatCannotBeIsRefused_data() {
        QTest::addColumn<QString>("patch");
        QTest::newRow("a column is short") << QStringLiteral(
            R"({"steps":[{"name":"pass","kind":[0,1],"segment_begin_us":[0],"segment_us":[1,2]}]})");
        QTest::newRow("no such kind") << QStringLiteral(
            R"({"steps":[{"name":"pass","kind":[9],"segment_begin_us":[0],"segment_us":[1]}]})");
        QTest::newRow("before the step") << QStringLiteral(
            R"({"steps":[{"name":"pass","kind":[0],"segment_begin_us":[-5],"segment_us":[1]}]})");
        QTest::newRow("words") << QStringLiteral(
            R"({"steps":[{"name":"pass","kind":["compute"],"segment_begin_us":[0],"segment_us":[1]}]})");
        QTest::newRow("a share of two")
            << QStringLiteral(R"({"steps":[{"name":"pass","wait":2}]})");
        QTest::newRow("other kinds") << QStringLiteral(R"({"kinds":["a"],"steps":[]})");
        QTest::newRow("a list") << QStringLiteral("[]");
    }
    void whatCannotBeIsRefused() {
        QFETCH(QString, patch);
        const auto read = partTimelinesFromJson(
            Json::array({{{"rank", 0}, {"timeline", Json::parse(patch.toStdString())}}}));
        QVERIFY(!read.ok());
        QCOMPARE(read.error().code, ErrorCode::ConfigInvalid);
    }

    void traceHasARowARank() {
        PartTimeline timeline;
        timeline.rank = 2;
        timeline.host = "there";
        auto step = stepOf({{PartDoing::Sum, 11.0, 15.0, 3.0}});
        step.begin = 1.0;
        timeline.steps = {step};
        const auto trace = chromeTrace({timeline}, "a model");
        const auto& events = trace.at("traceEvents");
        QCOMPARE(events.size(), std::size_t{2 + 1 + 4});
        QCOMPARE(events[1]["args"]["name"].get<std::string>(),
                 std::string("rank 2, stage 0, there"));
        for (std::size_t i = 2; i < events.size(); ++i) {
            QCOMPARE(events[i]["tid"].get<int>(), 2);
            QCOMPARE(events[i]["ph"].get<std::string>(), std::string("X"));
        }
        QCOMPARE(events[4]["name"].get<std::string>(), std::string("wait_part"));
        QCOMPARE(events[4]["ts"].get<double>(), 2e6);
        QCOMPARE(events[4]["dur"].get<double>(), 3e6);
    }
};

QTEST_GUILESS_MAIN(TestStepTimeline)
#include "tst_step_timeline.moc"
