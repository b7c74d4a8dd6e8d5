#include <random>

#include <QTemporaryDir>
#include <QTest>

#include "app/studio/presets.h"
#include "app/studio/recipe_document.h"
#include "app/studio/recipe_edit.h"
#include "tests/app/studio/studio_test.h"

using namespace pareto;
using namespace pareto::studio;
using namespace Qt::StringLiterals;

class TestRecipeDocument : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() {
        m_model = test::tinyModel(m_folder.filePath(u"model"_s));
        QVERIFY(m_model != nullptr);
    }

    void everyEditIsAStepThatGoesBack() {
        RecipeDocument document({});
        document.setModel(m_model, false);
        const Recipe empty = document.recipe();
        const auto untouched = document.size()->bytes;
        document.setPrune(PrunePattern::Neurons, PruneMethod::L1, 0.5);
        QCOMPARE(document.undoStack().count(), 1);
        QVERIFY(document.size()->bytes < untouched);
        QVERIFY(document.isModified());
        document.undoStack().undo();
        QVERIFY(document.recipe() == empty);
        QCOMPARE(document.size()->bytes, untouched);
        QVERIFY(!document.isModified());
    }

    void aDragIsOneStep() {
        RecipeDocument document({});
        document.setModel(m_model, false);
        for (int i = 1; i <= 20; ++i) {
            document.setPrune(PrunePattern::Heads, PruneMethod::L1, i * 0.02, 7);
        }
        QCOMPARE(document.undoStack().count(), 1);
        document.setPrune(PrunePattern::Heads, PruneMethod::L1, 0.1, 8);
        QCOMPARE(document.undoStack().count(), 2);
        document.undoStack().undo();
        QCOMPARE(findPrune(document.recipe(), PrunePattern::Heads)->ratio, 0.4);
    }

    void groupRatioShowsIntegersAndResets() {
        RecipeDocument document({});
        document.setModel(m_model, false);
        const QString group = QString::fromStdString(m_model->layout.groups[0].name);
        document.setGroupRatio({group}, 0.5);
        QCOMPARE(document.resolved()->groups[0].remove, m_model->layout.groups[0].units / 2);
        QVERIFY(document.resolved()->groups[0].overridden);
        QCOMPARE(document.resolved()->groups[2].remove, std::int64_t{0});
        document.resetOverrides({group});
        QVERIFY(document.recipe().isEmpty());
    }

    void overridesWinAgainstExpressions() {
        Recipe recipe;
        LayerOverride expression;
        expression.match = ".*";
        expression.quantizeOff = true;
        recipe.layers.push_back(expression);
        RecipeDocument document({});
        document.setModel(m_model, false);
        document.replace(recipe, u"x"_s);
        QuantizeSpec spec;
        spec.weights = NumberFormat::Int8;
        const auto name =
            m_model->layout.layers[static_cast<std::size_t>(m_model->layout.blocks[0].layers[0])]
                .name;
        document.setLayerFormat({QString::fromStdString(name)}, spec);
        const auto index = static_cast<std::size_t>(m_model->layout.layerIndex(name));
        QCOMPARE(document.resolved()->layers[index].format.format, NumberFormat::Int8);
    }

    void blocksGoAndComeBack() {
        RecipeDocument document({});
        document.setModel(m_model, false);
        const QString block = QString::fromStdString(m_model->layout.blocks[1].name);
        document.setBlocksRemoved({block}, true);
        QVERIFY(document.resolved() != nullptr);
        QVERIFY(document.resolved()->blocks[1].removed);
        document.setBlocksRemoved({block}, false);
        QVERIFY(document.recipe().isEmpty());
    }

    void presetsResolve() {
        const auto all = presets();
        QCOMPARE(all.size(), std::size_t{7});
        for (const auto& preset : all) {
            const auto resolved = resolve(preset.recipe, m_model->layout);
            if (preset.id != u"int4-weights"_s) {  // 32 columns cannot be cut into groups of 64
                QVERIFY2(resolved.ok(), qPrintable(preset.title));
            }
        }
    }

    void anEditedPresetHasAnotherName() {
        RecipeDocument document({});
        document.setModel(m_model, false);
        const auto preset = presets().front();
        document.replace(preset.recipe, u"preset"_s);
        const QString name = document.displayName();
        QCOMPARE(name, QString::fromStdString(preset.recipe.name));
        document.setPrune(PrunePattern::Neurons, PruneMethod::L1, 0.5);
        QCOMPARE(document.displayName(), name + u" (edited)"_s);
        QCOMPARE(QString::fromStdString(document.recipe().name), name + u" (edited)"_s);
        document.setPrune(PrunePattern::Neurons, PruneMethod::L1, 0.25);
        QCOMPARE(document.displayName(), name + u" (edited)"_s);
        document.setPrune(PrunePattern::Neurons, PruneMethod::L1, 0.0);
        QCOMPARE(document.displayName(), name);  // the preset again
        document.undoStack().undo();
        QCOMPARE(document.displayName(), name + u" (edited)"_s);
    }

    void anEditedFileKeepsItsNameWhenSaved() {
        const QString file = m_folder.filePath(u"mine.json"_s);
        RecipeDocument document({});
        document.setModel(m_model, false);
        document.setPrune(PrunePattern::Neurons, PruneMethod::L1, 0.25);
        document.setName(u"mine"_s);
        QVERIFY(document.save(file).ok());
        document.setPrune(PrunePattern::Neurons, PruneMethod::L1, 0.5);
        QCOMPARE(document.displayName(), u"mine (edited)"_s);
        QVERIFY(document.save(file).ok());
        QCOMPARE(document.displayName(), u"mine"_s);
        QVERIFY(!document.isModified());
    }

    void overridesThatMatchNothingHaveNoEffect() {
        RecipeDocument document({});
        document.setModel(m_model, false);
        QVERIFY(!document.hasNoEffect());
        Recipe recipe;
        LayerOverride entry;
        entry.match = "no.such.layer";
        entry.quantize = QuantizeOverride{};
        entry.quantize->weights = NumberFormat::Int8;
        recipe.layers.push_back(entry);
        document.replace(recipe, u"x"_s);
        QVERIFY(document.hasNoEffect());
        recipe.quantize = QuantizeSpec{};
        document.replace(recipe, u"y"_s);
        QVERIFY(!document.hasNoEffect());
    }

    void draftAndFileSurvive() {
        const QString drafts = m_folder.filePath(u"drafts"_s);
        {
            RecipeDocument document(drafts);
            document.setModel(m_model, false);
            document.setPrune(PrunePattern::Neurons, PruneMethod::L1, 0.25);
            QVERIFY(document.save(m_folder.filePath(u"r.json"_s)).ok());
            QVERIFY(!document.isModified());
            document.setPrune(PrunePattern::Neurons, PruneMethod::L1, 0.5);
            document.saveDraft();
        }
        RecipeDocument again(drafts);
        again.setModel(m_model, false);
        QCOMPARE(findPrune(again.recipe(), PrunePattern::Neurons)->ratio, 0.5);
        QVERIFY(again.isModified());
        QVERIFY(again.open(m_folder.filePath(u"r.json"_s)).ok());
        QCOMPARE(findPrune(again.recipe(), PrunePattern::Neurons)->ratio, 0.25);
        QVERIFY(!again.isModified());
    }

    void brokenRecipeIsRefused() {
        QFile file(m_folder.filePath(u"bad.json"_s));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(
            "{\"version\": 1, \"defaults\": {\"prune\": {\"method\": \"l1\", \"pattern\": "
            "\"heads\", \"ratio\": 7}}}");
        file.close();
        RecipeDocument document({});
        document.setModel(m_model, false);
        const auto opened = document.open(file.fileName());
        QVERIFY(!opened.ok());
        QCOMPARE(opened.error().code, ErrorCode::RecipeInvalid);
        QVERIFY(document.recipe().isEmpty());
        QCOMPARE(document.undoStack().count(), 0);
    }

    /// random edits, undos and redos; the document always equals a replayed list of recipes.
    void undoEqualsReplay() {
        RecipeDocument document({});
        document.setModel(m_model, false);
        std::mt19937 random(1);
        std::vector<Recipe> states{document.recipe()};
        std::size_t at = 0;
        for (int step = 0; step < 2000; ++step) {
            const auto draw = random() % 10;
            if (draw < 3) {
                document.undoStack().undo();
                at -= at > 0 ? 1 : 0;
            } else if (draw < 5) {
                document.undoStack().redo();
                at += at + 1 < states.size() ? 1 : 0;
            } else {
                edit(document, random);
                if (!(document.recipe() == states[at])) {
                    states.resize(at + 1);
                    states.push_back(document.recipe());
                    ++at;
                }
            }
            QVERIFY(document.recipe() == states[at]);
        }
        QVERIFY(states.size() > 10);
    }

private:
    void edit(RecipeDocument& document, std::mt19937& random) {
        const auto& layout = m_model->layout;
        const double ratio = static_cast<double>(random() % 10) / 10.0;
        const auto name = [&](const auto& list) {
            return QStringList{QString::fromStdString(list[random() % list.size()].name)};
        };
        switch (random() % 6) {
        case 0:
            document.setPrune(PrunePattern::Heads, PruneMethod::L1, ratio);
            break;
        case 1:
            document.setGroupRatio(name(layout.groups), ratio);
            break;
        case 2:
            document.setLayerSparsity(name(layout.layers), ratio);
            break;
        case 3: {
            QuantizeSpec spec;
            spec.weights = NumberFormat::Int8;
            document.setLayerFormat(name(layout.layers),
                                    random() % 2 == 0 ? std::optional(spec) : std::nullopt);
            break;
        }
        case 4:
            document.resetOverrides(name(layout.groups));
            break;
        default:
            document.setBlocksRemoved(name(layout.blocks), random() % 2 == 0);
            break;
        }
    }

    QTemporaryDir m_folder;
    ModelPtr m_model;
};

QTEST_MAIN(TestRecipeDocument)
#include "tst_recipe_document.moc"
