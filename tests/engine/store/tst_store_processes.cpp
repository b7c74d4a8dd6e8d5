#include <set>

#include <QProcess>
#include <QTemporaryDir>
#include <QThread>
#include <QtTest>

#include "engine/core/random.h"
#include "engine/store/sqlite.h"
#include "tests/engine/store/sample_record.h"

using namespace pareto;
using namespace pareto::store;
using pareto::test::sampleRecord;

namespace {

/// The child: begins and finishes runs and says each id on stdout once it is stored.
int writeRuns(const std::string& path, int count) {
    const auto store = Store::open(path);
    if (!store.ok()) {
        std::fprintf(stderr, "%s\n", errorMessage(store.error()).c_str());
        return 1;
    }
    for (int i = 0; i < count; ++i) {
        RunRecord record = sampleRecord(i);
        const auto id = store.value()->beginRun(record, Owner::thisProcess());
        if (!id.ok()) {
            std::fprintf(stderr, "%s\n", errorMessage(id.error()).c_str());
            return 2;
        }
        record.id = id.value();
        const auto stored = store.value()->finishRun(record);
        if (!stored.ok()) {
            std::fprintf(stderr, "%s\n", errorMessage(stored.error()).c_str());
            return 3;
        }
        std::printf("%lld\n", static_cast<long long>(stored.value()));
        std::fflush(stdout);
    }
    return 0;
}

std::vector<std::int64_t> idsIn(const QByteArray& output) {
    std::vector<std::int64_t> ids;
    const auto lines = output.split('\n');
    for (int i = 0; i + 1 < lines.size(); ++i) {  // the last piece was cut short by the kill
        ids.push_back(lines[i].toLongLong());
    }
    return ids;
}

std::unique_ptr<QProcess> startWriter(const std::string& path, int count) {
    auto process = std::make_unique<QProcess>();
    process->start(QCoreApplication::applicationFilePath(),
                   {QStringLiteral("--write-runs"), QString::fromStdString(path), QString::number(count)});
    return process;
}

QString integrity(const std::string& path) {
    const auto database = Database::open(path, OpenMode::ReadOnly);
    if (!database.ok()) {
        return QString::fromStdString(errorMessage(database.error()));
    }
    const auto rows = database.value()->query("PRAGMA integrity_check");
    if (!rows.ok() || !rows.value()->step().ok()) {
        return QStringLiteral("cannot be checked");
    }
    const auto text = QString::fromStdString(rows.value()->text(0));
    rows.value()->reset();
    return text;
}

}  // namespace

class TestStoreProcesses : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void acknowledgedRunsSurviveKills() {
        QTemporaryDir folder;
        const std::string path = folder.filePath(QStringLiteral("studio.db")).toStdString();
        RandomStream random(31, "kills");
        std::set<std::int64_t> acknowledged;
        for (int kill = 0; kill < 30; ++kill) {
            const auto writer = startWriter(path, 1000000);
            QVERIFY(writer->waitForStarted());
            if (kill % 3 == 0) {
                writer->waitForReadyRead(20000);
            }
            QThread::usleep(20000 + random.below(60000));
            writer->kill();
            QVERIFY(writer->waitForFinished(30000));
            for (const auto id : idsIn(writer->readAllStandardOutput())) {
                QVERIFY(acknowledged.insert(id).second);
            }
        }
        QVERIFY2(acknowledged.size() >= 10, qPrintable(QString::number(acknowledged.size())));
        const auto store = Store::open(path);
        QVERIFY(store.ok());
        QVERIFY(store.value()->markInterrupted().ok());
        std::set<std::int64_t> finished;
        RunFilter filter;
        filter.limit = 1000000;
        const auto runs = store.value()->runs(filter);
        QVERIFY(runs.ok());
        for (const auto& run : runs.value()) {
            QVERIFY(run.status == RunStatus::Finished || run.status == RunStatus::Interrupted);
            if (run.status == RunStatus::Finished) {
                finished.insert(run.id);
                QVERIFY(store.value()->run(run.id)->items.size() == 3);
            }
        }
        for (const auto id : acknowledged) {
            QVERIFY2(finished.contains(id), qPrintable(QString::number(id)));
        }
        QCOMPARE(integrity(path), QStringLiteral("ok"));
    }

    void processesWriteAtTheSameTime() {
        QTemporaryDir folder;
        const std::string path = folder.filePath(QStringLiteral("studio.db")).toStdString();
        constexpr int kWriters = 4;
        constexpr int kRuns = 50;
        // None of them finds a store: they create it at the same time.
        std::vector<std::unique_ptr<QProcess>> writers;
        for (int i = 0; i < kWriters; ++i) {
            writers.push_back(startWriter(path, kRuns));
        }
        std::set<std::int64_t> ids;
        for (const auto& writer : writers) {
            QVERIFY(writer->waitForFinished(120000));
            QVERIFY2(writer->exitCode() == 0, writer->readAllStandardError().constData());
            for (const auto id : idsIn(writer->readAllStandardOutput())) {
                QVERIFY2(ids.insert(id).second, "an id was given twice");
            }
        }
        QVERIFY(ids.size() == kWriters * kRuns);
        const auto store = Store::open(path);
        QVERIFY(store.ok() && store.value()->runs()->size() == kWriters * kRuns);
        QCOMPARE(integrity(path), QStringLiteral("ok"));
    }
};

int main(int argc, char** argv) {
    if (argc == 4 && std::string(argv[1]) == "--write-runs") {
        return writeRuns(argv[2], std::atoi(argv[3]));
    }
    QCoreApplication application(argc, argv);
    TestStoreProcesses test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_store_processes.moc"
