#include <limits>

#include <QLocale>
#include <QTest>

#include "widgets/support/number_format.h"

using namespace pareto;
using namespace pareto::widgets;

class TestNumberFormat : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() { QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates)); }
    void everyMetricHasAText();
    void unitsAsShown();
    void intervals();
    void negativeAndMissing();
    void germanNumbers();
    void deltas();
    void sizesAndDurations();
};

namespace {

const MetricInfo& metric(const char* key) {
    return *findMetric(key);
}

QString plain(QString text) {
    return text.replace(QChar(u'\x00a0'), QChar(u' '));
}

}  // namespace

void TestNumberFormat::everyMetricHasAText() {
    for (const auto& info : metricCatalogue()) {
        QCOMPARE(metricText(info).toStdString(), std::string(info.english));
    }
}

void TestNumberFormat::unitsAsShown() {
    QCOMPARE(plain(formatMetric(metric("accuracy"), 0.694)), QStringLiteral("69.40 %"));
    QCOMPARE(plain(formatMetric(metric("model_bytes"), 31'400'000)), QStringLiteral("31.4 MB"));
    QCOMPARE(plain(formatMetric(metric("latency_p50_ms"), 8.1)), QStringLiteral("8.10 ms"));
    QCOMPARE(plain(formatMetric(metric("parameters"), 22'713'216)), QStringLiteral("22.7 M"));
    QCOMPARE(metricTextWithUnit(metric("latency_p50_ms")), QStringLiteral("Latency p50, ms"));
    QCOMPARE(metricTextWithUnit(metric("perplexity")), QStringLiteral("Perplexity"));
}

void TestNumberFormat::intervals() {
    QCOMPARE(plain(formatInterval(metric("latency_p50_ms"), {8.1, 8.0, 8.2, true})),
             QStringLiteral("8.10 ms ± 0.10"));
    QCOMPARE(plain(formatInterval(metric("accuracy"), {0.694, 0.60, 0.739, true})),
             QStringLiteral("69.40 % (60.00…73.90)"));
    const double none = std::numeric_limits<double>::quiet_NaN();
    QCOMPARE(plain(formatInterval(metric("model_bytes"), {9e6, none, none, true})),
             QStringLiteral("9.0 MB"));
    QCOMPARE(formatPlusMinus(metric("accuracy"), {0.694, 0.60, 0.739, false}),
             QStringLiteral("69.40 ± 9.40"));
}

void TestNumberFormat::negativeAndMissing() {
    QCOMPARE(formatNumber(-1.5, 1), QStringLiteral("−1.5"));
    QCOMPARE(formatNumber(std::numeric_limits<double>::quiet_NaN(), 1), QStringLiteral("–"));
    QCOMPARE(formatMetric(metric("accuracy"), std::numeric_limits<double>::infinity()),
             QStringLiteral("–"));
}

void TestNumberFormat::germanNumbers() {
    QLocale::setDefault(QLocale(QLocale::German, QLocale::Germany));
    QCOMPARE(formatNumber(1234.5, 1), QStringLiteral("1.234,5"));
    QCOMPARE(plain(formatDeltaPercent(-0.582)), QStringLiteral("−58,2 %"));
}

void TestNumberFormat::deltas() {
    QCOMPARE(plain(formatDeltaPercent(0.034)), QStringLiteral("+3.4 %"));
    QCOMPARE(plain(formatDeltaPercent(-0.5)), QStringLiteral("−50.0 %"));
    QCOMPARE(plain(formatDeltaPercent(-0.0001)), QStringLiteral("±0.0 %"));
    QCOMPARE(formatDeltaPercent(std::numeric_limits<double>::quiet_NaN()), QStringLiteral("–"));
}

void TestNumberFormat::sizesAndDurations() {
    QCOMPARE(plain(formatBytes(999)), QStringLiteral("1.0 kB"));
    QCOMPARE(plain(formatBytes(31'400'000)), QStringLiteral("31.4 MB"));
    QCOMPARE(plain(formatBytes(1'900'000'000)), QStringLiteral("1.90 GB"));
    QCOMPARE(plain(formatCount(14'100'000)), QStringLiteral("14.1 M"));
    QCOMPARE(formatDuration(12'400), QStringLiteral("12 s"));
    QCOMPARE(formatDuration(200'000), QStringLiteral("3 min 20 s"));
    QCOMPARE(formatDuration(3'900'000), QStringLiteral("1 h 5 min"));
}

QTEST_MAIN(TestNumberFormat)
#include "tst_number_format.moc"
