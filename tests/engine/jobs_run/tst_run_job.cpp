#include <QDir>
#include <QTest>

#include <set>
#include <thread>

#include "engine/jobs/run/memory_need.h"
#include "tests/engine/jobs_run/jobs_fixture.h"

using namespace pareto;

class TestRunJob : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void aBaselineSaysEverything();
    void aRecipeIsMeasuredAgainstTheBaseline();
    void bytesAreThoseOfTheEstimate();
    void theSameSeedGivesTheSameWeights();
    void evaluationAloneTakesNoTime();
    void fidelityComparesWithTheOriginal();
    void aDecoderIsTimedByTokenAndScored();
    void anExportIsOpenedAgainWithTheSameScores();
    void whatDoesNotFitIsSaidAtOnce();
    void anExportThatFailsKeepsWhatWasMeasured();
    void aStoppedRunIsCancelled();
    void tooMuchMemoryIsRefused();

private:
    Result<RunRecord> run(const jobs::RunParams& params, std::stop_token stop = {}) {
        Progress progress;
        return jobs::runRun(m_cache, params, progress, stop);
    }
    Task classification() const {
        Task task;
        task.kind = TaskKind::Classification;
        task.name = "tiny";
        task.data = m_data;
        task.maxLength = 32;
        return task;
    }
    test::JobsFolder m_folder;
    jobs::ModelCache m_cache;
    std::string m_classifier;
    std::string m_sentences;
    std::string m_llama;
    std::string m_data;
};

void TestRunJob::initTestCase() {
    m_classifier = test::writeTinyClassifier(m_folder.path(QStringLiteral("classifier")));
    m_sentences = test::writeTinySentenceModel(m_folder.path(QStringLiteral("sentences")));
    m_llama = test::writeTinyLlama(m_folder.path(QStringLiteral("llama")));
    m_data = test::writeTinyTask(m_folder.path(QStringLiteral("data.csv")), 40);
}

void TestRunJob::aBaselineSaysEverything() {
    auto params = test::quickRun(m_classifier);
    params.task = classification();
    const auto record = run(params);
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    QVERIFY(record->isBaseline());
    QCOMPARE(record->family, std::string("bert"));
    QCOMPARE(record->modelHash.size(), std::size_t{64});
    QCOMPARE(record->weightsHash.size(), std::size_t{64});
    QCOMPARE(record->headlineKey, std::string("accuracy"));
    QVERIFY(record->taskKey.find("data=") != std::string::npos);
    QVERIFY(record->targetKey.find(record->machine.id) != std::string::npos);
    QVERIFY(!record->machine.id.empty());
    QCOMPARE(record->target["threads"].get<int>(), 1);
    QCOMPARE(record->latenciesMs.size(), std::size_t{5});
    for (const auto* key : {"latency_p50_ms", "throughput_items_per_s", "peak_rss_bytes", "model_bytes",
                            "parameters", "nonzero_parameters", "accuracy", "f1_macro"}) {
        QVERIFY2(record->find(key) != nullptr, key);
    }
    QVERIFY(record->find("latency_ratio") == nullptr);
    QCOMPARE(record->items.size(), std::size_t{40});
    QVERIFY(record->versions.contains("libtorch"));
    QVERIFY(record->versions.contains("kernel_table"));
    std::set<std::string> timed;
    for (const auto& layer : record->layers) {
        if (layer.ms > 0.0) {
            timed.insert(layer.name);
        }
        QCOMPARE(layer.relativeError, 0.0);
    }
    QVERIFY(timed.contains("encoder.layer.0.attention.query"));
    QVERIFY(timed.contains("encoder.layer.1.ffn.out"));
    for (const auto& histogram : record->histograms) {
        std::int64_t sum = histogram.nonFinite;
        for (const auto count : histogram.counts) {
            sum += count;
        }
        QCOMPARE(histogram.counts.size(), std::size_t{256});
        QVERIFY(sum > 0);
    }
    QVERIFY(record->finishedAt >= record->startedAt);
}

void TestRunJob::aRecipeIsMeasuredAgainstTheBaseline() {
    const auto baseline = run(test::quickRun(m_classifier));
    auto params = test::quickRun(m_classifier);
    params.recipe = test::recipe(test::kInt8);
    const auto record = run(params);
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    QVERIFY(test::figureOf(record, "latency_ratio") > 0.0);
    QVERIFY(test::figureOf(record, "model_bytes") < test::figureOf(baseline, "model_bytes"));
    QVERIFY(record->weightsHash != baseline->weightsHash);
    QVERIFY(!record->isBaseline());
    bool erred = false;
    for (const auto& layer : record->layers) {
        erred = erred || (layer.relativeError > 0.0 && layer.relativeError < 0.01);
    }
    QVERIFY(erred);
    QVERIFY(record->details["timing"]["rounds"].get<int>() >= 1);
    params.pairedBaseline = false;
    QVERIFY(run(params)->find("latency_ratio") == nullptr);
}

void TestRunJob::bytesAreThoseOfTheEstimate() {
    for (const auto* text : {test::kInt8, test::kHalfPruned, R"({"version": 1})"}) {
        auto params = test::quickRun(m_classifier);
        params.timing = false;
        params.recipe = test::recipe(text);
        const auto record = run(params);
        QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
        Progress progress;
        const auto opened = m_cache.open(m_classifier, progress, {});
        const auto& layout = opened.value()->weights.layout;
        const auto resolved = resolve(params.recipe, layout);
        const auto size = estimate(resolved.value(), layout);
        QCOMPARE(static_cast<std::uint64_t>(test::figureOf(record, "model_bytes")), size.bytes);
        QCOMPARE(static_cast<std::int64_t>(test::figureOf(record, "parameters")), size.parameters);
    }
}

void TestRunJob::theSameSeedGivesTheSameWeights() {
    auto params = test::quickRun(m_classifier);
    params.timing = false;
    params.recipe = test::recipe(test::kHalfPruned);
    const auto first = run(params);
    m_cache.clear();
    const auto second = run(params);
    QVERIFY(first.ok() && second.ok());
    QCOMPARE(first->weightsHash, second->weightsHash);
    QCOMPARE(first->modelHash, second->modelHash);
    QVERIFY(test::figureOf(first, "parameters") > test::figureOf(first, "nonzero_parameters") - 1.0);
}

void TestRunJob::evaluationAloneTakesNoTime() {
    auto params = test::quickRun(m_classifier);
    params.timing = false;
    params.task = classification();
    params.task->limit = 10;
    const auto record = run(params);
    QVERIFY(record.ok());
    QVERIFY(record->latenciesMs.empty());
    QVERIFY(record->find("latency_p50_ms") == nullptr);
    QCOMPARE(record->items.size(), std::size_t{10});
    QVERIFY(record->details["eval"]["seconds"].get<double>() > 0.0);
}

void TestRunJob::fidelityComparesWithTheOriginal() {
    auto params = test::quickRun(m_sentences);
    params.timing = false;
    params.task = classification();
    params.task->kind = TaskKind::Fidelity;
    const auto same = run(params);
    QVERIFY2(same.ok(), same.ok() ? "" : errorMessage(same.error()).c_str());
    QVERIFY(std::abs(test::figureOf(same, "fidelity_cosine") - 1.0) < 1e-9);
    params.recipe = test::recipe(test::kHalfPruned);
    const auto pruned = run(params);
    QVERIFY(pruned.ok());
    QVERIFY(test::figureOf(pruned, "fidelity_cosine") < 0.9999);
    QVERIFY(test::figureOf(pruned, "fidelity_cosine") > -1.0);
    QCOMPARE(same->taskKey, pruned->taskKey);
}

void TestRunJob::aDecoderIsTimedByTokenAndScored() {
    std::string text;
    for (int i = 0; i < 200; ++i) {
        text += "the cat sat on mat number " + std::to_string(i) + ".\n";
    }
    const auto data = m_folder.path(QStringLiteral("text.txt"));
    test::writeText(data, text);
    auto params = test::quickRun(m_llama);
    params.task = Task{};
    params.task->kind = TaskKind::Perplexity;
    params.task->name = "text";
    params.task->data = data;
    params.task->format = DataFormat::Text;
    params.task->window = 64;
    params.task->limit = 5;
    const auto record = run(params);
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    for (const auto* key : {"first_token_ms", "token_ms", "prefill_tokens_per_s", "decode_tokens_per_s",
                            "latency_p50_ms", "perplexity"}) {
        QVERIFY2(test::figureOf(record, key) > 0.0, key);
    }
    QCOMPARE(record->items.size(), std::size_t{5});
    QVERIFY(test::figureOf(record, "perplexity") > 1.0);
    QVERIFY(record->targetText.find("8+4") != std::string::npos);
}

void TestRunJob::anExportIsOpenedAgainWithTheSameScores() {
    auto params = test::quickRun(m_classifier);
    params.timing = false;
    params.task = classification();
    params.recipe = test::recipe(test::kHalfPruned);
    params.exportTo = m_folder.path(QStringLiteral("exported"));
    const auto record = run(params);
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    QCOMPARE(record->exportPath, params.exportTo);
    QVERIFY(record->details["export"]["verified"].get<bool>());
    auto again = test::quickRun(params.exportTo);
    again.timing = false;
    again.task = classification();
    const auto reopened = run(again);
    QVERIFY2(reopened.ok(), reopened.ok() ? "" : errorMessage(reopened.error()).c_str());
    QCOMPARE(test::figureOf(reopened, "accuracy"), test::figureOf(record, "accuracy"));
    for (std::size_t i = 0; i < record->items.size(); ++i) {
        QCOMPARE(reopened->items[i].predicted, record->items[i].predicted);
    }
}

void TestRunJob::whatDoesNotFitIsSaidAtOnce() {
    auto params = test::quickRun(m_llama);
    params.task = classification();
    const auto unfit = run(params);
    QCOMPARE(unfit.error().code, ErrorCode::TaskUnfit);
    params = test::quickRun(m_folder.path(QStringLiteral("nothing")));
    QCOMPARE(run(params).error().code, ErrorCode::FileMissing);
    params = test::quickRun(m_classifier);
    params.target.sequence = 65;   // the tiny model has positions for 64
    QCOMPARE(run(params).error().code, ErrorCode::TargetInvalid);
    params = test::quickRun(m_classifier);
    params.target.device = "cuda:7";
    const auto gpus = models::listDevices();
    QCOMPARE(run(params).error().code,
             gpus.noCuda && gpus.devices.size() == 1 ? gpus.noCuda->code : ErrorCode::DeviceUnavailable);
    params = test::quickRun(m_classifier);
    params.target.threads = 100000;
    const auto threads = run(params);
    QCOMPARE(threads.error().code, ErrorCode::TargetInvalid);
    QVERIFY(errorMessage(threads.error()).find("100000") != std::string::npos);
    // Where the model goes is looked at before anything is opened.
    params = test::quickRun(m_folder.path(QStringLiteral("nothing")));
    params.exportTo = m_classifier;   // a folder that is not empty
    QCOMPARE(run(params).error().code, ErrorCode::FileWriteDenied);
    params.exportTo = m_folder.path(QStringLiteral("missing/exported"));
    QCOMPARE(run(params).error().code, ErrorCode::FileWriteDenied);
}

void TestRunJob::anExportThatFailsKeepsWhatWasMeasured() {
    auto params = test::quickRun(m_classifier);
    params.task = classification();
    params.exportTo = m_folder.path(QStringLiteral("taken"));
    // Somebody else takes the folder's name while the run goes on.
    Progress progress;
    std::jthread other([&](const std::stop_token& done) {
        while (!done.stop_requested() && progress.snapshot().stage != Stage::Timing) {
            std::this_thread::sleep_for(std::chrono::microseconds(100));
        }
        QDir().mkpath(QString::fromStdString(params.exportTo + "/by another"));
    });
    params.minIterations = 50;
    const auto record = jobs::runRun(m_cache, params, progress, {});
    other.join();
    QVERIFY2(record.ok(), record.ok() ? "" : errorMessage(record.error()).c_str());
    QVERIFY(record->status == RunStatus::Finished);
    QVERIFY(test::figureOf(record, "accuracy") >= 0.0 && test::figureOf(record, "latency_p50_ms") > 0.0);
    QVERIFY(record->exportPath.empty());
    const auto error = errorFromJson(record->details["export"]["error"]);
    QCOMPARE(error.code, ErrorCode::FileWriteDenied);
}

void TestRunJob::aStoppedRunIsCancelled() {
    std::stop_source stop;
    stop.request_stop();
    QVERIFY(run(test::quickRun(m_classifier), stop.get_token()).cancelled());
}

void TestRunJob::tooMuchMemoryIsRefused() {
    const auto refused = jobs::checkMemory("a giant", std::uint64_t{1} << 60);
    QVERIFY(!refused.ok());
    QCOMPARE(refused.error().code, ErrorCode::MemoryShort);
    QCOMPARE(refused.error().args.at("needed"), std::to_string(std::uint64_t{1} << 60));
    QVERIFY(jobs::checkMemory("a dwarf", 1).ok());
    Progress progress;
    const auto opened = m_cache.open(m_classifier, progress, {});
    QVERIFY(opened.ok());
    auto params = test::quickRun(m_classifier);
    // Texts that run through the model while it is compressed need room, gradients more.
    const auto& layout = opened.value()->weights.layout;
    const auto need = [&](std::optional<CalibrationSpec> texts, bool gradients) {
        jobs::NeedOptions options{.compresses = true};
        options.calibration = std::move(texts);
        options.gradients = gradients;
        return jobs::needToRun(layout, estimate(layout), params.target, options);
    };
    CalibrationSpec many;
    many.samples = 1 << 16;
    QVERIFY(need(many, false) > need(CalibrationSpec{}, false));
    QVERIFY(need(many, false) < need({}, false) + (std::uint64_t{3} << 30));  // states beyond 2 GiB lie in a file
    QVERIFY(need(many, true) > need(many, false) + (std::uint64_t{2} << 30) - 1);
    params.target.batch = std::int64_t{1} << 32;
    const auto huge = run(params);
    QVERIFY(!huge.ok());
    QCOMPARE(huge.error().code, ErrorCode::MemoryShort);
}

QTEST_GUILESS_MAIN(TestRunJob)
#include "tst_run_job.moc"
