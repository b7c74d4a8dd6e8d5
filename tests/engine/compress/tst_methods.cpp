// The compression methods against tests/golden/compress, which make_methods.py wrote.
#include <QtTest>

#include <cmath>

#include "engine/compress/prune/l1_reconstruction.h"
#include "engine/compress/prune/magnitude.h"
#include "engine/compress/prune/sparsegpt.h"
#include "engine/compress/prune/wanda.h"
#include "engine/compress/quantize/gptq.h"
#include "tests/engine/compress/method_layers.h"

using namespace pareto;
using compress::SparsityPattern;

namespace {

Json golden(const std::string& name) {
    return readJsonFile(PARETO_SOURCE_DIR "/tests/golden/compress/" + name).value();
}

std::map<std::string, test::MethodLayer> layersOf(const Json& file) {
    std::map<std::string, test::MethodLayer> out;
    for (const auto& [name, description] : file["layers"].items()) {
        out.emplace(name, test::layerOf(description));
    }
    return out;
}

/// What a failing case prints: everything but its numbers.
std::string headOf(Json item) {
    for (const char* key : {"codes", "scales", "zeros", "values", "fallen"}) {
        item.erase(key);
    }
    return item.dump();
}

bool near(float found, double expected, double tolerance) {
    return std::fabs(found - expected) <= tolerance * (1.0 + std::fabs(expected));
}

SparsityPattern patternOf(const Json& pattern) {
    const auto tile = pattern.value("tile", std::vector<int>{1, 1});
    return {pattern.value("ratio", 0.0), pattern.value("keep", 0), pattern.value("group", 0),
            tile.at(0), tile.at(1)};
}

/// Codes exactly, scales as the fp32 sums of error feedback leave them.
void compareCodes(const Tensor& found, const Json& item) {
    const std::string head = headOf(item);
    QVERIFY2(test::codesOf(found) == item["codes"].get<std::vector<int>>(), head.c_str());
    const auto scales = found.quantized().scales.as<float>();
    QCOMPARE(scales.size(), item["scales"].size());
    for (std::size_t at = 0; at < scales.size(); ++at) {
        QVERIFY2(near(scales[at], item["scales"][at].get<double>(), 1e-5), head.c_str());
    }
    const auto zeros = found.quantized().zeroPoints.as<std::int8_t>();
    if (!found.quantized().format.symmetric) {
        QVERIFY2(std::ranges::equal(zeros, item["zeros"].get<std::vector<int>>()), head.c_str());
    } else {
        QVERIFY(zeros.empty());
    }
}

void comparePruned(const test::MethodLayer& layer, const Tensor& found, const Json& item) {
    const auto values = dequantize(found);
    const auto fallen = item["fallen"].get<std::vector<int>>();
    for (std::size_t at = 0; at < values.size(); ++at) {
        QVERIFY2(values[at] == (fallen[at] == 1 ? 0.0F : layer.values[at]), headOf(item).c_str());
    }
}

void compareValues(const Tensor& found, const Json& item, double tolerance) {
    const auto values = found.dense().values.as<float>();
    for (std::size_t at = 0; at < values.size(); ++at) {
        const double expected = item["values"][at];
        QVERIFY2(near(values[at], expected, tolerance) && (values[at] == 0.0F) == (expected == 0.0),
                 headOf(item).c_str());
    }
}

}  // namespace

class TestMethods : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void inverseFactorIsWhatGptqCalls();
    void productsAgreeWithPlainSums();
    void gptq();
    void pruning();
};

void TestMethods::inverseFactorIsWhatGptqCalls() {
    const auto layer = test::correlatedLayer(1, 37, 3);
    const auto& h = layer.statistics.hessian;
    constexpr std::size_t n = 37;
    std::vector<double> factor(h.begin(), h.end());
    QVERIFY(compress::plainMath().inverseFactor(factor, n));
    // H · UᵀU = 1, U upper triangular with a positive diagonal.
    for (std::size_t i = 0; i < n; ++i) {
        QVERIFY(factor[i * n + i] > 0.0);
        for (std::size_t j = 0; j < i; ++j) {
            QCOMPARE(factor[i * n + j], 0.0);
        }
        for (std::size_t j = 0; j < n; ++j) {
            double sum = 0.0;
            for (std::size_t k = 0; k < n; ++k) {
                for (std::size_t m = 0; m < n; ++m) {
                    sum +=
                        static_cast<double>(h[i * n + k]) * factor[m * n + k] * factor[m * n + j];
                }
            }
            QVERIFY(std::fabs(sum - (i == j ? 1.0 : 0.0)) < 1e-9);
        }
    }
    std::vector<double> indefinite{1.0, 2.0, 2.0, 1.0};
    QVERIFY(!compress::plainMath().inverseFactor(indefinite, 2));
    std::vector<double> notANumber{std::nan(""), 0.0, 0.0, 1.0};
    QVERIFY(!compress::plainMath().inverseFactor(notANumber, 2));
}

void TestMethods::productsAgreeWithPlainSums() {
    const auto layer = test::correlatedLayer(9, 600, 4);
    const auto& b = layer.statistics.hessian;  // any 600 × 600 values
    for (const std::int64_t depth : {1, 3, 4, 17}) {
        std::vector<float> c(9 * 600, 2.0F);
        compress::MatrixProduct product;
        product.rows = 9;
        product.cols = 590;
        product.depth = depth;
        product.a = layer.values.data() + 5;
        product.b = b.data() + 7;
        product.c = c.data() + 3;
        product.strideA = product.strideB = product.strideC = 600;
        product.alpha = -0.5F;
        product.beta = depth == 3 ? 0.0F : depth == 4 ? 1.0F : 0.25F;
        if (depth == 3) {
            c[3] = std::nanf("");
        }
        compress::plainMath().multiply(product);
        for (std::size_t row = 0; row < 9; ++row) {
            for (std::size_t col = 0; col < 590; ++col) {
                double sum = product.beta * 2.0;
                for (std::size_t k = 0; k < static_cast<std::size_t>(depth); ++k) {
                    sum -= 0.5 * layer.values[row * 600 + 5 + k] * b[k * 600 + 7 + col];
                }
                QVERIFY(near(c[row * 600 + 3 + col], sum, 1e-5));
            }
            QCOMPARE(c[row * 600 + 2], 2.0F);
            QCOMPARE(c[row * 600 + 593], 2.0F);
        }
    }
}

void TestMethods::gptq() {
    const Json file = golden("gptq.json");
    const auto layers = layersOf(file);
    int cases = 0;
    for (const auto& item : file["cases"]) {
        const auto& layer = layers.at(item["layer"]);
        compress::GptqOptions options;
        options.actOrder = item["actOrder"];
        options.staticGroups = item["staticGroups"];
        options.keepZeros = false;  // the paper knows no weights that were pruned before
        for (const std::int64_t block : {128, 7}) {
            options.blockSize = block;
            const auto found = compress::quantizeGptq(layer.weight(), test::formatOf(item["form"]),
                                                      options, layer.statistics, {});
            QVERIFY2(found.ok(), test::failureOf(found).c_str());
            compareCodes(found.value(), item);
        }
        ++cases;
    }
    QCOMPARE(cases, 139);
}

void TestMethods::pruning() {
    const Json file = golden("prune.json");
    const auto layers = layersOf(file);
    std::map<std::string, int> cases;
    for (const auto& item : file["cases"]) {
        const auto& layer = layers.at(item["layer"]);
        const SparsityPattern pattern = patternOf(item["pattern"]);
        const std::string method = item["method"];
        ++cases[method];
        if (method == "magnitude") {
            comparePruned(layer, compress::pruneMagnitude(layer.weight(), pattern), item);
            continue;
        }
        if (method == "wanda") {
            const auto found = compress::pruneWanda(layer.weight(), pattern, layer.statistics, {});
            QVERIFY2(found.ok(), test::failureOf(found).c_str());
            comparePruned(layer, found.value(), item);
            continue;
        }
        if (method == "l1") {
            compress::L1Options options;
            options.pattern = pattern;
            options.iterations = options.refitIterations = 3000;  // until it stands still
            const auto found = compress::pruneL1(layer.weight(), options, layer.statistics, {});
            QVERIFY2(found.ok(), test::failureOf(found).c_str());
            QVERIFY(near(static_cast<float>(found.value().lambda), item["lambda"], 1e-5));
            compareValues(found.value().weight, item, 2e-3);
            continue;
        }
        compress::SparseGptOptions options;
        options.pattern = pattern;
        if (item.contains("form")) {
            options.codes = test::formatOf(item["form"]);
        }
        const auto found = compress::pruneSparseGpt(layer.weight(), options, layer.statistics, {});
        QVERIFY2(found.ok(), test::failureOf(found).c_str());
        if (options.codes) {
            compareCodes(found.value(), item);
            continue;
        }
        compareValues(found.value(), item, 1e-4);
    }
    QCOMPARE(cases["l1"], 36);
    QCOMPARE(cases["wanda"], 45);
    QCOMPARE(cases["sparsegpt"], 174);
    QCOMPARE(cases["magnitude"], 35);
}

QTEST_GUILESS_MAIN(TestMethods)
#include "tst_methods.moc"
