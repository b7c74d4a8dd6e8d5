// What tokens are drawn from, against transformers' logits processors (tests/golden/models/
// make_seq2seq.py), and that draws follow it.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include <QtTest>

#include "engine/models/sampling.h"
#include "tests/engine/models/golden.h"

using namespace pareto;
using namespace pareto::test;
using models::GenerateOptions;

namespace {

GenerateOptions optionsOf(const Json& json) {
    GenerateOptions options;
    options.temperature = json.value("temperature", 1.0);
    options.topK = json.value("top_k", 0);
    options.topP = json.value("top_p", 1.0);
    options.minP = json.value("min_p", 0.0);
    options.repetitionPenalty = json.value("repetition_penalty", 1.0);
    options.noRepeatNgram = json.value("no_repeat_ngram", 0);
    return options;
}

}  // namespace

class TestSampling : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void distributions();
    void draws();
    void sameSeedSameTokens();
    void forcedAndSuppressed();
    void likeliestFirst();
};

void TestSampling::distributions() {
    const Json expected = golden("sampling.json");
    QVERIFY(expected.is_object());
    const auto ids = idsOf(expected["ids"]);
    for (const auto& one : expected["cases"]) {
        const auto options = optionsOf(one);
        auto scores = expected["scores"].get<std::vector<float>>();
        models::processScores(scores, {ids, 0, 100}, options);
        std::vector<float> found(scores.size());
        for (const auto& chance : models::chances(scores, options)) {
            found[static_cast<std::size_t>(chance.id)] = static_cast<float>(chance.probability);
        }
        QVERIFY2(largestDifference(found, one["probabilities"]) < 1e-6, one.dump().c_str());
    }
}

/// 40,000 draws stay within five standard deviations of every probability.
void TestSampling::draws() {
    const Json expected = golden("sampling.json");
    const auto ids = idsOf(expected["ids"]);
    constexpr int kDraws = 40000;
    for (const auto& one : expected["cases"]) {
        const auto options = optionsOf(one);
        auto scores = expected["scores"].get<std::vector<float>>();
        models::processScores(scores, {ids, 0, 100}, options);
        RandomStream random(12, "test");
        std::vector<int> counts(scores.size());
        for (int i = 0; i < kDraws; ++i) {
            ++counts[static_cast<std::size_t>(models::pickToken(scores, options, random))];
        }
        const auto wanted = one["probabilities"].get<std::vector<double>>();
        for (std::size_t id = 0; id < counts.size(); ++id) {
            const double p = wanted[id];
            const double deviation = std::sqrt(p * (1.0 - p) / kDraws);
            const double share = static_cast<double>(counts[id]) / kDraws;
            QVERIFY2(std::fabs(share - p) <= 5.0 * deviation + 1e-9, one.dump().c_str());
            QVERIFY(p > 0.0 || counts[id] == 0);
        }
    }
}

void TestSampling::sameSeedSameTokens() {
    const auto scores = golden("sampling.json")["scores"].get<std::vector<float>>();
    GenerateOptions options;
    options.temperature = 1.5;
    const auto drawn = [&](std::uint64_t seed) {
        RandomStream random(seed, "sampling");
        std::vector<std::int32_t> ids;
        for (int i = 0; i < 30; ++i) {
            ids.push_back(models::pickToken(scores, options, random));
        }
        return ids;
    };
    QCOMPARE(drawn(5), drawn(5));
    QVERIFY(drawn(5) != drawn(6));
}

void TestSampling::forcedAndSuppressed() {
    const std::vector<float> even(8, 1.0F);
    GenerateOptions options;
    options.suppressedIds = {0, 1, 99};
    options.forcedBosId = 6;
    options.forcedEosId = 7;
    RandomStream random(1, "test");
    const auto pick = [&](std::int64_t made) {
        auto scores = even;
        models::processScores(scores, {{3}, made, 4}, options);
        return models::pickToken(scores, options, random);
    };
    QCOMPARE(pick(0), 6);
    QCOMPARE(pick(1), 2);
    QCOMPARE(pick(3), 7);
}

/// In the order of the scores, equal ones by their number, of any sign; the first of them is taken at temperature 0.
void TestSampling::likeliestFirst() {
    RandomStream random(7, "test");
    for (const std::size_t size : {std::size_t{1}, std::size_t{15}, std::size_t{16}, std::size_t{33}, std::size_t{5000}}) {
        std::vector<float> scores(size);
        for (auto& score : scores) {
            score = std::round(static_cast<float>(random.uniform()) * 400.0F - 200.0F) / 8.0F;
        }
        scores[size / 2] = -0.0F;
        scores[size / 3] = size > 1 ? -std::numeric_limits<float>::infinity() : 0.0F;
        std::vector<std::int32_t> order(size);
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
            return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
        });
        for (const std::int64_t topK : {0, 1, 12}) {
            GenerateOptions options;
            options.temperature = 0.7;
            options.topK = topK;
            const auto pool = models::chances(scores, options);
            QCOMPARE(pool.size(), topK == 0 ? size : std::min(size, static_cast<std::size_t>(topK)));
            for (std::size_t i = 0; i < pool.size(); ++i) {
                QCOMPARE(pool[i].id, order[i]);
            }
        }
        GenerateOptions greedy;
        greedy.temperature = 0.0;
        QCOMPARE(models::pickToken(scores, greedy, random), order.front());
    }
}

QTEST_GUILESS_MAIN(TestSampling)
#include "tst_sampling.moc"
