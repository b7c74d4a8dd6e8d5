// Adjusting kept weights: against the exact least squares of each row, and what rounds on the way add.
#include <QtTest>

#include <algorithm>
#include <cmath>

#include "engine/compress/prune/least_squares.h"
#include "engine/compress/prune/magnitude.h"
#include "engine/compress/prune/wanda.h"
#include "method_layers.h"

using namespace pareto;
using compress::AdjustOptions;

namespace {

AdjustOptions optionsOf(double ratio, PruneMethod method, int rounds = 0) {
    AdjustOptions out;
    out.pattern.ratio = ratio;
    out.method = method;
    out.rounds = rounds;
    return out;
}

/// The least squares of a row with the zeros that it has: Gaussian elimination in fp64 on the kept columns of H.
std::vector<double> exactRow(const test::MethodLayer& layer, const std::vector<float>& pruned, std::int64_t row) {
    std::vector<std::int64_t> kept;
    for (std::int64_t col = 0; col < layer.cols; ++col) {
        if (pruned[static_cast<std::size_t>(row * layer.cols + col)] != 0.0F) {
            kept.push_back(col);
        }
    }
    const auto h = [&](std::int64_t a, std::int64_t b) {
        return static_cast<double>(layer.statistics.hessian[static_cast<std::size_t>(a * layer.cols + b)]);
    };
    const std::size_t n = kept.size();
    std::vector<std::vector<double>> system(n, std::vector<double>(n + 1, 0.0));
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            system[i][j] = h(kept[i], kept[j]);
        }
        for (std::int64_t col = 0; col < layer.cols; ++col) {
            system[i][n] += h(kept[i], col) * layer.values[static_cast<std::size_t>(row * layer.cols + col)];
        }
    }
    for (std::size_t i = 0; i < n; ++i) {
        std::size_t best = i;
        for (std::size_t j = i + 1; j < n; ++j) {
            best = std::fabs(system[j][i]) > std::fabs(system[best][i]) ? j : best;
        }
        std::swap(system[i], system[best]);
        for (std::size_t j = 0; j < n; ++j) {
            const double factor = j == i ? 0.0 : system[j][i] / system[i][i];
            for (std::size_t k = i; factor != 0.0 && k <= n; ++k) {
                system[j][k] -= factor * system[i][k];
            }
        }
    }
    std::vector<double> out(static_cast<std::size_t>(layer.cols), 0.0);
    for (std::size_t i = 0; i < n; ++i) {
        out[static_cast<std::size_t>(kept[i])] = system[i][n] / system[i][i];
    }
    return out;
}

}  // namespace

class TestLeastSquares : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void comesToTheExactSolution_data() {
        QTest::addColumn<PruneMethod>("method");
        QTest::newRow("magnitude") << PruneMethod::Magnitude;
        QTest::newRow("Wanda") << PruneMethod::Wanda;
    }
    /// Zeros are those that the method alone would choose; with many iterations the others are the exact solution, with
    /// the usual number their error is near its.
    void comesToTheExactSolution() {
        QFETCH(PruneMethod, method);
        const auto layer = test::correlatedLayer(24, 40, 5);
        auto options = optionsOf(0.5, method);
        const auto plain = method == PruneMethod::Magnitude
                               ? Result<Tensor>(compress::pruneMagnitude(layer.weight(), options.pattern))
                               : compress::pruneWanda(layer.weight(), options.pattern, layer.statistics, {});
        QVERIFY(plain.ok());
        const auto before = dequantize(plain.value());
        std::vector<float> exact;
        for (std::int64_t row = 0; row < layer.rows; ++row) {
            for (const double value : exactRow(layer, before, row)) {
                exact.push_back(static_cast<float>(value));
            }
        }
        const double least = test::errorOf(layer, denseTensor(Shape{layer.rows, layer.cols}, exact));
        const double chosen = test::errorOf(layer, plain.value());
        const auto usual = compress::pruneAdjusted(layer.weight(), options, layer.statistics, {});
        QVERIFY2(usual.ok(), test::failureOf(usual).c_str());
        const auto now = dequantize(usual.value());
        for (std::size_t i = 0; i < now.size(); ++i) {
            QCOMPARE(now[i] == 0.0F, before[i] == 0.0F);
        }
        const double adjusted = test::errorOf(layer, usual.value());
        QVERIFY2(adjusted - least < 0.25 * (chosen - least),
                 qPrintable(QStringLiteral("%1 between %2 and %3").arg(adjusted).arg(least).arg(chosen)));
        options.iterations = 3000;
        options.damping = 1e-6;
        const auto settled = compress::pruneAdjusted(layer.weight(), options, layer.statistics, {});
        QVERIFY(settled.ok());
        const double end = test::errorOf(layer, settled.value());
        QVERIFY2(end - least < 0.01 * (chosen - least), qPrintable(QStringLiteral("%1, at least %2").arg(end).arg(least)));
    }

    /// Choosing anew on the way finds better zeros than all at once.
    void roundsOnTheWayHelp() {
        double atOnce = 0.0;
        double inRounds = 0.0;
        for (std::uint64_t seed = 0; seed < 5; ++seed) {
            const auto layer = test::correlatedLayer(32, 64, seed);
            for (const int rounds : {0, 10}) {
                const auto found =
                    compress::pruneAdjusted(layer.weight(), optionsOf(0.7, PruneMethod::Wanda, rounds), layer.statistics, {});
                QVERIFY(found.ok());
                const auto values = dequantize(found.value());
                const auto zeros = std::count(values.begin(), values.end(), 0.0F);
                QCOMPARE(zeros, 32 * 44);  // floor(0.7 · 64) of each row
                (rounds == 0 ? atOnce : inRounds) += test::errorOf(layer, found.value());
            }
        }
        QVERIFY2(inRounds < atOnce, qPrintable(QStringLiteral("%1, at once %2").arg(inRounds).arg(atOnce)));
    }

    void patternsAreKept() {
        const auto layer = test::correlatedLayer(16, 32, 3);
        auto options = optionsOf(0.5, PruneMethod::Magnitude);
        options.pattern.keepOf = 2;
        options.pattern.groupOf = 4;
        const auto grouped = compress::pruneAdjusted(layer.weight(), options, layer.statistics, {});
        QVERIFY(grouped.ok());
        const auto values = dequantize(grouped.value());
        for (std::size_t i = 0; i < values.size(); i += 4) {
            QCOMPARE(std::count(values.begin() + static_cast<std::ptrdiff_t>(i), values.begin() + static_cast<std::ptrdiff_t>(i) + 4, 0.0F), 2);
        }
    }

    void threadsChangeNothing() {
        const auto layer = test::correlatedLayer(40, 48, 7);
        const auto options = optionsOf(0.6, PruneMethod::Magnitude, 3);
        compress::LayerContext pieces;
        pieces.parallel = test::inPieces;
        const auto one = compress::pruneAdjusted(layer.weight(), options, layer.statistics, {});
        const auto many = compress::pruneAdjusted(layer.weight(), options, layer.statistics, pieces);
        QVERIFY(one.ok() && many.ok());
        QVERIFY(test::sameBytes(one.value(), many.value()));
    }

    void missingStatisticsAreRefused() {
        const auto layer = test::correlatedLayer(8, 16, 1);
        auto statistics = layer.statistics;
        statistics.hessian.clear();
        const auto found = compress::pruneAdjusted(layer.weight(), optionsOf(0.5, PruneMethod::Magnitude), statistics, {});
        QVERIFY(!found.ok() && !found.cancelled());
        std::stop_source stop;
        stop.request_stop();
        compress::LayerContext stopped;
        stopped.stop = stop.get_token();
        QVERIFY(compress::pruneAdjusted(layer.weight(), optionsOf(0.5, PruneMethod::Magnitude), layer.statistics, stopped).cancelled());
    }
};

QTEST_GUILESS_MAIN(TestLeastSquares)
#include "tst_least_squares.moc"
