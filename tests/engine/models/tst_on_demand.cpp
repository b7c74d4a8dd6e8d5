// Models whose tensors are read when they are asked for: they are those of the whole model, and nobody holds more than it needs.
#include <QtTest>

#include <cstring>
#include <set>

#include "engine/compress/pipeline.h"
#include "engine/compress/tensorwise.h"
#include "engine/spec/recipe.h"
#include "engine/weights/shard.h"
#include "engine/weights/weights_hash.h"
#include "tests/engine/models/golden.h"

using namespace pareto;
using namespace pareto::test;

namespace {

const char* const kModels[] = {"tiny_bert",        "encoders/albert_classes", "encoders/mpnet_sentence", "decoders/gpt2", "decoders/gpt2.gguf",
                               "decoders/gemma3", "decoders/qwen2.gguf",     "tiny_llama",              "tiny_t5",       "tiny_t5.gguf",
                               "tiny_marian"};

struct NamedRecipe {
    const char* name;
    const char* json;
};
constexpr NamedRecipe kTensorwise[] = {
    {"none", "{}"},
    {"int8", R"({"defaults":{"quantize":{"weights":"int8","activations":"int8-dynamic"}}})"},
    {"int4 in groups, embeddings too", R"({"defaults":{"quantize":{"weights":"int4","group":8}},"layers":[{"match":"embeddings.word","quantize":{"weights":"int8"}}]})"},
    {"half of the weights", R"({"defaults":{"prune":{"ratio":0.5,"method":"magnitude"}}})"},
    {"2:4 and fp16", R"({"defaults":{"prune":[{"pattern":"2:4","method":"magnitude"}],"quantize":{"weights":"fp16"}}})"},
    {"rounded, then pruned",
     R"({"order":["quantize","prune"],"defaults":{"prune":{"ratio":0.3,"method":"magnitude"},"quantize":{"weights":"int8"}}})"},
};
constexpr NamedRecipe kOthers[] = {
    {"heads", R"({"defaults":{"prune":[{"pattern":"heads","ratio":0.5}]}})"},
    {"a block", R"({"defaults":{"prune":[{"pattern":"blocks","ratio":0.5}]}})"},
    {"one threshold", R"({"defaults":{"prune":{"ratio":0.5,"method":"magnitude","allocation":"global"}}})"},
    {"calibrated", R"({"defaults":{"quantize":{"weights":"int4","group":8,"method":"gptq"}},"calibration":{"samples":2,"length":8}})"},
    {"recovered", R"({"defaults":{"prune":{"ratio":0.5,"method":"magnitude"}},"recover":{"method":"reconstruct","steps":2},"calibration":{"samples":2,"length":8}})"},
    {"untied", R"({"untie":true,"defaults":{"quantize":{"weights":"int8"}},"layers":[{"match":"lm_head","quantize":{"weights":"fp16"}}]})"},
};

Result<Recipe> recipeOf(const char* text) {
    PARETO_TRY(Json json, parseJson(text, "recipe"));
    json["version"] = 1;
    return recipeFromJson(json);
}

Result<std::shared_ptr<const compress::TensorwiseModel>> onDemand(const std::string& path, const Recipe& recipe) {
    PARETO_TRY(auto files, io::ModelFiles::open(path));
    PARETO_TRY(auto layout, describeModel(*files));
    PARETO_TRY(auto resolved, resolve(recipe, layout));
    if (!compress::isTensorwise(recipe, resolved)) {
        return makeError(ErrorCode::RecipeInvalid, {{"file", "recipe"}, {"field", ""}, {"reason", "looks at more"}});
    }
    PARETO_TRY(std::shared_ptr<const TensorSource> source, openWeights(files, std::move(layout), models::torchParallelFor()));
    return std::make_shared<const compress::TensorwiseModel>(source, recipe, std::move(resolved), std::stop_token());
}

/// Knows how many bytes of what it gave are still held, and what was asked for.
class WatchedTensors : public TensorSource {
public:
    explicit WatchedTensors(const LoadedModel& model) : m_model(model), m_tensors(model) {}
    const ModelLayout& layout() const override { return m_model.layout; }
    std::vector<std::string> names() const override { return m_tensors.names(); }
    bool has(const std::string& name) const override { return m_tensors.has(name); }
    Result<Tensor> tensor(const std::string& name) const override {
        asked.insert(name);
        PARETO_TRY(Tensor tensor, m_tensors.tensor(name));
        auto& values = std::get<DenseValues>(tensor.storage).values;
        const std::size_t size = values.size();
        auto owned = std::shared_ptr<std::byte>(new std::byte[size], [this, size](std::byte* memory) {
            m_held -= size;
            delete[] memory;
        });
        std::memcpy(owned.get(), values.data(), size);
        values = Buffer::mapped(owned, owned.get(), size);
        m_held += size;
        most = std::max(most, m_held);
        return tensor;
    }

    mutable std::set<std::string> asked;
    mutable std::size_t most = 0;

private:
    const LoadedModel& m_model;
    HeldTensors m_tensors;
    mutable std::size_t m_held = 0;
};

}  // namespace

class TestOnDemand : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void sameTensors_data();
    void sameTensors();
    void whatLooksFurther_data();
    void whatLooksFurther();
    void badValuesAreNamed();
    void holdsAPart_data();
    void holdsAPart();
};

void TestOnDemand::sameTensors_data() {
    QTest::addColumn<QString>("model");
    QTest::addColumn<QString>("recipe");
    for (const char* model : kModels) {
        for (const auto& recipe : kTensorwise) {
            QTest::addRow("%s, %s", model, recipe.name) << QString::fromLatin1(model) << QString::fromLatin1(recipe.json);
        }
    }
}

void TestOnDemand::sameTensors() {
    QFETCH(QString, model);
    QFETCH(QString, recipe);
    const std::string path = kGolden + model.toStdString();
    const auto parsed = recipeOf(recipe.toLatin1().constData());
    CHECK_OK(parsed);
    const auto original = openModel(path);
    CHECK_OK(original);
    Progress progress;
    const auto whole = compress::compress(original.value(), parsed.value(), progress, {});
    CHECK_OK(whole);
    const auto opened = onDemand(path, parsed.value());
    CHECK_OK(opened);
    const auto& found = *opened.value();

    const auto hash = weightsHash(found);
    CHECK_OK(hash);
    QCOMPARE(hash.value(), weightsHash(whole->model));
    const auto& layers = whole->model.layout.layers;
    QCOMPARE(found.layout().layers.size(), layers.size());
    QCOMPARE(found.layout().cache, whole->model.layout.cache);
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const auto& layer = found.layout().layers[i];
        QVERIFY2(layer.sourceFormat == layers[i].sourceFormat, layer.name.c_str());
        const auto held = found.weight(layer);
        CHECK_OK(held);
        const auto report = found.report(layer, held.value());
        CHECK_OK(report);
        const auto& expected = whole->report.layers[i];
        QCOMPARE(report->name, expected.name);
        QCOMPARE(report->bytes, expected.bytes);
        QCOMPARE(report->relativeError, expected.relativeError);
        QCOMPARE(report->sparsity, expected.sparsity);
        QCOMPARE(report->bitsPerWeight, expected.bitsPerWeight);
    }
    // And its parts are the whole's.
    const int blocks = static_cast<int>(whole->model.layout.blocks.size());
    for (int rank = 0; rank < 2 && blocks > 1; ++rank) {
        const auto part = shardOf(found, {1, 2, rank}, {0, blocks / 2});
        CHECK_OK(part);
        const auto expected = shardOf(whole->model, {1, 2, rank}, {0, blocks / 2});
        CHECK_OK(expected);
        QCOMPARE(weightsHash(part->model), weightsHash(expected->model));
    }
}

void TestOnDemand::whatLooksFurther_data() {
    QTest::addColumn<QString>("recipe");
    for (const auto& recipe : kOthers) {
        QTest::addRow("%s", recipe.name) << QString::fromLatin1(recipe.json);
    }
}

void TestOnDemand::whatLooksFurther() {
    QFETCH(QString, recipe);
    const auto parsed = recipeOf(recipe.toLatin1().constData());
    CHECK_OK(parsed);
    const auto model = openModel(kGolden + "tiny_llama");
    CHECK_OK(model);
    const auto resolved = resolve(parsed.value(), model->layout);
    CHECK_OK(resolved);
    QVERIFY(!compress::isTensorwise(parsed.value(), resolved.value()));
}

void TestOnDemand::badValuesAreNamed() {
    auto model = openModel(kGolden + "tiny_llama");
    CHECK_OK(model);
    const std::string name = model->layout.layers.back().name + ".weight";
    const std::string bad = model->tensors.contains(name) ? name : "decoder.layer.1.attention.query.weight";
    auto values = dequantize(model->tensors.at(bad));
    values[3] = INFINITY;
    model->tensors.at(bad) = denseTensor(model->tensors.at(bad).shape, std::span<const float>(values));
    const auto recipe = recipeOf(kTensorwise[1].json);
    CHECK_OK(recipe);
    const auto resolved = resolve(recipe.value(), model->layout);
    CHECK_OK(resolved);
    const compress::TensorwiseModel made(std::make_shared<HeldTensors>(model.value()), recipe.value(), resolved.value(), {});
    const auto found = made.tensor(bad);
    QVERIFY(!found.ok() && !found.cancelled());
    QCOMPARE(found.error().code, ErrorCode::TensorValues);
    QVERIFY2(errorMessage(found.error()).find(bad) != std::string::npos, errorMessage(found.error()).c_str());
    const auto missing = made.tensor("decoder.layer.99.attention.query.weight");
    QVERIFY(!missing.ok());
    QCOMPARE(missing.error().code, ErrorCode::TensorMissing);
}

void TestOnDemand::holdsAPart_data() {
    QTest::addColumn<QString>("model");
    QTest::addColumn<int>("tp");
    QTest::addColumn<int>("pp");
    for (const char* model : {"tiny_bert", "tiny_llama", "tiny_t5", "decoders/gpt2"}) {
        QTest::addRow("%s, tp 2", model) << QString::fromLatin1(model) << 2 << 1;
        QTest::addRow("%s, pp 2", model) << QString::fromLatin1(model) << 1 << 2;
        QTest::addRow("%s, both", model) << QString::fromLatin1(model) << 2 << 2;
    }
}

void TestOnDemand::holdsAPart() {
    QFETCH(QString, model);
    QFETCH(int, tp);
    QFETCH(int, pp);
    const auto whole = openModel(kGolden + model.toStdString());
    CHECK_OK(whole);
    std::size_t largest = 0;
    for (const auto& [name, tensor] : whole->tensors) {
        largest = std::max<std::size_t>(largest, tensor.bytes());
    }
    const int blocks = static_cast<int>(whole->layout.blocks.size());
    const std::vector<int> starts = pp == 2 ? std::vector<int>{0, blocks / 2} : std::vector<int>{0};
    for (int rank = 0; rank < tp * pp; ++rank) {
        const WatchedTensors watched(whole.value());
        const auto part = shardOf(watched, {tp, pp, rank}, starts);
        CHECK_OK(part);
        // Beside the part itself one tensor at a time.
        QVERIFY(watched.most <= part->model.bytes() + largest);
        const int stage = rank / tp;
        const int begin = starts[static_cast<std::size_t>(stage)];
        const int end = stage + 1 < pp ? starts[static_cast<std::size_t>(stage) + 1] : blocks;
        for (int block = 0; block < blocks; ++block) {
            const std::string prefix = whole->layout.blocks[static_cast<std::size_t>(block)].name + ".";
            const bool read = std::any_of(watched.asked.begin(), watched.asked.end(),
                                          [&](const auto& name) { return name.starts_with(prefix); });
            QCOMPARE(read, block >= begin && block < end);
        }
    }
}

QTEST_GUILESS_MAIN(TestOnDemand)
#include "tst_on_demand.moc"
