// A classifier in the place of whatever head a checkpoint has, against transformers
// (tests/golden/models/make_new_heads.py), and as a folder.
#include <cmath>
#include <filesystem>
#include <set>

#include <QtTest>

#include "engine/core/file.h"
#include "engine/export/exporter.h"
#include "engine/layout/names.h"
#include "engine/layout/new_head.h"
#include "engine/weights/new_head.h"
#include "engine/weights/weights_hash.h"
#include "tests/engine/models/golden.h"
#include "tests/support/tiny_models.h"

using namespace pareto;
namespace fs = std::filesystem;

namespace {

const std::string kEncoders = test::kGolden + "encoders/";

const Json& goldenHeads() {
    static const Json json = test::golden("encoders/new_heads.json");
    return json;
}

std::vector<std::string> labelsOfGolden() {
    return goldenHeads()["labels"].get<std::vector<std::string>>();
}

std::vector<float> valuesOf(const LoadedModel& model, const std::string& tensor) {
    return dequantize(model.tensors.at(tensor));
}

std::string errorName(const auto& result) {
    return result.ok() || result.cancelled() ? std::string()
                                             : std::string(pareto::errorName(result.error().code));
}

struct Case {
    std::shared_ptr<const io::ModelFiles> files;
    LoadedModel original;
    LoadedModel made;
};

Result<Case> newHead(const std::string& path, const std::vector<std::string>& labels,
                     std::uint64_t seed = 41) {
    Case out;
    PARETO_TRY(out.files, io::ModelFiles::open(path));
    PARETO_TRY(out.original, test::openModel(path));
    PARETO_TRY(out.made, withClassifier(out.original, labels, seed, out.files.get()));
    return out;
}

Result<exporting::ExportOutcome> write(const Case& from, const std::string& target) {
    exporting::ExportRequest request;
    request.target = target;
    Progress progress;
    return exporting::exportModel(from.made, *from.files, request, progress, {});
}

Result<std::vector<float>> logits(const LoadedModel& model, const Json& expected) {
    models::TokenBatch batch;
    batch.ids = expected["ids"].get<std::vector<std::vector<std::int32_t>>>();
    if (expected.contains("types")) {
        batch.typeIds = expected["types"].get<std::vector<std::vector<std::int32_t>>>();
    }
    PARETO_TRY(const auto runnable, test::prepare(model, 1));
    PARETO_TRY(const auto out, runnable.encoder->run(batch, {}));
    return out.values;
}

std::vector<float> expectedLogits(const Json& expected) {
    std::vector<float> all;
    for (const auto& row : expected["logits"]) {
        const auto values = row.get<std::vector<float>>();
        all.insert(all.end(), values.begin(), values.end());
    }
    return all;
}

std::set<std::string> sourcesOf(const ModelLayout& layout) {
    std::set<std::string> out;
    for (const auto& binding : layout.bindings) {
        out.insert(binding.name + " = " + binding.source + " " + binding.shape.text());
    }
    return out;
}

}  // namespace

class TestNewHeads : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void asTransformers_data();
    void asTransformers();
    void weightsAreDrawn();
    void equalLabelsChangeNothing();
    void refusals();
    void headsOfTokens_data();
    void headsOfTokens();
    void sentenceFolderBecomesPlain();
    void nestedTransformer();
    void gguf();
};

void TestNewHeads::asTransformers_data() {
    QTest::addColumn<QString>("name");
    QVERIFY(goldenHeads().is_object());
    for (const auto& item : goldenHeads()["cases"].items()) {
        QTest::newRow(item.key().c_str()) << QString::fromStdString(item.key());
    }
}

void TestNewHeads::asTransformers() {
    QFETCH(QString, name);
    const Json& expected = goldenHeads()["cases"][name.toStdString()];
    auto test = newHead(kEncoders + name.toStdString(), labelsOfGolden());
    CHECK_OK(test);
    LoadedModel& made = test->made;
    std::set<std::string> left;
    for (const auto& [theirs, values] : expected["new"].items()) {
        left.insert(theirs);
    }
    for (auto& [ours, tensor] : made.tensors) {
        const auto theirs = hfTensorName(made.layout, ours);
        QVERIFY2(!theirs.empty(), ours.c_str());
        if (left.erase(theirs) > 0) {
            const auto values = expected["new"][theirs].get<std::vector<float>>();
            QCOMPARE(static_cast<std::int64_t>(values.size()), tensor.shape.elements());
            tensor = denseTensor(tensor.shape, std::span<const float>(values));
        }
    }
    QVERIFY2(left.empty(), left.empty() ? "" : left.begin()->c_str());
    const auto found = logits(made, expected);
    CHECK_OK(found);
    const double off =
        test::largestDifference(found.value(), std::span<const float>(expectedLogits(expected)));
    QVERIFY2(off < 1e-4, qPrintable(QString::number(off)));

    QTemporaryDir folder;
    const auto target = folder.path().toStdString() + "/out";
    const auto outcome = write(test.value(), target);
    CHECK_OK(outcome);
    QVERIFY(outcome->verified);
    const auto back = test::openModel(target);
    CHECK_OK(back);
    QCOMPARE(back->layout.labels, labelsOfGolden());
    QVERIFY(back->layout.isClassifier());
    QCOMPARE(back->layout.hfPrefix, made.layout.hfPrefix);
    QVERIFY(sourcesOf(back->layout) == sourcesOf(made.layout));
    QCOMPARE(back->layout.layers.size(), made.layout.layers.size());
    for (std::size_t i = 0; i < made.layout.layers.size(); ++i) {
        QCOMPARE(back->layout.layers[i].name, made.layout.layers[i].name);
        QVERIFY(back->layout.layers[i].role == made.layout.layers[i].role);
        QCOMPARE(back->layout.layers[i].hasBias, made.layout.layers[i].hasBias);
    }
    const auto again = logits(back.value(), expected);
    CHECK_OK(again);
    QVERIFY(again.value() == found.value());

    const auto config = readJsonFile(target + "/config.json");
    CHECK_OK(config);
    const auto architecture = config.value()["architectures"][0].get<std::string>();
    QVERIFY2(architecture.ends_with("ForSequenceClassification"), architecture.c_str());
    QCOMPARE(config.value()["problem_type"], Json("single_label_classification"));
    QCOMPARE(config.value()["id2label"]["3"], Json("never"));
    QCOMPARE(config.value()["label2id"]["maybe"], Json(1));
    QCOMPARE(config.value()["id2label"].size(), std::size_t{4});
    QVERIFY(!fs::exists(target + "/modules.json"));
}

void TestNewHeads::weightsAreDrawn() {
    for (const auto& [name, tensor] :
         {std::pair{"bert_bare", "classifier.weight"}, std::pair{"bert_masked", "pooler.weight"},
          std::pair{"electra_bare", "classifier.out.weight"}}) {
        const auto test = newHead(kEncoders + name, labelsOfGolden());
        CHECK_OK(test);
        const auto values = valuesOf(test->made, tensor);
        const auto first = goldenHeads()["draws"][tensor].get<std::vector<float>>();
        QVERIFY(test::largestDifference(std::span<const float>(values.data(), first.size()),
                                        std::span<const float>(first)) < 1e-7);
        const auto bias = std::string(tensor).substr(0, std::string(tensor).rfind('.')) + ".bias";
        for (const float value : valuesOf(test->made, bias)) {
            QCOMPARE(value, 0.0F);
        }
    }
    const auto one = newHead(kEncoders + "bert_bare", labelsOfGolden());
    const auto same = newHead(kEncoders + "bert_bare", labelsOfGolden());
    const auto other = newHead(kEncoders + "bert_bare", labelsOfGolden(), 42);
    CHECK_OK(one);
    QCOMPARE(weightsHash(one->made), weightsHash(same->made));
    QVERIFY(weightsHash(one->made) != weightsHash(other->made));
    // Without the files the pooler is drawn, too.
    const auto alone = withClassifier(one->original, labelsOfGolden(), 41);
    CHECK_OK(alone);
    QVERIFY(valuesOf(alone.value(), "pooler.weight") != valuesOf(one->made, "pooler.weight"));
    const auto first = goldenHeads()["draws"]["pooler.weight"].get<std::vector<float>>();
    QCOMPARE(valuesOf(alone.value(), "pooler.weight").front(), first.front());
}

void TestNewHeads::equalLabelsChangeNothing() {
    const auto kept = newHead(kEncoders + "roberta_classes", {"no", "maybe", "yes"});
    CHECK_OK(kept);
    QCOMPARE(weightsHash(kept->made), weightsHash(kept->original));
    // In another order they are other classes; the dense layer stays, as in transformers.
    const auto turned = newHead(kEncoders + "roberta_classes", {"yes", "maybe", "no"});
    CHECK_OK(turned);
    QVERIFY(valuesOf(turned->made, "classifier.out.weight") !=
            valuesOf(turned->original, "classifier.out.weight"));
    QVERIFY(valuesOf(turned->made, "classifier.dense.weight") ==
            valuesOf(turned->original, "classifier.dense.weight"));
    QTemporaryDir folder;
    const auto target = folder.path().toStdString() + "/out";
    CHECK_OK(write(turned.value(), target));
    const auto back = test::openModel(target);
    CHECK_OK(back);
    QCOMPARE(back->layout.labels, (std::vector<std::string>{"yes", "maybe", "no"}));
}

void TestNewHeads::refusals() {
    QTemporaryDir folder;
    const auto path = folder.path().toStdString() + "/llama";
    test::writeTinyLlama(path);
    const auto decoder = test::openModel(path);
    CHECK_OK(decoder);
    QCOMPARE(errorName(withClassifier(decoder->layout, {"a", "b"})), std::string("TaskUnfit"));
    test::writeTinyT5(folder.path().toStdString() + "/t5");
    const auto seq2seq = test::openModel(folder.path().toStdString() + "/t5");
    CHECK_OK(seq2seq);
    QCOMPARE(errorName(withClassifier(seq2seq.value(), {"a", "b"}, 0)), std::string("TaskUnfit"));
    const auto encoder = test::openModel(kEncoders + "bert_bare");
    CHECK_OK(encoder);
    QCOMPARE(errorName(withClassifier(encoder->layout, {})), std::string("TaskInvalid"));
    QCOMPARE(errorName(withClassifier(encoder->layout, {"a", "a"})), std::string("TaskInvalid"));
}

void TestNewHeads::headsOfTokens_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"bert_tokens", "roberta_tokens", "distilbert_tokens", "distilbert_answer", "mpnet_answer",
                             "albert_answer"}) {
        QTest::newRow(name) << QString::fromLatin1(name);
    }
}

/// What transformers wrote with such a head, given a classifier and then its own kind of head again, lies in a folder
/// as it lay before; the encoder's weights are the same, the head is drawn.
void TestNewHeads::headsOfTokens() {
    QFETCH(QString, name);
    auto test = newHead(kEncoders + name.toStdString(), labelsOfGolden());
    CHECK_OK(test);
    const auto& original = test->original;
    const bool tags = original.layout.outputs == Outputs::TokenClasses;
    const auto made = tags ? withTagger(test->made, original.layout.labels, 3) : withAnswerHead(test->made, 3);
    CHECK_OK(made);
    QVERIFY(made->layout.outputs == original.layout.outputs);
    QVERIFY(sourcesOf(made->layout) == sourcesOf(original.layout));
    const std::string head = made->layout.head.back().layer;
    for (const auto& [tensor, values] : original.tensors) {
        const bool same = dequantize(made->tensors.at(tensor)) == dequantize(values);
        QVERIFY2(tensor == head + ".weight" ? !same : same || tensor == head + ".bias", tensor.c_str());
    }
    test->made = made.value();
    QTemporaryDir folder;
    const auto target = folder.path().toStdString() + "/out";
    const auto outcome = write(test.value(), target);
    CHECK_OK(outcome);
    QVERIFY(outcome->verified);
    const auto back = test::openModel(target);
    CHECK_OK(back);
    QCOMPARE(back->layout.labels, original.layout.labels);
    QVERIFY(weightsHash(back.value()) == weightsHash(made.value()));
    // Other tags are other classes; the same ones change nothing.
    if (tags) {
        const auto kept = withTagger(original, original.layout.labels, 3);
        CHECK_OK(kept);
        QCOMPARE(weightsHash(kept.value()), weightsHash(original));
        test->made = withTagger(original, {"O", "B-X"}, 3).value();
        const auto other = folder.path().toStdString() + "/other";
        CHECK_OK(write(test.value(), other));
        const auto opened = test::openModel(other);
        CHECK_OK(opened);
        QVERIFY(opened->layout.outputs == Outputs::TokenClasses);
        QCOMPARE(opened->layout.labels, (std::vector<std::string>{"O", "B-X"}));
    }
}

void TestNewHeads::sentenceFolderBecomesPlain() {
    QTemporaryDir folder;
    const auto source = folder.path().toStdString() + "/sentence";
    test::writeTinySentenceClassifier(source);
    const auto kept = newHead(source, {"a", "b"});
    CHECK_OK(kept);
    QCOMPARE(weightsHash(kept->made), weightsHash(kept->original));
    const auto made = newHead(source, {"x", "y", "z"});
    CHECK_OK(made);
    const auto target = folder.path().toStdString() + "/out";
    const auto outcome = write(made.value(), target);
    CHECK_OK(outcome);
    for (const auto& entry : fs::directory_iterator(target)) {
        QVERIFY2(!entry.is_directory(), entry.path().c_str());
    }
    QVERIFY(!fs::exists(target + "/modules.json"));
    QVERIFY(fs::exists(target + "/tokenizer.json"));
    const auto back = test::openModel(target);
    CHECK_OK(back);
    QCOMPARE(weightsHash(back.value()), weightsHash(made->made));
}

void TestNewHeads::nestedTransformer() {
    QTemporaryDir folder;
    const fs::path source = fs::path(folder.path().toStdString()) / "nested";
    fs::copy(kEncoders + "mpnet_sentence", source, fs::copy_options::recursive);
    fs::create_directories(source / "0_Transformer");
    fs::rename(source / "config.json", source / "0_Transformer/config.json");
    fs::rename(source / "model.safetensors", source / "0_Transformer/model.safetensors");
    test::writeText((source / "0_Transformer/vocab.txt").string(),
                    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n");
    auto modules = readJsonFile((source / "modules.json").string());
    CHECK_OK(modules);
    modules.value()[0]["path"] = "0_Transformer";
    test::writeText((source / "modules.json").string(), modules->dump());
    const auto made = newHead(source.string(), labelsOfGolden());
    CHECK_OK(made);
    const auto target = folder.path().toStdString() + "/out";
    const auto outcome = write(made.value(), target);
    CHECK_OK(outcome);
    QVERIFY(outcome->notes.empty());
    for (const char* name : {"config.json", "model.safetensors", "vocab.txt"}) {
        QVERIFY2(fs::exists(fs::path(target) / name), name);
    }
    QVERIFY(!fs::exists(target + "/0_Transformer"));
}

/// Names of two kinds of file meet: the encoder's are GGUF's, the written folder's transformers'.
void TestNewHeads::gguf() {
    const auto made = newHead(kEncoders + "bert_bare.gguf", labelsOfGolden());
    CHECK_OK(made);
    QTemporaryDir folder;
    const auto target = folder.path().toStdString() + "/out";
    CHECK_OK(write(made.value(), target));
    const auto back = test::openModel(target);
    CHECK_OK(back);
    QCOMPARE(weightsHash(back.value()), weightsHash(made->made));
    QVERIFY(sourcesOf(back->layout) == sourcesOf(made->made.layout));
    QCOMPARE(back->layout.labels, labelsOfGolden());
}

QTEST_GUILESS_MAIN(TestNewHeads)
#include "tst_new_heads.moc"
