#include <QTest>

#include <cmath>

#include "engine/tasks/answering.h"
#include "tests/engine/tasks/fakes.h"

using namespace pareto;
using namespace pareto::fakes;

/// The fake finds what stands in round brackets, whatever is asked; what has "never" in its question has
/// no answer.
class TestAnswering : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void spansOfContexts();
    void answersBehindTheFirstWindow();
    void noAnswerIsAnAnswer();
    void answersAreShort();
    void theBestAreDifferentOnes();
    void jsonLines();
    void anEncoderOfTextsDoesNotFit();
    void cancelStops();

private:
    static models::RunnableModel reader() {
        models::RunnableModel model;
        auto encoder = std::make_unique<FakeEncoder>([](const auto&) { return std::vector<float>{0.0F}; });
        encoder->m_layout.outputs = Outputs::AnswerSpan;
        encoder->m_onToken = [](const std::vector<std::int32_t>& ids, std::size_t i) {
            const std::string text(ids.begin(), ids.end());
            if (i == 0) {
                const float none = text.find("never") != std::string::npos ? 9.0F : 1.0F;
                return std::vector<float>{none, none};
            }
            const bool begins = text[i - 1] == '(';
            const bool ends = i + 1 < text.size() && text[i + 1] == ')';
            return std::vector<float>{begins ? 5.0F : 0.0F, ends ? 5.0F : 0.0F};
        };
        model.encoder = std::move(encoder);
        return model;
    }
    Task squad(const QByteArray& context, const QByteArray& questions) {
        return taskOf(TaskKind::QuestionAnswering,
                      writeFile(m_folder, "q.json",
                                "{\"data\":[{\"paragraphs\":[{\"context\":\"" + context + "\",\"qas\":[" + questions + "]}]}]}"),
                      DataFormat::Squad);
    }
    QTemporaryDir m_folder;
};

void TestAnswering::spansOfContexts() {
    auto model = reader();
    const auto result = evaluate(model, squad("It was (the red cat) then.",
                                              "{\"id\":\"1\",\"question\":\"who?\",\"answers\":[{\"text\":\"Red cat!\"}]},"
                                              "{\"id\":\"2\",\"question\":\"who?\",\"answers\":[{\"text\":\"x\"},{\"text\":\"a cat\"}]}"));
    QVERIFY2(result.ok(), result.ok() ? "" : errorMessage(result.error()).c_str());
    QCOMPARE(result->items[0].answer, std::string("the red cat"));
    QCOMPARE(result->items[0].parts, (std::vector<double>{1.0, 1.0}));
    QVERIFY(std::abs(result->items[1].score - 2.0 / 3.0) < 1e-12);
    QCOMPARE(result->headline().key, std::string("squad_f1"));
    QVERIFY(std::abs(result->headline().value - 5.0 / 6.0) < 1e-12);
    QCOMPARE(result->measurements[1].value, 0.5);
    QCOMPARE(result->details["no_answer_allowed"].get<bool>(), false);
}

void TestAnswering::answersBehindTheFirstWindow() {
    auto model = reader();
    auto task = squad(QByteArray(300, '.') + "(here)" + QByteArray(50, '.'),
                      "{\"id\":\"1\",\"question\":\"?\",\"answers\":[{\"text\":\"here\"}]}");
    task.maxLength = 64;
    task.docStride = 20;
    const auto result = evaluate(model, task);
    QVERIFY(result.ok());
    QCOMPARE(result->items[0].answer, std::string("here"));
    QCOMPARE(result->headline().value, 1.0);
}

void TestAnswering::noAnswerIsAnAnswer() {
    auto model = reader();
    const QByteArray asked = "{\"id\":\"1\",\"question\":\"never?\",\"answers\":[],\"is_impossible\":true},"
                             "{\"id\":\"2\",\"question\":\"now?\",\"answers\":[{\"text\":\"yes\"}]}";
    const auto result = evaluate(model, squad("so (yes) it is", asked));
    QVERIFY(result.ok());
    QVERIFY(result->items[0].answer.empty());
    QCOMPARE(result->items[0].score, 1.0);
    QCOMPARE(result->items[1].answer, std::string("yes"));
    QCOMPARE(result->headline().value, 1.0);
    // The lowest score of "no answer" counts: one window that holds an answer is enough to have one.
    auto windows = squad("so (yes) it is " + QByteArray(200, '.'), asked);
    windows.maxLength = 60;
    windows.docStride = 8;
    const auto longer = evaluate(model, windows);
    QVERIFY(longer.ok());
    QCOMPARE(longer->items[1].answer, std::string("yes"));
}

void TestAnswering::answersAreShort() {
    auto model = reader();
    const auto result = evaluate(model, squad("(" + QByteArray(31, 'x') + ") (" + QByteArray(30, 'y') + ")",
                                              "{\"id\":\"1\",\"question\":\"?\",\"answers\":[{\"text\":\"z\"}]}"));
    QVERIFY(result.ok());
    QCOMPARE(result->items[0].answer, std::string(30, 'y'));
}

void TestAnswering::theBestAreDifferentOnes() {
    auto model = reader();
    const ByteTokenizer tokenizer;
    const tasks::QuestionReader reader{*model.encoder, tokenizer, 40, 25, 2048};
    const std::vector<tasks::AskedQuestion> asked{{"?", "................(ab) (cd).................."}, {"?", "."}};
    const auto found = tasks::findAnswers(reader, asked, {});
    QVERIFY(found.ok());
    QCOMPARE(found->size(), std::size_t{2});
    const auto& best = found->front().best;
    QCOMPARE(best.size(), std::size_t{20});
    QCOMPARE(best[0].score, 10.0);
    for (std::size_t i = 1; i < best.size(); ++i) {
        QVERIFY(best[i].score <= best[i - 1].score);
        for (std::size_t j = 0; j < i; ++j) {
            QVERIFY(best[i].begin != best[j].begin || best[i].end != best[j].end);
        }
    }
    QCOMPARE(found->front().nullScore, 2.0);
}

void TestAnswering::jsonLines() {
    auto model = reader();
    const auto data = writeFile(m_folder, "q.jsonl",
                                "{\"question\":\"?\",\"context\":\"(a) b\",\"answers\":{\"text\":[\"A\",\"b\"],\"answer_start\":[1,4]}}\n"
                                "{\"question\":\"?\",\"context\":\"(c) d\",\"answers\":[\"d\"]}\n");
    const auto result = evaluate(model, taskOf(TaskKind::QuestionAnswering, data, DataFormat::Jsonl));
    QVERIFY2(result.ok(), result.ok() ? "" : errorMessage(result.error()).c_str());
    QCOMPARE(result->items[0].answer, std::string("a"));
    // "a" is an article: as SQuAD's script has it, nothing is left of it, and of v1.1 that scores EM alone.
    QCOMPARE(result->items[0].parts, (std::vector<double>{1.0, 0.0}));
    QCOMPARE(result->items[1].score, 0.0);
}

void TestAnswering::anEncoderOfTextsDoesNotFit() {
    models::RunnableModel model;
    model.encoder = std::make_unique<FakeEncoder>([](const auto&) { return std::vector<float>{0.0F}; });
    QVERIFY(evaluate(model, squad("c", "{\"id\":\"1\",\"question\":\"?\"}")).error().code == ErrorCode::TaskUnfit);
}

void TestAnswering::cancelStops() {
    auto model = reader();
    std::stop_source stop;
    stop.request_stop();
    QVERIFY(evaluate(model, squad("c", "{\"id\":\"1\",\"question\":\"?\"}"), false, stop.get_token()).cancelled());
}

QTEST_GUILESS_MAIN(TestAnswering)
#include "tst_answering.moc"
