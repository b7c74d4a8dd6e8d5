// Sweeps in the window: their folders are followed, what ends comes into the store once, and they are cancelled, tried again
// and gone on with by clicks.
#include <algorithm>
#include <csignal>
#include <set>

#include <QAction>
#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QDockWidget>
#include <QFile>
#include <QFileDialog>
#include <QLabel>
#include <QLineEdit>
#include <QMessageBox>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QStandardItemModel>
#include <QTableView>
#include <QTableWidget>
#include <QTest>
#include <QToolButton>

#include "app/studio/actions.h"
#include "app/studio/dialogs/grid_dialog.h"
#include "app/studio/job_queue.h"
#include "app/studio/job_texts.h"
#include "app/studio/main_window.h"
#include "app/studio/runs.h"
#include "app/studio/services.h"
#include "app/studio/settings.h"
#include "app/studio/store_thread.h"
#include "app/studio/sweeps.h"
#include "app/studio/texts.h"
#include "app/studio/workspace.h"
#include "tests/app/studio/studio_test.h"
#include "tests/support/stand_in_ssh.h"
#include "tests/support/tiny_models.h"
#include "widgets/models/jobs_table_model.h"

using namespace pareto;
using namespace pareto::studio;
using namespace Qt::StringLiterals;
using jobs::Sweep;

namespace {

std::vector<store::RunSummary> runsIn(StoreThread& store) {
    std::optional<std::vector<store::RunSummary>> rows;
    QObject context;
    store.ask<std::vector<store::RunSummary>>(
        [](store::Store& s) { return s.runs({}); }, &context,
        [&](auto result) { rows = std::move(result).value(); });
    (void)QTest::qWaitFor([&] { return rows.has_value(); }, 5000);
    return rows.value_or(std::vector<store::RunSummary>{});
}

/// What a window has of sweeps, without the window.
struct Bench {
    Bench(const QString& folder, const QString& name)
        : store(folder + u"/studio.db"_s),
          settings(folder + u'/' + name),
          sweeps(store, settings, u"/nowhere/pareto"_s) {}
    StoreThread store;
    Settings settings;
    Sweeps sweeps;
};

RunRecord finishedRun(const Sweep& sweep, std::size_t run) {
    auto record = jobs::recordOf(sweep.runs()[run]);
    record.status = RunStatus::Finished;
    record.headlineKey = "accuracy";
    record.measurements.push_back({"accuracy", 0.75, 0.7, 0.8, 20});
    record.finishedAt = record.startedAt + 4000;
    return record;
}

Sweep madeSweep(const QString& folder, const std::vector<jobs::RunParams>& runs) {
    const auto made = Sweep::create(folder.toStdString(), "my sweep", runs);
    [&] { QVERIFY(made.ok()); }();
    return std::move(Sweep::open(folder.toStdString()).value());
}

std::vector<jobs::RunParams> emptyRuns(std::size_t count) {
    std::vector<jobs::RunParams> runs(count);
    for (std::size_t i = 0; i < count; ++i) {
        runs[i].model = "/models/tiny";
        runs[i].seed = i;
        runs[i].name = std::to_string(i);
    }
    return runs;
}

void write(const QString& file, const QByteArray& text) {
    QFile out(file);
    QVERIFY(out.open(QIODevice::WriteOnly) && out.write(text) == text.size());
}

/// The only row's text in the jobs pane.
QString stateIn(MainWindow& window) {
    const auto* model = window.findChild<QTableView*>(u"jobsTable"_s)->model();
    return model->rowCount() == 0
               ? QString()
               : model->index(0, widgets::JobsTableModel::State).data().toString();
}

QToolButton* button(MainWindow& window, const char* name) {
    return window.findChild<QToolButton*>(QString::fromLatin1(name));
}

void click(MainWindow& window, const char* name) {
    auto* found = button(window, name);
    QVERIFY(found != nullptr);
    QTRY_VERIFY2_WITH_TIMEOUT(found->isEnabled(), name, 20'000);
    QTest::mouseClick(found, Qt::LeftButton);
}

}  // namespace

class TestSweeps : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() { qputenv("PATH", m_path); }

    /// Outcomes appear while two windows look: each run comes into their store once, and into a third's not again.
    void comeInOnceThroughTwoWindows() {
        const QTemporaryDir folder;
        const auto sweep = madeSweep(folder.filePath(u"sweep"_s), emptyRuns(40));
        Bench one(folder.path(), u"one.ini"_s);
        Bench other(folder.path(), u"other.ini"_s);
        QSignalSpy came(&one.sweeps, &Sweeps::runsCame);
        QSignalSpy cameToo(&other.sweeps, &Sweeps::runsCame);
        const int id = one.sweeps.open(folder.filePath(u"sweep"_s));
        QCOMPARE(one.sweeps.open(folder.filePath(u"sweep/../sweep"_s)), id);
        const int otherId = other.sweeps.open(folder.filePath(u"sweep"_s));
        for (std::size_t run = 0; run < 3; ++run) {
            QVERIFY(sweep.finish(run, finishedRun(sweep, run)).ok());
        }
        QTRY_COMPARE_WITH_TIMEOUT(one.sweeps.find(id)->count(Sweep::State::Finished), 3, 10'000);
        QTRY_COMPARE(runsIn(one.store).size(), std::size_t{3});
        // More than one look reads.
        for (std::size_t run = 3; run < 40; ++run) {
            QVERIFY(sweep.finish(run, finishedRun(sweep, run)).ok());
        }
        QTRY_COMPARE_WITH_TIMEOUT(one.sweeps.find(id)->state, SweepState::Ended, 10'000);
        QTRY_COMPARE_WITH_TIMEOUT(other.sweeps.find(otherId)->state, SweepState::Ended, 10'000);
        const auto stored = [](const Bench& bench, int number) {
            const auto& runs = bench.sweeps.find(number)->runs;
            return std::all_of(runs.begin(), runs.end(),
                               [](const SweepRun& run) { return run.stored; });
        };
        QTRY_VERIFY(stored(one, id) && stored(other, otherId));
        Bench third(folder.path(), u"third.ini"_s);
        const int thirdId = third.sweeps.open(folder.filePath(u"sweep"_s));
        QSignalSpy nothing(&third.sweeps, &Sweeps::runsCame);
        QTRY_VERIFY(stored(third, thirdId));
        QCOMPARE(nothing.count(), 0);
        QVERIFY(came.count() + cameToo.count() > 0);
        std::set<std::string> names;
        const auto rows = runsIn(one.store);
        for (const auto& row : rows) {
            names.insert(row.name);
        }
        QCOMPARE(rows.size(), std::size_t{40});
        QCOMPARE(names.size(), std::size_t{40});
    }

    /// An outcome is read once: what becomes of the file later is nobody's matter.
    void outcomesAreReadOnce() {
        const QTemporaryDir folder;
        const auto sweep = madeSweep(folder.filePath(u"sweep"_s), emptyRuns(2));
        Bench bench(folder.path(), u"one.ini"_s);
        const int id = bench.sweeps.open(folder.filePath(u"sweep"_s));
        QVERIFY(sweep.finish(0, finishedRun(sweep, 0)).ok());
        QTRY_VERIFY_WITH_TIMEOUT(
            bench.sweeps.find(id)->runs.size() == 2 && bench.sweeps.find(id)->runs[0].stored,
            10'000);
        write(folder.filePath(u"sweep/outcomes/0000.json"_s), "{");
        QVERIFY(sweep.finish(1, finishedRun(sweep, 1)).ok());
        QTRY_COMPARE_WITH_TIMEOUT(bench.sweeps.find(id)->state, SweepState::Ended, 10'000);
        QCOMPARE(bench.sweeps.find(id)->count(Sweep::State::Finished), 2);
    }

    /// Who works on it, as its folder says.
    void statesFollowTheFolder() {
        const QTemporaryDir folder;
        const auto sweep = madeSweep(folder.filePath(u"sweep"_s), emptyRuns(4));
        Bench bench(folder.path(), u"one.ini"_s);
        const int id = bench.sweeps.open(folder.filePath(u"sweep"_s));
        const auto state = [&] { return bench.sweeps.find(id)->state; };
        const auto said = [&] { return stateText(*bench.sweeps.find(id)); };
        QTRY_COMPARE_WITH_TIMEOUT(state(), SweepState::Abandoned, 15'000);
        QCOMPARE(said(), u"0 of 4 finished: nobody works on it; Retry goes on"_s);
        QVERIFY(bench.sweeps.find(id)->canRetry() && !bench.sweeps.find(id)->canCancel());
        {
            auto claim = sweep.claim(2);
            QVERIFY(claim.ok() && claim.value());
            QVERIFY(sweep.finish(0, finishedRun(sweep, 0)).ok());
            const auto error = makeError(ErrorCode::DiskFull, {{"file", "/some/file"}});
            QVERIFY(sweep.finish(1, jobs::failedOutcome(sweep.runs()[1], error)).ok());
            QTRY_COMPARE_WITH_TIMEOUT(said(), u"1 of 4 finished, 1 failed, 1 running"_s, 10'000);
            QCOMPARE(state(), SweepState::Working);
            QCOMPARE(bench.sweeps.find(id)->share(), 0.5);
            // One of 4 s is done, one waits and half of one is left of the worker's.
            QCOMPARE(bench.sweeps.find(id)->secondsLeft(), 6.0);
            QVERIFY(bench.sweeps.find(id)->canCancel());
            QCOMPARE(resultText(bench.sweeps.find(id)->runs[1]), text(error));
            QCOMPARE(resultText(bench.sweeps.find(id)->runs[0]), u"75.00\u00a0% ± 5.00"_s);
            QVERIFY(jobs::askToEnd(sweep).ok());
            QTRY_COMPARE_WITH_TIMEOUT(state(), SweepState::Stopping, 10'000);
        }
        QTRY_COMPARE_WITH_TIMEOUT(state(), SweepState::Cancelled, 10'000);
        // From elsewhere.
        QVERIFY(jobs::mayGoOn(sweep).ok() && sweep.retry(1).ok());
        QTRY_COMPARE_WITH_TIMEOUT(said(), u"1 of 4 finished: nobody works on it; Retry goes on"_s,
                                  15'000);
        for (const std::size_t run : {1U, 2U, 3U}) {
            QVERIFY(sweep.finish(run, finishedRun(sweep, run)).ok());
        }
        QTRY_COMPARE_WITH_TIMEOUT(said(), u"4 of 4 finished"_s, 10'000);
        QVERIFY(!bench.sweeps.find(id)->canRetry());
        // Without a program nothing goes on, and that is said.
        const auto next = madeSweep(folder.filePath(u"next"_s), emptyRuns(1));
        const int nextId = bench.sweeps.open(folder.filePath(u"next"_s));
        QTRY_VERIFY_WITH_TIMEOUT(bench.sweeps.find(nextId)->canRetry(), 15'000);
        bench.sweeps.retry(nextId);
        QVERIFY(stateText(*bench.sweeps.find(nextId)).contains(u"/nowhere/pareto"_s));
    }

    void brokenFoldersAreSaid_data() {
        QTest::addColumn<QByteArray>("file");
        QTest::addColumn<QString>("said");
        QTest::newRow("none") << QByteArray() << u"does not exist"_s;
        QTest::newRow("no JSON") << QByteArray("{") << u"sweep.json, offset 2: not valid JSON"_s;
        QTest::newRow("newer") << QByteArray(R"({"version": 9, "id": "a", "runs": []})")
                               << u"version is 9"_s;
    }

    void brokenFoldersAreSaid() {
        QFETCH(QByteArray, file);
        QFETCH(QString, said);
        test::StudioFixture fixture;
        auto application = fixture.start();
        auto& window = application->window();
        const QString folder = fixture.file(u"sweep"_s);
        QVERIFY(QDir().mkpath(folder));
        if (!file.isEmpty()) {
            write(folder + u"/sweep.json"_s, file);
        }
        application->services().sweeps.open(folder);
        QTRY_VERIFY2(stateIn(window).contains(said), qPrintable(stateIn(window)));
        QVERIFY(!button(window, "jobsCancelButton")->isEnabled() &&
                !button(window, "jobsRetryButton")->isEnabled());
        // It is looked at again.
        QVERIFY(QDir(folder).removeRecursively());
        (void)madeSweep(folder, emptyRuns(2));
        QTRY_VERIFY_WITH_TIMEOUT(stateIn(window).startsWith(u"0 of 2 finished"_s), 10'000);
        write(folder + u"/outcomes/0001.json"_s, "[]");
        QTRY_VERIFY_WITH_TIMEOUT(stateIn(window).startsWith(u"0 of 2 finished, 1 failed"_s),
                                 10'000);
        QVERIFY(QDir(folder).removeRecursively());
        QTRY_VERIFY_WITH_TIMEOUT(stateIn(window).contains(u"does not exist"_s), 10'000);
    }

    /// Opened by clicks, remembered by the next window, and taken off the list.
    void isOpenedRememberedAndRemoved() {
        test::StudioFixture fixture;
        const QString folder = fixture.file(u"my folder"_s);
        const auto sweep = madeSweep(folder, emptyRuns(3));
        {
            auto application = fixture.start();
            auto& window = application->window();
            click(window, "jobsOpenSweepButton");
            auto* dialog = window.findChild<QFileDialog*>(u"openSweepDialog"_s);
            QVERIFY(dialog != nullptr);
            dialog->findChild<QLineEdit*>()->setText(folder);
            static_cast<QDialog*>(dialog)->accept();
            QTRY_VERIFY(stateIn(window).startsWith(u"0 of 3 finished"_s));
            auto* table = window.findChild<QTableView*>(u"jobsTable"_s);
            QCOMPARE(table->model()->index(0, 0).data().toString(), u"Sweep my sweep"_s);
            QVERIFY(sweep.finish(0, finishedRun(sweep, 0)).ok());
            // What came in is seen.
            QTRY_COMPARE_WITH_TIMEOUT(application->services().runs.frame()->rows().size(),
                                      std::size_t{1}, 10'000);
            const auto error = makeError(ErrorCode::DiskFull, {{"file", "/some/file"}});
            QVERIFY(sweep.finish(1, jobs::failedOutcome(sweep.runs()[1], error)).ok());
            QTRY_VERIFY_WITH_TIMEOUT(stateIn(window).startsWith(u"1 of 3 finished, 1 failed"_s),
                                     10'000);
            click(window, "jobsLogButton");
            auto* runs = window.findChild<QTableWidget*>(u"sweepRunsTable"_s);
            QVERIFY(runs != nullptr);
            QCOMPARE(runs->rowCount(), 3);
            QCOMPARE(runs->item(0, 2)->text(), u"finished"_s);
            QCOMPARE(runs->item(1, 3)->text(), text(error));
            QVERIFY(sweep.finish(2, finishedRun(sweep, 2)).ok());
            QTRY_COMPARE_WITH_TIMEOUT(runs->item(2, 2)->text(), u"finished"_s, 10'000);
            window.close();
        }
        {
            auto application = fixture.start();
            auto& window = application->window();
            QTRY_COMPARE(stateIn(window), u"2 of 3 finished, 1 failed"_s);
            click(window, "jobsRemoveButton");
            QCOMPARE(window.findChild<QTableView*>(u"jobsTable"_s)->model()->rowCount(), 0);
            QVERIFY(QFile::exists(folder + u"/sweep.json"_s));
        }
        auto application = fixture.start();
        QVERIFY(application->services().sweeps.sweeps().empty());
        QTRY_COMPARE(application->services().runs.frame()->rows().size(), std::size_t{2});
    }

    void gridSaysWhereItRuns() {
        GridDialog dialog({u"/some/folder"_s, false, 8, 3});
        dialog.show();
        auto* where = dialog.findChild<QComboBox*>(u"gridWhereCombo"_s);
        auto* run = dialog.findChild<QPushButton*>(u"gridRunButton"_s);
        auto* folder = dialog.findChild<QLineEdit*>(u"gridFolderEdit"_s);
        auto* workers = dialog.findChild<QSpinBox*>(u"gridWorkersSpin"_s);
        QVERIFY(!where->model()->flags(where->model()->index(2, 0)).testFlag(Qt::ItemIsEnabled));
        QVERIFY(where->itemData(2, Qt::ToolTipRole).toString().contains(u"sbatch"_s));
        QVERIFY(run->isEnabled() && !folder->isEnabled() && !workers->isEnabled());
        where->setCurrentIndex(1);
        QVERIFY(run->isEnabled() && folder->isEnabled() && workers->isEnabled());
        folder->setText(u"not/whole"_s);
        QVERIFY(!run->isEnabled());
        QVERIFY(dialog.findChild<QLabel*>(u"gridCountLabel"_s)->text().contains(u"whole path"_s));
        folder->setText(u"/some/other"_s);
        GridPlace place;
        connect(&dialog, &GridDialog::chosen, this,
                [&](const Runner::Grid&, const GridPlace& chosen) { place = chosen; });
        QCOMPARE(workers->maximum(), 2);  // of three threads each
        QVERIFY(workers->toolTip().contains(u"8 cores"_s));
        workers->setValue(1);
        QTest::mouseClick(run, Qt::LeftButton);
        QCOMPARE(place.where, GridPlace::Where::Here);
        QCOMPARE(place.folder, u"/some/other"_s);
        QCOMPARE(place.workers, 1);
        QVERIFY(place.hosts.isEmpty());
        GridDialog helped({u"/some/folder"_s, false, 8, 3, {u"near"_s, u"far:/opt/pareto"_s}});
        connect(&helped, &GridDialog::chosen, this,
                [&](const Runner::Grid&, const GridPlace& chosen) { place = chosen; });
        auto* far = helped.findChild<QCheckBox*>(u"gridHost1Check"_s);
        QVERIFY(far != nullptr && !far->isEnabled());
        helped.findChild<QComboBox*>(u"gridWhereCombo"_s)->setCurrentIndex(1);
        QVERIFY(far->isEnabled());
        far->click();
        helped.findChild<QLineEdit*>(u"gridFolderEdit"_s)->setText(u"/some/other"_s);
        helped.findChild<QPushButton*>(u"gridRunButton"_s)->click();
        QCOMPARE(place.hosts, QStringList{u"far:/opt/pareto"_s});
        GridDialog other({u"/some/folder"_s, true, 2, 4});
        QCOMPARE(other.findChild<QSpinBox*>(u"gridWorkersSpin"_s)->maximum(), 1);
        auto* items = other.findChild<QComboBox*>(u"gridWhereCombo"_s)->model();
        QVERIFY(items->flags(items->index(2, 0)).testFlag(Qt::ItemIsEnabled));
    }

    /// From the menu to points on the plot, with the real program.
    void aGridAsASweep() {
        test::StudioFixture fixture;
        if (!real()) {
            QSKIP("this build has no command line (target pareto)");
        }
        auto application = startReal(fixture);
        QVERIFY(fixture.open(*application));
        auto services = application->services();
        auto& window = application->window();
        services.actions[kActionGrid]->trigger();
        auto* dialog = window.findChild<GridDialog*>();
        QVERIFY(dialog != nullptr);
        dialog->findChild<QLineEdit*>(u"gridRatiosEdit"_s)->setText(u"0 50"_s);
        dialog->findChild<QComboBox*>(u"gridWhereCombo"_s)->setCurrentIndex(1);
        dialog->findChild<QSpinBox*>(u"gridWorkersSpin"_s)->setValue(2);
        const QString folder = dialog->findChild<QLineEdit*>(u"gridFolderEdit"_s)->text();
        QVERIFY2(folder.startsWith(fixture.file(u"data/sweeps/tiny-classifier-"_s)),
                 qPrintable(folder));
        QTest::mouseClick(dialog->findChild<QPushButton*>(u"gridRunButton"_s), Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(services.sweeps.sweeps().size(), std::size_t{1}, 10'000);
        QVERIFY(services.queue.jobs().empty());
        const auto& sweep = services.sweeps.sweeps().front();
        QTRY_VERIFY2_WITH_TIMEOUT(sweep.state == SweepState::Ended, qPrintable(stateText(sweep)),
                                  120'000);
        // 50 %, int8, 50 % + int8, and the baseline.
        QCOMPARE(stateIn(window), u"4 of 4 finished"_s);
        QTRY_COMPARE(services.runs.comparable().comparable.size(), std::size_t{4});
        QVERIFY(services.runs.baseline() != 0);
        std::set<std::string> names;
        for (const auto& run : services.runs.frame()->rows()) {
            QVERIFY(run.status == RunStatus::Finished);
            names.insert(run.name);
        }
        QCOMPARE(names.size(), std::size_t{4});
        QVERIFY(names.contains("Baseline"));
        // In the folder that is there already no other can be made.
        services.actions[kActionGrid]->trigger();
        dialog = window.findChildren<GridDialog*>().back();
        dialog->findChild<QComboBox*>(u"gridWhereCombo"_s)->setCurrentIndex(1);
        dialog->findChild<QLineEdit*>(u"gridFolderEdit"_s)->setText(folder);
        QTest::mouseClick(dialog->findChild<QPushButton*>(u"gridRunButton"_s), Qt::LeftButton);
        QTRY_VERIFY(window.findChild<QMessageBox*>(u"errorBox"_s) != nullptr);
        QVERIFY(window.findChild<QMessageBox*>(u"errorBox"_s)->text().contains(folder));
        QCOMPARE(services.sweeps.sweeps().size(), std::size_t{1});
    }

    /// Cancelled in the middle, gone on with, killed, gone on with: in the end every run is there once.
    void cancelledKilledAndGoneOnWith() {
        test::StudioFixture fixture;
        if (!real()) {
            QSKIP("this build has no command line (target pareto)");
        }
        auto application = startReal(fixture);
        auto services = application->services();
        auto& window = application->window();
        std::vector<jobs::RunParams> runs(kManyRuns);
        for (std::size_t i = 0; i < runs.size(); ++i) {
            runs[i].model = fixture.tinyClassifier().toStdString();
            runs[i].task = fixture.tinyTask();
            runs[i].target.sequence = 16;
            runs[i].minSeconds = 0.5;
            runs[i].maxIterations = 1'000'000;
            runs[i].target.threads = 1;
            runs[i].seed = i;
        }
        services.sweeps.start({GridPlace::Where::Here, 2, fixture.file(u"sweep"_s)}, runs);
        QTRY_COMPARE_WITH_TIMEOUT(services.sweeps.sweeps().size(), std::size_t{1}, 10'000);
        const auto& sweep = services.sweeps.sweeps().front();
        QTRY_VERIFY2_WITH_TIMEOUT(sweep.count(Sweep::State::Finished) > 2,
                                  qPrintable(stateText(sweep)), 60'000);
        click(window, "jobsCancelButton");
        QTRY_COMPARE_WITH_TIMEOUT(sweep.state, SweepState::Cancelled, 30'000);
        QVERIFY(sweep.unfinished() > 0);
        const int done = sweep.count(Sweep::State::Finished);
        click(window, "jobsRetryButton");
        QTRY_VERIFY2_WITH_TIMEOUT(sweep.count(Sweep::State::Finished) > done,
                                  qPrintable(stateText(sweep)), 60'000);
        QVERIFY(sweep.process != 0);
        QCOMPARE(::kill(static_cast<pid_t>(sweep.process), SIGKILL), 0);
        QTRY_COMPARE_WITH_TIMEOUT(sweep.state, SweepState::Abandoned, 30'000);
        QVERIFY2(stateIn(window).contains(u"nobody works on it"_s), qPrintable(stateIn(window)));
        QVERIFY(!button(window, "jobsCancelButton")->isEnabled());
        click(window, "jobsRetryButton");
        QTRY_VERIFY2_WITH_TIMEOUT(sweep.state == SweepState::Ended, qPrintable(stateText(sweep)),
                                  120'000);
        QCOMPARE(sweep.count(Sweep::State::Finished), static_cast<int>(kManyRuns));
        QTRY_COMPARE(runsIn(services.store).size(), kManyRuns);
        click(window, "jobsLogButton");
        QTRY_VERIFY(window.findChild<QPlainTextEdit*>(u"sweepLogText"_s) != nullptr);
        QVERIFY(window.findChild<QPlainTextEdit*>(u"sweepLogText"_s)
                    ->toPlainText()
                    .contains(u"Run "_s));
    }

    /// Failed runs say why, and wait again.
    void failedRunsAreTriedAgain() {
        test::StudioFixture fixture;
        if (!real()) {
            QSKIP("this build has no command line (target pareto)");
        }
        auto application = startReal(fixture);
        auto services = application->services();
        auto& window = application->window();
        const QString data = fixture.file(u"later.csv"_s);
        std::vector<jobs::RunParams> runs(2);
        for (auto& run : runs) {
            run.model = fixture.tinyClassifier().toStdString();
            run.task = fixture.tinyTask();
            run.timing = false;
            run.target.threads = 1;
        }
        runs[1].task->data = data.toStdString();
        services.sweeps.start({GridPlace::Where::Here, 1, fixture.file(u"sweep"_s)}, runs);
        QTRY_COMPARE_WITH_TIMEOUT(services.sweeps.sweeps().size(), std::size_t{1}, 10'000);
        const auto& sweep = services.sweeps.sweeps().front();
        QTRY_COMPARE_WITH_TIMEOUT(sweep.state, SweepState::Ended, 60'000);
        QCOMPARE(stateIn(window), u"1 of 2 finished, 1 failed"_s);
        QVERIFY(resultText(sweep.runs[1]).contains(u"later.csv"_s));
        QVERIFY(QFile::copy(QString::fromStdString(fixture.tinyTask().data), data));
        click(window, "jobsRetryButton");
        QTRY_COMPARE_WITH_TIMEOUT(stateIn(window), u"2 of 2 finished"_s, 60'000);
        QTRY_COMPARE(runsIn(services.store).size(), std::size_t{2});
    }

    /// A machine that the settings know helps, reached by what stands in for ssh; again when the window was closed and the
    /// sweep goes on.
    void othersHelp() {
        test::StudioFixture fixture;
        if (!real()) {
            QSKIP("this build has no command line (target pareto)");
        }
        const QString ssh = fixture.file(u"ssh"_s);
        const QString told = fixture.file(u"told"_s);
        write(ssh, QByteArray::fromStdString(test::standInForSsh(told.toStdString())));
        QFile::setPermissions(ssh, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
        qputenv("PARETO_SSH", ssh.toUtf8());
        const auto done = qScopeGuard([] { qunsetenv("PARETO_SSH"); });
        const QString there = u"near:"_s + test::realWorker();
        {
            auto application = startReal(fixture);
            auto services = application->services();
            std::vector<jobs::RunParams> runs(6);
            for (std::size_t i = 0; i < runs.size(); ++i) {
                runs[i].model = fixture.tinyClassifier().toStdString();
                runs[i].task = fixture.tinyTask();
                runs[i].timing = false;
                runs[i].target.threads = 1;
                runs[i].seed = i;
            }
            services.sweeps.start({GridPlace::Where::Here, 1, fixture.file(u"sweep"_s), {there}}, runs);
            QTRY_COMPARE_WITH_TIMEOUT(services.sweeps.sweeps().size(), std::size_t{1}, 10'000);
            const auto& sweep = services.sweeps.sweeps().front();
            QTRY_VERIFY2_WITH_TIMEOUT(sweep.state == SweepState::Ended, qPrintable(stateText(sweep)), 120'000);
            QCOMPARE(sweep.count(Sweep::State::Finished), 6);
            QTRY_COMPARE(runsIn(services.store).size(), std::size_t{6});
        }
        QFile file(told);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QVERIFY(file.readAll().contains("near"));
        auto application = fixture.start();
        QCOMPARE(application->services().sweeps.sweeps().front().hosts, QStringList{there});
    }

    /// With programs that stand in for Slurm's: submitted, waiting, cancelled, submitted again, done by its script.
    void goesToSlurm() {
        test::StudioFixture fixture;
        if (!real()) {
            QSKIP("this build has no command line (target pareto)");
        }
        const QString programs = fixture.file(u"bin"_s);
        QVERIFY(QDir().mkpath(programs));
        const QString told = fixture.file(u"told"_s);
        const auto program = [&](const QString& name, const QString& script) {
            write(programs + u'/' + name, (u"#!/bin/sh\n"_s + script).toUtf8());
            QFile::setPermissions(programs + u'/' + name,
                                  QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
        };
        const auto words = [&]() -> QString {
            QFile file(told);
            return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
        };
        program(u"sbatch"_s, u"echo sbatch \"$@\" >> '"_s + told + u"'; echo 42\n"_s);
        program(u"squeue"_s, u"echo PENDING; echo PENDING\n"_s);
        program(u"scancel"_s, u"echo scancel \"$@\" >> '"_s + told + u"'\n"_s);
        qputenv("PATH", programs.toUtf8() + ':' + m_path);
        auto application = startReal(fixture);
        auto services = application->services();
        auto& window = application->window();
        std::vector<jobs::RunParams> runs(2);
        for (auto& run : runs) {
            run.model = fixture.tinyClassifier().toStdString();
            run.task = fixture.tinyTask();
            run.timing = false;
            run.target.threads = 1;
        }
        services.sweeps.start({GridPlace::Where::Slurm, 1, fixture.file(u"sweep"_s)}, runs);
        QTRY_VERIFY_WITH_TIMEOUT(words().contains(u"--array=0-1"_s), 10'000);
        QTRY_COMPARE_WITH_TIMEOUT(stateIn(window), u"0 of 2 finished: waiting in Slurm"_s, 20'000);
        click(window, "jobsCancelButton");
        QTRY_VERIFY_WITH_TIMEOUT(words().contains(u"scancel"_s), 10'000);
        QTRY_COMPARE_WITH_TIMEOUT(stateIn(window), u"0 of 2 finished: cancelled; Retry goes on"_s,
                                  10'000);
        program(u"sbatch"_s, u"echo 'no such partition'; exit 1\n"_s);
        click(window, "jobsRetryButton");
        QTRY_VERIFY2_WITH_TIMEOUT(stateIn(window).contains(u"no such partition"_s),
                                  qPrintable(stateIn(window)), 10'000);
        program(u"sbatch"_s, u"echo again \"$@\" >> '"_s + told + u"'; echo 43\n"_s);
        program(u"squeue"_s, QString());
        click(window, "jobsRetryButton");
        QTRY_VERIFY_WITH_TIMEOUT(words().contains(u"again"_s), 10'000);
        for (const auto* run : {"0", "1"}) {
            QProcess task;
            auto environment = QProcessEnvironment::systemEnvironment();
            environment.insert(u"SLURM_ARRAY_TASK_ID"_s, QString::fromLatin1(run));
            task.setProcessEnvironment(environment);
            task.start(u"/bin/sh"_s, {fixture.file(u"sweep/slurm.sh"_s)});
            QVERIFY(task.waitForFinished(60'000));
            QCOMPARE(task.exitCode(), 0);
        }
        QTRY_COMPARE_WITH_TIMEOUT(stateIn(window), u"2 of 2 finished"_s, 20'000);
        QTRY_COMPARE(runsIn(services.store).size(), std::size_t{2});
    }

private:
    static constexpr std::size_t kManyRuns = 24;  ///< of half a second each, one after the other
    static bool real() { return QFile::exists(test::realWorker()); }
    static std::unique_ptr<Application> startReal(test::StudioFixture& fixture) {
        qputenv("XDG_CACHE_HOME", fixture.file(u"cache"_s).toUtf8());
        auto application = fixture.startReal();
        application->window().findChild<QDockWidget*>(u"jobsDock"_s)->raise();
        return application;
    }
    const QByteArray m_path = qgetenv("PATH");
};

int main(int argc, char** argv) {
    test::useScreen(1366, 768, 1.0);
    QApplication application(argc, argv);
    TestSweeps sweeps;
    return QTest::qExec(&sweeps, argc, argv);
}
#include "tst_sweeps.moc"
