// The structure of an opened model: names, shapes, groups, heads and tying, on tiny models as the
// usual tools write them and on the real samples, and what is refused.
#include <QtTest>

#include <filesystem>
#include <set>

#include "engine/core/file.h"
#include "engine/layout/describe.h"
#include "engine/spec/resolve.h"
#include "engine/spec/task.h"
#include "tests/support/tiny_models.h"

using namespace pareto;
namespace fs = std::filesystem;

namespace {

Result<ModelLayout> describe(const std::string& path) {
    PARETO_TRY(const auto files, io::ModelFiles::open(path, io::Access::Read));
    return describeModel(*files);
}

/// Changes fields of config.json.
void patchConfig(const std::string& folder, const Json& changes) {
    auto config = readJsonFile(folder + "/config.json").value();
    config.merge_patch(changes);
    test::writeText(folder + "/config.json", config.dump());
}

}  // namespace

class TestDescribe : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_folder = std::make_unique<QTemporaryDir>(); }

    void sequenceClassifier() {
        const auto layout = describe(test::writeTinyClassifier(path("model"))).value();
        QCOMPARE(layout.family, Family::Bert);
        QCOMPARE(layout.blocks.size(), std::size_t{2});
        QCOMPARE(layout.groups.size(), std::size_t{4});
        QCOMPARE(layout.blocks[1].name, std::string("encoder.layer.1"));
        const auto& attention = layout.groups[static_cast<std::size_t>(layout.blocks[1].attention)];
        QCOMPARE(attention.name, std::string("encoder.layer.1.attention"));
        QCOMPARE(attention.units, std::int64_t{4});
        QCOMPARE(attention.layers.size(), std::size_t{4});
        QCOMPARE(layout.headDim, std::int64_t{8});
        const auto* out = layout.findLayer("encoder.layer.0.ffn.out");
        QVERIFY(out != nullptr);
        QCOMPARE(out->rows, std::int64_t{32});
        QCOMPARE(out->cols, std::int64_t{64});
        QVERIFY(out->hasBias);
        QCOMPARE(layout.labels, (std::vector<std::string>{"benign", "attack"}));
        QVERIFY(layout.isClassifier());
        QCOMPARE(layout.head.size(), std::size_t{3});
        QCOMPARE(layout.head[0].pooling, Pooling::Cls);
        QCOMPARE(layout.head[1].activation, Activation::Tanh);
        everyTensorIsBoundOnce(layout);
    }

    void sentenceModel() {
        const auto layout = describe(test::writeTinySentenceModel(path("model"))).value();
        QVERIFY(!layout.isClassifier());
        QCOMPARE(layout.head.size(), std::size_t{2});
        QCOMPARE(layout.head[0].pooling, Pooling::Mean);
        QCOMPARE(layout.head[1].kind, HeadStep::Kind::Normalize);
        everyTensorIsBoundOnce(layout);
    }

    void sentenceClassifier() {
        const auto layout = describe(test::writeTinySentenceClassifier(path("model"))).value();
        QCOMPARE(layout.labels, (std::vector<std::string>{"a", "b"}));
        QVERIFY(layout.findLayer("dense.0") != nullptr);
        everyTensorIsBoundOnce(layout);
    }

    void llama() {
        const auto layout = describe(test::writeTinyLlama(path("model"))).value();
        QCOMPARE(layout.family, Family::Llama);
        QCOMPARE(layout.blocks[0].heads, std::int64_t{4});
        QCOMPARE(layout.blocks[0].kvHeads, std::int64_t{2});
        QCOMPARE(layout.groups[0].units, std::int64_t{2});  // a key/value head with its query heads
        const auto* key = layout.findLayer("decoder.layer.0.attention.key");
        QCOMPARE(key->rows, std::int64_t{16});
        QCOMPARE(layout.findLayer("lm_head")->tiedTo, std::string("embeddings.word"));
        QCOMPARE(layout.parameters(), estimate(layout).parameters);
        everyTensorIsBoundOnce(layout);
    }

    void endsOfATurnAreReadFromBothFiles() {
        const auto folder = test::writeTinyLlama(path("model"));
        patchConfig(folder, {{"eos_token_id", {2, 3}}});
        test::writeText(folder + "/generation_config.json", R"({"eos_token_id": [3, 4, 2, 1000000]})");
        const auto layout = describe(folder).value();
        QCOMPARE(layout.eosId, 2);
        QCOMPARE(layout.stopIds, (std::vector<int>{3, 4}));
        patchConfig(folder, {{"eos_token_id", nullptr}});
        test::writeText(folder + "/generation_config.json", R"({"eos_token_id": 5})");
        QCOMPARE(describe(folder).value().eosId, 5);
        test::writeText(folder + "/generation_config.json", R"({"eos_token_id": ["</s>"]})");
        QCOMPARE(describe(folder).error().code, ErrorCode::ConfigInvalid);
    }

    void refuses_data() {
        QTest::addColumn<QString>("changes");
        QTest::addColumn<int>("code");
        QTest::addColumn<QString>("names");
        const auto row = [](const char* name, const char* changes, ErrorCode code, const char* names) {
            QTest::newRow(name) << QString::fromUtf8(changes) << static_cast<int>(code)
                                << QString::fromUtf8(names);
        };
        row("unknown family", R"({"model_type": "mamba"})", ErrorCode::FamilyUnknown, "mamba");
        row("no family", R"({"model_type": null})", ErrorCode::FamilyUnknown, "bert");
        row("negative width", R"({"hidden_size": -4})", ErrorCode::ConfigInvalid, "hidden_size");
        row("huge layers", R"({"num_hidden_layers": 1000000})", ErrorCode::ConfigInvalid, "num_hidden_layers");
        row("missing", R"({"intermediate_size": null})", ErrorCode::ConfigInvalid, "intermediate_size");
        row("more blocks than tensors", R"({"num_hidden_layers": 3})", ErrorCode::TensorMissing, "layer.2");
        row("other width", R"({"intermediate_size": 48})", ErrorCode::TensorShape, "intermediate.dense");
        row("heads do not divide", R"({"num_attention_heads": 5})", ErrorCode::ConfigInvalid, "num_attention_heads");
        row("activation", R"({"hidden_act": "snake"})", ErrorCode::ConfigInvalid, "snake");
        row("positions", R"({"position_embedding_type": "relative_key"})", ErrorCode::ConfigInvalid, "relative_key");
    }
    void refuses() {
        QFETCH(QString, changes);
        QFETCH(int, code);
        QFETCH(QString, names);
        const auto folder = test::writeTinyClassifier(path("model"));
        patchConfig(folder, parseJson(changes.toStdString(), "test").value());
        const auto result = describe(folder);
        QVERIFY(!result.ok());
        QCOMPARE(static_cast<int>(result.error().code), code);
        QVERIFY2(errorMessage(result.error()).find(names.toStdString()) != std::string::npos,
                 errorMessage(result.error()).c_str());
    }

    void ropeScalingsAreRead() {
        const auto folder = test::writeTinyLlama(path("model"));
        patchConfig(folder, {{"rope_scaling", {{"rope_type", "llama3"}, {"factor", 8.0},
                                               {"low_freq_factor", 1.0}, {"high_freq_factor", 4.0},
                                               {"original_max_position_embeddings", 16}}}});
        const auto layout = describe(folder).value();
        QVERIFY(layout.ropes.front().scaling == RopeSettings::Scaling::Llama3);
        QCOMPARE(layout.ropes.front().originalPositions, std::int64_t{16});
        // As transformers 5 writes it.
        patchConfig(folder, {{"rope_scaling", nullptr},
                             {"rope_parameters", {{"rope_type", "linear"}, {"factor", 2.0}, {"rope_theta", 500.0}}}});
        const auto newer = describe(folder).value();
        QVERIFY(newer.ropes.front().scaling == RopeSettings::Scaling::Linear);
        QCOMPARE(newer.ropes.front().theta, 500.0);
    }

    void badRopeScalingsAreNamed_data() {
        QTest::addColumn<QString>("scaling");
        QTest::addColumn<QString>("named");
        QTest::newRow("unknown") << R"({"rope_type": "spiral", "factor": 2.0})" << "spiral";
        QTest::newRow("no factor") << R"({"rope_type": "linear"})" << "rope_scaling.factor";
        QTest::newRow("bad factor") << R"({"rope_type": "yarn", "factor": "x"})" << "rope_scaling.factor";
        QTest::newRow("llama3") << R"({"rope_type": "llama3", "factor": 8.0})" << "low_freq_factor";
        QTest::newRow("longrope") << R"({"rope_type": "longrope", "short_factor": [1.0], "long_factor": [1.0, 0.0]})"
                                  << "short_factor";
    }

    void badRopeScalingsAreNamed() {
        QFETCH(QString, scaling);
        QFETCH(QString, named);
        const auto folder = test::writeTinyLlama(path("model"));
        patchConfig(folder, {{"rope_scaling", Json::parse(scaling.toStdString())}});
        const auto result = describe(folder);
        QVERIFY(!result.ok());
        QVERIFY2(errorMessage(result.error()).find(named.toStdString()) != std::string::npos,
                 errorMessage(result.error()).c_str());
    }

    void samples_data() {
        QTest::addColumn<QString>("sample");
        QTest::addColumn<qlonglong>("parameters");
        QTest::addColumn<int>("blocks");
        // Parameters as transformers counts them, without BERT's unused pooler.
        QTest::newRow("minilm") << "minilm" << 22565376LL << 6;
        QTest::newRow("smollm2") << "smollm2-135m/SmolLM2-135M-Instruct.Q4_1.gguf" << 134515008LL << 30;
    }
    void samples() {
        QFETCH(QString, sample);
        const auto file = samplesFolder() + "/" + sample.toStdString();
        if (!fs::exists(file)) {
            QSKIP("the sample is not there; ./dev test fetches it");
        }
        const auto layout = describe(file);
        QVERIFY2(layout.ok(), layout.ok() ? "" : errorMessage(layout.error()).c_str());
        QTEST(static_cast<qlonglong>(layout->parameters()), "parameters");
        QTEST(static_cast<int>(layout->blocks.size()), "blocks");
        everyTensorIsBoundOnce(layout.value());
    }

private:
    std::string path(const char* name) const {
        return m_folder->filePath(QString::fromUtf8(name)).toStdString();
    }

    static void everyTensorIsBoundOnce(const ModelLayout& layout) {
        std::set<std::string> names;
        std::set<std::string> sources;
        for (const auto& binding : layout.bindings) {
            QVERIFY2(names.insert(binding.name).second, binding.name.c_str());
            QVERIFY2(sources.insert(binding.source).second, binding.source.c_str());
        }
        std::size_t expected = layout.plain.size();
        for (const auto& layer : layout.layers) {
            expected += layer.tiedTo.empty() ? (layer.hasBias ? 2 : 1) : 0;
        }
        QCOMPARE(names.size(), expected);
    }

    std::unique_ptr<QTemporaryDir> m_folder;
};

QTEST_GUILESS_MAIN(TestDescribe)
#include "tst_describe.moc"
