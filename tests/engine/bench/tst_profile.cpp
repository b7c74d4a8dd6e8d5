#include <QTest>

#include <chrono>
#include <set>
#include <thread>

#include "engine/bench/hardware_counters.h"
#include "engine/bench/layer_work.h"
#include "engine/bench/profile.h"
#include "engine/bench/roofs.h"
#include "engine/kernels/choose.h"
#include "tests/engine/tasks/fakes.h"

using namespace pareto;
using namespace std::chrono_literals;
using bench::StepShape;

/// Roofs, what layers move and compute, and how a pass becomes steps and a timeline.
class TestProfile : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void roofsArePositiveAndOrdered();
    void roofsCanBeCancelled();
    void countersCountOrSayWhy();
    void linearsAndEmbeddings();
    void attention();
    void sourcesAndTheirLayers();
    void kernelsTellTheirArithmetic();
    void aDecodersStepsAreApart();
    void thePassIsATimeline();
};

namespace {

LayerInfo layer(const std::string& name, LayerRole role, std::int64_t rows, std::int64_t cols,
                int block = -1) {
    LayerInfo out;
    out.name = name;
    out.role = role;
    out.rows = rows;
    out.cols = cols;
    out.block = block;
    return out;
}

/// One block of 4 query heads that share 2 of keys, a table and a head; every layer "holds" 1000 bytes.
class HeldDecoder : public fakes::FakeDecoder {
public:
    HeldDecoder() : FakeDecoder([](const auto&, std::size_t) { return 1.0F; }) {
        m_device.kernelTable = "fakes";
        m_layout.headDim = 8;
        BlockInfo block;
        block.name = "decoder.layer.0";
        block.heads = 4;
        block.kvHeads = 2;
        m_layout.blocks.push_back(block);
        m_layout.layers = {layer("embeddings.word", LayerRole::Embedding, 16, 32),
                           layer("decoder.layer.0.ffn.up", LayerRole::FfnUp, 64, 32, 0),
                           layer("lm_head", LayerRole::Head, 16, 32)};
        m_layout.outputs = Outputs::NextToken;
    }
    std::uint64_t bytesOf(const std::string&) const override { return 1000; }
    std::string kernelOf(const std::string&) const override { return "fp32 (fake)"; }
};

StepShape step(StepShape::Kind kind, std::int64_t batch, std::int64_t tokens,
               std::int64_t past = 0) {
    StepShape out;
    out.kind = kind;
    out.batch = batch;
    out.tokens = tokens;
    out.past = past;
    return out;
}

models::RunnableModel watchedDecoder() {
    auto fake = std::make_unique<HeldDecoder>();
    fake->m_onStep = [raw = fake.get()](std::size_t tokens) {
        if (raw->m_observer == nullptr) {
            return;
        }
        raw->m_observer->begin("embeddings.word");
        raw->m_observer->end("embeddings.word");
        raw->m_observer->begin("decoder.layer.0.attention.scores");
        raw->m_observer->begin("decoder.layer.0.ffn.up");
        std::this_thread::sleep_for(tokens > 1 ? 8ms : 2ms);
        raw->m_observer->end("decoder.layer.0.ffn.up");
        raw->m_observer->end("decoder.layer.0.attention.scores");
    };
    models::RunnableModel model;
    model.decoder = std::move(fake);
    return model;
}

bench::ProfileOptions quick(std::int64_t generate) {
    bench::ProfileOptions options;
    options.minSeconds = 0.0;
    options.minPasses = 3;
    options.target.prompt = 5;
    options.target.generate = generate;
    return options;
}

}  // namespace

void TestProfile::roofsArePositiveAndOrdered() {
    bench::RoofOptions options;
    options.weightBytes = 1 << 20;
    options.table = kernels::chooseTable().value();
    options.seconds = 0.05;
    Progress progress;
    const auto roofs = bench::measureRoofs(options, progress, {});
    QVERIFY(roofs.ok());
    QVERIFY(roofs->threads >= 1);
    for (const auto& roof : {roofs->weights, roofs->memory, roofs->fp32, roofs->int8}) {
        QVERIFY(roof.median > 0.0);
        QVERIFY(roof.best >= roof.median);
        QVERIFY(roof.best < 1e6);
    }
    QCOMPARE(roofs->weightsBytes, std::uint64_t{1} << 20);
    QVERIFY(roofs->memoryBytes >= 8U << 20);
    QVERIFY(roofs->int8Way.find(options.table->int8Name) != std::string::npos);
    QCOMPARE(progress.snapshot().done, progress.snapshot().total);
    // Above both roofs lies what is beyond the machine.
    QCOMPARE(roofAt(roofs.value(), Arithmetic::Fp32, 1e9), roofs->fp32.best);
    QCOMPARE(roofAt(roofs.value(), Arithmetic::Int8, 1e-9), 1e-9 * roofs->weights.best);
    // Weights beyond the caches are as memory.
    options.weightBytes = std::uint64_t{1} << 50;
    const auto large = bench::measureRoofs(options, progress, {});
    QVERIFY(large.ok());
    QCOMPARE(large->weights.best, large->memory.best);
}

void TestProfile::roofsCanBeCancelled() {
    bench::RoofOptions options;
    options.table = kernels::chooseTable().value();
    std::stop_source stop;
    stop.request_stop();
    Progress progress;
    QVERIFY(bench::measureRoofs(options, progress, stop.get_token()).cancelled());
}

void TestProfile::countersCountOrSayWhy() {
    const bench::HardwareCounters counters;
    const auto counts = counters.read();
    const bool any = counts.cycles || counts.instructions || counts.cacheMisses;
    QCOMPARE(any, counters.whyNot().empty());
    if (!any) {
        QSKIP(qPrintable(QStringLiteral("no counters: ") +
                         QString::fromStdString(counters.whyNot())));
    }
    const auto before = counters.read().instructions.value_or(0.0);
    volatile int sum = 0;
    for (int i = 0; i < 1'000'000; ++i) {
        sum = sum + i;
    }
    QVERIFY(!counts.instructions || *counters.read().instructions >= before + 1e6);
}

void TestProfile::linearsAndEmbeddings() {
    const HeldDecoder model;
    const auto prompt = step(StepShape::Kind::Prefill, 2, 5);
    const auto up = bench::workOf(model, "decoder.layer.0.ffn.up", prompt);
    QCOMPARE(*up.operations, std::int64_t{2 * 64 * 32 * 10});
    QCOMPARE(*up.bytes, std::uint64_t{1000 + 10 * (64 + 32) * 4});
    // The head sees the last token of each sequence.
    const auto head = bench::workOf(model, "lm_head", prompt);
    QCOMPARE(*head.operations, std::int64_t{2 * 16 * 32 * 2});
    const auto word = bench::workOf(model, "embeddings.word", prompt);
    QCOMPARE(*word.operations, std::int64_t{0});
    QCOMPARE(*word.bytes, std::uint64_t{10 * (1000 / 16 + 32 * 4)});
    const auto norm = bench::workOf(model, "decoder.layer.0.attention.norm", prompt);
    QVERIFY(!norm.operations && !norm.bytes);
}

void TestProfile::attention() {
    HeldDecoder model;
    const std::string scores = "decoder.layer.0.attention.scores";
    // 1 + 2 + 3 + 4 + 5 pairs a sequence; queries and outputs, keys and values appended and read.
    const auto prompt = bench::workOf(model, scores, step(StepShape::Kind::Prefill, 2, 5));
    QCOMPARE(*prompt.operations, std::int64_t{4 * 4 * 8 * 15 * 2});
    QCOMPARE(*prompt.bytes, std::uint64_t{2 * (2 * 5 * 4 * 32 + 2 * 2 * (5 * 32 + 5 * 32))});
    const auto token = bench::workOf(model, scores, step(StepShape::Kind::Decode, 1, 1, 20));
    QCOMPARE(*token.operations, std::int64_t{4 * 4 * 8 * 21});
    QCOMPARE(*token.bytes, std::uint64_t{2 * 4 * 32 + 2 * 2 * (32 + 21 * 32)});
    model.m_layout.blocks[0].window = 8;
    QCOMPARE(*bench::workOf(model, scores, step(StepShape::Kind::Decode, 1, 1, 20)).operations,
             std::int64_t{4 * 4 * 8 * 8});
    model.m_layout.cache = NumberFormat::Int8;  // a byte a value and a scale a head
    QCOMPARE(*bench::workOf(model, scores, step(StepShape::Kind::Decode, 1, 1, 20)).bytes,
             std::uint64_t{2 * 4 * 32 + 2 * 2 * (32 + 8 * (8 + 4))});
    fakes::FakeEncoder encoder([](const auto&) { return std::vector<float>{0.0F}; });
    encoder.m_layout.headDim = 8;
    BlockInfo block;
    block.name = "encoder.layer.0";
    block.heads = 3;
    block.repeats = 2;
    encoder.m_layout.blocks.push_back(block);
    const auto all = bench::workOf(encoder, "encoder.layer.0.attention.scores",
                                   step(StepShape::Kind::Pass, 2, 7));
    QCOMPARE(*all.operations, std::int64_t{4 * 3 * 8 * 49 * 2 * 2});
    QCOMPARE(*all.bytes, std::uint64_t{4 * 7 * 3 * 32 * 2 * 2});
}

void TestProfile::sourcesAndTheirLayers() {
    fakes::FakeDecoder model([](const auto&, std::size_t) { return 1.0F; });
    auto& layout = model.m_layout;
    layout.family = Family::T5;
    layout.outputs = Outputs::NextToken;
    BlockInfo encoder;
    encoder.name = "encoder.layer.0";
    BlockInfo decoder;
    decoder.name = "decoder.layer.0";
    decoder.crossAttention = 1;
    layout.blocks = {encoder, decoder};
    layout.layers = {layer("encoder.layer.0.ffn.up", LayerRole::FfnUp, 4, 2, 0),
                     layer("decoder.layer.0.ffn.up", LayerRole::FfnUp, 4, 2, 1),
                     layer("decoder.layer.0.cross.key", LayerRole::Key, 4, 2, 1)};
    layout.layers[2].group = 1;
    auto first = step(StepShape::Kind::Prefill, 3, 6);
    first.source = 6;
    auto further = step(StepShape::Kind::Decode, 3, 1, 2);
    further.source = 6;
    const auto inputs = [&](const char* name, const StepShape& shape) {
        return *bench::workOf(model, name, shape).operations / (2 * 4 * 2);
    };
    QCOMPARE(inputs("encoder.layer.0.ffn.up", first), std::int64_t{18});
    QCOMPARE(inputs("decoder.layer.0.ffn.up", first), std::int64_t{3});
    QCOMPARE(inputs("decoder.layer.0.cross.key", first), std::int64_t{18});
    QCOMPARE(inputs("decoder.layer.0.ffn.up", further), std::int64_t{3});
    QCOMPARE(inputs("decoder.layer.0.cross.key", further), std::int64_t{0});
}

void TestProfile::kernelsTellTheirArithmetic() {
    for (const auto* integer :
         {"int8 dynamic (VNNI)", "int8 static (AVX2)", "int4 dynamic (VNNI, groups)",
          "int8 dynamic, zeros left out (avx512_vnni); 50 % zeros: 1.4× of dense"}) {
        QVERIFY2(bench::arithmeticOf(integer) == Arithmetic::Int8, integer);
    }
    QVERIFY(bench::arithmeticOf("attention in bf16 (avx512_bf16)") == Arithmetic::Fp16);
    for (const auto* fp32 :
         {"fp32 (libtorch)", "attention (avx512_bf16)", "int8 weight-only (avx2)", "int4 weight-only (avx512_vnni)", "",
          "int4 dynamic, rounded inputs (avx2)",
          "int8 weights, int16 dynamic, products in fp32 (x)"}) {
        QVERIFY2(bench::arithmeticOf(fp32) == Arithmetic::Fp32, fp32);
    }
}

void TestProfile::aDecodersStepsAreApart() {
    auto model = watchedDecoder();
    Progress progress;
    const auto profile = bench::profileModel(model, quick(4), progress, {});
    QVERIFY(profile.ok());
    QCOMPARE(profile->steps.size(), std::size_t{2});
    const auto* prefill = profile->find("prefill");
    const auto* decode = profile->find("decode");
    QVERIFY(prefill != nullptr && decode != nullptr);
    QCOMPARE(prefill->steps, std::int64_t{3});
    QCOMPARE(decode->steps, std::int64_t{9});
    QCOMPARE(prefill->tokens, std::int64_t{5});
    QCOMPARE(decode->tokens, std::int64_t{1});
    QVERIFY(prefill->ms >= 8.0 && decode->ms >= 2.0 && decode->ms < prefill->ms);
    QCOMPARE(decode->layers.size(), std::size_t{3});
    const auto& up = decode->layers[2];
    QCOMPARE(up.name, std::string("decoder.layer.0.ffn.up"));
    QCOMPARE(up.kernel, std::string("fp32 (fake)"));
    QVERIFY(up.ms >= 2.0 && up.share > 0.5 && up.share <= 1.0);
    // Time inside another phase is not counted twice.
    QVERIFY(decode->layers[1].ms < up.ms);
    QCOMPARE(decode->layers[1].kernel, std::string("attention (fakes)"));
    QVERIFY(decode->layers[1].operations.has_value());
    double shares = 0.0;
    for (const auto& one : decode->layers) {
        shares += one.share;
    }
    QVERIFY2(shares > 0.5 && shares < 1.1, qPrintable(QString::number(shares)));
    const auto single = bench::profileModel(model, quick(1), progress, {});
    QVERIFY(single.ok());
    QCOMPARE(single->steps.size(), std::size_t{1});
    QVERIFY(model.decoder->layout().findLayer("lm_head") != nullptr);
    QVERIFY(static_cast<HeldDecoder&>(*model.decoder).m_observer == nullptr);
    std::stop_source stop;
    stop.request_stop();
    QVERIFY(bench::profileModel(model, quick(4), progress, stop.get_token()).cancelled());
}

void TestProfile::thePassIsATimeline() {
    auto model = watchedDecoder();
    Progress progress;
    const auto profile = bench::profileModel(model, quick(3), progress, {});
    QVERIFY(profile.ok());
    QCOMPARE(profile->timelineSteps, (std::vector<std::string>{"prefill", "decode", "decode"}));
    QCOMPARE(profile->timeline.size(), std::size_t{3 * 4});
    // Written and read again, as a file would be.
    const auto trace = Json::parse(chromeTrace(profile.value()).dump());
    struct Open {
        double end;
        double inside;
        double duration;
    };
    std::vector<Open> open;
    double last = -1.0;
    int complete = 0;
    for (const auto& event : trace["traceEvents"]) {
        if (event["ph"] == "M") {
            continue;
        }
        ++complete;
        QCOMPARE(event["ph"].get<std::string>(), std::string("X"));
        const double begin = event["ts"].get<double>();
        const double duration = event["dur"].get<double>();
        QVERIFY(begin >= last && duration >= 0.0);
        last = begin;
        while (!open.empty() && open.back().end <= begin) {
            open.pop_back();
        }
        if (!open.empty()) {
            QVERIFY(begin + duration <= open.back().end + 1e-6);
            open.back().inside += duration;
            QVERIFY(open.back().inside <= open.back().duration + 1e-6);
        }
        open.push_back({begin + duration, 0.0, duration});
        if (event["name"] == "decoder.layer.0.ffn.up") {
            QCOMPARE(event["args"]["kernel"].get<std::string>(), std::string("fp32 (fake)"));
            QVERIFY(event["args"]["operations"].get<std::int64_t>() > 0);
            QVERIFY(event["args"]["bytes"].get<std::int64_t>() > 0);
        }
    }
    QCOMPARE(complete, 12);
    // Long generations are not recorded whole.
    const auto longer = bench::profileModel(model, quick(bench::kTimelineTokens + 5), progress, {});
    QVERIFY(longer.ok());
    QCOMPARE(longer->timelineSteps.size(), static_cast<std::size_t>(1 + bench::kTimelineTokens));
}

QTEST_GUILESS_MAIN(TestProfile)
#include "tst_profile.moc"
