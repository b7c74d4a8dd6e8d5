#include <QtTest>

#include <cmath>

#include "engine/compress/pipeline.h"
#include "engine/compress/prune/magnitude.h"
#include "engine/core/random.h"
#include "engine/weights/quantize.h"
#include "engine/weights/weights_hash.h"
#include "tests/engine/weights/tiny_models.h"

using namespace pareto;
using compress::CompressedModel;

namespace {

std::string errorOf(const auto& result) {
    return result.ok() ? "none"
           : result.cancelled()
               ? "cancelled"
               : std::string(errorName(result.error().code)) + " " + errorMessage(result.error());
}

LoadedModel load(const auto& sizes) {
    QTemporaryDir folder;
    const std::string path = folder.path().toStdString();
    if (!test::writeTiny(path, sizes).ok()) {
        qFatal("the tiny model could not be written");
    }
    return test::loadFolder(path).value();
}

compress::CompressTools toolsWith(const ParallelFor& parallel) {
    compress::CompressTools tools;
    tools.parallel = parallel;
    return tools;
}

Result<CompressedModel> apply(const LoadedModel& model, const Recipe& recipe,
                              const ParallelFor& parallel = serialFor) {
    Progress progress;
    return compress::compress(model, recipe, progress, {}, toolsWith(parallel));
}

PruneSpec prune(PrunePattern pattern, double ratio) {
    return {pattern == PrunePattern::Unstructured ? PruneMethod::Magnitude : PruneMethod::L1,
            pattern, ratio};
}

QuantizeSpec quantize(NumberFormat format, Granularity granularity = Granularity::Channel,
                      std::int64_t group = 8) {
    QuantizeSpec spec;
    spec.weights = format;
    spec.granularity = granularity;
    spec.groupSize = group;
    return spec;
}

/// A recipe drawn from everything that this version can do.
Recipe randomRecipe(RandomStream& random) {
    Recipe recipe;
    const PrunePattern patterns[] = {PrunePattern::Heads, PrunePattern::Neurons,
                                     PrunePattern::Blocks, PrunePattern::Unstructured};
    for (const auto pattern : patterns) {
        if (random.below(2) == 0) {
            const double most = pattern == PrunePattern::Blocks ? 0.5 : 1.0;
            recipe.prune.push_back(prune(pattern, random.uniform() * most));
        }
    }
    if (random.below(4) != 0) {
        const NumberFormat formats[] = {NumberFormat::F16, NumberFormat::BF16, NumberFormat::Int8,
                                        NumberFormat::Int4, NumberFormat::F8,   NumberFormat::Int16,
                                        NumberFormat::Int3, NumberFormat::Int2};
        auto spec = quantize(formats[random.below(8)]);
        if (spec.weights >= NumberFormat::F8) {
            const Granularity all[] = {Granularity::Tensor, Granularity::Channel,
                                       Granularity::Group};
            spec.granularity = all[random.below(3)];
            spec.groupSize = 1 + static_cast<std::int64_t>(random.below(20));
            spec.symmetric = random.below(2) == 0 || spec.weights == NumberFormat::F8 ||
                             spec.weights == NumberFormat::Int16;
            const RangeMethod ranges[] = {RangeMethod::MinMax, RangeMethod::Percentile,
                                          RangeMethod::Mse};
            spec.range = ranges[random.below(3)];
        }
        const bool activations = spec.weights == NumberFormat::Int8 && spec.symmetric &&
                                 spec.granularity != Granularity::Group;
        if (activations && random.below(2) == 0) {
            spec.activations = Activations::Int8Dynamic;
            spec.activationGroup = random.below(2) == 0 ? 0 : 7;
        } else if (spec.weights == NumberFormat::Int16 && random.below(2) == 0) {
            spec.activations = Activations::Int16Dynamic;
        }
        recipe.quantize = spec;
    }
    if (random.below(2) == 0) {
        LayerOverride entry;
        entry.match = ".*layer\\.1.*";
        entry.skip = random.below(3) == 0;
        if (!entry.skip) {
            PruneOverride change;
            change.ratio = random.uniform() * 0.4;
            entry.prune.push_back(change);
        }
        recipe.layers.push_back(entry);
    }
    if (random.below(4) == 0) {
        std::swap(recipe.order[0], recipe.order[2]);
    }
    recipe.untie = random.below(4) == 0;
    return recipe;
}

void checkConsistent(const LoadedModel& model) {
    const auto& layout = model.layout;
    std::size_t tensors = layout.plain.size();
    for (const auto& layer : layout.layers) {
        QCOMPARE(model.weight(layer).shape, (Shape{layer.rows, layer.cols}));
        QCOMPARE(layer.hasBias, model.bias(layer) != nullptr);
        if (layer.hasBias) {
            QCOMPARE(model.bias(layer)->shape, (Shape{layer.rows}));
        }
        tensors += (layer.tiedTo.empty() ? 1 : 0) + (layer.hasBias ? 1 : 0);
    }
    QCOMPARE(model.tensors.size(), tensors);
    for (std::size_t at = 0; at < layout.blocks.size(); ++at) {
        const BlockInfo& block = layout.blocks[at];
        QVERIFY(block.name.ends_with("." + std::to_string(at)));
        const auto& attention = layout.groups[static_cast<std::size_t>(block.attention)];
        const auto& ffn = layout.groups[static_cast<std::size_t>(block.feedForward)];
        QCOMPARE(attention.units, block.kvHeads);
        QCOMPARE(ffn.units, block.neurons);
        for (const int layer : block.layers) {
            const auto& info = layout.layers[static_cast<std::size_t>(layer)];
            QVERIFY(info.name.starts_with(block.name + "."));
            QCOMPARE(info.block, static_cast<int>(at));
        }
        const auto* query = layout.findLayer(attention.name + ".query");
        QCOMPARE(query->rows, block.heads * layout.headDim);
    }
}

}  // namespace

class TestCompress : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void bytesAreTheEstimate_data();
    void bytesAreTheEstimate();
    void magnitudeIsExact();
    void untouchedTensorsAreShared();
    void tiedStaysTiedUnlessUntied();
    void quantizedFirstThenPruned();
    void reportsWhatHappened();
    void overridesHold();
    void sameForAnyThreads();
    void cancelLeavesTheOriginal();
    void notFiniteIsRefused();
    void tooLargeForFp16IsRefused();
};

void TestCompress::bytesAreTheEstimate_data() {
    QTest::addColumn<int>("kind");
    QTest::newRow("encoder") << 0;
    QTest::newRow("classifier, fp16") << 1;
    QTest::newRow("decoder, tied") << 2;
    QTest::newRow("decoder, own head, biases") << 3;
}

void TestCompress::bytesAreTheEstimate() {
    QFETCH(int, kind);
    test::TinyBert bert;
    test::TinyLlama llama;
    if (kind == 1) {
        bert.classes = 3;
        bert.dtype = DType::F16;
        bert.neurons = 37;
    }
    if (kind == 3) {
        llama.tied = false;
        llama.attentionBias = true;
    }
    const LoadedModel model = kind < 2 ? load(bert) : load(llama);
    RandomStream random(11 + static_cast<std::uint64_t>(kind), "recipes");
    int changed = 0;
    for (int round = 0; round < 60; ++round) {
        const Recipe recipe = randomRecipe(random);
        const auto resolved = resolve(recipe, model.layout);
        QVERIFY2(resolved.ok(), errorOf(resolved).c_str());
        const SizeEstimate expected = estimate(resolved.value(), model.layout);
        const auto result = apply(model, recipe);
        QVERIFY2(result.ok(), errorOf(result).c_str());
        const LoadedModel& out = result.value().model;
        if (expected.exact) {
            QCOMPARE(out.bytes(), expected.bytes);
            QCOMPARE(out.layout.parameters(), expected.parameters);
        }
        checkConsistent(out);
        QCOMPARE(estimate(out.layout).bytes, out.bytes());
        changed += out.bytes() != model.bytes() ? 1 : 0;
    }
    QVERIFY(changed > 40);
}

void TestCompress::magnitudeIsExact() {
    const auto values = test::randomValues(7 * 13, 4);
    const Tensor tensor = denseTensor(Shape{7, 13}, values);
    for (const double ratio : {0.0, 0.01, 0.3, 0.5, 0.999, 1.0}) {
        const Tensor pruned = compress::pruneMagnitude(tensor, ratio);
        const auto expected = static_cast<std::int64_t>(std::floor(ratio * 91));
        QCOMPARE(countZeros(pruned), expected);
        // Every kept value is at least as large as every removed one, and unchanged.
        const auto after = dequantize(pruned);
        float removed = 0.0F;
        float kept = 1e9F;
        for (std::size_t at = 0; at < values.size(); ++at) {
            if (after[at] == 0.0F) {
                removed = std::max(removed, std::fabs(values[at]));
            } else {
                QCOMPARE(after[at], values[at]);
                kept = std::min(kept, std::fabs(values[at]));
            }
        }
        QVERIFY(removed <= kept);
    }
    // Of equal magnitudes the earlier goes; zeros count.
    const Tensor equal = denseTensor(Shape{2, 3}, std::vector<float>{1, -1, 0, 1, 2, -1});
    QCOMPARE(dequantize(compress::pruneMagnitude(equal, 0.5)),
             (std::vector<float>{0, 0, 0, 1, 2, -1}));
}

void TestCompress::untouchedTensorsAreShared() {
    const LoadedModel model = load(test::TinyBert{});
    Recipe recipe;
    LayerOverride entry;
    entry.match = "encoder.layer.1.ffn.in";
    entry.prune.push_back({PrunePattern::Unstructured, std::nullopt, 0.5});
    recipe.layers.push_back(entry);
    const auto result = apply(model, recipe);
    QVERIFY2(result.ok(), errorOf(result).c_str());
    int different = 0;
    for (const auto& [name, tensor] : model.tensors) {
        const Tensor& now = result.value().model.tensors.at(name);
        const bool shared = now.dense().values.data() == tensor.dense().values.data();
        different += shared ? 0 : 1;
        QVERIFY(shared || name == "encoder.layer.1.ffn.in.weight");
    }
    QCOMPARE(different, 1);
}

void TestCompress::tiedStaysTiedUnlessUntied() {
    const LoadedModel model = load(test::TinyLlama{});
    Recipe recipe;
    recipe.quantize = quantize(NumberFormat::Int8);
    const auto tied = apply(model, recipe);
    QVERIFY(tied.ok());
    QVERIFY(!tied.value().model.tensors.contains("lm_head.weight"));
    recipe.untie = true;
    LayerOverride keep;
    keep.match = "lm_head";
    keep.quantizeOff = true;
    recipe.layers.push_back(keep);
    const auto untied = apply(model, recipe);
    QVERIFY2(untied.ok(), errorOf(untied).c_str());
    const LoadedModel& out = untied.value().model;
    QVERIFY(out.layout.findLayer("lm_head")->tiedTo.empty());
    QVERIFY(out.tensors.at("lm_head.weight").isDense());
    QVERIFY(!out.tensors.at("embeddings.word.weight").isDense());
    QCOMPARE(out.bytes(), tied.value().model.bytes() + 4 * 40 * 32);
}

void TestCompress::quantizedFirstThenPruned() {
    const LoadedModel model = load(test::TinyBert{});
    Recipe recipe;
    recipe.order = {StepKind::Quantize, StepKind::Prune};
    recipe.quantize = quantize(NumberFormat::Int4);
    recipe.quantize->symmetric = false;
    recipe.prune = {prune(PrunePattern::Heads, 0.5), prune(PrunePattern::Unstructured, 0.7)};
    const auto result = apply(model, recipe);
    QVERIFY2(result.ok(), errorOf(result).c_str());
    const LoadedModel& out = result.value().model;
    const auto* query = out.layout.findLayer("encoder.layer.0.attention.query");
    QCOMPARE(query->rows, std::int64_t{12});
    const Tensor& weight = out.weight(*query);
    QVERIFY(weight.format().format == NumberFormat::Int4);
    QVERIFY(countZeros(weight) >= static_cast<std::int64_t>(0.7 * 12 * 24));
    QCOMPARE(out.bytes(), estimate(resolve(recipe, model.layout).value(), model.layout).bytes);
}

void TestCompress::reportsWhatHappened() {
    const LoadedModel model = load(test::TinyBert{});
    Recipe recipe;
    recipe.prune = {prune(PrunePattern::Blocks, 0.34), prune(PrunePattern::Neurons, 0.5),
                    prune(PrunePattern::Unstructured, 0.25)};
    recipe.quantize = quantize(NumberFormat::Int8);
    const auto result = apply(model, recipe);
    QVERIFY2(result.ok(), errorOf(result).c_str());
    const auto& report = result.value().report;
    const auto& out = result.value().model;
    QCOMPARE(report.removedBlocks.size(), std::size_t{1});
    QCOMPARE(report.layers.size(), out.layout.layers.size());
    for (std::size_t at = 0; at < report.layers.size(); ++at) {
        const auto& line = report.layers[at];
        const auto& layer = out.layout.layers[at];
        QCOMPARE(line.name, layer.name);
        QCOMPARE(line.bytes, out.layerBytes(layer));
        const double values = static_cast<double>(layer.rows * layer.cols);
        QCOMPARE(line.sparsity, static_cast<double>(countZeros(out.weight(layer))) / values);
        QCOMPARE(line.bitsPerWeight, 8.0 + 32.0 / static_cast<double>(layer.cols));
        QVERIFY(layer.block < 0 ? line.relativeError < 1e-3
                                : line.relativeError > 1e-4 && line.relativeError < 0.2);
    }
    for (const auto& [group, kept] : report.keptUnits) {
        QVERIFY(group.ends_with(".ffn"));
        QCOMPARE(kept.size(), std::size_t{20});
        QVERIFY(std::is_sorted(kept.begin(), kept.end()));
    }
    QVERIFY(report.seconds > 0.0);
}

void TestCompress::overridesHold() {
    const LoadedModel model = load(test::TinyBert{});
    Recipe recipe;
    recipe.quantize = quantize(NumberFormat::Int8);
    LayerOverride dense;
    dense.match = "encoder.layer.2";
    dense.skip = true;
    LayerOverride small;
    small.match = "encoder\\.layer\\.0\\.ffn\\..*";
    small.quantize = QuantizeOverride{};
    small.quantize->weights = NumberFormat::Int4;
    small.quantize->groupSize = 4;
    recipe.layers = {dense, small};
    const auto result = apply(model, recipe);
    QVERIFY2(result.ok(), errorOf(result).c_str());
    const auto formatOf = [&](const std::string& name) {
        return result.value().model.tensors.at(name + ".weight").format();
    };
    QVERIFY(formatOf("encoder.layer.2.ffn.in").format == NumberFormat::F32);
    QVERIFY(formatOf("encoder.layer.1.ffn.in").format == NumberFormat::Int8);
    QVERIFY(formatOf("encoder.layer.0.ffn.in").format == NumberFormat::Int4);
    QCOMPARE(formatOf("encoder.layer.0.ffn.in").groupSize, std::int64_t{4});
    QVERIFY(formatOf("encoder.layer.0.attention.query").format == NumberFormat::Int8);
}

void TestCompress::sameForAnyThreads() {
    const LoadedModel model = load(test::TinyLlama{});
    RandomStream random(3, "threads");
    for (int round = 0; round < 8; ++round) {
        const Recipe recipe = randomRecipe(random);
        const auto one = apply(model, recipe);
        const auto many = apply(model, recipe, test::scatteredFor());
        QVERIFY(one.ok() && many.ok());
        QCOMPARE(weightsHash(one.value().model), weightsHash(many.value().model));
    }
}

void TestCompress::cancelLeavesTheOriginal() {
    const LoadedModel model = load(test::TinyBert{});
    const std::string before = weightsHash(model);
    Recipe recipe;
    recipe.prune = {prune(PrunePattern::Heads, 0.5), prune(PrunePattern::Unstructured, 0.5)};
    recipe.quantize = quantize(NumberFormat::Int8);
    std::stop_source stop;
    // Asks to stop from inside the work, at the first parallel region.
    const ParallelFor stopping = [&](std::int64_t count, std::int64_t grain, const auto& body) {
        stop.request_stop();
        serialFor(count, grain, body);
    };
    Progress progress;
    QVERIFY(compress::compress(model, recipe, progress, stop.get_token(), toolsWith(stopping)).cancelled());
    QCOMPARE(weightsHash(model), before);
}

void TestCompress::notFiniteIsRefused() {
    LoadedModel model = load(test::TinyBert{});
    auto values = dequantize(model.tensors.at("encoder.layer.1.ffn.in.weight"));
    values[5] = std::nanf("");
    model.tensors.insert_or_assign("encoder.layer.1.ffn.in.weight",
                                   denseTensor(Shape{40, 24}, values));
    for (int kind = 0; kind < 4; ++kind) {
        Recipe recipe;
        if (kind == 0) {
            recipe.quantize = quantize(NumberFormat::Int8);
        } else {
            const PrunePattern patterns[] = {PrunePattern::Unstructured, PrunePattern::Neurons,
                                             PrunePattern::Blocks};
            recipe.prune = {prune(patterns[kind - 1], 0.5)};
        }
        const auto result = apply(model, recipe);
        QVERIFY(!result.ok() && !result.cancelled());
        QCOMPARE(errorName(result.error().code), std::string_view("TensorValues"));
        QCOMPARE(result.error().args.at("tensor"), std::string("encoder.layer.1.ffn.in.weight"));
    }
    Recipe elsewhere;  // a step that does not touch the tensor does not mind it
    elsewhere.prune = {prune(PrunePattern::Heads, 0.5)};
    QVERIFY(apply(model, elsewhere).ok());
}

void TestCompress::tooLargeForFp16IsRefused() {
    LoadedModel model = load(test::TinyBert{});
    auto values = dequantize(model.tensors.at("encoder.layer.0.ffn.in.weight"));
    values[0] = 65519.0F;
    const auto attempt = [&](NumberFormat format) {
        model.tensors.insert_or_assign("encoder.layer.0.ffn.in.weight",
                                       denseTensor(Shape{40, 24}, values));
        Recipe recipe;
        recipe.quantize = quantize(format);
        return apply(model, recipe);
    };
    QVERIFY(attempt(NumberFormat::F16).ok());
    values[0] = -65520.0F;
    const auto refused = attempt(NumberFormat::F16);
    QVERIFY(!refused.ok());
    QCOMPARE(refused.error().args.at("count"), std::string("1"));
    QVERIFY(attempt(NumberFormat::BF16).ok());
}

QTEST_GUILESS_MAIN(TestCompress)
#include "tst_compress.moc"
