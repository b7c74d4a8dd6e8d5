#include <csignal>
#include <filesystem>

#include <QCryptographicHash>
#include <QFile>
#include <QTemporaryDir>
#include <QtTest>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/core/random.h"
#include "engine/store/migrations.h"
#include "tests/engine/store/sample_record.h"

using namespace pareto;
using namespace pareto::store;
using pareto::test::sampleRecord;
using pareto::test::sampleTranslation;

namespace {

QByteArray bytesOf(const std::string& path) {
    QFile file(QString::fromStdString(path));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QByteArray hashOf(const std::string& path) {
    return QCryptographicHash::hash(bytesOf(path), QCryptographicHash::Sha256);
}

void writeBytes(const std::string& path, const QByteArray& bytes) {
    QFile file(QString::fromStdString(path));
    QVERIFY(file.open(QIODevice::WriteOnly));
    QVERIFY(file.write(bytes) == bytes.size());
}

/// Runs `work` in a child process and answers its exit status: limits must not touch this one.
template <typename Work>
int inChild(Work&& work) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(work());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

class TestStoreFiles : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    int m_next = 0;

    std::string newPath() {
        return m_folder.filePath(QString::number(m_next++) + QStringLiteral(".db")).toStdString();
    }
    std::string filledStore(int runs = 3) {
        const std::string path = newPath();
        const auto store = Store::open(path);
        for (int i = 0; store.ok() && i < runs; ++i) {
            static_cast<void>(store.value()->finishRun(sampleRecord(i)).ok());
        }
        return path;
    }
    Status execute(const std::string& path, const char* sql) {
        PARETO_TRY(const auto database, Database::open(path, OpenMode::ReadWriteCreate));
        return database->execute(sql);
    }

private Q_SLOTS:
    void foldersAreMade() {
        const std::string path = newPath() + "/deeper/studio.db";
        QVERIFY(Store::open(path).ok());
        QVERIFY(std::filesystem::exists(path));
    }

    void newerStoresAreNotTouched() {
        const std::string path = filledStore();
        QVERIFY(execute(path, "PRAGMA user_version = 99; ALTER TABLE runs ADD COLUMN later TEXT;").ok());
        const auto before = hashOf(path);
        const auto store = Store::open(path);
        QVERIFY(!store.ok());
        QVERIFY(store.error().code == ErrorCode::StoreNewer);
        QCOMPARE(QString::fromStdString(store.error().args.at("found")), QStringLiteral("99"));
        QCOMPARE(hashOf(path), before);
        const auto reader = Store::openReadOnly(path);
        QVERIFY(reader.ok());
        QVERIFY(reader.value()->newer());
        QVERIFY(reader.value()->runs()->size() == 3);
        QVERIFY(reader.value()->run(1).ok());
        QCOMPARE(hashOf(path), before);
    }

    void foreignFilesAreNotTouched() {
        const std::string other = newPath();
        QVERIFY(execute(other, "CREATE TABLE t (x); INSERT INTO t VALUES (1);").ok());
        const std::string text = newPath();
        writeBytes(text, QByteArray("This is a letter, not a database. ").repeated(100));
        for (const auto& path : {other, text}) {
            const auto before = hashOf(path);
            const auto store = Store::open(path);
            QVERIFY(!store.ok() && store.error().code == ErrorCode::StoreForeign);
            QVERIFY(!Store::openReadOnly(path).ok());
            QCOMPARE(hashOf(path), before);
        }
        QVERIFY(Store::open(m_folder.path().toStdString()).error().code == ErrorCode::StoreForeign);
        QVERIFY(Store::openReadOnly(newPath()).error().code == ErrorCode::FileMissing);
    }

    void damagedFilesAreSaidToBe() {
        const std::string path = filledStore(20);
        const QByteArray whole = bytesOf(path);
        RandomStream random(21, "damage");
        int noticed = 0;
        for (int trial = 0; trial < 120; ++trial) {
            QByteArray damaged = whole;
            if (trial % 4 == 0) {
                damaged.truncate(static_cast<int>(random.below(static_cast<std::uint64_t>(whole.size()))));
            } else {
                const auto begin = random.below(static_cast<std::uint64_t>(whole.size()));
                const auto end = std::min<std::uint64_t>(begin + 1 + random.below(4096),
                                                         static_cast<std::uint64_t>(whole.size()));
                for (auto at = begin; at < end; ++at) {
                    damaged[static_cast<int>(at)] = static_cast<char>(random.next());
                }
            }
            const std::string copy = newPath();
            writeBytes(copy, damaged);
            const auto fine = [&](const auto& result) {
                if (result.ok()) {
                    return true;
                }
                ++noticed;
                const auto code = result.error().code;
                return code == ErrorCode::StoreFailure || code == ErrorCode::StoreForeign ||
                       code == ErrorCode::StoreNewer || code == ErrorCode::RunUnknown ||
                       code == ErrorCode::DiskFull || code == ErrorCode::FileWriteDenied;
            };
            const auto store = Store::open(copy);
            QVERIFY2(fine(store), store.ok() ? "" : errorMessage(store.error()).c_str());
            if (store.ok()) {
                const auto runs = store.value()->runs();
                QVERIFY2(fine(runs), runs.ok() ? "" : errorMessage(runs.error()).c_str());
                for (int id = 1; id <= 20; id += 5) {
                    const auto run = store.value()->run(id);
                    QVERIFY2(fine(run), run.ok() ? "" : errorMessage(run.error()).c_str());
                }
                const auto written = store.value()->finishRun(sampleRecord(9));
                QVERIFY2(fine(written), written.ok() ? "" : errorMessage(written.error()).c_str());
            }
            QFile::remove(QString::fromStdString(copy));
        }
        QVERIFY2(noticed > 20, qPrintable(QString::number(noticed)));
    }

    void readOnlyFoldersAreSaidToBe() {
        // Root may write everywhere: the child asks as another user, who must be able to get here.
        std::filesystem::permissions(m_folder.path().toStdString(), std::filesystem::perms(0755));
        const std::string folder = newPath();
        std::filesystem::create_directory(folder);
        const std::string path = folder + "/studio.db";
        {
            const auto store = Store::open(path);
            QVERIFY(store.ok() && store.value()->finishRun(sampleRecord()).ok());
        }
        std::filesystem::permissions(folder, std::filesystem::perms(0555));
        std::filesystem::permissions(path, std::filesystem::perms(0444));
        const int result = inChild([&] {
            if (::geteuid() == 0 && ::seteuid(65534) != 0) {
                return 9;
            }
            const auto fresh = Store::open(folder + "/new.db");
            if (fresh.ok() || fresh.error().code != ErrorCode::FileWriteDenied) {
                return 1;
            }
            const auto reader = Store::openReadOnly(path);
            if (!reader.ok() || reader.value()->runs()->size() != 1) {
                return 2;
            }
            const auto writer = Store::open(path);
            if (writer.ok()) {
                const auto written = writer.value()->finishRun(sampleRecord(2));
                return !written.ok() && written.error().code == ErrorCode::FileWriteDenied ? 0 : 3;
            }
            return writer.error().code == ErrorCode::FileWriteDenied ? 0 : 4;
        });
        std::filesystem::permissions(folder, std::filesystem::perms(0755));
        QCOMPARE(result, 0);
    }

    void fullDisksAreSaidToBe() {
        const std::string path = filledStore();
        const auto size = std::filesystem::file_size(path);
        const int result = inChild([&] {
            ::signal(SIGXFSZ, SIG_IGN);
            const rlimit limit{size + 8192, size + 8192};
            if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) {
                return 9;
            }
            const auto store = Store::open(path);
            if (!store.ok()) {
                return 1;
            }
            RunRecord large = sampleRecord(4);
            large.latenciesMs.assign(100000, 1.0);
            const auto failed = store.value()->finishRun(large);
            if (failed.ok() || failed.error().code != ErrorCode::DiskFull) {
                return 2;
            }
            // The program goes on: reading works, and nothing of the large run is there.
            const auto runs = store.value()->runs();
            return runs.ok() && runs->size() == 3 ? 0 : 3;
        });
        QCOMPARE(result, 0);
        const auto store = Store::open(path);
        QVERIFY(store.ok() && store.value()->runs()->size() == 3);
        QVERIFY(store.value()->finishRun(sampleRecord(5)).ok());
    }

    void earlierVersionsAreRead_data() {
        QTest::addColumn<int>("version");
        QTest::newRow("1") << 1;
        QTest::newRow("2") << 2;
    }

    /// Stores as earlier versions wrote them (tests/golden/store/v<N>.db, frozen).
    void earlierVersionsAreRead() {
        QFETCH(int, version);
        const auto golden = QStringLiteral(PARETO_SOURCE_DIR "/tests/golden/store/v%1.db").arg(version);
        QVERIFY2(QFile::exists(golden), qPrintable(golden));
        const std::string path = newPath();
        QVERIFY(QFile::copy(golden, QString::fromStdString(path)));
        QFile::setPermissions(QString::fromStdString(path), QFile::ReadOwner | QFile::WriteOwner);
        const auto store = Store::open(path);
        QVERIFY2(store.ok(), store.ok() ? "" : errorMessage(store.error()).c_str());
        const std::vector<RunRecord> records{sampleRecord(1), sampleTranslation(2)};
        QVERIFY(store.value()->runs()->size() == 2);
        for (int i = 0; i < version; ++i) {
            RunRecord expected = records[static_cast<std::size_t>(i)];
            const auto run = store.value()->run(i + 1);
            QVERIFY(run.ok());
            expected.id = i + 1;
            expected.finishedAt = run->finishedAt;
            QCOMPARE(QByteArray::fromStdString(compactJson(runRecordToJson(run.value()))),
                     QByteArray::fromStdString(compactJson(runRecordToJson(expected))));
        }
        QVERIFY(store.value()->jobs()->size() == 1);
    }

    /// What cannot be written (a folder without permission) is read as it is.
    void version1IsReadWithoutChangingIt() {
        const std::string golden = std::string(PARETO_SOURCE_DIR) + "/tests/golden/store/v1.db";
        const auto before = hashOf(golden);
        const auto store = Store::openReadOnly(golden);
        QVERIFY2(store.ok(), store.ok() ? "" : errorMessage(store.error()).c_str());
        const auto runs = store.value()->runs();
        QVERIFY2(runs.ok(), runs.ok() ? "" : errorMessage(runs.error()).c_str());
        QCOMPARE(runs->size(), std::size_t{2});
        QVERIFY(runs->front().find("accuracy") != nullptr && runs->front().find("bleu") == nullptr);
        const auto run = store.value()->run(1);
        QVERIFY(run.ok() && run->items.size() == 3 && run->items[0].parts.empty());
        QCOMPARE(hashOf(golden), before);
    }

    void stepsAreAppliedOnceAfterABackup() {
        const std::string path = filledStore();
        const QByteArray before = bytesOf(path);
        const int latest = schemaVersion();
        std::vector<Migration> steps(allMigrations().begin(), allMigrations().end());
        steps.push_back({latest + 1, "ALTER TABLE runs ADD COLUMN later TEXT NOT NULL DEFAULT 'x';"});
        steps.push_back({latest + 2, "UPDATE runs SET later = 'y';"});
        {
            const auto database = Database::open(path, OpenMode::ReadWriteCreate);
            QVERIFY(database.ok());
            QVERIFY(migrate(*database.value(), steps).ok());
            QVERIFY(identify(*database.value())->version == latest + 2);
            QVERIFY(database.value()->integer("SELECT count(*) FROM runs WHERE later = 'y'").value() == 3);
            QVERIFY(migrate(*database.value(), steps).ok());
        }
        const auto backup = Store::open(path + ".v" + std::to_string(latest) + ".bak");
        QVERIFY(backup.ok() && backup.value()->runs()->size() == 3);
        QVERIFY(!before.isEmpty());
    }

    void aStepThatFailsChangesNothing() {
        const std::string path = filledStore();
        std::vector<Migration> steps(allMigrations().begin(), allMigrations().end());
        steps.push_back({schemaVersion() + 1,
                         "DELETE FROM measurements; INSERT INTO no_such_table VALUES (1);"});
        {
            const auto database = Database::open(path, OpenMode::ReadWriteCreate);
            QVERIFY(database.ok());
            QVERIFY(!migrate(*database.value(), steps).ok());
        }
        const auto store = Store::open(path);
        QVERIFY(store.ok());
        QVERIFY(store.value()->run(1)->measurements.size() == 4);
    }
};

namespace {

/// Made tests/golden/store/v<N>.db when version N was frozen: v1.db has as its second run one that was
/// going on.
int writeFixture(const std::string& path) {
    const auto store = Store::open(path);
    if (!store.ok() || !store.value()->finishRun(sampleRecord(1)).ok() ||
        !store.value()->finishRun(sampleTranslation(2)).ok()) {
        return 1;
    }
    JobRow job;
    job.kind = "run";
    job.state = "interrupted";
    return store.value()->addJob(job).ok() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3 && std::string(argv[1]) == "--write-fixture") {
        return writeFixture(argv[2]);
    }
    QCoreApplication application(argc, argv);
    TestStoreFiles test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_store_files.moc"
