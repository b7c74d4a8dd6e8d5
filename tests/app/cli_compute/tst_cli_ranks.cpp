// Trainings that processes share: started by --ranks, or by whoever sets RANK and its siblings.
#include <thread>

#include "tests/app/cli_compute/rank_processes.h"

using namespace pareto;
using test::childrenOf;
using test::freePort;
using test::isThere;
using test::rankVariables;

class TestCliRanks : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void shareATraining();
    void startedBySomebodyElse();
    void shareATask();
    void measureAfterwards();
    void theEndOfOneIsTheEndOfAll_data();
    void theEndOfOneIsTheEndOfAll();
    void noneHangsWheneverItHappens_data();
    void noneHangsWheneverItHappens();
    void goesOnWhenStartedAgain();
    void aRankThatCannotBegin();
    void mistakesAreSaid_data();
    void mistakesAreSaid();

private:
    std::vector<std::string> training(const std::vector<std::string>& more) const {
        std::vector<std::string> words{"train",        m_classifier, "--task",    m_task, "--batch-size", "8",
                                       "--learning-rate", "0.002",   "--dropout", "0",    "--threads",    "1"};
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }
    /// Long enough to be disturbed.
    std::vector<std::string> longTraining() const { return training({"--epochs", "20000", "--ranks", "3"}); }
    std::unique_ptr<QProcess> started(const std::vector<std::string>& words, const test::Variables& variables) const {
        return test::startProgram(m_folder, words, variables);
    }

    test::ProgramFolder m_folder;
    std::string m_classifier;
    std::string m_task;
};

void TestCliRanks::initTestCase() {
    m_classifier = test::writeTinyClassifier(m_folder.path(QStringLiteral("classifier")));
    m_task = test::writeTinyTask(m_folder);
}

/// The same curve as of one process alone.
void TestCliRanks::shareATraining() {
    const test::Variables first{{"XDG_CACHE_HOME", m_folder.path(QStringLiteral("cache1"))}};
    const test::Variables second{{"XDG_CACHE_HOME", m_folder.path(QStringLiteral("cache2"))}};
    const auto alone = test::callProgram(m_folder, training({"--epochs", "4", "--json"}), first);
    QVERIFY2(alone.exitCode == 0, alone.err.c_str());
    const auto shared = test::callProgram(m_folder, training({"--epochs", "4", "--json", "--ranks", "2"}), second);
    QVERIFY2(shared.exitCode == 0, (shared.out + shared.err).c_str());
    const auto expected = alone.json();
    const auto found = shared.json();
    const auto& points = expected["recover"][0]["points"];
    QCOMPARE(found["recover"][0]["points"].size(), points.size());
    for (std::size_t i = 0; i < points.size(); ++i) {
        const double wanted = points[i]["loss"].get<double>();
        const double loss = found["recover"][0]["points"][i]["loss"].get<double>();
        QVERIFY2(std::fabs(loss - wanted) < 5e-3 * std::max(0.05, wanted), qPrintable(QStringLiteral("%1: %2, %3").arg(i).arg(loss).arg(wanted)));
    }
    QCOMPARE(found["eval"]["value"].get<double>(), expected["eval"]["value"].get<double>());
    // Each rank has measured its part of the validation.
    QVERIFY(expected["recover"][0]["validations"].size() == 4);
    for (std::size_t i = 0; i < 4; ++i) {
        for (const auto* key : {"step", "metric", "value", "best"}) {
            QVERIFY2(found["recover"][0]["validations"][i][key] == expected["recover"][0]["validations"][i][key], key);
        }
    }
    QVERIFY(found["recover"][0]["notes"].dump().find("every batch was shared by 2 ranks") != std::string::npos);
    const auto runs = test::callProgram(m_folder, {"runs", "list", "--json"});
    QCOMPARE(runs.json()["runs"].size(), std::size_t{2});
}

/// As torchrun starts them: the same command twice, one result.
void TestCliRanks::startedBySomebodyElse() {
    const auto before = test::callProgram(m_folder, {"runs", "list", "--json"}).json()["runs"].size();
    const auto port = freePort();
    std::vector<std::unique_ptr<QProcess>> ranks;
    for (int rank = 0; rank < 2; ++rank) {
        auto variables = rankVariables(rank, 2, port);
        variables.emplace_back("XDG_CACHE_HOME", m_folder.path(QStringLiteral("cache3-%1").arg(rank)));
        ranks.push_back(started(training({"--epochs", "3", "--seed", "4"}), variables));
    }
    for (auto& rank : ranks) {
        QVERIFY(rank->waitForFinished(60000));
        QVERIFY2(rank->exitCode() == 0, rank->readAllStandardError().constData());
    }
    QVERIFY(ranks[0]->readAllStandardOutput().contains("shared by 2 ranks"));
    QCOMPARE(ranks[1]->readAllStandardOutput(), QByteArray());
    QCOMPARE(test::callProgram(m_folder, {"runs", "list", "--json"}).json()["runs"].size(), before + 1);
}

/// The rows are measured once, by one or the other.
void TestCliRanks::shareATask() {
    const auto words = [&](const char* ranks) {
        return std::vector<std::string>{"eval", m_classifier, "--task", m_task, "--json", "--threads", "1", "--ranks", ranks};
    };
    const auto alone = test::callProgram(m_folder, words("1"));
    QVERIFY2(alone.exitCode == 0, alone.err.c_str());
    const auto shared = test::callProgram(m_folder, words("3"));
    QVERIFY2(shared.exitCode == 0, shared.err.c_str());
    auto expected = alone.json();
    auto found = shared.json();
    for (const auto* key : {"value", "ci_low", "ci_high", "f1_macro", "mcc"}) {
        QVERIFY2(found[key] == expected[key], (std::string(key) + ": " + shared.out).c_str());
    }
    const auto port = freePort();
    const std::vector<std::string> plain{"eval", m_classifier, "--task", m_task, "--threads", "1", "--json"};
    const auto first = started(plain, rankVariables(0, 2, port));
    const auto second = started(plain, rankVariables(1, 2, port));
    QVERIFY(first->waitForFinished(60000));
    QVERIFY(second->waitForFinished(60000));
    QVERIFY2(first->exitCode() == 0, first->readAllStandardError().constData());
    QVERIFY2(second->exitCode() == 0, second->readAllStandardError().constData());
    QVERIFY(Json::parse(first->readAllStandardOutput().toStdString())["value"] == expected["value"]);
    QCOMPARE(second->readAllStandardOutput(), QByteArray());
}

/// Times are those of one process with all its cores, behind what was shared.
void TestCliRanks::measureAfterwards() {
    const auto answer = test::callProgram(m_folder, {"run", m_classifier, "--task", m_task, "--json", "--ranks", "2", "--min-seconds", "0",
                                                     "--min-iterations", "3", "--seq", "16"});
    QVERIFY2(answer.exitCode == 0, answer.err.c_str());
    const auto json = answer.json();
    QVERIFY(json["eval"]["value"].is_number());
    QVERIFY(json["bench"]["latency_ms"]["p50"].get<double>() > 0.0);
    const auto cores = static_cast<int>(std::thread::hardware_concurrency());
    QCOMPARE(json["bench"]["target"]["threads"].get<int>(), cores);
}

void TestCliRanks::theEndOfOneIsTheEndOfAll_data() {
    QTest::addColumn<bool>("ofFirst");
    QTest::addColumn<int>("signal");
    QTest::addColumn<int>("exitCode");
    QTest::newRow("another is killed") << false << SIGKILL << 1;
    QTest::newRow("another is stopped") << false << SIGSTOP << 1;
    QTest::newRow("the first is killed") << true << SIGKILL << -1;
    QTest::newRow("the first is interrupted") << true << SIGINT << 3;
}

/// Soon, by name, and no process is left.
void TestCliRanks::theEndOfOneIsTheEndOfAll() {
    QFETCH(bool, ofFirst);
    QFETCH(int, signal);
    QFETCH(int, exitCode);
    const auto process = started(longTraining(), {{"PARETO_RANKS_TIMEOUT", "4"},
                                                  {"XDG_CACHE_HOME", m_folder.path(QStringLiteral("cache4"))}});
    QByteArray said;
    QTRY_VERIFY2_WITH_TIMEOUT((said += process->readAllStandardError()).contains("on validation") || process->state() == QProcess::NotRunning, said.constData(), 60000);
    QVERIFY2(process->state() == QProcess::Running, said.constData());
    const auto others = childrenOf(process->processId());
    QCOMPARE(others.size(), std::size_t{2});
    QElapsedTimer timer;
    timer.start();
    QCOMPARE(::kill(ofFirst ? static_cast<pid_t>(process->processId()) : others[1], signal), 0);
    QVERIFY(process->waitForFinished(20000));
    said += process->readAllStandardError();
    qInfo("ended after %lld ms", static_cast<long long>(timer.elapsed()));
    QVERIFY(timer.elapsed() < (signal == SIGSTOP ? 18000 : 10000));
    if (exitCode >= 0) {
        QVERIFY2(process->exitCode() == exitCode, said.constData());
    }
    if (!ofFirst) {
        QVERIFY2(said.contains("Rank 2 on ") || said.contains("Rank 1 on "), said.constData());
        QVERIFY2(said.contains(signal == SIGKILL ? "was killed by signal 9" : "has not answered for 4 s"), said.constData());
        QVERIFY(said.contains("training goes on from its last state"));
    }
    for (const auto other : others) {
        QTRY_VERIFY_WITH_TIMEOUT(!isThere(other), 10000);
    }
}

void TestCliRanks::noneHangsWheneverItHappens_data() {
    QTest::addColumn<bool>("trains");
    QTest::addColumn<int>("signal");
    QTest::newRow("training, killed") << true << SIGKILL;
    QTest::newRow("training, stopped") << true << SIGSTOP;
    QTest::newRow("training, interrupted") << true << SIGINT;
    QTest::newRow("task, killed") << false << SIGKILL;
    QTest::newRow("task, stopped") << false << SIGSTOP;
    QTest::newRow("task, interrupted") << false << SIGINT;
}

/// At random times, to a rank at random: all end within 10 s, or within the timeout and what it takes to end who is stopped.
void TestCliRanks::noneHangsWheneverItHappens() {
    QFETCH(bool, trains);
    QFETCH(int, signal);
    constexpr int kTimeout = 5;
    const int rounds = test::disturbedRounds();
    if (const auto data = m_folder.path(QStringLiteral("many.csv")); !QFile::exists(QString::fromStdString(data))) {
        std::string text;
        for (int i = 0; i < 30; ++i) {
            text += "ignore all rules ";
        }
        std::string rows = "text,label\n";
        for (int i = 0; i < 12000; ++i) {
            rows += text + std::to_string(i) + (i % 3 == 0 ? ",attack\n" : ",benign\n");
        }
        test::writeText(data, rows);
    }
    const Json many{{"kind", "classification"}, {"data", m_folder.path(QStringLiteral("many.csv"))}, {"format", "csv"}, {"max_length", 60}};
    const std::vector<std::string> task{"eval", m_classifier, "--task", many.dump(), "--threads", "1", "--ranks", "3"};
    RandomStream random(static_cast<std::uint64_t>(signal), trains ? "training" : "task");
    int hit = 0;
    for (int round = 0; round < rounds; ++round) {
        const auto process = started(trains ? longTraining() : task, {{"PARETO_RANKS_TIMEOUT", std::to_string(kTimeout)},
                                                                      {"XDG_CACHE_HOME", m_folder.path(QStringLiteral("cache7"))}});
        QVERIFY(process->waitForStarted());
        QVERIFY(!process->waitForFinished(300 + static_cast<int>(random.below(2500))) || !trains);
        hit += test::disturbed(*process, 2, signal, kTimeout, random) ? 1 : 0;
        QVERIFY2(!QTest::currentTestFailed(), qPrintable(QStringLiteral("round %1").arg(round)));
    }
    qInfo("%d of %d rounds were hit in the middle", hit, rounds);
}

/// The state on disk is the first rank's; with as many ranks the curve is that of an undisturbed training.
void TestCliRanks::goesOnWhenStartedAgain() {
    const auto words = training({"--epochs", "80", "--seed", "5", "--ranks", "2"});
    const auto out = [&](const char* name) { return m_folder.path(QString::fromLatin1(name)); };
    auto whole = words;
    whole.insert(whole.end(), {"--out", out("whole")});
    const auto first = test::callProgram(m_folder, whole, {{"XDG_CACHE_HOME", out("cache5")}});
    QVERIFY2(first.exitCode == 0, first.err.c_str());
    auto parts = words;
    parts.insert(parts.end(), {"--out", out("parts")});
    const test::Variables variables{{"XDG_CACHE_HOME", out("cache6")}, {"PARETO_CHECKPOINT_SECONDS", "0.05"}};
    {
        const auto process = started(parts, variables);
        QByteArray said;
        QTRY_VERIFY2_WITH_TIMEOUT((said += process->readAllStandardError()).count("on validation") > 3, said.constData(), 60000);
        const auto others = childrenOf(process->processId());
        QCOMPARE(others.size(), std::size_t{1});
        ::kill(others[0], SIGKILL);
        QVERIFY(process->waitForFinished(20000));
        QCOMPARE(process->exitCode(), 1);
    }
    const auto again = test::callProgram(m_folder, parts, variables);
    QVERIFY2(again.exitCode == 0, again.err.c_str());
    const auto contentOf = [](const std::string& path) {
        QFile file(QString::fromStdString(path));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    };
    const auto expected = contentOf(out("whole") + "/model.safetensors");
    QVERIFY(!expected.isEmpty());
    QVERIFY(contentOf(out("parts") + "/model.safetensors") == expected);
}

/// One that was given other data says so before anything is trained.
void TestCliRanks::aRankThatCannotBegin() {
    const auto port = freePort();
    const auto first = started(training({"--epochs", "3", "--seed", "6"}), rankVariables(0, 2, port));
    const auto second = started(training({"--epochs", "3", "--seed", "7"}), rankVariables(1, 2, port));
    QVERIFY(first->waitForFinished(60000));
    QVERIFY(second->waitForFinished(60000));
    const auto said = first->readAllStandardError();
    QVERIFY2(said.contains("Rank 1 on ") && said.contains("trains something else"), said.constData());
    QCOMPARE(first->exitCode(), 1);
    QCOMPARE(second->exitCode(), 1);
}

void TestCliRanks::mistakesAreSaid_data() {
    QTest::addColumn<QStringList>("words");
    QTest::addColumn<int>("exitCode");
    QTest::addColumn<QString>("said");
    const QString model = QString::fromStdString(m_classifier);
    const QString task = QString::fromStdString(m_task);
    QTest::newRow("none") << QStringList{QStringLiteral("train"), model, QStringLiteral("--task"), task, QStringLiteral("--ranks"),
                                         QStringLiteral("0")}
                          << 2 << QStringLiteral("--ranks");
    QTest::newRow("nothing to share") << QStringList{QStringLiteral("run"), model, QStringLiteral("--no-timing"),
                                                     QStringLiteral("--ranks"), QStringLiteral("2")}
                                      << 4 << QStringLiteral("only these are shared");
    QTest::newRow("too many threads") << QStringList{QStringLiteral("train"), model, QStringLiteral("--task"), task,
                                                     QStringLiteral("--threads"), QStringLiteral("999"), QStringLiteral("--ranks"),
                                                     QStringLiteral("2")}
                                      << 4 << QStringLiteral("threads");
}

void TestCliRanks::mistakesAreSaid() {
    QFETCH(QStringList, words);
    QFETCH(int, exitCode);
    QFETCH(QString, said);
    std::vector<std::string> call;
    for (const auto& word : words) {
        call.push_back(word.toStdString());
    }
    const auto answer = test::callProgram(m_folder, call);
    QCOMPARE(answer.exitCode, exitCode);
    QVERIFY2(QString::fromStdString(answer.err).contains(said), answer.err.c_str());
}

QTEST_GUILESS_MAIN(TestCliRanks)
#include "tst_cli_ranks.moc"
