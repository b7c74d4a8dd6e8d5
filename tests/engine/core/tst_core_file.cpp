#include <csignal>
#include <filesystem>
#include <fstream>

#include <QElapsedTimer>
#include <QFile>
#include <QTemporaryDir>
#include <QThread>
#include <QtTest>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/core/file.h"

using namespace pareto;
namespace fs = std::filesystem;

namespace {

template <typename Work>
pid_t startChild(Work&& work) {
    const pid_t child = ::fork();
    if (child == 0) {
        work();
        ::_exit(0);
    }
    return child;
}

int entriesIn(const std::string& folder) {
    int count = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
        static_cast<void>(entry);
        ++count;
    }
    return count;
}

}  // namespace

class TestCoreFile : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    std::string path(const char* name) { return m_folder.filePath(QLatin1String(name)).toStdString(); }

private Q_SLOTS:
    void textComesBack() {
        const std::string file = path("a.txt");
        const std::string text("line\0with zero", 14);
        QVERIFY(writeFileAtomically(file, text).ok());
        QVERIFY(readTextFile(file).value() == text);
        QVERIFY(writeFileAtomically(file, "").ok());
        QVERIFY(readTextFile(file).value().empty());
        QVERIFY(readTextFile(path("none")).error().code == ErrorCode::FileMissing);
        QVERIFY(writeFileAtomically(path("no/folder/x"), "x").error().code == ErrorCode::FileWriteDenied);
        QVERIFY(writeFileAtomically(file, "12345").ok());
        QVERIFY(readTextFile(file, 4).error().code == ErrorCode::FileUnsafe);
    }

    void onlyRegularFilesAreOpened() {
        const std::string fifo = path("fifo");
        QVERIFY(::mkfifo(fifo.c_str(), 0600) == 0);
        QVERIFY(InputFile::open(fifo).error().code == ErrorCode::FileUnreadable);
        QVERIFY(InputFile::open("/dev/zero").error().code == ErrorCode::FileUnreadable);
        QVERIFY(InputFile::open(m_folder.path().toStdString()).error().code == ErrorCode::FileUnreadable);
    }

    void readsAreBounded() {
        const std::string file = path("b.bin");
        QVERIFY(writeFileAtomically(file, "0123456789").ok());
        const auto input = InputFile::open(file).value();
        QVERIFY(input->size() == 10);
        QVERIFY(input->read(4, 3)->size() == 3);
        QVERIFY(input->read(10, 0).ok());
        QVERIFY(input->read(8, 3).error().code == ErrorCode::FileTruncated);
        QVERIFY(input->read(UINT64_MAX, 2).error().code == ErrorCode::FileTruncated);
        QVERIFY(input->map()->size() == 10);
        fs::resize_file(file, 5);
        std::byte out[8];
        QVERIFY(input->readAt(0, out).error().code == ErrorCode::FileTruncated);
    }

    /// Pages that were looked at leave the process, and come back with the same bytes.
    void mappedPagesAreReleased() {
        const std::string file = path("pages.bin");
        constexpr std::size_t kSize = std::size_t{32} << 20;
        std::string content(kSize, 'x');
        content[kSize / 2] = 'y';
        QVERIFY(writeFileAtomically(file, content).ok());
        const Buffer map = InputFile::open(file).value()->map().value();
        const auto resident = [] {
            const QByteArray status = [] {
                QFile proc(QStringLiteral("/proc/self/status"));
                return proc.open(QIODevice::ReadOnly) ? proc.readAll() : QByteArray();
            }();
            const auto at = status.indexOf("RssFile:");
            return status.mid(at + 8, 20).trimmed().split(' ').first().toLongLong() * 1024;
        };
        QVERIFY(std::equal(content.begin(), content.end(), map.as<char>().begin()));
        const auto before = resident();
        map.part(100, kSize - 200).releasePages();
        QVERIFY(before - resident() > static_cast<qint64>(kSize / 2));
        QVERIFY(std::equal(content.begin(), content.end(), map.as<char>().begin()));
        QVERIFY(map.part(kSize / 2, 1).as<char>()[0] == 'y');
        const Buffer owned = Buffer::copyOf(std::span<const char>(content));
        owned.releasePages();
        QVERIFY(std::equal(content.begin(), content.end(), owned.as<char>().begin()));
    }

    void aKilledWriterLeavesOldOrNew() {
        const std::string folder = path("kill");
        fs::create_directory(folder);
        const std::string file = folder + "/value";
        const std::string first(200000, 'a');
        const std::string second(200000, 'b');
        QVERIFY(writeFileAtomically(file, first).ok());
        for (int i = 0; i < 20; ++i) {
            const pid_t child = startChild([&] {
                for (int n = 0; n < 100000; ++n) {
                    static_cast<void>(writeFileAtomically(file, n % 2 == 0 ? second : first).ok());
                }
            });
            QThread::usleep(static_cast<unsigned long>(1000 + i * 1700));
            ::kill(child, SIGKILL);
            ::waitpid(child, nullptr, 0);
            const auto text = readTextFile(file);
            QVERIFY(text.ok() && (text.value() == first || text.value() == second));
        }
    }

    void aFullDiskKeepsTheOldFile() {
        const std::string folder = path("full");
        fs::create_directory(folder);
        const std::string file = folder + "/value";
        QVERIFY(writeFileAtomically(file, "old").ok());
        const pid_t child = ::fork();
        if (child == 0) {
            ::signal(SIGXFSZ, SIG_IGN);
            const rlimit limit{4096, 4096};
            ::setrlimit(RLIMIT_FSIZE, &limit);
            const auto status = writeFileAtomically(file, std::string(100000, 'x'));
            ::_exit(!status.ok() && status.error().code == ErrorCode::DiskFull ? 0 : 1);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        QVERIFY(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        QVERIFY(readTextFile(file).value() == "old");
        QCOMPARE(entriesIn(folder), 1);
    }

    void foldersAppearWhole() {
        const std::string target = path("out");
        {
            auto folder = PendingFolder::create(target);
            QVERIFY(folder.ok());
            QVERIFY(writeFileAtomically(folder->path() + "/a", "1").ok());
            QVERIFY(!fs::exists(target));
            QVERIFY(folder.value().commit().ok());
        }
        QVERIFY(readTextFile(target + "/a").value() == "1");
        QVERIFY(PendingFolder::create(target).error().code == ErrorCode::FileWriteDenied);
        {
            auto folder = PendingFolder::create(target, true);
            QVERIFY(folder.ok());
            QVERIFY(writeFileAtomically(folder->path() + "/b", "2").ok());
        }  // not committed
        QVERIFY(fs::exists(target + "/a") && !fs::exists(target + "/b"));
        auto folder = PendingFolder::create(target, true);
        QVERIFY(writeFileAtomically(folder->path() + "/b", "2").ok());
        QVERIFY(folder.value().commit().ok());
        QVERIFY(!fs::exists(target + "/a") && fs::exists(target + "/b"));
        QVERIFY(PendingFolder::create(path("no/parent")).error().code == ErrorCode::FileWriteDenied);
    }

    void abandonedFoldersAreSwept() {
        const std::string parent = path("sweep");
        fs::create_directory(parent);
        const std::string target = parent + "/model";
        const pid_t child = startChild([&] {
            auto folder = PendingFolder::create(target);
            static_cast<void>(writeFileAtomically(folder->path() + "/half", "x").ok());
            ::pause();
        });
        QElapsedTimer timer;
        timer.start();
        const auto partialHasFile = [&] {
            for (const auto& entry : fs::directory_iterator(parent)) {
                if (fs::exists(entry.path() / "half")) {
                    return true;
                }
            }
            return false;
        };
        while (!partialHasFile() && timer.elapsed() < 20000) {
            QThread::msleep(5);
        }
        QVERIFY(partialHasFile());
        {
            // Its writer lives: it stays.
            auto other = PendingFolder::create(target);
            QVERIFY(other.ok());
            QCOMPARE(entriesIn(parent), 2);
        }
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        auto folder = PendingFolder::create(target);
        QVERIFY(folder.ok());
        QCOMPARE(entriesIn(parent), 1);
    }

    void freeSpaceIsChecked() {
        QVERIFY(checkFreeSpace(m_folder.path().toStdString(), 1).ok());
        const auto huge = checkFreeSpace(path("new/file"), std::uint64_t{1} << 60);
        QVERIFY(!huge.ok() && huge.error().code == ErrorCode::DiskFull);
    }
};

QTEST_GUILESS_MAIN(TestCoreFile)
#include "tst_core_file.moc"
