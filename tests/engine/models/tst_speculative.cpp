// A draft changes the time that a text takes, never the text: speculative decoding against `generate`.
#include <cstring>
#include <filesystem>
#include <map>

#include <QtTest>

#include "engine/models/sampling.h"
#include "engine/models/speculative.h"
#include "engine/spec/task.h"
#include "engine/text/tokenizer.h"
#include "tests/engine/models/recipes.h"

using namespace pareto;
using namespace pareto::test;
using models::CachedDecoder;
using models::CacheFormat;
using models::SpeculativeOptions;

namespace {

using Ids = std::vector<std::int32_t>;

constexpr const char* kHalf =
    R"({"version": 1, "defaults": {"prune": {"method": "magnitude", "pattern": "unstructured", "ratio": 0.5}}})";
constexpr const char* kInt4 =
    R"({"version": 1, "defaults": {"quantize": {"weights": "int4", "group": 8}}})";
constexpr const char* kInt8 =
    R"({"version": 1, "defaults": {"quantize": {"weights": "int8", "activations": "int8-dynamic"}}})";
constexpr const char* kHalfPrecision =
    R"({"version": 1, "defaults": {"quantize": {"weights": "fp16"}}})";

Result<models::RunnableModel> preparedWith(const LoadedModel& model, const std::string& recipe) {
    PARETO_TRY(const auto made, compressed(model, recipe));
    return prepare(made.model);
}

Ids promptOf(std::int32_t first, std::int32_t vocabulary, std::size_t length = 7) {
    Ids ids;
    for (std::size_t i = 0; i < length; ++i) {
        ids.push_back((first + static_cast<std::int32_t>(i * i) * 5) % vocabulary);
    }
    return ids;
}

SpeculativeOptions optionsOf(std::int64_t maxTokens, int draftTokens = 4) {
    SpeculativeOptions out;
    out.text.maxTokens = maxTokens;
    out.draftTokens = draftTokens;
    return out;
}

/// One token after the other, `generate`'s way.
Ids greedy(models::Decoder& decoder, const Ids& prompt, const models::GenerateOptions& options) {
    const auto made = models::generate(decoder, prompt, options, {}, {});
    return made.ok() ? made->ids : Ids{-1};
}

/// Whether tokens get the bits in steps of several that they get alone.
bool sameBits(models::Decoder& decoder, const Ids& prompt,
              std::optional<CacheFormat> format = std::nullopt) {
    const std::size_t most = models::kSameBitsDraft + 1;
    const Ids begin(prompt.begin(), prompt.end() - static_cast<std::ptrdiff_t>(most));
    const auto begun = [&] {
        auto cache = decoder.newCache(1, {64, format}).value();
        const auto fed = decoder.step({begin}, *cache, {});
        return fed.ok() ? std::move(cache) : nullptr;
    };
    const auto alone = begun();
    std::vector<models::Matrix> expected;
    for (std::size_t i = begin.size(); i < prompt.size(); ++i) {
        expected.push_back(decoder.step({{prompt[i]}}, *alone, {}).value());
    }
    for (std::size_t count = 1; count <= most; ++count) {
        const auto cache = begun();
        const auto from = prompt.begin() + static_cast<std::ptrdiff_t>(begin.size());
        const auto all =
            decoder.stepAll({Ids(from, from + static_cast<std::ptrdiff_t>(count))}, *cache, {})
                .value();
        for (std::size_t i = 0; i < count; ++i) {
            const auto row = all.row(static_cast<std::int64_t>(i));
            if (std::memcmp(row.data(), expected[i].values.data(), row.size_bytes()) != 0) {
                return false;
            }
        }
    }
    return true;
}

}  // namespace

class TestSpeculative : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void allLogitsOfAStep();
    void fewTokensAreTheSameBits();
    void sameTextAsGreedy_data();
    void sameTextAsGreedy();
    void anIdenticalDraftIsAlwaysAccepted();
    void processedScores();
    void stopTokensInsideARun();
    void endsExactly();
    void lengthAdapts();
    void shorterPositionsOfTheDraft();
    void callersStop();
    void cancelled();
    void dialoguesReuseBothCaches();
    void settledTokensFollowTheTarget();
    void sampledTexts();
    void refused();
    void sample();

private:
    models::Decoder& model(const std::string& name) { return *m_models.at(name).decoder; }
    std::map<std::string, models::RunnableModel> m_models;
};

void TestSpeculative::initTestCase() {
    for (const char* name : {"qwen3", "mistral", "gpt2", "gemma2", "gemma3"}) {
        auto made = prepare(kGolden + "decoders/" + name);
        CHECK_OK(made);
        m_models.emplace(name, std::move(made).value());
    }
    const auto llama = openModel(kGolden + "tiny_llama");
    CHECK_OK(llama);
    for (const auto& [name, recipe] :
         {std::pair{"llama", "{\"version\": 1}"}, std::pair{"llama half", kHalf},
          std::pair{"llama int4", kInt4}, std::pair{"llama int8", kInt8},
          std::pair{"llama fp16", kHalfPrecision}}) {
        auto made = preparedWith(llama.value(), recipe);
        CHECK_OK(made);
        m_models.emplace(name, std::move(made).value());
    }
}

/// Of every token of every sequence what a step of that token alone says.
void TestSpeculative::allLogitsOfAStep() {
    auto& decoder = model("qwen3");
    const std::vector<Ids> sequences{promptOf(3, 48, 5), promptOf(11, 48, 2)};
    auto cache = decoder.newCache(2, {8, CacheFormat::F32});
    CHECK_OK(cache);
    const auto all = decoder.stepAll(sequences, *cache.value(), {});
    CHECK_OK(all);
    QCOMPARE(all->rows, std::int64_t{7});
    QCOMPARE(cache.value()->length(0), std::int64_t{5});
    std::int64_t row = 0;
    for (const auto& ids : sequences) {
        auto alone = decoder.newCache(1, {8, CacheFormat::F32});
        CHECK_OK(alone);
        for (const auto id : ids) {
            const auto logits = decoder.step({{id}}, *alone.value(), {});
            CHECK_OK(logits);
            QVERIFY(largestDifference(all->row(row++), logits->row(0)) < 1e-4);
        }
    }
}

/// What kSameBitsDraft stands on.
void TestSpeculative::fewTokensAreTheSameBits() {
    for (const auto& [name, runnable] : m_models) {
        auto& decoder = *runnable.decoder;
        const auto prompt = promptOf(2, static_cast<std::int32_t>(decoder.layout().vocabulary), 23);
        for (const auto format :
             {CacheFormat::F32, CacheFormat::F16, CacheFormat::Int8, CacheFormat::Int4}) {
            QVERIFY2(sameBits(decoder, prompt, format),
                     (name + " " + std::string(nameOf(format))).c_str());
        }
    }
    const auto llama = openModel(kGolden + "tiny_llama");
    CHECK_OK(llama);
    for (const char* quantize :
         {R"("bf16")", R"("fp8")", R"("int16")", R"("int16", "activations": "int16-dynamic")",
          R"("int8")", R"("int3")", R"("int2")",
          R"("int8", "group": 8, "activations": "int8-dynamic")",
          R"("int4", "group": 8, "activations": "int8-dynamic")"}) {
        const auto made = preparedWith(
            llama.value(), std::string(R"({"version": 1, "defaults": {"quantize": {"weights": )") +
                               quantize + "}}}");
        CHECK_OK(made);
        QVERIFY2(sameBits(*made->decoder, promptOf(2, 120, 23)), quantize);
    }
}

void TestSpeculative::sameTextAsGreedy_data() {
    QTest::addColumn<QString>("target");
    QTest::addColumn<QString>("draft");
    for (const auto& [target, draft] :
         {std::pair{"llama", "llama"}, std::pair{"llama", "llama half"},
          std::pair{"llama", "llama int4"}, std::pair{"llama int8", "llama half"},
          std::pair{"llama int4", "llama"}, std::pair{"llama half", "llama int8"},
          std::pair{"qwen3", "mistral"}, std::pair{"gpt2", "qwen3"}, std::pair{"mistral", "gpt2"},
          std::pair{"gemma2", "gemma2"}, std::pair{"gemma3", "gemma3"},
          std::pair{"gemma2", "mistral"}}) {
        QTest::addRow("%s drafted by %s", target, draft)
            << QString::fromLatin1(target) << QString::fromLatin1(draft);
    }
}

void TestSpeculative::sameTextAsGreedy() {
    QFETCH(QString, target);
    QFETCH(QString, draft);
    auto& decoder = model(target.toStdString());
    const auto vocabulary = static_cast<std::int32_t>(decoder.layout().vocabulary);
    for (const int draftTokens : {1, 2, 3, 4, 9}) {
        for (std::int32_t first = 1; first < 12; first += 5) {
            auto how = optionsOf(40, draftTokens);
            const auto prompt = promptOf(first, vocabulary);
            const auto made = models::generateSpeculative(decoder, model(draft.toStdString()),
                                                          prompt, how, {}, {});
            CHECK_OK(made);
            QCOMPARE(made->text.ids, greedy(decoder, prompt, how.text));
            QCOMPARE(made->text.promptTokens, std::int64_t{7});
            const auto& figures = made->figures;
            QVERIFY(figures.accepted <= figures.drafted && figures.targetSteps > 0);
            QCOMPARE(figures.accepted + figures.targetSteps + 1, std::int64_t{40});
            QVERIFY(figures.draftSeconds > 0.0 && figures.targetSeconds > 0.0);
            QCOMPARE(made->text.tokenSeconds.size(), std::size_t{39});
        }
    }
}

void TestSpeculative::anIdenticalDraftIsAlwaysAccepted() {
    const auto made = models::generateSpeculative(model("llama"), model("llama"), promptOf(1, 120),
                                                  optionsOf(21), {}, {});
    CHECK_OK(made);
    QCOMPARE(made->figures.drafted, std::int64_t{16});
    QCOMPARE(made->figures.accepted, std::int64_t{16});
    QCOMPARE(made->figures.acceptance(), 1.0);
    // One token of the prompt's step, then four times four and one of the target's own.
    QCOMPARE(made->figures.targetSteps, std::int64_t{4});
}

void TestSpeculative::processedScores() {
    auto how = optionsOf(40, 4);
    how.text.repetitionPenalty = 1.5;
    how.text.noRepeatNgram = 2;
    how.text.forcedBosId = 9;
    how.text.forcedEosId = 5;
    const auto prompt = promptOf(4, 120);
    const auto plain = greedy(model("llama"), prompt, how.text);
    how.text.suppressedIds = {plain[3], plain[8]};
    const auto expected = greedy(model("llama"), prompt, how.text);
    QVERIFY(expected != plain);
    QCOMPARE(expected.front(), 9);
    QCOMPARE(expected.back(), 5);
    for (const char* draft : {"llama", "llama half"}) {
        const auto made =
            models::generateSpeculative(model("llama"), model(draft), prompt, how, {}, {});
        CHECK_OK(made);
        QCOMPARE(made->text.ids, expected);
        QVERIFY(std::string(draft) != "llama" || made->figures.acceptance() == 1.0);
    }
}

/// Wherever in a run of accepted tokens the stop token falls, what follows it does not count.
void TestSpeculative::stopTokensInsideARun() {
    const auto prompt = promptOf(2, 120);
    const auto whole = greedy(model("llama"), prompt, optionsOf(30).text);
    for (std::size_t at = 0; at < 12; ++at) {
        auto how = optionsOf(30, 4);
        how.text.stopIds = {whole[at]};
        for (const char* draft : {"llama", "llama half"}) {
            const auto made =
                models::generateSpeculative(model("llama"), model(draft), prompt, how, {}, {});
            CHECK_OK(made);
            QCOMPARE(made->text.ids, greedy(model("llama"), prompt, how.text));
            QVERIFY(made->text.stopped);
            QVERIFY(std::string(draft) != "llama" ||
                    made->figures.accepted == made->figures.drafted);
        }
    }
}

void TestSpeculative::endsExactly() {
    const auto prompt = promptOf(2, 120);
    const auto whole = greedy(model("llama"), prompt, optionsOf(30).text);
    for (std::int64_t most = 0; most <= 14; ++most) {
        const auto made = models::generateSpeculative(model("llama"), model("llama"), prompt,
                                                      optionsOf(most, 5), {}, {});
        CHECK_OK(made);
        QCOMPARE(made->text.ids, Ids(whole.begin(), whole.begin() + most));
        QVERIFY(!made->text.stopped);
        QCOMPARE(made->figures.accepted, made->figures.drafted);
    }
    // The model's positions end before maxTokens: 64 of them, the last token is never fed.
    const auto full =
        models::generateSpeculative(model("llama"), model("llama"), prompt, optionsOf(500), {}, {});
    CHECK_OK(full);
    QCOMPARE(full->text.ids, greedy(model("llama"), prompt, optionsOf(500).text));
    QCOMPARE(full->text.ids.size(), std::size_t{58});
}

/// A draft that is mostly wrong ends up with one proposal a round.
void TestSpeculative::lengthAdapts() {
    const auto made = models::generateSpeculative(model("qwen3"), model("mistral"), promptOf(3, 48),
                                                  optionsOf(50, 8), {}, {});
    CHECK_OK(made);
    QVERIFY(made->figures.acceptance() < 0.3);
    QVERIFY(made->figures.drafted < made->figures.targetSteps + 40);
}

/// Beyond its positions a draft proposes nothing.
void TestSpeculative::shorterPositionsOfTheDraft() {
    auto loaded = openModel(kGolden + "tiny_llama");
    CHECK_OK(loaded);
    loaded.value().layout.maxPositions = 20;
    const auto small = prepare(loaded.value());
    CHECK_OK(small);
    for (const std::size_t length : {std::size_t{7}, std::size_t{25}}) {
        const auto prompt = promptOf(2, 120, length);
        const auto made = models::generateSpeculative(model("llama"), *small->decoder, prompt,
                                                      optionsOf(30), {}, {});
        CHECK_OK(made);
        QCOMPARE(made->text.ids, greedy(model("llama"), prompt, optionsOf(30).text));
        QCOMPARE(made->figures.drafted > 0, length == 7);
    }
}

void TestSpeculative::callersStop() {
    const auto prompt = promptOf(2, 120);
    const auto whole = greedy(model("llama"), prompt, optionsOf(30).text);
    for (std::size_t wanted = 1; wanted < 9; ++wanted) {
        Ids heard;
        const auto hear = [&](std::int32_t id) {
            heard.push_back(id);
            return heard.size() < wanted;
        };
        const auto made = models::generateSpeculative(model("llama"), model("llama"), prompt,
                                                      optionsOf(30), hear, {});
        CHECK_OK(made);
        QCOMPARE(heard, Ids(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(wanted)));
        QCOMPARE(made->text.ids, heard);
        QVERIFY(made->text.stopped);
    }
}

/// Caches and what is said of them still agree.
void TestSpeculative::cancelled() {
    std::stop_source stop;
    const auto cache = model("llama").newCache(1, {64, CacheFormat::F32});
    const auto draftCache = model("llama half").newCache(1, {64, CacheFormat::F32});
    CHECK_OK(cache);
    CHECK_OK(draftCache);
    Ids held;
    Ids draftHeld;
    const CachedDecoder target{model("llama"), *cache.value(), held};
    const CachedDecoder draft{model("llama half"), *draftCache.value(), draftHeld};
    int heard = 0;
    const auto made = models::generateSpeculative(
        target, draft, promptOf(2, 120), optionsOf(30),
        [&](std::int32_t) {
            if (++heard == 6) {
                stop.request_stop();
            }
            return true;
        },
        stop.get_token());
    QVERIFY(made.cancelled());
    QCOMPARE(cache.value()->length(0), static_cast<std::int64_t>(held.size()));
    QCOMPARE(draftCache.value()->length(0), static_cast<std::int64_t>(draftHeld.size()));
    const auto again =
        models::generateSpeculative(target, draft, promptOf(2, 120), optionsOf(30), {}, {});
    CHECK_OK(again);
    QCOMPARE(again->text.ids, greedy(model("llama"), promptOf(2, 120), optionsOf(30).text));
}

/// A next turn goes on from both caches, and says what it says from scratch; so does one without a draft.
void TestSpeculative::dialoguesReuseBothCaches() {
    for (const char* name : {"llama", "llama half", "llama int4"}) {
        const auto cache = model("llama").newCache(1, {64, CacheFormat::F32});
        const auto draftCache = model(name).newCache(1, {64, CacheFormat::F32});
        CHECK_OK(cache);
        CHECK_OK(draftCache);
        Ids held;
        Ids draftHeld;
        const CachedDecoder target{model("llama"), *cache.value(), held};
        const CachedDecoder draft{model(name), *draftCache.value(), draftHeld};
        auto prompt = promptOf(6, 120);
        for (const std::int64_t count : {5, 9, 7}) {
            const auto made =
                models::generateSpeculative(target, draft, prompt, optionsOf(count), {}, {});
            CHECK_OK(made);
            QCOMPARE(made->text.ids, greedy(model("llama"), prompt, optionsOf(count).text));
            QCOMPARE(cache.value()->length(0), static_cast<std::int64_t>(held.size()));
            QCOMPARE(draftCache.value()->length(0), static_cast<std::int64_t>(draftHeld.size()));
            prompt.insert(prompt.end(), made->text.ids.begin(), made->text.ids.end());
            // All but the last token, which was never fed.
            QCOMPARE(held, Ids(prompt.begin(), prompt.end() - 1));
            QVERIFY(std::equal(draftHeld.begin(), draftHeld.end(), prompt.begin()));
            QVERIFY(draftHeld.size() + 3 >= prompt.size());
            prompt.push_back(17);
        }
        const auto before = held.size();
        const auto alone = models::generate(model("llama"), prompt, *cache.value(), held,
                                            optionsOf(8).text, {}, {});
        CHECK_OK(alone);
        QCOMPARE(alone->reusedTokens, static_cast<std::int64_t>(before));
        QCOMPARE(alone->ids, greedy(model("llama"), prompt, optionsOf(8).text));
        // Another dialogue shares nothing.
        const auto other =
            models::generateSpeculative(target, draft, promptOf(90, 120), optionsOf(8), {}, {});
        CHECK_OK(other);
        QCOMPARE(other->text.reusedTokens, std::int64_t{0});
        QCOMPARE(other->text.ids, greedy(model("llama"), promptOf(90, 120), optionsOf(8).text));
    }
}

/// 40,000 proposals stay within five standard deviations of what is wanted, whatever they were drawn from.
void TestSpeculative::settledTokensFollowTheTarget() {
    const std::vector<models::TokenChance> wanted{{3, 0.5}, {1, 0.3}, {7, 0.15}, {2, 0.05}};
    constexpr int kDraws = 40000;
    const std::vector<std::vector<models::TokenChance>> offers{
        wanted, {{1, 0.7}, {3, 0.2}, {9, 0.1}}, {{8, 1.0}}, {{2, 0.9}, {3, 0.1}}};
    for (const auto& offered : offers) {
        RandomStream draft(5, "draft");
        RandomStream random(5, "target");
        std::map<std::int32_t, int> found;
        int stayed = 0;
        for (int i = 0; i < kDraws; ++i) {
            const auto proposed = models::drawToken(offered, draft);
            const auto settled = models::settleToken(wanted, offered, proposed, random);
            stayed += settled == proposed ? 1 : 0;
            ++found[settled];
        }
        double overlap = 0.0;
        for (const auto& one : wanted) {
            const double deviation = std::sqrt(kDraws * one.probability * (1.0 - one.probability));
            QVERIFY(std::fabs(found[one.id] - kDraws * one.probability) < 5.0 * deviation);
            for (const auto& other : offered) {
                overlap += other.id == one.id ? std::min(one.probability, other.probability) : 0.0;
            }
        }
        QCOMPARE(found.size(), wanted.size());
        QVERIFY(std::fabs(stayed - kDraws * overlap) < 5.0 * std::sqrt(kDraws * 0.25));
    }
}

/// The pairs of first tokens are as likely as without a draft.
void TestSpeculative::sampledTexts() {
    const auto prompt = promptOf(2, 120, 3);
    auto how = optionsOf(2, 1);
    how.text.temperature = 1.5;
    how.text.topK = 3;
    constexpr int kTexts = 1500;
    std::map<Ids, int> plain;
    std::map<Ids, int> drafted;
    for (int seed = 0; seed < kTexts; ++seed) {
        how.text.seed = static_cast<std::uint64_t>(seed);
        const auto made =
            models::generateSpeculative(model("llama"), model("llama half"), prompt, how, {}, {});
        CHECK_OK(made);
        ++drafted[made->text.ids];
        const auto again =
            models::generateSpeculative(model("llama"), model("llama half"), prompt, how, {}, {});
        QCOMPARE(again->text.ids, made->text.ids);
        ++plain[greedy(model("llama"), prompt, how.text)];
    }
    QVERIFY(plain.size() > 4 && drafted.size() <= 9);
    for (const auto& [ids, count] : plain) {
        const double deviation = std::sqrt(2.0 * std::max(count, 1));
        QVERIFY2(std::abs(drafted[ids] - count) < 5.0 * deviation,
                 (std::to_string(drafted[ids]) + " of " + std::to_string(count)).c_str());
    }
}

void TestSpeculative::refused() {
    const auto reasonOf = [&](const char* draft, const SpeculativeOptions& how, const Ids& prompt) {
        const auto made =
            models::generateSpeculative(model("llama"), model(draft), prompt, how, {}, {});
        return made.ok() || made.cancelled() ? std::string() : errorMessage(made.error());
    };
    const auto prompt = promptOf(2, 40);
    const auto sizes = reasonOf("qwen3", optionsOf(5), prompt);
    QVERIFY2(sizes.find("48") != std::string::npos && sizes.find("120") != std::string::npos,
             sizes.c_str());
    auto beams = optionsOf(5);
    beams.text.beams = 2;
    QVERIFY(reasonOf("llama", beams, prompt).find("beam") != std::string::npos);
    QVERIFY(!reasonOf("llama", optionsOf(5, 0), prompt).empty());
    QVERIFY(!reasonOf("llama", optionsOf(5), {}).empty());
    auto negative = optionsOf(5);
    negative.text.temperature = -1.0;
    QVERIFY(reasonOf("llama", negative, prompt).find("temperature") != std::string::npos);
    QVERIFY(reasonOf("llama", optionsOf(5), prompt).empty());
}

/// A real model drafted by itself in four bits.
void TestSpeculative::sample() {
    const auto path = samplesFolder() + "/smollm2-135m";
    if (!std::filesystem::exists(path)) {
        QSKIP("the sample smollm2-135m is missing: ./dev setup fetches it");
    }
    const auto loaded = openModel(path);
    CHECK_OK(loaded);
    const auto files = io::ModelFiles::open(path);
    CHECK_OK(files);
    const auto tokenizer = text::loadTokenizer(*files.value());
    CHECK_OK(tokenizer);
    const auto prompt = tokenizer.value()->encode("The capital of France is").ids;
    const auto draft =
        preparedWith(loaded.value(), R"({"version": 1, "defaults": {"quantize": {"weights": "int4",
        "group": 32, "activations": "int8-dynamic"}}})");
    CHECK_OK(draft);
    for (const char* recipe : {"{\"version\": 1}", kInt8}) {
        const auto target = preparedWith(loaded.value(), recipe);
        CHECK_OK(target);
        auto& decoder = *target->decoder;
        const auto how = optionsOf(32, 3);
        const auto expected = greedy(decoder, prompt, how.text);
        const auto made =
            models::generateSpeculative(decoder, *draft->decoder, prompt, how, {}, {});
        CHECK_OK(made);
        QVERIFY(made->figures.acceptance() > 0.3);
        QCOMPARE(made->text.ids, expected);
        QVERIFY(sameBits(decoder, prompt));
    }
}

QTEST_GUILESS_MAIN(TestSpeculative)
#include "tst_speculative.moc"
