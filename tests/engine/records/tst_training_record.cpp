// What training tells on its way, as JSON and back.
#include <QtTest>

#include "engine/records/training.h"

using namespace pareto;

namespace {

ValidationPoint point(std::int64_t step, double value, bool best) {
    ValidationPoint out{step, "accuracy", value, best};
    out.confusion = ConfusionMatrix{{"calm", "\"loud\""}, {{step, 1}, {2, 30}}};
    return out;
}

}  // namespace

class TestTrainingRecord : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aValidationComesBackWithItsCounts() {
        const auto before = point(7, 0.9, true);
        const auto back = validationPointFromJson(toJson(before));
        QVERIFY(back.ok());
        QVERIFY(back.value() == before);
        QCOMPARE(toJson(before)["confusion"]["counts"], Json::parse("[[7, 1], [2, 30]]"));
    }

    /// Records of programs that knew no counts, and of other tasks.
    void withoutCountsItIsWhatItWas() {
        const Json old = Json::parse(R"({"step": 3, "metric": "accuracy", "value": 0.5, "best": true})");
        const auto read = validationPointFromJson(old);
        QVERIFY(read.ok());
        QVERIFY(!read->confusion);
        QCOMPARE(toJson(read.value()), old);
        Json null = old;
        null["confusion"] = Json();
        QVERIFY(validationPointFromJson(null).ok());
    }

    void countsThatAreNoMatrixAreRefused_data() {
        QTest::addColumn<QString>("confusion");
        QTest::newRow("a list") << QStringLiteral("[1, 2]");
        QTest::newRow("no counts") << QStringLiteral(R"({"classes": ["a"]})");
        QTest::newRow("no classes") << QStringLiteral(R"({"classes": [], "counts": []})");
        QTest::newRow("a row too few") << QStringLiteral(R"({"classes": ["a", "b"], "counts": [[1, 2]]})");
        QTest::newRow("a short row") << QStringLiteral(R"({"classes": ["a", "b"], "counts": [[1, 2], [3]]})");
        QTest::newRow("a text") << QStringLiteral(R"({"classes": ["a"], "counts": [["1"]]})");
        QTest::newRow("below nothing") << QStringLiteral(R"({"classes": ["a"], "counts": [[-1]]})");
        QTest::newRow("half a row") << QStringLiteral(R"({"classes": ["a"], "counts": [[0.5]]})");
    }

    void countsThatAreNoMatrixAreRefused() {
        QFETCH(QString, confusion);
        Json json = toJson(ValidationPoint{3, "accuracy", 0.5, true});
        json["confusion"] = Json::parse(confusion.toStdString());
        const auto read = validationPointFromJson(json);
        QVERIFY(!read.ok());
        QVERIFY(read.error().code == ErrorCode::ConfigInvalid);
    }

    /// A training of many validations does not fill the store with tables.
    void aRecordHoldsTheCountsOfTheKeptAndTheLast() {
        TrainingRecord record;
        record.validations = {point(10, 0.5, true), point(20, 0.8, true), point(30, 0.7, false), point(40, 0.6, false)};
        for (const std::int64_t kept : {std::int64_t{0}, std::int64_t{20}}) {  // 0: it goes on, the best counts
            record.keptStep = kept;
            const auto back = trainingRecordFromJson(toJson(record));
            QVERIFY(back.ok());
            std::vector<std::int64_t> counted;
            for (const auto& one : back->validations) {
                if (one.confusion) {
                    counted.push_back(one.step);
                }
            }
            QCOMPARE(counted, (std::vector<std::int64_t>{20, 40}));
            QVERIFY(back->validations[1] == record.validations[1]);
        }
    }
};

QTEST_GUILESS_MAIN(TestTrainingRecord)
#include "tst_training_record.moc"
