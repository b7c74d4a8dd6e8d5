// New Project and the page Project, with real clicks: a small table with duplicates and a class that is
// seldom becomes a folder, and its steps run in the worker of the program itself.
#include <QAction>
#include <QCheckBox>
#include <QComboBox>
#include <QDialog>
#include <QDir>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QTableView>
#include <QTemporaryDir>
#include <QtTest>

#include "app/studio/actions.h"
#include "app/studio/dialogs/new_project_dialog.h"
#include "app/studio/job_queue.h"
#include "app/studio/main_window.h"
#include "app/studio/pages/confusion_panel.h"
#include "app/studio/pages/project_page.h"
#include "app/studio/pages/training_page.h"
#include "app/studio/projects.h"
#include "app/studio/runs.h"
#include "app/studio/selection.h"
#include "app/studio/services.h"
#include "app/studio/settings.h"
#include "app/studio/training_runs.h"
#include "app/studio/workspace.h"
#include "engine/core/file.h"
#include "engine/project/create.h"
#include "tests/app/studio/quick_project.h"
#include "tests/app/studio/studio_test.h"
#include "tests/support/tiny_models.h"
#include "widgets/support/elided_label.h"

using namespace pareto;
using namespace pareto::studio;
using namespace Qt::StringLiterals;

namespace {

constexpr int kPatience = 60'000;

/// Sentences that share no five words in a row.
std::string sentence(int number, int words = 8) {
    std::string out;
    for (int i = 0; i < words; ++i) {
        out += (i == 0 ? "w" : " w") + std::to_string(number) + "x" + std::to_string(i);
    }
    return out;
}

/// 140 rows of "ham" and 12 of "spam"; of these 5 twice, 2 texts with both labels, a row without a label, and a pair
/// of long texts that differ in a word.
std::string seldomSpam() {
    std::string csv = "id,text,label\n";
    int id = 0;
    const auto row = [&](const std::string& text, const char* label) {
        csv += std::to_string(1000 + id++) + "," + text + "," + label + "\n";
    };
    for (int i = 0; i < 138; ++i) {
        row(sentence(i), "ham");
    }
    for (int i = 0; i < 12; ++i) {
        row(sentence(200 + i), "spam");
    }
    row(sentence(300, 30), "ham");
    row(sentence(300, 30) + " more", "ham");
    for (int i = 0; i < 5; ++i) {
        row(sentence(i), "ham");
    }
    for (int i = 0; i < 2; ++i) {
        row(sentence(400 + i), "ham");
        row(sentence(400 + i), "spam");
    }
    row(sentence(500), "");
    return csv;
}

}  // namespace

class TestProjectPage : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() {
        qputenv("PARETO_FAKE_WORKER", "good");
        // What an earlier test run trained would answer at once.
        m_cache = std::make_unique<QTemporaryDir>();
        qputenv("XDG_CACHE_HOME", m_cache->path().toUtf8());
    }

    void theDialogShowsWhatIsThereAndMakesTheFolder();
    void whatIsWrongStandsAtItsField();
    void aClosedDialogLeavesNothing();
    void stepsRunAndAreShown();
    void trainingIsSeenLive();
    void failedAndStoppedSteps();
    void projectsAreOpenedAndRemembered();

private:
    std::unique_ptr<QTemporaryDir> m_cache;

    struct Opened {
        std::unique_ptr<Application> application;
        NewProjectDialog* dialog = nullptr;
    };
    static Opened openDialog(test::StudioFixture& fixture) {
        Opened out;
        out.application = fixture.start();
        out.application->services().actions[kActionNewProject]->trigger();
        out.dialog = out.application->window().findChild<NewProjectDialog*>();
        return out;
    }
    static void type(QDialog& dialog, const char* name, const QString& text) {
        auto* edit = dialog.findChild<QLineEdit*>(QLatin1String(name));
        edit->setFocus();
        edit->selectAll();
        QTest::keyClicks(edit, text);
    }
    static void choose(QDialog& dialog, const char* name, const QString& text) {
        auto* combo = dialog.findChild<QComboBox*>(QLatin1String(name));
        const int row = combo->findText(text);
        QVERIFY2(row >= 0, qPrintable(text));
        combo->setCurrentIndex(row);
        Q_EMIT combo->activated(row);
    }
    static QString problem(QDialog& dialog, const char* field) {
        auto* label = dialog.findChild<QLabel*>(u"newProject%1Problem"_s.arg(QLatin1String(field)));
        return label->isHidden() ? QString() : label->text();
    }
    static QString found(QDialog& dialog) {
        return dialog.findChild<QLabel*>(u"newProjectFoundLabel"_s)->text();
    }
    static QPushButton* createButton(QDialog& dialog) {
        return dialog.findChild<QPushButton*>(u"newProjectCreateButton"_s);
    }
    static QString cell(const QTableView& view, int row, int column) {
        return view.model()->index(row, column).data().toString();
    }
    static QPushButton* button(MainWindow& window, const char* name) {
        return window.findChild<QPushButton*>(QLatin1String(name));
    }
    static void click(MainWindow& window, const char* name) {
        QTest::mouseClick(button(window, name), Qt::LeftButton);
    }
    static bool waitIdle(Application& application) {
        auto& projects = application.services().projects;
        return QTest::qWaitFor([&] { return !projects.isRunning() && !projects.isReading(); }, kPatience);
    }
    static std::map<std::string, std::int64_t> runsOf(const Projects& projects) {
        std::map<std::string, std::int64_t> out;
        for (const auto& result : projects.opened()->results.steps) {
            out[result.step] = result.run;
        }
        return out;
    }
    static std::string statesOf(const Projects& projects) {
        std::string out;
        for (const auto& step : projects.steps()) {
            out += step.state == StepState::Done      ? 'd'
                   : step.state == StepState::Due     ? 'o'
                   : step.state == StepState::Failed  ? 'f'
                   : step.state == StepState::Stopped ? 's'
                                                      : '?';
        }
        return out;
    }
    static bool make(const project::CreateOptions& options) {
        Progress progress;
        return project::createProject(options, progress, {}).ok();
    }
};

void TestProjectPage::theDialogShowsWhatIsThereAndMakesTheFolder() {
    test::StudioFixture fixture;
    const QString data = fixture.file(u"seldom.csv"_s);
    test::writeText(data.toStdString(), seldomSpam());
    auto [application, dialog] = openDialog(fixture);
    QVERIFY(dialog != nullptr && dialog->isVisible());
    QVERIFY(!createButton(*dialog)->isEnabled());
    type(*dialog, "newProjectDataEdit", data);
    QTRY_VERIFY_WITH_TIMEOUT(found(*dialog).contains(u"162 rows read"_s), kPatience);
    const QString text = found(*dialog);
    for (const auto& part :
         {u"Texts in text, labels in label"_s, u"2 classes"_s, u"5 duplicates"_s,
          u"4 rows with contradicting labels"_s, u"1 row without label"_s,
          u"2 rows are copies or near copies"_s, u"2 of them go to training"_s, u"0 leaks"_s}) {
        QVERIFY2(text.contains(part), qPrintable(part + u" in\n"_s + text));
    }
    // 140 and 12 rows are left, four fifths of each to learn from.
    const auto* classes = dialog->findChild<QTableView*>(u"newProjectClasses"_s);
    QCOMPARE(classes->model()->rowCount(), 2);
    QCOMPARE(cell(*classes, 0, 0), u"ham"_s);
    QCOMPARE(cell(*classes, 0, 1), u"112"_s);
    QCOMPARE(cell(*classes, 0, 3), u"14"_s);
    QCOMPARE(cell(*classes, 1, 1), u"10"_s);
    QCOMPARE(cell(*classes, 1, 2), u"1"_s);
    QCOMPARE(cell(*classes, 1, 4), u"7.9 %"_s);
    const QString notes = dialog->findChild<QPlainTextEdit*>(u"newProjectNotes"_s)->toPlainText();
    QVERIFY2(notes.contains(u"11 times as many rows"_s), qPrintable(notes));
    QVERIFY2(notes.contains(u"The class spam has 10 rows"_s), qPrintable(notes));
    QVERIFY2(notes.contains(u"seldom.csv:152 and seldom.csv:153 say the same"_s), qPrintable(notes));

    type(*dialog, "newProjectModelEdit", fixture.tinySentenceModel());
    dialog->findChild<QSpinBox*>(u"newProjectEpochsSpin"_s)->setValue(2);
    dialog->findChild<QSpinBox*>(u"newProjectSeedSpin"_s)->setValue(9);
    const QString folder = fixture.file(u"made"_s);
    type(*dialog, "newProjectFolderEdit", folder);
    QTRY_VERIFY_WITH_TIMEOUT(createButton(*dialog)->isEnabled(), kPatience);
    QTest::mouseClick(createButton(*dialog), Qt::LeftButton);
    auto services = application->services();
    QTRY_VERIFY_WITH_TIMEOUT(services.projects.opened() != nullptr, kPatience);
    const auto loaded = project::loadProject(folder.toStdString());
    QVERIFY(loaded.ok());
    QCOMPARE(loaded->name, std::string("made"));
    QCOMPARE(loaded->seed, std::uint64_t{9});
    QCOMPARE(loaded->model, fixture.tinySentenceModel().toStdString());
    QVERIFY(loaded->target == services.workspace.target());
    QCOMPARE(loaded->training()->recipe.recover.front().epochs, 2);
    // The page of it is in front, with everything to do.
    auto& window = application->window();
    QVERIFY(window.projectPage()->isVisible());
    QVERIFY(waitIdle(*application));
    QCOMPARE(statesOf(services.projects), std::string("oooooooo"));
    QCOMPARE(window.projectPage()->stepsView()->model()->rowCount(), 8);
    QCOMPARE(cell(*window.projectPage()->stepsView(), 0, 2), u"not done yet"_s);
    const auto line = window.findChild<widgets::ElidedLabel*>(u"projectFoundLabel"_s)->fullText();
    QVERIFY2(line.contains(u"5 duplicates"_s) && line.contains(u"15 to test"_s), qPrintable(line));
    QTRY_VERIFY(window.findChild<NewProjectDialog*>() == nullptr);
}

void TestProjectPage::whatIsWrongStandsAtItsField() {
    test::StudioFixture fixture;
    const QString data = fixture.file(u"seldom.csv"_s);
    test::writeText(data.toStdString(), seldomSpam());
    const QString oneClass = fixture.file(u"one.csv"_s);
    test::writeText(oneClass.toStdString(), "text,label\n" + sentence(1) + ",a\n" + sentence(2) + ",a\n");
    auto [application, dialog] = openDialog(fixture);
    QVERIFY(!problem(*dialog, "Folder").isEmpty() ||
            !dialog->findChild<QLineEdit*>(u"newProjectFolderEdit"_s)->text().isEmpty());
    type(*dialog, "newProjectDataEdit", fixture.file(u"nothing.csv"_s));
    QTRY_VERIFY(problem(*dialog, "Data").contains(u"does not exist"_s));
    type(*dialog, "newProjectDataEdit", oneClass);
    QTRY_VERIFY2(problem(*dialog, "Label").contains(u"two are needed"_s), qPrintable(problem(*dialog, "Label")));
    QVERIFY(problem(*dialog, "Data").isEmpty());

    type(*dialog, "newProjectDataEdit", data);
    QTRY_VERIFY(found(*dialog).contains(u"162 rows"_s));
    QVERIFY(problem(*dialog, "Label").isEmpty());
    choose(*dialog, "newProjectLabelCombo", u"id"_s);
    QTRY_VERIFY2(problem(*dialog, "Label").contains(u"no class"_s), qPrintable(problem(*dialog, "Label")));
    QVERIFY(!createButton(*dialog)->isEnabled());
    choose(*dialog, "newProjectLabelCombo", u"found by itself"_s);
    QTRY_VERIFY(problem(*dialog, "Label").isEmpty() && found(*dialog).contains(u"162 rows"_s));
    auto* test = dialog->findChild<QSpinBox*>(u"newProjectTestSpin"_s);
    test->setValue(20);
    QTRY_VERIFY2(problem(*dialog, "Splits").contains(u"sum to 1"_s), qPrintable(problem(*dialog, "Splits")));
    dialog->findChild<QSpinBox*>(u"newProjectTrainSpin"_s)->setValue(70);
    QTRY_VERIFY(problem(*dialog, "Splits").isEmpty() && found(*dialog).contains(u"30 to test"_s));

    type(*dialog, "newProjectModelEdit", fixture.tinyLlama());
    QTRY_VERIFY2(problem(*dialog, "Model").contains(u"is no encoder"_s), qPrintable(problem(*dialog, "Model")));
    type(*dialog, "newProjectModelEdit", fixture.file(u"nowhere"_s));
    QTRY_VERIFY2(problem(*dialog, "Model").contains(u"nowhere"_s), qPrintable(problem(*dialog, "Model")));
    type(*dialog, "newProjectModelEdit", fixture.tinySentenceModel());
    QTRY_VERIFY(problem(*dialog, "Model").isEmpty());
    // What cannot classify yet has to be trained.
    auto* train = dialog->findChild<QCheckBox*>(u"newProjectTrainCheck"_s);
    QTest::mouseClick(train, Qt::LeftButton, {}, QPoint(8, train->height() / 2));
    QTRY_VERIFY(problem(*dialog, "Model").contains(u"has to be trained"_s));
    QTest::mouseClick(train, Qt::LeftButton, {}, QPoint(8, train->height() / 2));
    QVERIFY(problem(*dialog, "Model").isEmpty());

    type(*dialog, "newProjectFolderEdit", fixture.tinySentenceModel());
    QVERIFY(problem(*dialog, "Folder").contains(u"is not empty"_s));
    QVERIFY(!createButton(*dialog)->isEnabled());
    type(*dialog, "newProjectFolderEdit", fixture.file(u"no/such/place"_s));
    QVERIFY(problem(*dialog, "Folder").contains(u"does not exist"_s));
    type(*dialog, "newProjectFolderEdit", fixture.file(u"place"_s));
    QVERIFY(problem(*dialog, "Folder").isEmpty());
    QTRY_VERIFY(createButton(*dialog)->isEnabled());
    // Somebody was faster: the engine says so, at the field.
    QVERIFY(QDir().mkpath(fixture.file(u"place"_s)));
    test::writeText(fixture.file(u"place/own.txt"_s).toStdString(), "mine");
    QVERIFY(QFile::exists(fixture.file(u"place/own.txt"_s)));
    QTest::mouseClick(createButton(*dialog), Qt::LeftButton);
    QTRY_VERIFY(!problem(*dialog, "Folder").isEmpty());
    QCOMPARE(QDir(fixture.file(u"place"_s)).entryList(QDir::Files), QStringList{u"own.txt"_s});
    QVERIFY(application->services().projects.folder().isEmpty());
}

void TestProjectPage::aClosedDialogLeavesNothing() {
    test::StudioFixture fixture;
    const QString data = fixture.file(u"seldom.csv"_s);
    test::writeText(data.toStdString(), seldomSpam());
    auto [application, dialog] = openDialog(fixture);
    type(*dialog, "newProjectDataEdit", data);
    type(*dialog, "newProjectFolderEdit", fixture.file(u"never"_s));
    QTest::keyClick(dialog, Qt::Key_Escape);
    QTRY_VERIFY(application->window().findChild<NewProjectDialog*>() == nullptr);
    QVERIFY(!QFile::exists(fixture.file(u"never"_s)));
}

void TestProjectPage::stepsRunAndAreShown() {
    if (test::realWorker().isEmpty()) {
        QSKIP("this build has no command line (target pareto)");
    }
    test::StudioFixture fixture;
    QVERIFY(make(test::quickProject(fixture, u"project"_s)));
    auto options = fixture.options();
    options.worker = test::realWorker();
    options.patience.greetingMs = options.patience.aliveMs = 30'000;
    auto application = fixture.start(options);
    auto services = application->services();
    auto& window = application->window();
    auto* page = window.projectPage();
    window.showPage(page);
    QVERIFY(window.findChild<QLabel*>(u"projectEmptyText"_s)->text().startsWith(u"A project is"_s));
    services.projects.open(fixture.file(u"project"_s));
    QTRY_VERIFY(services.projects.opened() != nullptr);
    QVERIFY(waitIdle(*application));
    QCOMPARE(statesOf(services.projects), std::string("oooooo"));
    QCOMPARE(page->resultsView()->model()->rowCount(), 0);
    QVERIFY(!button(window, "projectPlotButton")->isEnabled());

    click(window, "projectRunButton");
    QVERIFY(services.projects.isRunning());
    QVERIFY(!button(window, "projectRunButton")->isEnabled());
    QTRY_VERIFY(services.queue.running() != nullptr);
    QTRY_VERIFY(!window.findChild<widgets::ElidedLabel*>(u"projectRunningLabel"_s)->isHidden());
    QVERIFY(waitIdle(*application));
    QCOMPARE(statesOf(services.projects), std::string("dddddd"));
    QVERIFY(!button(window, "projectRunButton")->isEnabled());
    // The table: every figure of the run that is stored, and the base first.
    auto* results = page->resultsView();
    QCOMPARE(results->model()->rowCount(), 4);
    const auto first = runsOf(services.projects);
    RunRecordPtr base;
    services.runs.fetch(first.at("base"), this, [&](const RunRecordPtr& record) { base = record; });
    QTRY_VERIFY(base != nullptr);
    const auto* accuracy = base->find("accuracy");
    QCOMPARE(cell(*results, 0, 0), u"base"_s);
    QCOMPARE(cell(*results, 0, 1), QLocale().toString(100.0 * accuracy->value, 'f', 2) + u" %"_s);
    QVERIFY(cell(*results, 0, 2).contains(QLocale().toString(100.0 * *accuracy->low, 'f', 2)));
    QVERIFY(!cell(*results, 1, 6).isEmpty());  // latency against the base's
    QCOMPARE(base->task["split"], Json("test"));
    QCOMPARE(base->details["validation"]["split"], Json("validation"));
    int exported = 0;
    for (int row = 0; row < 4; ++row) {
        exported += cell(*results, row, 8) == u"exported"_s ? 1 : 0;
    }
    QCOMPARE(exported, 1);
    QVERIFY(QFile::exists(fixture.file(u"project/export/config.json"_s)));

    // A row is a run, everywhere.
    QTest::mouseClick(results->viewport(), Qt::LeftButton, {},
                      results->visualRect(results->model()->index(2, 0)).center());
    QCOMPARE(services.selection.currentRun(), first.at("int8"));
    click(window, "projectPlotButton");
    QVERIFY(!page->isVisible());
    QTRY_COMPARE(services.runs.comparable().comparable.size(), std::size_t{4});
    QTRY_VERIFY(services.workspace.model() != nullptr);
    QTRY_COMPARE(services.selection.runs().size(), std::size_t{4});

    // One recipe is changed in the file: that step is stale, and it alone is done again.
    window.showPage(page);
    auto json = readJsonFile(fixture.file(u"project/project.json"_s).toStdString());
    QVERIFY(json.ok());
    for (auto& step : json.value()["steps"]) {
        if (step["name"] == "pruned") {
            step["recipe"]["defaults"]["prune"][1]["ratio"] = 0.25;
        }
    }
    QVERIFY(writeFileAtomically(fixture.file(u"project/project.json"_s).toStdString(), json->dump(2)).ok());
    QTRY_COMPARE_WITH_TIMEOUT(statesOf(services.projects), std::string("dodddd"), kPatience);
    QVERIFY(cell(*page->stepsView(), 1, 2).startsWith(u"stale: what it is made from"_s));
    click(window, "projectRunButton");
    QVERIFY(waitIdle(*application));
    QCOMPARE(statesOf(services.projects), std::string("dddddd"));
    auto second = runsOf(services.projects);
    QVERIFY(second["pruned"] > first.at("pruned"));
    QCOMPARE(second["int8"], first.at("int8"));

    // A step by hand: it has another run, what compares is stale.
    auto* steps = page->stepsView();
    QTest::mouseClick(steps->viewport(), Qt::LeftButton, {},
                      steps->visualRect(steps->model()->index(2, 0)).center());
    click(window, "projectAgainButton");
    QVERIFY(waitIdle(*application));
    QVERIFY(runsOf(services.projects)["int8"] > second["int8"]);
    QCOMPARE(runsOf(services.projects)["base"], second["base"]);
    QCOMPARE(statesOf(services.projects), std::string("ddddoo"));
    // What the window did is done for the command line, too.
    const auto stored = project::loadResults(fixture.file(u"project"_s).toStdString());
    QVERIFY(stored.ok());
    QCOMPARE(stored->steps.size(), std::size_t{6});
}

void TestProjectPage::trainingIsSeenLive() {
    if (test::realWorker().isEmpty()) {
        QSKIP("this build has no command line (target pareto)");
    }
    test::StudioFixture fixture;
    auto made = test::quickProject(fixture, u"learns"_s);
    made.model = fixture.tinySentenceModel().toStdString();
    made.training = true;
    made.epochs = 2;
    QVERIFY(make(made));
    auto options = fixture.options();
    options.worker = test::realWorker();
    options.patience.greetingMs = options.patience.aliveMs = 30'000;
    auto application = fixture.start(options);
    auto services = application->services();
    auto& window = application->window();
    services.projects.open(fixture.file(u"learns"_s));
    QTRY_VERIFY(services.projects.opened() != nullptr);
    QVERIFY(waitIdle(*application));
    window.showPage(window.projectPage());
    click(window, "projectRunButton");
    window.showPage(window.trainingPage());
    QTRY_VERIFY_WITH_TIMEOUT(!services.training.live().empty(), kPatience);
    auto* panel = window.trainingPage()->confusion();
    QTRY_VERIFY_WITH_TIMEOUT(panel->isVisible(), kPatience);
    // 120 rows, a tenth of each class validates.
    std::int64_t rows = 0;
    for (int i = 0; i < 4; ++i) {
        rows += cell(*panel->view(), i / 2, i % 2).toLongLong();
    }
    QCOMPARE(rows, std::int64_t{12});
    QVERIFY(waitIdle(*application));
    QCOMPARE(statesOf(services.projects), std::string("dddddddd"));
    QVERIFY(QFile::exists(fixture.file(u"learns/models/train/config.json"_s)));
    QCOMPARE(window.projectPage()->resultsView()->model()->rowCount(), 5);
}

void TestProjectPage::failedAndStoppedSteps() {
    test::StudioFixture fixture;
    QVERIFY(make(test::quickProject(fixture, u"project"_s)));
    auto application = fixture.start();
    auto services = application->services();
    auto& window = application->window();
    qputenv("PARETO_FAKE_WORKER", "error");
    services.projects.open(fixture.file(u"project"_s));
    QTRY_VERIFY(services.projects.opened() != nullptr);
    QVERIFY(waitIdle(*application));
    window.showPage(window.projectPage());
    click(window, "projectRunButton");
    QVERIFY(waitIdle(*application));
    QCOMPARE(statesOf(services.projects), std::string("fooooo"));
    const QString state = cell(*window.projectPage()->stepsView(), 0, 2);
    QVERIFY2(state.startsWith(u"failed: "_s) && state.contains(u"memory"_s, Qt::CaseInsensitive), qPrintable(state));
    QVERIFY(!QFile::exists(fixture.file(u"project/results.json"_s)));
    QVERIFY(button(window, "projectRunButton")->isEnabled());

    qputenv("PARETO_FAKE_WORKER", "slow");
    services.worker.shutDown();
    click(window, "projectRunButton");
    QTRY_VERIFY(services.queue.running() != nullptr && services.queue.running()->progress.total > 0);
    QVERIFY(button(window, "projectStopButton")->isEnabled());
    click(window, "projectStopButton");
    QVERIFY(waitIdle(*application));
    QCOMPARE(statesOf(services.projects), std::string("sooooo"));
    QCOMPARE(services.queue.pending(), 0);
}

void TestProjectPage::projectsAreOpenedAndRemembered() {
    test::StudioFixture fixture;
    QVERIFY(make(test::quickProject(fixture, u"project"_s)));
    auto application = fixture.start();
    auto services = application->services();
    auto* recent = application->window().findChild<QMenu*>(u"recentProjectsMenu"_s);
    Q_EMIT recent->aboutToShow();
    QVERIFY(!recent->actions().front()->isEnabled());
    services.projects.open(fixture.file(u"project"_s));
    QTRY_VERIFY(services.projects.opened() != nullptr);
    QVERIFY(waitIdle(*application));
    // The next start brings it back; the menu has it.
    application->saveSession();
    application.reset();
    application = fixture.start();
    QTRY_VERIFY(application->services().projects.opened() != nullptr);
    QVERIFY(waitIdle(*application));
    recent = application->window().findChild<QMenu*>(u"recentProjectsMenu"_s);
    Q_EMIT recent->aboutToShow();
    QCOMPARE(recent->actions().front()->text(), fixture.file(u"project"_s));
    application->services().projects.close();
    recent->actions().front()->trigger();
    QTRY_VERIFY(application->services().projects.opened() != nullptr);
    QVERIFY(application->window().projectPage()->isVisible());
    QVERIFY(waitIdle(*application));
    application->useLanguage(u"zh_CN"_s);
    QCOMPARE(cell(*application->window().projectPage()->stepsView(), 1, 2), u"尚未执行"_s);

    // A folder that is none says which file is missing, and nothing is open.
    application->services().projects.open(fixture.file(u"data"_s));
    QTRY_VERIFY(application->window().findChild<QDialog*>(u"errorBox"_s) != nullptr);
    QVERIFY(application->services().projects.folder().isEmpty());
}

int main(int argc, char** argv) {
    test::useScreen(1366, 768, 1.0);
    QApplication application(argc, argv);
    TestProjectPage page;
    return QTest::qExec(&page, argc, argv);
}
#include "tst_project_page.moc"
