#include <QtTest>

#include <cmath>

#include "engine/compress/pipeline.h"
#include "engine/compress/prune/structure.h"
#include "tests/engine/weights/tiny_models.h"

using namespace pareto;
using namespace pareto::compress;

namespace {

using Rows = std::vector<std::vector<float>>;

LoadedModel load(const auto& sizes) {
    QTemporaryDir folder;
    const std::string path = folder.path().toStdString();
    if (!test::writeTiny(path, sizes).ok()) {
        qFatal("the tiny model could not be written");
    }
    return test::loadFolder(path).value();
}

Rows randomRows(std::size_t count, std::int64_t width) {
    Rows rows;
    for (std::size_t row = 0; row < count; ++row) {
        rows.push_back(test::randomValues(width, 100 + row));
    }
    return rows;
}

Rows linear(const LoadedModel& model, const std::string& name, const Rows& in) {
    const LayerInfo* layer = model.layout.findLayer(name);
    const auto weight = dequantize(model.weight(*layer));
    const Tensor* bias = model.bias(*layer);
    Rows out;
    for (const auto& x : in) {
        auto y = bias != nullptr ? dequantize(*bias)
                                 : std::vector<float>(static_cast<std::size_t>(layer->rows));
        for (std::size_t row = 0; row < y.size(); ++row) {
            for (std::size_t col = 0; col < x.size(); ++col) {
                y[row] += weight[row * x.size() + col] * x[col];
            }
        }
        out.push_back(std::move(y));
    }
    return out;
}

/// Multi-head attention with grouped keys and values, no positions: what removing heads must preserve.
Rows attention(const LoadedModel& model, int number, const Rows& in) {
    const BlockInfo& block = model.layout.blocks[static_cast<std::size_t>(number)];
    const std::string base = block.name + ".attention.";
    const Rows query = linear(model, base + "query", in);
    const Rows key = linear(model, base + "key", in);
    const Rows value = linear(model, base + "value", in);
    const auto dim = static_cast<std::size_t>(model.layout.headDim);
    Rows context(in.size(), std::vector<float>(static_cast<std::size_t>(block.heads) * dim));
    for (std::size_t head = 0; head < static_cast<std::size_t>(block.heads); ++head) {
        const std::size_t shared = head / static_cast<std::size_t>(block.heads / block.kvHeads);
        for (std::size_t at = 0; at < in.size(); ++at) {
            std::vector<double> scores;
            double sum = 0.0;
            for (std::size_t other = 0; other < in.size(); ++other) {
                double dot = 0.0;
                for (std::size_t i = 0; i < dim; ++i) {
                    dot += static_cast<double>(query[at][head * dim + i]) *
                           key[other][shared * dim + i];
                }
                scores.push_back(std::exp(dot / std::sqrt(static_cast<double>(dim))));
                sum += scores.back();
            }
            for (std::size_t other = 0; other < in.size(); ++other) {
                for (std::size_t i = 0; i < dim; ++i) {
                    context[at][head * dim + i] +=
                        static_cast<float>(scores[other] / sum * value[other][shared * dim + i]);
                }
            }
        }
    }
    return linear(model, base + "output", context);
}

Rows feedForward(const LoadedModel& model, int number, const Rows& in) {
    const std::string base = model.layout.blocks[static_cast<std::size_t>(number)].name + ".ffn.";
    if (!model.layout.isDecoder()) {
        Rows hidden = linear(model, base + "in", in);
        for (auto& row : hidden) {
            for (auto& x : row) {
                x = x * 0.5F * (1.0F + std::erf(x / std::sqrt(2.0F)));
            }
        }
        return linear(model, base + "out", hidden);
    }
    Rows gate = linear(model, base + "gate", in);
    const Rows up = linear(model, base + "up", in);
    for (std::size_t row = 0; row < gate.size(); ++row) {
        for (std::size_t i = 0; i < gate[row].size(); ++i) {
            const float x = gate[row][i];
            gate[row][i] = x / (1.0F + std::exp(-x)) * up[row][i];
        }
    }
    return linear(model, base + "down", gate);
}

double distance(const Rows& a, const Rows& b) {
    double most = 0.0;
    for (std::size_t row = 0; row < a.size(); ++row) {
        for (std::size_t i = 0; i < a[row].size(); ++i) {
            most = std::max(most, std::fabs(static_cast<double>(a[row][i]) - b[row][i]));
        }
    }
    return most;
}

/// Multiplies rows or columns [begin, end) of a layer's weight.
void scale(LoadedModel& model, const std::string& layer, bool columns, std::int64_t begin,
           std::int64_t end, float factor) {
    const std::string name = layer + ".weight";
    const Shape shape = model.tensors.at(name).shape;
    auto values = dequantize(model.tensors.at(name));
    for (std::int64_t row = 0; row < shape[0]; ++row) {
        for (std::int64_t col = 0; col < shape[1]; ++col) {
            const std::int64_t line = columns ? col : row;
            if (line >= begin && line < end) {
                values[static_cast<std::size_t>(row * shape[1] + col)] *= factor;
            }
        }
    }
    model.tensors.insert_or_assign(name, denseTensor(shape, values));
}

Result<CompressedModel> pruneBy(const LoadedModel& model, PrunePattern pattern, double ratio) {
    Recipe recipe;
    recipe.prune = {{PruneMethod::L1, pattern, ratio}};
    Progress progress;
    return compress::compress(model, recipe, progress, {});
}

}  // namespace

class TestStructure : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void importanceIsTheL1Norm();
    void weakestGoesFirst();
    void headWithoutOutputIsRemoved_data();
    void headWithoutOutputIsRemoved();
    void neuronWithoutOutputIsRemoved_data();
    void neuronWithoutOutputIsRemoved();
    void biasesFollowTheirRows();
    void blocksAreRenumbered();
    void oneUnitStays();
};

void TestStructure::importanceIsTheL1Norm() {
    const LoadedModel model = load(test::TinyLlama{});
    const auto attentionNorms = unitImportance(model, 0);
    QCOMPARE(attentionNorms.size(), std::size_t{3});
    // Key/value head 1: its 8 key and value rows, query rows of heads 2 and 3, and their columns.
    double expected = 0.0;
    const auto add = [&](const char* part, bool columns, std::int64_t begin, std::int64_t end) {
        const Tensor& weight =
            model.tensors.at(std::string("decoder.layer.0.attention.") + part + ".weight");
        const auto values = dequantize(weight);
        for (std::int64_t at = 0; at < weight.shape.elements(); ++at) {
            const std::int64_t line = columns ? at % weight.shape[1] : at / weight.shape[1];
            if (line >= begin && line < end) {
                expected += std::fabs(static_cast<double>(values[static_cast<std::size_t>(at)]));
            }
        }
    };
    add("query", false, 16, 32);
    add("key", false, 8, 16);
    add("value", false, 8, 16);
    add("output", true, 16, 32);
    QVERIFY(std::fabs(attentionNorms[1] - expected) < 1e-9 * expected);
    QCOMPARE(unitImportance(model, 1).size(), std::size_t{48});
}

void TestStructure::weakestGoesFirst() {
    using Kept = std::vector<std::int64_t>;
    QCOMPARE(keepStrongest({3, 1, 2, 5}, 2), (Kept{0, 3}));
    QCOMPARE(keepStrongest({1, 1, 1}, 1), (Kept{1, 2}));
    QCOMPARE(keepStrongest({1, 1, 1}, 0), (Kept{0, 1, 2}));
}

void TestStructure::headWithoutOutputIsRemoved_data() {
    QTest::addColumn<bool>("decoder");
    QTest::newRow("encoder: head 2") << false;
    QTest::newRow("decoder: key/value head 2 with its two query heads") << true;
}

void TestStructure::headWithoutOutputIsRemoved() {
    QFETCH(bool, decoder);
    test::TinyLlama llama;
    llama.attentionBias = true;
    LoadedModel model = decoder ? load(llama) : load(test::TinyBert{});
    const std::string base = model.layout.blocks[1].name + ".attention.";
    const std::int64_t perHead = model.layout.headDim;
    const std::int64_t queries = decoder ? 2 * perHead : perHead;
    scale(model, base + "output", true, 2 * queries, 3 * queries, 0.0F);
    scale(model, base + "value", false, 2 * perHead, 3 * perHead, 0.1F);
    scale(model, base + "query", false, 2 * queries, 3 * queries, 0.1F);
    const auto result = pruneBy(model, PrunePattern::Heads, decoder ? 0.34 : 0.25);
    QVERIFY(result.ok());
    const LoadedModel& out = result.value().model;
    QCOMPARE(out.layout.blocks[1].kvHeads, model.layout.blocks[1].kvHeads - 1);
    QCOMPARE(out.layout.blocks[1].heads, model.layout.blocks[1].heads - (decoder ? 2 : 1));
    const Rows in = randomRows(5, model.layout.hidden);
    QVERIFY(distance(attention(model, 1, in), attention(out, 1, in)) < 1e-5);
    // The block whose weakest head does have an output changes: the comparison can fail.
    QVERIFY(distance(attention(model, 0, in), attention(out, 0, in)) > 1e-2);
}

void TestStructure::neuronWithoutOutputIsRemoved_data() {
    QTest::addColumn<bool>("decoder");
    QTest::newRow("encoder") << false;
    QTest::newRow("decoder") << true;
}

void TestStructure::neuronWithoutOutputIsRemoved() {
    QFETCH(bool, decoder);
    LoadedModel model = decoder ? load(test::TinyLlama{}) : load(test::TinyBert{});
    const std::string base = model.layout.blocks[0].name + ".ffn.";
    const std::int64_t half = model.layout.blocks[0].neurons / 2;
    scale(model, base + (decoder ? "down" : "out"), true, 0, half, 0.0F);
    scale(model, base + (decoder ? "gate" : "in"), false, 0, half, 0.01F);
    if (decoder) {
        scale(model, base + "up", false, 0, half, 0.01F);
    }
    const auto result = pruneBy(model, PrunePattern::Neurons, 0.5);
    QVERIFY(result.ok());
    const LoadedModel& out = result.value().model;
    QCOMPARE(out.layout.blocks[0].neurons, half);
    const Rows in = randomRows(4, model.layout.hidden);
    QVERIFY(distance(feedForward(model, 0, in), feedForward(out, 0, in)) < 1e-5);
    QVERIFY(distance(feedForward(model, 1, in), feedForward(out, 1, in)) > 1e-2);
}

void TestStructure::biasesFollowTheirRows() {
    const LoadedModel model = load(test::TinyBert{});
    const auto result = pruneBy(model, PrunePattern::Neurons, 0.5);
    QVERIFY(result.ok());
    const auto& kept = result.value().report.keptUnits.front().second;
    const auto before = dequantize(model.tensors.at("encoder.layer.0.ffn.in.bias"));
    const auto after = dequantize(result.value().model.tensors.at("encoder.layer.0.ffn.in.bias"));
    QCOMPARE(after.size(), kept.size());
    for (std::size_t at = 0; at < kept.size(); ++at) {
        QCOMPARE(after[at], before[static_cast<std::size_t>(kept[at])]);
    }
    const auto out = dequantize(result.value().model.tensors.at("encoder.layer.0.ffn.out.bias"));
    QCOMPARE(out, dequantize(model.tensors.at("encoder.layer.0.ffn.out.bias")));
}

void TestStructure::blocksAreRenumbered() {
    test::TinyBert sizes;
    sizes.blocks = 12;  // two digits: "encoder.layer.1" must not claim "encoder.layer.10"
    LoadedModel model = load(sizes);
    Recipe recipe;
    for (const int block : {1, 4}) {
        LayerOverride entry;
        entry.match = "encoder.layer." + std::to_string(block);
        entry.prune.push_back({PrunePattern::Blocks, std::nullopt, 1.0});
        recipe.layers.push_back(entry);
    }
    Progress progress;
    const auto result = compress::compress(model, recipe, progress, {});
    QVERIFY(result.ok());
    const LoadedModel& out = result.value().model;
    QCOMPARE(result.value().report.removedBlocks,
             (std::vector<std::string>{"encoder.layer.1", "encoder.layer.4"}));
    const std::vector<int> expected{0, 2, 3, 5, 6, 7, 8, 9, 10, 11};
    QCOMPARE(out.layout.blocks.size(), expected.size());
    for (std::size_t at = 0; at < expected.size(); ++at) {
        const BlockInfo& block = out.layout.blocks[at];
        QCOMPARE(block.sourceIndex, expected[at]);
        QCOMPARE(block.name, "encoder.layer." + std::to_string(at));
        const std::string before = "encoder.layer." + std::to_string(expected[at]);
        for (const char* part : {".attention.query.weight", ".ffn.out.bias", ".ffn.norm.weight"}) {
            QCOMPARE(dequantize(out.tensors.at(block.name + part)),
                     dequantize(model.tensors.at(before + part)));
        }
        for (const auto& binding : out.layout.bindings) {
            if (binding.name == block.name + ".attention.query.weight") {
                QCOMPARE(binding.source, before + ".attention.self.query.weight");
            }
        }
    }
    QVERIFY(!out.tensors.contains("encoder.layer.10.ffn.out.bias"));
}

void TestStructure::oneUnitStays() {
    const LoadedModel model = load(test::TinyLlama{});
    const auto heads = pruneBy(model, PrunePattern::Heads, 1.0);
    QVERIFY(heads.ok());
    QCOMPARE(heads.value().model.layout.blocks[0].kvHeads, std::int64_t{1});
    QCOMPARE(heads.value().model.layout.blocks[0].heads, std::int64_t{2});
    QVERIFY(!pruneBy(model, PrunePattern::Blocks, 1.0).ok() ||
            pruneBy(model, PrunePattern::Blocks, 1.0).value().model.layout.blocks.size() == 1);
}

QTEST_GUILESS_MAIN(TestStructure)
#include "tst_structure.moc"
