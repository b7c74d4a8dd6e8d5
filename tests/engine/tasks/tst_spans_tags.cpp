// Answers and entities out of logits; whole runs against transformers' pipelines are in
// tests/engine/jobs_run/tst_token_jobs.cpp.
#include <cmath>

#include <QtTest>

#include "engine/tasks/answer_span.h"
#include "engine/tasks/token_tags.h"
#include "engine/text/word_spans.h"

using namespace pareto;

namespace {

constexpr std::string_view kContext = "Ada wrote it in 1843.";

/// [CLS] who ? [SEP] Ada wro ##te it in 1843 . [SEP]
tasks::AnswerWindow window() {
    tasks::AnswerWindow out;
    out.offsets = {{0, 0}, {0, 3},   {3, 4},   {0, 0},   {0, 3},   {4, 7},
                   {7, 9}, {10, 12}, {13, 15}, {16, 20}, {20, 21}, {0, 0}};
    for (std::size_t i = 0; i < out.offsets.size(); ++i) {
        out.inContext.push_back(i >= 4 && i <= 10);
    }
    out.start.assign(out.offsets.size(), 0.0F);
    out.end = out.start;
    return out;
}

std::string wording(const tasks::AnswerSpan& span) {
    return std::string(
        kContext.substr(static_cast<std::size_t>(span.bytes.begin),
                        static_cast<std::size_t>(span.bytes.end - span.bytes.begin)));
}

}  // namespace

class TestSpansTags : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void words();
    void bestSpan();
    void wideningAddsUp();
    void noAnswer();
    void questionAndLengthAreLimits();
    void severalWindows();
    void tags();
    void entities();
};

void TestSpansTags::words() {
    const std::string text = " don't  stop, 東京\n";
    std::vector<std::string> found;
    for (const auto& span : text::wordSpans(text)) {
        found.push_back(text.substr(static_cast<std::size_t>(span.begin),
                                    static_cast<std::size_t>(span.end - span.begin)));
    }
    QCOMPARE(found, (std::vector<std::string>{"don", "'", "t", "stop", ",", "東", "京"}));
    QVERIFY(text::wordSpans("").empty());
}

void TestSpansTags::bestSpan() {
    auto one = window();
    one.start[9] = 5.0F;
    one.end[9] = 5.0F;
    const auto best = tasks::bestSpans({one}, kContext);
    QCOMPARE(best.size(), std::size_t{1});
    QCOMPARE(wording(best[0]), std::string("1843"));
    // Seven tokens of the context and [CLS] share what is left.
    const double share = std::exp(5.0) / (std::exp(5.0) + 7.0);
    QVERIFY(std::fabs(best[0].score - share * share) < 1e-6);
}

void TestSpansTags::wideningAddsUp() {
    auto one = window();
    one.start[5] = 4.0F;
    one.end[5] = 3.0F;
    one.end[6] = 4.0F;
    const auto best = tasks::bestSpans({one}, kContext);
    QCOMPARE(wording(best[0]), std::string("wrote"));
    const auto exact = tasks::bestSpans({one}, kContext, {.best = 2, .wholeWords = false});
    QCOMPARE(wording(exact[0]), std::string("wrote"));
    QCOMPARE(wording(exact[1]), std::string("wro"));
    QVERIFY(best[0].score > exact[0].score + exact[1].score - 1e-9);
}

void TestSpansTags::noAnswer() {
    auto one = window();
    one.start[0] = 9.0F;
    one.end[0] = 9.0F;
    one.start[4] = 1.0F;
    one.end[4] = 1.0F;
    QCOMPARE(wording(tasks::bestSpans({one}, kContext)[0]), std::string("Ada"));
    const auto best = tasks::bestSpans({one}, kContext, {.best = 2, .allowNone = true});
    QCOMPARE(best[0].bytes.end, 0);
    QVERIFY(best[0].score > 0.9);
    QCOMPARE(wording(best[1]), std::string("Ada"));
    QVERIFY(tasks::bestSpans({}, kContext, {.allowNone = true}).empty());
}

void TestSpansTags::questionAndLengthAreLimits() {
    auto one = window();
    one.start[1] = one.end[2] = 20.0F;  // the question is never an answer
    one.start[4] = 8.0F;
    one.end[10] = 8.0F;
    QCOMPARE(wording(tasks::bestSpans({one}, kContext)[0]), std::string(kContext));
    const auto shorter = tasks::bestSpans({one}, kContext, {.maxTokens = 6});
    QVERIFY(wording(shorter[0]) != kContext);
}

void TestSpansTags::severalWindows() {
    auto weak = window();
    auto strong = window();
    weak.start[4] = weak.end[4] = 2.0F;
    strong.start[9] = strong.end[9] = 6.0F;
    QCOMPARE(wording(tasks::bestSpans({weak, strong}, kContext)[0]), std::string("1843"));
}

void TestSpansTags::tags() {
    const std::string text = "Ada Lovelace wrote.";
    const std::vector<text::Span> offsets{{0, 0}, {0, 3}, {4, 8}, {8, 12}, {13, 18}, {0, 0}};
    models::Matrix logits{6, 2, {9, 0, 0, 2, 0, 3, 5, 0, 4, 0, 9, 0}};
    const auto words = text::wordSpans(text);
    const auto tags = tasks::tagWords(words, offsets, logits);
    QCOMPARE(tags.size(), std::size_t{4});
    QCOMPARE(tags[0].label, 1);
    QCOMPARE(tags[1].label, 1);  // of "Love", not of "lace"
    QVERIFY(std::fabs(tags[1].score - 1.0 / (1.0 + std::exp(-3.0))) < 1e-9);
    QCOMPARE(tags[2].label, 0);
    QCOMPARE(tags[3].label, -1);  // the full stop was cut off
}

void TestSpansTags::entities() {
    const std::vector<std::string> labels{"O", "B-PER", "I-PER", "B-LOC", "I-LOC"};
    const auto word = [](std::int32_t begin, int label, double score) {
        return tasks::WordTag{{begin, begin + 3}, label, score};
    };
    const std::vector<tasks::WordTag> words{word(0, 1, 0.5),  word(4, 2, 0.7),  word(8, 0, 1.0),
                                            word(12, 1, 0.9), word(16, 1, 0.8), word(20, 4, 0.6),
                                            word(24, -1, 0.0)};
    const auto found = tasks::groupEntities(words, labels);
    QCOMPARE(found.size(), std::size_t{4});
    QCOMPARE(found[0].label, std::string("PER"));
    QCOMPARE(found[0].bytes.end, 7);
    QVERIFY(std::fabs(found[0].score - 0.6) < 1e-12);
    QCOMPARE(found[1].bytes.begin, 12);
    QCOMPARE(found[2].bytes.begin, 16);
    QCOMPARE(found[3].label, std::string("LOC"));
    QVERIFY(tasks::groupEntities({}, labels).empty());
}

QTEST_GUILESS_MAIN(TestSpansTags)
#include "tst_spans_tags.moc"
