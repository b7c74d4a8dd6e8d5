// Pruning while training: which values fall at each step, what scores learn from, and that a state comes back as it was.
#include <QtTest>

#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/count_nonzero.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/sin.h>

#include "engine/train/sparsify.h"

using namespace pareto;
using train::Sparsifier;

namespace {

constexpr std::int64_t kSteps = 100;

at::Tensor some(std::int64_t rows, std::int64_t cols, double from) {
    return at::sin(at::arange(rows * cols, at::TensorOptions().dtype(at::kFloat)) * 1.7 + from).reshape({rows, cols});
}

LayerPlan planOf(PruneMethod method, double ratio, int tileRows = 1, int tileCols = 1) {
    LayerPlan out;
    out.method = method;
    out.sparsity = ratio;
    out.tileRows = tileRows;
    out.tileCols = tileCols;
    return out;
}

SparsifySpec between(double begin, double end) {
    SparsifySpec out;
    out.begin = begin;
    out.end = end;
    return out;
}

std::int64_t zerosIn(const at::Tensor& values) {
    return values.numel() - at::count_nonzero(values).item<std::int64_t>();
}

double at2(const at::Tensor& values, std::int64_t row, std::int64_t col) { return values[row][col].item<double>(); }

bool same(const at::Tensor& a, const at::Tensor& b) { return (a == b).all().item<bool>(); }

}  // namespace

class TestSparsify : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theScheduleIsCubic();
    void gradualTakesTheSmallest();
    void gradualTakesWholeTiles();
    void gradualKeepsOfGroups();
    void scoresLearnFromMovement_data();
    void scoresLearnFromMovement();
    void movementKeepsTheHighestScores();
    void softMovementReachesTheRatio();
    void proximalStepsAreSoftThresholds_data();
    void proximalStepsAreSoftThresholds();
    void untilTheEndZerosOfPenaltiesMayComeBack();
    void aStateComesBack();
};

void TestSparsify::theScheduleIsCubic() {
    const auto spec = between(0.2, 0.6);
    QCOMPARE(sparsityAt(spec, 0.8, 0, kSteps), 0.0);
    QCOMPARE(sparsityAt(spec, 0.8, 20, kSteps), 0.0);
    // A quarter and half of the way, by hand: 1 − 0.75³, 1 − 0.5³.
    QVERIFY(std::fabs(sparsityAt(spec, 0.8, 30, kSteps) - 0.8 * 0.578125) < 1e-12);
    QVERIFY(std::fabs(sparsityAt(spec, 0.8, 40, kSteps) - 0.8 * 0.875) < 1e-12);
    QCOMPARE(sparsityAt(spec, 0.8, 60, kSteps), 0.8);
    QCOMPARE(sparsityAt(spec, 0.8, 100, kSteps), 0.8);
    // Begin and end together: all at once.
    QCOMPARE(sparsityAt(between(0.5, 0.5), 0.8, 49, kSteps), 0.0);
    QCOMPARE(sparsityAt(between(0.5, 0.5), 0.8, 50, kSteps), 0.8);
}

void TestSparsify::gradualTakesTheSmallest() {
    const auto spec = between(0.1, 0.5);
    at::Tensor values = some(8, 10, 0.3);
    const at::Tensor first = values.clone();
    Sparsifier sparsifier(spec, kSteps);
    sparsifier.add("a", values, planOf(PruneMethod::Gradual, 0.7));
    for (std::int64_t step = 1; step <= kSteps; ++step) {
        sparsifier.choose(step);
        const auto wanted = static_cast<std::int64_t>(sparsityAt(spec, 0.7, step, kSteps) * 80.0);
        QCOMPARE(zerosIn(values), step < 10 ? 0 : wanted);
        QCOMPARE(sparsifier.isComplete(), step >= 50);
    }
    // The 56 smallest magnitudes of all are gone, the others are as they were.
    std::vector<float> sizes(80);
    for (std::int64_t i = 0; i < 80; ++i) {
        sizes[static_cast<std::size_t>(i)] = std::fabs(first.const_data_ptr<float>()[i]);
    }
    std::sort(sizes.begin(), sizes.end());
    for (std::int64_t i = 0; i < 80; ++i) {
        const float was = first.const_data_ptr<float>()[i];
        QCOMPARE(values.const_data_ptr<float>()[i], std::fabs(was) >= sizes[56] ? was : 0.0F);
    }
    QVERIFY(std::fabs(sparsifier.sparsity() - 0.7) < 1e-9);
}

void TestSparsify::gradualTakesWholeTiles() {
    at::Tensor values = some(6, 10, 0.3);  // tiles reach beyond both ends
    Sparsifier sparsifier(between(0.0, 0.5), kSteps);
    sparsifier.add("a", values, planOf(PruneMethod::Gradual, 0.5, 4, 4));
    sparsifier.choose(kSteps);
    std::int64_t gone = 0;
    for (std::int64_t row = 0; row < 6; row += 4) {
        for (std::int64_t col = 0; col < 10; col += 4) {
            const at::Tensor tile = values.slice(0, row, row + 4).slice(1, col, col + 4);
            const auto zeros = zerosIn(tile);
            QVERIFY(zeros == 0 || zeros == tile.numel());
            gone += zeros > 0 ? 1 : 0;
        }
    }
    QCOMPARE(gone, 3);  // of 2 × 3
}

void TestSparsify::gradualKeepsOfGroups() {
    at::Tensor values = some(4, 16, 0.3);
    auto plan = planOf(PruneMethod::Gradual, 0.5);
    plan.keepOf = 2;
    plan.groupOf = 4;
    Sparsifier sparsifier(between(0.0, 0.5), kSteps);
    sparsifier.add("a", values, plan);
    std::int64_t before = 0;
    for (std::int64_t step = 1; step <= kSteps; ++step) {
        sparsifier.choose(step);
        QVERIFY(zerosIn(values) >= before);
        before = zerosIn(values);
    }
    for (std::int64_t row = 0; row < 4; ++row) {
        for (std::int64_t col = 0; col < 16; col += 4) {
            QCOMPARE(zerosIn(values[row].slice(0, col, col + 4)), 2);
        }
    }
}

void TestSparsify::scoresLearnFromMovement_data() {
    QTest::addColumn<int>("tile");
    QTest::newRow("values") << 1;
    QTest::newRow("tiles") << 4;
}

/// ∂L/∂S = Σ over the tile of ∂L/∂(W ⊙ M) · W, ∂L/∂W = ∂L/∂(W ⊙ M) ⊙ M.
void TestSparsify::scoresLearnFromMovement() {
    QFETCH(int, tile);
    at::Tensor values = some(6, 8, 0.1).requires_grad_(true);
    const at::Tensor by = some(6, 8, 2.0);
    Sparsifier sparsifier(between(0.0, 0.5), kSteps);
    sparsifier.add("a", values, planOf(PruneMethod::Movement, 0.5, tile, tile));
    at::Tensor scores = sparsifier.scores().at("prune.a.scores");
    {
        const at::NoGradGuard noGradients;
        scores.copy_(some(scores.size(0), scores.size(1), 0.7));
        sparsifier.choose(20);
    }
    const at::Tensor acts = sparsifier.act("a", values);
    const at::Tensor mask = sparsifier.state().at("prune.a.mask");
    QVERIFY(zerosIn(mask) > 0);
    QVERIFY(same(acts.detach(), (values * mask).detach()));
    (acts * by).sum().backward();
    for (std::int64_t row = 0; row < scores.size(0); ++row) {
        for (std::int64_t col = 0; col < scores.size(1); ++col) {
            double expected = 0.0;
            for (std::int64_t r = row * tile; r < std::min<std::int64_t>(6, (row + 1) * tile); ++r) {
                for (std::int64_t c = col * tile; c < (col + 1) * tile; ++c) {
                    expected += at2(by, r, c) * at2(values, r, c);
                }
            }
            QVERIFY(std::fabs(at2(scores.grad(), row, col) - expected) < 1e-5);
        }
    }
    QVERIFY(same(values.grad(), by * mask));
}

void TestSparsify::movementKeepsTheHighestScores() {
    at::Tensor values = some(5, 8, 0.1);
    const at::Tensor first = values.clone();
    Sparsifier sparsifier(between(0.0, 0.5), kSteps);
    sparsifier.add("a", values, planOf(PruneMethod::Movement, 0.5));
    at::Tensor scores = sparsifier.scores().at("prune.a.scores");
    {
        const at::NoGradGuard noGradients;
        scores.copy_(some(5, 8, 0.7) - 1.0);  // negative ones too
    }
    sparsifier.choose(10);
    QVERIFY(same(values, first));  // until the end they only act as zeros
    QVERIFY(zerosIn(sparsifier.pruned("a", values)) > 0);
    sparsifier.choose(50);
    QCOMPARE(zerosIn(values), 20);
    const double least = (scores.detach() * (values != 0) + 100.0 * (values == 0)).min().item<double>();
    const double most = (scores.detach() * (values == 0) - 100.0 * (values != 0)).max().item<double>();
    QVERIFY(least > most);
}

/// Scores that a loss pulls each towards a number of its own, against the penalty: the share comes near the schedule's,
/// and in the end it is the recipe's over both layers together.
void TestSparsify::softMovementReachesTheRatio() {
    constexpr std::int64_t kLong = 2000;
    at::Tensor a = some(20, 20, 0.1);
    at::Tensor b = some(20, 40, 1.1);
    const auto spec = between(0.0, 0.9);
    Sparsifier sparsifier(spec, kLong);
    sparsifier.add("a", a, planOf(PruneMethod::SoftMovement, 0.6));
    sparsifier.add("b", b, planOf(PruneMethod::SoftMovement, 0.6));
    const at::Tensor wishes = some(20, 20, 0.9) + 0.5;
    const at::Tensor others = some(20, 40, 0.2) * 0.5;
    double nearest = 1.0;
    for (std::int64_t step = 1; step < 1800; ++step) {
        at::Tensor sa = sparsifier.scores().at("prune.a.scores");
        at::Tensor sb = sparsifier.scores().at("prune.b.scores");
        sa.mutable_grad() = at::Tensor();
        sb.mutable_grad() = at::Tensor();
        at::Tensor loss = ((sa - wishes).square().sum() + (sb - others).square().sum()) * 1e-3;
        if (const at::Tensor penalty = sparsifier.penalty(); penalty.defined()) {
            loss = loss + penalty;
        }
        loss.backward();
        {
            const at::NoGradGuard noGradients;
            sa.sub_(sa.grad().sign() * 0.02);  // as Adam's first steps are
            sb.sub_(sb.grad().sign() * 0.02);
        }
        sparsifier.choose(step);
        if (step > 1200) {
            nearest = std::min(nearest, std::fabs(sparsifier.sparsity() - sparsityAt(spec, 0.6, step, kLong)));
        }
    }
    QVERIFY2(nearest < 0.05, qPrintable(QString::number(nearest)));
    sparsifier.choose(1800);
    QVERIFY(sparsifier.isComplete());
    QCOMPARE(zerosIn(a) + zerosIn(b), 720);
    QVERIFY(zerosIn(a) != 240);  // the layers did not lose the same share
    QVERIFY(!sparsifier.penalty().defined());
}

void TestSparsify::proximalStepsAreSoftThresholds_data() {
    QTest::addColumn<int>("tile");
    QTest::newRow("values") << 1;
    QTest::newRow("tiles") << 2;
}

/// sign(w) · max(|w| − s, 0), of tiles w · max(1 − s / ‖tile‖, 0), with s the size below which the share lies.
void TestSparsify::proximalStepsAreSoftThresholds() {
    QFETCH(int, tile);
    at::Tensor values = some(6, 10, 0.1);
    const at::Tensor first = values.clone();
    const auto spec = between(0.0, 0.8);
    Sparsifier sparsifier(spec, kSteps);
    sparsifier.add("a", values, planOf(PruneMethod::Proximal, 0.6, tile, tile));
    sparsifier.choose(30);
    const double share = sparsityAt(spec, 0.6, 30, kSteps);
    std::vector<double> sizes;
    const auto sizeOf = [&](std::int64_t row, std::int64_t col) {
        double sum = 0.0;
        for (std::int64_t r = row / tile * tile; r < row / tile * tile + tile; ++r) {
            for (std::int64_t c = col / tile * tile; c < col / tile * tile + tile; ++c) {
                sum += at2(first, r, c) * at2(first, r, c);
            }
        }
        return std::sqrt(sum);
    };
    for (std::int64_t row = 0; row < 6; row += tile) {
        for (std::int64_t col = 0; col < 10; col += tile) {
            sizes.push_back(sizeOf(row, col));
        }
    }
    std::sort(sizes.begin(), sizes.end());
    const auto zeros = static_cast<std::size_t>(share * static_cast<double>(sizes.size()));
    QVERIFY(zeros > 0);
    const double s = sizes[zeros - 1];
    for (std::int64_t row = 0; row < 6; ++row) {
        for (std::int64_t col = 0; col < 10; ++col) {
            const double expected = at2(first, row, col) * std::max(0.0, 1.0 - s / sizeOf(row, col));
            QVERIFY(std::fabs(at2(values, row, col) - expected) < 1e-5);
        }
    }
}

void TestSparsify::untilTheEndZerosOfPenaltiesMayComeBack() {
    at::Tensor proximal = some(4, 10, 0.1).requires_grad_(true);
    at::Tensor gradual = some(4, 10, 0.1).requires_grad_(true);
    Sparsifier sparsifier(between(0.0, 0.8), kSteps);
    sparsifier.add("a", proximal, planOf(PruneMethod::Proximal, 0.6));
    sparsifier.add("b", gradual, planOf(PruneMethod::Gradual, 0.6));
    sparsifier.choose(30);
    const auto zerosOfGradients = [&] {
        proximal.mutable_grad() = at::ones_like(proximal);
        gradual.mutable_grad() = at::ones_like(gradual);
        sparsifier.maskGradients();
        return std::pair{zerosIn(proximal.grad()), zerosIn(gradual.grad())};
    };
    const auto during = zerosOfGradients();
    QCOMPARE(during.first, 0);
    QVERIFY(during.second > 0);
    sparsifier.choose(80);
    const auto behind = zerosOfGradients();
    QCOMPARE(behind.first, 24);
    QCOMPARE(behind.second, 24);
}

void TestSparsify::aStateComesBack() {
    const auto spec = between(0.0, 0.8);
    at::Tensor values = some(8, 8, 0.1);
    Sparsifier whole(spec, kSteps);
    whole.add("a", values, planOf(PruneMethod::Movement, 0.6, 2, 2));
    {
        const at::NoGradGuard noGradients;
        whole.scores().at("prune.a.scores").copy_(some(4, 4, 0.6));
    }
    whole.choose(40);
    at::Tensor again = values.clone();
    Sparsifier other(spec, kSteps);
    other.add("a", again, planOf(PruneMethod::Movement, 0.6, 2, 2));
    {
        const at::NoGradGuard noGradients;
        auto to = other.state();
        for (const auto& [name, held] : whole.state()) {
            to.at(name).copy_(held);
        }
    }
    QVERIFY(same(other.pruned("a", again), whole.pruned("a", values)));
    QVERIFY(!other.isComplete());
    whole.choose(80);
    other.choose(80);
    QVERIFY(same(again, values));
    QVERIFY(other.isComplete());
}

QTEST_GUILESS_MAIN(TestSparsify)
#include "tst_sparsify.moc"
