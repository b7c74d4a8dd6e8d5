// A sweep as a job array, and ranks as tasks, of a real Slurm: slurmctld and slurmd of this machine with several virtual nodes. Skipped by name
// where Slurm is not installed (Debian: slurmctld slurmd slurm-client munge), or this user may not run it.
#include <QDir>
#include <QFile>
#include <QStandardPaths>
#include <QTest>

#include <csignal>
#include <memory>
#include <set>

#include <unistd.h>

#include "engine/core/hmac.h"
#include "engine/core/random.h"
#include "tests/app/cli_compute/program.h"

using namespace pareto;

namespace {

QString programNamed(const char* name) {
    return QStandardPaths::findExecutable(QString::fromLatin1(name),
                                          {QStringLiteral("/usr/sbin"), QStringLiteral("/usr/bin"), QStringLiteral("/sbin")});
}

std::string hostName() {
    char name[256] = {};
    ::gethostname(name, sizeof name - 1);
    return name;
}

/// Daemons in the foreground, in a folder of their own; gone with it.
class Slurm {
public:
    explicit Slurm(const QString& folder, int nodes) : m_folder(folder) {
        for (const char* part : {"state", "log", "run"}) {
            QDir().mkpath(folder + QLatin1Char('/') + QLatin1String(part));
        }
        const auto at = [&](const char* name) { return QString(folder + QLatin1Char('/') + QLatin1String(name)).toStdString(); };
        test::writeText(at("munge.key"), randomHex(64));
        QFile::setPermissions(QString::fromStdString(at("munge.key")), QFile::ReadOwner);
        // Others' daemons, and other tests, have other ports.
        const int port = 20000 + static_cast<int>(::getpid() % 20000);
        std::string config;
        const auto set = [&](const std::string& name, const std::string& value) { config += name + "=" + value + "\n"; };
        set("ClusterName", "test");
        set("SlurmctldHost", hostName() + "(127.0.0.1)");
        set("SlurmUser", "root");
        set("AuthType", "auth/munge");
        set("AuthInfo", "socket=" + at("run/munge.sock"));
        set("StateSaveLocation", at("state"));
        set("SlurmdSpoolDir", at("spool.%n"));
        set("SlurmctldPidFile", at("run/ctld.pid"));
        set("SlurmdPidFile", at("run/slurmd.%n.pid"));
        set("SlurmctldPort", std::to_string(port));
        set("ProctrackType", "proctrack/linuxproc");
        set("TaskPlugin", "task/none");
        set("SelectType", "select/cons_tres");
        set("SelectTypeParameters", "CR_CPU");
        set("ReturnToService", "2");
        set("MpiDefault", "none");
        set("JobAcctGatherType", "jobacct_gather/none");
        set("AccountingStorageType", "accounting_storage/none");
        const auto last = std::to_string(nodes);
        config += "NodeName=n[1-" + last + "] NodeHostname=" + hostName() + " NodeAddr=127.0.0.1 Port=" + std::to_string(port + 1) + "-" +
                  std::to_string(port + nodes) + " CPUs=1 State=UNKNOWN\n";
        config += "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n";
        test::writeText(at("slurm.conf"), config);
        run("munged", {"--foreground", "--force", "--key-file=" + at("munge.key"), "--socket=" + at("run/munge.sock"),
                       "--pid-file=" + at("run/munged.pid"), "--log-file=" + at("log/munged.log"), "--seed-file=" + at("run/seed")});
        QTest::qWait(500);
        run("slurmctld", {"-D", "-f", at("slurm.conf")});
        for (int node = 1; node <= nodes; ++node) {
            run("slurmd", {"-D", "-N", "n" + std::to_string(node), "-f", at("slurm.conf")});
        }
    }
    ~Slurm() {
        for (auto it = m_daemons.rbegin(); it != m_daemons.rend(); ++it) {
            (*it)->terminate();
            if (!(*it)->waitForFinished(5000)) {
                (*it)->kill();
                (*it)->waitForFinished(5000);
            }
        }
    }
    test::Variables variables() const { return {{"SLURM_CONF", QString(m_folder + QStringLiteral("/slurm.conf")).toStdString()}}; }
    /// What one of its commands says.
    QByteArray ask(const char* name, const QStringList& words, int milliseconds = 30000) const {
        QProcess process;
        auto environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("SLURM_CONF"), m_folder + QStringLiteral("/slurm.conf"));
        process.setProcessEnvironment(environment);
        process.start(programNamed(name), words);
        process.waitForFinished(milliseconds);
        return process.readAllStandardOutput();
    }

private:
    void run(const char* name, const std::vector<std::string>& words) {
        QStringList arguments;
        for (const auto& word : words) {
            arguments << QString::fromStdString(word);
        }
        auto process = std::make_unique<QProcess>();
        process->setStandardOutputFile(QProcess::nullDevice());
        process->setStandardErrorFile(m_folder + QStringLiteral("/log/") + QLatin1String(name) + QString::number(m_daemons.size()));
        process->start(programNamed(name), arguments);
        m_daemons.push_back(std::move(process));
    }
    QString m_folder;
    std::vector<std::unique_ptr<QProcess>> m_daemons;
};

/// `pareto sweep item` processes of a sweep.
std::vector<pid_t> itemsOf(const std::string& sweep) {
    std::vector<pid_t> out;
    for (const auto& name : QDir(QStringLiteral("/proc")).entryList(QDir::Dirs)) {
        QFile file(QStringLiteral("/proc/%1/cmdline").arg(name));
        if (name[0].isDigit() && file.open(QIODevice::ReadOnly)) {
            const auto words = file.readAll().split('\0');
            if (words.size() > 3 && words[0].endsWith("/pareto") && words[1] == "sweep" && words[3] == sweep.c_str()) {
                out.push_back(static_cast<pid_t>(name.toInt()));
            }
        }
    }
    return out;
}

}  // namespace

class TestSlurm : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() {
        for (const char* name : {"munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "srun"}) {
            if (programNamed(name).isEmpty()) {
                QSKIP(qPrintable(QStringLiteral("Slurm's %1 is not installed").arg(QLatin1String(name))));
            }
        }
        if (::geteuid() != 0) {
            QSKIP("slurmd is run as root");
        }
    }

    /// srun's variables are enough for ranks to find each other, but for the address: virtual nodes have no names.
    void srunStartsRanks() {
        const test::ProgramFolder folder;
        const Slurm slurm(QString::fromStdString(folder.path(QStringLiteral("slurm"))), 2);
        QTRY_VERIFY_WITH_TIMEOUT(slurm.ask("sinfo", {QStringLiteral("-h"), QStringLiteral("-o"), QStringLiteral("%D %t")}).contains("2 idle"),
                                 40000);
        const auto llama = test::writeTinyLlama(folder.path(QStringLiteral("llama")));
        const QStringList words{QStringLiteral(PARETO_PROGRAM), QStringLiteral("generate"), QString::fromStdString(llama),
                                QStringLiteral("--prompt"), QStringLiteral("a small model"), QStringLiteral("--max-tokens"),
                                QStringLiteral("12"), QStringLiteral("--threads"), QStringLiteral("1"), QStringLiteral("--json")};
        const auto alone = test::callProgram(folder, {"generate", llama, "--prompt", "a small model", "--max-tokens", "12",
                                                      "--threads", "1", "--json"});
        QVERIFY2(alone.exitCode == 0, alone.err.c_str());
        for (const char* kind : {"--tp", "--pp"}) {
            const auto found = slurm.ask(
                "srun",
                QStringList{QStringLiteral("-N2"), QStringLiteral("-n2"),
                            QStringLiteral("--export=ALL,PARETO_RANKS_TOKEN=%1,MASTER_ADDR=127.0.0.1,PARETO_RANKS_LISTEN=127.0.0.1")
                                .arg(QString::fromStdString(randomHex(16)))} +
                    words + QStringList{QString::fromLatin1(kind), QStringLiteral("2")},
                120000);
            // Rank 0 alone has the answer.
            const auto json = Json::parse(found.toStdString(), nullptr, false);
            QVERIFY2(json.is_object() && json.contains("token_ids"), found.constData());
            QVERIFY2(json["token_ids"] == alone.json()["token_ids"], kind);
        }
    }

    /// 40 runs, 5 of them killed at random: 40 results, none twice.
    void anArraySurvivesKills() {
        const test::ProgramFolder folder;
        const Slurm slurm(QString::fromStdString(folder.path(QStringLiteral("slurm"))), 4);
        QTRY_VERIFY_WITH_TIMEOUT(slurm.ask("sinfo", {QStringLiteral("-h"), QStringLiteral("-o"), QStringLiteral("%D %t")}).contains("4 idle"),
                                 40000);
        const auto classifier = test::writeTinyClassifier(folder.path(QStringLiteral("classifier")));
        const auto task = test::writeTinyTask(folder);
        const auto sweep = folder.path(QStringLiteral("sweep"));
        const auto made = test::callProgram(
            folder, {"sweep", "new", sweep, classifier, "--task", task, "--no-timing", "--threads", "1", "--recipe",
                     R"({"version": 1, "defaults": {"prune": {"pattern": "unstructured", "method": "magnitude"}}})", "--vary",
                     "defaults.prune.ratio=0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.85,0.9;defaults.quantize.weights=int8,int4,int3,int2"});
        QVERIFY2(made.exitCode == 0, made.err.c_str());
        RandomStream random(11, "kills");
        int kills = 0;
        int submitted = 0;
        const auto finished = [&] {
            return test::callProgram(folder, {"sweep", "status", sweep, "--json"}, slurm.variables()).json()["counts"].value("finished", 0);
        };
        for (; submitted < 6 && finished() < 40; ++submitted) {
            const auto answer = test::callProgram(folder, {"sweep", "slurm", sweep, "--json"}, slurm.variables());
            QVERIFY2(answer.exitCode == 0, answer.err.c_str());
            QElapsedTimer timer;
            timer.start();
            while (timer.elapsed() < 90000 && !slurm.ask("squeue", {QStringLiteral("-h")}).isEmpty()) {
                const auto items = itemsOf(sweep);
                if (kills < 5 && !items.empty() && ::kill(items[random.below(items.size())], SIGKILL) == 0) {
                    ++kills;
                }
                QTest::qWait(200 + static_cast<int>(random.below(600)));
            }
        }
        qInfo("killed %d, submitted %d times", kills, submitted);
        QCOMPARE(kills, 5);
        QCOMPARE(finished(), 40);
        const auto store = folder.path(QStringLiteral("runs.db"));
        for (const int count : {40, 0}) {
            const auto gathered = test::callProgram(folder, {"sweep", "gather", sweep, "--db", store, "--json"});
            QCOMPARE(gathered.json()["gathered"].get<int>(), count);
        }
        const auto runs = test::callProgram(folder, {"runs", "list", "--json", "--db", store}).json()["runs"];
        std::set<std::string> names;
        for (const auto& run : runs) {
            names.insert(run["name"].get<std::string>());
        }
        QCOMPARE(runs.size(), std::size_t{40});
        QCOMPARE(names.size(), std::size_t{40});
    }
};

QTEST_GUILESS_MAIN(TestSlurm)
#include "tst_slurm.moc"
