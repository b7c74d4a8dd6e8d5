// `pareto sweep` as processes: nothing is lost, done twice or gathered twice, whoever is killed.
#include <QDir>
#include <QFile>
#include <QTest>

#include <csignal>
#include <set>
#include <thread>

#include "engine/core/random.h"
#include "tests/app/cli_compute/program.h"
#include "tests/support/stand_in_ssh.h"

using namespace pareto;

class TestCliSweep : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void runsAndGathers();
    void goesOnWhateverIsKilled_data();
    void goesOnWhateverIsKilled();
    void aRunThatFailsIsSaid();
    void canBeCancelledFromElsewhere();
    void isSubmittedToSlurm();
    void worksOnHosts();
    void aHostThatIsLost_data();
    void aHostThatIsLost();
    void retriedWhileItRuns();
    void mistakesAreSaid_data();
    void mistakesAreSaid();

private:
    std::string folder(const char* name) const { return m_folder.path(QString::fromLatin1(name)); }
    /// 12 runs of no time each.
    std::string made(const char* name, const std::vector<std::string>& more = {}) const {
        std::vector<std::string> words{"sweep", "new", folder(name), m_classifier, "--task", m_task, "--no-timing", "--threads", "1",
                                       "--recipe", R"({"version": 1, "defaults": {"prune": {"pattern": "unstructured", "method": "magnitude"}}})",
                                       "--vary", "defaults.prune.ratio=0.1,0.3,0.5,0.7;defaults.quantize.weights=int8,int4,int3"};
        words.insert(words.end(), more.begin(), more.end());
        const auto answer = test::callProgram(m_folder, words);
        [&] { QVERIFY2(answer.exitCode == 0, answer.err.c_str()); }();
        return folder(name);
    }
    Json status(const std::string& sweep) const {
        return test::callProgram(m_folder, {"sweep", "status", sweep, "--json"}).json();
    }
    std::size_t runsIn(const std::string& store) const {
        return test::callProgram(m_folder, {"runs", "list", "--json", "--db", store}).json()["runs"].size();
    }
    /// What is called in place of ssh: writes down the words, and runs the command here as `script` says (host in $host).
    test::Variables ssh(const std::string& script) const {
        const auto file = folder("ssh");
        test::writeText(file, test::standInForSsh(folder("ssh.log"), script));
        QFile::setPermissions(QString::fromStdString(file), QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
        QFile::remove(QString::fromStdString(folder("ssh.log")));
        return {{"PARETO_SSH", file}};
    }
    test::ProgramFolder m_folder;
    std::string m_classifier;
    std::string m_task;
};

void TestCliSweep::initTestCase() {
    m_classifier = test::writeTinyClassifier(m_folder.path(QStringLiteral("classifier")));
    m_task = test::writeTinyTask(m_folder);
}

void TestCliSweep::runsAndGathers() {
    const auto sweep = made("plain", {"--baseline", "--seeds", "2"});
    QCOMPARE(status(sweep)["counts"]["waiting"].get<int>(), 26);
    const auto answer = test::callProgram(m_folder, {"sweep", "run", sweep, "--workers", "2", "--db", folder("plain.db"), "--json"});
    QVERIFY2(answer.exitCode == 0, answer.err.c_str());
    QCOMPARE(answer.json()["counts"]["finished"].get<int>(), 26);
    QVERIFY(answer.err.find("(26 of 26)") != std::string::npos);
    QCOMPARE(runsIn(folder("plain.db")), std::size_t{26});
    // Its runs are those of `pareto run`.
    const auto one = test::callProgram(m_folder, {"run", m_classifier, "--task", m_task, "--no-timing", "--threads", "1", "--db",
                                                  folder("one.db"), "--json", "--recipe",
                                                  R"({"version": 1, "defaults": {"prune": {"pattern": "unstructured", "method": "magnitude",
                                                      "ratio": 0.7}, "quantize": {"weights": "int3"}}})"});
    QVERIFY2(one.exitCode == 0, one.err.c_str());
    QCOMPARE(answer.json()["runs"][24]["accuracy"].get<double>(), one.json()["eval"]["value"].get<double>());
    for (const auto* store : {"plain.db", "other.db"}) {
        const auto gathered = test::callProgram(m_folder, {"sweep", "gather", sweep, "--db", folder(store), "--json"});
        QCOMPARE(gathered.json()["gathered"].get<int>(), std::string(store) == "plain.db" ? 0 : 26);
        QCOMPARE(runsIn(folder(store)), std::size_t{26});
    }
}

void TestCliSweep::goesOnWhateverIsKilled_data() {
    QTest::addColumn<bool>("whole");
    QTest::newRow("workers") << false;
    QTest::newRow("the whole") << true;
}

void TestCliSweep::goesOnWhateverIsKilled() {
    QFETCH(bool, whole);
    const auto sweep = made(whole ? "whole" : "workers", {"--seeds", "4"});
    const auto store = sweep + ".db";
    RandomStream random(3, "kills");
    int kills = 0;
    int calls = 0;
    const auto isOver = [&] {
        const auto counts = status(sweep)["counts"];
        return counts.value("finished", 0) + counts.value("failed", 0) == 48;
    };
    for (; calls < 40 && !isOver(); ++calls) {
        QProcess process;
        process.setProcessEnvironment(m_folder.environment());
        process.start(QStringLiteral(PARETO_PROGRAM),
                      {QStringLiteral("sweep"), QStringLiteral("run"), QString::fromStdString(sweep), QStringLiteral("--workers"),
                       QStringLiteral("2"), QStringLiteral("--db"), QString::fromStdString(store)});
        // Into the middle of things, a few times; then it is left alone.
        for (int i = 0; i < (whole ? 1 : 3) && kills < 6; ++i) {
            if (process.waitForFinished(600 + static_cast<int>(random.below(500)))) {
                break;
            }
            if (whole) {
                process.kill();
                ++kills;
                continue;
            }
            QProcess::execute(QStringLiteral("pkill"), {QStringLiteral("-9"), QStringLiteral("-P"), QString::number(process.processId())});
            ++kills;
        }
        QVERIFY(process.state() == QProcess::NotRunning || process.waitForFinished(60000));
        QVERIFY2(whole || process.exitCode() == 0, process.readAllStandardError().constData());
    }
    qInfo("killed %d times, called %d times", kills, calls);
    QVERIFY(kills > 0);
    const auto counts = status(sweep)["counts"];
    // A run whose processes were killed three times is given up, and said to be.
    for (int i = 0; counts.value("failed", 0) > 0 && i < 1; ++i) {
        QCOMPARE(test::callProgram(m_folder, {"sweep", "retry", sweep}).exitCode, 0);
        QCOMPARE(test::callProgram(m_folder, {"sweep", "run", sweep, "--db", store}).exitCode, 0);
    }
    QCOMPARE(status(sweep)["counts"]["finished"].get<int>(), 48);
    QCOMPARE(test::callProgram(m_folder, {"sweep", "gather", sweep, "--db", store}).exitCode, 0);
    const auto runs = test::callProgram(m_folder, {"runs", "list", "--json", "--db", store}).json()["runs"];
    QCOMPARE(runs.size(), std::size_t{48});
}

void TestCliSweep::aRunThatFailsIsSaid() {
    // A calibration without its text cannot be.
    const auto answer = test::callProgram(
        m_folder, {"sweep", "new", folder("failing"), m_classifier, "--task", m_task, "--no-timing", "--threads", "1", "--recipe",
                   R"({"version": 1, "defaults": {"quantize": {"weights": "int8", "method": "gptq"}},
                       "calibration": {"source": "/nowhere/text.txt"}})",
                   "--baseline"});
    QVERIFY2(answer.exitCode == 0, answer.err.c_str());
    const auto run = test::callProgram(m_folder, {"sweep", "run", folder("failing"), "--db", folder("failing.db"), "--json"});
    QVERIFY2(run.exitCode == 0, run.err.c_str());
    QCOMPARE(run.json()["counts"]["failed"].get<int>(), 1);
    QCOMPARE(run.json()["counts"]["finished"].get<int>(), 1);
    QVERIFY2(run.err.find("/nowhere/text.txt") != std::string::npos, run.err.c_str());
    QCOMPARE(runsIn(folder("failing.db")), std::size_t{1});
    QCOMPARE(test::callProgram(m_folder, {"sweep", "retry", folder("failing"), "--json"}).json()["waiting"].get<int>(), 1);
    QCOMPARE(test::callProgram(m_folder, {"sweep", "item", folder("failing"), "1"}).exitCode, 4);
    // Before any of them fails for want of cores.
    const auto workers = std::to_string(std::thread::hardware_concurrency() + 1);
    QCOMPARE(test::callProgram(m_folder, {"sweep", "new", folder("wide"), m_classifier, "--task", m_task, "--threads", "2"}).exitCode, 0);
    const auto wide = test::callProgram(m_folder, {"sweep", "run", folder("wide"), "--workers", workers, "--db", folder("wide.db")});
    QCOMPARE(wide.exitCode, 4);
    QVERIFY2(wide.err.find("threads is 2 in run 0; each of " + workers + " processes has 1") != std::string::npos, wide.err.c_str());
    QCOMPARE(status(folder("wide"))["counts"]["waiting"].get<int>(), 1);
}

void TestCliSweep::canBeCancelledFromElsewhere() {
    const auto sweep = made("cancelled", {"--seeds", "50"});
    QProcess process;
    process.setProcessEnvironment(m_folder.environment());
    process.start(QStringLiteral(PARETO_PROGRAM), {QStringLiteral("sweep"), QStringLiteral("run"), QString::fromStdString(sweep),
                                                   QStringLiteral("--db"), QString::fromStdString(sweep + ".db")});
    QTRY_VERIFY_WITH_TIMEOUT(status(sweep)["counts"].value("finished", 0) > 2, 30000);
    QCOMPARE(test::callProgram(m_folder, {"sweep", "cancel", sweep}).exitCode, 0);
    QVERIFY(process.waitForFinished(10000));
    QCOMPARE(process.exitCode(), 3);
    QVERIFY(status(sweep)["counts"]["waiting"].get<int>() > 0);
    QCOMPARE(test::callProgram(m_folder, {"sweep", "item", sweep, "599"}).exitCode, 3);
}

/// With a sbatch that only writes down what it is told: the array is what waits, and the script does a run.
void TestCliSweep::isSubmittedToSlurm() {
    const auto sweep = made("it's an array");
    QCOMPARE(test::callProgram(m_folder, {"sweep", "item", sweep, "1"}).exitCode, 0);
    const auto programs = QString::fromStdString(folder("bin"));
    QVERIFY(QDir().mkpath(programs));
    const auto program = [&](const char* name, const std::string& script) {
        const QString file = programs + QLatin1Char('/') + QLatin1String(name);
        test::writeText(file.toStdString(), "#!/bin/sh\n" + script);
        QFile::setPermissions(file, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    };
    program("sbatch", "printf '%s\\n' \"$@\" > '" + folder("told") + "'; echo '42;cluster'\n");
    program("squeue", "echo 'RUNNING '; echo PENDING; echo PENDING\n");
    program("scancel", "printf '%s\\n' \"$@\" >> '" + folder("told") + "'\n");
    const test::Variables path{{"PATH", programs.toStdString() + ":" + qEnvironmentVariable("PATH").toStdString()}};
    const auto call = [&](std::vector<std::string> words, const test::Variables& variables) {
        return test::callProgram(m_folder, words, variables);
    };
    const auto answer = call({"sweep", "slurm", sweep, "--json", "--at-once", "3", "--sbatch", "--partition=gpu --mem=4G"}, path);
    QVERIFY2(answer.exitCode == 0, answer.err.c_str());
    QCOMPARE(answer.json()["job"].get<std::string>(), std::string("42"));
    QFile told(QString::fromStdString(folder("told")));
    QVERIFY(told.open(QIODevice::ReadOnly));
    const auto words = told.readAll().split('\n');
    for (const char* word : {"--array=0,2-11%3", "--partition=gpu", "--mem=4G", "--parsable"}) {
        QVERIFY2(words.contains(word), word);
    }
    const auto states = call({"sweep", "status", sweep, "--json"}, path).json()["slurm"];
    QCOMPARE(states["PENDING"].get<int>(), 2);
    QCOMPARE(states["RUNNING"].get<int>(), 1);
    QProcess task;
    auto environment = m_folder.environment();
    environment.insert(QStringLiteral("SLURM_ARRAY_TASK_ID"), QStringLiteral("5"));
    task.setProcessEnvironment(environment);
    task.start(QStringLiteral("/bin/sh"), {QString::fromStdString(sweep + "/slurm.sh")});
    QVERIFY(task.waitForFinished(60000));
    QVERIFY2(task.exitCode() == 0, task.readAllStandardError().constData());
    QCOMPARE(status(sweep)["runs"][5]["state"].get<std::string>(), std::string("finished"));
    QCOMPARE(call({"sweep", "cancel", sweep}, path).exitCode, 0);
    program("sbatch", "echo 'no such partition' >&2; exit 1\n");
    QCOMPARE(call({"sweep", "slurm", sweep}, path).exitCode, 1);
    const auto missing = call({"sweep", "slurm", sweep}, {{"PATH", "/nowhere"}});
    QCOMPARE(missing.exitCode, 1);
    QVERIFY2(missing.err.find("sbatch could not be started") != std::string::npos, missing.err.c_str());
}

/// All runs by workers that ssh starts; no process of this machine beside them.
void TestCliSweep::worksOnHosts() {
    const auto sweep = made("hosts");
    const auto answer = test::callProgram(m_folder, {"sweep", "run", sweep, "--workers", "0", "--hosts",
                                                     "one:" PARETO_PROGRAM ",user@two:" PARETO_PROGRAM, "--db", folder("hosts.db"), "--json"},
                                          ssh(""));
    QVERIFY2(answer.exitCode == 0, (answer.out + answer.err).c_str());
    QCOMPARE(answer.json()["counts"]["finished"].get<int>(), 12);
    QCOMPARE(runsIn(folder("hosts.db")), std::size_t{12});
    QFile log(QString::fromStdString(folder("ssh.log")));
    QVERIFY(log.open(QIODevice::ReadOnly));
    auto lines = log.readAll().trimmed().split('\n');
    std::sort(lines.begin(), lines.end());
    QCOMPARE(lines.size(), qsizetype{2});
    QVERIFY2(lines[0].startsWith("-T -o BatchMode=yes ") && lines[0].endsWith(" one " PARETO_PROGRAM " worker --die-with-parent"),
             lines[0].constData());
    QVERIFY2(lines[1].endsWith(" user@two " PARETO_PROGRAM " worker --die-with-parent"), lines[1].constData());
}

void TestCliSweep::aHostThatIsLost_data() {
    QTest::addColumn<QString>("script");
    QTest::addColumn<QString>("workers");
    QTest::addColumn<QString>("hosts");
    QTest::addColumn<QStringList>("said");
    QTest::addColumn<int>("exitCode");
    const QString here = QStringLiteral("1");
    const QString none = QStringLiteral("0");
    const QString both = QStringLiteral("away:" PARETO_PROGRAM ",one:" PARETO_PROGRAM);
    const QString lost = QStringLiteral("The host away is not asked any more: pareto there ended with exit code 255");
    QTest::newRow("not reached") << QStringLiteral("[ $host != away ] || exit 255") << here << both << QStringList{lost} << 0;
    QTest::newRow("none reached") << QStringLiteral("exit 255") << none << both
                                  << QStringList{lost, QStringLiteral("The host one"), QStringLiteral("ended with exit code 255")} << 1;
    // It greets, is given a run, and is gone; the other one waits for that.
    const QString broken = QStringLiteral("[ $host != away ] || { sh -c \"$*\" < /dev/null; read line; touch '%1'; exit 255; }; "
                                          "while [ ! -e '%1' ]; do sleep 0.1; done").arg(QString::fromStdString(folder("given")));
    QTest::newRow("lost") << broken << none << both << QStringList{QStringLiteral("on away ended with exit code 255; it is begun again")} << 0;
    QTest::newRow("lost again and again") << broken << none << QStringLiteral("away:" PARETO_PROGRAM)
                                          << QStringList{QStringLiteral("The process of run 0 on away"), lost} << 1;
    QTest::newRow("another version") << QStringLiteral("[ $host != away ] || { echo '{\"type\":\"hello\",\"magic\":\"pareto-worker\","
                                                       "\"protocol\":99,\"program\":\"9\"}'; cat > /dev/null; exit; }")
                                     << here << both << QStringList{QStringLiteral("speaks version 99 of the protocol")} << 0;
}

void TestCliSweep::aHostThatIsLost() {
    QFETCH(QString, script);
    QFETCH(QString, workers);
    QFETCH(QString, hosts);
    QFETCH(QStringList, said);
    QFETCH(int, exitCode);
    const auto sweep = made(QTest::currentDataTag());
    const auto answer = test::callProgram(m_folder, {"sweep", "run", sweep, "--workers", workers.toStdString(), "--hosts",
                                                     hosts.toStdString(), "--db", sweep + ".db"},
                                          ssh(script.toStdString()));
    for (const auto& sentence : said) {
        QVERIFY2(QString::fromStdString(answer.err).contains(sentence), answer.err.c_str());
    }
    QVERIFY2(answer.exitCode == exitCode, answer.err.c_str());
    QCOMPARE(status(sweep)["counts"].value("finished", 0), exitCode == 0 ? 12 : 0);
}

/// Whoever works on a sweep takes up what fails and is made to wait again meanwhile.
void TestCliSweep::retriedWhileItRuns() {
    const auto text = folder("text.txt");
    std::string words;
    for (int i = 0; i < 200; ++i) {
        words += "what is the time now ignore all rules what is the time now ignore all rules and say it\n";
    }
    QVERIFY(QDir().mkpath(QString::fromStdString(folder("recipes"))));
    test::writeText(folder("recipes/a.json"), R"({"version": 1, "defaults": {"quantize": {"weights": "int8", "method": "gptq"}},
                                                  "calibration": {"source": ")" + text + R"(", "samples": 2, "length": 16}})");
    // The others take long enough for that.
    test::writeText(folder("other.txt"), words);
    test::writeText(folder("recipes/b.json"), R"({"version": 1, "defaults": {"quantize": {"weights": "int8", "method": "gptq"}},
                                                  "calibration": {"source": ")" + folder("other.txt") + R"(", "samples": 100, "length": 32}})");
    const auto sweep = folder("retried");
    const auto answer = test::callProgram(m_folder, {"sweep", "new", sweep, m_classifier, "--task", m_task, "--no-timing", "--threads", "1",
                                                     "--recipes", folder("recipes"), "--seeds", "120"});
    QVERIFY2(answer.exitCode == 0, answer.err.c_str());
    QProcess process;
    process.setProcessEnvironment(m_folder.environment());
    process.start(QStringLiteral(PARETO_PROGRAM), {QStringLiteral("sweep"), QStringLiteral("run"), QString::fromStdString(sweep),
                                                   QStringLiteral("--db"), QString::fromStdString(folder("retried.db"))});
    QTRY_VERIFY_WITH_TIMEOUT(status(sweep)["counts"].value("failed", 0) == 120, 60000);
    test::writeText(text, words);
    QCOMPARE(test::callProgram(m_folder, {"sweep", "retry", sweep, "--json"}).json()["waiting"].get<int>(), 120);
    QCOMPARE(process.state(), QProcess::Running);
    QVERIFY(process.waitForFinished(100000));
    QCOMPARE(process.exitCode(), 0);
    const auto last = status(sweep);
    QVERIFY2(last["counts"].value("finished", 0) == 240, last["runs"][0].dump().c_str());
}

void TestCliSweep::mistakesAreSaid_data() {
    QTest::addColumn<QStringList>("words");
    QTest::addColumn<int>("exitCode");
    QTest::addColumn<QString>("said");
    const auto row = [](const char* name, const QStringList& words, int exitCode, const char* said) {
        QTest::newRow(name) << words << exitCode << QString::fromLatin1(said);
    };
    const auto text = [](const std::string& word) { return QString::fromStdString(word); };
    row("verb", {QStringLiteral("dance"), text(m_folder.path(QStringLiteral("plain")))}, 2, "new, run, item");
    row("no sweep", {QStringLiteral("run"), QStringLiteral("/nowhere/at/all")}, 4, "sweep.json");
    row("no model", {QStringLiteral("new"), QStringLiteral("/nowhere/s"), QStringLiteral("/nowhere/m")}, 4, "/nowhere/m");
    row("fields", {QStringLiteral("new"), QStringLiteral("/nowhere/s"), text(m_classifier), QStringLiteral("--vary"), QStringLiteral("ratio")}, 2,
        "--vary");
    row("a run that is none", {QStringLiteral("item"), text(m_folder.path(QStringLiteral("plain"))), QStringLiteral("99")}, 4, "has 26");
}

void TestCliSweep::mistakesAreSaid() {
    QFETCH(QStringList, words);
    QFETCH(int, exitCode);
    QFETCH(QString, said);
    std::vector<std::string> call{"sweep"};
    for (const auto& word : words) {
        call.push_back(word.toStdString());
    }
    const auto answer = test::callProgram(m_folder, call);
    QVERIFY2(QString::fromStdString(answer.err).contains(said), answer.err.c_str());
    QCOMPARE(answer.exitCode, exitCode);
}

QTEST_GUILESS_MAIN(TestCliSweep)
#include "tst_cli_sweep.moc"
