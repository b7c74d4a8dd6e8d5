#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <limits>

#include "engine/tasks/task_runner.h"
#include "tests/engine/tasks/fakes.h"
#include "tests/support/peak_memory.h"

using namespace pareto;

class TestPerplexity : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() { m_decoder = nullptr; }
    void aUniformModelHasThePerplexityOfItsVocabulary();
    void gptqScoresAllButTheFirstOfDisjointWindows();
    void llamaCppScoresTheSecondHalf();
    void llamaCppPutsTheBosBeforeEachWindow();
    void stridedScoresEachTokenOnce();
    void theLimitTakesTheFirstWindows();
    void tooShortATextIsAnError();
    void lossesThatAreNoNumbersAreRefused();
    void aMillionTokensAreFew();

private:
    struct Options {
        std::string protocol = "gptq";
        std::int64_t window = 8;
        std::int64_t limit = 0;
        bool bos = false;
    };
    Result<tasks::EvalResult> evaluate(const QByteArray& text, fakes::FakeDecoder::Loss loss,
                                       const Options& options) {
        const auto path = m_folder.filePath(QStringLiteral("text.txt"));
        QFile file(path);
        [&] { QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Truncate)); }();
        file.write(text);
        file.close();
        auto decoder = std::make_unique<fakes::FakeDecoder>(std::move(loss));
        m_decoder = decoder.get();
        m_model.decoder = std::move(decoder);
        tasks::EvalRequest request;
        request.model = &m_model;
        request.tokenizer = std::make_shared<fakes::ByteTokenizer>(options.bos);
        request.task.kind = TaskKind::Perplexity;
        request.task.data = path.toStdString();
        request.task.format = DataFormat::Text;
        request.task.protocol = options.protocol;
        request.task.window = options.window;
        request.task.limit = options.limit;
        return fakes::evaluate(request);
    }
    /// The loss of a token is its own byte: sums show which tokens were scored.
    static float ownByte(const std::vector<std::int32_t>& ids, std::size_t i) {
        return static_cast<float>(ids[i]) / 100.0F;
    }
    static std::int64_t scored(const Result<tasks::EvalResult>& result) {
        return result->details["tokens_scored"].get<std::int64_t>();
    }
    QTemporaryDir m_folder;
    models::RunnableModel m_model;
    fakes::FakeDecoder* m_decoder = nullptr;
};

void TestPerplexity::aUniformModelHasThePerplexityOfItsVocabulary() {
    const auto loss = static_cast<float>(std::log(50.0));
    const auto result = evaluate(QByteArray(100, 'a'), [&](const auto&, std::size_t) { return loss; }, {});
    QVERIFY(result.ok());
    QVERIFY(std::abs(result->headline().value - 50.0) < 1e-4);
    QVERIFY(!result->headline().low);  // windows that are all alike say nothing of the spread
    QCOMPARE(result->metric, std::string("perplexity"));
}

void TestPerplexity::gptqScoresAllButTheFirstOfDisjointWindows() {
    // 20 tokens, windows of 8: two windows, four tokens left over.
    const auto result = evaluate("abcdefghijklmnopqrst", ownByte, {});
    QVERIFY(result.ok());
    QCOMPARE(scored(result), 14);
    QCOMPARE(result->items.size(), std::size_t{2});
    double sum = 0.0;
    for (const char c : std::string("bcdefghjklmnop")) {
        sum += static_cast<double>(c) / 100.0;
    }
    QVERIFY(std::abs(result->headline().value - std::exp(sum / 14.0)) < 1e-5);
    QVERIFY(std::abs(result->items[0].score - 1.01) < 1e-5);   // mean of b…h
    QVERIFY(*result->headline().low < *result->headline().high);
}

void TestPerplexity::llamaCppScoresTheSecondHalf() {
    const auto result = evaluate("abcdefghijklmnop", ownByte, {.protocol = "llama.cpp"});
    QVERIFY(result.ok());
    // Logits at positions 4, 5, 6 predict tokens 5, 6, 7 of each window: f g h and n o p.
    QCOMPARE(scored(result), 6);
    double sum = 0.0;
    for (const char c : std::string("fghnop")) {
        sum += static_cast<double>(c) / 100.0;
    }
    QVERIFY(std::abs(result->headline().value - std::exp(sum / 6.0)) < 1e-5);
}

void TestPerplexity::llamaCppPutsTheBosBeforeEachWindow() {
    const fakes::Alone alone;  // the calls of the model are counted
    const auto with = evaluate("abcdefghijklmnop", ownByte, {.protocol = "llama.cpp", .bos = true});
    QVERIFY(with.ok());
    QCOMPARE(m_decoder->m_windows.size(), std::size_t{2});
    for (const auto& window : m_decoder->m_windows) {
        QCOMPARE(window.front(), 0);
    }
    QCOMPARE(m_decoder->m_windows[0][1], static_cast<std::int32_t>('a'));
    const auto gptq = evaluate("abcdefghijklmnop", ownByte, {.bos = true});
    QVERIFY(gptq.ok());
    QCOMPARE(m_decoder->m_windows[0].front(), 0);
    QCOMPARE(m_decoder->m_windows[1].front(), static_cast<std::int32_t>('h'));
}

void TestPerplexity::stridedScoresEachTokenOnce() {
    // Windows at 0, 4, 8, 12 of 20 tokens: 7 + 4 + 4 + 4 tokens, every one but the first, once.
    const auto result = evaluate("abcdefghijklmnopqrst", ownByte, {.protocol = "strided"});
    QVERIFY(result.ok());
    QCOMPARE(scored(result), 19);
    double sum = 0.0;
    for (const char c : std::string("bcdefghijklmnopqrst")) {
        sum += static_cast<double>(c) / 100.0;
    }
    QVERIFY(std::abs(result->headline().value - std::exp(sum / 19.0)) < 1e-5);
}

void TestPerplexity::theLimitTakesTheFirstWindows() {
    const fakes::Alone alone;  // the calls of the model are counted
    const auto result = evaluate(QByteArray(800, 'x'), ownByte, {.limit = 3});
    QVERIFY(result.ok());
    QCOMPARE(m_decoder->m_windows.size(), std::size_t{3});
    QCOMPARE(result->details["windows_available"].get<int>(), 100);
    // One window says nothing about the spread between windows.
    const auto one = evaluate(QByteArray(800, 'x'), ownByte, {.limit = 1});
    QVERIFY(one.ok());
    QCOMPARE(one->headline().n, 1);
    QVERIFY(!one->headline().low && !one->headline().high);
}

void TestPerplexity::tooShortATextIsAnError() {
    const auto result = evaluate("abc", ownByte, {});
    QVERIFY(!result.ok());
    QCOMPARE(result.error().code, ErrorCode::DataEmpty);
}

void TestPerplexity::lossesThatAreNoNumbersAreRefused() {
    const auto result = evaluate(
        "abcdefghijklmnop",
        [](const auto&, std::size_t) { return std::numeric_limits<float>::quiet_NaN(); }, {});
    QVERIFY(!result.ok());
    QCOMPARE(result.error().code, ErrorCode::EngineFailure);
}

void TestPerplexity::aMillionTokensAreFew() {
    const fakes::Alone alone;  // memory is measured
    const auto before = test::peakMemory();
    const auto result = evaluate(QByteArray("abcdefgh").repeated(125'000), ownByte, {.window = 500});
    const auto grown = test::peakMemory() - before;
    QVERIFY(result.ok());
    QCOMPARE(result->items.size(), std::size_t{2000});
    QVERIFY2(before > 0 && grown < std::int64_t{64} << 20, qPrintable(QString::number(grown)));
}

QTEST_GUILESS_MAIN(TestPerplexity)
#include "tst_perplexity.moc"
