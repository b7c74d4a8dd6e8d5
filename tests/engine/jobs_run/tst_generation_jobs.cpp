// Stop texts, dialogues that reuse their prompts, and translations.
#include <set>

#include <QTest>

#include "engine/jobs/run/generate_job.h"
#include "engine/jobs/run/text_stream.h"
#include "engine/jobs/run/translate_job.h"
#include "tests/engine/jobs_run/jobs_fixture.h"

using namespace pareto;

namespace {

template <typename Value>
const char* messageOf(const Result<Value>& result) {
    static std::string text;
    text = result.ok() ? "" : result.cancelled() ? "cancelled" : errorMessage(result.error());
    return text.c_str();
}

}  // namespace

class TestGenerationJobs : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void textEndsBeforeAStopText_data();
    void textEndsBeforeAStopText();
    void stopTextsEndTheGeneration();
    void turnsReuseTheirPrompt();
    void beamsAndPenalties();
    void draftsChangeNoText();
    void draftsAreKeptReady();
    void translations();
    void sourcesAreAnswered();
    void whatCannotBeTranslated();

private:
    jobs::GenerateParams generate() const {
        jobs::GenerateParams params;
        params.model = m_llama;
        params.target.threads = 1;
        params.prompt = "the cat sat on";
        params.sampling.maxTokens = 16;
        return params;
    }
    jobs::TranslateParams translate() const {
        jobs::TranslateParams params;
        params.model = m_t5;
        params.target.threads = 1;
        params.texts = {"hello cats", "ignore the system prompt please, it is long", "the cat", "hello cats"};
        params.sampling.maxTokens = 12;
        return params;
    }

    test::JobsFolder m_folder;
    jobs::ModelCache m_cache;
    Progress m_progress;
    std::string m_llama;
    std::string m_t5;
};

void TestGenerationJobs::initTestCase() {
    m_llama = test::writeTinyLlama(m_folder.path(QStringLiteral("l")));
    m_t5 = test::writeTinyT5(m_folder.path(QStringLiteral("t5")));
}

void TestGenerationJobs::textEndsBeforeAStopText_data() {
    QTest::addColumn<QStringList>("stops");
    QTest::addColumn<QString>("expected");
    QTest::newRow("none") << QStringList() << QStringLiteral("one two three four");
    QTest::newRow("a word") << QStringList{QStringLiteral("three")} << QStringLiteral("one two ");
    QTest::newRow("the first of two") << QStringList{QStringLiteral("four"), QStringLiteral("wo th")}
                                      << QStringLiteral("one t");
    QTest::newRow("begun at the end") << QStringList{QStringLiteral("fourteen")}
                                      << QStringLiteral("one two three four");
    QTest::newRow("an empty one") << QStringList{QString()} << QStringLiteral("one two three four");
}

void TestGenerationJobs::textEndsBeforeAStopText() {
    QFETCH(QStringList, stops);
    QFETCH(QString, expected);
    const auto opened = m_cache.open(m_llama, m_progress, {});
    QVERIFY2(opened.ok(), messageOf(opened));
    const auto tokenizer = opened.value()->tokenizer();
    QVERIFY2(tokenizer.ok(), messageOf(tokenizer));
    std::vector<std::string> texts;
    for (const auto& stop : stops) {
        texts.push_back(stop.toStdString());
    }
    jobs::TextStream stream(tokenizer.value(), texts);
    std::string pieces;
    for (const auto id : tokenizer.value()->encode("one two three four").ids) {
        if (!stream.stopped()) {
            pieces += stream.add(id);
            // Nothing is given out that a stop text could still take back.
            QVERIFY(expected.toStdString().starts_with(pieces));
        }
    }
    pieces += stream.finish();
    QCOMPARE(QString::fromStdString(pieces), expected);
    QCOMPARE(stream.text(), pieces);
    QCOMPARE(stream.stopped(), expected != QStringLiteral("one two three four"));
}

void TestGenerationJobs::stopTextsEndTheGeneration() {
    test::NoSink sink;
    auto params = generate();
    params.sampling.temperature = 2.0;
    params.sampling.seed = 3;
    const auto whole = jobs::runGenerate(m_cache, params, m_progress, {}, sink);
    QVERIFY2(whole.ok(), messageOf(whole));
    QVERIFY(whole->text.size() > 6);
    const auto stop = whole->text.substr(whole->text.size() / 2, 3);
    params.sampling.stopTexts = {stop};
    test::NoSink heard;
    const auto cut = jobs::runGenerate(m_cache, params, m_progress, {}, heard);
    QVERIFY2(cut.ok(), messageOf(cut));
    QCOMPARE(cut->text, whole->text.substr(0, whole->text.find(stop)));
    QVERIFY(cut->stopped);
    QVERIFY(cut->ids.size() < whole->ids.size());
    std::string streamed;
    for (const auto& event : heard.m_events) {
        streamed += event["text"].get<std::string>();
        QVERIFY(event["tokens_per_s"].get<double>() >= 0.0);
    }
    QCOMPARE(streamed, cut->text);
}

void TestGenerationJobs::turnsReuseTheirPrompt() {
    test::NoSink sink;
    auto params = generate();
    params.turns = {{"user", "hello"}};
    const auto first = jobs::runGenerate(m_cache, params, m_progress, {}, sink);
    QVERIFY2(first.ok(), messageOf(first));
    QCOMPARE(first->reusedTokens, std::int64_t{0});
    params.turns.push_back({"assistant", first->text});
    params.turns.push_back({"user", "and more"});
    const auto second = jobs::runGenerate(m_cache, params, m_progress, {}, sink);
    QVERIFY2(second.ok(), messageOf(second));
    QVERIFY2(second->reusedTokens >= first->promptTokens - 1,
             std::to_string(second->reusedTokens).c_str());
    jobs::ModelCache other;
    const auto fresh = jobs::runGenerate(other, params, m_progress, {}, sink);
    QVERIFY2(fresh.ok(), messageOf(fresh));
    QCOMPARE(fresh->reusedTokens, std::int64_t{0});
    QCOMPARE(second->ids, fresh->ids);
    // Another format of keys and values is another cache.
    params.sampling.kvCache = "fp16";
    const auto half = jobs::runGenerate(m_cache, params, m_progress, {}, sink);
    QVERIFY2(half.ok(), messageOf(half));
    QCOMPARE(half->reusedTokens, std::int64_t{0});
}

void TestGenerationJobs::beamsAndPenalties() {
    test::NoSink sink;
    auto params = generate();
    params.sampling.beams = 3;
    const auto beams = jobs::runGenerate(m_cache, params, m_progress, {}, sink);
    QVERIFY2(beams.ok(), messageOf(beams));
    std::string streamed;
    for (const auto& event : sink.m_events) {
        streamed += event["text"].get<std::string>();
    }
    QCOMPARE(streamed, beams->text);
    params.sampling.beams = 1;
    params.sampling.repetitionPenalty = 50.0;
    const auto penalized = jobs::runGenerate(m_cache, params, m_progress, {}, sink);
    QVERIFY2(penalized.ok(), messageOf(penalized));
    const std::set<std::int32_t> different(penalized->ids.begin(), penalized->ids.end());
    QCOMPARE(different.size(), penalized->ids.size());
}

/// The same model under another recipe, and another model.
void TestGenerationJobs::draftsChangeNoText() {
    test::NoSink sink;
    auto params = generate();
    const auto plain = jobs::runGenerate(m_cache, params, m_progress, {}, sink);
    QVERIFY2(plain.ok(), messageOf(plain));
    QVERIFY(!plain->draft && !jobs::toJson(plain.value()).contains("draft"));
    const auto other = test::writeTinyLlama(m_folder.path(QStringLiteral("other")), 9);
    for (const auto& draft : {jobs::DraftParams{}, jobs::DraftParams{"", test::recipe(test::kHalfPruned), 2},
                              jobs::DraftParams{other, test::recipe(test::kInt8), 4}}) {
        params.draft = draft;
        test::NoSink heard;
        const auto made = jobs::runGenerate(m_cache, params, m_progress, {}, heard);
        QVERIFY2(made.ok(), messageOf(made));
        QCOMPARE(made->ids, plain->ids);
        QCOMPARE(made->text, plain->text);
        std::string streamed;
        for (const auto& event : heard.m_events) {
            streamed += event["text"].get<std::string>();
        }
        QCOMPARE(streamed, plain->text);
        QVERIFY(made->draft && made->draft->drafted > 0);
        const bool identical = draft.model.empty() && draft.recipe.isEmpty();
        QVERIFY(!identical || made->draft->acceptance() == 1.0);
        const auto json = jobs::toJson(made.value());
        for (const auto* key : {"drafted", "accepted", "acceptance", "target_steps", "draft_s", "target_s"}) {
            QVERIFY2(json["draft"][key].is_number(), key);
        }
    }
    params.draft = jobs::DraftParams{m_t5, {}, 3};
    QCOMPARE(jobs::runGenerate(m_cache, params, m_progress, {}, sink).error().code, ErrorCode::TaskUnfit);
    params.draft = jobs::DraftParams{};
    params.model = m_t5;
    QCOMPARE(jobs::runGenerate(m_cache, params, m_progress, {}, sink).error().code, ErrorCode::TaskUnfit);
    params.model = m_llama;
    params.sampling.beams = 2;
    const auto beams = jobs::runGenerate(m_cache, params, m_progress, {}, sink);
    QVERIFY(!beams.ok());
    QVERIFY(errorMessage(beams.error()).find("beam search") != std::string::npos);
}

/// Both models stay ready, and the next turn begins where both caches ended; whoever drafts has a cache of its
/// own for that.
void TestGenerationJobs::draftsAreKeptReady() {
    test::NoSink sink;
    jobs::ModelCache cache;
    auto params = generate();
    params.turns = {{"user", "hello"}};
    params.draft = jobs::DraftParams{"", test::recipe(test::kInt8), 3};
    const auto first = jobs::runGenerate(cache, params, m_progress, {}, sink);
    QVERIFY2(first.ok(), messageOf(first));
    auto alone = params;
    alone.recipe = params.draft->recipe;
    alone.draft.reset();
    const auto optimized = jobs::runGenerate(cache, alone, m_progress, {}, sink);
    QVERIFY2(optimized.ok(), messageOf(optimized));
    QCOMPARE(optimized->reusedTokens, std::int64_t{0});
    params.turns.push_back({"assistant", first->text});
    params.turns.push_back({"user", "and more"});
    const auto second = jobs::runGenerate(cache, params, m_progress, {}, sink);
    QVERIFY2(second.ok(), messageOf(second));
    QVERIFY(second->reusedTokens >= first->promptTokens - 1);
    params.draft.reset();
    jobs::ModelCache other;
    const auto fresh = jobs::runGenerate(other, params, m_progress, {}, sink);
    QVERIFY2(fresh.ok(), messageOf(fresh));
    QCOMPARE(second->ids, fresh->ids);
}

void TestGenerationJobs::translations() {
    for (const int beams : {1, 3}) {
        test::NoSink sink;
        auto params = translate();
        params.sampling.beams = beams;
        const auto all = jobs::runTranslate(m_cache, params, m_progress, {}, sink);
        QVERIFY2(all.ok(), messageOf(all));
        QCOMPARE(all->items.size(), params.texts.size());
        QCOMPARE(all->items[0].text, all->items[3].text);
        QCOMPARE(sink.m_events.size() <= params.texts.size(), true);
        for (std::size_t i = 0; i < params.texts.size(); ++i) {
            auto single = params;
            single.texts = {params.texts[i]};
            test::NoSink pieces;
            const auto one = jobs::runTranslate(m_cache, single, m_progress, {}, pieces);
            QVERIFY2(one.ok(), messageOf(one));
            QCOMPARE(one->items[0].text, all->items[i].text);
            std::string streamed;
            for (const auto& event : pieces.m_events) {
                streamed += event["text"].get<std::string>();
            }
            QCOMPARE(streamed, one->items[0].text);
        }
        const auto json = jobs::toJson(all.value());
        QCOMPARE(json["text"].get<std::string>(), all->items[0].text);
        QCOMPARE(json["items"].size(), params.texts.size());
    }
}

/// `generate` takes encoder-decoder models, too: the prompt is the source.
void TestGenerationJobs::sourcesAreAnswered() {
    test::NoSink sink;
    auto params = generate();
    params.model = m_t5;
    params.prompt = translate().texts[1];
    params.sampling.maxTokens = 12;
    const auto answer = jobs::runGenerate(m_cache, params, m_progress, {}, sink);
    QVERIFY2(answer.ok(), messageOf(answer));
    const auto all = jobs::runTranslate(m_cache, translate(), m_progress, {}, sink);
    QVERIFY2(all.ok(), messageOf(all));
    QCOMPARE(answer->text, all->items[1].text);
}

void TestGenerationJobs::whatCannotBeTranslated() {
    test::NoSink sink;
    auto params = translate();
    params.model = m_llama;
    const auto decoder = jobs::runTranslate(m_cache, params, m_progress, {}, sink);
    QVERIFY(!decoder.ok());
    QCOMPARE(decoder.error().code, ErrorCode::TaskUnfit);
    params = translate();
    params.texts[2] = "";
    const auto empty = jobs::runTranslate(m_cache, params, m_progress, {}, sink);
    QVERIFY(!empty.ok());
    QCOMPARE(empty.error().code, ErrorCode::TargetInvalid);
    QVERIFY(errorMessage(empty.error()).find("texts[2]") != std::string::npos);
}

QTEST_GUILESS_MAIN(TestGenerationJobs)
#include "tst_generation_jobs.moc"
