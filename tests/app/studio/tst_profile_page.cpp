#include <QAction>
#include <QComboBox>
#include <QFile>
#include <QFileDialog>
#include <QLabel>
#include <QPushButton>
#include <QTableView>
#include <QTest>

#include "app/studio/actions.h"
#include "app/studio/job_queue.h"
#include "app/studio/job_texts.h"
#include "app/studio/main_window.h"
#include "app/studio/pages/profile_page.h"
#include "app/studio/selection.h"
#include "app/studio/services.h"
#include "app/studio/workspace.h"
#include "tests/app/studio/studio_test.h"
#include "widgets/models/layer_profile_model.h"
#include "widgets/plots/roofline_plot.h"
#include "widgets/support/elided_label.h"

using namespace pareto;
using namespace pareto::studio;
using namespace Qt::StringLiterals;
using widgets::LayerProfileModel;

/// The page Profile with real clicks and the real worker on tiny models.
class TestProfilePage : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() {
        if (!QFile::exists(test::realWorker())) {
            QSKIP("this build has no command line (target pareto)");
        }
    }

    void anEncoderIsProfiled() {
        test::StudioFixture fixture;
        auto application = start(fixture);
        auto& window = application->window();
        auto services = application->services();
        window.showPage(window.profilePage());
        QVERIFY(!services.actions[kActionProfile]->isEnabled());
        QVERIFY(fixture.open(*application));
        QVERIFY(emptyText(window).startsWith(u"Profile shows"_s));
        auto* begin = window.findChild<QPushButton*>(u"profileEmptyRunProfileButton"_s);
        QVERIFY(begin != nullptr && begin->isEnabled());
        QTest::mouseClick(begin, Qt::LeftButton);
        QTRY_VERIFY(emptyText(window).contains(u"Profiling: "_s) ||
                    emptyText(window).contains(u"waiting"_s));
        QVERIFY(waitIdle(*application));
        QVERIFY2(services.queue.jobs().back().state == JobState::Finished,
                 qPrintable(outcomeText(services.queue.jobs().back())));
        QCOMPARE(outcomeText(services.queue.jobs().back()), u"finished"_s);

        auto* page = window.profilePage();
        QVERIFY(page->view()->isVisible());
        QVERIFY(page->plot()->pointCount() > 10);
        QVERIFY(!page->findChild<QComboBox*>(u"profileStepCombo"_s)->isVisible());
        QVERIFY(label(window, "profileRoofsLabel").contains(u"GFLOP/s"_s));
        QVERIFY(label(window, "profileRoofsLabel").contains(u"counters"_s) ||
                label(window, "profileRoofsLabel").contains(u"cycles"_s));
        QVERIFY(label(window, "profileSummaryLabel").contains(u"1×16"_s));
        chooseLayers(*page, services.selection);
        saveTimeline(fixture, window);

        // A new window of another language shows the same profile.
        application->useLanguage(u"zh_CN"_s);
        QVERIFY(application->window().profilePage()->plot()->pointCount() > 10);
    }

    void aDecoderHasTwoSteps() {
        test::StudioFixture fixture;
        auto application = start(fixture);
        auto& window = application->window();
        QVERIFY(fixture.openModel(*application, fixture.tinyLlama()));
        auto& workspace = application->services().workspace;
        Target target = workspace.target();
        target.threads = 1;
        target.prompt = 8;
        target.generate = 4;
        workspace.setTarget(target);
        application->services().actions[kActionProfile]->trigger();
        QVERIFY(window.profilePage()->isVisible());
        QVERIFY(waitIdle(*application));
        auto* steps = window.findChild<QComboBox*>(u"profileStepCombo"_s);
        QTRY_VERIFY(steps->isVisible());
        QCOMPARE(steps->count(), 2);
        auto* page = window.profilePage();
        const auto operations = [&] {
            const auto* model = qobject_cast<LayerProfileModel*>(page->view()->model());
            const int row = model->rowOfLayer(u"decoder.layer.0.ffn.up"_s);
            return model->index(row, LayerProfileModel::Operations).data().toString();
        };
        const QString prompt = operations();
        steps->setCurrentIndex(1);
        QVERIFY(operations() != prompt);
        QTest::mouseClick(page->findChild<QPushButton*>(u"profileButton"_s), Qt::LeftButton);
        QTRY_COMPARE(application->services().queue.pending(), 1);
        // The finished one stays in sight meanwhile.
        QVERIFY(page->plot()->pointCount() > 0);
        application->services().queue.cancelAll();
        QVERIFY(waitIdle(*application));
        QTRY_COMPARE(label(window, "profileSummaryLabel"), u"The profile was stopped."_s);
        // Another model has none yet.
        QVERIFY(fixture.openModel(*application, fixture.tinySentenceModel()));
        QTRY_VERIFY(!page->view()->isVisible());
    }

    void failuresAreSaid() {
        test::StudioFixture fixture;
        auto application = start(fixture);
        auto& window = application->window();
        QVERIFY(fixture.open(*application));
        auto& workspace = application->services().workspace;
        Target target = workspace.target();
        target.sequence = 4000;  // more than the model has positions for
        workspace.setTarget(target);
        application->services().actions[kActionProfile]->trigger();
        QVERIFY(waitIdle(*application));
        QTRY_VERIFY2(emptyText(window).startsWith(u"The profile failed: "_s),
                     qPrintable(emptyText(window)));
        target.device = "cuda:0";
        workspace.setTarget(target);
        // Whether a GPU can be used is the worker's to say.
        QVERIFY(application->services().actions[kActionProfile]->isEnabled());
        const auto gpus = application->services().worker.hello()->machine.devices;
        if (gpus.size() > 1) {
            return;
        }
        application->services().actions[kActionProfile]->trigger();
        QVERIFY(waitIdle(*application));
        QTRY_VERIFY2(emptyText(window).contains(u"cuda:0"_s), qPrintable(emptyText(window)));
    }

private:
    static std::unique_ptr<Application> start(test::StudioFixture& fixture) {
        return fixture.startReal();
    }
    static bool waitIdle(Application& application) {
        return QTest::qWaitFor([&] { return application.services().queue.pending() == 0; }, 90'000);
    }
    static QString emptyText(MainWindow& window) {
        return window.findChild<QLabel*>(u"profileEmptyText"_s)->text();
    }
    static QString label(MainWindow& window, const char* name) {
        return window.findChild<widgets::ElidedLabel*>(QLatin1String(name))->fullText();
    }

    /// A click on a point chooses the layer everywhere, a choice made elsewhere is shown.
    static void chooseLayers(ProfilePage& page, Selection& selection) {
        const auto point = u"encoder.layer.0.ffn.in"_s;
        QTRY_VERIFY(page.plot()->pixelOf(point).has_value());
        QTest::mouseClick(page.plot()->canvas(), Qt::LeftButton, {}, *page.plot()->pixelOf(point));
        // Points of layers of one shape can lie upon each other.
        QTRY_VERIFY(!selection.currentLayer().isEmpty());
        QCOMPARE(page.plot()->selected(), QStringList{selection.currentLayer()});
        const auto* model = qobject_cast<LayerProfileModel*>(page.view()->model());
        QCOMPARE(page.view()->currentIndex().row(), model->rowOfLayer(selection.currentLayer()));
        selection.setLayers({u"encoder.layer.1.attention.query"_s});
        QCOMPARE(page.plot()->selected(), QStringList{u"encoder.layer.1.attention.query"_s});
        const int row = model->rowOfLayer(u"encoder.layer.1.ffn.out"_s);
        page.view()->scrollTo(model->index(row, 0));
        QTest::mouseClick(page.view()->viewport(), Qt::LeftButton, {},
                          page.view()->visualRect(model->index(row, 0)).center());
        QCOMPARE(selection.currentLayer(), u"encoder.layer.1.ffn.out"_s);
        QCOMPARE(page.plot()->selected(), QStringList{u"encoder.layer.1.ffn.out"_s});
    }

    static void saveTimeline(const test::StudioFixture& fixture, MainWindow& window) {
        QTest::mouseClick(window.findChild<QPushButton*>(u"profileSaveButton"_s), Qt::LeftButton);
        QTRY_VERIFY(window.findChild<QFileDialog*>(u"saveTimeline"_s) != nullptr);
        auto* dialog = window.findChild<QFileDialog*>(u"saveTimeline"_s);
        const QString file = fixture.file(u"timeline.json"_s);
        Q_EMIT dialog->fileSelected(file);
        dialog->close();
        QTRY_VERIFY(QFile::exists(file));
        const auto json = readJsonFile(file.toStdString());
        QVERIFY(json.ok());
        QVERIFY(json->at("traceEvents").size() > 20);
    }
};

int main(int argc, char** argv) {
    test::useScreen(1366, 768, 1.0);
    QApplication application(argc, argv);
    TestProfilePage page;
    return QTest::qExec(&page, argc, argv);
}
#include "tst_profile_page.moc"
