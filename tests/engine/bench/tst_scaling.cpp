// The predictions of bench/scaling.h against what can be computed by hand.
#include <QtTest>

#include "engine/bench/scaling.h"
#include "engine/weights/shard.h"
#include "tests/engine/models/golden.h"

using namespace pareto;
using bench::Divided;

namespace {

/// Equal blocks; nothing but what a test puts in.
ModelLayout layoutOf(int blocks, std::int64_t heads = 4) {
    ModelLayout out;
    out.family = Family::Bert;
    out.hidden = 100;
    out.vocabulary = 1600;
    out.headDim = 25;
    for (int i = 0; i < blocks; ++i) {
        BlockInfo block;
        block.name = "encoder.layer." + std::to_string(i);
        block.heads = block.kvHeads = heads;
        block.neurons = 320;
        block.layers = {i};
        LayerInfo layer;
        layer.rows = layer.cols = 10;
        layer.block = i;
        out.layers.push_back(layer);
        out.blocks.push_back(block);
    }
    return out;
}

/// A second of heads, one of neurons and half a second that nobody shares, in each block.
bench::StepCost costOf(const ModelLayout& layout, std::int64_t pieces = 1) {
    bench::StepCost out;
    out.name = "pass";
    out.rows = 10 * pieces;
    out.pieces = pieces;
    for (int i = 0; i < static_cast<int>(layout.blocks.size()); ++i) {
        out.phases.push_back({1.0, i, Divided::Heads});
        out.phases.push_back({1.0, i, Divided::Neurons});
        out.phases.push_back({0.5, i, Divided::Nothing});
    }
    out.seconds = 2.5 * static_cast<double>(layout.blocks.size());
    return out;
}

constexpr bench::Link kFree{0.0, 1e30};

}  // namespace

class TestScaling : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void alone();
    void parts();
    void stages();
    void theLink();
    void whatIsLeftMakesReplicas();
    void whatCannotBeDivided();
    void watchedStepsBecomeCosts();
    void stagesByWhatBlocksTake();
};

void TestScaling::alone() {
    const auto layout = layoutOf(4);
    QCOMPARE(bench::predict(layout, costOf(layout), {1.0, 1.0}, 1, 1).seconds, 10.0);
}

/// Whole shares, uneven ones, and what nobody shares.
void TestScaling::parts() {
    const auto layout = layoutOf(4);
    const auto two = bench::predict(layout, costOf(layout), kFree, 2, 1);
    QCOMPARE(two.seconds, 4 * (0.5 + 0.5 + 0.5));
    QCOMPARE(two.bubble, 0.0);
    const auto uneven = layoutOf(4, 3);
    // Two of three heads; ten steps of 32 neurons.
    QCOMPARE(bench::predict(uneven, costOf(uneven), kFree, 2, 1).seconds, 4 * (2.0 / 3.0 + 0.5 + 0.5));
}

void TestScaling::stages() {
    const auto layout = layoutOf(4);
    // One piece waits for itself: as long as alone, half of the time nobody works.
    const auto one = bench::predict(layout, costOf(layout), kFree, 1, 2);
    QCOMPARE(one.seconds, 10.0);
    QCOMPARE(one.bubble, 0.5);
    // Eight pieces of 10 / 8 s in two stages: 9 halves of a piece.
    const auto eight = bench::predict(layout, costOf(layout, 8), kFree, 1, 2);
    QCOMPARE(eight.seconds, 9 * 10.0 / 8 / 2);
    QVERIFY(std::fabs(eight.bubble - 1.0 / 9.0) < 1e-9);
    // Three stages of four blocks: the one with two holds up the others.
    const auto three = bench::predict(layout, costOf(layout, 4), kFree, 1, 3);
    QCOMPARE(three.seconds, 10.0 / 4 + 3 * 5.0 / 4);
}

/// A head that is a third of all parameters takes next to nothing of a long prompt, and a third of each further token.
void TestScaling::stagesByWhatBlocksTake() {
    const auto layout = layoutOf(4);
    const auto step = [&](const char* name, double head) {
        ProfiledStep out;
        out.name = name;
        for (int i = 0; i < 4; ++i) {
            ProfiledLayer layer;
            layer.name = layout.blocks[static_cast<std::size_t>(i)].name + ".attention.query";
            layer.ms = 1000.0 + (i == 3 ? head : 0.0);
            out.layers.push_back(layer);
        }
        return out;
    };
    Target target;
    target.generate = 3;
    const auto prompt = bench::blockSeconds(layout, target, {step("prefill", 0.0)});
    QCOMPARE(prompt, (std::vector<double>{1, 1, 1, 1}));
    QCOMPARE(stageStarts(prompt, 2), (std::vector<int>{0, 2}));
    const auto both = bench::blockSeconds(layout, target, {step("prefill", 0.0), step("decode", 3000.0)});
    QCOMPARE(both, (std::vector<double>{3, 3, 3, 9}));
    QCOMPARE(stageStarts(both, 2), (std::vector<int>{0, 3}));
    // The predictor divides as the team does.
    const auto cost = costOf(layout, 8);
    QVERIFY(bench::predict(layout, cost, kFree, 1, 2, both).seconds > bench::predict(layout, cost, kFree, 1, 2).seconds);
}

void TestScaling::theLink() {
    const auto layout = layoutOf(4);
    auto cost = costOf(layout);
    const bench::Link link{0.01, 1e6};
    const double one = 0.01 + 10 * 100 * 4 / 1e6;
    const auto two = bench::predict(layout, cost, link, 2, 1);
    // Two sums a block and one behind the token table.
    QVERIFY(std::fabs(two.sums - 9 * one) < 1e-9);
    QVERIFY(std::fabs(two.seconds - (6.0 + 9 * one)) < 1e-9);
    // Four parts: two latencies, 1.5 times the bytes.
    const auto four = bench::predict(layout, cost, link, 4, 1);
    QVERIFY(std::fabs(four.sums - 9 * (0.02 + 1.5 * 10 * 100 * 4 / 1e6)) < 1e-9);
    cost.roundsRows = true;
    QVERIFY(std::fabs(bench::predict(layout, cost, link, 2, 1).sums - (9 * one + 8 * (0.01 + 10 * 4 / 1e6))) < 1e-9);
    const auto staged = bench::predict(layout, costOf(layout), link, 1, 2);
    QVERIFY(std::fabs(staged.handing - (one + 0.01)) < 1e-9);
    QVERIFY(std::fabs(staged.seconds - (10.0 + staged.handing)) < 1e-9);
}

void TestScaling::whatIsLeftMakesReplicas() {
    const auto layout = layoutOf(4);
    const auto cost = costOf(layout);
    // Stages bring nothing to one piece: the step is as short as four parts make it.
    const auto many = bench::fastest(layout, cost, kFree, 1024);
    QCOMPARE(many.tp, 4);
    QCOMPARE(many.pp, 1);
    QCOMPARE(many.replicas, 256);
    QCOMPARE(many.processes(), 1024);
    // A link that is slower than the work: nothing is divided.
    const auto slow = bench::fastest(layout, cost, {100.0, 1e9}, 8);
    QCOMPARE(slow.tp * slow.pp, 1);
    QCOMPARE(slow.replicas, 8);
}

void TestScaling::whatCannotBeDivided() {
    const auto layout = layoutOf(2, 3);
    QVERIFY(bench::canDivide(layout, 3, 2));
    QVERIFY(!bench::canDivide(layout, 4, 1));
    QVERIFY(!bench::canDivide(layout, 1, 3));
}

/// Layers are found in their blocks and by their roles, and what watching left out is spread over them.
void TestScaling::watchedStepsBecomeCosts() {
    const auto model = test::openModel(test::kGolden + "tiny_llama");
    CHECK_OK(model);
    const auto& layout = model->layout;
    const auto& first = layout.blocks.front().name;
    ProfiledStep watched;
    watched.name = "decode";
    watched.tokens = 1;
    for (const auto& name : {std::string("embeddings.word"), first + ".attention.query", first + ".attention.scores",
                             first + ".ffn.down", first + ".attention.norm", std::string("lm_head")}) {
        ProfiledLayer layer;
        layer.name = name;
        layer.ms = 1.0;
        watched.layers.push_back(layer);
    }
    const auto cost = bench::stepCost(layout, Target{}, watched, 0.012);
    QCOMPARE(cost.rows, std::int64_t{1});
    QVERIFY(!cost.roundsRows);
    const auto last = static_cast<int>(layout.blocks.size());
    const std::vector<std::pair<int, Divided>> expected{{-1, Divided::Nothing}, {0, Divided::Heads},   {0, Divided::Heads},
                                                        {0, Divided::Neurons},  {0, Divided::Nothing}, {last, Divided::Vocabulary}};
    double sum = 0.0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        QCOMPARE(cost.phases[i].block, expected[i].first);
        QCOMPARE(cost.phases[i].divided, expected[i].second);
        sum += cost.phases[i].seconds;
    }
    QVERIFY(std::fabs(sum - 0.012) < 1e-12);
}

QTEST_GUILESS_MAIN(TestScaling)
#include "tst_scaling.moc"
