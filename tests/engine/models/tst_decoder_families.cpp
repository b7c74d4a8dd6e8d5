// Every decoder family against transformers: tests/golden/models/make_decoders.py.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "engine/models/generate.h"
#include "tests/engine/models/golden.h"

using namespace pareto;
using namespace pareto::test;
namespace fs = std::filesystem;

namespace {

const std::string kDecoders = kGolden + "decoders/";

/// The folder with some fields of its config.json replaced.
std::string variantOf(const std::string& folder, const Json& changes, const std::string& target) {
    fs::create_directories(target);
    fs::copy_file(folder + "/model.safetensors", target + "/model.safetensors");
    Json config = readJsonFile(folder + "/config.json").value();
    for (const auto& [key, value] : changes.items()) {
        config[key] = value;
    }
    std::ofstream(target + "/config.json") << config.dump();
    return target;
}

std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(kDecoders)) {
        if (entry.path().extension() == ".json") {
            out.push_back(entry.path().stem().string());
        }
    }
    std::sort(out.begin(), out.end());
    return out;
}

/// Logits at every position, likelihoods, and the text that follows.
void compare(const std::string& path, const Json& ids, std::size_t prompt, const Json& expected) {
    auto runnable = prepare(path);
    CHECK_OK(runnable);
    auto& decoder = *runnable->decoder;
    const auto tokens = idsOf(ids);
    auto logits = decoder.logits(tokens, {});
    CHECK_OK(logits);
    double worst = 0.0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        worst = std::max(worst, largestDifference(logits->row(static_cast<std::int64_t>(i)),
                                                  expected["logits"][i]));
    }
    QVERIFY2(worst < 2e-4, qPrintable(QStringLiteral("logits differ by %1").arg(worst)));
    auto nll = decoder.negativeLogLikelihoods(tokens, {});
    CHECK_OK(nll);
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
        const auto row = expected["logits"][i].get<std::vector<double>>();
        double sum = 0.0;
        for (const double logit : row) {
            sum += std::exp(logit - row[static_cast<std::size_t>(tokens[i + 1])]);
        }
        QVERIFY(std::fabs(std::log(sum) - static_cast<double>(nll.value()[i])) < 1e-3);
    }
    models::GenerateOptions options;
    options.maxTokens = static_cast<std::int64_t>(expected["greedy"].size());
    auto made = models::generate(
        decoder, {tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(prompt)}, options,
        {}, {});
    CHECK_OK(made);
    QCOMPARE(made->ids, idsOf(expected["greedy"]));
}

}  // namespace

class TestDecoderFamilies : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void folder_data();
    void folder();
    void variant_data();
    void variant();
    void gguf_data();
    void gguf();
    void gemmaInsideAVisionModel();
    void slidingWindowsStandInTheLayout();
};

void TestDecoderFamilies::folder_data() {
    QTest::addColumn<QString>("name");
    for (const auto& name : names()) {
        QTest::newRow(name.c_str()) << QString::fromStdString(name);
    }
}

void TestDecoderFamilies::folder() {
    QFETCH(QString, name);
    const Json expected = golden("decoders/" + name.toStdString() + ".json");
    QVERIFY(expected.is_object());
    compare(kDecoders + name.toStdString(), expected["ids"], expected["prompt"], expected);
}

void TestDecoderFamilies::variant_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<int>("index");
    for (const auto& name : names()) {
        const Json expected = golden("decoders/" + name + ".json");
        for (std::size_t i = 0; i < expected["variants"].size(); ++i) {
            const auto label = name + ": " + expected["variants"][i]["name"].get<std::string>();
            QTest::newRow(label.c_str()) << QString::fromStdString(name) << static_cast<int>(i);
        }
    }
}

void TestDecoderFamilies::variant() {
    QFETCH(QString, name);
    QFETCH(int, index);
    const Json expected = golden("decoders/" + name.toStdString() + ".json");
    const Json& one = expected["variants"][static_cast<std::size_t>(index)];
    QTemporaryDir target;
    const auto folder = variantOf(kDecoders + name.toStdString(), one["config"],
                                  target.filePath(QStringLiteral("model")).toStdString());
    compare(folder, expected["ids"], expected["prompt"], one);
}

void TestDecoderFamilies::gguf_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("variant");
    for (const auto& entry : fs::directory_iterator(kDecoders)) {
        if (entry.path().extension() == ".gguf") {
            const auto parts =
                QString::fromStdString(entry.path().stem().string()).split(QLatin1Char('.'));
            QTest::newRow(entry.path().stem().c_str())
                << QString::fromStdString(entry.path().string()) << parts[0]
                << (parts.size() > 1 ? parts[1] : QString());
        }
    }
}

/// "llama_rope.yarn.gguf" gives what the variant "yarn" of llama_rope gives.
void TestDecoderFamilies::gguf() {
    QFETCH(QString, file);
    QFETCH(QString, name);
    QFETCH(QString, variant);
    const Json expected = golden("decoders/" + name.toStdString() + ".json");
    const Json* meant = variant.isEmpty() ? &expected : nullptr;
    for (const auto& one : expected["variants"]) {
        meant = one["name"] == variant.toStdString() ? &one : meant;
    }
    QVERIFY(meant != nullptr);
    compare(file.toStdString(), expected["ids"], expected["prompt"], *meant);
}

void TestDecoderFamilies::gemmaInsideAVisionModel() {
    const Json expected = golden("decoders/gemma3.json");
    compare(kDecoders + "gemma3_nested", expected["ids"], expected["prompt"], expected);
}

void TestDecoderFamilies::slidingWindowsStandInTheLayout() {
    auto model = openModel(kDecoders + "gemma3");
    CHECK_OK(model);
    const auto& blocks = model->layout.blocks;
    QCOMPARE(blocks.size(), std::size_t{6});
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        QCOMPARE(blocks[i].window, std::int64_t{i == 5 ? 0 : 5});
        QCOMPARE(blocks[i].rope, i == 5 ? 0 : 1);
    }
    QCOMPARE(model->layout.ropes[0].theta, 1e6);
    QCOMPARE(model->layout.ropes[1].theta, 1e4);
}

QTEST_GUILESS_MAIN(TestDecoderFamilies)
#include "tst_decoder_families.moc"
