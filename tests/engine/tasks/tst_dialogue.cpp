#include <QTest>

#include <cmath>

#include "tests/engine/tasks/fakes.h"

using namespace pareto;
using namespace pareto::fakes;

/// The loss of a byte is 2 inside of "answer", else 5: the figure shows what was scored.
class TestDialogue : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void onlyTheAssistantIsScored();
    void longDialoguesAreCut();
    void dialoguesWithoutTurnsAreNoItems();
    void badMessagesAreNamed();
    void anEncoderDoesNotFit();

private:
    models::RunnableModel model() {
        models::RunnableModel out;
        auto decoder = std::make_unique<FakeDecoder>([this](const std::vector<std::int32_t>& ids, std::size_t i) {
            m_text.assign(ids.begin(), ids.end());
            return ids[i] >= '0' && ids[i] <= '9' ? 2.0F : 5.0F;
        });
        decoder->m_layout.maxPositions = 4096;
        out.decoder = std::move(decoder);
        return out;
    }
    Task task(const QByteArray& lines) {
        auto task = taskOf(TaskKind::Dialogue, writeFile(m_folder, "d.jsonl", lines), DataFormat::Jsonl);
        task.maxLength = 4096;
        return task;
    }
    std::string m_text;
    QTemporaryDir m_folder;
};

void TestDialogue::onlyTheAssistantIsScored() {
    auto decoder = model();
    const auto result = evaluate(decoder, task("{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"},{\"role\":\"assistant\",\"content\":\"123\"},"
                                               "{\"role\":\"user\",\"content\":\"more\"},{\"role\":\"assistant\",\"content\":\"45\"}]}\n"));
    QVERIFY2(result.ok(), result.ok() ? "" : errorMessage(result.error()).c_str());
    // The digits and twice the mark of the turn's end.
    const double marks = 2.0 * std::string("<|im_end|>").size();
    QCOMPARE(result->items[0].parts, (std::vector<double>{5 * 2.0 + marks * 5.0, 5.0 + marks}));
    QCOMPARE(result->headline().key, std::string("perplexity"));
    QVERIFY(std::abs(result->headline().value - std::exp((10.0 + 5.0 * marks) / (5.0 + marks))) < 1e-9);
    QVERIFY(m_text.ends_with("45<|im_end|>\n"));
}

void TestDialogue::longDialoguesAreCut() {
    auto decoder = model();
    auto cut = task("{\"messages\":[{\"role\":\"user\",\"content\":\"\"},{\"role\":\"assistant\",\"content\":\"1234567890\"}]}\n");
    const std::string before = "<|im_start|>user\n<|im_end|>\n<|im_start|>assistant\n";
    cut.maxLength = static_cast<std::int64_t>(before.size()) + 4;
    const auto result = evaluate(decoder, cut);
    QVERIFY(result.ok());
    QCOMPARE(result->items[0].parts, (std::vector<double>{8.0, 4.0}));
    QCOMPARE(result->details["dialogues_cut"].get<int>(), 1);
}

void TestDialogue::dialoguesWithoutTurnsAreNoItems() {
    auto decoder = model();
    const QByteArray silent = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}\n";
    const auto none = evaluate(decoder, task(silent));
    QVERIFY(!none.ok() && none.error().code == ErrorCode::DataEmpty);
    const auto some = evaluate(decoder, task(silent + "{\"messages\":[{\"role\":\"assistant\",\"content\":\"1\"}]}\n"));
    QVERIFY(some.ok());
    QCOMPARE(some->items.size(), std::size_t{1});
    QCOMPARE(some->items[0].item, std::int64_t{1});
    QCOMPARE(some->details["dialogues_without_turns"].get<int>(), 1);
}

void TestDialogue::badMessagesAreNamed() {
    auto decoder = model();
    for (const char* bad : {"{\"messages\":\"x\"}\n", "{\"messages\":[{\"role\":\"user\"}]}\n", "{\"messages\":[]}\n"}) {
        const auto result = evaluate(decoder, task(bad));
        QVERIFY(!result.ok() && result.error().code == ErrorCode::DataRowInvalid);
        QCOMPARE(result.error().args.at("line"), std::string("1"));
    }
}

void TestDialogue::anEncoderDoesNotFit() {
    models::RunnableModel encoder;
    encoder.encoder = std::make_unique<FakeEncoder>([](const auto&) { return std::vector<float>{0.0F}; });
    QVERIFY(evaluate(encoder, task("{}\n")).error().code == ErrorCode::TaskUnfit);
}

QTEST_GUILESS_MAIN(TestDialogue)
#include "tst_dialogue.moc"
