#include <QTest>

#include "engine/jobs/run/job_table.h"
#include "engine/jobs/run/profile_job.h"
#include "tests/engine/jobs_run/jobs_fixture.h"
#include "tests/engine/runtime/empty_memory.h"

using namespace pareto;

/// The whole job on tiny models: figures that follow from their shapes.
class TestProfileJob : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void anEncodersLayers();
    void quantizedLayersHoldLess();
    void aDecodersPromptAndTokens();
    void sourceAndTarget();
    void whatCannotBeProfiledIsSaid();
    void itIsAJobOfTheWorker();
    void aGpuWithoutMemoryEndsAJobOnly();
};

namespace {

jobs::ProfileParams quick(const std::string& model) {
    jobs::ProfileParams params;
    params.model = model;
    params.target.threads = 1;
    params.target.batch = 2;
    params.target.sequence = 16;
    params.target.prompt = 8;
    params.target.generate = 4;
    params.minSeconds = 0.0;
    return params;
}

Profile profileOf(const jobs::ProfileParams& params) {
    jobs::ModelCache cache;
    Progress progress;
    const auto profile = jobs::runProfile(cache, params, progress, {});
    if (!profile.ok()) {
        qFatal("no profile: %s", errorMessage(profile.error()).c_str());
    }
    return profile.value();
}

const ProfiledLayer* find(const ProfiledStep& step, const std::string& name) {
    for (const auto& layer : step.layers) {
        if (layer.name == name) {
            return &layer;
        }
    }
    return nullptr;
}

/// Whatever was counted has to make sense.
void checkStep(const Profile& profile, const ProfiledStep& step) {
    QVERIFY(step.ms > 0.0 && step.steps > 0);
    double shares = 0.0;
    for (const auto& layer : step.layers) {
        shares += layer.share;
        QVERIFY2(layer.ms >= 0.0 && layer.calls >= 1, layer.name.c_str());
        QVERIFY2(layer.kernel.empty() || (layer.bytes && layer.operations), layer.name.c_str());
        QVERIFY2(!layer.bytes || roofShare(layer, profile.roofs).value_or(-1.0) > 0.0,
                 layer.name.c_str());
    }
    QVERIFY2(shares > 0.3 && shares < 1.2, qPrintable(QString::number(shares)));
}

}  // namespace

void TestProfileJob::anEncodersLayers() {
    const test::JobsFolder folder;
    const auto profile =
        profileOf(quick(test::writeTinyClassifier(folder.path(QStringLiteral("m")))));
    QCOMPARE(profile.steps.size(), std::size_t{1});
    const auto& pass = profile.steps[0];
    QCOMPARE(pass.name, std::string("pass"));
    QCOMPARE(pass.tokens, std::int64_t{32});
    checkStep(profile, pass);
    // Width 32, 4 heads, 64 neurons; 2 texts of 16 tokens.
    const auto* query = find(pass, "encoder.layer.0.attention.query");
    QVERIFY(query != nullptr);
    QCOMPARE(*query->operations, std::int64_t{2 * 32 * 32 * 32});
    QCOMPARE(*query->bytes, std::uint64_t{(32 * 32 + 32) * 4 + 32 * (32 + 32) * 4});
    const auto* in = find(pass, "encoder.layer.1.ffn.in");
    QCOMPARE(*in->operations, std::int64_t{2 * 64 * 32 * 32});
    const auto* scores = find(pass, "encoder.layer.0.attention.scores");
    QCOMPARE(*scores->operations, std::int64_t{4 * 4 * 8 * 16 * 16 * 2});
    const auto* word = find(pass, "embeddings.word");
    QCOMPARE(*word->operations, std::int64_t{0});
    QCOMPARE(*word->bytes, std::uint64_t{32 * 2 * 32 * 4});
    const auto* head = find(pass, "classifier");
    QVERIFY(head != nullptr);
    QCOMPARE(*head->operations, std::int64_t{2 * 2 * 32 * 2});
    QVERIFY(profile.modelBytes > 0 && profile.roofs.weightsBytes == profile.modelBytes);
    QCOMPARE(profile.timelineSteps, std::vector<std::string>{"pass"});
    QVERIFY(profile.timeline.size() > 20);
    QCOMPARE(profile.roofs.threads, 1);
}

void TestProfileJob::quantizedLayersHoldLess() {
    const test::JobsFolder folder;
    auto params = quick(test::writeTinyClassifier(folder.path(QStringLiteral("m"))));
    params.recipe = test::recipe(test::kInt8);
    const auto profile = profileOf(params);
    const auto* query = find(profile.steps[0], "encoder.layer.0.attention.query");
    QVERIFY(query != nullptr);
    QVERIFY2(query->arithmetic == Arithmetic::Int8, query->kernel.c_str());
    QCOMPARE(*query->operations, std::int64_t{2 * 32 * 32 * 32});
    // Codes; a scale, the codes' sum and a bias a row.
    QCOMPARE(*query->bytes, std::uint64_t{32 * 32 + 3 * 32 * 4 + 32 * (32 + 32) * 4});
    QVERIFY(profile.recipeSummary.find("int8") != std::string::npos);
}

void TestProfileJob::aDecodersPromptAndTokens() {
    const test::JobsFolder folder;
    const auto profile = profileOf(quick(test::writeTinyLlama(folder.path(QStringLiteral("m")))));
    QCOMPARE(profile.steps.size(), std::size_t{2});
    const auto* prefill = profile.find("prefill");
    const auto* decode = profile.find("decode");
    QVERIFY(prefill != nullptr && decode != nullptr);
    checkStep(profile, *prefill);
    checkStep(profile, *decode);
    const auto* up = find(*prefill, "decoder.layer.0.ffn.up");
    QCOMPARE(*up->operations, std::int64_t{2 * 64 * 32 * 16});
    QCOMPARE(*find(*decode, "decoder.layer.0.ffn.up")->operations, std::int64_t{2 * 64 * 32 * 2});
    // The middle one of three further tokens sees the prompt, itself and one before it.
    QCOMPARE(*find(*decode, "decoder.layer.0.attention.scores")->operations,
             std::int64_t{4 * 4 * 8 * 10 * 2});
    QCOMPARE(profile.timelineSteps,
             (std::vector<std::string>{"prefill", "decode", "decode", "decode"}));
}

void TestProfileJob::sourceAndTarget() {
    const test::JobsFolder folder;
    const auto profile = profileOf(quick(test::writeTinyT5(folder.path(QStringLiteral("m")))));
    const auto* prefill = profile.find("prefill");
    const auto* decode = profile.find("decode");
    QVERIFY(prefill != nullptr && decode != nullptr);
    checkStep(profile, *prefill);
    checkStep(profile, *decode);
    const auto* source = find(*prefill, "encoder.layer.0.attention.query");
    const auto* target = find(*decode, "decoder.layer.0.attention.query");
    QVERIFY(source != nullptr && target != nullptr);
    QCOMPARE(*source->operations, std::int64_t{2 * 32 * 32 * 16});
    QCOMPARE(*target->operations, std::int64_t{2 * 32 * 32 * 2});
    QVERIFY(find(*prefill, "decoder.layer.0.cross.key") != nullptr);
    QVERIFY(find(*decode, "decoder.layer.0.cross.key") == nullptr);
    QCOMPARE(*find(*decode, "decoder.layer.0.cross.scores")->operations,
             std::int64_t{4 * 4 * 8 * 8 * 2});
}

void TestProfileJob::whatCannotBeProfiledIsSaid() {
    const test::JobsFolder folder;
    jobs::ModelCache cache;
    Progress progress;
    auto params = quick(test::writeTinyClassifier(folder.path(QStringLiteral("m"))));
    params.target.device = "cuda:64";
    const auto gpu = jobs::runProfile(cache, params, progress, {});
    QVERIFY(errorMessage(gpu.error()).find("cuda:64 cannot be used") != std::string::npos);
    params = quick(params.model);
    params.target.sequence = 100'000;
    QCOMPARE(jobs::runProfile(cache, params, progress, {}).error().code, ErrorCode::TargetInvalid);
    std::stop_source stop;
    stop.request_stop();
    QVERIFY(jobs::runProfile(cache, quick(params.model), progress, stop.get_token()).cancelled());
}

void TestProfileJob::itIsAJobOfTheWorker() {
    const test::JobsFolder folder;
    const auto table = jobs::jobTable(std::make_shared<jobs::ModelCache>());
    const auto job = jobs::findJob(table, jobs::kJobProfile);
    QVERIFY(job.ok());
    Progress progress;
    test::NoSink sink;
    const auto params = quick(test::writeTinySentenceModel(folder.path(QStringLiteral("m"))));
    const auto again = jobs::profileParamsFromJson(jobs::toJson(params));
    QVERIFY(again.ok() && again->target == params.target && again->minSeconds == 0.0);
    const auto answer = job.value()(jobs::toJson(params), progress, {}, sink);
    QVERIFY2(answer.ok(), answer.ok() ? "" : errorMessage(answer.error()).c_str());
    const auto profile = profileFromJson(answer.value());
    QVERIFY(profile.ok());
    QVERIFY(profile->noCounters.empty() == profile->steps[0].counts.cycles.has_value() ||
            profile->noCounters.empty());
}

/// The exception comes from where a GPU's memory would be taken; what follows runs on.
void TestProfileJob::aGpuWithoutMemoryEndsAJobOnly() {
    const test::JobsFolder folder;
    jobs::ModelCache cache;
    Progress progress;
    const auto params = quick(test::writeTinyClassifier(folder.path(QStringLiteral("m"))));
    {
        const test::EmptyMemory none;
        const auto failed = jobs::runProfile(cache, params, progress, {});
        QCOMPARE(failed.error().code, ErrorCode::DeviceMemoryShort);
        QCOMPARE(failed.error().args.at("device"), std::string("cuda:1"));
    }
    QVERIFY(jobs::runProfile(cache, params, progress, {}).ok());
}

QTEST_GUILESS_MAIN(TestProfileJob)
#include "tst_profile_job.moc"
