#include <csignal>

#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QStandardPaths>
#include <QTableView>
#include <QTest>
#include <QToolButton>

#include "app/studio/dialogs/host_dialog.h"
#include "app/studio/job_queue.h"
#include "app/studio/main_window.h"
#include "app/studio/runner.h"
#include "app/studio/runs.h"
#include "app/studio/services.h"
#include "app/studio/settings.h"
#include "app/studio/store_thread.h"
#include "app/studio/toolbar/target_chooser.h"
#include "app/studio/workers.h"
#include "app/studio/workspace.h"
#include "tests/app/studio/studio_test.h"

using namespace pareto;
using namespace pareto::studio;
using namespace Qt::StringLiterals;

namespace {

/// What is called in place of ssh: the machine "far" is this one with folders of its own. What it runs outlives it, as on a
/// machine that the connection is lost to.
constexpr const char* kSsh = R"(#!/bin/sh
here='%1'
echo "$*" >> "$here/ssh.log"
if [ -e "$here/unreachable" ]; then echo 'ssh: connect to host far port 22: No route to host' >&2; exit 255; fi
while [ "$1" != far ]; do shift; done
shift
case "$*" in
rsync*) if [ -e "$here/broken" ]; then echo 'client_loop: send disconnect: Broken pipe' >&2; exit 255; fi ;;
esac
export HOME="$here/far" XDG_CACHE_HOME="$here/far/cache" XDG_STATE_HOME="$here/far/state" XDG_RUNTIME_DIR="$here/far"
exec 3<&0
setsid sh -c "$*" <&3 &
wait $!
)";

}  // namespace

/// Jobs on a machine that ssh reaches, in a window, with the real worker and rsync.
class TestRemote : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() {
        if (test::realWorker().isEmpty()) {
            QSKIP("this build has no command line");
        }
        QVERIFY2(!QStandardPaths::findExecutable(u"rsync"_s).isEmpty(), "rsync is not installed: ./dev setup installs it");
    }
    void init();
    void cleanup();
    void aMachineIsChosenAndMeasures();
    void aLostConnectionIsNamedAndCollected();
    void theNextStartCollects();
    void aJobThatIsAwayCanBeCancelled();
    void aMachineThatCannotBeReached();
    void aBrokenCopyIsGoneOnWith();
    void aHostThatIsNone();

private:
    void begin(double seconds);
    QString file(const char* name) const { return m_fixture->file(QString::fromUtf8(name)); }
    Services services() const { return m_application->services(); }
    JobQueue& queue() const { return m_application->services().queue; }
    int run() {
        queue().setHeld(false);
        services().runner.measureBaseline();
        return queue().jobs().back().id;
    }
    bool waitFor(int job, JobState state, int ms = 60'000) {
        return QTest::qWaitFor([&] { return queue().find(job) != nullptr && queue().find(job)->state == state; }, ms);
    }
    bool waitForTiming(int job) {
        return QTest::qWaitFor([&] { return queue().find(job)->progress.stage == Stage::Timing; }, 60'000);
    }
    void cut() { ::kill(static_cast<pid_t>(services().workers.worker(u"far"_s).processId()), SIGKILL); }
    int calls(const QString& word) const {
        QFile log(file("ssh.log"));
        return log.open(QIODevice::ReadOnly) ? static_cast<int>(QString::fromUtf8(log.readAll()).count(word)) : 0;
    }
    void clickJob(int job, const char* button) {
        auto& window = m_application->window();
        auto* table = window.findChild<QTableView*>(u"jobsTable"_s);
        for (int row = 0; row < table->model()->rowCount(); ++row) {
            table->setCurrentIndex(table->model()->index(row, 0));
            if (queue().jobs()[static_cast<std::size_t>(row)].id == job) {
                break;
            }
        }
        QTest::mouseClick(window.findChild<QToolButton*>(QString::fromUtf8(button)), Qt::LeftButton);
    }
    RunRecord record(std::int64_t run) {
        std::optional<RunRecord> out;
        services().runs.fetch(run, this, [&](const RunRecordPtr& record) { out = *record; });
        (void)QTest::qWaitFor([&] { return out.has_value(); }, 5000);
        return out.value_or(RunRecord{});
    }
    std::size_t keptFiles() const {
        return static_cast<std::size_t>(QDir(file("far/state/pareto-studio/kept")).entryList(QDir::Files).size());
    }

    std::unique_ptr<test::StudioFixture> m_fixture;
    std::unique_ptr<Application> m_application;
};

void TestRemote::init() {
    m_fixture = std::make_unique<test::StudioFixture>();
    QDir().mkpath(file("far"));
    QFile ssh(file("ssh"));
    QVERIFY(ssh.open(QIODevice::WriteOnly));
    ssh.write(QString::fromUtf8(kSsh).arg(m_fixture->folder()).toUtf8());
    ssh.close();
    ssh.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    qputenv("PARETO_SSH", file("ssh").toUtf8());
}

void TestRemote::cleanup() {
    if (m_application) {
        queue().cancelAll();
    }
    m_application.reset();
    m_fixture.reset();
}

/// A window on the tiny classifier, whose target is the machine "far".
void TestRemote::begin(double seconds) {
    m_application = m_fixture->startReal();
    services().settings.setTimingSeconds(seconds);
    QVERIFY(m_fixture->open(*m_application));
    services().workers.addHost({{"far", test::realWorker().toStdString()}, false});
    auto target = services().workspace.target();
    target.machine = "far";
    services().workspace.setTarget(target);
}

void TestRemote::aMachineIsChosenAndMeasures() {
    m_application = m_fixture->startReal();
    QVERIFY(m_fixture->open(*m_application));
    auto* chooser = m_application->window().findChild<TargetChooser*>(u"targetChooser"_s);
    auto* machines = chooser->findChild<QComboBox*>(u"targetMachineCombo"_s);
    // The last entry asks for another one.
    const int another = machines->count() - 1;
    machines->setCurrentIndex(another);
    Q_EMIT machines->activated(another);
    auto* dialog = m_application->window().findChild<HostDialog*>(u"hostDialog"_s);
    QVERIFY(dialog != nullptr);
    auto* accept = dialog->findChild<QPushButton*>(u"hostDialogOkButton"_s);
    QVERIFY(!accept->isEnabled());
    QTest::keyClicks(dialog->findChild<QLineEdit*>(u"hostNameEdit"_s), u"far"_s);
    auto* program = dialog->findChild<QLineEdit*>(u"hostProgramEdit"_s);
    program->setText(test::realWorker());
    QVERIFY(accept->isEnabled());
    QTest::mouseClick(accept, Qt::LeftButton);
    QCOMPARE(services().workspace.target().machine, std::string("far"));
    QVERIFY(chooser->text().startsWith(u"far · CPU"_s));
    QTRY_VERIFY_WITH_TIMEOUT(services().workers.hello(u"far"_s) != nullptr, 60'000);
    chooser->menu()->close();

    const int first = run();
    QVERIFY2(waitFor(first, JobState::Finished), qPrintable(queue().log(first)));
    const auto measured = record(queue().find(first)->run);
    QCOMPARE(measured.modelPath, m_fixture->tinyClassifier().toStdString());
    QCOMPARE(measured.modelName, std::string("tiny-classifier"));
    QCOMPARE(measured.task["data"].get<std::string>(), m_fixture->tinyTask().data);
    QVERIFY2(measured.targetText.starts_with("far · CPU"), measured.targetText.c_str());
    QVERIFY(measured.target["machine"] == "far");
    QVERIFY(measured.details["remote"]["host"] == "far");
    QVERIFY(measured.details["remote"]["model"].get<std::string>().find("far/cache/pareto-studio/files/") != std::string::npos);
    QVERIFY(measured.find("latency_p50_ms") != nullptr && measured.find("accuracy") != nullptr);
    QVERIFY(services().runs.comparable().contains(measured.id));
    QCOMPARE(calls(u"rsync --server"_s), 2);  // the model, the data
    QTRY_COMPARE(keptFiles(), std::size_t{0});
    // What lies there already is not copied again, whatever its name here.
    const int second = run();
    QVERIFY(waitFor(second, JobState::Finished));
    QCOMPARE(calls(u"rsync --server"_s), 2);
    // Its settings are remembered by the next window.
    QCOMPARE(services().workers.hosts().size(), std::size_t{1});
    services().settings.sync();
    Workers again(services().worker, services().settings);
    QVERIFY(again.hosts() == services().workers.hosts());
}

void TestRemote::aLostConnectionIsNamedAndCollected() {
    begin(5.0);
    const int job = run();
    QVERIFY(waitForTiming(job));
    cut();
    QVERIFY(waitFor(job, JobState::Away, 10'000));
    auto* table = m_application->window().findChild<QTableView*>(u"jobsTable"_s);
    QStringList shown;
    for (int column = 0; column < table->model()->columnCount(); ++column) {
        shown.append(table->model()->index(0, column).data().toString());
    }
    QVERIFY2(shown.join(u'|').contains(u"connection to far lost; it goes on there"_s), qPrintable(shown.join(u'|')));
    // Nothing else is sent there meanwhile, and this machine works on.
    QCOMPARE(queue().pendingHere(), 0);
    clickJob(job, "jobsRetryButton");
    QVERIFY2(waitFor(job, JobState::Finished), qPrintable(queue().log(job)));
    QCOMPARE(services().runs.frame()->rows().size(), std::size_t{1});
    QVERIFY(record(queue().find(job)->run).find("latency_p50_ms") != nullptr);
    QTRY_COMPARE(keptFiles(), std::size_t{0});
}

void TestRemote::theNextStartCollects() {
    begin(4.0);
    const int job = run();
    QVERIFY(waitForTiming(job));
    const auto row = queue().find(job)->run;
    // A window that is killed leaves the file of its jobs behind; one that is closed asks only for jobs of this machine.
    const QDir place(services().paths.queue);
    const auto files = place.entryList({u"jobs-*.json"_s}, QDir::Files);
    QCOMPARE(files.size(), qsizetype{1});
    m_application.reset();
    // The owner of the file is this very process, which lives: it becomes one that does not.
    QFile kept(place.filePath(files.first()));
    QVERIFY(kept.open(QIODevice::ReadOnly));
    auto json = Json::parse(kept.readAll().toStdString());
    kept.close();
    json["owner"]["pid"] = 1 << 22;
    QVERIFY(kept.open(QIODevice::WriteOnly));
    kept.write(QByteArray::fromStdString(json.dump()));
    kept.close();
    m_application = m_fixture->startReal();
    QCOMPARE(queue().jobs().size(), std::size_t{1});
    const int again = queue().jobs().front().id;
    QVERIFY2(waitFor(again, JobState::Finished), qPrintable(queue().log(again)));
    QCOMPARE(queue().find(again)->run, row);
    QTRY_COMPARE(services().runs.frame()->rows().size(), std::size_t{1});
    QTRY_VERIFY(services().runs.frame()->find(row)->status == RunStatus::Finished);
    QTRY_COMPARE(keptFiles(), std::size_t{0});
}

void TestRemote::aJobThatIsAwayCanBeCancelled() {
    begin(300.0);
    auto target = services().workspace.target();
    target.batch = 512;
    services().workspace.setTarget(target);
    const int job = run();
    QVERIFY(waitForTiming(job));
    cut();
    QVERIFY(waitFor(job, JobState::Away, 10'000));
    clickJob(job, "jobsCancelButton");  // reaches the machine for it
    QVERIFY2(waitFor(job, JobState::Cancelled), qPrintable(queue().log(job)));
    // Not reached, it can be given up.
    const int other = run();
    QVERIFY(waitForTiming(other));
    QFile(file("unreachable")).open(QIODevice::WriteOnly);
    cut();
    QVERIFY(waitFor(other, JobState::Away, 10'000));
    clickJob(other, "jobsCancelButton");
    QTRY_VERIFY(queue().find(other)->state == JobState::Away && queue().find(other)->cancelWanted);
    QTRY_VERIFY_WITH_TIMEOUT(queue().find(other)->awayReason.contains(u"No route to host"_s), 10'000);
    clickJob(other, "jobsForceButton");
    QVERIFY(waitFor(other, JobState::Cancelled, 10'000));
    // It would measure for five minutes there.
    QFile::remove(file("unreachable"));
    for (const auto& entry : QDir(file("far/state/pareto-studio/kept")).entryInfoList({u"*.job"_s}, QDir::Files)) {
        QFile cancel(entry.absolutePath() + u'/' + entry.completeBaseName() + u".cancel"_s);
        QVERIFY(cancel.open(QIODevice::WriteOnly));
    }
}

void TestRemote::aMachineThatCannotBeReached() {
    QFile(file("unreachable")).open(QIODevice::WriteOnly);
    begin(0.1);
    auto* chooser = m_application->window().findChild<TargetChooser*>(u"targetChooser"_s);
    Q_EMIT chooser->menu()->aboutToShow();
    auto* reason = chooser->findChild<QLabel*>(u"targetDeviceReason"_s);
    QTRY_VERIFY2(reason->text().contains(u"on far could not be started"_s), qPrintable(reason->text()));
    QVERIFY(reason->text().contains(u"No route to host"_s));
    const int job = run();
    QVERIFY(waitFor(job, JobState::Failed));
    QCOMPARE(queue().find(job)->error->code, ErrorCode::WorkerUnavailable);
    QVERIFY(queue().find(job)->error->args.at("reason").find("No route to host") != std::string::npos);
    QFile::remove(file("unreachable"));
    clickJob(job, "jobsRetryButton");
    QVERIFY(waitFor(queue().jobs().back().id, JobState::Finished));
}

void TestRemote::aBrokenCopyIsGoneOnWith() {
    QFile(file("broken")).open(QIODevice::WriteOnly);
    begin(0.1);
    const int job = run();
    QVERIFY(waitFor(job, JobState::Failed));
    const auto& error = *queue().find(job)->error;
    QCOMPARE(error.code, ErrorCode::FileWriteDenied);
    QVERIFY2(error.args.at("file").find("on far") != std::string::npos, error.args.at("file").c_str());
    QVERIFY2(error.args.at("reason").find("Broken pipe") != std::string::npos, error.args.at("reason").c_str());
    QFile::remove(file("broken"));
    clickJob(job, "jobsRetryButton");
    QVERIFY(waitFor(queue().jobs().back().id, JobState::Finished));
}

void TestRemote::aHostThatIsNone() {
    HostDialog dialog(Host{}, false);
    auto* name = dialog.findChild<QLineEdit*>(u"hostNameEdit"_s);
    auto* accept = dialog.findChild<QPushButton*>(u"hostDialogOkButton"_s);
    auto* problem = dialog.findChild<QLabel*>(u"hostProblemLabel"_s);
    for (const auto& wrong : {u"-oProxyCommand=x"_s, u"a;b"_s, u"a b"_s, u"a:b"_s}) {
        name->setText(wrong);
        QVERIFY2(!accept->isEnabled() && !problem->text().isEmpty(), qPrintable(wrong));
    }
    name->setText(u"me@gpu-box.lab"_s);
    QVERIFY(accept->isEnabled() && problem->text().isEmpty());
}

int main(int argc, char** argv) {
    test::useScreen(1366, 768, 1.0);
    QApplication application(argc, argv);
    TestRemote tests;
    return QTest::qExec(&tests, argc, argv);
}
#include "tst_remote.moc"
