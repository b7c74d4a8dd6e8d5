// `pareto train` and `pareto distil` as processes.
#include <QFile>
#include <QTest>

#include "tests/app/cli_compute/program.h"

using namespace pareto;

class TestCliTraining : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void trainsAndWrites();
    void distilsBehindARecipe();
    void goesOnAfterAKill();
    void aDecoderLearnsAText();
    void mistakesAreSaid_data();
    void mistakesAreSaid();

private:
    /// With what `more` does not say itself.
    std::vector<std::string> training(std::vector<std::string> more) const {
        std::vector<std::string> words{"train", m_classifier, "--task", m_task};
        for (const auto& [option, value] : {std::pair{"--epochs", "4"}, std::pair{"--batch-size", "8"},
                                            std::pair{"--learning-rate", "0.002"}, std::pair{"--threads", "1"}}) {
            if (std::find(more.begin(), more.end(), option) == more.end()) {
                words.insert(words.end(), {option, value});
            }
        }
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }
    static QByteArray contentOf(const std::string& path) {
        QFile file(QString::fromStdString(path));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
    test::ProgramFolder m_folder;
    std::string m_classifier;
    std::string m_llama;
    std::string m_task;
};

void TestCliTraining::initTestCase() {
    m_classifier = test::writeTinyClassifier(m_folder.path(QStringLiteral("classifier")));
    m_llama = test::writeTinyLlama(m_folder.path(QStringLiteral("llama")));
    m_task = test::writeTinyTask(m_folder);
}

void TestCliTraining::trainsAndWrites() {
    const auto out = m_folder.path(QStringLiteral("trained"));
    const auto answer = test::callProgram(m_folder, training({"--out", out, "--json"}));
    QVERIFY2(answer.exitCode == 0, answer.err.c_str());
    const auto json = answer.json();
    QCOMPARE(json["recover"].size(), std::size_t{1});
    QCOMPARE(json["recover"][0]["steps"].get<int>(), 20);
    QVERIFY(json["eval"]["value"].get<double>() > 0.95);
    QVERIFY(json["export"]["verified"].get<bool>());
    QVERIFY(answer.err.find("on validation") != std::string::npos);
    const auto again = test::callProgram(m_folder, {"eval", out, "--task", m_task, "--json", "--threads", "1"});
    QVERIFY2(again.exitCode == 0, again.err.c_str());
    QCOMPARE(again.json()["value"].get<double>(), json["eval"]["value"].get<double>());
    const auto people = test::callProgram(m_folder, training({}));
    QVERIFY(people.out.find("Recovery: train on data, 40 examples, 20 steps") != std::string::npos);
    const auto runs = test::callProgram(m_folder, {"runs", "list", "--json"});
    QCOMPARE(runs.json()["runs"].size(), std::size_t{2});
}

void TestCliTraining::distilsBehindARecipe() {
    auto words = training({"--labels-weight", "0", "--hidden", "1", "--pairs", "0:1", "--json", "--recipe",
                           R"({"version": 1, "defaults": {"prune": {"pattern": "blocks", "ratio": 0.5},
                               "quantize": {"weights": "int8"}}})"});
    words.front() = "distil";
    const auto answer = test::callProgram(m_folder, words);
    QVERIFY2(answer.exitCode == 0, answer.err.c_str());
    const auto recovered = answer.json()["recover"][0];
    QCOMPARE(recovered["method"].get<std::string>(), std::string("distil"));
    QVERIFY(recovered["points"].back()["parts"].contains("hidden"));
    QVERIFY(!recovered["points"].back()["parts"].contains("labels"));
}

/// Killed at any time, and begun again: the same file as without.
void TestCliTraining::goesOnAfterAKill() {
    const auto whole = m_folder.path(QStringLiteral("whole"));
    const auto parts = m_folder.path(QStringLiteral("parts"));
    auto words = training({"--out", whole, "--epochs", "60", "--seed", "3"});
    const auto first = test::callProgram(m_folder, words, {{"XDG_CACHE_HOME", m_folder.path(QStringLiteral("cache1"))}});
    QVERIFY2(first.exitCode == 0, first.err.c_str());
    words = training({"--out", parts, "--epochs", "60", "--seed", "3"});
    QStringList arguments;
    for (const auto& word : words) {
        arguments << QString::fromStdString(word);
    }
    auto environment = m_folder.environment();
    environment.insert(QStringLiteral("XDG_CACHE_HOME"), QString::fromStdString(m_folder.path(QStringLiteral("cache2"))));
    environment.insert(QStringLiteral("PARETO_CHECKPOINT_SECONDS"), QStringLiteral("0.05"));
    int kills = 0;
    for (int attempt = 0; attempt < 30 && contentOf(parts + "/model.safetensors").isEmpty(); ++attempt) {
        QProcess process;
        process.setProcessEnvironment(environment);
        process.start(QStringLiteral(PARETO_PROGRAM), arguments);
        // Beyond the start of the program: a little later each time.
        if (process.waitForFinished(1500 + 150 * attempt)) {
            QVERIFY2(process.exitCode() == 0, process.readAllStandardError().constData());
            break;
        }
        process.kill();
        process.waitForFinished();
        ++kills;
    }
    qInfo("killed %d times", kills);
    const auto expected = contentOf(whole + "/model.safetensors");
    QVERIFY(!expected.isEmpty());
    QVERIFY(contentOf(parts + "/model.safetensors") == expected);
}

void TestCliTraining::aDecoderLearnsAText() {
    const auto text = m_folder.path(QStringLiteral("book.txt"));
    std::string content;
    for (int i = 0; i < 200; ++i) {
        content += "the cat sat on the mat and the dog ran to the cat\n";
    }
    test::writeText(text, content);
    const auto answer = test::callProgram(m_folder, {"train", m_llama, "--text", text, "--epochs", "2", "--batch-size", "4",
                                                     "--learning-rate", "0.003", "--threads", "1", "--json"});
    QVERIFY2(answer.exitCode == 0, answer.err.c_str());
    const auto points = answer.json()["recover"][0]["points"];
    QVERIFY(points.back()["loss"].get<double>() < points.front()["loss"].get<double>());
}

void TestCliTraining::mistakesAreSaid_data() {
    QTest::addColumn<QStringList>("more");
    QTest::addColumn<int>("exitCode");
    QTest::addColumn<QString>("said");
    const auto row = [](const char* name, const QStringList& more, int exitCode, const char* said) {
        QTest::newRow(name) << more << exitCode << QString::fromLatin1(said);
    };
    row("schedule", {QStringLiteral("--schedule"), QStringLiteral("steep")}, 4, "cosine");
    row("rate", {QStringLiteral("--learning-rate"), QStringLiteral("fast")}, 2, "--learning-rate");
    row("split", {QStringLiteral("--split"), QStringLiteral("nothing")}, 4, "nothing");
    row("output", {QStringLiteral("--out"), QStringLiteral("/nowhere/at/all")}, 4, "/nowhere/at/all");
}

void TestCliTraining::mistakesAreSaid() {
    QFETCH(QStringList, more);
    QFETCH(int, exitCode);
    QFETCH(QString, said);
    std::vector<std::string> words;
    for (const auto& word : more) {
        words.push_back(word.toStdString());
    }
    const auto answer = test::callProgram(m_folder, training(words));
    QCOMPARE(answer.exitCode, exitCode);
    QVERIFY2(QString::fromStdString(answer.err).contains(said), answer.err.c_str());
}

QTEST_GUILESS_MAIN(TestCliTraining)
#include "tst_cli_training.moc"
