// Ranks as processes of this machine: what they are told, heard saying, and how they end.
#include <QElapsedTimer>
#include <QtTest>

#include <cstdlib>
#include <mutex>
#include <thread>

#include <signal.h>

#include "engine/dist/local_ranks.h"
#include "engine/dist/rank_environment.h"

using namespace pareto;

class TestLocalRanks : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void environment_data();
    void environment();
    void coresAreDealtOut();
    void allThreadsAreBound();
    void areToldAndHeard();
    void endsAreNoticed_data();
    void endsAreNoticed();
    void noneIsLeft();
    void whatCannotBeStarted();
};

namespace {

/// Sets variables for as long as it lives.
class Variables {
public:
    explicit Variables(std::vector<std::pair<std::string, std::string>> values) : m_values(std::move(values)) {
        for (const auto& [name, value] : m_values) {
            ::setenv(name.c_str(), value.c_str(), 1);
        }
    }
    ~Variables() {
        for (const auto& [name, value] : m_values) {
            ::unsetenv(name.c_str());
        }
    }
    Variables(const Variables&) = delete;
    Variables& operator=(const Variables&) = delete;

private:
    std::vector<std::pair<std::string, std::string>> m_values;
};

/// What ranks said and how they ended.
class Heard {
public:
    dist::ChildListener listener() {
        return {[this](int rank, const std::string& line) { add(std::to_string(rank) + " said " + line); },
                [this](int rank, const std::string& how) { add(std::to_string(rank) + " " + how); }};
    }
    bool has(const std::string& text) const {
        const std::lock_guard lock(m_mutex);
        return std::find(m_texts.begin(), m_texts.end(), text) != m_texts.end();
    }
    std::string all() const {
        const std::lock_guard lock(m_mutex);
        std::string out;
        for (const auto& text : m_texts) {
            out += text + "; ";
        }
        return out;
    }

private:
    void add(std::string text) {
        const std::lock_guard lock(m_mutex);
        m_texts.push_back(std::move(text));
    }
    mutable std::mutex m_mutex;
    std::vector<std::string> m_texts;
};

dist::StartOptions shell(const std::string& script, int size = 3) {
    dist::StartOptions out;
    out.size = size;
    out.command = {"/bin/sh", "-c", script};
    out.line = "the job\n";
    out.port = 4321;
    out.token = "secret";
    return out;
}

std::vector<std::pair<std::string, std::string>> usual() {
    return {{"RANK", "2"}, {"WORLD_SIZE", "3"}, {"MASTER_ADDR", "10.0.0.1"}, {"MASTER_PORT", "4000"}};
}

}  // namespace

void TestLocalRanks::environment_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("value");
    QTest::addColumn<QString>("said");
    const auto row = [](const char* name, const char* value, const char* said) {
        QTest::addRow("%s=%s", name, value) << QString::fromLatin1(name) << QString::fromLatin1(value) << QString::fromLatin1(said);
    };
    row("RANK", "3", "RANK is '3', not a number from 0 to 2");
    row("RANK", "-1", "RANK is '-1'");
    row("RANK", "two", "RANK is 'two'");
    row("WORLD_SIZE", "0", "WORLD_SIZE is '0'");
    row("MASTER_PORT", "70000", "MASTER_PORT is '70000', not a number from 1 to 65535");
    row("LOCAL_WORLD_SIZE", "2", "LOCAL_RANK is ''");
}

void TestLocalRanks::environment() {
    QFETCH(QString, name);
    QFETCH(QString, value);
    QFETCH(QString, said);
    const auto none = dist::rankEnvironment();
    QVERIFY(none.ok() && !none.value());
    auto values = usual();
    const Variables right(values);
    const auto found = dist::rankEnvironment();
    QVERIFY(found.ok() && found.value());
    QCOMPARE(found.value()->rank, 2);
    QCOMPARE(found.value()->size, 3);
    QCOMPARE(found.value()->address, std::string("10.0.0.1"));
    QCOMPARE(int{found.value()->port}, 4000);
    const Variables wrong({{name.toStdString(), value.toStdString()}});
    const auto refused = dist::rankEnvironment();
    QVERIFY(!refused.ok());
    QVERIFY2(errorMessage(refused.error()).find(said.toStdString()) != std::string::npos, errorMessage(refused.error()).c_str());
}

void TestLocalRanks::coresAreDealtOut() {
    const std::vector<int> cores{1, 3, 4, 6, 7};
    QCOMPARE(dist::coresOfRank(cores, 0, 2), (std::vector<int>{1, 3}));
    QCOMPARE(dist::coresOfRank(cores, 1, 2), (std::vector<int>{4, 6, 7}));
    QCOMPARE(dist::coresOfRank(cores, 4, 5), std::vector<int>{7});
    // More ranks than cores share them.
    QCOMPARE(dist::coresOfRank({2, 5}, 3, 4), std::vector<int>{5});
}

void TestLocalRanks::allThreadsAreBound() {
    const auto before = dist::usableCoreNumbers();
    std::vector<int> ofOther;
    std::mutex mutex;
    mutex.lock();
    std::thread other([&] {
        const std::lock_guard lock(mutex);
        ofOther = dist::usableCoreNumbers();
    });
    dist::bindTo({before.front()});
    mutex.unlock();
    other.join();
    QCOMPARE(ofOther, std::vector<int>{before.front()});
    QCOMPARE(dist::usableCoreNumbers(), std::vector<int>{before.front()});
    dist::bindTo(before);
    QCOMPARE(dist::usableCoreNumbers(), before);
}

void TestLocalRanks::areToldAndHeard() {
    Heard heard;
    const auto ranks = dist::startRanks(
        shell("read line; echo $RANK of $WORLD_SIZE at $MASTER_ADDR:$MASTER_PORT, $LOCAL_RANK of $LOCAL_WORLD_SIZE: $line, "
              "$PARETO_RANKS_TOKEN; read end; exit 0"),
        heard.listener());
    QVERIFY(ranks.ok());
    for (const char* rank : {"1", "2"}) {
        const auto text = std::string(rank) + " said " + rank + " of 3 at 127.0.0.1:4321, " + rank + " of 3: the job, secret";
        QTRY_VERIFY2(heard.has(text), heard.all().c_str());
    }
}

void TestLocalRanks::endsAreNoticed_data() {
    QTest::addColumn<QString>("script");
    QTest::addColumn<QString>("how");
    QTest::newRow("killed") << QStringLiteral("kill -9 $$") << QStringLiteral("1 was killed by signal 9 (Killed)");
    QTest::newRow("failed") << QStringLiteral("exit 7") << QStringLiteral("1 ended with exit code 7");
    QTest::newRow("behind its words") << QStringLiteral("echo last words; exec >&-; sleep 0.3; exit 2")
                                      << QStringLiteral("1 ended with exit code 2");
}

void TestLocalRanks::endsAreNoticed() {
    QFETCH(QString, script);
    QFETCH(QString, how);
    Heard heard;
    const auto ranks = dist::startRanks(shell(script.toStdString(), 2), heard.listener());
    QVERIFY(ranks.ok());
    QTRY_VERIFY2(heard.has(how.toStdString()), heard.all().c_str());
}

/// One ends when its input does, one has to be killed.
void TestLocalRanks::noneIsLeft() {
    Heard heard;
    QElapsedTimer timer;
    {
        auto ranks = dist::startRanks(
            shell("echo $$; if [ $RANK = 1 ]; then cat >/dev/null; else trap '' TERM; while :; do sleep 1; done; fi"), heard.listener());
        QVERIFY(ranks.ok());
        QTRY_VERIFY2(heard.all().find("2 said") != std::string::npos && heard.all().find("1 said") != std::string::npos,
                     heard.all().c_str());
        timer.start();
    }
    QVERIFY(timer.elapsed() >= 4000 && timer.elapsed() < 8000);
    for (const auto& line : QString::fromStdString(heard.all()).split(QStringLiteral("; "), Qt::SkipEmptyParts)) {
        const auto process = line.section(QLatin1Char(' '), -1).toInt();
        QVERIFY(process > 0);
        QCOMPARE(::kill(process, 0), -1);
    }
}

void TestLocalRanks::whatCannotBeStarted() {
    auto options = shell("exit 0");
    options.command = {"/nowhere/program"};
    const auto ranks = dist::startRanks(options, {});
    QVERIFY(!ranks.ok());
    QCOMPARE(ranks.error().code, ErrorCode::ConfigInvalid);
    QVERIFY(errorMessage(ranks.error()).find("/nowhere/program") != std::string::npos);
}

QTEST_GUILESS_MAIN(TestLocalRanks)
#include "tst_local_ranks.moc"
