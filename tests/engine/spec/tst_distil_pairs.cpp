#include <QtTest>

#include "engine/spec/distil_pairs.h"

using namespace pareto;

/// Who learns from whom where a recipe does not say.
class TestDistilPairs : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void knownMaps_data() {
        QTest::addColumn<int>("student");
        QTest::addColumn<QList<int>>("teachers");
        QTest::addColumn<int>("teacher");
        QTest::newRow("TinyBERT 4 of 12") << 4 << QList<int>{2, 5, 8, 11} << 12;
        QTest::newRow("3 of 6") << 3 << QList<int>{1, 3, 5} << 6;
        QTest::newRow("each its own") << 4 << QList<int>{0, 1, 2, 3} << 4;
        QTest::newRow("halves round up") << 4 << QList<int>{1, 2, 4, 5} << 6;
        QTest::newRow("one") << 1 << QList<int>{5} << 6;
        QTest::newRow("more than the teacher") << 6 << QList<int>{0, 0, 1, 1, 2, 2} << 3;
        QTest::newRow("no student") << 0 << QList<int>{} << 6;
        QTest::newRow("no teacher") << 6 << QList<int>{} << 0;
    }
    void knownMaps() {
        QFETCH(int, student);
        QFETCH(QList<int>, teachers);
        QFETCH(int, teacher);
        QList<int> found;
        for (const auto& [own, from] : evenPairs(student, teacher)) {
            QCOMPARE(own, static_cast<int>(found.size()));
            found.append(from);
        }
        QCOMPARE(found, teachers);
    }

    void theLastLearnsFromTheLastAndOrderStays() {
        for (int student = 1; student <= 40; ++student) {
            for (int teacher = 1; teacher <= 40; ++teacher) {
                const auto pairs = evenPairs(student, teacher);
                QCOMPARE(pairs.size(), static_cast<std::size_t>(student));
                QCOMPARE(pairs.back().second, teacher - 1);
                int before = 0;
                for (const auto& pair : pairs) {
                    QVERIFY(pair.second >= before && pair.second < teacher);
                    before = pair.second;
                }
            }
        }
    }
};

QTEST_GUILESS_MAIN(TestDistilPairs)
#include "tst_distil_pairs.moc"
