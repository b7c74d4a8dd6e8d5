// Every decoder family through recipes and out again: sizes as estimated, the exported folder computes
// what the model computed, configurations in the words of transformers.
#include <filesystem>

#include "engine/compress/pipeline.h"
#include "engine/export/exporter.h"
#include "tests/engine/models/golden.h"

using namespace pareto;
using namespace pareto::test;
namespace fs = std::filesystem;

namespace {

const std::string kDecoders = kGolden + "decoders/";

PruneSpec prune(PrunePattern pattern, double ratio) { return {PruneMethod::L1, pattern, ratio}; }

struct Case {
    const char* name;
    Recipe recipe;
};

std::vector<Case> cases() {
    Recipe structured;
    structured.prune = {prune(PrunePattern::Heads, 0.5), prune(PrunePattern::Neurons, 0.25)};
    Recipe blocks;
    blocks.prune = {prune(PrunePattern::Blocks, 0.34)};
    Recipe uneven = structured;
    LayerOverride entry;
    entry.match = "decoder.layer.1";
    entry.prune.push_back({PrunePattern::Heads, std::nullopt, 0.0});
    uneven.layers = {entry};
    Recipe integers;
    integers.quantize = QuantizeSpec{};
    integers.quantize->weights = NumberFormat::Int8;
    integers.quantize->granularity = Granularity::Channel;
    return {{"untouched", {}},
            {"structured", structured},
            {"blocks", blocks},
            {"uneven", uneven},
            {"int8", integers}};
}

Result<models::Matrix> logitsOf(const LoadedModel& model, const std::vector<std::int32_t>& ids) {
    PARETO_TRY(auto runnable, prepare(model));
    return runnable.decoder->logits(ids, {});
}

}  // namespace

class TestExportDecoders : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void comesBack_data();
    void comesBack();
    void configurationsOfGguf_data();
    void configurationsOfGguf();
    void fusedMatricesAreConv1D();
    void windowsStayWithTheirBlocks();
};

void TestExportDecoders::comesBack_data() {
    QTest::addColumn<QString>("source");
    QTest::addColumn<int>("recipe");
    for (const auto& entry : fs::directory_iterator(kDecoders)) {
        if (entry.path().extension() == ".json") {
            continue;
        }
        for (std::size_t i = 0; i < cases().size(); ++i) {
            const auto label = entry.path().filename().string() + ", " + cases()[i].name;
            QTest::newRow(label.c_str())
                << QString::fromStdString(entry.path().string()) << static_cast<int>(i);
        }
    }
}

void TestExportDecoders::comesBack() {
    QFETCH(QString, source);
    QFETCH(int, recipe);
    auto files = io::ModelFiles::open(source.toStdString());
    CHECK_OK(files);
    const auto original = openModel(source.toStdString());
    CHECK_OK(original);
    const Recipe chosen = cases()[static_cast<std::size_t>(recipe)].recipe;
    const auto resolved = resolve(chosen, original->layout);
    CHECK_OK(resolved);
    Progress progress;
    const auto compressed = compress::compress(original.value(), chosen, progress, {});
    CHECK_OK(compressed);
    const LoadedModel& model = compressed->model;
    const auto size = estimate(resolved.value(), original->layout);
    QCOMPARE(model.bytes(), size.bytes);
    auto runnable = prepare(model);
    CHECK_OK(runnable);
    QCOMPARE(runnable->model().bytes(), size.bytes);

    QTemporaryDir folder;
    exporting::ExportRequest request;
    request.target = folder.filePath(QStringLiteral("exported")).toStdString();
    const auto outcome = exporting::exportModel(model, *files.value(), request, progress, {});
    CHECK_OK(outcome);
    QVERIFY(outcome->verified);
    const auto back = openModel(request.target);
    CHECK_OK(back);
    QVERIFY(back->layout.family == original->layout.family);
    std::vector<std::int32_t> ids;
    for (int i = 0; i < 30; ++i) {
        ids.push_back(3 + i * 7 % 30);
    }
    const auto expected = logitsOf(model, ids);
    CHECK_OK(expected);
    const auto found = logitsOf(back.value(), ids);
    CHECK_OK(found);
    const double off = largestDifference(found->values, std::span<const float>(expected->values));
    QVERIFY2(off < 1e-4, qPrintable(QStringLiteral("logits differ by %1").arg(off)));
}

void TestExportDecoders::configurationsOfGguf_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QStringList>("keys");
    QTest::newRow("gpt2") << QStringLiteral("gpt2")
                          << QStringList{QStringLiteral("n_embd"),
                                         QStringLiteral("n_head"),
                                         QStringLiteral("n_layer"),
                                         QStringLiteral("n_positions"),
                                         QStringLiteral("layer_norm_epsilon"),
                                         QStringLiteral("vocab_size")};
    const QStringList usual{QStringLiteral("hidden_size"),
                            QStringLiteral("num_hidden_layers"),
                            QStringLiteral("num_attention_heads"),
                            QStringLiteral("num_key_value_heads"),
                            QStringLiteral("intermediate_size"),
                            QStringLiteral("vocab_size"),
                            QStringLiteral("rope_theta"),
                            QStringLiteral("rms_norm_eps"),
                            QStringLiteral("max_position_embeddings"),
                            QStringLiteral("tie_word_embeddings"),
                            QStringLiteral("model_type"),
                            QStringLiteral("architectures")};
    for (const char* name : {"llama_bias", "qwen2", "qwen3"}) {
        QTest::newRow(name) << QString::fromLatin1(name) << usual;
    }
    QTest::newRow("gemma2") << QStringLiteral("gemma2")
                            << usual + QStringList{QStringLiteral("layer_types"),
                                                   QStringLiteral("sliding_window"),
                                                   QStringLiteral("query_pre_attn_scalar"),
                                                   QStringLiteral("attn_logit_softcapping"),
                                                   QStringLiteral("final_logit_softcapping"),
                                                   QStringLiteral("hidden_activation")};
    QTest::newRow("gemma3") << QStringLiteral("gemma3")
                            << usual + QStringList{QStringLiteral("layer_types"),
                                                   QStringLiteral("sliding_window"),
                                                   QStringLiteral("query_pre_attn_scalar"),
                                                   QStringLiteral("rope_local_base_freq")};
}

/// What is made from a GGUF file says the same as the config.json that transformers wrote.
void TestExportDecoders::configurationsOfGguf() {
    QFETCH(QString, name);
    QFETCH(QStringList, keys);
    const std::string path = kDecoders + name.toStdString();
    auto files = io::ModelFiles::open(path + ".gguf");
    CHECK_OK(files);
    const auto model = openModel(path + ".gguf");
    CHECK_OK(model);
    QTemporaryDir folder;
    exporting::ExportRequest request;
    request.target = folder.filePath(QStringLiteral("exported")).toStdString();
    Progress progress;
    CHECK_OK(exporting::exportModel(model.value(), *files.value(), request, progress, {}));
    const Json ours = readJsonFile(request.target + "/config.json").value();
    const Json theirs = readJsonFile(path + "/config.json").value();
    for (const auto& key : keys) {
        const auto field = key.toStdString();
        QVERIFY2(ours.contains(field), field.c_str());
        // Gemma ties its head where the configuration says nothing.
        const Json usual = field == "tie_word_embeddings" ? Json(true) : Json();
        const Json expected = theirs.contains(field) ? theirs[field] : usual;
        const bool same = expected.is_number_float()
                              ? std::fabs(ours[field].get<double>() - expected.get<double>()) <=
                                    1e-6 * std::fabs(expected.get<double>())
                              : ours[field] == expected;
        QVERIFY2(same, (field + ": " + ours[field].dump() + " and " + expected.dump()).c_str());
    }
}

void TestExportDecoders::fusedMatricesAreConv1D() {
    auto files = io::ModelFiles::open(kDecoders + "gpt2");
    CHECK_OK(files);
    const auto model = openModel(kDecoders + "gpt2");
    CHECK_OK(model);
    QTemporaryDir folder;
    exporting::ExportRequest request;
    request.target = folder.filePath(QStringLiteral("exported")).toStdString();
    Progress progress;
    CHECK_OK(exporting::exportModel(model.value(), *files.value(), request, progress, {}));
    auto written = io::ModelFiles::open(request.target);
    CHECK_OK(written);
    for (const char* name :
         {"transformer.h.1.attn.c_attn.weight", "transformer.h.1.attn.c_attn.bias",
          "transformer.h.0.mlp.c_fc.weight", "transformer.h.0.attn.c_proj.weight"}) {
        const auto* ours = written.value()->find(name);
        const auto* theirs = files.value()->find(name);
        QVERIFY2(ours != nullptr && theirs != nullptr, name);
        QVERIFY(ours->shape == theirs->shape);
        const auto a = written.value()->floats(*ours).value();
        const auto b = files.value()->floats(*theirs).value();
        QVERIFY(std::equal(a.bytes().begin(), a.bytes().end(), b.bytes().begin(), b.bytes().end()));
    }
}

void TestExportDecoders::windowsStayWithTheirBlocks() {
    const auto original = openModel(kDecoders + "gemma3");
    CHECK_OK(original);
    Recipe recipe;
    for (const char* block : {"decoder.layer.1", "decoder.layer.4"}) {
        LayerOverride entry;
        entry.match = block;
        entry.prune.push_back({PrunePattern::Blocks, std::nullopt, 1.0});
        recipe.layers.push_back(entry);
    }
    recipe.prune = {prune(PrunePattern::Blocks, 0.0)};
    Progress progress;
    const auto compressed = compress::compress(original.value(), recipe, progress, {});
    CHECK_OK(compressed);
    const auto& blocks = compressed->model.layout.blocks;
    QCOMPARE(blocks.size(), std::size_t{4});
    for (std::size_t i = 0; i < 4; ++i) {
        QCOMPARE(blocks[i].window, std::int64_t{i == 3 ? 0 : 5});
        QCOMPARE(blocks[i].rope, i == 3 ? 0 : 1);
    }
}

QTEST_GUILESS_MAIN(TestExportDecoders)
#include "tst_decoders.moc"
