// Pruned blocks fitted to what the untouched ones gave: gradients are those of finite differences, errors
// fall to what least squares says, zeros stay, and every way of pruning finds its targets.
#include <chrono>
#include <thread>

#include <QtTest>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include "engine/compress/prune/magnitude.h"
#include "engine/compress/prune/structure.h"
#include "engine/core/random.h"
#include "engine/models/block_training.h"
#include "engine/models/blockwise.h"
#include "engine/train/block_fit.h"
#include "engine/train/reconstruct.h"
#include "engine/weights/quantize.h"
#include "tests/engine/models/golden.h"

using namespace pareto;
using models::HiddenStates;
using models::Matrix;
using train::ReconstructOptions;
using Texts = std::vector<std::vector<std::int32_t>>;

namespace {

const std::vector<const char*> kFamilies{"encoders/bert_bare", "encoders/mpnet_bare", "encoders/albert_bare",
                                         "encoders/roberta_bare", "decoders/gpt2", "decoders/gemma2",
                                         "decoders/gemma3", "decoders/qwen3", "tiny_llama"};

LoadedModel open(const std::string& name) {
    auto model = test::openModel(test::kGolden + name);
    [&] { CHECK_OK(model); }();
    return std::move(model).value();
}

/// `count` sequences of `length` tokens, or of lengths around it.
Texts textsFor(const ModelLayout& layout, int count, int length, bool ragged = false) {
    RandomStream random(11, "texts");
    Texts out;
    for (int i = 0; i < count; ++i) {
        const auto varied = static_cast<int>(random.below(static_cast<std::uint64_t>(length)));
        const int tokens = ragged ? length / 2 + varied : length;
        auto& text = out.emplace_back();
        for (int t = 0; t < tokens; ++t) {
            const auto id = random.below(static_cast<std::uint64_t>(layout.vocabulary));
            text.push_back(static_cast<std::int32_t>(id));
        }
    }
    return out;
}

/// Half of each weight inside blocks is zero.
LoadedModel pruned(const LoadedModel& original) {
    LoadedModel out = original;
    for (const auto& layer : original.layout.layers) {
        if (layer.block >= 0) {
            out.tensors.insert_or_assign(layer.name + ".weight",
                                         compress::pruneMagnitude(original.weight(layer), 0.5));
        }
    }
    return out;
}

ReconstructOptions usual(std::int64_t steps = 60) {
    ReconstructOptions out;
    out.spec.method = RecoverMethod::Reconstruct;
    out.spec.steps = steps;
    out.spec.batch = 8;
    out.spec.learningRate = 3e-3;
    out.spec.weightDecay = 0.0;
    out.device.threads = 1;
    return out;
}

Result<train::Reconstructed> run(const LoadedModel& model, const LoadedModel& original, const Texts& texts,
                                 const ReconstructOptions& options, std::stop_token stop = {}) {
    Progress progress;
    return train::reconstruct(model, original, texts, options, progress, std::move(stop));
}

std::unique_ptr<models::Blockwise> blocksOf(const LoadedModel& model) {
    Progress progress;
    models::DeviceOptions options;
    options.threads = 1;
    return models::prepareBlockwise(model, options, progress, {}).value();
}

std::unique_ptr<models::TrainableBlock> trainable(const LoadedModel& model, int block) {
    models::DeviceOptions options;
    options.threads = 1;
    return models::prepareTrainableBlock(model, block, options).value();
}

at::Tensor tensorOf(const Matrix& matrix) {
    auto* values = const_cast<float*>(matrix.values.data());
    return at::from_blob(values, {matrix.rows, matrix.cols}, at::TensorOptions().dtype(at::kFloat)).clone();
}

/// States behind the first `blocks` blocks.
HiddenStates behind(const LoadedModel& model, const Texts& texts, int blocks) {
    const auto parts = blocksOf(model);
    HiddenStates out = parts->embed({texts, {}}, {}).value();
    for (int block = 0; block < blocks; ++block) {
        out.values = parts->runBlock(block, out, {}, {}).value();
    }
    return out;
}

/// In plain numbers.
double meanError(const Matrix& found, const Matrix& target) {
    double sum = 0.0;
    for (std::int64_t row = 0; row < target.rows; ++row) {
        double error = 0.0;
        double norm = 0.0;
        for (std::int64_t col = 0; col < target.cols; ++col) {
            const double t = target.row(row)[static_cast<std::size_t>(col)];
            const double d = found.row(row)[static_cast<std::size_t>(col)] - t;
            error += d * d;
            norm += t * t;
        }
        sum += error / norm;
    }
    return sum / static_cast<double>(target.rows);
}

bool sameBytes(const LoadedModel& a, const LoadedModel& b) {
    for (const auto& [name, tensor] : a.tensors) {
        if (dequantize(tensor) != dequantize(b.tensors.at(name))) {
            return false;
        }
    }
    return a.tensors.size() == b.tensors.size();
}

/// Least Σ w ‖P x − y‖² of P's columns `support`: normal equations, Gaussian elimination with pivots, in
/// fp64.
std::vector<double> leastSquares(const Matrix& p, const std::vector<double>& weights,
                                 const std::vector<double>& y, const std::vector<std::size_t>& support) {
    const std::size_t n = support.size();
    std::vector<std::vector<double>> a(n, std::vector<double>(n + 1));
    for (std::int64_t row = 0; row < p.rows; ++row) {
        const auto values = p.row(row);
        const double weight = weights[static_cast<std::size_t>(row)];
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
                a[i][j] += weight * values[support[i]] * values[support[j]];
            }
            a[i][n] += weight * values[support[i]] * y[static_cast<std::size_t>(row)];
        }
    }
    for (std::size_t k = 0; k < n; ++k) {
        std::size_t pivot = k;
        for (std::size_t i = k; i < n; ++i) {
            pivot = std::fabs(a[i][k]) > std::fabs(a[pivot][k]) ? i : pivot;
        }
        std::swap(a[k], a[pivot]);
        for (std::size_t i = 0; i < n; ++i) {
            const double factor = i == k ? 0.0 : a[i][k] / a[k][k];
            for (std::size_t j = k; j <= n; ++j) {
                a[i][j] -= factor * a[k][j];
            }
        }
    }
    std::vector<double> out;
    for (std::size_t k = 0; k < n; ++k) {
        out.push_back(a[k][n] / a[k][k]);
    }
    return out;
}

}  // namespace

class TestReconstruct : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void blocksAsInTheModel_data() { families(); }
    void blocksAsInTheModel();
    void gradients_data() { families(); }
    void gradients();
    void errorFalls_data() { families(); }
    void errorFalls();
    void leastSquaresOfOneLayer();
    void unchangedModelHasNoError();
    void removedBlocks();
    void removedUnits();
    void formatsStay_data();
    void formatsStay();
    void sameSeedSameBytes();
    void statesOnDisk();
    void neverWorse();
    void cancelled();
    void finished();
    void paused();
    void refusals();

private:
    static void families() {
        QTest::addColumn<QString>("name");
        for (const char* name : kFamilies) {
            QTest::newRow(name) << QString::fromLatin1(name);
        }
    }
};

void TestReconstruct::blocksAsInTheModel() {
    QFETCH(QString, name);
    const LoadedModel model = open(name.toStdString());
    const Texts texts = textsFor(model.layout, 3, 6, true);
    const auto parts = blocksOf(model);
    HiddenStates states = parts->embed({texts, {}}, {}).value();
    const auto table = blocksOf(models::partOf(model, -1));
    QCOMPARE(table->embed({texts, {}}, {}).value().values.values, states.values.values);
    for (int index = 0; index < static_cast<int>(model.layout.blocks.size()); ++index) {
        const at::NoGradGuard noGradients;
        const auto block = trainable(model, index);
        const Matrix expected = parts->runBlock(index, states, {}, {}).value();
        const at::Tensor found = block->run(tensorOf(states.values), states.starts).contiguous();
        const std::span<const float> values(found.const_data_ptr<float>(), static_cast<std::size_t>(found.numel()));
        QVERIFY(test::largestDifference(values, std::span<const float>(expected.values)) < 2e-5);
        std::size_t ofBlock = 0;
        const std::string stem = model.layout.blocks[static_cast<std::size_t>(index)].name + ".";
        for (const auto& [tensor, ignored] : model.tensors) {
            ofBlock += tensor.starts_with(stem) ? 1 : 0;
        }
        QCOMPARE(block->parameters().size(), ofBlock);
        states.values = expected;
    }
}

void TestReconstruct::gradients() {
    QFETCH(QString, name);
    const LoadedModel original = open(name.toStdString());
    const LoadedModel model = pruned(original);
    const Texts texts = textsFor(original.layout, 4, 7, true);
    const int last = static_cast<int>(original.layout.blocks.size()) - 1;
    const HiddenStates inputs = behind(model, texts, last);
    const HiddenStates targets = behind(original, texts, last + 1);
    const auto block = trainable(model, last);
    const at::Tensor target = tensorOf(targets.values);
    const auto lossOf = [&] {
        const at::Tensor output = block->run(tensorOf(inputs.values), inputs.starts);
        return train::relativeError(output, target, target.size(0));
    };
    for (const auto& [tensor, values] : block->parameters()) {
        at::Tensor(values).requires_grad_(true);
    }
    at::Tensor loss = lossOf();
    const Matrix output = blocksOf(model)->runBlock(last, inputs, {}, {}).value();
    const double expected = meanError(output, targets.values);
    QVERIFY(std::fabs(loss.item<double>() - expected) < 1e-4 * expected);
    loss.backward();
    const at::NoGradGuard noGradients;
    int checked = 0;
    for (const auto& [tensor, values] : block->parameters()) {
        const at::Tensor gradient = values.grad();
        if (!gradient.defined()) {
            continue;
        }
        const double norm = gradient.square().sum().sqrt().item<double>();
        if (norm < 1e-3) {
            continue;  // keys' biases and the like: nothing to see in fp32
        }
        const at::Tensor held = values.clone();
        const at::Tensor direction = gradient / norm;
        const double step = 2e-3 / (1.0 + norm);
        const auto lossAt = [&](double by) {
            at::Tensor(values).copy_(held + direction * by);
            return lossOf().item<double>();
        };
        const double found = (lossAt(step) - lossAt(-step)) / (2.0 * step);
        at::Tensor(values).copy_(held);
        QVERIFY2(std::fabs(found - norm) < 0.02 * norm + 1e-4,
                 qPrintable(QStringLiteral("%1: %2 by differences, %3 by the gradient")
                                .arg(QString::fromStdString(tensor)).arg(found).arg(norm)));
        ++checked;
    }
    QVERIFY(checked >= 8);
}

void TestReconstruct::errorFalls() {
    QFETCH(QString, name);
    const LoadedModel original = open(name.toStdString());
    const LoadedModel model = pruned(original);
    const LoadedModel untouched = model;
    const auto texts = textsFor(original.layout, 40, 8, true);
    std::vector<TrainingPoint> points;
    ReconstructOptions options = usual();
    options.report = [&](const TrainingPoint& point) { points.push_back(point); };
    const auto made = run(model, original, texts, options);
    CHECK_OK(made);
    const auto& out = made.value();
    QCOMPARE(out.blocks.size(), model.layout.blocks.size());
    double before = 0.0;
    double after = 0.0;
    for (const auto& block : out.blocks) {
        before += block.before;
        after += block.after;
        QVERIFY2(block.after < 0.99 * block.before, qPrintable(QStringLiteral("%1: %2 from %3")
                     .arg(QString::fromStdString(block.name)).arg(block.after).arg(block.before)));
    }
    QVERIFY(after < 0.92 * before);
    // What is said of the last block is what the whole models show.
    const Texts held(texts.end() - 4, texts.end());
    const int count = static_cast<int>(model.layout.blocks.size());
    const Matrix wanted = behind(original, held, count).values;
    const double shown = meanError(behind(out.model, held, count).values, wanted);
    QVERIFY(std::fabs(shown - out.blocks.back().after) < 1e-3 * shown);
    QVERIFY(meanError(behind(model, held, count).values, wanted) > shown);

    for (const auto& [tensor, values] : out.model.tensors) {
        const bool inside = tensor.find(".layer.") != std::string::npos;
        const Tensor& old = model.tensors.at(tensor);
        if (!inside) {
            QCOMPARE(values.dense().values.data(), old.dense().values.data());
            continue;
        }
        QVERIFY(values.shape == old.shape);
        const auto now = dequantize(values);
        const auto was = dequantize(old);
        QCOMPARE(now != was, true);
        if (values.shape.rank() == 2) {
            for (std::size_t at = 0; at < now.size(); ++at) {
                QVERIFY(was[at] != 0.0F || now[at] == 0.0F);
            }
            QVERIFY(countZeros(values) < countZeros(old) + 2);
        }
    }
    QVERIFY(sameBytes(model, untouched));
    QCOMPARE(static_cast<std::int64_t>(points.size()), count * std::int64_t{60});
    QCOMPARE(points.back().step, points.back().steps);
    QCOMPARE(out.record.points, points);
    QCOMPARE(out.record.method, std::string("reconstruct"));
    QCOMPARE(out.record.examples, std::int64_t{36});
    QCOMPARE(out.record.ended, std::string("steps"));
}

/// Only the last layer of the last block is pruned and fitted: each of its rows is a least-squares problem of
/// its own.
void TestReconstruct::leastSquaresOfOneLayer() {
    const LoadedModel original = open("tiny_llama");
    const std::string layer = "decoder.layer.1.ffn.down";
    LoadedModel model = original;
    const Tensor& dense = original.tensors.at(layer + ".weight");
    model.tensors.insert_or_assign(layer + ".weight", compress::pruneMagnitude(dense, 0.5));
    const Texts texts = textsFor(original.layout, 24, 12);

    Matrix products;
    const auto parts = blocksOf(original);
    HiddenStates states = parts->embed({texts, {}}, {}).value();
    states.values = parts->runBlock(0, states, {}, {}).value();
    const auto tap = [&](const std::string& name, const float* x, std::int64_t rows, std::int64_t cols) {
        if (name == layer) {
            products = {rows, cols, std::vector<float>(x, x + rows * cols)};
        }
    };
    const Matrix target = parts->runBlock(1, states, tap, {}).value();
    std::vector<double> weights;
    for (std::int64_t row = 0; row < target.rows; ++row) {
        double norm = 0.0;
        for (const float value : target.row(row)) {
            norm += static_cast<double>(value) * value;
        }
        weights.push_back(1.0 / norm);
    }
    const auto was = dequantize(dense);
    const auto zeroed = dequantize(model.tensors.at(layer + ".weight"));
    const auto cols = static_cast<std::size_t>(products.cols);
    double least = 0.0;
    double unfitted = 0.0;
    for (std::size_t row = 0; row < was.size() / cols; ++row) {
        std::vector<double> y;
        std::vector<std::size_t> support;
        for (std::size_t col = 0; col < cols; ++col) {
            if (zeroed[row * cols + col] != 0.0F) {
                support.push_back(col);
            }
        }
        for (std::int64_t token = 0; token < products.rows; ++token) {
            double sum = 0.0;
            for (std::size_t col = 0; col < cols; ++col) {
                sum += static_cast<double>(was[row * cols + col]) * products.row(token)[col];
            }
            y.push_back(sum);
        }
        const auto found = leastSquares(products, weights, y, support);
        for (std::int64_t token = 0; token < products.rows; ++token) {
            double fitted = -y[static_cast<std::size_t>(token)];
            double plain = fitted;
            for (std::size_t i = 0; i < support.size(); ++i) {
                fitted += found[i] * products.row(token)[support[i]];
                const double value = zeroed[row * cols + support[i]];
                plain += value * products.row(token)[support[i]];
            }
            const auto rows = static_cast<double>(products.rows);
            const double weight = weights[static_cast<std::size_t>(token)] / rows;
            least += weight * fitted * fitted;
            unfitted += weight * plain * plain;
        }
    }
    ReconstructOptions options = usual(1500);
    options.spec.batch = 24;
    options.spec.holdOut = 0.0;
    options.spec.learningRate = 2e-2;
    options.fits = [&](const std::string& tensor) { return tensor == layer + ".weight"; };
    const auto made = run(model, original, texts, options);
    CHECK_OK(made);
    const auto& last = made.value().blocks.back();
    QVERIFY(std::fabs(last.before - unfitted) < 1e-3 * unfitted);
    QVERIFY2(last.after > 0.999 * least && last.after < 1.01 * least,
             qPrintable(QStringLiteral("%1 instead of %2, from %3")
                            .arg(last.after).arg(least).arg(last.before)));
    QVERIFY(last.after < 0.95 * last.before);
}

void TestReconstruct::unchangedModelHasNoError() {
    const LoadedModel original = open("decoders/qwen3");
    const auto made = run(original, original, textsFor(original.layout, 8, 6), usual(4));
    CHECK_OK(made);
    for (const auto& block : made.value().blocks) {
        QVERIFY(block.before < 1e-10);
        QCOMPARE(block.after, block.before);
        QCOMPARE(block.keptStep, 0);
    }
    QVERIFY(sameBytes(made.value().model, original));
}

void TestReconstruct::removedBlocks() {
    const LoadedModel original = open("decoders/gemma3");  // of 6 blocks
    const Texts texts = textsFor(original.layout, 24, 8);
    LoadedModel model = original;
    compress::removeBlocks(model, {true, false, true, true, false, true});
    ReconstructOptions options = usual(80);
    options.spec.holdOut = 0.25;
    const auto made = run(model, original, texts, options);
    CHECK_OK(made);
    const auto& blocks = made.value().blocks;
    QCOMPARE(blocks.size(), std::size_t{2});
    const Texts held(texts.end() - 6, texts.end());
    // The first learns what stands before the original's block 4, the second what comes out at the end.
    const double first = meanError(behind(model, held, 1).values, behind(original, held, 4).values);
    QVERIFY(std::fabs(blocks[0].before - first) < 1e-3 * first);
    const Matrix end = behind(original, held, 6).values;
    const double second = meanError(behind(made.value().model, held, 2).values, end);
    QVERIFY(std::fabs(blocks[1].after - second) < 1e-3 * second);
    for (const auto& block : blocks) {
        QVERIFY2(block.after < 0.99 * block.before,
                 qPrintable(QStringLiteral("%1 from %2").arg(block.after).arg(block.before)));
    }
}

void TestReconstruct::removedUnits() {
    for (const char* name : {"tiny_llama", "encoders/bert_bare", "encoders/mpnet_bare"}) {
        const LoadedModel original = open(name);
        LoadedModel model = original;
        for (std::size_t group = 0; group < model.layout.groups.size(); ++group) {
            std::vector<std::int64_t> kept;
            for (std::int64_t unit = 0; unit < model.layout.groups[group].units; unit += 2) {
                kept.push_back(unit);
            }
            compress::cutGroup(model, static_cast<int>(group), kept);
        }
        const auto made = run(model, original, textsFor(original.layout, 40, 8), usual());
        CHECK_OK(made);
        for (const auto& block : made.value().blocks) {
            QVERIFY2(block.after < 0.95 * block.before,
                     qPrintable(QStringLiteral("%1 from %2").arg(block.after).arg(block.before)));
        }
        for (const auto& layer : model.layout.layers) {
            QVERIFY(made.value().model.weight(layer).shape == model.weight(layer).shape);
        }
        CHECK_OK(test::prepare(made.value().model, 1));
    }
}

void TestReconstruct::formatsStay_data() {
    QTest::addColumn<int>("format");
    QTest::newRow("bf16") << static_cast<int>(NumberFormat::BF16);
    QTest::newRow("fp16") << static_cast<int>(NumberFormat::F16);
}

void TestReconstruct::formatsStay() {
    QFETCH(int, format);
    LoadedModel original = open("tiny_llama");
    WeightFormat wanted;
    wanted.format = static_cast<NumberFormat>(format);
    for (const auto& layer : original.layout.layers) {
        if (layer.tiedTo.empty()) {
            const auto values = dequantize(original.weight(layer));
            original.tensors.insert_or_assign(layer.name + ".weight",
                                              quantizeTensor(values, layer.rows, layer.cols, wanted));
        }
    }
    const LoadedModel model = pruned(original);
    const Texts texts = textsFor(original.layout, 24, 8);
    const auto made = run(model, original, texts, usual());
    CHECK_OK(made);
    QCOMPARE(made.value().model.bytes(), model.bytes());
    for (const auto& layer : model.layout.layers) {
        QCOMPARE(made.value().model.weight(layer).format().format, wanted.format);
    }
    const Texts held(texts.end() - 2, texts.end());
    const Matrix end = behind(original, held, 2).values;
    const double shown = meanError(behind(made.value().model, held, 2).values, end);
    QVERIFY(std::fabs(shown - made.value().blocks.back().after) < 1e-3 * shown);
}

void TestReconstruct::sameSeedSameBytes() {
    const LoadedModel original = open("tiny_llama");
    const LoadedModel model = pruned(original);
    const Texts texts = textsFor(original.layout, 24, 24, true);
    for (const int threads : {1, 2}) {
        ReconstructOptions options = usual(20);
        options.device.threads = threads;
        const auto first = run(model, original, texts, options);
        CHECK_OK(first);
        const auto again = run(model, original, texts, options);
        CHECK_OK(again);
        QVERIFY(sameBytes(first.value().model, again.value().model));
        options.seed = 1;
        const auto other = run(model, original, texts, options);
        CHECK_OK(other);
        QVERIFY(!sameBytes(first.value().model, other.value().model));
    }
}

void TestReconstruct::statesOnDisk() {
    const LoadedModel original = open("encoders/bert_bare");
    const LoadedModel model = pruned(original);
    const Texts texts = textsFor(original.layout, 24, 8, true);
    ReconstructOptions options = usual(10);
    const auto inMemory = run(model, original, texts, options);
    CHECK_OK(inMemory);
    options.memoryLimit = 0;
    const auto onDisk = run(model, original, texts, options);
    CHECK_OK(onDisk);
    QVERIFY(sameBytes(inMemory.value().model, onDisk.value().model));
}

void TestReconstruct::neverWorse() {
    const LoadedModel original = open("tiny_llama");
    const LoadedModel model = pruned(original);
    ReconstructOptions options = usual(6);
    options.spec.learningRate = 3.0;
    options.spec.warmup = 0.0;
    options.spec.validateEvery = 6;
    options.spec.schedule = LearningSchedule::Constant;
    const auto made = run(model, original, textsFor(original.layout, 16, 8), options);
    CHECK_OK(made);
    for (const auto& block : made.value().blocks) {
        QCOMPARE(block.after, block.before);
        QCOMPARE(block.keptStep, 0);
    }
    QVERIFY(sameBytes(made.value().model, model));
}

void TestReconstruct::cancelled() {
    const LoadedModel original = open("tiny_llama");
    const LoadedModel model = pruned(original);
    std::stop_source source;
    int steps = 0;
    ReconstructOptions options = usual(10'000);
    options.report = [&](const TrainingPoint&) {
        if (++steps == 3) {
            source.request_stop();
        }
    };
    const auto made = run(model, original, textsFor(original.layout, 16, 8), options, source.get_token());
    QVERIFY(made.cancelled());
    QCOMPARE(steps, 3);
}

void TestReconstruct::finished() {
    const LoadedModel original = open("decoders/gemma2");
    const LoadedModel model = pruned(original);
    Control control;
    ReconstructOptions options = usual(40);
    options.control = &control;
    options.report = [&](const TrainingPoint& point) {
        if (point.step == 60) {  // in the second block of three
            control.finish();
        }
    };
    const auto made = run(model, original, textsFor(original.layout, 16, 8), options);
    CHECK_OK(made);
    const auto& out = made.value();
    QCOMPARE(out.record.steps, std::int64_t{60});
    QCOMPARE(out.record.ended, std::string("asked"));
    QCOMPARE(out.blocks.size(), std::size_t{2});
    QVERIFY(out.blocks[1].after < out.blocks[1].before);
    for (const auto& [name, tensor] : out.model.tensors) {
        if (name.starts_with("decoder.layer.2.")) {
            QCOMPARE(tensor.dense().values.data(), model.tensors.at(name).dense().values.data());
        }
    }
}

void TestReconstruct::paused() {
    const LoadedModel original = open("tiny_llama");
    const LoadedModel model = pruned(original);
    Control control;
    std::stop_source source;
    int steps = 0;
    ReconstructOptions options = usual(5);
    options.control = &control;
    std::jthread person;
    options.report = [&](const TrainingPoint&) {
        if (++steps == 2) {
            control.pause(true);
            person = std::jthread([&] {
                std::this_thread::sleep_for(std::chrono::milliseconds(300));
                control.pause(false);
            });
        }
    };
    const auto start = std::chrono::steady_clock::now();
    CHECK_OK(run(model, original, textsFor(original.layout, 16, 8), options));
    QVERIFY(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(300));
    QCOMPARE(steps, 10);
    // Cancelling ends a pause.
    steps = 0;
    control.pause(true);
    options.report = [&](const TrainingPoint&) {
        ++steps;
        source.request_stop();
    };
    QVERIFY(run(model, original, textsFor(original.layout, 16, 8), options, source.get_token()).cancelled());
    QCOMPARE(steps, 1);
}

void TestReconstruct::refusals() {
    const LoadedModel pairs = open("tiny_t5");
    QVERIFY(run(pairs, pairs, {{3, 4, 5}}, usual()).error().code == ErrorCode::TaskUnfit);

    const LoadedModel original = open("tiny_llama");
    const Texts texts = textsFor(original.layout, 4, 8);
    LoadedModel coded = original;
    const auto& layer = *original.layout.findLayer("decoder.layer.1.ffn.up");
    WeightFormat int8;
    int8.format = NumberFormat::Int8;
    const auto values = dequantize(original.weight(layer));
    coded.tensors.insert_or_assign(layer.name + ".weight",
                                   quantizeTensor(values, layer.rows, layer.cols, int8));
    const auto codes = run(coded, original, texts, usual());
    QVERIFY(codes.error().code == ErrorCode::RecipeInvalid);
    QVERIFY(errorMessage(codes.error()).find(layer.name) != std::string::npos);

    LoadedModel narrow = original;
    narrow.layout.hidden -= 4;
    QVERIFY(run(narrow, original, texts, usual()).error().code == ErrorCode::RecipeInvalid);
    QVERIFY(run(original, original, {}, usual()).error().code == ErrorCode::RecipeInvalid);
    QVERIFY(run(original, original, {{1 << 30}}, usual()).error().code == ErrorCode::EngineFailure);
    ReconstructOptions aware = usual();
    aware.spec.quantizeAware = true;
    QVERIFY(run(original, original, texts, aware).error().code == ErrorCode::RecipeInvalid);
    ReconstructOptions wild = usual(200);
    wild.spec.learningRate = 1e30;
    wild.spec.warmup = 0.0;
    QVERIFY(run(pruned(original), original, texts, wild).error().code == ErrorCode::TrainingDiverged);
}

QTEST_GUILESS_MAIN(TestReconstruct)
#include "tst_reconstruct.moc"
