// Decoders on a device with our CUDA kernels, of which the bodies run on the CPU here: the same logits as on the CPU's
// own path, whatever is recorded. Graphs themselves need a GPU; who records what and when does not.
#include <ATen/ops/ones.h>
#include <c10/core/InferenceMode.h>

#include "engine/models/fixed_step.h"
#include "engine/models/network.h"
#include "engine/kernels/choose.h"
#include "engine/runtime/step_graph.h"
#include "engine/runtime/torch_cuda_kernels.h"
#include "tests/engine/models/golden.h"
#include "tests/support/cuda_host/host_table.h"

using namespace pareto;
using namespace pareto::test;
using models::CacheFormat;

namespace {

using Ids = std::vector<std::vector<std::int32_t>>;
namespace cuda = kernels::cuda;

/// What a table was asked to record. Work that is "recorded" runs at once, a replay does nothing.
struct Spy {
    int begun = 0;
    int ended = 0;
    int replayed = 0;
    int dropped = 0;
    bool endFails = false;
};
Spy spy;

const cuda::Table& spyTable() {
    static const cuda::Table table = [] {
        cuda::Table out = hostCudaTable();
        out.name = "spy";
        out.graph.begin = [](int, cuda::Reason*) -> void* {
            ++spy.begun;
            return &spy;
        };
        out.graph.end = [](void*, cuda::Reason* reason) {
            ++spy.ended;
            if (spy.endFails) {
                std::strcpy(reason->text, "the driver does not like it");
            }
            return !spy.endFails;
        };
        out.graph.replay = [](void*, cuda::Reason*) {
            ++spy.replayed;
            return true;
        };
        out.graph.drop = [](void*) { ++spy.dropped; };
        return out;
    }();
    return table;
}

runtime::Device deviceWith(const cuda::Table& table) {
    runtime::Device out;
    out.table = kernels::supportedTables().front();
    out.cudaTable = &table;
    return out;
}

Result<models::RunnableModel> prepareWith(const LoadedModel& model, const cuda::Table& table) {
    Progress progress;
    const auto device = deviceWith(table);
    return models::prepareDecoder({HeldTensors(model), device, progress, {}});
}

std::vector<std::int32_t> cut(const std::vector<std::int32_t>& ids, std::size_t from,
                              std::size_t to) {
    return {ids.begin() + static_cast<std::ptrdiff_t>(from),
            ids.begin() + static_cast<std::ptrdiff_t>(to)};
}

/// How far two tables' logits are apart over a prompt of uneven lengths, steps of a few tokens, then of one.
void compareDecoders(const LoadedModel& model, const std::vector<std::int32_t>& ids,
                     CacheFormat format, double allowed) {
    auto plain = prepare(model);
    auto own = prepareWith(model, hostCudaTable());
    CHECK_OK(plain);
    CHECK_OK(own);
    QCOMPARE(QString::fromStdString(own->decoder->device().steps),
             QStringLiteral("launched one by one: bodies on the CPU records no graphs"));
    auto expectedCache = plain->decoder->newCache(2, {40, format});
    auto foundCache = own->decoder->newCache(2, {40, format});
    CHECK_OK(expectedCache);
    CHECK_OK(foundCache);
    const std::vector<std::int32_t> other(ids.rbegin(), ids.rend());
    std::size_t at[2] = {0, 0};
    double worst = 0.0;
    for (const auto& [first, second] : std::vector<std::pair<std::size_t, std::size_t>>{
             {7, 12}, {1, 1}, {1, 1}, {3, 1}, {2, 4}, {1, 1}, {1, 1}, {8, 1}, {1, 1}}) {
        const Ids step{cut(ids, at[0], at[0] + first), cut(other, at[1], at[1] + second)};
        at[0] += first;
        at[1] += second;
        const auto expected = plain->decoder->step(step, *expectedCache.value(), {});
        const auto found = own->decoder->step(step, *foundCache.value(), {});
        CHECK_OK(expected);
        CHECK_OK(found);
        worst = std::max(
            worst, largestDifference(found->values, std::span<const float>(expected->values)));
        QCOMPARE(foundCache.value()->length(0), expectedCache.value()->length(0));
        QCOMPARE(foundCache.value()->length(1), expectedCache.value()->length(1));
    }
    QVERIFY2(worst < allowed, qPrintable(QStringLiteral("logits differ by %1").arg(worst)));
}

}  // namespace

class TestCudaSteps : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() { spy = Spy(); }
    void decoders_data();
    void decoders();
    void ropesByLength_data();
    void ropesByLength();
    void manyKeys();
    void recordedOnceAndReplayed();
    void whatCannotBeRecorded();
    void worksThatThrow();
    void reordered();
    void listenersAreTold();
};

void TestCudaSteps::decoders_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"gpt2", "llama_bias", "mistral", "gemma2", "gemma3", "qwen3"}) {
        QTest::newRow(name) << QString::fromLatin1(name);
    }
}

void TestCudaSteps::decoders() {
    QFETCH(QString, name);
    const auto model = openModel(kGolden + "decoders/" + name.toStdString());
    CHECK_OK(model);
    const auto ids = idsOf(golden("decoders/" + name.toStdString() + ".json")["ids"]);
    compareDecoders(model.value(), ids, CacheFormat::F32, 1e-4);
    compareDecoders(model.value(), ids, CacheFormat::F16, 2e-3);
    // A last bit may round to the next code: two tables of the CPU are 0.1 and 1.4 apart.
    compareDecoders(model.value(), ids, CacheFormat::Int8, 0.5);
    compareDecoders(model.value(), ids, CacheFormat::Int4, 3.0);
}

void TestCudaSteps::ropesByLength_data() {
    QTest::addColumn<int>("scaling");
    QTest::newRow("longrope") << static_cast<int>(RopeSettings::Scaling::LongRope);
    QTest::newRow("dynamic") << static_cast<int>(RopeSettings::Scaling::Dynamic);
    QTest::newRow("yarn") << static_cast<int>(RopeSettings::Scaling::Yarn);
}

/// Beyond the original context, which ends in the middle of the steps.
void TestCudaSteps::ropesByLength() {
    QFETCH(int, scaling);
    auto model = openModel(kGolden + "decoders/llama_bias");
    CHECK_OK(model);
    const auto ids = idsOf(golden("decoders/llama_bias.json")["ids"]);
    auto& rope = model->layout.ropes.at(0);
    rope.scaling = static_cast<RopeSettings::Scaling>(scaling);
    rope.factor = 4.0;
    rope.originalPositions = 9;
    rope.shortFactors.assign(static_cast<std::size_t>(model->layout.headDim) / 2, 1.0);
    rope.longFactors.assign(rope.shortFactors.size(), 3.0);
    compareDecoders(model.value(), ids, CacheFormat::F32, 1e-4);
}

/// Enough room that keys are divided among blocks and joined again.
void TestCudaSteps::manyKeys() {
    auto model = openModel(kGolden + "decoders/gemma2");
    CHECK_OK(model);
    constexpr std::size_t kTokens = 620;
    model->layout.maxPositions = 2048;
    auto plain = prepare(model.value());
    auto own = prepareWith(model.value(), hostCudaTable());
    CHECK_OK(plain);
    CHECK_OK(own);
    std::vector<std::int32_t> ids;
    for (std::size_t i = 0; i < kTokens; ++i) {
        ids.push_back(static_cast<std::int32_t>(
            (i * i + 3 * i) % static_cast<std::size_t>(model->layout.vocabulary)));
    }
    QVERIFY(cuda::splitsOf(2048, 0) > 1);
    auto expectedCache = plain->decoder->newCache(1, {2048, CacheFormat::F32});
    auto foundCache = own->decoder->newCache(1, {2048, CacheFormat::F32});
    CHECK_OK(plain->decoder->step({ids}, *expectedCache.value(), {}));
    CHECK_OK(own->decoder->step({ids}, *foundCache.value(), {}));
    std::vector<float> single;
    for (const std::int32_t id : {5, 9, 2}) {
        const auto expected = plain->decoder->step({{id}}, *expectedCache.value(), {});
        const auto found = own->decoder->step({{id}}, *foundCache.value(), {});
        CHECK_OK(expected);
        CHECK_OK(found);
        QVERIFY(largestDifference(found->values, std::span<const float>(expected->values)) < 2e-4);
        single = found->values;
    }
    // Drafts rest on it: attention and norms give a token of a few the bits that it gets alone.
    foundCache.value()->truncate(0, static_cast<std::int64_t>(kTokens));
    const auto together = own->decoder->stepAll({{5, 9, 2}}, *foundCache.value(), {});
    CHECK_OK(together);
    QVERIFY(largestDifference(together->row(2), std::span<const float>(single)) < 1e-5);
}

void TestCudaSteps::recordedOnceAndReplayed() {
    const auto model = openModel(kGolden + "decoders/llama_bias");
    CHECK_OK(model);
    auto own = prepareWith(model.value(), spyTable());
    auto plain = prepare(model.value());
    CHECK_OK(own);
    CHECK_OK(plain);
    QCOMPARE(QString::fromStdString(own->decoder->device().steps),
             QStringLiteral("one graph a token"));
    auto cache = own->decoder->newCache(1, {40});
    auto expectedCache = plain->decoder->newCache(1, {40});
    const auto step = [&](const std::vector<std::int32_t>& ids) {
        const auto expected = plain->decoder->step({ids}, *expectedCache.value(), {});
        const auto found = own->decoder->step({ids}, *cache.value(), {});
        return largestDifference(found->values, std::span<const float>(expected->values));
    };
    QVERIFY(step({1, 2, 3}) < 1e-4);
    QVERIFY(step({4}) < 1e-4);
    QCOMPARE(spy.begun, 0);  // the first one is launched by itself
    QVERIFY(step({5}) < 1e-4);
    QCOMPARE(spy.begun, 1);
    QCOMPARE(spy.replayed, 1);
    // From here on the spy's logits stay; what a replay would read and count goes on.
    step({6});
    step({7});
    QCOMPARE(spy.begun, 1);
    QCOMPARE(spy.replayed, 3);
    QCOMPARE(cache.value()->length(), expectedCache.value()->length());
    cache.value()->truncate(0, 3);
    step({8});
    QCOMPARE(spy.begun, 1);
    cache.value().reset();
    QCOMPARE(spy.dropped, 1);
}

void TestCudaSteps::whatCannotBeRecorded() {
    const auto model = openModel(kGolden + "decoders/llama_bias");
    CHECK_OK(model);
    auto own = prepareWith(model.value(), spyTable());
    auto plain = prepare(model.value());
    CHECK_OK(own);
    CHECK_OK(plain);
    spy.endFails = true;
    auto cache = own->decoder->newCache(1, {40});
    auto expectedCache = plain->decoder->newCache(1, {40});
    for (const std::int32_t id : {4, 5, 6, 7, 8}) {
        const auto expected = plain->decoder->step({{id}}, *expectedCache.value(), {});
        const auto found = own->decoder->step({{id}}, *cache.value(), {});
        CHECK_OK(found);
        QVERIFY(largestDifference(found->values, std::span<const float>(expected->values)) < 1e-4);
    }
    QCOMPARE(spy.begun, 1);  // not tried again
    QCOMPARE(spy.replayed, 0);
    QCOMPARE(spy.dropped, 1);
    QCOMPARE(QString::fromStdString(own->decoder->device().steps),
             QStringLiteral("launched one by one: the driver does not like it"));
    auto other = own->decoder->newCache(1, {40});
    CHECK_OK(own->decoder->step({{1}}, *other.value(), {}));
    CHECK_OK(own->decoder->step({{2}}, *other.value(), {}));
    QCOMPARE(spy.begun, 1);
}

/// What an operation threw that may not be recorded says more than that the recording broke.
void TestCudaSteps::worksThatThrow() {
    spy.endFails = true;
    runtime::StepGraph graph(deviceWith(spyTable()));
    const auto reason =
        graph.record([] { throw std::runtime_error("operation not permitted\nC++ trace"); });
    QCOMPARE(QString::fromStdString(reason), QStringLiteral("operation not permitted"));
    QCOMPARE(spy.ended, 1);
    QCOMPARE(spy.dropped, 1);
    QVERIFY(!graph.recorded());
    runtime::Device none;
    none.cudaTableProblem = "there is none";
    QCOMPARE(QString::fromStdString(runtime::StepGraph(none).record([] {})),
             QStringLiteral("there is none"));
}

/// With another number of sequences keys and values move: what was recorded before is gone.
void TestCudaSteps::reordered() {
    const auto model = openModel(kGolden + "decoders/llama_bias");
    CHECK_OK(model);
    auto own = prepareWith(model.value(), spyTable());
    CHECK_OK(own);
    auto cache = own->decoder->newCache(2, {40});
    for (int i = 0; i < 3; ++i) {
        CHECK_OK(own->decoder->step({{1}, {2}}, *cache.value(), {}));
    }
    QCOMPARE(spy.begun, 1);
    cache.value()->reorder(std::vector<std::int64_t>{1, 0});
    QCOMPARE(spy.dropped, 0);
    CHECK_OK(own->decoder->step({{1}, {2}}, *cache.value(), {}));
    QCOMPARE(spy.replayed, 3);
    cache.value()->reorder(std::vector<std::int64_t>{1});
    QCOMPARE(spy.dropped, 1);
    CHECK_OK(own->decoder->step({{1}}, *cache.value(), {}));
    QCOMPARE(spy.replayed, 3);
    CHECK_OK(own->decoder->step({{1}}, *cache.value(), {}));
    QCOMPARE(spy.begun, 2);
}

namespace {

class Listener final : public models::LayerObserver {
public:
    void begin(const std::string&) override { ++phases; }
    void end(const std::string&) override {}
    int phases = 0;
};

}  // namespace

/// A recorded step has no layers to tell of.
void TestCudaSteps::listenersAreTold() {
    const auto model = openModel(kGolden + "decoders/llama_bias");
    CHECK_OK(model);
    auto own = prepareWith(model.value(), spyTable());
    CHECK_OK(own);
    auto cache = own->decoder->newCache(1, {40});
    Listener listener;
    own->decoder->setObserver(&listener);
    for (int i = 0; i < 3; ++i) {
        CHECK_OK(own->decoder->step({{1}}, *cache.value(), {}));
    }
    QVERIFY(listener.phases > 3 * 10);
    QCOMPARE(spy.begun, 0);
}

QTEST_GUILESS_MAIN(TestCudaSteps)
#include "tst_cuda_steps.moc"
