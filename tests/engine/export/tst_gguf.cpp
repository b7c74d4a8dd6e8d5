#include <QtTest>

#include <filesystem>

#include "engine/compress/pipeline.h"
#include "engine/core/json.h"
#include "engine/export/exporter.h"
#include "engine/layout/describe.h"
#include "engine/spec/task.h"
#include "engine/text/tokenizer.h"
#include "engine/weights/load.h"
#include "engine/weights/weights_hash.h"
#include "tests/engine/weights/tiny_models.h"

using namespace pareto;

namespace {

std::string sample() { return samplesFolder() + "/smollm2-135m/SmolLM2-135M-Instruct.Q4_1.gguf"; }

}  // namespace

/// A real GGUF file becomes a Hugging Face folder. Most blocks are removed first, to write less.
class TestGgufExport : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void weightsAndConfiguration();
    void tokenizerGivesTheSameIds();

private:
    QTemporaryDir m_folder;
    std::shared_ptr<const io::ModelFiles> m_files;
    LoadedModel m_model;
    std::string m_target;
};

void TestGgufExport::initTestCase() {
    if (!std::filesystem::exists(sample())) {
        QSKIP("the sample smollm2-135m is missing: ./dev setup fetches it");
    }
    auto files = io::ModelFiles::open(sample());
    QVERIFY(files.ok());
    m_files = std::move(files.value());
    Progress progress;
    const auto original = loadWeights(*m_files, describeModel(*m_files).value(), progress, {});
    QVERIFY(original.ok());
    Recipe recipe;
    recipe.prune = {{PruneMethod::L1, PrunePattern::Blocks, 0.9}};
    auto result = compress::compress(original.value(), recipe, progress, {});
    QVERIFY(result.ok());
    m_model = std::move(result.value().model);
    m_target = m_folder.path().toStdString() + "/exported";
    exporting::ExportRequest request;
    request.target = m_target;
    const auto outcome = exporting::exportModel(m_model, *m_files, request, progress, {});
    QVERIFY2(outcome.ok(), outcome.ok() ? "" : errorMessage(outcome.error()).c_str());
    QVERIFY(outcome.value().verified);
}

void TestGgufExport::weightsAndConfiguration() {
    const Json config = readJsonFile(m_target + "/config.json").value();
    QCOMPARE(config["architectures"], Json({"LlamaForCausalLM"}));
    QCOMPARE(config["num_hidden_layers"], 3);
    QCOMPARE(config["num_attention_heads"], 9);
    QCOMPARE(config["num_key_value_heads"], 3);
    QCOMPARE(config["head_dim"], 64);
    QCOMPARE(config["rope_theta"], 100000.0);
    QCOMPARE(config["tie_word_embeddings"], true);
    const auto back = test::loadFolder(m_target);
    QVERIFY(back.ok());
    QCOMPARE(weightsHash(back.value()), weightsHash(m_model));
}

void TestGgufExport::tokenizerGivesTheSameIds() {
    const auto files = io::ModelFiles::open(m_target).value();
    const auto exported = text::loadTokenizer(*files);
    const auto original = text::loadTokenizer(*m_files);
    QVERIFY(exported.ok() && original.ok());
    for (const char* line :
         {"The capital of France is", "  naïve\tcafé\n\n", "日本語 12345 🇫🇷👍🏽",
          "<|im_start|>user\nhi<|im_end|>\n", ""}) {
        QCOMPARE(exported.value()->encode(line).ids, original.value()->encode(line).ids);
    }
    // Without this, transformers adds token_type_ids, which generate() of a decoder refuses.
    const auto config = readJsonFile(m_target + "/tokenizer_config.json").value();
    QCOMPARE(config.at("model_input_names").dump(),
             std::string("[\"input_ids\",\"attention_mask\"]"));
    QCOMPARE(exported.value()->eosId(), original.value()->eosId());
    QCOMPARE(exported.value()->vocabularySize(), original.value()->vocabularySize());
}

QTEST_GUILESS_MAIN(TestGgufExport)
#include "tst_gguf.moc"
