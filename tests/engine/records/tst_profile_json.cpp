#include <QTest>

#include "engine/records/profile.h"

using namespace pareto;

class TestProfileJson : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void bothWays();
    void distances();
    void whatCannotBeReadIsSaid();
    void kernelsOfAGpu();
};

namespace {

ProfiledLayer linear(const std::string& name, double ms, std::int64_t operations,
                     std::uint64_t bytes) {
    ProfiledLayer layer;
    layer.name = name;
    layer.kernel = "fp32 (libtorch)";
    layer.ms = ms;
    layer.operations = operations;
    layer.bytes = bytes;
    return layer;
}

Profile example() {
    Profile profile;
    profile.modelPath = "somewhere/model";
    profile.modelName = "model";
    profile.targetText = "CPU";
    profile.machine.cpu = "processor";
    profile.roofs.threads = 2;
    profile.roofs.weights = {20.0, 18.0};
    profile.roofs.fp32 = {100.0, 90.0};
    profile.roofs.int8 = {400.0, 390.0};
    profile.noCounters = "not supported";
    profile.notes = {"a remark"};
    ProfiledStep step;
    step.name = "pass";
    step.ms = 4.0;
    step.steps = 7;
    step.tokens = 16;
    step.counts.cycles = 12.5;
    step.layers = {linear("a", 1.0, 40'000'000, 20'000'000), linear("b", 2.0, 0, 20'000'000)};
    step.layers[0].arithmetic = Arithmetic::Int8;
    ProfiledLayer norm;
    norm.name = "norm";
    norm.ms = 0.5;
    step.layers.push_back(norm);
    profile.steps.push_back(step);
    profile.timelineSteps = {"pass"};
    profile.timeline = {{0, -1, 0.0, 4000.0}, {0, 0, 10.0, 1000.0}, {0, 2, 1200.0, 500.0}};
    return profile;
}

}  // namespace

void TestProfileJson::bothWays() {
    const auto profile = example();
    const auto json = Json::parse(profileToJson(profile).dump());
    const auto read = profileFromJson(json);
    QVERIFY2(read.ok(), read.ok() ? "" : errorMessage(read.error()).c_str());
    QVERIFY(profileToJson(read.value()) == json);
    QVERIFY(read->steps[0].layers[0].arithmetic == Arithmetic::Int8);
    QVERIFY(!read->steps[0].layers[2].operations && !read->steps[0].layers[2].bytes);
    QCOMPARE(*read->steps[0].counts.cycles, 12.5);
    QVERIFY(!read->steps[0].counts.instructions);
    QCOMPARE(read->timeline.size(), std::size_t{3});
    QCOMPARE(read->timeline[1].durationUs, 1000.0);
}

void TestProfileJson::distances() {
    const auto profile = example();
    const auto& layers = profile.steps[0].layers;
    QCOMPARE(*layers[0].intensity(), 2.0);
    QCOMPARE(*layers[0].gops(), 40.0);
    QCOMPARE(*layers[0].gigabytes(), 20.0);
    QCOMPARE(roofAt(profile.roofs, Arithmetic::Int8, 2.0), 40.0);
    QCOMPARE(*roofShare(layers[0], profile.roofs), 1.0);
    // What only moves bytes is held against the bandwidth.
    QVERIFY(!layers[1].intensity());
    QCOMPARE(*roofShare(layers[1], profile.roofs), 0.5);
    QVERIFY(!roofShare(layers[2], profile.roofs));
    // The other arithmetic has the lower roof of computing.
    QCOMPARE(roofAt(profile.roofs, Arithmetic::Fp32, 10.0), 100.0);
    QCOMPARE(roofAt(profile.roofs, Arithmetic::Int8, 10.0), 200.0);
    QVERIFY(!roofShare(layers[0], Roofs{}));
}

void TestProfileJson::whatCannotBeReadIsSaid() {
    QCOMPARE(profileFromJson(Json::object()).error().code, ErrorCode::ConfigInvalid);
    auto json = profileToJson(example());
    json["timeline"]["layer"][1] = 7;  // there is no such layer
    QCOMPARE(profileFromJson(json).error().code, ErrorCode::ConfigInvalid);
    json = profileToJson(example());
    json["timeline"]["start_us"].erase(0);
    QCOMPARE(profileFromJson(json).error().code, ErrorCode::ConfigInvalid);
    json = profileToJson(example());
    json["steps"][0]["layers"][0]["ms"] = "soon";
    QCOMPARE(profileFromJson(json).error().code, ErrorCode::ConfigInvalid);
}

void TestProfileJson::kernelsOfAGpu() {
    auto profile = example();
    profile.roofs.device = "cuda:0";
    profile.roofs.fp16 = {900.0, 850.0};
    profile.roofs.fp16Way = "libtorch mm";
    profile.steps[0].layers[0].arithmetic = Arithmetic::Fp16;
    profile.timelineClock = "GPU events";
    profile.kernels = {
        {"gemm", 7, 12.5, 100.0}, {"Memcpy DtoH", 8, 130.0, 2.0}, {"gemm", 7, 140.0, 90.0}};
    profile.gpu = {{"memory", {{"peak_allocated_bytes", 1000}}}};
    auto json = Json::parse(profileToJson(profile).dump());
    QCOMPARE(json["kernels"]["names"].size(), std::size_t{2});
    const auto read = profileFromJson(json);
    QVERIFY2(read.ok(), read.ok() ? "" : errorMessage(read.error()).c_str());
    QVERIFY(profileToJson(read.value()) == json);
    QCOMPARE(read->kernels[2].name, std::string("gemm"));
    QCOMPARE(read->kernels[1].stream, std::int64_t{8});
    QCOMPARE(roofAt(read->roofs, read->steps[0].layers[0].arithmetic, 1e9), 900.0);
    // A process of their own with a named row a stream, beside the layers.
    int kernels = 0;
    std::vector<std::string> rows;
    const auto trace = chromeTrace(profile);
    for (const auto& event : trace["traceEvents"]) {
        if (event["pid"] == 2 && event["ph"] == "X") {
            ++kernels;
            QVERIFY(event["tid"] == 7 || event["tid"] == 8);
        } else if (event["pid"] == 2) {
            rows.push_back(event["args"]["name"].get<std::string>());
        }
    }
    QCOMPARE(kernels, 3);
    QCOMPARE(rows, (std::vector<std::string>{"cuda:0", "stream 7", "stream 8"}));
    json["kernels"]["name"][0] = 2;
    QCOMPARE(profileFromJson(json).error().code, ErrorCode::ConfigInvalid);
    json["kernels"]["name"] = Json::array({0});
    QCOMPARE(profileFromJson(json).error().code, ErrorCode::ConfigInvalid);
}

QTEST_GUILESS_MAIN(TestProfileJson)
#include "tst_profile_json.moc"
