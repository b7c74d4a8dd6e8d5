// Pruning by Fisher information, against tests/golden/compress/fisher.json and by property.
#include <QtTest>

#include <cmath>

#include "engine/compress/prune/fisher.h"
#include "engine/compress/prune/magnitude.h"
#include "engine/core/random.h"
#include "tests/engine/compress/method_layers.h"

using namespace pareto;
using compress::BlockFisher;
using compress::FisherOptions;
using compress::LayerContext;

namespace {

struct Sampled {
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::vector<float> values;
    std::vector<std::vector<float>> gradients;

    Tensor weight() const { return denseTensor(Shape{rows, cols}, values); }
    BlockFisher fisher(std::int64_t width, const ParallelFor& parallel = serialFor) const {
        BlockFisher out(rows, cols, width);
        for (const auto& gradient : gradients) {
            out.add(gradient, parallel);
        }
        return out;
    }
    /// Σ over blocks of dᵀ·F·d with d = now − weight, what the loss rises by.
    double harm(const Tensor& now, std::int64_t width) const {
        const auto after = dequantize(now);
        double sum = 0.0;
        for (const auto& g : gradients) {
            for (std::int64_t row = 0; row < rows; ++row) {
                for (std::int64_t begin = 0; begin < cols; begin += width) {
                    double along = 0.0;
                    for (std::int64_t col = begin; col < std::min(begin + width, cols); ++col) {
                        const auto at = static_cast<std::size_t>(row * cols + col);
                        along += (static_cast<double>(after[at]) - values[at]) * g[at];
                    }
                    sum += along * along;
                }
            }
        }
        return sum / static_cast<double>(gradients.size());
    }
};

Sampled sampledOf(const Json& json) {
    Sampled out;
    out.rows = json["rows"];
    out.cols = json["cols"];
    out.values = test::dividedBy(1024.0F, json["weight1024"]);
    const auto all = test::dividedBy(64.0F, json["gradients64"]);
    const auto size = static_cast<std::ptrdiff_t>(out.values.size());
    for (auto from = all.begin(); from != all.end(); from += size) {
        out.gradients.emplace_back(from, from + size);
    }
    return out;
}

Sampled random(std::int64_t rows, std::int64_t cols, std::uint64_t seed) {
    RandomStream stream(seed, "fisher");
    Sampled out;
    out.rows = rows;
    out.cols = cols;
    for (std::int64_t at = 0; at < rows * cols; ++at) {
        out.values.push_back(static_cast<float>(stream.normal()));
    }
    for (int sample = 0; sample < 50; ++sample) {
        std::vector<float> gradient;
        double shared = 0.0;
        for (std::int64_t at = 0; at < rows * cols; ++at) {
            shared = at % 4 == 0 ? stream.normal() : shared;
            gradient.push_back(static_cast<float>(shared + 0.5 * stream.normal()) * (at % 3 == 0 ? 3.0F : 0.3F));
        }
        out.gradients.push_back(std::move(gradient));
    }
    return out;
}

FisherOptions half() {
    FisherOptions out;
    out.pattern.ratio = 0.5;
    return out;
}

std::int64_t zerosOf(const Tensor& tensor) {
    const auto values = dequantize(tensor);
    return std::count(values.begin(), values.end(), 0.0F);
}

}  // namespace

class TestFisher : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void golden();
    void betterThanMagnitude();
    void zerosStay();
    void sameForAnyThreads();
    void failures();
};

void TestFisher::golden() {
    const Json file = readJsonFile(PARETO_SOURCE_DIR "/tests/golden/compress/fisher.json").value();
    QCOMPARE(file["cases"].size(), 15U);
    for (const auto& item : file["cases"]) {
        const Json& description = file["layers"][item["layer"].get<std::size_t>()];
        const Sampled layer = sampledOf(description);
        QCOMPARE(static_cast<std::int64_t>(layer.gradients.size()), description["samples"].get<std::int64_t>());
        FisherOptions options;
        options.damping = file["damping"];
        options.pattern.ratio = item.value("ratio", 0.0);
        options.pattern.keepOf = item.value("keep", 0);
        options.pattern.groupOf = item.value("group", 0);
        if (item.contains("tile")) {
            options.pattern.tileRows = item["tile"][0];
            options.pattern.tileCols = item["tile"][1];
        }
        const auto found = compress::pruneByFisher(layer.weight(), layer.fisher(description["width"]), options, {});
        QVERIFY2(found.ok(), test::failureOf(found).c_str());
        const auto values = dequantize(found.value());
        for (std::size_t at = 0; at < values.size(); ++at) {
            const double expected = item["values"][at];
            QVERIFY2((values[at] == 0.0F) == (expected == 0.0) &&
                         std::fabs(values[at] - expected) < 1e-4 * (1.0 + std::fabs(expected)),
                     qPrintable(QStringLiteral("layer %1, value %2: %3 instead of %4")
                                    .arg(item["layer"].get<int>()).arg(at).arg(values[at]).arg(expected)));
        }
    }
}

void TestFisher::betterThanMagnitude() {
    const Sampled layer = random(12, 40, 1);
    const auto found = compress::pruneByFisher(layer.weight(), layer.fisher(16), half(), {});
    QVERIFY(found.ok());
    QCOMPARE(zerosOf(found.value()), 240);
    const Tensor plain = compress::pruneMagnitude(layer.weight(), 0.5);
    QVERIFY(layer.harm(found.value(), 16) < 0.3 * layer.harm(plain, 16));
}

/// A second round takes more away and nothing comes back.
void TestFisher::zerosStay() {
    const Sampled layer = random(8, 24, 2);
    FisherOptions first = half();
    first.pattern.ratio = 0.25;
    Sampled again = layer;
    again.values = dequantize(compress::pruneByFisher(layer.weight(), layer.fisher(8), first, {}).value());
    const auto after = dequantize(compress::pruneByFisher(again.weight(), again.fisher(8), half(), {}).value());
    for (std::size_t at = 0; at < after.size(); ++at) {
        QVERIFY(again.values[at] != 0.0F || after[at] == 0.0F);
    }
    QCOMPARE(std::count(after.begin(), after.end(), 0.0F), 96);
}

void TestFisher::sameForAnyThreads() {
    const Sampled layer = random(23, 50, 3);
    LayerContext pieces;
    pieces.parallel = test::inPieces;
    QVERIFY(test::sameBytes(
        compress::pruneByFisher(layer.weight(), layer.fisher(16), half(), {}).value(),
        compress::pruneByFisher(layer.weight(), layer.fisher(16, test::inPieces), half(), pieces).value()));
}

void TestFisher::failures() {
    const auto failure = [](const Sampled& layer, const LayerContext& context = {}) {
        return test::failureOf(compress::pruneByFisher(layer.weight(), layer.fisher(8), half(), context));
    };
    Sampled layer = random(4, 16, 4);
    LayerContext stopped;
    std::stop_source source;
    source.request_stop();
    stopped.stop = source.get_token();
    QCOMPARE(failure(layer, stopped), "cancelled");
    layer.gradients[3][5] = std::nanf("");
    QVERIFY(failure(layer).find("its gradients are not finite") != std::string::npos);
    for (auto& gradient : layer.gradients) {
        std::fill(gradient.begin(), gradient.end(), 0.0F);
    }
    QVERIFY(failure(layer).find("no gradient reached the layer") != std::string::npos);
    layer.values[7] = INFINITY;
    QVERIFY(failure(layer).starts_with("TensorValues"));
    const BlockFisher other(4, 8, 8);
    QVERIFY(test::failureOf(compress::pruneByFisher(layer.weight(), other, half(), {})).starts_with("TensorShape"));
}

QTEST_GUILESS_MAIN(TestFisher)
#include "tst_fisher.moc"
