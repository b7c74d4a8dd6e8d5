// A recipe brought down to a model: who is hit by which entry, what integers result, and the size
// formula against sums done by hand.
#include <QtTest>

#include "engine/spec/resolve.h"
#include "layouts.h"

using namespace pareto;

namespace {

Recipe recipeOf(const std::string& rest) {
    auto recipe = loadRecipe("{\"version\":1," + rest.substr(1));
    if (!recipe.ok()) {
        qFatal("%s", errorMessage(recipe.error()).c_str());
    }
    return recipe.value();
}

const LayerPlan& planOf(const ResolvedRecipe& resolved, const ModelLayout& layout, const char* name) {
    return resolved.layers[static_cast<std::size_t>(layout.layerIndex(name))];
}

}  // namespace

class TestResolve : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void unitsRoundHalfDown_data() {
        QTest::addColumn<double>("ratio");
        QTest::addColumn<int>("removed");
        QTest::newRow("none") << 0.0 << 0;
        QTest::newRow("a tenth of 4") << 0.1 << 0;
        QTest::newRow("a quarter") << 0.25 << 1;
        QTest::newRow("half a unit goes down") << 0.375 << 1;
        QTest::newRow("half") << 0.5 << 2;
        QTest::newRow("one stays") << 0.99 << 3;
    }
    void unitsRoundHalfDown() {
        QFETCH(double, ratio);
        QFETCH(int, removed);
        const auto layout = bertLayout();
        auto recipe = recipeOf(R"({"defaults":{"prune":{"pattern":"heads","ratio":0}}})");
        recipe.prune[0].ratio = ratio;
        const auto resolved = resolve(recipe, layout).value();
        QCOMPARE(resolved.groups[0].remove, std::int64_t{removed});
        QCOMPARE(resolved.groups[1].remove, std::int64_t{0});  // neurons were not asked for
    }

    void laterEntriesWinKeyByKey() {
        const auto layout = bertLayout();
        const auto recipe = recipeOf(R"({"defaults":{"prune":{"ratio":0.5},"quantize":{"weights":"int8","activations":"int8-dynamic"}},
            "layers":[{"match":"encoder.layer.[01].*","prune":{"ratio":0.2}},
                      {"match":"encoder.layer.1.attention","quantize":{"range":"mse"}},
                      {"match":"encoder.layer.1.attention.query","prune":{"ratio":0.9},"quantize":{"weights":"int4"}},
                      {"match":"classifier","skip":true},
                      {"match":"decoder.*","skip":true}]})");
        const auto resolved = resolve(recipe, layout).value();
        QCOMPARE(planOf(resolved, layout, "encoder.layer.0.ffn.in").sparsity, 0.2);
        QCOMPARE(planOf(resolved, layout, "encoder.layer.2.ffn.in").sparsity, 0.5);
        const auto& query = planOf(resolved, layout, "encoder.layer.1.attention.query");
        QCOMPARE(query.sparsity, 0.9);
        QCOMPARE(query.format.format, NumberFormat::Int4);
        QCOMPARE(query.format.range, RangeMethod::Mse);
        QCOMPARE(query.format.activations, Activations::None);  // int4 takes none
        QVERIFY(query.pruneOverridden && query.quantizeOverridden);
        QCOMPARE(planOf(resolved, layout, "encoder.layer.1.attention.key").format.range, RangeMethod::Mse);
        QCOMPARE(planOf(resolved, layout, "encoder.layer.1.ffn.in").format.range, RangeMethod::MinMax);
        QCOMPARE(planOf(resolved, layout, "classifier").format.format, NumberFormat::F32);
        QCOMPARE(resolved.unmatched, std::vector<std::string>{"decoder.*"});
    }

    void tablesAndHeadsKeepTheirWeightsUnlessNamed() {
        const auto layout = bertLayout();
        const auto resolved = resolve(recipeOf(R"({"defaults":{"prune":{"ratio":0.5}},
            "layers":[{"match":".*","prune":{"ratio":0.4}}]})"), layout).value();
        QCOMPARE(planOf(resolved, layout, "embeddings.word").sparsity, 0.0);
        QCOMPARE(planOf(resolved, layout, "classifier").sparsity, 0.4);
        const auto named = resolve(recipeOf(R"({"layers":[{"match":"embeddings.word","prune":{"ratio":0.4}}]})"), layout).value();
        QCOMPARE(planOf(named, layout, "embeddings.word").sparsity, 0.4);
    }

    void groupOverrides() {
        const auto layout = llamaLayout();
        const auto resolved = resolve(recipeOf(R"({"defaults":{"prune":[{"pattern":"heads","ratio":0.5},{"pattern":"neurons","ratio":0.5}]},
            "layers":[{"match":"decoder.layer.2","prune":null},
                      {"match":"decoder.layer.3.ffn","prune":{"pattern":"neurons","ratio":0.25}}]})"), layout).value();
        QCOMPARE(resolved.groups[0].remove, std::int64_t{1});   // one of two key/value groups
        QCOMPARE(resolved.groups[1].remove, std::int64_t{32});
        QCOMPARE(resolved.groups[4].remove, std::int64_t{0});
        QCOMPARE(resolved.groups[5].remove, std::int64_t{0});
        QCOMPARE(resolved.groups[7].remove, std::int64_t{16});
        const auto size = estimate(resolved, layout);
        const auto query = static_cast<std::size_t>(layout.layerIndex("decoder.layer.0.attention.query"));
        QCOMPARE(size.layers[query].rows, std::int64_t{16});    // two query heads go with their group
        QCOMPARE(size.layers[query + 1].rows, std::int64_t{8});
        QCOMPARE(size.layers[query + 3].cols, std::int64_t{16});
    }

    /// Columns stay in multiples that blocks of codes have, and the user is told.
    void widthAndNeuronsKeepToBlocks() {
        const auto recipe = recipeOf(R"({"defaults":{"prune":[{"pattern":"neurons","ratio":0.3},{"pattern":"width","ratio":0.3}]}})");
        auto layout = llamaLayout();
        layout.norm = NormKind::RmsNorm;
        layout.preNorm = true;
        const auto small = resolve(recipe, layout).value();
        QCOMPARE(small.removeWidth, std::int64_t{8});  // 22.4 of 32 channels stay: 24, a multiple of 8
        QCOMPARE(small.groups[1].remove, std::int64_t{19});  // 19.2 of 64
        QVERIFY(small.untied && small.calibrated);
        QCOMPARE(small.pruneOrder.front(), PrunePattern::Width);
        QCOMPARE(small.notes.size(), std::size_t{1});
        QVERIFY(small.notes[0].find("24, a multiple of 8") != std::string::npos);
        layout.groups[1].units = 1536;
        const auto large = resolve(recipe, layout).value();
        QCOMPARE(large.groups[1].remove, std::int64_t{448});  // 1,075.2 of 1,536 stay: 1,088 = 34 · 32
        QVERIFY(large.notes[0].find("1088 of 1536") != std::string::npos);
        const auto encoder = resolve(recipe, bertLayout());
        QVERIFY(!encoder.ok());
        QVERIFY(errorMessage(encoder.error()).find("no decoder") != std::string::npos);
        QVERIFY(!loadRecipe(R"({"version":1,"layers":[{"match":"x","prune":{"pattern":"width","method":"pca","ratio":0.1}}]})").ok());
    }

    void blocks() {
        const auto layout = bertLayout();
        const auto resolved = resolve(recipeOf(R"({"defaults":{"prune":{"pattern":"blocks","ratio":0.25}},
            "layers":[{"match":"encoder.layer.3","prune":{"pattern":"blocks","ratio":1}},
                      {"match":"encoder.layer.0","skip":true}]})"), layout).value();
        QVERIFY(resolved.blocks[3].removed);
        QVERIFY(resolved.blocks[0].keep);
        QCOMPARE(resolved.removeBlocks, std::int64_t{1});
        const auto size = estimate(resolved, layout);
        QVERIFY(size.exact);
        const auto whole = estimate(layout);
        const std::int64_t block = 4 * (32 * 32 + 32) + 64 * 32 + 64 + 32 * 64 + 32 + 32;
        QCOMPARE(size.parameters, whole.parameters - 2 * block);
        QCOMPARE(size.bytes, whole.bytes - 2 * 4 * static_cast<std::uint64_t>(block));
    }

    void refusesToRemoveAllBlocks() {
        const auto result = resolve(recipeOf(R"({"layers":[{"match":"encoder.layer.[0-9]","prune":{"pattern":"blocks","ratio":1}}]})"), bertLayout());
        QVERIFY(!result.ok());
        QVERIFY(errorMessage(result.error()).find("at least one") != std::string::npos);
    }

    void refuses_data() {
        QTest::addColumn<QString>("rest");
        QTest::addColumn<QString>("text");
        const auto row = [](const char* name, const char* rest, const char* text) {
            QTest::newRow(name) << QString::fromUtf8(rest) << QString::fromUtf8(text);
        };
        row("bad expression", "{\"layers\":[{\"match\":\"encoder.(\",\"skip\":true}]}", "regular expression");
        row("fp8 and int8 activations", R"({"defaults":{"quantize":{"weights":"fp8","activations":"int8-dynamic"}}})",
            "int8, int4, int3 or int2 weights, not fp8");
        row("int16 and int8 activations", R"({"defaults":{"quantize":{"weights":"int16","activations":"int8-dynamic"}}})",
            "int8, int4, int3 or int2 weights, not int16");
        row("int3 a tensor and int8 activations",
            R"({"defaults":{"quantize":{"weights":"int3","group":"tensor","activations":"int8-dynamic"}}})", "channel");
        row("fp16 and int8 activations",
            R"({"defaults":{"quantize":{"weights":"fp16","activations":"int8-dynamic"}}})", "int3 or int2 weights, not fp16");
        row("int4 a tensor and int8 activations",
            R"({"defaults":{"quantize":{"weights":"int4","group":"tensor","activations":"int8-dynamic"}}})", "channel");
        row("groups of two sizes",
            R"({"defaults":{"quantize":{"weights":"int8","group":32,"activations":"int8-dynamic","activation_group":64}}})",
            "the weights' group, 32");
        row("groups of inputs, asymmetric rows",
            R"({"defaults":{"quantize":{"weights":"int8","symmetric":false,"activations":"int8-dynamic","activation_group":16}}})",
            "one scale a row");
        row("override without a format", R"({"layers":[{"match":"lm_head","quantize":{"group":32}}]})", "missing");
        row("tied and different",
            R"({"layers":[{"match":"lm_head","quantize":{"weights":"int8"}},
                          {"match":"embeddings.word","quantize":{"weights":"int4"}}]})",
            "untie");
    }
    void refuses() {
        QFETCH(QString, rest);
        QFETCH(QString, text);
        const auto result = resolve(recipeOf(rest.toStdString()), llamaLayout());
        QVERIFY(!result.ok());
        QCOMPARE(result.error().code, ErrorCode::RecipeInvalid);
        QVERIFY2(errorMessage(result.error()).find(text.toStdString()) != std::string::npos,
                 errorMessage(result.error()).c_str());
    }

    void tiedLayersShareOnePlan() {
        const auto layout = llamaLayout();
        const auto resolved = resolve(recipeOf(R"({"defaults":{"quantize":{"weights":"int8","activations":"int8-dynamic"}}})"), layout).value();
        const auto& table = planOf(resolved, layout, "embeddings.word");
        QVERIFY(table.format == planOf(resolved, layout, "lm_head").format);
        QCOMPARE(table.format.activations, Activations::Int8Dynamic);  // lm_head multiplies with it
        for (const char* weights : {"int4", "int8"}) {
            const auto grouped = resolve(recipeOf(R"({"defaults":{"quantize":{"weights":")" + std::string(weights) +
                                                  R"(","group":16,"activations":"int8-dynamic","activation_group":16}}})"),
                                         layout).value();
            for (const char* name : {"embeddings.word", "lm_head"}) {
                const auto& format = grouped.layers[static_cast<std::size_t>(layout.layerIndex(name))].format;
                QCOMPARE(format.activations, Activations::Int8Dynamic);
                QCOMPARE(format.activationGroup, std::int64_t{16});
            }
        }
        const auto size = estimate(resolved, layout);
        QCOMPARE(size.layers.back().bytes, std::uint64_t{0});
        QCOMPARE(size.layers.front().bytes, std::uint64_t{100 * 32 + 100 * 4 + 100 * 4});

        const auto untied = resolve(recipeOf(R"({"untie":true,"layers":[{"match":"lm_head","quantize":{"weights":"int8"}}]})"), layout).value();
        const auto larger = estimate(untied, layout);
        QCOMPARE(larger.layers.back().bytes, std::uint64_t{100 * 32 + 100 * 4});
        QCOMPARE(larger.layers.front().bytes, std::uint64_t{100 * 32 * 4});
    }

    void bytesOfFormats_data() {
        QTest::addColumn<QString>("quantize");
        QTest::addColumn<qulonglong>("bytes");
        // A weight of 64 × 32.
        QTest::newRow("fp32") << R"({"weights":"fp32"})" << 64ULL * 32 * 4;
        QTest::newRow("bf16") << R"({"weights":"bf16"})" << 64ULL * 32 * 2;
        QTest::newRow("int8") << R"({"weights":"int8"})" << 64ULL * 32 + 64 * 4;
        QTest::newRow("int8 tensor") << R"({"weights":"int8","group":"tensor"})" << 64ULL * 32 + 4;
        QTest::newRow("int8 dynamic") << R"({"weights":"int8","activations":"int8-dynamic"})" << 64ULL * 32 + 64 * 4 + 64 * 4;
        QTest::newRow("int8 dynamic groups")
            << R"({"weights":"int8","activations":"int8-dynamic","activation_group":16})" << 64ULL * 32 + 64 * 4 + 64 * 2 * 4;
        QTest::newRow("int4 and int8 in groups")
            << R"({"weights":"int4","group":16,"activations":"int8-dynamic","activation_group":16})"
            << 64ULL * 16 + 64 * 2 * 4;
        QTest::newRow("int4 groups") << R"({"weights":"int4","group":16})" << 64ULL * 16 + 64 * 2 * 4;
        QTest::newRow("int4 asymmetric") << R"({"weights":"int4","group":16,"symmetric":false})" << 64ULL * 16 + 64 * 2 * 5;
        QTest::newRow("int4 uneven last group") << R"({"weights":"int4","group":24})" << 64ULL * 16 + 64 * 2 * 4;
    }
    void bytesOfFormats() {
        QFETCH(QString, quantize);
        QFETCH(qulonglong, bytes);
        const auto layout = bertLayout();
        const auto resolved = resolve(recipeOf("{\"defaults\":{\"quantize\":" + quantize.toStdString() + "}}"), layout).value();
        const auto size = estimate(resolved, layout);
        const auto in = static_cast<std::size_t>(layout.layerIndex("encoder.layer.0.ffn.in"));
        QCOMPARE(size.layers[in].bytes, static_cast<std::uint64_t>(bytes + 64 * 4));  // and the bias
    }

    /// What prunes while a model is trained wants a training, behind the pruning, and one threshold is not one a group.
    void trainedMethodsNeedATraining() {
        const auto layout = bertLayout();
        const std::string train = R"("recover":{"source":"trec"})";
        const auto refused = [&](const std::string& rest, const char* part) {
            const auto found = resolve(recipeOf(rest), layout);
            return !found.ok() && found.error().code == ErrorCode::RecipeInvalid &&
                   found.error().args.at("reason").find(part) != std::string::npos;
        };
        const auto with = [](const std::string& prune, const std::string& more) {
            return "{\"defaults\":{\"prune\":" + prune + "}" + (more.empty() ? "" : "," + more) + "}";
        };
        const std::string gradual = R"({"method":"gradual","ratio":0.5})";
        QVERIFY(refused(with(gradual, ""), "add a \"recover\" step"));
        QVERIFY(refused(with(gradual, R"("recover":{"method":"reconstruct"})"), "add a \"recover\" step"));
        QVERIFY(refused(with(gradual, train + R"(,"order":["prune","quantize"])"), "add a \"recover\" step"));
        QVERIFY(refused(with(R"({"method":"proximal","pattern":"2:4"})", train), "one threshold"));
        QVERIFY(refused(with(R"({"method":"soft-movement","pattern":"2:4"})", train), "one threshold"));
        const auto resolved = resolve(recipeOf(with(gradual, train)), layout);
        QVERIFY(resolved.ok());
        QVERIFY(!resolved.value().calibrated && !resolved.value().gradients);
        const auto size = estimate(resolved.value(), layout);
        const auto at = static_cast<std::size_t>(layout.layerIndex("encoder.layer.0.ffn.in"));
        QCOMPARE(resolved.value().layers[at].sparsity, 0.5);
        QVERIFY(size.zeros > 0);
        // Tables are pruned by an override alone, and at once.
        const auto table = resolve(recipeOf(with(gradual, train + R"(,"layers":[{"match":"embeddings.word","prune":{"ratio":0.5}}])")),
                                   layout);
        QVERIFY(table.ok());
        QCOMPARE(planOf(table.value(), layout, "embeddings.word").method, PruneMethod::Magnitude);
        QVERIFY(!table.value().notes.empty());
    }

    void adjustedWeightsAreCalibrated() {
        const auto layout = bertLayout();
        const auto resolved = resolve(recipeOf(R"({"defaults":{"prune":{"ratio":0.5,"compensation":"least-squares","recomputations":2}}})"),
                                      layout);
        QVERIFY(resolved.ok());
        QVERIFY(resolved.value().calibrated);
        QCOMPARE(resolved.value().recomputations, 2);
        QVERIFY(planOf(resolved.value(), layout, "encoder.layer.0.ffn.in").adjusts);
        QVERIFY(!planOf(resolved.value(), layout, "classifier").adjusts);
    }

    void untouchedModel() {
        const auto layout = bertLayout();
        const auto size = estimate(layout);
        QCOMPARE(size.parameters, layout.parameters());
        QCOMPARE(size.bytes, static_cast<std::uint64_t>(layout.parameters()) * 4);
        QVERIFY(estimate(resolve(Recipe{}, layout).value(), layout).bytes == size.bytes);
    }
};

QTEST_GUILESS_MAIN(TestResolve)
#include "tst_resolve.moc"
