// Batches of texts as parts for threads: each text once, in order, so that threads end at about the same time; and what parts
// give is what the whole gives.
#include "tests/engine/models/recipes.h"

#include <filesystem>
#include <numeric>

#include "engine/models/text_parts.h"

using namespace pareto;
using namespace pareto::test;
using models::TextPart;

namespace {

const std::string kEncoders = PARETO_SOURCE_DIR "/tests/golden/models/encoders/";

std::vector<std::vector<std::int32_t>> textsOf(const QList<int>& lengths) {
    std::vector<std::vector<std::int32_t>> out;
    for (const int length : lengths) {
        auto& ids = out.emplace_back(static_cast<std::size_t>(length));
        for (int i = 0; i < length; ++i) {
            ids[static_cast<std::size_t>(i)] = 5 + static_cast<std::int32_t>((out.size() * 7 + static_cast<std::size_t>(i) * 3) % 20);
        }
    }
    return out;
}

QList<int> tokensOf(const std::vector<TextPart>& parts) {
    QList<int> out;
    for (const auto& part : parts) {
        out.push_back(static_cast<int>(part.tokens));
    }
    return out;
}

Result<models::RunnableModel> prepared(const std::string& name, int threads) {
    PARETO_TRY(const auto model, openModel(kEncoders + name));
    Progress progress;
    models::DeviceOptions options;
    options.threads = threads;
    return models::prepareModel(model, options, progress, {});
}

}  // namespace

class TestTextParts : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void parts_data();
    void parts();
    void sameOutputs_data();
    void sameOutputs();
    void errorsAndCancelling();
};

void TestTextParts::parts_data() {
    QTest::addColumn<QList<int>>("lengths");
    QTest::addColumn<int>("threads");
    QTest::addColumn<QList<int>>("expected");
    QTest::newRow("a text each") << QList<int>{128, 128} << 2 << QList<int>{128, 128};
    QTest::newRow("eight, of 128 tokens a time") << QList<int>(8, 128) << 2 << QList<int>(8, 128);
    QTest::newRow("short ones together") << QList<int>(64, 16) << 2 << QList<int>(8, 128);
    QTest::newRow("no remainder that one waits for") << QList<int>(16, 30) << 2 << QList<int>{240, 240};
    QTest::newRow("one text") << QList<int>{500} << 2 << QList<int>{500};
    QTest::newRow("too little") << QList<int>{60, 60} << 2 << QList<int>{120};
    QTest::newRow("one would wait long") << QList<int>{128, 128, 128} << 2 << QList<int>{384};
    QTest::newRow("fewer texts than threads") << QList<int>{300, 300} << 4 << QList<int>{600};
    QTest::newRow("one thread, for its caches") << QList<int>{128, 128, 128} << 1 << QList<int>{128, 128, 128};
    QTest::newRow("a long one beside short ones") << QList<int>{240, 40, 40, 40, 40, 40, 40} << 2 << QList<int>{240, 240};
    QTest::newRow("nothing") << QList<int>{} << 2 << QList<int>{};
}

void TestTextParts::parts() {
    QFETCH(QList<int>, lengths);
    QFETCH(int, threads);
    QFETCH(QList<int>, expected);
    const auto texts = textsOf(lengths);
    const auto parts = models::partsOfThreads(texts, threads);
    QCOMPARE(tokensOf(parts), expected);
    std::size_t next = 0;
    for (const auto& part : parts) {
        QCOMPARE(part.first, next);
        QVERIFY(part.end > part.first);
        next = part.end;
    }
    QCOMPARE(next, texts.size());
}

void TestTextParts::sameOutputs_data() {
    QTest::addColumn<QString>("name");
    for (const auto& entry : std::filesystem::directory_iterator(kEncoders)) {
        if (entry.is_directory()) {
            const auto name = QString::fromStdString(entry.path().filename().string());
            QTest::newRow(qPrintable(name)) << name;
        }
    }
}

/// All families and heads: a batch that two threads divide, against its texts one by one with one thread.
void TestTextParts::sameOutputs() {
    QFETCH(QString, name);
    const auto alone = prepared(name.toStdString(), 1);
    QVERIFY2(alone.ok(), alone.ok() ? "" : qPrintable(QString::fromStdString(errorMessage(alone.error()))));
    const auto texts = textsOf({30, 29, 28, 30, 27, 30, 30, 26});
    QVERIFY(models::partsOfThreads(texts, 2).size() > 1);
    const auto kind = alone->encoder->layout().outputs;
    const bool whole = kind == Outputs::Embedding || kind == Outputs::Classes;
    const auto outputs = [&](const models::RunnableModel& model, const models::TokenBatch& batch) {
        if (whole) {
            const auto made = model.encoder->run(batch, {});
            return made.ok() ? made->values : std::vector<float>();
        }
        // Of three tokens of each text.
        const std::vector<std::vector<std::int32_t>> wanted(batch.ids.size(), {0, 7, 20});
        const auto made = model.encoder->tokenOutputs(batch, wanted, {});
        return made.ok() ? made->values.values : std::vector<float>();
    };
    std::vector<float> expected;
    for (const auto& text : texts) {
        const auto one = outputs(alone.value(), {{text}, {}});
        QVERIFY(!one.empty());
        expected.insert(expected.end(), one.begin(), one.end());
    }
    const auto both = prepared(name.toStdString(), 2);
    QVERIFY(both.ok());
    const auto found = outputs(both.value(), {texts, {}});
    QCOMPARE(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        QVERIFY2(std::fabs(found[i] - expected[i]) < 2e-4F, qPrintable(QStringLiteral("%1: %2, %3").arg(i).arg(found[i]).arg(expected[i])));
    }
    const auto hidden = both->encoder->hiddenStates({texts, {}}, {});
    QVERIFY(hidden.ok());
    QCOMPARE(hidden->rows, std::int64_t{8 * 30});
}

/// A text that the model refuses, in whichever part, what a thread throws, and a run that is stopped.
void TestTextParts::errorsAndCancelling() {
    const auto texts = textsOf({30, 30, 30, 30, 30, 30, 30, 30});
    QVERIFY(models::partsOfThreads(texts, 2).size() > 1);
    const auto ranks = prepared("bert_rank", 2);
    QVERIFY(ranks.ok());
    std::stop_source stop;
    stop.request_stop();
    QVERIFY(ranks->encoder->run({texts, {}}, stop.get_token()).cancelled());
    const auto tokens = prepared("bert_tokens", 2);
    QVERIFY(tokens.ok());
    for (const std::size_t bad : {std::size_t{0}, std::size_t{7}}) {
        auto wrong = texts;
        wrong[bad][3] = 1'000'000;
        const auto made = ranks->encoder->run({wrong, {}}, {});
        QVERIFY(!made.ok() && !made.cancelled());
        QVERIFY(errorMessage(made.error()).find("1000000") != std::string::npos);
        std::vector<std::vector<std::int32_t>> wanted(texts.size(), {1});
        wanted[bad] = {30};
        const auto outside = tokens->encoder->tokenOutputs({texts, {}}, wanted, {});
        QVERIFY(!outside.ok() && !outside.cancelled());
        QVERIFY(errorMessage(outside.error()).find("outside its text") != std::string::npos);
        wanted[bad] = {29};
        QVERIFY(tokens->encoder->tokenOutputs({texts, {}}, wanted, {}).ok());
    }
}

QTEST_GUILESS_MAIN(TestTextParts)
#include "tst_text_parts.moc"
