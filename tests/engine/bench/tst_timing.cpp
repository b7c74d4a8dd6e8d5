#include <QTest>

#include <chrono>
#include <string>
#include <thread>

#include "engine/bench/timing.h"
#include "tests/engine/tasks/fakes.h"

using namespace pareto;
using namespace std::chrono_literals;

class TestTiming : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everyFigureIsThereWithItsInterval();
    void passesGoOnUntilBothLimitsAreMet();
    void theBaselineIsInterleavedABBA();
    void theRatioIsThatOfTheModels();
    void aDecodersTokensAreTimedApart();
    void lengthsBeyondTheModelsPositionsAreRefused();
    void cancelEndsIt();
    void warmUpReportsThePeak();
    void companionsAreTimedWithIt();

private:
    static models::RunnableModel encoder(std::function<void()> work) {
        auto fake = std::make_unique<fakes::FakeEncoder>(
            [](const auto&) { return std::vector<float>{0.0F}; });
        fake->m_onRun = std::move(work);
        models::RunnableModel model;
        model.encoder = std::move(fake);
        return model;
    }
    static bench::TimingOptions options(double seconds, int iterations) {
        bench::TimingOptions options;
        options.minSeconds = seconds;
        options.minIterations = iterations;
        options.target.batch = 4;
        options.target.sequence = 16;
        return options;
    }
    static const Measurement* find(const bench::TimingResult& result, const std::string& key) {
        for (const auto& measurement : result.measurements) {
            if (measurement.key == key) {
                return &measurement;
            }
        }
        return nullptr;
    }
};

void TestTiming::everyFigureIsThereWithItsInterval() {
    auto model = encoder([] { std::this_thread::sleep_for(2ms); });
    Progress progress;
    const auto result = bench::timeModel(model, nullptr, options(0.0, 25), progress, {});
    QVERIFY(result.ok());
    QCOMPARE(result->latenciesMs.size(), std::size_t{25});
    for (const auto* key : {"latency_p50_ms", "latency_p90_ms", "latency_p99_ms", "latency_mean_ms",
                            "throughput_items_per_s"}) {
        const auto* figure = find(result.value(), key);
        QVERIFY2(figure != nullptr, key);
        QVERIFY2(figure->low && figure->high, key);
        QVERIFY2(*figure->low <= figure->value && figure->value <= *figure->high, key);
        QCOMPARE(figure->n, 25);
    }
    QVERIFY(find(result.value(), "latency_p50_ms")->value >= 2.0);
    QVERIFY(find(result.value(), "latency_p99_ms")->value >=
            find(result.value(), "latency_p50_ms")->value);
    const auto mean = find(result.value(), "latency_mean_ms")->value;
    QVERIFY(std::abs(find(result.value(), "throughput_items_per_s")->value - 4000.0 / mean) < 1e-6);
    QVERIFY(find(result.value(), "latency_ratio") == nullptr);
    QVERIFY(result->baselineMs.empty());
    // One pass says nothing about the spread.
    auto single = options(0.0, 1);
    single.maxIterations = 1;
    const auto one = bench::timeModel(model, nullptr, single, progress, {});
    QVERIFY(one.ok());
    for (const auto& figure : one->measurements) {
        QVERIFY2(!figure.low && !figure.high, figure.key.c_str());
    }
}

/// A pass is over when the slowest is through; what all did is counted.
void TestTiming::companionsAreTimedWithIt() {
    struct Slow : bench::Companions {
        int count() const override { return 2; }
        Status begin(bool isBaseline) override {
            ++(isBaseline ? baseline : model);
            return Done{};
        }
        Status end() override {
            std::this_thread::sleep_for(4ms);
            return model < broken ? Status(Done{}) : Status(makeError(ErrorCode::RankLost, {{"rank", "1"}}));
        }
        int baseline = 0;
        int model = 0;
        int broken = 1'000'000;
    } companions;
    auto model = encoder([] { std::this_thread::sleep_for(2ms); });
    auto original = encoder([] { std::this_thread::sleep_for(2ms); });
    auto both = options(0.0, 20);
    both.companions = &companions;
    Progress progress;
    const auto result = bench::timeModel(model, &original, both, progress, {});
    QVERIFY(result.ok());
    QVERIFY(find(result.value(), "latency_p50_ms")->value >= 6.0);
    const auto mean = find(result.value(), "latency_mean_ms")->value;
    QVERIFY(std::abs(find(result.value(), "throughput_items_per_s")->value - 3.0 * 4000.0 / mean) < 1e-6);
    QVERIFY(companions.baseline > 0 && companions.model >= 20);
    companions.broken = companions.model + 5;
    const auto lost = bench::timeModel(model, nullptr, both, progress, {});
    QVERIFY(!lost.ok() && !lost.cancelled());
    QCOMPARE(lost.error().code, ErrorCode::RankLost);
}

void TestTiming::passesGoOnUntilBothLimitsAreMet() {
    int passes = 0;
    auto model = encoder([&] {
        ++passes;
        std::this_thread::sleep_for(5ms);
    });
    Progress progress;
    const auto byTime = bench::timeModel(model, nullptr, options(0.2, 3), progress, {});
    QVERIFY(byTime.ok());
    double sum = 0.0;
    for (const auto ms : byTime->latenciesMs) {
        sum += ms;
    }
    QVERIFY(sum >= 200.0);
    QCOMPARE(passes, static_cast<int>(byTime->latenciesMs.size()) + 1);   // one to warm up
    auto capped = options(100.0, 5);
    capped.maxIterations = 12;
    QCOMPARE(bench::timeModel(model, nullptr, capped, progress, {})->latenciesMs.size(),
             std::size_t{12});
}

void TestTiming::theBaselineIsInterleavedABBA() {
    std::string order;
    auto model = encoder([&] {
        order += 'B';
        std::this_thread::sleep_for(60ms);
    });
    auto baseline = encoder([&] {
        order += 'A';
        std::this_thread::sleep_for(60ms);
    });
    auto few = options(0.0, 4);
    few.warmups = 1;
    Progress progress;
    const auto result = bench::timeModel(model, &baseline, few, progress, {});
    QVERIFY(result.ok());
    // A pass takes longer than a batch's 50 ms, so a batch is one pass; it is shorter than 200 ms, so
    // each change of model settles with one more: warm B, warm A, then twice A-B-B-A.
    QCOMPARE(QString::fromStdString(order), QStringLiteral("BAAABBBAAABBBAA"));
    QCOMPARE(result->latenciesMs.size(), std::size_t{4});
    QCOMPARE(result->baselineMs.size(), std::size_t{4});
    QCOMPARE(result->details["rounds"].get<int>(), 2);
}

void TestTiming::theRatioIsThatOfTheModels() {
    auto model = encoder([] { std::this_thread::sleep_for(5ms); });
    auto baseline = encoder([] { std::this_thread::sleep_for(10ms); });
    Progress progress;
    const auto result = bench::timeModel(model, &baseline, options(0.3, 20), progress, {});
    QVERIFY(result.ok());
    const auto* ratio = find(result.value(), "latency_ratio");
    QVERIFY(ratio != nullptr);
    QVERIFY2(ratio->value > 0.35 && ratio->value < 0.75, qPrintable(QString::number(ratio->value)));
    QVERIFY(*ratio->low <= ratio->value && ratio->value <= *ratio->high);
    QVERIFY(ratio->n >= 2);
}

void TestTiming::aDecodersTokensAreTimedApart() {
    auto fake = std::make_unique<fakes::FakeDecoder>([](const auto&, std::size_t) { return 1.0F; });
    fake->m_onStep = [](std::size_t tokens) {
        std::this_thread::sleep_for(tokens > 1 ? 20ms : 4ms);
    };
    models::RunnableModel model;
    model.decoder = std::move(fake);
    auto some = options(0.0, 5);
    some.target.batch = 2;
    some.target.prompt = 30;
    some.target.generate = 6;
    Progress progress;
    const auto result = bench::timeModel(model, nullptr, some, progress, {});
    QVERIFY(result.ok());
    QVERIFY(find(result.value(), "throughput_items_per_s") == nullptr);
    const auto first = find(result.value(), "first_token_ms")->value;
    const auto token = find(result.value(), "token_ms")->value;
    QVERIFY(first >= 20.0 && token >= 4.0 && token < first);
    // Rates count the whole batch.
    QVERIFY(std::abs(find(result.value(), "prefill_tokens_per_s")->value * first / 60000.0 - 1.0) < 1e-6);
    QVERIFY(std::abs(find(result.value(), "decode_tokens_per_s")->value * token / 2000.0 - 1.0) < 1e-6);
    QVERIFY(find(result.value(), "latency_p50_ms")->value >= 20.0 + 5 * 4.0);
}

void TestTiming::lengthsBeyondTheModelsPositionsAreRefused() {
    auto model = encoder([] {});
    auto tooLong = options(0.0, 1);
    tooLong.target.sequence = 513;
    Progress progress;
    const auto result = bench::timeModel(model, nullptr, tooLong, progress, {});
    QVERIFY(!result.ok());
    QCOMPARE(result.error().code, ErrorCode::TargetInvalid);
    QVERIFY(result.error().args.at("reason").find("512") != std::string::npos);
}

void TestTiming::cancelEndsIt() {
    std::stop_source stop;
    int passes = 0;
    auto model = encoder([&] {
        if (++passes == 5) {
            stop.request_stop();
        }
    });
    Progress progress;
    const auto result =
        bench::timeModel(model, nullptr, options(60.0, 1000), progress, stop.get_token());
    QVERIFY(result.cancelled());
    QVERIFY(passes <= 6);
}

void TestTiming::warmUpReportsThePeak() {
    int passes = 0;
    auto model = encoder([&] {
        ++passes;
        std::vector<char> much(std::size_t{96} << 20, 'x');
        QVERIFY(much[much.size() / 2] == 'x');
    });
    auto three = options(0.0, 1);
    three.warmups = 3;
    Progress progress;
    const auto result = bench::warmUp(model, three, progress, {});
    QVERIFY(result.ok());
    QCOMPARE(passes, 3);
    QVERIFY(result->peakRssBytes > (std::uint64_t{96} << 20));
}

QTEST_GUILESS_MAIN(TestTiming)
#include "tst_timing.moc"
