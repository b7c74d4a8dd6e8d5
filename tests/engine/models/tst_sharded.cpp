// A model in parts computes what the whole of it does, for every family, split and storage.
#include <QtTest>

#include <numeric>

#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>

#include "engine/models/generate.h"
#include "engine/kernels/choose.h"
#include "engine/models/shard_words.h"
#include "engine/runtime/linear.h"
#include "engine/runtime/torch_ops.h"
#include "tests/engine/models/recipes.h"
#include "tests/engine/models/thread_partners.h"
#include "tests/support/cuda_host/host_table.h"

using namespace pareto;
using namespace pareto::test;
using models::IdLists;

namespace {

struct Split {
    const char* name;
    int tp;
    int pp;
};
constexpr Split kSplits[] = {{"tp 2", 2, 1}, {"pp 2", 1, 2}, {"tp 2 x pp 2", 2, 2}, {"tp 3", 3, 1}, {"tp 4", 4, 1}};

const std::vector<std::string> kModels{
    "tiny_bert",          "encoders/albert_classes", "encoders/bert_tokens",      "encoders/bert_masked",
    "encoders/bert_rank", "encoders/mpnet_sentence", "encoders/roberta_masked",   "encoders/distilbert_answer",
    "encoders/electra_classes", "tiny_llama",        "decoders/gemma2",           "decoders/gemma3",
    "decoders/gpt2",      "decoders/llama_bias",     "decoders/mistral",          "decoders/qwen2",
    "decoders/qwen3",     "tiny_t5",                 "tiny_t5_gated",             "tiny_mt5",
    "tiny_marian"};

/// What a recipe makes of a model, and how far parts of it may be away from the whole. A sum's last bit decides whether the
/// largest value of a row, half a step beyond −127, becomes −127 or −128: inputs of 8 bits may be a step apart (`wholeRows`
/// compares codes themselves).
struct Storage {
    const char* name;
    const char* recipe;
    double tolerance;
};
/// What one code a step apart moves an output of these models by, at most: which codes are depends on the last bits of sums (0.035
/// and 0.048 seen so far). Parts that are put together wrongly move them by what they are, 1 and more.
constexpr double kStepApart = 0.06;
constexpr Storage kStorages[] = {
    {"fp32", "{}", 1e-4},
    {"int8", R"({"defaults":{"quantize":{"weights":"int8","activations":"int8-dynamic"}}})", kStepApart},
    {"int8, groups", R"({"defaults":{"quantize":{"weights":"int8","group":8,"activations":"int8-dynamic","activation_group":8}}})", kStepApart},
    {"int4, inputs by token", R"({"defaults":{"quantize":{"weights":"int4","group":8,"activations":"int8-dynamic"}}})", kStepApart},
    {"int16", R"({"defaults":{"quantize":{"weights":"int16","activations":"int16-dynamic"}}})", 1e-3},
    {"fp8", R"({"defaults":{"quantize":{"weights":"fp8"}}})", 1e-3},
    {"2:4", R"({"defaults":{"prune":[{"pattern":"2:4","method":"magnitude"}]}})", 1e-4},
    {"heads and neurons", R"({"defaults":{"prune":[{"pattern":"heads","ratio":0.25},{"pattern":"neurons","ratio":0.3}]}})", 1e-4},
};

IdLists texts(const ModelLayout& layout) {
    const IdLists out{{0, 5, 9, 13, 27, 31, 4}, {2, 7, 3}, {11, 12, 13, 14, 15}, {1, 2, 3, 4}, {9, 8, 7, 6, 5, 4, 3, 2}};
    IdLists fitting = out;
    for (auto& ids : fitting) {
        for (auto& id : ids) {
            id = static_cast<std::int32_t>(id % layout.vocabulary);
        }
    }
    return fitting;
}

/// What differences are shares of.
double sizeOf(const std::vector<float>& values) {
    float largest = 1.0F;
    for (const float value : values) {
        largest = std::max(largest, std::fabs(value));
    }
    return static_cast<double>(largest);
}

/// Of the whole, how large a difference is.
double differenceOf(const std::vector<float>& found, const std::vector<float>& expected) {
    return largestDifference(found, std::span<const float>(expected)) / sizeOf(expected);
}

/// On average.
double meanDifferenceOf(const std::vector<float>& found, const std::vector<float>& expected) {
    double sum = 0.0;
    for (std::size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
        sum += static_cast<double>(std::fabs(found[i] - expected[i]));
    }
    return sum / (sizeOf(expected) * static_cast<double>(std::max<std::size_t>(1, expected.size())));
}

#define SAME(found, expected, tolerance)                                                                     \
    do {                                                                                                     \
        const auto ours_ = found;                                                                            \
        const auto theirs_ = expected;                                                                       \
        CHECK_OK(ours_);                                                                                     \
        CHECK_OK(theirs_);                                                                                   \
        const double away = differenceOf(ours_->values, theirs_->values);                                    \
        QVERIFY2(away <= (tolerance), qPrintable(QString::number(away)));                                    \
        const double onAverage = meanDifferenceOf(ours_->values, theirs_->values);                           \
        QVERIFY2(onAverage <= (tolerance) / 2, qPrintable(QString::number(onAverage)));                      \
    } while (false)

void compareEncoders(models::Encoder& parts, models::Encoder& whole, double tolerance) {
    models::TokenBatch batch;
    batch.ids = texts(whole.layout());
    SAME(parts.hiddenStates(batch, {}), whole.hiddenStates(batch, {}), tolerance);
    const auto outputs = whole.layout().outputs;
    if (outputs == Outputs::Embedding || outputs == Outputs::Classes) {
        SAME(parts.run(batch, {}), whole.run(batch, {}), tolerance);
        return;
    }
    for (const IdLists& wanted : {IdLists{}, IdLists{{1, 3}, {}, {}, {0}, {7}}}) {
        const auto found = parts.tokenOutputs(batch, wanted, {});
        const auto expected = whole.tokenOutputs(batch, wanted, {});
        CHECK_OK(found);
        CHECK_OK(expected);
        QCOMPARE(found->starts, expected->starts);
        QVERIFY(differenceOf(found->values.values, expected->values.values) <= tolerance);
    }
}

void compareDecoders(models::Decoder& parts, models::Decoder& whole, double tolerance) {
    const auto ids = texts(whole.layout());
    SAME(parts.logits(ids[0], {}), whole.logits(ids[0], {}), tolerance);
    const auto found = parts.negativeLogLikelihoods(ids[4], {});
    const auto expected = whole.negativeLogLikelihoods(ids[4], {});
    CHECK_OK(found);
    CHECK_OK(expected);
    QVERIFY(largestDifference(found.value(), std::span<const float>(expected.value())) <= 20 * tolerance);
    // Sequences of their own lengths, several steps, and what dialogues and finished texts do to a cache.
    auto ours = parts.newCache(5, {24});
    auto theirs = whole.newCache(5, {24});
    CHECK_OK(ours);
    CHECK_OK(theirs);
    const auto both = [&](const IdLists& step) { SAME(parts.step(step, *ours.value(), {}), whole.step(step, *theirs.value(), {}), tolerance); };
    both(ids);
    both({{3}, {4}, {5, 6}, {6}, {7}});
    ours.value()->truncate(3, 2);
    theirs.value()->truncate(3, 2);
    QCOMPARE(ours.value()->length(3), std::int64_t{2});
    QCOMPARE(ours.value()->length(), theirs.value()->length());
    both({{3}, {4}, {5}, {6, 1, 2}, {7}});
    const std::vector<std::int64_t> left{0, 3, 4};
    ours.value()->reorder(left);
    theirs.value()->reorder(left);
    QCOMPARE(ours.value()->batch(), std::int64_t{3});
    both({{3}, {4}, {5}});
    const std::vector<std::int64_t> last{2};
    ours.value()->reorder(last);
    theirs.value()->reorder(last);
    both({{3, 2}});
}

void compareSeq2Seq(models::Seq2Seq& parts, models::Seq2Seq& whole, double tolerance) {
    const auto ids = texts(whole.layout());
    SAME(parts.encoderStates(ids[0], {}), whole.encoderStates(ids[0], {}), tolerance);
    SAME(parts.logits(ids[0], ids[4], {}), whole.logits(ids[0], ids[4], {}), tolerance);
    auto ours = parts.encode({ids, {}}, 2, {16}, {});
    auto theirs = whole.encode({ids, {}}, 2, {16}, {});
    CHECK_OK(ours);
    CHECK_OK(theirs);
    const IdLists first(10, {1});
    SAME(parts.step(first, *ours.value(), {}), whole.step(first, *theirs.value(), {}), tolerance);
    const std::vector<std::int64_t> beams{1, 0, 3, 3, 2, 2};
    ours.value()->reorder(beams);
    theirs.value()->reorder(beams);
    const IdLists second{{2}, {3}, {4}, {5}, {6}, {7}};
    SAME(parts.step(second, *ours.value(), {}), whole.step(second, *theirs.value(), {}), tolerance);
}

Result<LoadedModel> modelOf(const std::string& name, const std::string& recipe) {
    PARETO_TRY(auto model, openModel(kGolden + name));
    PARETO_TRY(const Json json, parseJson(recipe, "recipe"));
    Json whole = json;
    whole["version"] = 1;
    PARETO_TRY(auto made, compressed(model, whole.dump()));
    return std::move(made.model);
}

class TestSharded : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void families_data();
    void families();
    void storages_data();
    void storages();
    void codes_data() { storages_data(); }
    void codes();
    void wholeRows();
    void wholeRowsOfADevice();
    void devices_data();
    void devices();
    void stages();
    void beams();
    void greedyText();
    void refusals();
    void endOfOne();
};

/// A device of libtorch's with our CUDA kernels, of which the bodies run here.
runtime::Device playedDevice(int capability) {
    runtime::Device out;
    out.table = kernels::supportedTables().front();
    out.cudaTable = &hostCudaTable();
    out.capability = capability;
    return out;
}

Result<models::RunnableModel> wholeOn(const LoadedModel& whole, const runtime::Device* device) {
    if (device == nullptr) {
        return prepare(whole, 1);
    }
    Progress progress;
    return runtime::guarded("packing the weights", [&] { return models::prepareGraph({HeldTensors(whole), *device, progress, {}}); });
}

/// Against the whole in one process.
void compare(const LoadedModel& whole, const Split& split, double tolerance, bool& ran, const runtime::Device* device = nullptr,
             bool direct = false) {
    auto parts = ShardedOnThreads::make(whole, split.tp, split.pp, device, direct);
    if (!parts.ok() && parts.error().code == ErrorCode::TargetInvalid) {
        return;  // `refusals` says when
    }
    CHECK_OK(parts);
    ran = true;
    auto alone = wholeOn(whole, device);
    CHECK_OK(alone);
    const auto& model = parts.value()->model();
    if (alone->encoder) {
        compareEncoders(*model.encoder, *alone->encoder, tolerance);
    } else if (alone->decoder) {
        compareDecoders(*model.decoder, *alone->decoder, tolerance);
    } else {
        compareSeq2Seq(*model.seq2seq, *alone->seq2seq, tolerance);
    }
    QVERIFY(direct == (parts.value()->directCalls() > 0));
}

void TestSharded::families_data() {
    QTest::addColumn<QString>("model");
    for (const auto& name : kModels) {
        QTest::newRow(name.c_str()) << QString::fromStdString(name);
    }
}

void TestSharded::families() {
    QFETCH(QString, model);
    const auto whole = openModel(kGolden + model.toStdString());
    CHECK_OK(whole);
    int splits = 0;
    for (const auto& split : kSplits) {
        bool ran = false;
        compare(whole.value(), split, 1e-4, ran);
        QVERIFY2(!QTest::currentTestFailed(), split.name);
        splits += ran ? 1 : 0;
    }
    QVERIFY2(splits >= 2, qPrintable(QString::number(splits)));
}

void TestSharded::storages_data() {
    QTest::addColumn<QString>("model");
    QTest::addColumn<int>("storage");
    for (const char* model : {"tiny_bert", "tiny_llama", "tiny_t5"}) {
        for (int i = 0; i < static_cast<int>(std::size(kStorages)); ++i) {
            // Its heads are narrower than the groups, and three: no two parts of them.
            if (std::string_view(model) == "tiny_t5" && std::string_view(kStorages[i].recipe).find("\"group\":8") != std::string_view::npos) {
                continue;
            }
            QTest::addRow("%s, %s", model, kStorages[i].name) << QString::fromLatin1(model) << i;
        }
    }
}

void TestSharded::storages() {
    QFETCH(QString, model);
    QFETCH(int, storage);
    const auto& held = kStorages[storage];
    const auto whole = modelOf(model.toStdString(), held.recipe);
    CHECK_OK(whole);
    int splits = 0;
    for (const auto& split : kSplits) {
        bool ran = false;
        compare(whole.value(), split, held.tolerance, ran);
        QVERIFY2(!QTest::currentTestFailed(), split.name);
        splits += ran ? 1 : 0;
    }
    QVERIFY2(splits >= 2, qPrintable(QString::number(splits)));
}

/// Put together again, the parts' values are the whole model's: no code and no scale was made anew.
void TestSharded::codes() {
    QFETCH(QString, model);
    QFETCH(int, storage);
    const auto whole = modelOf(model.toStdString(), kStorages[storage].recipe);
    CHECK_OK(whole);
    std::vector<Shard> parts;
    for (int rank = 0; rank < 2; ++rank) {
        auto shard = shardOf(whole.value(), {2, 1, rank}, {0});
        CHECK_OK(shard);
        parts.push_back(std::move(shard.value()));
    }
    int divided = 0;
    for (const auto& [name, tensor] : whole->tensors) {
        if (tensor.shape.rank() != 2 || !parts[0].model.tensors.contains(name)) {
            continue;
        }
        const auto& first = parts[0].model.tensors.at(name);
        const auto& second = parts[1].model.tensors.at(name);
        const auto values = dequantize(tensor);
        const auto left = dequantize(first);
        const auto right = dequantize(second);
        const std::int64_t cols = tensor.shape[1];
        if (first.shape == tensor.shape) {
            QCOMPARE(left, values);
        } else if (first.shape[1] == cols) {
            auto both = left;
            both.insert(both.end(), right.begin(), right.end());
            QCOMPARE(both, values);
            ++divided;
        } else {
            std::vector<float> both;
            for (std::int64_t row = 0; row < tensor.shape[0]; ++row) {
                both.insert(both.end(), left.begin() + row * first.shape[1], left.begin() + (row + 1) * first.shape[1]);
                both.insert(both.end(), right.begin() + row * second.shape[1], right.begin() + (row + 1) * second.shape[1]);
            }
            QCOMPARE(both, values);
            ++divided;
        }
        if (!tensor.isDense()) {
            QCOMPARE(first.format(), tensor.format());
        }
    }
    QVERIFY(divided >= 7);
    // Held once: what is divided is not in both.
    QVERIFY(parts[0].model.bytes() < whole->bytes());
}

/// Columns that two hold are rounded as the row that they are of: the codes and scales of the whole.
void TestSharded::wholeRows() {
    const auto device = runtime::openDevice("cpu", 1);
    CHECK_OK(device);
    constexpr std::int64_t kRows = 5;
    constexpr std::int64_t kCols = 48;
    constexpr std::int64_t kFirst = 32;
    const at::Tensor whole = at::randn({kRows, kCols});
    const at::Tensor left = whole.slice(1, 0, kFirst).contiguous();
    const at::Tensor right = whole.slice(1, kFirst).contiguous();
    MeetingPlace place(2);
    const auto partner = [&](int rank) {
        return runtime::LargestOfAll([&place, rank](std::span<float> values) {
            place.meet(rank, std::as_writable_bytes(values),
                       [](auto& all) { reduceSpans(all, [](float a, float b) { return std::max(a, b); }); });
        });
    };
    const runtime::InputRounding unsignedCodes{};
    const runtime::InputRounding signedCodes{0, 0.0F, 16, 1};
    for (const auto& how : {unsignedCodes, signedCodes}) {
        runtime::LinearInput all(device.value(), whole);
        const auto& expected = all.quantized(how);
        const auto& rounded = all.rounded16(0);
        const auto check = [&](int rank, const at::Tensor& part, std::int64_t from) {
            const auto largest = partner(rank);
            runtime::LinearInput own(device.value(), part, &largest);
            const auto& found = own.quantized(how);
            for (std::int64_t row = 0; row < kRows; ++row) {
                for (std::int64_t col = 0; col < part.size(1); ++col) {
                    if (found.data()[row * found.ldc + col] != expected.data()[row * expected.ldc + from + col]) {
                        return false;
                    }
                }
            }
            return at::equal(own.rounded16(0), rounded.slice(1, from, from + part.size(1))) &&
                   found.scales[0] == expected.scales[0];
        };
        bool other = false;
        std::jthread second([&] { other = check(1, right, kFirst); });
        QVERIFY(check(0, left, 0));
        second.join();
        QVERIFY(other);
        // By itself a part is rounded otherwise.
        runtime::LinearInput alone(device.value(), right);
        QVERIFY(!std::ranges::equal(alone.quantized(how).scales, expected.scales));
    }
}

/// The same of inputs on a device, where libtorch's operations and our kernels round them.
void TestSharded::wholeRowsOfADevice() {
    const auto device = playedDevice(0);
    constexpr std::int64_t kFirst = 32;
    const at::Tensor whole = at::randn({5, 48});
    const at::Tensor parts[] = {whole.slice(1, 0, kFirst).contiguous(), whole.slice(1, kFirst).contiguous()};
    const auto expected = runtime::activationCodes(whole, 0, 8, 0.0F);
    MeetingPlace place(2);
    bool same[2] = {};
    const auto round = [&](int rank) {
        const runtime::LargestOfAll largest([&place, rank](std::span<float> values) {
            place.meet(rank, std::as_writable_bytes(values),
                       [](auto& all) { reduceSpans(all, [](float a, float b) { return std::max(a, b); }); });
        });
        runtime::LinearInput input(device, parts[rank], &largest);
        const auto found = runtime::activationCodes(parts[rank], 0, 8, 0.0F, input.largestOnDevice(0, 0.0F));
        const std::int64_t from = rank * kFirst;
        same[rank] = at::equal(found.codes, expected.codes.slice(1, from, from + parts[rank].size(1))) &&
                     at::equal(found.scales, expected.scales) &&
                     // Asked for once, and not where scales are of something else.
                     input.largestOnDevice(0, 0.0F).defined() && !input.largestOnDevice(8, 0.0F).defined() &&
                     !input.largestOnDevice(0, 0.5F).defined();
    };
    std::jthread second([&] { round(1); });
    round(0);
    second.join();
    QVERIFY(same[0]);
    QVERIFY(same[1]);
    QVERIFY(!at::equal(runtime::activationCodes(parts[1], 0, 8, 0.0F).scales, expected.scales));
}

void TestSharded::devices_data() {
    QTest::addColumn<QString>("model");
    QTest::addColumn<int>("storage");
    QTest::addColumn<int>("capability");
    QTest::addColumn<bool>("direct");
    // fp32, and 8-bit inputs of our kernels and of libtorch's integer product.
    for (const char* model : {"tiny_bert", "tiny_llama", "tiny_marian"}) {
        QTest::addRow("%s, from device to device", model) << QString::fromLatin1(model) << 0 << 0 << true;
        for (const auto& [storage, capability] : {std::pair{0, 0}, std::pair{1, 75}}) {
            QTest::addRow("%s, %s", model, kStorages[storage].name) << QString::fromLatin1(model) << storage << capability << false;
        }
    }
}

/// On a device of libtorch's, which the CPU plays: what parts exchange goes through memory and back, or where it lies.
void TestSharded::devices() {
    QFETCH(QString, model);
    QFETCH(int, storage);
    QFETCH(int, capability);
    QFETCH(bool, direct);
    const auto whole = modelOf(model.toStdString(), kStorages[storage].recipe);
    CHECK_OK(whole);
    const auto device = playedDevice(capability);
    const double tolerance = kStorages[storage].tolerance;
    int splits = 0;
    for (const auto& split : {kSplits[0], kSplits[2]}) {
        bool ran = false;
        compare(whole.value(), split, tolerance, ran, &device, direct);
        QVERIFY2(!QTest::currentTestFailed(), split.name);
        splits += ran ? 1 : 0;
    }
    QVERIFY2(splits == 2, qPrintable(QString::number(splits)));
}

/// The longest stage is as short as any division makes it.
void TestSharded::stages() {
    QCOMPARE(stageStarts({1, 1, 1, 1}, 2), (std::vector<int>{0, 2}));
    QCOMPARE(stageStarts({1, 1, 1, 3}, 2), (std::vector<int>{0, 3}));
    QCOMPARE(stageStarts({5, 1, 1, 1}, 2), (std::vector<int>{0, 1}));
    QCOMPARE(stageStarts({1, 2, 3}, 3), (std::vector<int>{0, 1, 2}));
    QCOMPARE(stageStarts({4}, 1), (std::vector<int>{0}));
    const std::vector<double> costs{3, 1, 4, 1, 5, 9, 2, 6};
    const auto longest = [&](const std::vector<int>& starts) {
        double out = 0.0;
        for (std::size_t s = 0; s < starts.size(); ++s) {
            const auto end = s + 1 < starts.size() ? starts[s + 1] : static_cast<int>(costs.size());
            out = std::max(out, std::accumulate(costs.begin() + starts[s], costs.begin() + end, 0.0));
        }
        return out;
    };
    double best = INFINITY;
    for (int a = 1; a < 7; ++a) {
        for (int b = a + 1; b < 8; ++b) {
            best = std::min(best, longest({0, a, b}));
        }
    }
    QCOMPARE(longest(stageStarts(costs, 3)), best);
}

void TestSharded::beams() {
    for (const char* name : {"tiny_llama", "tiny_marian"}) {
        const auto whole = openModel(kGolden + name);
        CHECK_OK(whole);
        auto alone = prepare(whole.value(), 1);
        CHECK_OK(alone);
        auto parts = ShardedOnThreads::make(whole.value(), 2, 2);
        CHECK_OK(parts);
        models::GenerateOptions options;
        options.maxTokens = 12;
        options.beams = 3;
        const auto ids = texts(whole->layout);
        const auto with = [&](const models::RunnableModel& model) {
            return model.decoder ? models::generateBatch(*model.decoder, {ids[0], ids[1]}, options, {})
                                 : models::translate(*model.seq2seq, models::TokenBatch{{ids[0], ids[1]}, {}}, options, {});
        };
        const auto expected = with(alone.value());
        const auto found = with(parts.value()->model());
        CHECK_OK(expected);
        CHECK_OK(found);
        for (std::size_t i = 0; i < expected->size(); ++i) {
            QCOMPARE(found.value()[i].ids, expected.value()[i].ids);
        }
    }
}

void TestSharded::greedyText() {
    const auto whole = openModel(kGolden + "tiny_llama");
    CHECK_OK(whole);
    const Json expected = golden("tiny_llama.json");
    const auto ids = idsOf(expected["ids"]);
    for (const auto& split : kSplits) {
        auto parts = ShardedOnThreads::make(whole.value(), split.tp, split.pp);
        if (!parts.ok()) {
            continue;
        }
        models::GenerateOptions options;
        options.maxTokens = 30;
        auto made = models::generate(*parts.value()->model().decoder, {ids.begin(), ids.begin() + 5}, options, {}, {});
        CHECK_OK(made);
        QCOMPARE(made->ids, idsOf(expected["greedy"]));
    }
}

void TestSharded::refusals() {
    const auto whole = openModel(kGolden + "tiny_llama");
    CHECK_OK(whole);
    const auto blocks = static_cast<int>(whole->layout.blocks.size());
    const auto deep = ShardedOnThreads::make(whole.value(), 1, blocks + 1);
    QVERIFY(!deep.ok());
    QCOMPARE(deep.error().code, ErrorCode::TargetInvalid);
    QVERIFY(errorMessage(deep.error()).find(std::to_string(blocks) + " blocks") != std::string::npos);
    const auto wide = ShardedOnThreads::make(whole.value(), 61, 1);
    QVERIFY(!wide.ok());
    QCOMPARE(wide.error().code, ErrorCode::TargetInvalid);
    auto parts = ShardedOnThreads::make(whole.value(), 2, 1);
    CHECK_OK(parts);
    auto& decoder = *parts.value()->model().decoder;
    // Said before others hear of it: everything goes on behind it.
    QVERIFY(!decoder.logits({100000}, {}).ok());
    QVERIFY(!decoder.newCache(0, {5}).ok());
    QVERIFY(!decoder.newCache(1, {1 << 30}).ok());
    auto cache = decoder.newCache(2, {8});
    CHECK_OK(cache);
    QVERIFY(!decoder.step({{1}}, *cache.value(), {}).ok());
    std::stop_source stop;
    stop.request_stop();
    QVERIFY(decoder.step({{1}, {2}}, *cache.value(), stop.get_token()).cancelled());
    CHECK_OK(decoder.step({{1}, {2}}, *cache.value(), {}));
}

/// A failure that only one process knows of ends it for all.
void TestSharded::endOfOne() {
    const auto whole = openModel(kGolden + "tiny_llama");
    CHECK_OK(whole);
    auto parts = ShardedOnThreads::make(whole.value(), 2, 1);
    CHECK_OK(parts);
    // What nobody knows.
    QVERIFY(parts.value()->partners().tell({77, 1, 0}).ok());
    QTRY_VERIFY(!parts.value()->model().decoder->logits({1, 2}, {}).ok());
}

}  // namespace

QTEST_GUILESS_MAIN(TestSharded)
#include "tst_sharded.moc"
