// Parts of a model that exchange what lies on their GPUs: who hands what to whom, and that all go without NCCL where one has
// none. NCCL is played among processes; no GPU is tested.
#include <QProcess>
#include <QtTest>

#include <memory>
#include <vector>

#include <unistd.h>

#include "engine/dist/sockets.h"

using namespace pareto;

class TestGpuExchange : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void stagesAndParts_data();
    void stagesAndParts();
    void oneWithoutNccl();

private:
    /// What each rank has written.
    static QStringList wordsOf(int tp, int pp, int without = -1);
};

QStringList TestGpuExchange::wordsOf(int tp, int pp, int without) {
    const auto listening = dist::listenAt("127.0.0.1", 0);
    if (!listening.ok()) {
        return {};
    }
    ::close(listening.value().socket);
    std::vector<std::unique_ptr<QProcess>> processes;
    for (int rank = 0; rank < tp * pp; ++rank) {
        processes.push_back(std::make_unique<QProcess>());
        QStringList words;
        for (const int number : {rank, tp, pp, static_cast<int>(listening.value().port), without}) {
            words += QString::number(number);
        }
        processes.back()->start(QStringLiteral(PARETO_EXCHANGE_TOOL), words);
    }
    QStringList out;
    for (auto& process : processes) {
        if (!process->waitForFinished(30000)) {
            process->kill();
            process->waitForFinished(5000);
        }
        out += QString::fromLatin1(process->readAllStandardOutput());
    }
    return out;
}

void TestGpuExchange::stagesAndParts_data() {
    QTest::addColumn<int>("tp");
    QTest::addColumn<int>("pp");
    QTest::addColumn<QStringList>("said");
    QTest::newRow("tp 2") << 2 << 1
                          << QStringList{QStringLiteral("has 3 of 1 and 2\ntimed 2 and 0\n"),
                                         QStringLiteral("has 3 of 1 and 2\ntimed 2 and 0\n")};
    QTest::newRow("pp 3") << 1 << 3
                          << QStringList{QStringLiteral("has 1\ntimed 0 and 1\n"), QStringLiteral("has 2\ntimed 0 and 2\n"),
                                         QStringLiteral("has 4\ntimed 0 and 1\n")};
    QTest::newRow("tp 2 x pp 2") << 2 << 2
                                 << QStringList{QStringLiteral("has 3 of 1 and 2\ntimed 2 and 1\n"),
                                                QStringLiteral("has 3 of 1 and 2\ntimed 2 and 1\n"),
                                                QStringLiteral("has 11 of 5 and 6\ntimed 2 and 1\n"),
                                                QStringLiteral("has 11 of 5 and 6\ntimed 2 and 1\n")};
}

void TestGpuExchange::stagesAndParts() {
    QFETCH(int, tp);
    QFETCH(int, pp);
    QFETCH(QStringList, said);
    QCOMPARE(wordsOf(tp, pp), said);
}

void TestGpuExchange::oneWithoutNccl() {
    const auto said = wordsOf(2, 2, 2);
    QCOMPARE(said, QStringList(4, QStringLiteral("not over NCCL: rank 2: none is there\n")));
}

QTEST_GUILESS_MAIN(TestGpuExchange)
#include "tst_gpu_exchange.moc"
