// The field's metrics against the programs that define them: tests/golden/metrics (make_metrics.py says
// which), to 1e-6; and that rows of sums give bootstraps of whole-corpus scores.

#include <cmath>
#include <numeric>

#include <QTest>

#include "engine/core/json.h"
#include "engine/metrics/answers.h"
#include "engine/metrics/bleu.h"
#include "engine/metrics/chrf.h"
#include "engine/metrics/classes.h"
#include "engine/metrics/entities.h"
#include "engine/metrics/likelihood.h"
#include "engine/metrics/ranking.h"
#include "engine/metrics/rouge.h"
#include "engine/stats/stats.h"
#include "engine/text/unicode.h"
#include "engine/text/python_text.h"

using namespace pareto;

namespace {

Json golden(const char* name) {
    auto json = readJsonFile(std::string(PARETO_SOURCE_DIR "/tests/golden/metrics/") + name + ".json");
    return json.ok() ? std::move(json).value() : Json();
}

bool close(double found, double expected) {
    return std::abs(found - expected) <= 1e-6 || (std::isnan(found) && std::isnan(expected));
}

/// A message that says what was found where.
QByteArray said(const Json& at, double found, const std::string& what = {}) {
    return QByteArray::fromStdString(at.dump(-1, ' ', true).substr(0, 400) + " found " +
                                     std::to_string(found) + " " + what);
}

using Texts = std::vector<std::string>;

}  // namespace

class TestMetrics : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void pythonsWords();
    void tokenizer13a();
    void translation();
    void summaries();
    void answers();
    void entities();
    void classes();
    void rankings();
    void correlations();
    void divergences();
    void choices();
    void rowsGiveIntervals();
    void pairedRowsSeeTheDifference();
    void edges();
};

void TestMetrics::pythonsWords() {
    const auto cases = golden("words");
    QVERIFY(cases.size() > 100);
    for (const auto& line : cases) {
        const auto text = line[0].get<std::string>();
        QCOMPARE(text::lowercase(text), line[1].get<std::string>());
        QCOMPARE(text::splitWords(text), line[2].get<Texts>());
        std::vector<int> found;
        for (const auto& c : text::decodeUtf8(text)) {
            found.push_back(text::isAlphanumeric(c.code) ? 1 : 0);
        }
        QVERIFY2(found == line[3].get<std::vector<int>>(), said(line, 0));
    }
}

void TestMetrics::tokenizer13a() {
    const auto cases = golden("translation")["tokenized"];
    QVERIFY(cases.size() > 200);
    for (const auto& line : cases) {
        QCOMPARE(metrics::tokenize13a(line[0].get<std::string>()), line[1].get<std::string>());
    }
}

void TestMetrics::translation() {
    const auto cases = golden("translation")["cases"];
    QVERIFY(cases.size() >= 8);
    for (const auto& corpus : cases) {
        stats::ItemRows bleuRows(std::tuple_size_v<metrics::BleuRow>);
        stats::ItemRows chrfRows(std::tuple_size_v<metrics::ChrfRow>);
        for (std::size_t i = 0; i < corpus["hypotheses"].size(); ++i) {
            const auto hypothesis = corpus["hypotheses"][i].get<std::string>();
            const auto references = corpus["references"][i].get<Texts>();
            const auto& expected = corpus["rows"][i];
            const auto row = metrics::bleuRow(hypothesis, references);
            QVERIFY2(std::vector<double>(row.begin(), row.end()) ==
                         expected["bleu"].get<std::vector<double>>(),
                     said(expected, row[2]));
            const auto characters = metrics::chrfRow(hypothesis, references);
            QVERIFY2(close(metrics::bleu(row, true), expected["sentence_bleu"]),
                     said(expected, metrics::bleu(row, true)));
            QVERIFY2(close(metrics::chrf(characters), expected["sentence_chrf"]),
                     said(expected, metrics::chrf(characters)));
            bleuRows.add(row);
            chrfRows.add(characters);
        }
        QVERIFY2(close(metrics::bleu(bleuRows.sum()), corpus["bleu"]),
                 said(corpus["bleu"], metrics::bleu(bleuRows.sum())));
        QVERIFY2(close(metrics::chrf(chrfRows.sum()), corpus["chrf"]),
                 said(corpus["chrf"], metrics::chrf(chrfRows.sum())));
    }
}

void TestMetrics::summaries() {
    const auto cases = golden("summaries");
    QVERIFY(cases.size() >= 80);
    for (const auto& item : cases) {
        const auto scores = metrics::rouge(item["references"].get<Texts>(), item["prediction"].get<std::string>());
        const std::map<std::string, metrics::RougeScore> found{{"rouge1", scores.rouge1},
                                                               {"rouge2", scores.rouge2},
                                                               {"rougeL", scores.rougeL},
                                                               {"rougeLsum", scores.rougeLsum}};
        for (const auto& [name, score] : found) {
            const auto& expected = item["scores"][name];
            QVERIFY2(close(score.precision, expected[0]) && close(score.recall, expected[1]) &&
                         close(score.f1, expected[2]),
                     said(item, score.f1, name));
        }
    }
}

void TestMetrics::answers() {
    const auto cases = golden("answers");
    QVERIFY(cases.size() >= 300);
    for (const auto& item : cases) {
        const auto prediction = item["prediction"].get<std::string>();
        const auto expected = item["answers"].get<Texts>();
        QCOMPARE(metrics::normalizeAnswer(prediction), item["normalized"].get<std::string>());
        const auto v1 = metrics::scoreAnswer(prediction, expected);
        QVERIFY2(close(v1.exact, item["v1"][0]) && close(v1.f1, item["v1"][1]), said(item, v1.f1));
        const auto v2 = metrics::scoreAnswerOrNone(prediction, expected);
        QVERIFY2(close(v2.exact, item["v2"][0]) && close(v2.f1, item["v2"][1]), said(item, v2.f1));
    }
}

void TestMetrics::entities() {
    const auto cases = golden("entities");
    QVERIFY(cases.size() == 4);
    for (const auto& corpus : cases) {
        std::map<std::string, metrics::EntityCounts> table;
        metrics::EntityCounts all;
        stats::ItemRows rows(3);
        for (std::size_t i = 0; i < corpus["expected"].size(); ++i) {
            metrics::EntityCounts sentence;
            for (const auto& [type, counts] : metrics::countEntities(
                     corpus["expected"][i].get<Texts>(), corpus["predicted"][i].get<Texts>())) {
                table[type] += counts;
                sentence += counts;
            }
            all += sentence;
            rows.add(sentence.row());
        }
        QVERIFY2(close(all.precision(), corpus["precision"]), said(corpus["precision"], all.precision()));
        QVERIFY2(close(all.recall(), corpus["recall"]), said(corpus["recall"], all.recall()));
        QVERIFY2(close(all.f1(), corpus["f1"]), said(corpus["f1"], all.f1()));
        QCOMPARE(metrics::EntityCounts::ofRow(rows.sum()).f1(), all.f1());
        QCOMPARE(table.size(), corpus["types"].size());
        for (const auto& [type, counts] : table) {
            const auto& expected = corpus["types"][type];
            QVERIFY2(close(counts.precision(), expected[0]) && close(counts.recall(), expected[1]) &&
                         close(counts.f1(), expected[2]) && counts.expected == expected[3].get<std::int64_t>(),
                     said(expected, counts.f1(), type));
        }
    }
}

void TestMetrics::classes() {
    const auto cases = golden("classes");
    QVERIFY(cases.size() >= 7);
    for (const auto& item : cases) {
        metrics::Confusion confusion(item["classes"].get<std::size_t>());
        for (std::size_t i = 0; i < item["labels"].size(); ++i) {
            confusion.add(item["labels"][i].get<std::size_t>(), item["predictions"][i].get<std::size_t>());
        }
        QVERIFY2(close(metrics::accuracy(confusion), item["accuracy"]), said(item["accuracy"], metrics::accuracy(confusion)));
        QVERIFY2(close(metrics::macroF1(confusion), item["macro_f1"]), said(item["macro_f1"], metrics::macroF1(confusion)));
        QVERIFY2(close(metrics::matthews(confusion), item["matthews"]), said(item["matthews"], metrics::matthews(confusion)));
    }
}

void TestMetrics::rankings() {
    const auto cases = golden("rankings");
    QVERIFY(cases.size() >= 40);
    for (const auto& query : cases) {
        std::vector<metrics::ScoredDocument> documents;
        for (const auto& [id, score] : query["run"].items()) {
            documents.push_back({id, score.get<float>()});
        }
        metrics::rankDocuments(documents);
        const auto judgements = query["judgements"].get<metrics::Judgements>();
        for (std::size_t i = 0; i < query["cutoffs"].size(); ++i) {
            const auto scores =
                metrics::scoreRanking(documents, judgements, query["cutoffs"][i].get<std::size_t>());
            const auto& expected = query["scores"][i];
            QVERIFY2(close(scores.ndcg, expected[0]) && close(scores.reciprocal, expected[1]) &&
                         close(scores.recall, expected[2]),
                     said(query["scores"], scores.ndcg));
            QVERIFY2(close(scores.averagePrecision, query["map"]), said(query["map"], scores.averagePrecision));
        }
    }
}

void TestMetrics::correlations() {
    const auto cases = golden("numbers")["correlations"];
    QVERIFY(cases.size() >= 6);
    for (const auto& item : cases) {
        const auto a = item["a"].get<std::vector<double>>();
        const auto b = item["b"].get<std::vector<double>>();
        QVERIFY2(close(stats::pearson(a, b), item["pearson"]), said(item["pearson"], stats::pearson(a, b)));
        QVERIFY2(close(stats::spearman(a, b), item["spearman"]), said(item["spearman"], stats::spearman(a, b)));
    }
}

void TestMetrics::divergences() {
    const auto cases = golden("numbers")["divergences"];
    QVERIFY(cases.size() == 4);
    for (const auto& item : cases) {
        const auto original = item["original"].get<std::vector<float>>();
        const auto changed = item["changed"].get<std::vector<float>>();
        QVERIFY2(close(metrics::klDivergence(original, changed), item["kl"]),
                 said(item["kl"], metrics::klDivergence(original, changed)));
        QCOMPARE(metrics::klDivergence(original, original), 0.0);
        QCOMPARE(metrics::indexOfLargest(std::span(original)), item["top"][0].get<std::size_t>());
        QCOMPARE(metrics::indexOfLargest(std::span(changed)), item["top"][1].get<std::size_t>());
    }
}

void TestMetrics::choices() {
    const auto cases = golden("numbers")["choices"];
    QVERIFY(cases.size() == 30);
    bool differs = false;
    for (const auto& item : cases) {
        const auto scores = item["scores"].get<std::vector<double>>();
        const auto characters = item["characters"].get<std::vector<double>>();
        const auto bytes = item["bytes"].get<std::vector<double>>();
        QCOMPARE(metrics::likeliest(scores), item["acc"].get<std::size_t>());
        QCOMPARE(metrics::likeliest(scores, characters), item["acc_norm"].get<std::size_t>());
        QCOMPARE(metrics::likeliest(scores, bytes), item["acc_bytes"].get<std::size_t>());
        differs = differs || item["acc"] != item["acc_norm"];
    }
    QVERIFY(differs);
}

void TestMetrics::rowsGiveIntervals() {
    const auto corpus = golden("translation")["cases"][0];
    stats::ItemRows rows(std::tuple_size_v<metrics::BleuRow>);
    std::vector<double> indices;
    for (std::size_t i = 0; i < corpus["hypotheses"].size(); ++i) {
        rows.add(metrics::bleuRow(corpus["hypotheses"][i].get<std::string>(),
                                  corpus["references"][i].get<Texts>()));
        indices.push_back(static_cast<double>(i));
    }
    const auto statistic = [](std::span<const double> row) { return metrics::bleu(row); };
    const auto interval = stats::bootstrapRows(rows, statistic, {.resamples = 300, .seed = 4});
    // The same draws, each corpus put together again from its sentences.
    const auto slow = stats::bootstrap(
        indices,
        [&](std::span<const double> drawn) {
            std::vector<double> sum(rows.width(), 0.0);
            for (const auto index : drawn) {
                for (std::size_t i = 0; i < sum.size(); ++i) {
                    sum[i] += rows.row(static_cast<std::size_t>(index))[i];
                }
            }
            return metrics::bleu(sum);
        },
        {.resamples = 300, .seed = 4});
    QCOMPARE(interval.low, slow.low);
    QCOMPARE(interval.high, slow.high);
    const double value = metrics::bleu(rows.sum());
    QVERIFY(interval.low < value && value < interval.high);
}

void TestMetrics::pairedRowsSeeTheDifference() {
    // Perplexity over windows: b is worse by a factor that every window shares, the windows differ much.
    stats::ItemRows a(2);
    stats::ItemRows b(2);
    for (int i = 0; i < 60; ++i) {
        const double nats = 100.0 + 20.0 * (i % 7);
        a.add(std::array{nats, 50.0});
        b.add(std::array{nats * 1.01, 50.0});
    }
    const auto worse = stats::pairedRows(a, b, metrics::perplexity);
    QVERIFY(worse.significant && worse.n == 60);
    QCOMPARE(worse.difference, metrics::perplexity(b.sum()) - metrics::perplexity(a.sum()));
    QVERIFY(worse.interval.low > 0.0);
    const auto same = stats::pairedRows(a, a, metrics::perplexity);
    QVERIFY(!same.significant);
    QCOMPARE(same.difference, 0.0);
}

void TestMetrics::edges() {
    QCOMPARE(metrics::bleu(metrics::bleuRow("", Texts{"a"})), 0.0);
    QCOMPARE(metrics::chrf(metrics::chrfRow("", Texts{""})), 0.0);
    QVERIFY(std::abs(metrics::bleu(metrics::bleuRow("a b c d", Texts{"a b c d"})) - 100.0) < 1e-9);
    QCOMPARE(metrics::scoreAnswer("x", {}).exact, 0.0);
    QCOMPARE(metrics::scoreAnswerOrNone("the", {}).exact, 1.0);
    QCOMPARE(metrics::rouge("", "").rougeLsum.f1, 0.0);
    QCOMPARE(metrics::accuracy(metrics::Confusion(2)), 0.0);
    QCOMPARE(metrics::scoreRanking({}, {{"a", 1}}, 10).ndcg, 0.0);
    QVERIFY(metrics::entitiesOf({}).empty());
    const auto tooFew = stats::pearson(std::array{1.0}, std::array{2.0});
    QVERIFY(std::isnan(tooFew));
    stats::ItemRows one(2);
    one.add(std::array{2.0, 1.0});
    const auto interval = stats::bootstrapRows(one, metrics::perplexity);
    QCOMPARE(interval.low, interval.high);
    const float infinity = std::numeric_limits<float>::infinity();
    QVERIFY(std::isinf(metrics::klDivergence(std::array{0.0F, 0.0F}, std::array{0.0F, -infinity})));
}

QTEST_GUILESS_MAIN(TestMetrics)
#include "tst_metrics.moc"
