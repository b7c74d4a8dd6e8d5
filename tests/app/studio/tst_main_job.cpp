#include <csignal>

#include <QAction>
#include <QClipboard>
#include <QComboBox>
#include <QDialog>
#include <QDockWidget>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QLineEdit>
#include <QMessageBox>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTableView>
#include <QTest>
#include <QToolButton>
#include <QTreeView>

#include "app/studio/actions.h"
#include "app/studio/job_queue.h"
#include "app/studio/main_window.h"
#include "app/studio/pages/compare_page.h"
#include "app/studio/pages/pareto_page.h"
#include "app/studio/panes/layers_pane.h"
#include "app/studio/recipe_edit.h"
#include "app/studio/runs.h"
#include "app/studio/services.h"
#include "app/studio/workspace.h"
#include "tests/app/studio/studio_test.h"
#include "widgets/models/layer_tree_model.h"
#include "widgets/plots/pareto_plot.h"

using namespace pareto;
using namespace pareto::studio;
using namespace Qt::StringLiterals;
using widgets::LayerTreeModel;

class TestMainJob : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() { qputenv("PARETO_FAKE_WORKER", "good"); }

    /// How weights are chosen and rounded, by the combo boxes of the recipe.
    void methodsOfTheRecipe() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        auto& window = application->window();
        auto services = application->services();
        auto& recipe = services.workspace.recipe();
        const auto choose = [&](const QString& name, int row) {
            auto* combo = window.findChild<QComboBox*>(name);
            QVERIFY2(combo->isEnabled(), qPrintable(name));
            combo->setFocus();
            combo->setCurrentIndex(row);
            Q_EMIT combo->activated(row);
        };
        // The choice waits for a share.
        choose(u"recipeWeightsMethodCombo"_s, 2);
        QVERIFY(recipe.recipe().isEmpty());
        auto* spin = window.findChild<QDoubleSpinBox*>(u"recipeWeightsRatioSpin"_s);
        QTest::keyClick(spin, Qt::Key_A, Qt::ControlModifier);
        QTest::keyClicks(spin, u"50"_s);
        QTest::keyClick(spin, Qt::Key_Return);
        QTRY_VERIFY(findPrune(recipe.recipe(), PrunePattern::Unstructured) != nullptr);
        QCOMPARE(findPrune(recipe.recipe(), PrunePattern::Unstructured)->method, PruneMethod::SparseGpt);
        choose(u"recipeWeightsMethodCombo"_s, 1);
        QCOMPARE(findPrune(recipe.recipe(), PrunePattern::Unstructured)->method, PruneMethod::Wanda);
        QCOMPARE(findPrune(recipe.recipe(), PrunePattern::Unstructured)->ratio, 0.5);
        auto* rounding = window.findChild<QComboBox*>(u"recipeRoundingCombo"_s);
        QVERIFY(!rounding->isEnabled());
        auto* bits = window.findChild<QComboBox*>(u"recipeBitsCombo"_s);
        choose(u"recipeBitsCombo"_s, bits->findText(u"int4"_s));
        choose(u"recipeRoundingCombo"_s, 2);
        QCOMPARE(recipe.recipe().quantize->method, QuantizeMethod::Gptq);
        QVERIFY(recipe.recipe().quantize->actOrder);
        services.actions["edit.undo"]->trigger();
        QCOMPARE(rounding->currentIndex(), 0);
        QVERIFY(!rounding->itemData(1, Qt::ToolTipRole).toString().isEmpty());
    }

    /// Patterns, structures and what comes before rounding.
    void structuresAndPreparation() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        auto& window = application->window();
        auto services = application->services();
        auto& recipe = services.workspace.recipe();
        const auto choose = [&](const QString& name, const QString& text) {
            auto* combo = window.findChild<QComboBox*>(name);
            QVERIFY2(combo->isEnabled() && combo->findText(text) >= 0, qPrintable(name + text));
            combo->setCurrentIndex(combo->findText(text));
            Q_EMIT combo->activated(combo->currentIndex());
        };
        const auto step = [&](PrunePattern pattern) { return findPrune(recipe.recipe(), pattern); };
        choose(u"recipePatternCombo"_s, u"2 of 4"_s);
        QVERIFY(step(PrunePattern::Unstructured) != nullptr);
        QCOMPARE(step(PrunePattern::Unstructured)->groupOf, 4);
        QCOMPARE(step(PrunePattern::Unstructured)->ratio, 0.5);
        choose(u"recipeWeightsMethodCombo"_s, u"SparseGPT"_s);
        QCOMPARE(step(PrunePattern::Unstructured)->groupOf, 4);
        choose(u"recipePatternCombo"_s, u"tiles 16 × 4"_s);
        QCOMPARE(step(PrunePattern::Unstructured)->tileRows, 16);
        QCOMPARE(step(PrunePattern::Unstructured)->tileCols, 4);
        choose(u"recipePatternCombo"_s, u"tiles 1 × 16"_s);
        QCOMPARE(step(PrunePattern::Unstructured)->groupOf, 0);
        QCOMPARE(step(PrunePattern::Unstructured)->tileCols, 16);
        choose(u"recipePatternCombo"_s, u"anywhere, one threshold"_s);
        QCOMPARE(step(PrunePattern::Unstructured)->method, PruneMethod::Magnitude);
        choose(u"recipeWeightsMethodCombo"_s, u"Wanda"_s);  // has no threshold in common
        QCOMPARE(step(PrunePattern::Unstructured)->allocation, Allocation::Uniform);
        QVERIFY(recipe.resolved() != nullptr);
        QCOMPARE(window.findChild<QComboBox*>(u"recipePatternCombo"_s)->currentIndex(), 0);

        choose(u"recipeWeightsMethodCombo"_s, u"Fisher (oBERT)"_s);
        QCOMPARE(step(PrunePattern::Unstructured)->method, PruneMethod::Fisher);
        QVERIFY(recipe.resolved() != nullptr && recipe.resolved()->gradients);

        // A BERT's hidden state cannot be turned, and the window says why.
        auto* width = window.findChild<QDoubleSpinBox*>(u"recipeWidthRatioSpin"_s);
        QVERIFY(width != nullptr && !width->isEnabled());
        QVERIFY(width->parentWidget()->toolTip().contains(u"RMSNorm"_s));

        auto* spin = window.findChild<QDoubleSpinBox*>(u"recipeHeadsRatioSpin"_s);
        choose(u"recipeHeadsMethodCombo"_s, u"L1, least squares"_s);
        QVERIFY(step(PrunePattern::Heads) == nullptr);  // waits for a share
        QTest::keyClick(spin, Qt::Key_A, Qt::ControlModifier);
        QTest::keyClicks(spin, u"50"_s);
        QTest::keyClick(spin, Qt::Key_Return);
        QTRY_VERIFY(step(PrunePattern::Heads) != nullptr);
        QCOMPARE(step(PrunePattern::Heads)->compensation, Compensation::LeastSquares);
        choose(u"recipeHeadsMethodCombo"_s, u"second order (ZipLM)"_s);
        QCOMPARE(step(PrunePattern::Heads)->method, PruneMethod::Second);
        QCOMPARE(step(PrunePattern::Heads)->compensation, Compensation::None);
        QCOMPARE(step(PrunePattern::Heads)->ratio, 0.5);
        QVERIFY(recipe.resolved() != nullptr && recipe.resolved()->calibrated);

        auto* preparation = window.findChild<QComboBox*>(u"recipePreparationCombo"_s);
        QVERIFY(!preparation->isEnabled());
        choose(u"recipeBitsCombo"_s, u"int4"_s);
        choose(u"recipePreparationCombo"_s, u"AWQ with clipping"_s);
        QVERIFY(recipe.recipe().quantize->scaling == InputScaling::Awq && recipe.recipe().quantize->clip);
        choose(u"recipeRoundingCombo"_s, u"SignRound"_s);
        QVERIFY(recipe.recipe().quantize->method == QuantizeMethod::SignRound && !recipe.recipe().quantize->clip);
        choose(u"recipePreparationCombo"_s, u"rotation (QuaRot)"_s);
        QVERIFY(recipe.recipe().quantize->rotate && recipe.recipe().quantize->scaling == InputScaling::None);
        QVERIFY(loadRecipe(recipeToJson(recipe.recipe()).dump()).ok());
    }

    /// Activations are offered where the weights allow them; the cache where text is generated.
    void formatsOfTheRecipe() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        auto& window = application->window();
        auto& recipe = application->services().workspace.recipe();
        auto* bits = window.findChild<QComboBox*>(u"recipeBitsCombo"_s);
        auto* activations = window.findChild<QComboBox*>(u"recipeActivationsCombo"_s);
        const auto choose = [](QComboBox* combo, const QString& text) {
            combo->setCurrentIndex(combo->findText(text));
            Q_EMIT combo->activated(combo->currentIndex());
        };
        const auto offered = [&](const QString& text) {
            const auto index = activations->model()->index(activations->findText(text), 0);
            return activations->isEnabled() && index.flags().testFlag(Qt::ItemIsEnabled);
        };
        choose(bits, u"int8"_s);
        QVERIFY(offered(u"int8 static"_s) && offered(u"int16 dynamic"_s));
        choose(activations, u"int8 static"_s);
        QCOMPARE(recipe.recipe().quantize->activations, Activations::Int8Static);
        QVERIFY(recipe.resolved() != nullptr);
        choose(bits, u"int16"_s);
        QCOMPARE(recipe.recipe().quantize->activations, Activations::None);
        QVERIFY(!offered(u"int8 dynamic"_s) && offered(u"int16 dynamic"_s));
        choose(activations, u"int16 dynamic"_s);
        QCOMPARE(recipe.recipe().quantize->activations, Activations::Int16Dynamic);
        choose(bits, u"fp8"_s);
        QCOMPARE(recipe.recipe().quantize->activations, Activations::None);
        QVERIFY(!activations->isEnabled() && !activations->toolTip().isEmpty());
        QVERIFY(recipe.resolved() != nullptr);
        for (const auto* name : {"int4", "int3", "int2"}) {
            choose(bits, QString::fromLatin1(name));
            QVERIFY(offered(u"int8 dynamic"_s) && !offered(u"int16 dynamic"_s));
            choose(activations, u"int8 dynamic"_s);
            QCOMPARE(recipe.recipe().quantize->activations, Activations::Int8Dynamic);
            QVERIFY(recipe.resolved() != nullptr);
        }
        auto* cache = window.findChild<QComboBox*>(u"recipeCacheCombo"_s);
        QVERIFY(!cache->isEnabled());  // an encoder
        QVERIFY(cache->toolTip().contains(u"decoders"_s));
        QCOMPARE(cache->count(), 4);
    }

    /// WINDOW.md, "The main job", steps 2 to 8, with the fake worker.
    void clickByClick() {
        test::StudioFixture fixture;
        RunId chosen = 0;
        {
            auto application = fixture.start();
            QVERIFY(fixture.open(*application));
            auto& window = application->window();
            auto services = application->services();

            choosePreset(window, u"50 % heads and neurons + int8"_s);
            QVERIFY(window.isWindowModified());
            QVERIFY(label(window, u"recipeSizeLabel"_s).contains(u"→"_s));
            QCOMPARE(label(window, u"recipeMeasuredLabel"_s),
                     u"latency, accuracy: not measured yet"_s);

            editGroup(window, services, 0.25);

            QTest::mouseClick(button(window, u"toolbar.run.start"_s), Qt::LeftButton);
            QCOMPARE(services.queue.pending(), 2);
            QCOMPARE(window.findChild<QDockWidget*>(u"jobsDock"_s)->windowTitle(), u"Jobs 2"_s);
            QCOMPARE(services.queue.jobs().front().title, u"Baseline"_s);
            QVERIFY(window.findChildren<QDialog*>().isEmpty());
            QVERIFY(QTest::qWaitFor(
                [&] { return services.runs.comparable().comparable.size() == 2; }, 20'000));

            chosen = services.runs.comparable().comparable.back();
            clickRun(window, services, chosen);
            QCOMPARE(services.selection.currentRun(), chosen);

            services.actions[kActionRunPresets]->trigger();
            QVERIFY(services.queue.pending() >= 4);
            QVERIFY(QTest::qWaitFor([&] { return services.queue.pending() == 0; }, 30'000));
            QTRY_VERIFY(services.runs.comparable().comparable.size() >= 6);

            exportRun(fixture, window, services);
            window.close();
        }
        auto again = fixture.start();
        auto services = again->services();
        QVERIFY(QTest::qWaitFor([&] { return services.workspace.model() != nullptr; }, 10'000));
        QCOMPARE(services.selection.currentRun(), chosen);
        QVERIFY(services.workspace.task().has_value());
        QCOMPARE(findPrune(services.workspace.recipe().recipe(), PrunePattern::Heads)->ratio, 0.5);
        QTRY_VERIFY(services.runs.comparable().comparable.size() >= 6);
    }

    void undoInASpinBoxMeansTheRecipe() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        auto& window = application->window();
        window.activateWindow();
        auto* spin = window.findChild<QDoubleSpinBox*>(u"recipeHeadsRatioSpin"_s);
        spin->setFocus();
        QTest::keyClick(spin, Qt::Key_A, Qt::ControlModifier);
        QTest::keyClicks(spin, u"50"_s);
        QTest::keyClick(spin, Qt::Key_Return);
        auto& recipe = application->services().workspace.recipe();
        QVERIFY(findPrune(recipe.recipe(), PrunePattern::Heads) != nullptr);
        QTest::keyClick(spin, Qt::Key_Z, Qt::ControlModifier);
        QTRY_VERIFY(recipe.recipe().isEmpty());
        QCOMPARE(spin->value(), 0.0);
        QTest::keyClick(spin, Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
        QTRY_COMPARE(spin->value(), 50.0);
    }

    void oneEditGoesToAllSelectedRows() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        auto services = application->services();
        auto* view = application->window().layersPane()->view();
        auto* model = qobject_cast<LayerTreeModel*>(view->model());
        const auto& groups = services.workspace.model()->layout.groups;
        services.selection.setLayers(
            {QString::fromStdString(groups[0].name), QString::fromStdString(groups[2].name)});
        const auto index = model->indexOf(QString::fromStdString(groups[2].name));
        QVERIFY(model->setData(index.siblingAtColumn(LayerTreeModel::Prune), 0.5));
        const auto* resolved = services.workspace.recipe().resolved();
        QVERIFY(resolved->groups[0].overridden && resolved->groups[2].overridden);
        QCOMPARE(services.workspace.recipe().undoStack().count(), 1);
        services.actions["recipe.resetLayers"]->trigger();
        QVERIFY(services.workspace.recipe().recipe().isEmpty());
    }

    void copyAndPasteOfLayerSettings() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        auto services = application->services();
        auto* pane = application->window().layersPane();
        const auto& layout = services.workspace.model()->layout;
        const QString first = QString::fromStdString(layout.groups[0].name);
        const QString second = QString::fromStdString(layout.groups[2].name);
        services.workspace.recipe().setGroupRatio({first}, 0.5);
        services.selection.setLayers({first});
        pane->copy();
        QVERIFY(QGuiApplication::clipboard()->text().contains(u"50"_s));
        services.selection.setLayers({second});
        pane->paste();
        QVERIFY(services.workspace.recipe().resolved()->groups[2].overridden);
        QCOMPARE(services.workspace.recipe().resolved()->groups[2].remove,
                 layout.groups[2].units / 2);
    }

    void aDyingWorkerLeavesTheWindowAlive() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        auto services = application->services();
        qputenv("PARETO_FAKE_WORKER", "killed");
        services.actions[kActionMeasureBaseline]->trigger();
        QVERIFY(QTest::qWaitFor(
            [&] { return services.queue.jobs().front().state == JobState::Failed; }, 10'000));
        auto& window = application->window();
        auto* retry = button(window, u"jobsRetryButton"_s);
        window.findChild<QDockWidget*>(u"jobsDock"_s)->raise();
        QTRY_VERIFY(retry->isEnabled());
        qputenv("PARETO_FAKE_WORKER", "good");
        QTest::mouseClick(retry, Qt::LeftButton);
        QVERIFY(QTest::qWaitFor([&] { return services.runs.comparable().comparable.size() == 1; },
                                10'000));
    }

    void closingAsksOnlyWhileJobsRun() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QVERIFY(fixture.open(*application));
        auto services = application->services();
        qputenv("PARETO_FAKE_WORKER", "slow");
        services.actions[kActionMeasureBaseline]->trigger();
        QVERIFY(QTest::qWaitFor([&] { return services.queue.running() != nullptr; }, 5000));
        auto& window = application->window();
        QVERIFY(!window.close());
        auto* box = window.findChild<QMessageBox*>(u"quitBox"_s);
        QVERIFY(box != nullptr);
        auto* stay = box->findChild<QPushButton*>(u"quitBoxRejectButton"_s);
        QTest::mouseClick(stay, Qt::LeftButton);
        QVERIFY(window.isVisible());
        QVERIFY(!window.close());
        box = window.findChildren<QMessageBox*>(u"quitBox"_s).last();
        QTest::mouseClick(box->findChild<QPushButton*>(u"quitBoxAcceptButton"_s), Qt::LeftButton);
        QTRY_VERIFY(!window.isVisible());
    }

    void aBrokenModelIsASentence() {
        test::StudioFixture fixture;
        auto application = fixture.start();
        QFile file(fixture.file(u"broken.gguf"_s));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("GGUF\x03");
        file.close();
        application->services().workspace.openModel(file.fileName());
        auto& window = application->window();
        QTRY_VERIFY(window.findChild<QMessageBox*>(u"errorBox"_s) != nullptr);
        auto* box = window.findChild<QMessageBox*>(u"errorBox"_s);
        QVERIFY(box->text().contains(u"broken.gguf"_s));
        box->close();
        QVERIFY(fixture.open(*application));
    }

    /// The same with the real engine on a tiny model: a run, its exact size, an export.
    void withTheRealWorker() {
        if (test::realWorker().isEmpty() || !QFile::exists(test::realWorker())) {
            QSKIP("this build has no command line (target pareto)");
        }
        test::StudioFixture fixture;
        auto application = fixture.startReal();
        QVERIFY(fixture.open(*application));
        auto services = application->services();
        choosePreset(application->window(), u"50 % heads and neurons + int8"_s);
        const auto predicted = services.workspace.recipe().size()->bytes;
        services.actions[kActionRun]->trigger();
        QVERIFY(QTest::qWaitFor([&] { return services.queue.pending() == 0; }, 120'000));
        for (const auto& job : services.queue.jobs()) {
            QVERIFY2(job.state == JobState::Finished, job.error ? errorMessage(*job.error).c_str()
                                                                : qPrintable(services.queue.log(0)));
        }
        QTRY_COMPARE(services.runs.comparable().comparable.size(), std::size_t{2});
        const auto* run = services.runs.frame()->find(services.runs.comparable().comparable.back());
        QCOMPARE(static_cast<std::uint64_t>(run->find("model_bytes")->value), predicted);
        QVERIFY(run->find("accuracy") != nullptr);
        QTRY_VERIFY(
            label(application->window(), u"recipeMeasuredLabel"_s).startsWith(u"measured"_s));
        services.selection.setRun(run->id);
        exportRun(fixture, application->window(), services);
        QVERIFY(QFile::exists(fixture.file(u"exported"_s) + u"/model.safetensors"_s));
    }

private:
    static QToolButton* button(QWidget& window, const QString& name) {
        return window.findChild<QToolButton*>(name);
    }
    static QString label(QWidget& window, const QString& name) {
        return window.findChild<QLabel*>(name)->accessibleName();
    }

    void choosePreset(QWidget& window, const QString& title) {
        auto* combo = window.findChild<QComboBox*>(u"recipePresetCombo"_s);
        const int row = combo->findText(title);
        QVERIFY(row > 0);
        combo->setCurrentIndex(row);
        Q_EMIT combo->activated(row);
    }

    /// Step 3: type a ratio on a group row; undo and redo it.
    void editGroup(MainWindow& window, Services& services, double ratio) {
        auto* view = window.layersPane()->view();
        auto* model = qobject_cast<LayerTreeModel*>(view->model());
        const auto name = QString::fromStdString(services.workspace.model()->layout.groups[2].name);
        const auto cell = model->indexOf(name).siblingAtColumn(LayerTreeModel::Prune);
        view->scrollTo(cell);
        view->setCurrentIndex(cell);
        view->edit(cell);
        auto* spin = view->findChild<QDoubleSpinBox*>(u"layersPruneSpin"_s);
        QVERIFY(spin != nullptr);
        QTest::keyClick(spin, Qt::Key_A, Qt::ControlModifier);
        QTest::keyClicks(spin, QString::number(ratio * 100.0));
        QTest::keyClick(spin, Qt::Key_Return);
        auto& recipe = services.workspace.recipe();
        QTRY_VERIFY(recipe.resolved()->groups[2].overridden);
        QCOMPARE(recipe.resolved()->groups[2].ratio, ratio);
        services.actions["edit.undo"]->trigger();
        QVERIFY(!recipe.resolved()->groups[2].overridden);
        services.actions["edit.redo"]->trigger();
        QVERIFY(recipe.resolved()->groups[2].overridden);
    }

    void clickRun(MainWindow& window, Services& services, RunId run) {
        auto* plot = window.paretoPage()->plot();
        QTRY_VERIFY(plot->pixelOf(run).has_value());
        QTest::mouseClick(plot->canvas(), Qt::LeftButton, {}, *plot->pixelOf(run));
        QTRY_COMPARE(services.selection.currentRun(), run);
        QTest::mouseDClick(plot->canvas(), Qt::LeftButton, {}, *plot->pixelOf(run));
        QTRY_VERIFY(window.comparePage()->isVisible());
        QVERIFY(!window.comparePage()->runs().empty());
    }

    /// Step 7.
    void exportRun(const test::StudioFixture& fixture, MainWindow& window, Services& services) {
        services.actions[kActionExport]->trigger();
        QTRY_VERIFY(window.findChild<QDialog*>(u"exportDialog"_s) != nullptr);
        auto* dialog = window.findChild<QDialog*>(u"exportDialog"_s);
        dialog->findChild<QLineEdit*>(u"exportFolderEdit"_s)->setText(fixture.file(u"exported"_s));
        auto* go = dialog->findChild<QPushButton*>(u"exportButton"_s);
        QVERIFY(go->isEnabled());
        // What is lost depends on the format and, in GGUF, on the type: the model's rows are short.
        auto* format = dialog->findChild<QComboBox*>(u"exportFormatCombo"_s);
        auto* type = dialog->findChild<QComboBox*>(u"exportTypeCombo"_s);
        auto* notes = dialog->findChild<QPlainTextEdit*>(u"exportNotes"_s);
        QVERIFY(!type->isEnabled());
        format->setCurrentIndex(format->findData(u"gguf"_s));
        type->setCurrentIndex(type->findData(u"q4_k"_s));
        QVERIFY(type->isEnabled());
        QVERIFY(notes->toPlainText().contains(u"Q5_0 is used instead"_s));
        format->setCurrentIndex(format->findData(u"hf"_s));
        QVERIFY(!notes->toPlainText().contains(u"Q5_0"_s));
        QSignalSpy finished(&services.queue, &JobQueue::exportFinished);
        QTest::mouseClick(go, Qt::LeftButton);
        QVERIFY(QTest::qWaitFor([&] { return services.queue.pending() == 0; }, 60'000));
        const auto& job = services.queue.jobs().back();
        QVERIFY2(job.state == JobState::Finished,
                 job.error ? errorMessage(*job.error).c_str() : "");
        QCOMPARE(finished.size(), 1);
        QVERIFY(job.result.value("verified", false));
    }
};

int main(int argc, char** argv) {
    test::useScreen(1366, 768, 1.0);
    QApplication application(argc, argv);
    TestMainJob job;
    return QTest::qExec(&job, argc, argv);
}
#include "tst_main_job.moc"
