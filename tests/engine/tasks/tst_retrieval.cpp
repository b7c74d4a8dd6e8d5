// Similarity, retrieval and ranking: what is measured by embeddings and by a cross-encoder's score.

#include <QTest>

#include <cmath>
#include <cstdlib>
#include <fstream>

#include "engine/core/random.h"
#include "tests/engine/tasks/fakes.h"
#include "tests/support/peak_memory.h"

using namespace pareto;
using namespace pareto::fakes;

namespace {

std::string textOf(const std::vector<std::int32_t>& ids) { return {ids.begin(), ids.end()}; }

/// Counts of the letters a to d: texts are alike when they hold the same letters.
std::vector<float> letters(const std::vector<std::int32_t>& ids) {
    std::vector<float> counts(4, 0.01F);
    for (const auto id : ids) {
        if (id >= 'a' && id <= 'd') {
            counts[static_cast<std::size_t>(id - 'a')] += 1.0F;
        }
    }
    return counts;
}

}  // namespace

class TestRetrieval : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void similarityIsACorrelation();
    void aCrossEncoderScoresPairs();
    void scoresMustBeNumbers();
    void documentsInTheirOrder();
    void equalDocumentsByTheirIds();
    void theLimitDrawsQueries();
    void judgedQueriesMustBeThere();
    void tenThousandSentencesAreFew();
    void aLargeCorpusIsNotHeld();
    void cancelStops();
    void aCrossEncoderOrdersCandidates();
    void withoutCandidatesTheJudgedOnes();

private:
    models::RunnableModel embedder() {
        models::RunnableModel model;
        model.encoder = std::make_unique<FakeEncoder>(letters);
        return model;
    }
    /// The score of a pair is the number of letters 'x' in the document.
    models::RunnableModel crossEncoder() {
        models::RunnableModel model;
        model.encoder = std::make_unique<FakeEncoder>(
            [](const std::vector<std::int32_t>& ids) {
                const auto text = textOf(ids);
                return std::vector<float>{static_cast<float>(std::count(text.begin(), text.end(), 'x'))};
            },
            std::vector<std::string>{"score"});
        return model;
    }
    std::string folder(const char* name, const QByteArray& corpus, const QByteArray& queries, const QByteArray& qrels) {
        const QByteArray base(name);
        writeFile(m_folder, QByteArray(base + "/corpus.jsonl").constData(), corpus);
        writeFile(m_folder, QByteArray(base + "/queries.jsonl").constData(), queries);
        writeFile(m_folder, QByteArray(base + "/qrels/test.tsv").constData(), qrels);
        return m_folder.filePath(QString::fromLatin1(name)).toStdString();
    }
    std::string smallFolder() {
        return folder("small",
                      "{\"_id\":\"da\",\"title\":\"\",\"text\":\"aaaa\"}\n{\"_id\":\"db\",\"text\":\"bbbb\"}\n"
                      "{\"_id\":\"dab\",\"text\":\"aabb\"}\n{\"_id\":\"q1\",\"text\":\"aaaa\"}\n{\"_id\":\"dc\",\"title\":\"c\",\"text\":\"c\"}\n",
                      "{\"_id\":\"q1\",\"text\":\"aaa\"}\n{\"_id\":\"q2\",\"text\":\"bb\"}\n{\"_id\":\"q3\",\"text\":\"c\"}\n",
                      "query-id\tcorpus-id\tscore\nq1\tdab\t1\nq2\tdb\t2\nq2\tdab\t1\n");
    }
    QTemporaryDir m_folder;
};

void TestRetrieval::similarityIsACorrelation() {
    auto model = embedder();
    const auto data = writeFile(m_folder, "s.csv", "sentence1,sentence2,score\naa,aa,5\naa,ab,3.5\naab,abb,4\naa,bb,0\n");
    const auto result = evaluate(model, taskOf(TaskKind::Similarity, data, DataFormat::Csv));
    QVERIFY2(result.ok(), result.ok() ? "" : errorMessage(result.error()).c_str());
    QCOMPARE(result->headline().key, std::string("similarity_spearman"));
    QVERIFY(std::abs(result->headline().value - 1.0) < 1e-12);  // cosines 1, 0.71, 0.8, 0.02
    QVERIFY(result->measurements[1].value > 0.9 && result->measurements[1].value < 1.0);
    QCOMPARE(result->items[1].parts[1], 3.5);
}

void TestRetrieval::aCrossEncoderScoresPairs() {
    auto model = crossEncoder();
    const auto data = writeFile(m_folder, "p.csv", "sentence1,sentence2,score\na,x,1\nx,xxx,4\nb,b,0.5\n");
    const auto result = evaluate(model, taskOf(TaskKind::Similarity, data, DataFormat::Csv));
    QVERIFY2(result.ok(), result.ok() ? "" : errorMessage(result.error()).c_str());
    QVERIFY(std::abs(result->headline().value - 1.0) < 1e-12);
    QCOMPARE(result->items[1].score, 4.0);  // both texts are read at once
}

void TestRetrieval::scoresMustBeNumbers() {
    auto model = embedder();
    const auto data = writeFile(m_folder, "n.csv", "sentence1,sentence2,score\na,b,1\na,b,high\n");
    const auto result = evaluate(model, taskOf(TaskKind::Similarity, data, DataFormat::Csv));
    QVERIFY(!result.ok());
    QCOMPARE(result.error().args.at("line"), std::string("3"));
}

void TestRetrieval::documentsInTheirOrder() {
    auto model = embedder();
    const auto result = evaluate(model, taskOf(TaskKind::Retrieval, smallFolder(), DataFormat::Beir));
    QVERIFY2(result.ok(), result.ok() ? "" : errorMessage(result.error()).c_str());
    QCOMPARE(result->items.size(), std::size_t{2});  // q3 is not judged
    // The document that is the query itself is left out.
    QCOMPARE(result->items[0].answer, std::string("da dab dc db"));
    QVERIFY(std::abs(result->items[0].score - 1.0 / std::log2(3.0)) < 1e-12);
    QCOMPARE(result->items[0].parts, (std::vector<double>{result->items[0].score, 0.5, 1.0, 1.0}));
    QCOMPARE(result->items[1].score, 1.0);
    QCOMPARE(result->headline().key, std::string("ndcg_10"));
    QCOMPARE(result->headline().value, (result->items[0].score + 1.0) / 2.0);
    QCOMPARE(result->measurements[1].key, std::string("mrr_10"));
    QCOMPARE(result->measurements[1].value, 0.75);
    QCOMPARE(result->details["documents"].get<int>(), 5);
}

void TestRetrieval::equalDocumentsByTheirIds() {
    auto model = embedder();
    const auto data = folder("ties", "{\"_id\":\"1\",\"text\":\"a\"}\n{\"_id\":\"3\",\"text\":\"a\"}\n{\"_id\":\"2\",\"text\":\"a\"}\n",
                             "{\"_id\":\"q\",\"text\":\"a\"}\n", "q\t1\t1\n");
    const auto result = evaluate(model, taskOf(TaskKind::Retrieval, data, DataFormat::Beir));
    QVERIFY(result.ok());
    QCOMPARE(result->items[0].answer, std::string("3 2 1"));
}

void TestRetrieval::theLimitDrawsQueries() {
    auto model = embedder();
    auto task = taskOf(TaskKind::Retrieval, smallFolder(), DataFormat::Beir);
    task.limit = 1;
    const auto result = evaluate(model, task);
    QVERIFY(result.ok());
    QCOMPARE(result->items.size(), std::size_t{1});
    QCOMPARE(result->details["queries_available"].get<int>(), 2);
    task.split = "dev";
    const auto other = evaluate(model, task);
    QVERIFY(!other.ok() && other.error().args.at("file").ends_with("qrels/dev.tsv"));
}

void TestRetrieval::judgedQueriesMustBeThere() {
    auto model = embedder();
    const auto data = folder("none", "{\"_id\":\"1\",\"text\":\"a\"}\n", "{\"_id\":\"q\",\"text\":\"a\"}\n", "p\t1\t1\n");
    const auto result = evaluate(model, taskOf(TaskKind::Retrieval, data, DataFormat::Beir));
    QVERIFY(!result.ok() && result.error().code == ErrorCode::DataEmpty);
}

// 200,000 documents of 1 KB (2 million under PARETO_SOAK): the texts alone would be 200 MB.
void TestRetrieval::aLargeCorpusIsNotHeld() {
    const fakes::Alone alone;  // memory is measured
    const std::int64_t documents = std::getenv("PARETO_SOAK") != nullptr ? 2'000'000 : 200'000;
    const auto data = folder("large", "", "{\"_id\":\"q\",\"text\":\"aab\"}\n", "q\td777\t1\n");
    {
        std::ofstream corpus(data + "/corpus.jsonl");
        const std::string filler(1000, '.');
        for (std::int64_t i = 0; i < documents; ++i) {
            corpus << "{\"_id\":\"d" << i << "\",\"text\":\"" << (i == 777 ? "aab" : "cd") << filler << "\"}\n";
        }
    }
    auto model = embedder();
    auto task = taskOf(TaskKind::Retrieval, data, DataFormat::Beir);
    task.maxLength = 16;
    const auto before = test::peakMemory();
    const auto result = evaluate(model, task);
    const auto grown = test::peakMemory() - before;
    QVERIFY(result.ok());
    QCOMPARE(result->headline().value, 1.0);
    QCOMPARE(result->details["documents"].get<std::int64_t>(), documents);
    QVERIFY2(before > 0 && grown < std::int64_t{40} << 20, qPrintable(QString::number(grown)));
}

void TestRetrieval::tenThousandSentencesAreFew() {
    const fakes::Alone alone;  // memory is measured
    QByteArray rows = "sentence1,sentence2,score\n";
    for (int i = 0; i < 5000; ++i) {
        rows += QByteArray(i % 200, 'a') + "b," + QByteArray(1 + i % 150, 'c') + "," + QByteArray::number(i) + "\n";
    }
    const auto data = writeFile(m_folder, "many.csv", rows);
    auto model = embedder();
    const auto before = test::peakMemory();
    const auto result = evaluate(model, taskOf(TaskKind::Similarity, data, DataFormat::Csv));
    const auto grown = test::peakMemory() - before;
    QVERIFY(result.ok());
    QCOMPARE(result->items.size(), std::size_t{5000});
    QVERIFY2(before > 0 && grown < std::int64_t{64} << 20, qPrintable(QString::number(grown)));
}

void TestRetrieval::cancelStops() {
    auto model = embedder();
    std::stop_source stop;
    static_cast<FakeEncoder&>(*model.encoder).m_onRun = [&] { stop.request_stop(); };
    QVERIFY(evaluate(model, taskOf(TaskKind::Retrieval, smallFolder(), DataFormat::Beir), false, stop.get_token()).cancelled());
}

void TestRetrieval::aCrossEncoderOrdersCandidates() {
    auto model = crossEncoder();
    const auto data = folder("rank",
                             "{\"_id\":\"one\",\"text\":\"x\"}\n{\"_id\":\"two\",\"text\":\"xx\"}\n{\"_id\":\"three\",\"text\":\"xxx\"}\n",
                             "{\"_id\":\"q\",\"text\":\"?\"}\n", "q\tone\t1\n");
    writeFile(m_folder, "rank/candidates/test.tsv", "q\tone\t0\nq\ttwo\t0\n");
    const auto result = evaluate(model, taskOf(TaskKind::Ranking, data, DataFormat::Beir));
    QVERIFY2(result.ok(), result.ok() ? "" : errorMessage(result.error()).c_str());
    QCOMPARE(result->items[0].answer, std::string("two one"));
    QCOMPARE(result->measurements[1].value, 0.5);
}

void TestRetrieval::withoutCandidatesTheJudgedOnes() {
    auto model = crossEncoder();
    const auto data = folder("judged", "{\"_id\":\"a\",\"text\":\"x\"}\n{\"_id\":\"b\",\"text\":\"xx\"}\n{\"_id\":\"c\",\"text\":\"xxx\"}\n",
                             "{\"_id\":\"q\",\"text\":\"?\"}\n", "q\ta\t0\nq\tb\t2\nq\tmissing\t0\n");
    const auto result = evaluate(model, taskOf(TaskKind::Ranking, data, DataFormat::Beir));
    QVERIFY(result.ok());
    QCOMPARE(result->items[0].answer, std::string("b a missing"));
    QCOMPARE(result->headline().value, 1.0);
    auto embeddings = embedder();
    QVERIFY(evaluate(embeddings, taskOf(TaskKind::Ranking, data, DataFormat::Beir)).error().code == ErrorCode::TaskUnfit);
}

QTEST_GUILESS_MAIN(TestRetrieval)
#include "tst_retrieval.moc"
