#include <QTest>

#include <chrono>
#include <thread>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/bench/load_watch.h"

using namespace pareto;
using namespace std::chrono_literals;

class TestLoadWatch : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void anotherProcessIsNoticed();
    void ownWorkIsNotOthers();
};

namespace {

void spinFor(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
    }
}

}  // namespace

void TestLoadWatch::anotherProcessIsNoticed() {
    const bench::LoadWatch watch;
    const auto child = fork();
    if (child == 0) {
        spinFor(20s);
        _exit(0);
    }
    QVERIFY(child > 0);
    std::this_thread::sleep_for(800ms);
    const auto report = watch.report();
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    if (!report.known) {
        QSKIP("/proc/stat cannot be read here");
    }
    QVERIFY(report.cores > 0);
    // One core's work; on a machine with very many cores a share of them all.
    QVERIFY2(report.otherShare > 0.4 / report.cores,
             qPrintable(QString::number(report.otherShare)));
}

void TestLoadWatch::ownWorkIsNotOthers() {
    // Other tests may keep the machine busy: what is asserted is that one's own second of work moves
    // the answer by far less than the core it takes.
    const bench::LoadWatch watch;
    spinFor(500ms);
    const auto busy = watch.report();
    if (!busy.known) {
        QSKIP("/proc/stat cannot be read here");
    }
    const bench::LoadWatch again;
    std::this_thread::sleep_for(500ms);
    const auto idle = again.report();
    if (idle.otherShare > 0.3) {
        QSKIP("the machine is too busy to tell one's own load from others'");
    }
    QVERIFY2(busy.otherShare < idle.otherShare + 0.35, qPrintable(QString::number(busy.otherShare)));
}

QTEST_GUILESS_MAIN(TestLoadWatch)
#include "tst_load_watch.moc"
