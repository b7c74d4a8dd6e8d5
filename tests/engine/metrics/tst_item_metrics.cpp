// One table says how figures follow from items: values, intervals and comparisons of two runs.

#include <cmath>

#include <QTest>

#include "engine/core/random.h"
#include "engine/metrics/bleu.h"
#include "engine/metrics/chrf.h"
#include "engine/metrics/item_metrics.h"
#include "engine/records/metrics.h"

using namespace pareto;

namespace {

using Items = std::vector<ItemResult>;

/// Labels and predictions of three classes; `right` of ten are right.
Items classified(int n, int right) {
    Items items;
    for (int i = 0; i < n; ++i) {
        const int label = i % 3;
        const int predicted = i % 10 < right ? label : (label + 1) % 3;
        items.push_back({i, label == predicted ? 1.0 : 0.0, predicted, {}, {static_cast<double>(label)}});
    }
    return items;
}

Items windows(double loss) {
    Items items;
    for (int i = 0; i < 40; ++i) {
        const double tokens = 10.0 + i;
        const double nats = tokens * (loss + 0.1 * (i % 5));
        items.push_back({i, nats / tokens, -1, {}, {nats, tokens}});
    }
    return items;
}

}  // namespace

class TestItemMetrics : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everyTaskMetricIsKnown();
    void sharesAreComparedByMcNemar();
    void classesAreResampledTogether();
    void sumsGivePerplexity();
    void runsWithoutPartsStillCompare();
    void correlations();
    void otherItemsAreNotCompared();
    void fewItemsClaimNothing();
};

void TestItemMetrics::everyTaskMetricIsKnown() {
    int known = 0;
    for (const auto& metric : metricCatalogue()) {
        known += metrics::isItemMetric(metric.key) ? 1 : 0;
    }
    QCOMPARE(known, 24);
    QVERIFY(!metrics::isItemMetric("latency_p50_ms"));
    QVERIFY(!metrics::isItemMetric("fidelity_spearman"));
}

void TestItemMetrics::sharesAreComparedByMcNemar() {
    const auto worse = classified(200, 6);
    const auto better = classified(200, 9);
    const auto accuracy = metrics::measureItems("accuracy", better);
    QCOMPARE(accuracy.value, 0.9);
    QCOMPARE(*accuracy.low, stats::wilsonInterval(180, 200).low);
    const auto comparison = metrics::compareItems("accuracy", worse, better);
    QVERIFY(comparison && comparison->significant);
    QCOMPARE(std::string(comparison->test), std::string("McNemar"));
    QCOMPARE(*comparison->pValue, stats::mcnemar(0, 60));
    QVERIFY(std::abs(comparison->difference - 0.3) < 1e-12);
    const auto same = metrics::compareItems("accuracy", worse, worse);
    QVERIFY(same && !same->significant && *same->pValue == 1.0);
}

void TestItemMetrics::classesAreResampledTogether() {
    const auto worse = classified(300, 6);
    const auto better = classified(300, 8);
    for (const char* key : {"f1_macro", "mcc"}) {
        const auto measurement = metrics::measureItems(key, better);
        QVERIFY(*measurement.low < measurement.value && measurement.value < *measurement.high);
        const auto comparison = metrics::compareItems(key, worse, better, {.resamples = 300});
        QVERIFY(comparison && comparison->significant);
        QVERIFY(comparison->interval.low < comparison->difference && comparison->difference < comparison->interval.high);
        QCOMPARE(comparison->difference, measurement.value - metrics::measureItems(key, worse).value);
    }
}

void TestItemMetrics::sumsGivePerplexity() {
    const auto a = windows(2.0);
    const auto b = windows(2.02);
    double nats = 0.0;
    double tokens = 0.0;
    for (const auto& item : a) {
        nats += item.parts[0];
        tokens += item.parts[1];
    }
    QCOMPARE(metrics::measureItems("perplexity", a).value, std::exp(nats / tokens));
    const auto comparison = metrics::compareItems("perplexity", a, b);
    // Each window is worse by the same factor: certain, however much windows differ.
    QVERIFY(comparison && comparison->significant);
    QVERIFY(comparison->interval.low > 0.0);
}

void TestItemMetrics::runsWithoutPartsStillCompare() {
    auto a = windows(2.0);
    auto b = windows(2.02);
    for (auto* items : {&a, &b}) {
        for (auto& item : *items) {
            item.parts.clear();
        }
    }
    const auto comparison = metrics::compareItems("perplexity", a, b);
    QVERIFY(comparison && comparison->significant);
    QVERIFY(!metrics::compareItems("bleu", a, b));
    QVERIFY(std::isnan(metrics::measureItems("bleu", a).value));
}

void TestItemMetrics::correlations() {
    RandomStream random(3, "pairs");
    Items a;
    Items b;
    for (int i = 0; i < 120; ++i) {
        const double score = random.uniform();
        const double close = score + 0.1 * random.normal();
        const double far = score + 0.6 * random.normal();
        a.push_back({i, close, -1, {}, {close, score}});
        b.push_back({i, far, -1, {}, {far, score}});
    }
    const auto value = metrics::measureItems("similarity_spearman", a);
    QVERIFY(value.value > 0.9 && *value.low < value.value && value.value < *value.high);
    const auto comparison = metrics::compareItems("similarity_spearman", a, b);
    QVERIFY(comparison && comparison->significant && comparison->difference < -0.2);
    QCOMPARE(metrics::measureItems("similarity_pearson", a).n, 120);
}

void TestItemMetrics::otherItemsAreNotCompared() {
    const auto a = classified(20, 5);
    auto b = classified(20, 5);
    std::reverse(b.begin(), b.end());
    QVERIFY(metrics::compareItems("accuracy", a, b));  // the order does not matter
    b.front().item = 77;
    QVERIFY(!metrics::compareItems("accuracy", a, b));
    b.pop_back();
    QVERIFY(!metrics::compareItems("accuracy", a, b));
    QVERIFY(!metrics::compareItems("latency_p50_ms", a, a));
    auto broken = classified(20, 5);
    broken[3].score = std::nan("");
    QVERIFY(!metrics::compareItems("accuracy", a, broken));
}

void TestItemMetrics::fewItemsClaimNothing() {
    const auto one = metrics::measureItems("perplexity", windows(2.0).front().parts.empty() ? Items{} : Items{windows(2.0).front()});
    QVERIFY(std::isfinite(one.value) && !one.low && !one.high);
    const auto allRight = metrics::measureItems("f1_macro", classified(6, 10));
    QCOMPARE(allRight.value, 1.0);
    QVERIFY(!allRight.low);
    QVERIFY(metrics::measureItems("accuracy", classified(6, 10)).low.has_value());
    QVERIFY(std::isnan(metrics::measureItems("accuracy", {}).value));
    QVERIFY(!metrics::compareItems("accuracy", classified(1, 5), classified(1, 5)));
}

QTEST_GUILESS_MAIN(TestItemMetrics)
#include "tst_item_metrics.moc"
