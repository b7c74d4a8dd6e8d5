#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <numeric>
#include <vector>

#include "engine/bench/memory.h"
#include "engine/core/file.h"

using namespace pareto;

class TestMemory : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void thePeakStartsAgain();
    void availableIsLessThanEverything();
    void mappedPagesAreGivenBackAndComeAgain();
};

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

void touch(std::size_t bytes) {
    std::vector<char> memory(bytes, 'x');
    QVERIFY(std::accumulate(memory.begin(), memory.begin() + 1000, 0) > 0);
}

}  // namespace

void TestMemory::thePeakStartsAgain() {
    touch(200 * kMiB);
    QVERIFY(bench::peakMemory() > 200 * kMiB);
    if (!bench::resetPeakMemory()) {
        QSKIP("/proc/self/clear_refs cannot be written here");
    }
    const auto fresh = bench::peakMemory();
    QVERIFY(fresh < 150 * kMiB);
    touch(100 * kMiB);
    QVERIFY(bench::peakMemory() >= fresh + 90 * kMiB);
}

void TestMemory::availableIsLessThanEverything() {
    const auto free = bench::availableMemory();
    QVERIFY(free > 16 * kMiB);
    QVERIFY(free < (std::uint64_t{1} << 50));
}

void TestMemory::mappedPagesAreGivenBackAndComeAgain() {
    QTemporaryDir folder;
    const auto path = folder.filePath(QStringLiteral("mapped.bin"));
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    const QByteArray content(static_cast<int>(64 * kMiB), 'y');
    QCOMPARE(file.write(content), content.size());
    file.close();
    const auto input = InputFile::open(path.toStdString());
    QVERIFY(input.ok());
    const auto mapped = input.value()->map();
    QVERIFY(mapped.ok());
    const auto sum = [&] {
        std::uint64_t total = 0;
        for (const auto byte : mapped->bytes()) {
            total += static_cast<std::uint64_t>(byte);
        }
        return total;
    };
    const auto before = sum();
    QCOMPARE(before, static_cast<std::uint64_t>('y') * 64 * kMiB);
    const auto resident = bench::residentMemory();
    bench::releaseUnusedMemory({path.toStdString()});
    QVERIFY(bench::residentMemory() + 48 * kMiB < resident);
    QCOMPARE(sum(), before);
}

QTEST_GUILESS_MAIN(TestMemory)
#include "tst_memory.moc"
