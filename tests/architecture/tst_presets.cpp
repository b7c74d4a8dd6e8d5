#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <QtTest>

#include "engine/spec/recipe.h"

using namespace pareto;

/// The presets of the window are recipe files: they must be ones that this version understands.
class TestPresets : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everyFileIsAValidRecipe();
    void thoseOfTheWindow();
};

namespace {

std::vector<std::string> presetFiles() {
    std::vector<std::string> files;
    const std::filesystem::path folder = PARETO_SOURCE_DIR "/resources/presets";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() == ".json") {
            files.push_back(entry.path().string());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

Recipe preset(const std::string& name) {
    auto recipe = loadRecipe(PARETO_SOURCE_DIR "/resources/presets/" + name + ".json");
    return recipe.ok() ? std::move(recipe).value() : Recipe{};
}

}  // namespace

void TestPresets::everyFileIsAValidRecipe() {
    const auto files = presetFiles();
    QCOMPARE(files.size(), std::size_t{7});
    std::set<std::string> names;
    std::set<std::string> hashes;
    for (const auto& file : files) {
        const auto recipe = loadRecipe(file);
        QVERIFY2(recipe.ok(), recipe.ok() ? "" : (file + ": " + errorMessage(recipe.error())).c_str());
        QVERIFY2(!recipe.value().name.empty(), file.c_str());
        QVERIFY2(!recipe.value().isEmpty(), file.c_str());
        names.insert(recipe.value().name);
        hashes.insert(recipeHash(recipe.value()));
    }
    QCOMPARE(names.size(), files.size());
    QCOMPARE(hashes.size(), files.size());
}

void TestPresets::thoseOfTheWindow() {
    const auto int8 = preset("int8-dynamic");
    QVERIFY(int8.quantize.has_value());
    QCOMPARE(int8.quantize->weights, NumberFormat::Int8);
    QCOMPARE(int8.quantize->activations, Activations::Int8Dynamic);
    QVERIFY(int8.prune.empty());

    const auto int4 = preset("int4-weights");
    QVERIFY(int4.quantize.has_value());
    QCOMPARE(int4.quantize->weights, NumberFormat::Int4);
    QCOMPARE(int4.quantize->granularity, Granularity::Group);
    QCOMPARE(int4.quantize->groupSize, std::int64_t{64});
    QCOMPARE(int4.quantize->activations, Activations::None);
    QCOMPARE(int4.layers.size(), std::size_t{1});

    const std::vector<PruneSpec> halves{{PruneMethod::L1, PrunePattern::Heads, 0.5},
                                        {PruneMethod::L1, PrunePattern::Neurons, 0.5}};
    QVERIFY(preset("half-heads-neurons").prune == halves);
    QVERIFY(!preset("half-heads-neurons").quantize.has_value());
    QVERIFY(preset("half-heads-neurons-int8").prune == halves);
    QVERIFY(preset("half-heads-neurons-int8").quantize == int8.quantize);

    const std::vector<PruneSpec> weights{{PruneMethod::Magnitude, PrunePattern::Unstructured, 0.5}};
    QVERIFY(preset("half-weights").prune == weights);

    const auto distil = preset("half-heads-neurons-distil");
    QVERIFY(distil.prune == halves);
    QCOMPARE(distil.recover.size(), std::size_t{1});
    QVERIFY(distil.recover[0].method == RecoverMethod::Train && distil.recover[0].distil);
    QVERIFY(distil.recover[0].distil->teacher.empty());
    const auto reconstruct = preset("half-weights-reconstruct");
    QVERIFY(reconstruct.prune.front().method == PruneMethod::Wanda);
    QVERIFY(reconstruct.recover.front().method == RecoverMethod::Reconstruct);
}

QTEST_GUILESS_MAIN(TestPresets)
#include "tst_presets.moc"
