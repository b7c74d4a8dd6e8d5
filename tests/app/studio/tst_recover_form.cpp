#include <QAction>
#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QLineEdit>
#include <QMouseEvent>
#include <QPushButton>
#include <QSpinBox>
#include <QTest>

#include "app/studio/actions.h"
#include "app/studio/main_window.h"
#include "app/studio/pages/distil_pairs_panel.h"
#include "app/studio/pages/training_page.h"
#include "app/studio/presets.h"
#include "app/studio/recipe_edit.h"
#include "app/studio/services.h"
#include "app/studio/workspace.h"
#include "tests/app/studio/studio_test.h"
#include "widgets/editors/block_pairs_view.h"

using namespace pareto;
using namespace pareto::studio;
using namespace Qt::StringLiterals;
using widgets::BlockPairsView;

/// Recovery in the pane Recipe and the pairs on the page Training, in the real window.
class TestRecoverForm : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() {
        m_fixture = std::make_unique<test::StudioFixture>();
        m_application = m_fixture->start();
        QVERIFY(!combo("recoverCombo")->isEnabled());
        QVERIFY(m_fixture->open(*m_application));
        QVERIFY(combo("recoverCombo")->isEnabled());
    }
    void cleanup() {
        m_application.reset();
        m_fixture.reset();
    }

    void eachWayIsARecipe() {
        QVERIFY(!shown("recoverRateSpin"));
        choose("recoverCombo", 1);
        QCOMPARE(recover().size(), std::size_t{1});
        QVERIFY(step().method == RecoverMethod::Train && !step().distil);
        const auto task = loadTask(step().source);  // the chosen task, whole: it is the user's own
        QVERIFY(task.ok());
        QCOMPARE(task->data, m_fixture->tinyTask().data);
        QCOMPARE(combo("recoverSourceCombo")->currentText(), u"tiny"_s);
        QVERIFY(shown("recoverEpochsSpin") && !shown("recoverBlockStepsSpin") &&
                !shown("recoverTeacherCombo"));
        choose("recoverCombo", 2);
        QVERIFY(step().distil.has_value());
        QVERIFY(shown("recoverTeacherCombo") && shown("recoverHiddenSpin"));
        QCOMPARE(combo("recoverTeacherCombo")->currentText(), u"the untouched model"_s);
        choose("recoverCombo", 3);
        QVERIFY(step().method == RecoverMethod::Reconstruct);
        QVERIFY(step().source.empty() && !step().distil);
        QVERIFY(shown("recoverBlockStepsSpin") && !shown("recoverEpochsSpin") &&
                !shown("recoverSourceCombo"));
        choose("recoverCombo", 0);
        QVERIFY(recover().empty());
        QVERIFY(recipe().recipe().isEmpty());
        // Each was one step that goes back.
        QCOMPARE(recipe().undoStack().count(), 4);
        recipe().undoStack().undo();
        QCOMPARE(combo("recoverCombo")->currentIndex(), 3);
        recipe().undoStack().undo();
        QCOMPARE(combo("recoverCombo")->currentIndex(), 2);
        QVERIFY(shown("recoverTeacherCombo"));
    }

    void fieldsAreEditedAndUndone() {
        choose("recoverCombo", 2);
        type<QSpinBox>("recoverEpochsSpin", u"5"_s);
        type<QSpinBox>("recoverBatchSpin", u"16"_s);
        type<QDoubleSpinBox>("recoverRateSpin", u"3e-4"_s);
        type<QDoubleSpinBox>("recoverLabelsSpin", u"0.5"_s);
        type<QDoubleSpinBox>("recoverLogitsSpin", u"0.75"_s);
        type<QDoubleSpinBox>("recoverTemperatureSpin", u"4"_s);
        type<QDoubleSpinBox>("recoverHiddenSpin", u"2"_s);
        type<QDoubleSpinBox>("recoverAttentionSpin", u"3"_s);
        type<QDoubleSpinBox>("recoverRelationsSpin", u"1.5"_s);
        choose("recoverScheduleCombo", 2);
        QCOMPARE(step().epochs, 5);
        QCOMPARE(step().batch, 16);
        QCOMPARE(step().learningRate, 3e-4);
        QVERIFY(step().schedule == LearningSchedule::Cosine);
        QCOMPARE(step().labels, 0.5);
        const auto& distil = *step().distil;
        QCOMPARE(distil.logits, 0.75);
        QCOMPARE(distil.temperature, 4.0);
        QCOMPARE(distil.hidden, 2.0);
        QCOMPARE(distil.attention, 3.0);
        QCOMPARE(distil.relations, 1.5);
        QCOMPARE(recipe().undoStack().count(), 11);
        // Ctrl+Z in a field means the recipe.
        auto* spin = find<QDoubleSpinBox>("recoverRelationsSpin");
        spin->setFocus();
        QTest::keyClick(spin, Qt::Key_Z, Qt::ControlModifier);
        QTRY_VERIFY(step().schedule == LearningSchedule::Linear);
        // What the studio edits reads back as the same recipe.
        const auto back = recipeFromJson(recipeToJson(recipe().recipe()));
        QVERIFY(back.ok() && back.value() == recipe().recipe());
    }

    void quantizeAwareNeedsBits() {
        choose("recoverCombo", 1);
        auto* aware = find<QCheckBox>("recoverAwareCheck");
        QVERIFY(!aware->isEnabled());
        QCOMPARE(aware->toolTip(), u"choose bits first"_s);
        QuantizeSpec spec;
        spec.weights = NumberFormat::Int8;
        recipe().setQuantize(spec);
        QVERIFY(aware->isEnabled());
        aware->click();
        QVERIFY(step().quantizeAware);
    }

    void partsAndAdapters() {
        choose("recoverCombo", 1);
        auto* learns = combo("recoverLearnsCombo");
        QVERIFY(shown("recoverLearnsCombo") && !shown("recoverRankSpin"));
        const int adapters = learns->count() - 1;
        choose("recoverLearnsCombo", adapters);
        QCOMPARE(*step().adapters, AdapterSpec{});
        QVERIFY(shown("recoverRankSpin"));
        type<QSpinBox>("recoverRankSpin", u"4"_s);
        QCOMPARE(step().adapters->rank, 4);
        QCOMPARE(step().adapters->alpha, 8.0);
        choose("recoverLearnsCombo", 1);
        QVERIFY(!step().adapters);
        QCOMPARE(step().learns, LearnedPart::Biases);
        QVERIFY(!shown("recoverRankSpin"));
        // Blocks have no adapters.
        choose("recoverCombo", 3);
        QCOMPARE(learns->count(), adapters);
        choose("recoverLearnsCombo", 3);
        QCOMPARE(step().learns, LearnedPart::BiasesNorms);
        recipe().undoStack().undo();
        QCOMPARE(learns->currentIndex(), 0);
    }

    /// Pruning that waits for a training: the schedule can be edited, and without a training it is said what lacks.
    void theScheduleOfTrainedPruning() {
        choose("recoverCombo", 1);
        QVERIFY(!shown("recoverSparseFromSpin"));
        auto* method = combo("recipeWeightsMethodCombo");
        const int gradual = method->findText(u"gradual magnitude"_s);
        QVERIFY(gradual >= 0);
        recipe().setPrune(PrunePattern::Unstructured, PruneMethod::Gradual, 0.6);
        QCOMPARE(method->currentIndex(), gradual);
        QVERIFY(shown("recoverSparseFromSpin") && shown("recoverSparseToSpin"));
        type<QDoubleSpinBox>("recoverSparseFromSpin", u"0.25"_s);
        type<QDoubleSpinBox>("recoverSparseToSpin", u"0.5"_s);
        QCOMPARE(step().sparsify, (SparsifySpec{0.25, 0.5, 1, 0.01}));
        type<QDoubleSpinBox>("recoverSparseToSpin", u"0.1"_s);
        QVERIFY(find<QLabel>("recoverProblemLabel")->text().contains(u"before"_s));
        QCOMPARE(step().sparsify.end, 0.5);
        choose("recoverCombo", 0);
        QVERIFY(recover().empty());
        const auto missing = resolve(recipe().recipe(), m_application->services().workspace.model()->layout);
        QVERIFY(!missing.ok());
        bool said = false;
        for (const auto* label : m_application->window().findChildren<QLabel*>()) {
            said = said || (label->isVisible() && label->text().contains(u"prunes while the model is trained"_s));
        }
        QVERIFY(said);
    }

    /// Nothing to learn, or nothing to learn from, is no recipe: it is said, and waits.
    void whatIsNoRecipeWaits() {
        choose("recoverCombo", 2);
        type<QDoubleSpinBox>("recoverLogitsSpin", u"0"_s);
        QVERIFY(shown("recoverProblemLabel"));
        QVERIFY(find<QLabel>("recoverProblemLabel")->text().contains(u"nothing would be taught"_s));
        QCOMPARE(step().distil->logits, 1.0);  // the recipe is as it was
        QCOMPARE(find<QDoubleSpinBox>("recoverLogitsSpin")->value(), 0.0);
        type<QDoubleSpinBox>("recoverHiddenSpin", u"1"_s);
        QVERIFY(!shown("recoverProblemLabel"));
        QCOMPARE(step().distil->logits, 0.0);
        QCOMPARE(step().distil->hidden, 1.0);
        // An undo is what the form shows then.
        type<QDoubleSpinBox>("recoverHiddenSpin", u"0"_s);
        QVERIFY(shown("recoverProblemLabel"));
        recipe().undoStack().undo();
        QVERIFY(!shown("recoverProblemLabel"));
        QCOMPARE(find<QDoubleSpinBox>("recoverLogitsSpin")->value(), 1.0);
        typeText("recoverSourceComboEdit", QString());
        QVERIFY(shown("recoverProblemLabel"));
        typeText("recoverSourceComboEdit", u"my-data.json"_s);
        QVERIFY(!shown("recoverProblemLabel"));
        QCOMPARE(step().source, std::string("my-data.json"));
    }

    void furtherStepsStay() {
        Recipe two = recipe().recipe();
        RecoverSpec first;
        first.source = "a.json";
        RecoverSpec second;
        second.method = RecoverMethod::Reconstruct;
        second.batch = 7;
        two.recover = {first, second};
        recipe().replace(two, u"x"_s);
        QVERIFY(shown("recoverMoreLabel"));
        QCOMPARE(find<QLabel>("recoverMoreLabel")->text(),
                 u"The first of 2 recovery steps of the recipe is shown."_s);
        type<QSpinBox>("recoverBatchSpin", u"9"_s);
        QCOMPARE(recover()[0].batch, 9);
        QVERIFY(recover()[1] == second);
    }

    void aPresetLearnsTheChosenTask() {
        const auto all = presets();
        const auto preset = std::find_if(all.begin(), all.end(), [](const auto& each) {
            return each.id == u"half-heads-neurons-distil"_s;
        });
        QVERIFY(preset != all.end());
        choose("recipePresetCombo", static_cast<int>(preset - all.begin()) + 1);
        QVERIFY(step().distil.has_value());
        QCOMPARE(loadTask(step().source)->name, std::string("tiny"));
        QCOMPARE(combo("recipePresetCombo")->currentText(), preset->title);  // still that preset
        QCOMPARE(recipe().displayName(), u"50 % heads and neurons + distil"_s);
        type<QSpinBox>("recoverEpochsSpin", u"9"_s);
        QCOMPARE(combo("recipePresetCombo")->currentIndex(), 0);
        QCOMPARE(recipe().displayName(), u"50 % heads and neurons + distil (edited)"_s);
        // Without a task the file's own stands.
        QCOMPARE(fittedTo(preset->recipe, std::nullopt).recover[0].source,
                 std::string("prompt-injection"));
    }

    void pairsAreDraggedIntoTheRecipe() {
        auto& window = m_application->window();
        auto* panel = window.trainingPage()->pairs();
        choose("recoverCombo", 2);
        type<QDoubleSpinBox>("recoverHiddenSpin", u"1"_s);
        QTRY_VERIFY(find<QPushButton>("recoverPairsButton")->height() > 0);  // the row has just come
        QTest::mouseClick(find<QPushButton>("recoverPairsButton"), Qt::LeftButton);
        QTRY_VERIFY(panel->isVisible());
        auto* view = panel->view();
        const auto blocks =
            static_cast<int>(m_application->services().workspace.model()->layout.blocks.size());
        QVERIFY(blocks >= 2);
        QCOMPARE(view->pairs().size(), static_cast<std::size_t>(blocks));
        QVERIFY(step().distil->blocks.empty());
        QVERIFY(!find<QPushButton>("distilEvenButton")->isEnabled());
        QTest::qWait(50);
        drag(view, view->pixelOf(BlockPairsView::Student, 0),
             view->pixelOf(BlockPairsView::Teacher, blocks - 1));
        QCOMPARE(step().distil->blocks.size(), static_cast<std::size_t>(blocks));
        QCOMPARE(step().distil->blocks[0], (std::pair{0, blocks - 1}));
        QCOMPARE(recipe().undoStack().undoText(), u"pairs of blocks"_s);
        view->setFocus();
        view->setCurrent(0);
        QTest::keyClick(view, Qt::Key_Delete);
        QCOMPARE(step().distil->blocks.size(), static_cast<std::size_t>(blocks - 1));
        // The last one stays: none at all would mean "spread evenly".
        for (int block = 0; block < blocks; ++block) {
            view->setCurrent(block);
            QTest::keyClick(view, Qt::Key_Delete);
        }
        QCOMPARE(step().distil->blocks.size(), std::size_t{1});
        QVERIFY(find<QLabel>("distilPairsStateLabel")->text().startsWith(u"The last pair stays"_s));
        QTest::mouseClick(find<QPushButton>("distilEvenButton"), Qt::LeftButton);
        QVERIFY(step().distil->blocks.empty());
        QCOMPARE(view->pairs().size(), static_cast<std::size_t>(blocks));
        m_application->services().actions["edit.undo"]->trigger();
        QCOMPARE(step().distil->blocks.size(), std::size_t{1});
        choose("recoverCombo", 0);
        QVERIFY(!panel->isVisible());
    }

    void removedBlocksAreNoStudents() {
        auto& workspace = m_application->services().workspace;
        m_application->window().showPage(m_application->window().trainingPage());
        choose("recoverCombo", 2);
        const auto& blocks = workspace.model()->layout.blocks;
        recipe().setBlocksRemoved({QString::fromStdString(blocks[0].name)}, true);
        auto* view = m_application->window().trainingPage()->pairs()->view();
        QCOMPARE(view->pairs().size(), blocks.size() - 1);
        QCOMPARE(view->pairs().back().second, static_cast<int>(blocks.size()) - 1);
        // Pairs of blocks that are gone are counted.
        auto spec = step();
        spec.distil->blocks = {{0, 0}, {static_cast<int>(blocks.size()) - 1, 0}};
        recipe().setRecover(spec);
        QCOMPARE(find<QLabel>("distilPairsStateLabel")->text(),
                 u"1 pair names blocks that are not there."_s);
    }

    void anotherTeacherBringsItsBlocks() {
        m_application->window().showPage(m_application->window().trainingPage());
        choose("recoverCombo", 2);
        typeText("recoverTeacherComboEdit", m_fixture->tinyLlama());
        QCOMPARE(QString::fromStdString(step().distil->teacher), m_fixture->tinyLlama());
        QTRY_VERIFY2(!find<QLabel>("distilPairsStateLabel")->text().contains(u"read"_s),
                     qPrintable(find<QLabel>("distilPairsStateLabel")->text()));
        typeText("recoverTeacherComboEdit", u"nowhere"_s);
        QTRY_COMPARE(find<QLabel>("distilPairsStateLabel")->text(),
                     u"The teacher cannot be read."_s);
        QVERIFY(m_application->window().trainingPage()->pairs()->view()->pairs().empty());
        choose("recoverTeacherCombo", 0);
        QVERIFY(step().distil->teacher.empty());
    }

private:
    RecipeDocument& recipe() { return m_application->services().workspace.recipe(); }
    const std::vector<RecoverSpec>& recover() { return recipe().recipe().recover; }
    const RecoverSpec& step() { return recover().front(); }
    template <typename T>
    T* find(const char* name) {
        return m_application->window().findChild<T*>(QLatin1String(name));
    }
    QComboBox* combo(const char* name) { return find<QComboBox>(name); }
    bool shown(const char* name) {
        auto* widget = find<QWidget>(name);
        return widget->isVisibleTo(find<QWidget>("recoverForm"));
    }
    void choose(const char* name, int row) {
        combo(name)->setCurrentIndex(row);
        Q_EMIT combo(name)->activated(row);
    }
    template <typename T>
    void type(const char* name, const QString& text) {
        auto* spin = find<T>(name);
        spin->setFocus();
        spin->selectAll();
        QTest::keyClicks(spin, text);
        QTest::keyClick(spin, Qt::Key_Return);
    }
    void typeText(const char* name, const QString& text) {
        auto* edit = find<QLineEdit>(name);
        edit->setFocus();
        edit->selectAll();
        QTest::keyClick(edit, Qt::Key_Delete);
        QTest::keyClicks(edit, text);
        QTest::keyClick(edit, Qt::Key_Return);
    }
    static void drag(QWidget* view, const QPoint& from, const QPoint& to) {
        QTest::mousePress(view, Qt::LeftButton, {}, from);
        QMouseEvent move(QEvent::MouseMove, to, view->mapToGlobal(to), Qt::NoButton, Qt::LeftButton,
                         {});
        QCoreApplication::sendEvent(view, &move);
        QTest::mouseRelease(view, Qt::LeftButton, {}, to);
    }

    std::unique_ptr<test::StudioFixture> m_fixture;
    std::unique_ptr<Application> m_application;
};

int main(int argc, char** argv) {
    test::useScreen(1366, 768, 1.0);
    QApplication application(argc, argv);
    TestRecoverForm form;
    return QTest::qExec(&form, argc, argv);
}
#include "tst_recover_form.moc"
