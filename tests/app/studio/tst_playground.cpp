#include <QAbstractItemModelTester>
#include <QCheckBox>
#include <QComboBox>
#include <QElapsedTimer>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QTableView>
#include <QTest>
#include <QTextEdit>

#include "app/studio/actions.h"
#include "app/studio/job_queue.h"
#include "app/studio/main_window.h"
#include "app/studio/pages/playground_page.h"
#include "app/studio/playground/trial_tables.h"
#include "app/studio/runs.h"
#include "app/studio/selection.h"
#include "app/studio/services.h"
#include "app/studio/worker_client.h"
#include "app/studio/workspace.h"
#include "engine/jobs/api/machine_lock.h"
#include "tests/app/studio/studio_test.h"
#include "widgets/models/cell_table_model.h"

using namespace pareto;
using namespace pareto::studio;
using namespace Qt::StringLiterals;

/// The playground page with real clicks and the fake worker, and the tables it makes of answers.
class TestPlayground : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() { qputenv("PARETO_FAKE_WORKER", "good"); }

    void withoutAModelItSaysWhatToDo() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        auto& window = show(*application);
        QVERIFY(find<QWidget>(window, "playgroundEmpty")->isVisible());
        QCOMPARE(find<QLabel>(window, "playgroundEmptyText")->text(),
                 u"Open a model to try it on a text of your own."_s);
    }

    void classifiesSideBySide() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        auto& window = show(*application);
        auto* text = find<QPlainTextEdit>(window, "playgroundClassifyTextEdit");
        auto* go = find<QPushButton>(window, "playgroundTryButton");
        QVERIFY(!go->isEnabled());
        QCOMPARE(go->toolTip(), u"Type a text."_s);
        QTest::keyClicks(text, u"ignore all that"_s);
        QVERIFY(go->isEnabled());

        // Without a recipe there is only the original, and that is said.
        QVERIFY(notice(window).contains(u"only the original"_s));
        QTest::mouseClick(go, Qt::LeftButton);
        QVERIFY(waitIdle(*application));
        auto* table = find<QTableView>(window, "playgroundClassifyTable");
        QCOMPARE(cellText(table, 0, 0), u"benign"_s);
        QVERIFY(cellText(table, 0, 1).startsWith(u"75"_s));
        QCOMPARE(cellText(table, 0, 2), QString());

        choosePreset(*application);
        QVERIFY(notice(window).isEmpty());
        QTest::keyClick(text, Qt::Key_Return, Qt::ControlModifier);
        QVERIFY(waitIdle(*application));
        QVERIFY(cellText(table, 0, 2).startsWith(u"25"_s));
        QCOMPARE(find<QLabel>(window, "playgroundClassifySummaryLabel")->accessibleName(),
                 u"Another class: benign became attack."_s);
        // Nothing of it is a job or a run.
        QVERIFY(application->services().queue.jobs().empty());
        QVERIFY(application->services().runs.frame()->rows().empty());
    }

    void comparesEmbeddings() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.openModel(*application, fixture.tinySentenceModel()));
        auto& window = show(*application);
        auto* text = find<QPlainTextEdit>(window, "playgroundEmbedTextEdit");
        text->setPlainText(u"one"_s);
        auto* go = find<QPushButton>(window, "playgroundTryButton");
        QVERIFY(!go->isEnabled());
        text->setPlainText(u"one\n\nthree\nfour four"_s);
        choosePreset(*application);
        QTest::mouseClick(go, Qt::LeftButton);
        QVERIFY(waitIdle(*application));
        auto* table = find<QTableView>(window, "playgroundEmbedTable");
        QCOMPARE(table->model()->rowCount(), 3);
        QCOMPARE(cellText(table, 0, 0), u"one ↔ three"_s);
        // (1, 3, 1)·(1, 5, 1) = 17, lengths √11 and √27.
        QCOMPARE(cellText(table, 0, 1), QLocale().toString(17.0 / std::sqrt(297.0), 'f', 4));
        QVERIFY(!cellText(table, 0, 2).isEmpty());
    }

    void generatesLiveAndStops() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.openModel(*application, fixture.tinyLlama()));
        auto& window = show(*application);
        choosePreset(*application);
        find<QPlainTextEdit>(window, "playgroundGeneratePromptEdit")->setPlainText(u"Once"_s);
        find<QSpinBox>(window, "playgroundGenerateMaxTokensSpin")->setValue(6);
        auto* go = find<QPushButton>(window, "playgroundTryButton");
        QTest::mouseClick(go, Qt::LeftButton);
        QVERIFY(waitIdle(*application));
        auto* left = find<QTextEdit>(window, "playgroundGenerateOriginalView");
        auto* right = find<QTextEdit>(window, "playgroundGenerateOptimizedView");
        QCOMPARE(left->toPlainText(), u"once upon upon upon upon upon"_s);
        QCOMPARE(right->toPlainText(), u"once upon upon more more more"_s);
        QCOMPARE(right->extraSelections().size(), 1);
        QCOMPARE(right->extraSelections().first().cursor.selectedText(), u"more"_s);
        QVERIFY(find<QLabel>(window, "playgroundGenerateOriginalLabel")
                    ->accessibleName()
                    .contains(u"20.0 tokens/s"_s));

        qputenv("PARETO_FAKE_WORKER", "slow");
        restartWorker(*application);
        find<QSpinBox>(window, "playgroundGenerateMaxTokensSpin")->setValue(5000);
        QTest::mouseClick(go, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(left->toPlainText().startsWith(u"once upon"_s), 10'000);
        auto* stop = find<QPushButton>(window, "playgroundStopButton");
        QElapsedTimer timer;
        timer.start();
        QTest::mouseClick(stop, Qt::LeftButton);
        QVERIFY(waitIdle(*application));
        QVERIFY2(timer.elapsed() < 500, qPrintable(QString::number(timer.elapsed())));
        QCOMPARE(application->services().playground.trial(TrialSide::Optimized).state,
                 TrialState::Stopped);
        QVERIFY(left->toPlainText().startsWith(u"once"_s));
    }

    void keepsTheTurnsOfADialogue() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.openModel(*application, fixture.tinyLlama()));
        auto& window = show(*application);
        choosePreset(*application);
        auto* kind = find<QComboBox>(window, "playgroundKindCombo");
        kind->setCurrentIndex(kind->findText(u"Chat"_s));
        Q_EMIT kind->activated(kind->currentIndex());
        find<QLineEdit>(window, "playgroundChatSystemEdit")->setText(u"Be brief."_s);
        find<QSpinBox>(window, "playgroundChatMaxTokensSpin")->setValue(1);
        auto* message = find<QLineEdit>(window, "playgroundChatMessageEdit");
        const auto send = [&](const QString& text) {
            message->setText(text);
            QTest::keyClick(message, Qt::Key_Return);
            QVERIFY(message->text().isEmpty());
            QVERIFY(waitIdle(*application));
        };
        send(u"Hello"_s);
        auto* left = find<QTextEdit>(window, "playgroundChatOriginalView");
        QVERIFY2(left->toPlainText().contains(u"heard 2 turns"_s), qPrintable(left->toPlainText()));
        send(u"And then?"_s);
        QVERIFY(left->toPlainText().contains(u"heard 4 turns"_s));
        QVERIFY(find<QTextEdit>(window, "playgroundChatOptimizedView")
                    ->toPlainText()
                    .contains(u"heard 4 turns"_s));
        QTest::mouseClick(find<QPushButton>(window, "playgroundChatClearButton"), Qt::LeftButton);
        QVERIFY(left->toPlainText().isEmpty());
        send(u"Again"_s);
        QVERIFY(left->toPlainText().contains(u"heard 2 turns"_s));
    }

    void waitsWhileTheMachineMeasures() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        auto& window = show(*application);
        find<QPlainTextEdit>(window, "playgroundClassifyTextEdit")->setPlainText(u"text"_s);
        auto* go = find<QPushButton>(window, "playgroundTryButton");
        qputenv("PARETO_FAKE_WORKER", "slow");
        auto services = application->services();
        services.actions[kActionMeasureBaseline]->trigger();
        QTRY_VERIFY(services.queue.running() != nullptr);
        QVERIFY2(notice(window).startsWith(u"The machine is measuring: Baseline"_s),
                 qPrintable(notice(window)));
        QVERIFY(!go->isEnabled());
        QVERIFY(!services.playground.start(u"classify"_s, {}));
        services.queue.cancelAll();
        QTRY_VERIFY(go->isEnabled());
        {
            // Another program's measurement is respected too.
            const auto lock = jobs::MachineLock::acquire("pareto bench of a test", {});
            QVERIFY(lock.ok());
            services.playground.lookAround();
            QVERIFY(notice(window).contains(u"pareto bench of a test"_s));
            QVERIFY(!go->isEnabled());
        }
        services.playground.lookAround();
        QVERIFY(go->isEnabled());
    }

    /// The optimized model drafts for the original, where there is one.
    void optimizedModelDrafts() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.openModel(*application, fixture.tinyLlama()));
        auto& window = show(*application);
        find<QPlainTextEdit>(window, "playgroundGeneratePromptEdit")->setPlainText(u"Once"_s);
        find<QSpinBox>(window, "playgroundGenerateMaxTokensSpin")->setValue(6);
        auto* drafted = find<QCheckBox>(window, "playgroundGenerateDraftedCheck");
        auto* original = find<QLabel>(window, "playgroundGenerateOriginalLabel");
        auto* go = find<QPushButton>(window, "playgroundTryButton");
        drafted->click();
        QTest::mouseClick(go, Qt::LeftButton);
        QVERIFY(waitIdle(*application));
        QVERIFY(!original->accessibleName().contains(u"draft"_s));
        choosePreset(*application);
        QTest::mouseClick(go, Qt::LeftButton);
        QVERIFY(waitIdle(*application));
        QVERIFY2(original->accessibleName().contains(u"75 % of the draft"_s), qPrintable(original->accessibleName()));
        QVERIFY(!find<QLabel>(window, "playgroundGenerateOptimizedLabel")->accessibleName().contains(u"draft"_s));
        drafted->click();
        QTest::mouseClick(go, Qt::LeftButton);
        QVERIFY(waitIdle(*application));
        QVERIFY(!original->accessibleName().contains(u"draft"_s));
    }

    /// A run that is started while text is generated comes next, before the other side.
    void aRunComesBeforeTheOtherSide() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.openModel(*application, fixture.tinyLlama()));
        auto& window = show(*application);
        choosePreset(*application);
        auto services = application->services();
        qputenv("PARETO_FAKE_WORKER", "slow");
        find<QPlainTextEdit>(window, "playgroundGeneratePromptEdit")->setPlainText(u"Once"_s);
        find<QSpinBox>(window, "playgroundGenerateMaxTokensSpin")->setValue(20);
        QTest::mouseClick(find<QPushButton>(window, "playgroundTryButton"), Qt::LeftButton);
        QTRY_COMPARE(services.playground.trial(TrialSide::Original).state, TrialState::Running);
        services.actions[kActionMeasureBaseline]->trigger();
        QTRY_VERIFY_WITH_TIMEOUT(services.queue.running() != nullptr, 10'000);
        QCOMPARE(services.playground.trial(TrialSide::Original).state, TrialState::Done);
        QCOMPARE(services.playground.trial(TrialSide::Optimized).state, TrialState::Waiting);
        services.queue.cancelAll();
        QVERIFY(waitIdle(*application));
        QCOMPARE(services.playground.trial(TrialSide::Optimized).state, TrialState::Done);
    }

    void aDyingWorkerIsASentence() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        auto& window = show(*application);
        qputenv("PARETO_FAKE_WORKER", "segfault");
        find<QPlainTextEdit>(window, "playgroundClassifyTextEdit")->setPlainText(u"text"_s);
        auto* go = find<QPushButton>(window, "playgroundTryButton");
        QTest::mouseClick(go, Qt::LeftButton);
        QVERIFY(waitIdle(*application));
        const QString said =
            find<QLabel>(window, "playgroundStatusLabel")->accessibleName();
        QVERIFY2(said.contains(u"SIGSEGV"_s), qPrintable(said));
        qputenv("PARETO_FAKE_WORKER", "good");
        QTest::mouseClick(go, Qt::LeftButton);
        QVERIFY(waitIdle(*application));
        QCOMPARE(application->services().playground.trial(TrialSide::Original).state,
                 TrialState::Done);
        QVERIFY(!application->services().queue.held());
    }

    void triesTheRecipeOfTheSelectedRun() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        auto services = application->services();
        choosePreset(*application);
        services.actions[kActionRun]->trigger();
        QVERIFY(QTest::qWaitFor(
            [&] { return services.runs.comparable().comparable.size() == 2; }, 20'000));
        services.workspace.recipe().resetAll();
        services.selection.setRun(services.runs.comparable().comparable.back());
        services.actions[kActionTry]->trigger();
        auto& window = application->window();
        QVERIFY(window.playgroundPage()->isVisible());
        QTRY_VERIFY(notice(window).isEmpty());
        find<QPlainTextEdit>(window, "playgroundClassifyTextEdit")->setPlainText(u"text"_s);
        QTest::mouseClick(find<QPushButton>(window, "playgroundTryButton"), Qt::LeftButton);
        QVERIFY(waitIdle(*application));
        QVERIFY(!cellText(find<QTableView>(window, "playgroundClassifyTable"), 0, 2).isEmpty());
    }

    void whatWasTypedSurvivesARestart() {
        test::StudioFixture fixture;
        {
            auto application = fixture.start();
            QVERIFY(fixture.openModel(*application, fixture.tinyLlama()));
            auto& window = show(*application);
            find<QPlainTextEdit>(window, "playgroundGeneratePromptEdit")->setPlainText(u"Hm"_s);
            find<QSpinBox>(window, "playgroundGenerateTopKSpin")->setValue(40);
            window.close();
        }
        auto application = fixture.start();
        QTRY_VERIFY(application->services().workspace.model() != nullptr);
        auto& window = application->window();
        QVERIFY(window.playgroundPage()->isVisible());
        QCOMPARE(find<QPlainTextEdit>(window, "playgroundGeneratePromptEdit")->toPlainText(),
                 u"Hm"_s);
        QCOMPARE(find<QSpinBox>(window, "playgroundGenerateTopKSpin")->value(), 40);
    }

    void everyLayoutOffersSomething() {
        ModelLayout layout;
        layout.family = Family::Bert;
        const auto first = [&] { return trialKinds(layout).front(); };
        QCOMPARE(first(), TrialKind::Embed);
        layout.outputs = Outputs::Classes;
        layout.labels = {"a", "b"};
        QCOMPARE(first(), TrialKind::Classify);
        layout.labels = {"score"};
        QCOMPARE(first(), TrialKind::Rank);
        layout.outputs = Outputs::TokenClasses;
        QCOMPARE(first(), TrialKind::Tag);
        layout.outputs = Outputs::AnswerSpan;
        QCOMPARE(first(), TrialKind::Answer);
        layout.outputs = Outputs::MaskedToken;
        QCOMPARE(first(), TrialKind::Fill);
        layout.outputs = Outputs::NextToken;
        layout.family = Family::T5;
        QCOMPARE(first(), TrialKind::Translate);
        layout.family = Family::Llama;
        QCOMPARE(trialKinds(layout).size(), std::size_t{2});
    }

    void findsTheFirstWordThatDiffers() {
        QCOMPARE(firstDifference(u"one two"_s, u"one two"_s), -1);
        QCOMPARE(firstDifference(u"one two six"_s, u"one twin six"_s), 4);
        QCOMPARE(firstDifference(u"one"_s, u"one two"_s), 0);
        QCOMPARE(firstDifference(u"a b"_s, u"x b"_s), 0);
    }

    void cellTableModel() {
        widgets::CellTableModel model;
        const QAbstractItemModelTester tester(
            &model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        model.setTable({u"A"_s, u"B"_s}, {{{u"x"_s, 2.0}, {u"y"_s}}, {{u"short row"_s}}});
        QCOMPARE(model.rowCount(), 2);
        QCOMPARE(model.index(0, 0).data(widgets::CellTableModel::BarRole).toDouble(), 1.0);
        QVERIFY(!model.index(0, 1).data(widgets::CellTableModel::BarRole).isValid());
        QVERIFY(!model.index(1, 1).data().isValid());
        model.setTable({}, {});
        QCOMPARE(model.rowCount(), 0);
    }

private:
    template <typename T>
    static T* find(QWidget& window, const char* name) {
        auto* found = window.findChild<T*>(QLatin1String(name));
        [&] { QVERIFY2(found != nullptr, name); }();
        return found;
    }
    static MainWindow& show(Application& application) {
        application.window().showPage(application.window().playgroundPage());
        return application.window();
    }
    static bool waitIdle(Application& application) {
        const auto& playground = application.services().playground;
        return QTest::qWaitFor([&] { return !playground.busy(); }, 20'000);
    }
    static QString notice(QWidget& window) {
        return find<QLabel>(window, "playgroundNoticeLabel")->text();
    }
    static QString cellText(QTableView* table, int row, int column) {
        return table->model()->index(row, column).data().toString();
    }
    static void choosePreset(Application& application) {
        auto* combo = find<QComboBox>(application.window(), "recipePresetCombo");
        const int row = combo->findText(u"50 % heads and neurons + int8"_s);
        combo->setCurrentIndex(row);
        Q_EMIT combo->activated(row);
    }
    /// The fake worker reads its mode when it starts.
    static void restartWorker(Application& application) {
        auto& worker = application.services().worker;
        worker.forceStop();
        QVERIFY(QTest::qWaitFor([&] { return worker.state() == WorkerClient::State::Off; }, 5000));
    }
};

int main(int argc, char** argv) {
    test::useScreen(1366, 768, 1.0);
    QApplication application(argc, argv);
    TestPlayground playground;
    return QTest::qExec(&playground, argc, argv);
}
#include "tst_playground.moc"
