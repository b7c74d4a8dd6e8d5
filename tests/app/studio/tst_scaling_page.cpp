#include <thread>

#include <QAction>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFile>
#include <QFileDialog>
#include <QLabel>
#include <QPushButton>
#include <QTabWidget>
#include <QTableView>
#include <QTest>

#include "app/studio/actions.h"
#include "app/studio/job_queue.h"
#include "app/studio/job_texts.h"
#include "app/studio/main_window.h"
#include "app/studio/pages/part_timeline_panel.h"
#include "app/studio/pages/scaling_page.h"
#include "app/studio/runs.h"
#include "app/studio/selection.h"
#include "app/studio/services.h"
#include "app/studio/settings.h"
#include "app/studio/workspace.h"
#include "tests/app/studio/studio_test.h"
#include "widgets/plots/step_timeline_plot.h"
#include "widgets/support/elided_label.h"

using namespace pareto;
using namespace pareto::studio;
using namespace Qt::StringLiterals;

/// The page Scaling with real clicks and the real worker on tiny models.
class TestScalingPage : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() {
        if (!QFile::exists(test::realWorker())) {
            QSKIP("this build has no command line (target pareto)");
        }
    }

    /// A named link, no measuring: one process is profiled, the rest is predicted.
    void aGivenLinkIsPredictedFor() {
        test::StudioFixture fixture;
        auto application = start(fixture);
        auto& window = application->window();
        auto* page = window.scalingPage();
        window.showPage(page);
        QVERIFY(emptyText(window).startsWith(u"Open a model"_s));
        QVERIFY(!button(*page, "scalingButton")->isEnabled());
        QVERIFY(fixture.open(*application));
        oneThread(*application);
        QVERIFY(emptyText(window).startsWith(u"Predict shows"_s));
        // Nobody has measured a link yet, so no numbers of one stand there.
        QVERIFY(!page->findChild<QDoubleSpinBox*>(u"scalingLatencySpin"_s)->isVisible());
        QVERIFY(!page->link());
        choose(page->findChild<QComboBox*>(u"scalingLinkCombo"_s), u"10 GbE"_s);
        QVERIFY(page->link() == (jobs::ScalingLink{25.0, 1.25}));
        QTest::mouseClick(page->findChild<QCheckBox*>(u"scalingMeasureCheck"_s), Qt::LeftButton, {},
                          QPoint(8, 8));
        QVERIFY(!page->measures());
        QTest::mouseClick(button(window, "scalingEmptyRunScalingButton"), Qt::LeftButton);
        QTRY_VERIFY(emptyText(window).contains(u"Predicting: "_s) ||
                    emptyText(window).contains(u"waiting"_s));
        QVERIFY(waitIdle(*application));
        const auto& job = application->services().queue.jobs().back();
        QVERIFY2(job.state == JobState::Finished, qPrintable(outcomeText(job)));
        QTRY_VERIFY(page->plot()->isVisible());
        QCOMPARE(page->plot()->legend().front(), u"ideal"_s);
        QVERIFY(page->plot()->legend().contains(u"predicted: tensor parallel"_s));
        QVERIFY(page->plot()->legend().contains(u"predicted: stages"_s));
        QVERIFY(page->plot()->legend().contains(u"predicted: replicas"_s));
        const auto note = page->findChild<QLabel*>(u"scalingNote"_s)->text();
        QVERIFY2(note.contains(u"25.0 µs, 1.25 GB/s (as given)"_s) &&
                     note.contains(u"No division was measured"_s),
                 qPrintable(note));
        // One process, which was measured; then predictions up to 1,024, of which nothing was.
        auto* model = page->view()->model();
        const auto cell = [&](int row, int column) {
            return model->index(row, column).data().toString();
        };
        QCOMPARE(cell(0, 0), u"1"_s);
        QVERIFY(cell(0, 3) != u"–"_s);
        QCOMPARE(cell(model->rowCount() - 1, 0), u"1,024"_s);
        for (int row = 1; row < model->rowCount(); ++row) {
            QVERIFY(cell(row, 2) != u"–"_s);
            QCOMPARE(cell(row, 3), u"–"_s);
            QCOMPARE(cell(row, 5), u"–"_s);
        }
        // Changing a number makes the link one's own.
        auto* latency = page->findChild<QDoubleSpinBox*>(u"scalingLatencySpin"_s);
        latency->setFocus();
        latency->selectAll();
        QTest::keyClicks(latency, u"40"_s);
        QTest::keyClick(latency, Qt::Key_Return);
        QCOMPARE(page->findChild<QComboBox*>(u"scalingLinkCombo"_s)->currentText(),
                 u"own numbers"_s);
        QVERIFY(page->link() == (jobs::ScalingLink{40.0, 1.25}));
        rowsAreCopied(window, *application);
        // Another model has none yet.
        QVERIFY(fixture.openModel(*application, fixture.tinySentenceModel()));
        QTRY_VERIFY(!page->plot()->isVisible());
    }

    /// What two processes of this machine took, with its error; the link is measured between them.
    void measuredBesidePredicted() {
        if (std::thread::hardware_concurrency() < 2) {
            QSKIP("needs two cores");
        }
        test::StudioFixture fixture;
        auto application = start(fixture);
        auto& window = application->window();
        auto* page = window.scalingPage();
        QVERIFY(fixture.openModel(*application, fixture.tinyLlama()));
        oneThread(*application);
        application->services().actions[kActionScaling]->trigger();
        QVERIFY(page->isVisible());
        QVERIFY(waitIdle(*application));
        const auto& job = application->services().queue.jobs().back();
        QVERIFY2(job.state == JobState::Finished, qPrintable(outcomeText(job)));
        QTRY_VERIFY(page->plot()->isVisible());
        QVERIFY(page->plot()->legend().contains(u"measured, 95 % interval"_s));
        auto* steps = page->findChild<QComboBox*>(u"scalingStepCombo"_s);
        QVERIFY(steps->isVisible());
        QCOMPARE(steps->count(), 2);
        QVERIFY(page->plot()->pixelOf(0) && page->plot()->pixelOf(1));
        QVERIFY2(page->plot()->cardText(1).contains(u"error"_s),
                 qPrintable(page->plot()->cardText(1)));
        int measured = 0;
        auto* model = page->view()->model();
        for (int row = 1; row < model->rowCount(); ++row) {
            if (model->index(row, 3).data().toString() != u"–"_s) {
                ++measured;
                QVERIFY(model->index(row, 5).data().toString().endsWith(u'%'));
                QVERIFY(model->index(row, 12).data().toString().endsWith(u'%'));
            }
        }
        QCOMPARE(measured, 2);  // tp 2, pp 2
        const QString prompt = model->index(0, 3).data().toString();
        choose(steps, steps->itemText(1));
        QVERIFY(model->index(0, 3).data().toString() != prompt);
        // The measured link's numbers stand there, to be read.
        auto* latency = page->findChild<QDoubleSpinBox*>(u"scalingLatencySpin"_s);
        QVERIFY(latency->isVisible() && !latency->isEnabled());
        QVERIFY(latency->value() > 0.0);
        // Time of a step instead of throughput: more processes are lower.
        const auto above = *page->plot()->pixelOf(0);
        choose(page->findChild<QComboBox*>(u"scalingFigureCombo"_s), u"Time of a step"_s);
        QVERIFY(page->plot()->pixelOf(0)->y() != above.y());
        // A new window of another language shows the same.
        application->useLanguage(u"zh_CN"_s);
        QVERIFY(application->window().scalingPage()->view()->model()->rowCount() > 20);
    }

    void aRunInPartsHasATimeline() {
        if (std::thread::hardware_concurrency() < 2) {
            QSKIP("needs two cores");
        }
        test::StudioFixture fixture;
        auto application = start(fixture);
        auto& window = application->window();
        auto* page = window.scalingPage();
        window.showPage(page);
        auto* nothing = page->findChild<QLabel*>(u"partTimelineNothing"_s);
        page->findChild<QTabWidget*>(u"scalingTabs"_s)->setCurrentWidget(page->timeline());
        QVERIFY2(nothing->isVisible() && nothing->text().contains(u"tp or pp"_s),
                 qPrintable(nothing->text()));
        QVERIFY(fixture.openModel(*application, fixture.tinyLlama()));
        oneThread(*application);
        auto services = application->services();
        auto target = services.workspace.target();
        target.pipelineParallel = 2;
        services.workspace.setTarget(target);
        services.workspace.setTask(std::nullopt);
        services.actions[kActionMeasureBaseline]->trigger();
        QVERIFY(waitIdle(*application));
        QVERIFY2(services.queue.jobs().back().state == JobState::Finished,
                 qPrintable(outcomeText(services.queue.jobs().back())));
        // The newest in parts, as long as no run is chosen.
        auto* panel = page->timeline();
        QTRY_VERIFY(panel->run() != 0);
        QCOMPARE(panel->plot()->rowCount(), 2);
        QVERIFY(panel->plot()->isVisible());
        QVERIFY(panel->plot()->legend().contains(u"handing on"_s));
        const auto shares = [&] {
            return page->findChild<widgets::ElidedLabel*>(u"partTimelineShares"_s)->fullText();
        };
        QVERIFY2(shares().contains(u"bubble"_s), qPrintable(shares()));
        auto* steps = page->findChild<QComboBox*>(u"partTimelineStep"_s);
        QCOMPARE(steps->count(), 2);
        const QString prompt = shares();
        choose(steps, u"One token"_s);
        QVERIFY(shares() != prompt);
        QTest::mouseClick(button(window, "partTimelineSave"), Qt::LeftButton);
        QTRY_VERIFY(window.findChild<QFileDialog*>(u"savePartTimeline"_s) != nullptr);
        auto* dialog = window.findChild<QFileDialog*>(u"savePartTimeline"_s);
        const QString file = fixture.file(u"timeline.json"_s);
        Q_EMIT dialog->fileSelected(file);
        dialog->close();
        QTRY_VERIFY(QFile::exists(file));
        const auto trace = readJsonFile(file.toStdString());
        QVERIFY(trace.ok());
        QVERIFY(trace->at("traceEvents").size() > 10);
        // A chosen run of one process has none, and it is said.
        const RunId before = panel->run();
        target.pipelineParallel = 1;
        services.workspace.setTarget(target);
        services.actions[kActionMeasureBaseline]->trigger();
        QVERIFY(waitIdle(*application));
        const auto newest = services.runs.frame()->rows().back().id;
        QVERIFY(newest != before);
        services.selection.setRun(newest);
        QTRY_VERIFY(nothing->isVisible());
        QVERIFY2(nothing->text().contains(u"#%1"_s.arg(newest)), qPrintable(nothing->text()));
        services.selection.setRun(before);
        QTRY_COMPARE(panel->run(), before);
    }

    void failuresAreSaid() {
        test::StudioFixture fixture;
        auto application = start(fixture);
        auto& window = application->window();
        QVERIFY(fixture.open(*application));
        auto target = application->services().workspace.target();
        target.sequence = 4000;  // more than the model has positions for
        application->services().workspace.setTarget(target);
        application->services().actions[kActionScaling]->trigger();
        QVERIFY(waitIdle(*application));
        QTRY_VERIFY2(emptyText(window).startsWith(u"The prediction failed: "_s),
                     qPrintable(emptyText(window)));
        // A stopped one is told as stopped.
        target.sequence = 16;
        application->services().workspace.setTarget(target);
        application->services().actions[kActionScaling]->trigger();
        QTRY_COMPARE(application->services().queue.pending(), 1);
        application->services().queue.cancelAll();
        QVERIFY(waitIdle(*application));
        QTRY_COMPARE(emptyText(window), u"The prediction was stopped."_s);
    }

private:
    static std::unique_ptr<Application> start(test::StudioFixture& fixture) {
        return fixture.startReal();
    }
    static bool waitIdle(Application& application) {
        return QTest::qWaitFor([&] { return application.services().queue.pending() == 0; },
                               120'000);
    }
    static void oneThread(Application& application) {
        application.services().settings.setTimingSeconds(0.5);
        auto& workspace = application.services().workspace;
        Target target = workspace.target();
        target.threads = 1;
        target.prompt = 8;
        target.generate = 4;
        workspace.setTarget(target);
    }
    static QString emptyText(MainWindow& window) {
        return window.findChild<QLabel*>(u"scalingEmptyText"_s)->text();
    }
    static QPushButton* button(QWidget& parent, const char* name) {
        return parent.findChild<QPushButton*>(QLatin1String(name));
    }
    /// By keys, as somebody without a mouse would.
    static void choose(QComboBox* combo, const QString& text) {
        const int wanted = combo->findText(text);
        QVERIFY2(wanted >= 0, qPrintable(text));
        combo->setFocus();
        QTest::keyClick(combo, Qt::Key_Home);
        for (int i = 0; i < wanted; ++i) {
            QTest::keyClick(combo, Qt::Key_Down);
        }
        QCOMPARE(combo->currentIndex(), wanted);
    }
    static void rowsAreCopied(MainWindow& window, Application& application) {
        auto* view = window.scalingPage()->view();
        view->setFocus();
        view->selectRow(0);
        application.services().actions["edit.copy"]->trigger();
        const auto text = QGuiApplication::clipboard()->text();
        QVERIFY2(text.startsWith(u"Processes\tDivision"_s), qPrintable(text));
        QCOMPARE(text.trimmed().split(u'\n').size(), 2);
    }
};

int main(int argc, char** argv) {
    test::useScreen(1366, 768, 1.0);
    QApplication application(argc, argv);
    TestScalingPage page;
    return QTest::qExec(&page, argc, argv);
}
#include "tst_scaling_page.moc"
