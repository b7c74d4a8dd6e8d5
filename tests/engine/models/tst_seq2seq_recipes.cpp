// What compression and export make of encoder-decoder models, against what that stands for.
#include <cmath>
#include <map>
#include <set>

#include <QTemporaryDir>
#include <QtTest>

#include "engine/export/exporter.h"
#include "engine/spec/resolve.h"
#include "engine/weights/select.h"
#include "tests/engine/models/recipes.h"

using namespace pareto;
using namespace pareto::test;

namespace {

std::string withoutBlock(const std::string& name) {
    return R"({"version": 1, "layers": [{"match": ")" + name +
           R"(", "prune": {"pattern": "blocks", "ratio": 1.0}}]})";
}

/// Whether nothing of this layer's output reaches the rest of the model once it is zero.
bool endsUnits(const LayerInfo& layer) {
    return layer.role == LayerRole::AttentionOutput || layer.role == LayerRole::FfnDown;
}

/// The model with the columns set to zero that `silent` says.
template <typename Silent>
LoadedModel silenced(const LoadedModel& model, const Silent& silent) {
    LoadedModel out = model;
    for (const auto& layer : model.layout.layers) {
        if (!endsUnits(layer)) {
            continue;
        }
        std::vector<std::int64_t> places;
        for (std::int64_t place = 0; place < layer.rows * layer.cols; ++place) {
            const auto& group = model.layout.groups[static_cast<std::size_t>(layer.group)];
            if (silent(layer, group, place % layer.cols / (layer.cols / group.units))) {
                places.push_back(place);
            }
        }
        auto& weight = out.tensors.at(layer.name + ".weight");
        weight = zeroValues(weight, places);
    }
    return out;
}

Result<std::vector<float>> logitsOf(const LoadedModel& model, const Json& expected) {
    PARETO_TRY(const auto runnable, prepare(model));
    PARETO_TRY(const auto logits,
               runnable.seq2seq->logits(idsOf(expected["sources"][2]), idsOf(expected["target"]), {}));
    return logits.values;
}

}  // namespace

class TestSeq2SeqRecipes : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void prunedAsSilenced_data();
    void prunedAsSilenced();
    void removedBlocks();
    void blocksByRatio();
    void exportedComesBack_data();
    void exportedComesBack();
};

void TestSeq2SeqRecipes::prunedAsSilenced_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"tiny_t5", "tiny_t5_gated", "tiny_mt5", "tiny_marian"}) {
        QTest::newRow(name) << QString::fromLatin1(name);
    }
}

void TestSeq2SeqRecipes::prunedAsSilenced() {
    QFETCH(QString, name);
    const std::string text = R"({"version": 1, "defaults": {"prune": [
        {"pattern": "heads", "ratio": 0.34}, {"pattern": "neurons", "ratio": 0.5}]}})";
    const Json expected = golden(name.toStdString() + ".json");
    const auto model = openModel(kGolden + name.toStdString());
    CHECK_OK(model);
    const auto smaller = compressed(model.value(), text);
    CHECK_OK(smaller);
    const auto& last = smaller->model.layout.blocks.back();
    QCOMPARE(last.heads, std::int64_t{2});
    QCOMPARE(last.crossHeads, std::int64_t{2});
    const auto recipe = recipeOf(text);
    CHECK_OK(recipe);
    const auto resolved = resolve(recipe.value(), model->layout);
    CHECK_OK(resolved);
    const auto pruned = prepare(smaller->model);
    CHECK_OK(pruned);
    QCOMPARE(pruned->model().bytes(), estimate(resolved.value(), model->layout).bytes);
    std::map<std::string, std::set<std::int64_t>> kept;
    for (const auto& [group, units] : smaller->report.keptUnits) {
        kept[group].insert(units.begin(), units.end());
    }
    const auto found = logitsOf(smaller->model, expected);
    CHECK_OK(found);
    const auto wanted = logitsOf(silenced(model.value(),
                                          [&](const LayerInfo&, const GroupInfo& group,
                                              std::int64_t unit) {
                                              return !kept.at(group.name).contains(unit);
                                          }),
                                 expected);
    CHECK_OK(wanted);
    const double off = largestDifference(found.value(), std::span<const float>(wanted.value()));
    QVERIFY2(off < 1e-3, qPrintable(QString::number(off)));
}

/// With norms before its sublayers a block without output is no block.
void TestSeq2SeqRecipes::removedBlocks() {
    const Json expected = golden("tiny_t5.json");
    const auto model = openModel(kGolden + "tiny_t5");
    CHECK_OK(model);
    for (const std::string gone : {"encoder.layer.0", "encoder.layer.1", "decoder.layer.0"}) {
        const auto smaller = compressed(model.value(), withoutBlock(gone));
        CHECK_OK(smaller);
        const auto& blocks = smaller->model.layout.blocks;
        QCOMPARE(blocks.size(), model->layout.blocks.size() - 1);
        const bool decoder = gone == "decoder.layer.0";
        const auto& moved = decoder ? blocks.back() : blocks[1];
        QCOMPARE(moved.name, std::string(decoder ? "decoder.layer.0" : "encoder.layer.1"));
        QCOMPARE(moved.sourceIndex, decoder ? 1 : 2);
        const auto found = logitsOf(smaller->model, expected);
        CHECK_OK(found);
        const auto wanted = logitsOf(
            silenced(model.value(), [&](const LayerInfo& layer, const GroupInfo&,
                                        std::int64_t) { return layer.name.starts_with(gone + "."); }),
            expected);
        CHECK_OK(wanted);
        QVERIFY(largestDifference(found.value(), std::span<const float>(wanted.value())) < 1e-4);
    }
    const auto none = compressed(
        model.value(), R"({"version": 1, "layers": [{"match": "decoder\\.layer\\.[0-9]+", "prune": {"pattern": "blocks", "ratio": 1.0}}]})");
    QVERIFY(!none.ok() && none.error().code == ErrorCode::RecipeInvalid);
    QVERIFY(errorMessage(none.error()).find("decoder") != std::string::npos);
}

/// However many are to go, each side keeps one.
void TestSeq2SeqRecipes::blocksByRatio() {
    const auto model = openModel(kGolden + "tiny_marian");
    CHECK_OK(model);
    const auto smaller = compressed(
        model.value(), R"({"version": 1, "defaults": {"prune": {"pattern": "blocks", "ratio": 0.95}}})");
    CHECK_OK(smaller);
    const auto& blocks = smaller->model.layout.blocks;
    QCOMPARE(blocks.size(), std::size_t{2});
    QCOMPARE(blocks[0].name, std::string("encoder.layer.0"));
    QCOMPARE(blocks[1].name, std::string("decoder.layer.0"));
    QVERIFY(prepare(smaller->model).ok());
}

void TestSeq2SeqRecipes::exportedComesBack_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("recipe");
    const struct {
        const char* title;
        const char* recipe;
    } recipes[] = {
        {"as it is", R"({"version": 1})"},
        {"pruned", R"({"version": 1, "defaults": {"prune": [{"pattern": "heads", "ratio": 0.34},
            {"pattern": "neurons", "ratio": 0.3}, {"pattern": "blocks", "ratio": 0.2}]}})"},
        {"int8", R"({"version": 1, "defaults": {"quantize": {"weights": "int8"}}})"},
        {"untied", R"({"version": 1, "untie": true})"}};
    for (const char* name : {"tiny_t5", "tiny_mt5", "tiny_marian", "tiny_t5.gguf"}) {
        for (const auto& [title, recipe] : recipes) {
            QTest::addRow("%s %s", name, title) << QString::fromLatin1(name) << QString::fromLatin1(recipe);
        }
    }
}

void TestSeq2SeqRecipes::exportedComesBack() {
    QFETCH(QString, name);
    QFETCH(QString, recipe);
    const std::string path = kGolden + name.toStdString();
    const Json expected = golden(path.ends_with(".gguf") ? "tiny_t5.json" : name.toStdString() + ".json");
    const auto model = openModel(path);
    CHECK_OK(model);
    const auto changed = compressed(model.value(), recipe.toStdString());
    CHECK_OK(changed);
    const auto files = io::ModelFiles::open(path);
    CHECK_OK(files);
    const QTemporaryDir folder;
    exporting::ExportRequest request;
    request.target = folder.path().toStdString() + "/out";
    Progress progress;
    const auto outcome =
        exporting::exportModel(changed->model, *files.value(), request, progress, {});
    CHECK_OK(outcome);
    QVERIFY(outcome->verified);
    const auto back = openModel(outcome->path);
    CHECK_OK(back);
    const auto found = logitsOf(back.value(), expected);
    CHECK_OK(found);
    const auto wanted = logitsOf(changed->model, expected);
    CHECK_OK(wanted);
    const double off = largestDifference(found.value(), std::span<const float>(wanted.value()));
    // Of the largest logit: what is padded with zeros is summed in another order.
    double largest = 1.0;
    for (const float value : wanted.value()) {
        largest = std::max(largest, std::fabs(static_cast<double>(value)));
    }
    QVERIFY2(off < 5e-5 * largest, qPrintable(QStringLiteral("%1 of %2").arg(off).arg(largest)));
}

QTEST_GUILESS_MAIN(TestSeq2SeqRecipes)
#include "tst_seq2seq_recipes.moc"
