// Ranks as processes: sums, who may come in, and that the end of one is the end of all, named and soon.
#include <QElapsedTimer>
#include <QProcess>
#include <QtTest>

#include <csignal>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/dist/nccl.h"
#include "engine/dist/sockets.h"

using namespace pareto;

class TestGroup : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void sumsAndBytes_data();
    void sumsAndBytes();
    void aSlowRankIsWaitedFor();
    void refused_data();
    void refused();
    void aBusyPortIsSaid();
    void theEndOfOneIsNoticed_data();
    void theEndOfOneIsNoticed();
    void aRankSaysWhyItEnds();
    void nobodyComes();
    void ncclIsLookedFor();
    void offersAreKnownToAll();
    void ncclOfAll();
    void ncclOverNetworks();
    void whatNcclSaysIsNamed_data();
    void whatNcclSaysIsNamed();
};

namespace {

struct Rank {
    QString token = QStringLiteral("secret");
    QString version = QStringLiteral("1");
    QStringList variables = {};  ///< "NAME=value"
};

/// Whether this machine has memory that processes can share; without it sums go through Gloo.
bool hasSharedMemory() {
    const auto name = "/pareto-test-" + std::to_string(::getpid());
    const int file = ::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    const bool has = file >= 0 && ::posix_fallocate(file, 0, off_t{16} << 20) == 0;
    ::close(file);
    ::shm_unlink(name.c_str());
    return has;
}

/// A port that is free now.
quint16 freePort() {
    const auto listening = dist::listenAt("127.0.0.1", 0);
    if (!listening.ok()) {
        return 0;
    }
    ::close(listening.value().socket);
    return listening.value().port;
}

class Ranks {
public:
    Ranks(const QString& what, const std::vector<Rank>& ranks, int timeout = 20000, quint16 port = freePort(), int size = 0) {
        size = size > 0 ? size : static_cast<int>(ranks.size());
        for (std::size_t i = 0; i < ranks.size(); ++i) {
            auto process = std::make_unique<QProcess>();
            process->setProcessChannelMode(QProcess::SeparateChannels);
            process->setEnvironment(QProcess::systemEnvironment() + ranks[i].variables);
            process->start(QStringLiteral(PARETO_RANK_TOOL),
                           {QString::number(i), QString::number(size), QString::number(port), ranks[i].token,
                            ranks[i].version, QString::number(timeout), what});
            m_processes.push_back(std::move(process));
        }
    }
    ~Ranks() {
        for (auto& process : m_processes) {
            process->kill();
            process->waitForFinished(5000);
        }
    }
    QProcess& operator[](std::size_t rank) { return *m_processes[rank]; }
    std::size_t size() const { return m_processes.size(); }
    /// What a rank has written when it has ended.
    QString wordsOf(std::size_t rank, int milliseconds = 30000) {
        auto& process = *m_processes[rank];
        if (process.state() != QProcess::NotRunning && !process.waitForFinished(milliseconds)) {
            return QStringLiteral("(still runs)");
        }
        return QString::fromLatin1(process.readAllStandardOutput());
    }
    bool waitForWord(std::size_t rank, const char* word) {
        QElapsedTimer timer;
        timer.start();
        QByteArray words;
        while (timer.elapsed() < 30000) {
            m_processes[rank]->waitForReadyRead(100);
            words += m_processes[rank]->readAllStandardOutput();
            if (words.contains(word)) {
                return true;
            }
        }
        return false;
    }

private:
    std::vector<std::unique_ptr<QProcess>> m_processes;
};

}  // namespace

void TestGroup::sumsAndBytes_data() {
    QTest::addColumn<int>("size");
    QTest::addColumn<bool>("shared");
    QTest::newRow("two") << 2 << true;
    QTest::newRow("three") << 3 << true;
    QTest::newRow("two, Gloo") << 2 << false;
    QTest::newRow("three, Gloo") << 3 << false;
}

void TestGroup::sumsAndBytes() {
    QFETCH(int, size);
    QFETCH(bool, shared);
    Ranks ranks(shared ? QStringLiteral("sums") : QStringLiteral("sums-gloo"), std::vector<Rank>(static_cast<std::size_t>(size)));
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        QCOMPARE(ranks.wordsOf(i), QStringLiteral("joined%1\nwrong sums 0\nheard bbbbbbbbbbbb\nleft\n")
                                       .arg(shared && hasSharedMemory() ? QStringLiteral(", with shared memory") : QString()));
        QCOMPARE(ranks[i].exitCode(), 0);
    }
}

void TestGroup::aSlowRankIsWaitedFor() {
    Ranks ranks(QStringLiteral("patience"), std::vector<Rank>(2), 3000);
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        QVERIFY2(ranks.wordsOf(i).endsWith(QStringLiteral("left\n")), "a rank did not wait");
    }
}

void TestGroup::refused_data() {
    QTest::addColumn<QString>("token");
    QTest::addColumn<QString>("version");
    QTest::addColumn<QString>("said");
    QTest::newRow("token") << QStringLiteral("guess") << QStringLiteral("1") << QStringLiteral("PARETO_RANKS_TOKEN");
    QTest::newRow("no token") << QString() << QStringLiteral("1") << QStringLiteral("PARETO_RANKS_TOKEN");
    QTest::newRow("version") << QStringLiteral("secret") << QStringLiteral("2") << QStringLiteral("is version 2, rank 0 is 1");
}

void TestGroup::refused() {
    QFETCH(QString, token);
    QFETCH(QString, version);
    QFETCH(QString, said);
    Ranks ranks(QStringLiteral("sums"), {Rank{}, Rank{token, version}}, 4000);
    const auto words = ranks.wordsOf(1);
    QVERIFY2(words.startsWith(QStringLiteral("error rank 1 on ")) && words.contains(said), qPrintable(words));
    QCOMPARE(ranks[1].exitCode(), 1);
    const auto first = ranks.wordsOf(0);
    QVERIFY2(first.contains(QStringLiteral("rank 1 did not come")), qPrintable(first));
}

void TestGroup::aBusyPortIsSaid() {
    const auto other = dist::listenAt("127.0.0.1", 0);
    QVERIFY(other.ok());
    Ranks ranks(QStringLiteral("sums"), std::vector<Rank>(1), 3000, other.value().port, 2);
    const auto words = ranks.wordsOf(0);
    ::close(other.value().socket);
    QVERIFY2(words.contains(QStringLiteral("is in use by another program")), qPrintable(words));
}

void TestGroup::theEndOfOneIsNoticed_data() {
    QTest::addColumn<int>("size");
    QTest::addColumn<int>("victim");
    QTest::addColumn<int>("signal");
    QTest::addColumn<QString>("what");
    for (const char* how : {"steps", "steps-gloo", "nccl-steps"}) {
        const auto row = [&](const char* name, int size, int victim, int signal) {
            QTest::addRow("%s, %s", how, name) << size << victim << signal << QString::fromLatin1(how);
        };
        row("killed, of two", 2, 1, SIGKILL);
        row("killed, of three", 3, 2, SIGKILL);
        row("rank 0 killed", 3, 0, SIGKILL);
        row("stopped", 3, 1, SIGSTOP);
        row("rank 0 stopped", 2, 0, SIGSTOP);
    }
}

void TestGroup::theEndOfOneIsNoticed() {
    QFETCH(int, size);
    QFETCH(int, victim);
    QFETCH(int, signal);
    QFETCH(QString, what);
    // Stopped ones are missed after the timeout, killed ones sooner, whatever it is.
    const int timeout = signal == SIGSTOP ? 4000 : 60000;
    Ranks ranks(what, std::vector<Rank>(static_cast<std::size_t>(size)), timeout);
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        QVERIFY(ranks.waitForWord(i, "step"));
    }
    QElapsedTimer timer;
    timer.start();
    QCOMPARE(::kill(static_cast<pid_t>(ranks[static_cast<std::size_t>(victim)].processId()), signal), 0);
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        if (static_cast<int>(i) == victim) {
            continue;
        }
        const auto words = ranks.wordsOf(i, 15000);
        const auto said = QStringLiteral("%1 (exit %2, crashed %3) %4")
                              .arg(words)
                              .arg(ranks[i].exitCode())
                              .arg(ranks[i].exitStatus() == QProcess::CrashExit)
                              .arg(QString::fromLocal8Bit(ranks[i].readAllStandardError()));
        QVERIFY2(words.contains(QStringLiteral("Rank %1 on ").arg(victim)), qPrintable(said));
        QCOMPARE(ranks[i].exitCode(), 1);
        // The call that waited was given up, and so was the circle.
        QVERIFY2(!what.startsWith(QStringLiteral("nccl")) || words.contains(QStringLiteral("aborts 1, nothing waits\nis over")),
                 qPrintable(said));
    }
    qInfo("all ended after %lld ms", static_cast<long long>(timer.elapsed()));
    QVERIFY(timer.elapsed() < 10000);
}

void TestGroup::aRankSaysWhyItEnds() {
    Ranks ranks(QStringLiteral("fails"), std::vector<Rank>(3));
    for (const std::size_t i : {0U, 2U}) {
        const auto words = ranks.wordsOf(i);
        QVERIFY2(words.contains(QStringLiteral("Rank 1 on ")) && words.contains(QStringLiteral("could not read its file")),
                 qPrintable(words));
    }
}

void TestGroup::nobodyComes() {
    Ranks ranks(QStringLiteral("sums"), std::vector<Rank>(2), 2000, freePort(), 3);
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        const auto words = ranks.wordsOf(i);
        QVERIFY2(words.startsWith(QStringLiteral("error ")), qPrintable(words));
    }
}

/// A library that is not there, that is another one, and what ranks agree on.
void TestGroup::ncclIsLookedFor() {
    std::string whyNot;
    QVERIFY(dist::Nccl::open(whyNot, "libnccl-that-is-not-there.so.2") == nullptr);
    QVERIFY2(whyNot.find("libnccl-that-is-not-there.so.2") != std::string::npos, whyNot.c_str());
    QVERIFY(dist::Nccl::open(whyNot, PARETO_NOT_NCCL) == nullptr);
    QVERIFY2(whyNot.find("lacks functions") != std::string::npos, whyNot.c_str());
    const auto* found = dist::Nccl::open(whyNot, PARETO_FAKE_NCCL);
    QVERIFY2(found != nullptr, whyNot.c_str());
    QVERIFY(whyNot.empty());
    QCOMPARE(found->number, 22809);
    QCOMPARE(found->text(5), std::string("invalid usage"));
    QCOMPARE(dist::ncclProblem({{22809, ""}, {22809, ""}}), std::string());
    QCOMPARE(dist::ncclProblem({{22809, ""}, {0, "it is not there"}}), std::string("rank 1: it is not there"));
    QCOMPARE(dist::ncclProblem({{22809, ""}, {22809, ""}, {21405, ""}}), std::string("rank 2 has NCCL 2.14.5, rank 0 has 2.28.9"));
    qputenv("PARETO_NCCL", "never");
    const auto offer = dist::ncclOffer();
    qunsetenv("PARETO_NCCL");
    QCOMPARE(offer.version, 0);
    QCOMPARE(offer.whyNot, std::string("PARETO_NCCL says never"));
}

/// Whatever they are; reasons are cut.
void TestGroup::offersAreKnownToAll() {
    Ranks ranks(QStringLiteral("offers"), std::vector<Rank>(3));
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        const auto words = ranks.wordsOf(i);
        QVERIFY2(words.endsWith(QStringLiteral("\n1 0\n2 251\n3 0\n")), qPrintable(words));
    }
}

/// What a rank of `size` says of `nccl-sums`.
QString wordsOfSums(int size) {
    return QStringLiteral("connected\nwrong sums 0\nheard 2\ngathered %1\nleft\n")
        .arg(size == 2 ? QStringLiteral("011") : QStringLiteral("011222"));
}

void TestGroup::ncclOfAll() {
    for (const int size : {2, 3}) {
        Ranks ranks(QStringLiteral("nccl-sums"), std::vector<Rank>(static_cast<std::size_t>(size)));
        for (std::size_t i = 0; i < ranks.size(); ++i) {
            const auto words = ranks.wordsOf(i);
            QVERIFY2(words.endsWith(wordsOfSums(size)), qPrintable(words));
            QCOMPARE(ranks[i].exitCode(), 0);
        }
    }
}

/// The id comes to the others through Gloo too.
void TestGroup::ncclOverNetworks() {
    Ranks ranks(QStringLiteral("nccl-sums-gloo"), std::vector<Rank>(2));
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        QCOMPARE(ranks.wordsOf(i), QStringLiteral("joined\n") + wordsOfSums(2));
    }
}

void TestGroup::whatNcclSaysIsNamed_data() {
    QTest::addColumn<QString>("what");
    QTest::addColumn<QString>("said");
    QTest::newRow("no connection") << QStringLiteral("init:5") << QStringLiteral("(NCCL: invalid usage)");
    QTest::newRow("no sum") << QStringLiteral("sum:1") << QStringLiteral("(NCCL: unhandled cuda error)");
    QTest::newRow("while it waits") << QStringLiteral("later:1") << QStringLiteral("(NCCL: unhandled cuda error)");
    QTest::newRow("the network") << QStringLiteral("later:6") << QStringLiteral("lost its connections: NCCL: remote process exited");
}

/// An error of one rank's NCCL ends the group, and all say whose it was.
void TestGroup::whatNcclSaysIsNamed() {
    QFETCH(QString, what);
    QFETCH(QString, said);
    Ranks ranks(QStringLiteral("nccl-steps"), {Rank{}, Rank{.variables = {QStringLiteral("FAKE_NCCL_FAIL=") + what}}});
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        const auto words = ranks.wordsOf(i);
        QVERIFY2(words.contains(QStringLiteral("error Rank 1 on ")) && words.contains(said), qPrintable(words));
        QCOMPARE(ranks[i].exitCode(), 1);
    }
}

QTEST_GUILESS_MAIN(TestGroup)
#include "tst_group.moc"
