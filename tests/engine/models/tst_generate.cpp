// A decoder's texts by the calls of generate.h, against transformers (tests/golden/models/
// make_seq2seq.py) and against each other.
#include <QtTest>

#include "engine/models/generate.h"
#include "tests/engine/models/golden.h"

using namespace pareto;
using namespace pareto::test;
using models::GenerateOptions;

class TestGenerate : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void greedy();
    void beams();
    void batches();
    void sampledBatches();
    void promptsAreReused();
    void callersStop();
    void badOptions();

private:
    models::Decoder& decoder() { return *m_model.decoder; }
    GenerateOptions options() const {
        GenerateOptions out;
        out.maxTokens = 24;
        out.stopIds = {2};
        return out;
    }
    std::vector<std::vector<std::int32_t>> prompts() const {
        return m_expected["prompts"].get<std::vector<std::vector<std::int32_t>>>();
    }

    Json m_expected;
    models::RunnableModel m_model;
};

void TestGenerate::initTestCase() {
    m_expected = golden("generate_llama.json");
    QVERIFY(m_expected.is_object());
    auto model = prepare(kGolden + "tiny_llama");
    CHECK_OK(model);
    m_model = std::move(model).value();
}

void TestGenerate::greedy() {
    for (std::size_t i = 0; i < prompts().size(); ++i) {
        const auto made = models::generate(decoder(), prompts()[i], options(), {}, {});
        CHECK_OK(made);
        QCOMPARE(made->ids, idsOf(m_expected["greedy"][i]));
    }
}

void TestGenerate::beams() {
    for (const auto& one : m_expected["beams"]) {
        auto how = options();
        how.beams = 3;
        how.lengthPenalty = one["length_penalty"].get<double>();
        how.earlyStopping = one["early_stopping"].get<bool>();
        for (std::size_t i = 0; i < prompts().size(); ++i) {
            const auto made = models::generate(decoder(), prompts()[i], how, {}, {});
            CHECK_OK(made);
            QCOMPARE(made->ids, idsOf(one["ids"][i]));
            QVERIFY(std::fabs(made->score - one["scores"][i].get<double>()) < 1e-4);
        }
        const auto all = models::generateBatch(decoder(), prompts(), how, {});
        CHECK_OK(all);
        for (std::size_t i = 0; i < prompts().size(); ++i) {
            QCOMPARE(all.value()[i].ids, idsOf(one["ids"][i]));
        }
    }
}

/// Prompts of different lengths at once give what each gives alone.
void TestGenerate::batches() {
    const auto made = models::generateBatch(decoder(), prompts(), options(), {});
    CHECK_OK(made);
    for (std::size_t i = 0; i < prompts().size(); ++i) {
        QCOMPARE(made.value()[i].ids, idsOf(m_expected["greedy"][i]));
        QCOMPARE(made.value()[i].promptTokens, static_cast<std::int64_t>(prompts()[i].size()));
    }
}

void TestGenerate::sampledBatches() {
    auto how = options();
    how.temperature = 1.3;
    how.topP = 0.95;
    how.seed = 9;
    const auto alone = models::generate(decoder(), prompts()[0], how, {}, {});
    CHECK_OK(alone);
    const std::vector<std::vector<std::int32_t>> twice{prompts()[0], prompts()[0]};
    const auto first = models::generateBatch(decoder(), twice, how, {});
    const auto again = models::generateBatch(decoder(), twice, how, {});
    CHECK_OK(first);
    CHECK_OK(again);
    QCOMPARE(first.value()[0].ids, alone->ids);
    QCOMPARE(first.value()[1].ids, again.value()[1].ids);
    QVERIFY(first.value()[0].ids != first.value()[1].ids);
}

void TestGenerate::promptsAreReused() {
    auto cache = decoder().newCache(1, {60, models::CacheFormat::F32});
    CHECK_OK(cache);
    std::vector<std::int32_t> held;
    auto how = options();
    how.maxTokens = 6;
    const auto first = models::generate(decoder(), prompts()[1], *cache.value(), held, how, {}, {});
    CHECK_OK(first);
    QCOMPARE(first->reusedTokens, std::int64_t{0});
    auto next = prompts()[1];
    next.insert(next.end(), first->ids.begin(), first->ids.end());
    next.insert(next.end(), {17, 44, 5});
    const auto second = models::generate(decoder(), next, *cache.value(), held, how, {}, {});
    CHECK_OK(second);
    const auto fresh = models::generate(decoder(), next, how, {}, {});
    CHECK_OK(fresh);
    QCOMPARE(second->ids, fresh->ids);
    // All but the token picked last, which was never fed.
    const auto fed = static_cast<std::int64_t>(prompts()[1].size() + first->ids.size());
    QVERIFY(second->reusedTokens >= fed - 1);
    // Another dialogue shares the beginning only.
    const auto third = models::generate(decoder(), prompts()[2], *cache.value(), held, how, {}, {});
    CHECK_OK(third);
    QCOMPARE(third->reusedTokens, std::int64_t{1});
    QCOMPARE(third->ids, models::generate(decoder(), prompts()[2], how, {}, {})->ids);
}

void TestGenerate::callersStop() {
    int heard = 0;
    const auto made = models::generate(
        decoder(), prompts()[0], options(), [&](std::int32_t) { return ++heard < 3; }, {});
    CHECK_OK(made);
    QCOMPARE(made->ids.size(), std::size_t{3});
    QVERIFY(made->stopped);
}

void TestGenerate::badOptions() {
    const auto refused = [&](auto change) {
        auto how = options();
        change(how);
        const auto made = models::generate(decoder(), prompts()[0], how, {}, {});
        return !made.ok() && !made.cancelled() && made.error().code == ErrorCode::EngineFailure;
    };
    QVERIFY(refused([](auto& how) { how.temperature = -1.0; }));
    QVERIFY(refused([](auto& how) { how.topP = 0.0; }));
    QVERIFY(refused([](auto& how) { how.minP = 1.5; }));
    QVERIFY(refused([](auto& how) { how.repetitionPenalty = 0.0; }));
    QVERIFY(refused([](auto& how) { how.beams = 0; }));
    QVERIFY(!models::generate(decoder(), {}, options(), {}, {}).ok());
}

QTEST_GUILESS_MAIN(TestGenerate)
#include "tst_generate.moc"
