#include <QTest>

#include <chrono>
#include <thread>

#include "engine/bench/pass_progress.h"
#include "engine/bench/trace.h"
#include "tests/engine/tasks/fakes.h"

using namespace pareto;
using namespace std::chrono_literals;

class TestTrace : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void phasesAreTimedInOrderAndNotTwice();
    void theTotalIsWhatWillBeDone();
    void theObserverIsTakenOffAgain();
};

namespace {

/// "outer" takes 4 ms of its own and 8 ms inside "layer"; "layer" runs twice.
models::RunnableModel observedModel(fakes::FakeEncoder*& raw) {
    auto fake = std::make_unique<fakes::FakeEncoder>(
        [](const auto&) { return std::vector<float>{0.0F}; });
    raw = fake.get();
    LayerInfo layer;
    layer.name = "layer";
    layer.rows = 3;
    layer.cols = 5;
    fake->m_layout.layers.push_back(layer);
    fake->m_onRun = [model = fake.get()] {
        auto* observer = model->m_observer;
        if (observer == nullptr) {
            return;
        }
        observer->begin("outer");
        std::this_thread::sleep_for(4ms);
        for (int i = 0; i < 2; ++i) {
            observer->begin("layer");
            std::this_thread::sleep_for(4ms);
            observer->end("layer");
        }
        observer->end("outer");
    };
    models::RunnableModel model;
    model.encoder = std::move(fake);
    return model;
}

bench::TraceOptions quick() {
    bench::TraceOptions options;
    options.minSeconds = 0.0;
    options.minPasses = 7;
    options.target.sequence = 8;
    return options;
}

}  // namespace

void TestTrace::phasesAreTimedInOrderAndNotTwice() {
    fakes::FakeEncoder* raw = nullptr;
    auto model = observedModel(raw);
    Progress progress;
    const auto layers = bench::traceLayers(model, quick(), progress, {});
    QVERIFY(layers.ok());
    QCOMPARE(layers->size(), std::size_t{2});
    const auto& outer = layers.value()[0];
    const auto& layer = layers.value()[1];
    QCOMPARE(outer.name, std::string("outer"));
    QCOMPARE(layer.name, std::string("layer"));
    QVERIFY(layer.ms >= 8.0);
    QVERIFY2(outer.ms >= 4.0 && outer.ms < layer.ms, qPrintable(QString::number(outer.ms)));
    QVERIFY(outer.share + layer.share > 0.9 && outer.share + layer.share < 1.1);
    QCOMPARE(layer.rows, 3);
    QCOMPARE(layer.cols, 5);
    QCOMPARE(layer.kernel, std::string("fake"));
    QCOMPARE(outer.rows, 0);
}

void TestTrace::theTotalIsWhatWillBeDone() {
    using bench::passesInAll;
    QCOMPARE(passesInAll({500.0, 5, 200, 1}, 0, 0.0, 10.0), 50);
    QCOMPARE(passesInAll({500.0, 5, 200, 1}, 10, 200.0, 20.0), 25);
    QCOMPARE(passesInAll({500.0, 5, 200, 1}, 1, 1000.0, 1000.0), 5);
    QCOMPARE(passesInAll({500.0, 5, 200, 1}, 0, 0.0, 0.0), 200);
    QCOMPARE(passesInAll({0.0, 20, 2000, 48}, 0, 0.0, 1.0), 48);
    QCOMPARE(passesInAll({0.0, 20, 2000, 48}, 48, 48.0, 1.0), 48);
    // More passes than were guessed at first: the total goes along.
    Progress progress;
    bench::PassProgress shown(progress, {100.0, 2, 1000, 1}, 50.0);
    QCOMPARE(progress.snapshot().total, 2);
    for (int done = 1; done <= 100; ++done) {
        shown.update(done, done);
        QVERIFY(progress.snapshot().done == done && progress.snapshot().total >= done);
    }
    QCOMPARE(progress.snapshot().total, 100);
    fakes::FakeEncoder* raw = nullptr;
    auto model = observedModel(raw);
    Progress traced;
    QVERIFY(bench::traceLayers(model, quick(), traced, {}).ok());
    QCOMPARE(traced.snapshot().done, traced.snapshot().total);
}

void TestTrace::theObserverIsTakenOffAgain() {
    fakes::FakeEncoder* raw = nullptr;
    auto model = observedModel(raw);
    Progress progress;
    QVERIFY(bench::traceLayers(model, quick(), progress, {}).ok());
    QVERIFY(raw->m_observer == nullptr);
    std::stop_source stop;
    stop.request_stop();
    QVERIFY(bench::traceLayers(model, quick(), progress, stop.get_token()).cancelled());
    QVERIFY(raw->m_observer == nullptr);
}

QTEST_GUILESS_MAIN(TestTrace)
#include "tst_trace.moc"
