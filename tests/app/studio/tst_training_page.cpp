#include <cmath>

#include <QAction>
#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QSignalSpy>
#include <QTabWidget>
#include <QTableView>
#include <QTest>

#include "app/studio/actions.h"
#include "app/studio/job_queue.h"
#include "app/studio/main_window.h"
#include "app/studio/pages/confusion_panel.h"
#include "app/studio/pages/training_page.h"
#include "app/studio/runs.h"
#include "app/studio/selection.h"
#include "app/studio/services.h"
#include "app/studio/training_runs.h"
#include "app/studio/workspace.h"
#include "tests/app/studio/studio_test.h"
#include "widgets/plots/training_plot.h"
#include "widgets/support/elided_label.h"

using namespace pareto;
using namespace pareto::studio;
using namespace Qt::StringLiterals;

namespace {

/// Half the heads, then one recovery step for each of the given numbers of steps.
Recipe recovering(const std::vector<std::int64_t>& steps) {
    Recipe recipe;
    recipe.prune.push_back({PruneMethod::L1, PrunePattern::Heads, 0.5});
    for (const auto count : steps) {
        RecoverSpec spec;
        spec.source = "tiny";
        spec.steps = count;
        recipe.recover.push_back(spec);
    }
    return recipe;
}

}  // namespace

/// The page Training with real clicks, on what the fake worker plays: a loss by a formula, 10 ms a
/// step.
class TestTrainingPage : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() { qputenv("PARETO_FAKE_WORKER", "training"); }
    void cleanup() { qputenv("PARETO_FAKE_WORKER", "good"); }

    void aJobIsFollowedPausedAndEndedByHand() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        auto services = application->services();
        auto& window = application->window();
        QVERIFY(fixture.open(*application));
        window.showPage(window.trainingPage());
        QVERIFY(label(window, "trainingEmptyText").startsWith(u"Training shows"_s));
        services.queue.addRun(params(services, recovering({2000})), u"long"_s);
        auto& training = services.training;
        QTRY_VERIFY(training.isTraining());
        auto* plot = window.trainingPage()->plot();
        QTRY_VERIFY(plot->isVisible());
        QTRY_VERIFY(steps(training) >= 12);
        QTRY_VERIFY(!training.live().back().facts.validations.empty());
        QTRY_VERIFY(plot->pixelOf(8).has_value());
        QTRY_VERIFY(plot->pixelOf(10, true).has_value());
        QTRY_VERIFY2(state(window).contains(u"of 2,000"_s), qPrintable(state(window)));
        QTRY_VERIFY2(state(window).contains(u"80.0 examples/s"_s), qPrintable(state(window)));
        QTRY_VERIFY2(state(window).endsWith(u" left"_s), qPrintable(state(window)));
        // 2,000 steps of about 10 ms and more: neither seconds nor hours.
        QVERIFY(training.secondsLeft() > 10.0 && training.secondsLeft() < 600.0);
        QVERIFY(facts(window).startsWith(u"train on tiny"_s));

        // Pause holds it between two steps.
        QTest::mouseClick(button(window, "trainingPauseButton"), Qt::LeftButton);
        QVERIFY(services.queue.running()->paused);
        QTRY_VERIFY(state(window).startsWith(u"Paused"_s));
        QCOMPARE(button(window, "trainingPauseButton")->text(), u"Resume"_s);
        QTest::qWait(150);  // what was on its way
        const auto held = steps(training);
        const double left = training.secondsLeft();
        QTest::qWait(250);
        QCOMPARE(steps(training), held);
        QVERIFY(std::abs(training.secondsLeft() - left) < 0.05);  // a pause takes nothing off
        QVERIFY(services.queue.running()->secondsLeft(0) < 0.0);
        QTest::mouseClick(button(window, "trainingPauseButton"), Qt::LeftButton);
        QTRY_VERIFY(steps(training) > held);
        QCOMPARE(button(window, "trainingPauseButton")->text(), u"Pause"_s);

        // The best so far becomes the run.
        QTRY_VERIFY(steps(training) > 45);
        QTest::mouseClick(button(window, "trainingFinishButton"), Qt::LeftButton);
        QVERIFY(!button(window, "trainingFinishButton")->isEnabled());
        QVERIFY(waitIdle(services));
        const auto& job = services.queue.jobs().back();
        QCOMPARE(job.state, JobState::Finished);
        QVERIFY(!training.isTraining());
        QTRY_COMPARE(training.live().back().facts.ended, std::string("asked"));
        QCOMPARE(training.live().back().keptStep(), std::int64_t{30});
        QTRY_VERIFY2(facts(window).contains(u"kept: 90.00 % at step 30"_s),
                     qPrintable(facts(window)));
        QVERIFY2(facts(window).contains(u"ended by hand"_s), qPrintable(facts(window)));
        QVERIFY(!button(window, "trainingFinishButton")->isVisible());
        QVERIFY(plot->pixelOf(30).has_value());  // the curve stays
    }

    /// The counts of the last validation beside the curve, live and as stored.
    void theLastValidationsClassesAreShown() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        auto services = application->services();
        auto& window = application->window();
        QVERIFY(fixture.open(*application));
        window.showPage(window.trainingPage());
        auto* panel = window.trainingPage()->confusion();
        auto* view = panel->view();
        QVERIFY(!panel->isVisible());
        services.queue.addRun(params(services, recovering({30})), u"short"_s);
        QVERIFY(waitIdle(services));
        QTRY_VERIFY(panel->isVisible());
        QTRY_VERIFY2(label(window, "confusionTitleLabel").contains(u"step 30"_s),
                     qPrintable(label(window, "confusionTitleLabel")));
        // 90 % of 100 rows, 30 of them of the second class (see the fake worker).
        QCOMPARE(view->model()->rowCount(), 2);
        QCOMPARE(cell(*view, 0, 0), u"60"_s);
        QCOMPARE(cell(*view, 0, 1), u"0"_s);
        QCOMPARE(cell(*view, 1, 0), u"10"_s);
        QCOMPARE(cell(*view, 1, 1), u"30"_s);
        QCOMPARE(view->model()->headerData(1, Qt::Vertical).toString(), u"attack"_s);
        QCOMPARE(view->model()->index(1, 0).data(Qt::AccessibleTextRole).toString(),
                 u"attack taken for benign: 10 of 40 rows (25.0 %)"_s);
        QTest::mouseClick(view->viewport(), Qt::LeftButton, {},
                          view->visualRect(view->model()->index(1, 0)).center());
        QCOMPARE(view->currentIndex(), view->model()->index(1, 0));

        // Live: what came last, as it came.
        services.queue.addRun(params(services, recovering({2000})), u"long"_s);
        auto& training = services.training;
        QTRY_VERIFY(training.isTraining() && training.live().back().facts.validations.size() >= 2);
        services.training.setPaused(true);
        QTest::qWait(300);  // what was on its way
        QVERIFY(panel->isVisible());
        const auto last = training.live().back().facts.validations.back();
        QVERIFY(label(window, "confusionTitleLabel").contains(QString::number(last.step)));
        QCOMPARE(cell(*view, 0, 0), QString::number(last.confusion->counts[0][0]));
        QCOMPARE(cell(*view, 0, 1), QString::number(last.confusion->counts[0][1]));
        services.queue.cancelAll();
        QVERIFY(waitIdle(services));

        // As the chosen run's record holds it, in a new window.
        services.selection.setRun(services.queue.jobs().front().run);
        TrainingRuns other(services.queue, services.runs, services.selection);
        TrainingPage page(services.workspace, other, services.actions);
        QTRY_COMPARE(other.stored().size(), std::size_t{1});
        QTRY_COMPARE(cell(*page.confusion()->view(), 0, 0), u"60"_s);
        QVERIFY(!page.confusion()->isHidden());
    }

    void aStoredRunShowsItsSteps() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        auto services = application->services();
        auto& window = application->window();
        QVERIFY(fixture.open(*application));
        window.showPage(window.trainingPage());
        services.queue.addRun(params(services, {}), u"Baseline"_s);
        services.queue.addRun(params(services, recovering({40, 20})), u"twice"_s);
        QVERIFY(waitIdle(services));
        const auto& jobs = services.queue.jobs();
        QCOMPARE(services.training.live().size(), std::size_t{2});
        auto* combo = window.findChild<QComboBox*>(u"trainingStepCombo"_s);
        QVERIFY(combo->isVisible());
        QCOMPARE(combo->count(), 2);
        QCOMPARE(combo->currentIndex(), 1);  // the newest

        // A run without training says so once the live curve is another window's.
        auto other =
            std::make_unique<TrainingRuns>(services.queue, services.runs, services.selection);
        services.selection.setRun(jobs[1].run);
        QTRY_COMPARE(other->stored().size(), std::size_t{2});
        QCOMPARE(other->stored()[0].curve->size(), std::size_t{40});
        QCOMPARE(other->stored()[0].keptStep(), std::int64_t{30});
        QCOMPARE(other->stored()[1].facts.ended, std::string("steps"));
        auto* sources = window.findChild<QComboBox*>(u"trainingSourceCombo"_s);
        QTRY_COMPARE(sources->count(), 2);
        QCOMPARE(sources->currentText(), u"#%1 twice"_s.arg(jobs[1].run));
        choose(*combo, 0);
        QVERIFY2(state(window).contains(u"Step 40 of 40"_s), qPrintable(state(window)));
        QVERIFY(!button(window, "trainingPauseButton")->isVisible());
        // Back to the live one by hand.
        choose(*sources, 0);
        QCOMPARE(sources->currentText(), u"twice"_s);

        services.selection.setRun(jobs[0].run);
        QTRY_VERIFY(other->stored().empty());
        QTRY_COMPARE(sources->count(), 1);
        QVERIFY(window.trainingPage()->plot()->isVisible());
        // In a new window nothing is live, and the chosen run did not train.
        auto* empty = window.findChild<QLabel*>(u"trainingEmptyText"_s);
        TrainingPage page(services.workspace, *other, services.actions);
        QCOMPARE(page.findChild<QLabel*>(u"trainingEmptyText"_s)->text(),
                 u"The chosen run did not train. A recipe does where Recover is on."_s);
        QVERIFY(empty != nullptr);
        services.selection.setRun(jobs[1].run);
        QTRY_VERIFY(page.findChild<widgets::ElidedLabel*>(u"trainingStateLabel"_s)
                        ->fullText()
                        .contains(u"of 20"_s));
    }

    void theRateIsDrawnOnDemandAndTheLanguageMayChange() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        auto services = application->services();
        QVERIFY(fixture.open(*application));
        application->window().showPage(application->window().trainingPage());
        services.queue.addRun(params(services, recovering({40})), u"once"_s);
        QVERIFY(waitIdle(services));
        auto* check = application->window().findChild<QCheckBox*>(u"trainingRateCheck"_s);
        QVERIFY(!application->window().trainingPage()->plot()->learningRateShown());
        QTest::mouseClick(check, Qt::LeftButton, {}, QPoint(8, check->height() / 2));
        QVERIFY(application->window().trainingPage()->plot()->learningRateShown());
        application->useLanguage(u"zh_CN"_s);
        QVERIFY(application->window().trainingPage()->plot()->drawnPoints() > 40);
    }

    void aCancelledJobEndsAndAnotherBeginsAnew() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        auto services = application->services();
        QVERIFY(fixture.open(*application));
        QSignalSpy started(&services.training, &TrainingRuns::started);
        const int job = services.queue.addRun(params(services, recovering({2000})), u"long"_s);
        QTRY_VERIFY(services.training.isTraining() && steps(services.training) > 40);
        services.queue.cancel(job);
        QTRY_COMPARE(services.queue.find(job)->state, JobState::Cancelled);
        QVERIFY(!services.training.isTraining());
        const auto before = steps(services.training);
        services.queue.retry(job);
        QTRY_COMPARE(started.count(), 2);
        QVERIFY(steps(services.training) < before);
        services.queue.finishEarly(job);
        QVERIFY(waitIdle(services));
        QCOMPARE(services.queue.find(job)->state, JobState::Finished);
    }

    /// Events that say nothing, or nonsense, harm nothing.
    void oddEventsArePassedOver() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        auto services = application->services();
        QVERIFY(fixture.open(*application));
        services.queue.addRun(params(services, recovering({2000})), u"long"_s);
        QTRY_VERIFY(services.training.isTraining());
        const int job = services.queue.running()->id;
        const auto points = services.training.live().size();
        for (const auto& event : {Json(), Json::array({1, 2}), Json{{"training", "x"}},
                                  Json{{"training", {{{"loss", "high"}}}}}, Json{{"validation", 3}},
                                  Json{{"validation", {{"step", -4}}}}, Json{{"text", "x"}}}) {
            Q_EMIT services.queue.partial(job, event);
            Q_EMIT services.queue.partial(999, event);
        }
        QCOMPARE(services.training.live().size(), points);
        QVERIFY(TrainingRuns::stepsOf(Json{{"recover", "x"}}).empty());
        QVERIFY(
            TrainingRuns::stepsOf(Json{{"recover", {{{"points", {{{"step", "x"}}}}}}}}).empty());
        services.queue.cancelAll();
        QVERIFY(waitIdle(services));
    }

private:
    static jobs::RunParams params(const Services& services, const Recipe& recipe) {
        jobs::RunParams out;
        out.model = services.workspace.model()->path.toStdString();
        out.recipe = recipe;
        out.task = services.workspace.task();
        out.target = services.workspace.target();
        return out;
    }
    static std::int64_t steps(const TrainingRuns& training) {
        return training.live().empty() || training.live().back().curve->isEmpty()
                   ? 0
                   : training.live().back().curve->last().step;
    }
    static bool waitIdle(const Services& services) {
        return QTest::qWaitFor([&] { return services.queue.pending() == 0; }, 30'000);
    }
    static QPushButton* button(MainWindow& window, const char* name) {
        return window.findChild<QPushButton*>(QLatin1String(name));
    }
    static QString label(MainWindow& window, const char* name) {
        return window.findChild<QLabel*>(QLatin1String(name))->text();
    }
    static QString elided(MainWindow& window, const char* name) {
        return window.findChild<widgets::ElidedLabel*>(QLatin1String(name))->fullText();
    }
    static QString cell(const QTableView& view, int row, int column) {
        return view.model()->index(row, column).data().toString();
    }
    static QString state(MainWindow& window) { return elided(window, "trainingStateLabel"); }
    static QString facts(MainWindow& window) { return elided(window, "trainingFactsLabel"); }
    static void choose(QComboBox& combo, int row) {
        combo.setCurrentIndex(row);
        Q_EMIT combo.activated(row);
    }
};

int main(int argc, char** argv) {
    test::useScreen(1366, 768, 1.0);
    QApplication application(argc, argv);
    TestTrainingPage page;
    return QTest::qExec(&page, argc, argv);
}
#include "tst_training_page.moc"
