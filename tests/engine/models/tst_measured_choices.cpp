// What was measured of kernels is kept for the machine, and only there.
#include <QtTest>

#include "engine/core/json.h"
#include "engine/runtime/measured_choices.h"

using namespace pareto;
using runtime::MeasuredChoices;

class TestMeasuredChoices : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void keptForLaterStarts();
    void besideOthers();
    void unusableFiles_data();
    void unusableFiles();
    void leastOfTurns();

private:
    std::string path(const char* name) const { return m_folder.filePath(QString::fromLatin1(name)).toStdString(); }
    QTemporaryDir m_folder;
};

void TestMeasuredChoices::keptForLaterStarts() {
    const auto file = path("deep/kept.json");
    {
        MeasuredChoices first(file, "one");
        QVERIFY(!first.find("a"));
        first.put("a", {1.5, 2.0}, true);
        first.put("b", {0.7}, false);
        QVERIFY(first.find("b") == std::vector<double>{0.7});
    }
    MeasuredChoices later(file, "one");
    QVERIFY((later.find("a") == std::vector<double>{1.5, 2.0}));
    QVERIFY(!later.find("b"));  // not steady: measured again
    MeasuredChoices other(file, "another machine");
    QVERIFY(!other.find("a"));
    other.put("c", {3.0}, true);
    QVERIFY(!MeasuredChoices(file, "one").find("a"));
    MeasuredChoices none("", "one");
    none.put("a", {1.0}, true);
    QVERIFY(none.find("a"));
}

/// Two processes that measure at the same time: both stay.
void TestMeasuredChoices::besideOthers() {
    const auto file = path("beside.json");
    MeasuredChoices one(file, "m");
    MeasuredChoices two(file, "m");
    QVERIFY(!one.find("x") && !two.find("x"));
    one.put("x", {1.0}, true);
    two.put("y", {2.0}, true);
    one.put("z", {3.0}, true);
    MeasuredChoices later(file, "m");
    for (const char* key : {"x", "y", "z"}) {
        QVERIFY2(later.find(key), key);
    }
}

void TestMeasuredChoices::unusableFiles_data() {
    QTest::addColumn<QByteArray>("content");
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("no JSON") << QByteArray("{\"machine\": \"m\", \"choi");
    QTest::newRow("a list") << QByteArray("[1, 2]");
    QTest::newRow("other figures") << QByteArray(R"({"machine":"m","choices":{"a":"fast","b":[1,"x"],"c":null}})");
    QTest::newRow("no choices") << QByteArray(R"({"machine":"m","choices":7})");
    QTest::newRow("machine is a number") << QByteArray(R"({"machine":4,"choices":{"a":[1]}})");
}

void TestMeasuredChoices::unusableFiles() {
    QFETCH(QByteArray, content);
    QFile file(m_folder.filePath(QStringLiteral("bad.json")));
    QVERIFY(file.open(QIODevice::WriteOnly) && file.write(content) == content.size());
    file.close();
    MeasuredChoices choices(path("bad.json"), "m");
    for (const char* key : {"a", "b", "c"}) {
        QVERIFY2(!choices.find(key), key);
    }
    choices.put("a", {1.25}, true);
    QVERIFY(MeasuredChoices(path("bad.json"), "m").find("a") == std::vector<double>{1.25});
}

void TestMeasuredChoices::leastOfTurns() {
    // Looks of a round to warm up and two that count.
    const auto looked = [](std::vector<double> a, std::vector<double> b, int most) {
        std::size_t at = 0;
        std::size_t before = 0;
        const auto found = runtime::leastSeconds(
            {2, 0.0, most, 60.0}, [&] { return a.at(at); }, [&] { return b.at(at++); }, [&] { ++before; });
        return std::pair(found, before);
    };
    const auto [found, before] = looked({0.1, 4.0, 2.0, 0.1, 6.0, 2.1, 99.0}, {0.1, 2.0, 1.0, 0.1, 1.05, 8.0, 99.0}, 9);
    QCOMPARE(before, std::size_t{6});  // the second look says what the first did
    QVERIFY(found.steady);
    QCOMPARE(found.first, 2.0);
    QCOMPARE(found.second, 1.0);
    QCOMPARE(found.gain, 2.0);
    // A look in which one of them was held up does not count once two others agree, whatever it said.
    const auto disturbed = looked({0.1, 9.0, 9.0, 0.1, 2.0, 2.0, 0.1, 2.02, 3.0}, {0.1, 5.0, 4.0, 0.1, 2.0, 3.0, 0.1, 2.0, 2.0}, 9).first;
    QVERIFY(disturbed.steady);
    QCOMPARE(disturbed.gain, 1.0);
    // Without two that agree the least of all of them is believed, and it is not kept for later.
    const auto unsteady = looked({0.1, 2.0, 2.0, 0.1, 3.0, 3.0, 0.1, 2.4, 2.4}, {0.1, 1.0, 1.0, 0.1, 2.0, 2.0, 0.1, 1.0, 1.0}, 3).first;
    QVERIFY(!unsteady.steady);
    QCOMPARE(unsteady.gain, 1.5);
}

QTEST_GUILESS_MAIN(TestMeasuredChoices)
#include "tst_measured_choices.moc"
