#include <algorithm>
#include <cmath>
#include <limits>

#include <QtTest>

#include "engine/core/random.h"
#include "engine/stats/stats.h"

using namespace pareto;
using namespace pareto::stats;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool close(double a, double b, double tolerance = 1e-12) {
    return std::abs(a - b) <= tolerance * std::max(1.0, std::abs(b));
}

std::vector<double> normals(RandomStream& random, int n, double mean = 0.0, double deviation = 1.0) {
    std::vector<double> values;
    for (int i = 0; i < n; ++i) {
        values.push_back(mean + deviation * random.normal());
    }
    return values;
}

/// What paretoFront's contract says, by comparing every pair.
std::vector<std::size_t> slowFront(const std::vector<Point>& points, bool lowerX, bool lowerY) {
    const auto better = [](double a, double b, bool lower) { return lower ? a < b : a > b; };
    std::vector<std::size_t> front;
    for (std::size_t i = 0; i < points.size(); ++i) {
        bool beaten = std::isnan(points[i].x) || std::isnan(points[i].y);
        for (const auto& other : points) {
            if (std::isnan(other.x) || std::isnan(other.y)) {
                continue;
            }
            const bool worse = better(points[i].x, other.x, lowerX) || better(points[i].y, other.y, lowerY);
            const bool once = better(other.x, points[i].x, lowerX) || better(other.y, points[i].y, lowerY);
            beaten = beaten || (!worse && once);
        }
        if (!beaten) {
            front.push_back(i);
        }
    }
    return front;
}

}  // namespace

class TestStats : public QObject {
    Q_OBJECT
private Q_SLOTS:
    // numpy 2.x: mean, std(ddof=1), quantile of [3, 1, 4, 1, 5, 9, 2, 6]
    void summaryMatchesNumpy() {
        const std::vector<double> values{3, 1, 4, 1, 5, 9, 2, 6};
        QVERIFY(close(mean(values), 3.875));
        QVERIFY(close(standardDeviation(values), 2.7483761439387144));
        QVERIFY(close(median(values), 3.5));
        QVERIFY(close(quantile(values, 0.9), 6.9));
        QVERIFY(close(quantile(values, 0.99), 8.79));
        QVERIFY(close(quantile(values, 0.0), 1.0));
        QVERIFY(close(quantile(values, 1.0), 9.0));
    }

    void edgesOfSamples() {
        QVERIFY(std::isnan(mean({})));
        QVERIFY(std::isnan(median({})));
        const std::vector<double> one{2.5};
        QCOMPARE(median(one), 2.5);
        QVERIFY(std::isnan(standardDeviation(one)));
        const auto interval = bootstrapMean(one);
        QCOMPARE(interval.low, 2.5);
        QCOMPARE(interval.high, 2.5);
        const std::vector<double> withNaN{1.0, kNaN};
        QVERIFY(std::isnan(median(withNaN)));
        const std::vector<double> infinite{1.0, kInfinity, kInfinity};
        QCOMPARE(median(infinite), kInfinity);
    }

    void wilsonMatchesStatsmodels() {
        // statsmodels' proportion_confint(k, n, method="wilson").
        const auto some = wilsonInterval(8, 10);
        QVERIFY(std::abs(some.low - 0.4901624715) < 1e-9);
        QVERIFY(std::abs(some.high - 0.9433178485) < 1e-9);
        const auto one = wilsonInterval(1, 1);
        QVERIFY(std::abs(one.low - 0.2065493143) < 1e-9);
        QCOMPARE(one.high, 1.0);
        const auto none = wilsonInterval(0, 20);
        QCOMPARE(none.low, 0.0);
        QVERIFY(std::abs(none.high - 0.1611251580) < 1e-9);
        QCOMPARE(wilsonInterval(0, 0).high, 1.0);
    }

    void bootstrapIsReproducibleAndCoversTheMean() {
        RandomStream random(11, "coverage");
        int covered = 0;
        constexpr int kTrials = 300;
        for (int trial = 0; trial < kTrials; ++trial) {
            const auto sample = normals(random, 60, 10.0, 2.0);
            const BootstrapOptions options{.resamples = 400, .seed = static_cast<std::uint64_t>(trial)};
            const auto interval = bootstrapMean(sample, options);
            const auto again = bootstrapMean(sample, options);
            QCOMPARE(interval.low, again.low);
            QCOMPARE(interval.high, again.high);
            covered += interval.low <= 10.0 && 10.0 <= interval.high ? 1 : 0;
        }
        // Nominal 95 %: ± 4 standard deviations of a binomial of 300, and the percentile method's
        // known small loss at n = 60.
        QVERIFY2(covered >= 268 && covered <= 299, qPrintable(QString::number(covered)));
    }

    void generalBootstrapAgreesWithTheMean() {
        RandomStream random(12, "general");
        const auto sample = normals(random, 40);
        const auto fast = bootstrapMean(sample, {.resamples = 500, .seed = 3});
        const auto general = bootstrap(
            sample, [](std::span<const double> s) { return mean(s); }, {.resamples = 500, .seed = 3});
        QVERIFY(close(fast.low, general.low, 1e-9));
        QVERIFY(close(fast.high, general.high, 1e-9));
    }

    void equalRunsAreNotCalledDifferent() {
        RandomStream random(13, "a/a");
        int quietDifference = 0;
        int quietRatio = 0;
        for (int trial = 0; trial < 200; ++trial) {
            std::vector<double> a;
            std::vector<double> b;
            for (int round = 0; round < 40; ++round) {
                const double shared = 20.0 + random.normal();  // what both share in a round: drift
                a.push_back(shared + 0.3 * std::exp(random.normal()));
                b.push_back(shared + 0.3 * std::exp(random.normal()));
            }
            const BootstrapOptions options{.resamples = 500, .seed = static_cast<std::uint64_t>(trial)};
            quietDifference += pairedDifference(a, b, options).significant ? 0 : 1;
            quietRatio += pairedRatio(a, b, options).significant ? 0 : 1;
        }
        QVERIFY2(quietDifference >= 182, qPrintable(QString::number(quietDifference)));
        QVERIFY2(quietRatio >= 182, qPrintable(QString::number(quietRatio)));
    }

    void realDifferencesAreSeen() {
        RandomStream random(14, "a/b");
        std::vector<double> a;
        std::vector<double> b;
        for (int round = 0; round < 40; ++round) {
            const double shared = 20.0 + random.normal();
            a.push_back(shared + 0.1 * random.normal());
            b.push_back(0.8 * shared + 0.1 * random.normal());
        }
        const auto ratio = pairedRatio(a, b);
        QVERIFY(ratio.significant);
        QVERIFY(close(ratio.difference, 0.8, 0.02));
        QVERIFY(ratio.interval.low <= ratio.difference && ratio.difference <= ratio.interval.high);
        const auto difference = pairedDifference(a, b);
        QVERIFY(difference.significant);
        QVERIFY(difference.difference < -3.5 && difference.difference > -4.5);
        QVERIFY(difference.n == 40);
    }

    // scipy 1.17 stats.binomtest(min, n, 0.5).pvalue
    void mcnemarMatchesTheBinomialTest() {
        QCOMPARE(mcnemar(0, 0), 1.0);
        QCOMPARE(mcnemar(5, 5), 1.0);
        QVERIFY(close(mcnemar(1, 9), 0.021484375));
        QVERIFY(close(mcnemar(9, 1), 0.021484375));
        QVERIFY(close(mcnemar(0, 6), 0.03125));
        QVERIFY(close(mcnemar(10, 30), 0.0022214337732293643, 1e-9));
        QVERIFY(mcnemar(100000, 100000) <= 1.0);
    }

    // scipy stats.spearmanr
    void spearmanMatchesScipy() {
        const std::vector<double> a{1, 2, 3, 4, 5};
        const std::vector<double> b{5, 6, 7, 8, 7};
        QVERIFY(close(spearman(a, b), 0.8207826816681233, 1e-12));
        const std::vector<double> reversed{5, 4, 3, 2, 1};
        QVERIFY(close(spearman(a, reversed), -1.0));
        const std::vector<double> constant{2, 2, 2, 2, 2};
        QVERIFY(std::isnan(spearman(a, constant)));
        const std::vector<double> withNaN{1, 2, kNaN, 4, 5};
        QVERIFY(std::isnan(spearman(a, withNaN)));
    }

    void frontMatchesTheSlowOne() {
        RandomStream random(15, "front");
        for (int trial = 0; trial < 200; ++trial) {
            std::vector<Point> points;
            const auto n = random.below(40);
            for (std::uint64_t i = 0; i < n; ++i) {
                // A coarse grid makes ties and equal points common.
                Point point{static_cast<double>(random.below(8)), static_cast<double>(random.below(8))};
                if (random.below(10) == 0) {
                    point.y = kNaN;
                }
                points.push_back(point);
            }
            for (const bool lowerX : {true, false}) {
                for (const bool lowerY : {true, false}) {
                    auto front = paretoFront(points, lowerX, lowerY);
                    for (std::size_t i = 1; i < front.size(); ++i) {
                        QVERIFY(points[front[i - 1]].x <= points[front[i]].x);
                    }
                    std::sort(front.begin(), front.end());
                    QCOMPARE(front, slowFront(points, lowerX, lowerY));
                }
            }
        }
    }

    void frontOfManyPointsIsFast() {
        RandomStream random(16, "large front");
        std::vector<Point> points;
        for (int i = 0; i < 100000; ++i) {
            points.push_back({random.uniform(), random.uniform()});
        }
        QElapsedTimer timer;
        timer.start();
        const auto front = paretoFront(points, true, true);
        QVERIFY(!front.empty());
        QVERIFY2(timer.elapsed() < 1000, qPrintable(QString::number(timer.elapsed())));
    }
};

QTEST_GUILESS_MAIN(TestStats)
#include "tst_stats.moc"
