#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <thread>

#include <QTemporaryDir>
#include <QtTest>

#include "engine/jobs/api/jobs.h"
#include "engine/jobs/api/machine.h"
#include "engine/jobs/api/machine_lock.h"
#include "engine/jobs/api/weight_values.h"
#include "engine/layout/describe.h"
#include "engine/weights/load.h"
#include "tests/support/tiny_models.h"

using namespace pareto;
using namespace pareto::jobs;

class TestInspect : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    std::string path(const char* name) { return m_folder.filePath(QLatin1String(name)).toStdString(); }

private Q_SLOTS:
    void initTestCase() {
        test::writeTinyClassifier(path("classifier"));
        test::writeTinySentenceModel(path("sentences"));
        test::writeTinySentenceClassifier(path("topics"));
        test::writeTinyLlama(path("llama"));
        qputenv("XDG_RUNTIME_DIR", m_folder.path().toUtf8());
    }

    void everyTinyModelOpens() {
        for (const char* name : {"classifier", "sentences", "topics", "llama"}) {
            Progress progress;
            const auto result = runInspect({path(name), true}, progress, {});
            QVERIFY2(result.ok(), result.ok() ? "" : errorMessage(result.error()).c_str());
            // Random normal values: none is zero.
            QVERIFY(result->nonzeroParameters == result->parameters);
            QVERIFY(result->bytes == static_cast<std::uint64_t>(result->parameters) * 4);
            QVERIFY(result->fileBytes > result->bytes);
            QVERIFY(progress.snapshot().done == progress.snapshot().total);
            const Json json = toJson(result.value());
            QVERIFY(json["layers"].size() == result->layers.size());
            QVERIFY(json["parameters"] == result->parameters);
        }
    }

    void transformedTensorsHaveTheirOwnValues_data() {
        QTest::addColumn<QString>("model");
        QTest::newRow("fused and transposed") << QStringLiteral("gpt2");
        QTest::newRow("fused") << QStringLiteral("gpt2.gguf");
        QTest::newRow("1 + weight") << QStringLiteral("gemma2");
    }

    /// Values read from the file piece by piece are those of the loaded tensor, in any order.
    void transformedTensorsHaveTheirOwnValues() {
        QFETCH(QString, model);
        const auto files =
            io::ModelFiles::open(PARETO_SOURCE_DIR "/tests/golden/models/decoders/" + model.toStdString()).value();
        const auto layout = describeModel(*files).value();
        const auto values = WeightValues::open(files, layout).value();
        Progress progress;
        const auto loaded = loadWeights(*files, layout, progress, {}).value();
        QVERIFY(!loaded.tensors.empty());
        for (const auto& [name, tensor] : loaded.tensors) {
            std::vector<float> found;
            QVERIFY(values.forEach(name, [&](std::span<const float> piece) {
                found.insert(found.end(), piece.begin(), piece.end());
            }, progress, {}).ok());
            auto expected = dequantize(tensor);
            std::sort(found.begin(), found.end());
            std::sort(expected.begin(), expected.end());
            QVERIFY2(found == expected, name.c_str());
        }
    }

    void statisticsAreThoseOfTheValues() {
        const std::string folder = test::writeTinyClassifier(path("known"), 9);
        Progress progress;
        const auto before = runInspect({folder, false}, progress, {});
        QVERIFY(before.ok() && before->nonzeroParameters == -1);
        const auto layers = before->layers.size();
        const auto result = runInspect({folder, true}, progress, {});
        QVERIFY(result.ok() && result->layers.size() == layers);
        const auto histogram = runHistogram({folder, "encoder.layer.0.ffn.in"}, progress, {});
        QVERIFY(histogram.ok());
        const auto layer = std::find_if(result->layers.begin(), result->layers.end(),
                                        [](const auto& l) { return l.name == "encoder.layer.0.ffn.in"; });
        QVERIFY(layer != result->layers.end());
        QCOMPARE(layer->rows * layer->cols, std::accumulate(histogram->counts.begin(),
                                                            histogram->counts.end(), std::int64_t{0}));
        QCOMPARE(layer->minimum, histogram->low);
        QCOMPARE(layer->maximum, histogram->high);
        // Normal with deviation 0.15: the mean of |w| is 0.15 · sqrt(2 / π).
        QVERIFY(std::abs(layer->meanAbsolute - 0.15 * 0.7979) < 0.01);
    }

    void histogramCountsEveryValueOnce() {
        std::vector<float> values{-1.0F, -1.0F, 0.0F, 1.0F, 0.999F, std::numeric_limits<float>::quiet_NaN(),
                                  std::numeric_limits<float>::infinity()};
        const Histogram histogram = histogramOf("l", values);
        QVERIFY(histogram.counts.size() == 256);
        QVERIFY(histogram.counts.front() == 2 && histogram.counts.back() == 2);
        QVERIFY(histogram.zeros == 1 && histogram.nonFinite == 2);
        QVERIFY(histogram.counts[128] == 1);
        const std::vector<float> equal(5, 2.0F);
        QVERIFY(histogramOf("l", equal).counts[0] == 5);
        QVERIFY(histogramOf("l", {}).counts[0] == 0);
    }

    void failuresAreNamed() {
        Progress progress;
        QVERIFY(runInspect({path("nothing"), true}, progress, {}).error().code == ErrorCode::FileMissing);
        QVERIFY(runHistogram({path("llama"), "no.such"}, progress, {}).error().code ==
                ErrorCode::LayerUnknown);
        QVERIFY(runHistogram({path("llama"), "lm_head"}, progress, {}).ok());  // tied
        std::stop_source stop;
        stop.request_stop();
        QVERIFY(runInspect({path("llama"), true}, progress, stop.get_token()).cancelled());
    }

    void theMachineIsDescribed() {
        const MachineInfo machine = thisMachine();
        QVERIFY(machine.cores >= 1 && machine.memoryBytes > 0);
        QVERIFY(!machine.cpu.empty() && !machine.kernel.empty() && !machine.governor.empty());
        QCOMPARE(machine.id, thisMachine().id);
        QVERIFY(machine.id.size() == 16);
    }

    void oneMeasuresAtATime() {
        QVERIFY(!MachineLock::holder());
        std::optional<MachineLock> held;
        {
            auto lock = MachineLock::acquire("first", {});
            QVERIFY(lock.ok());
            held.emplace(std::move(lock).value());
        }
        const auto holder = MachineLock::holder();
        QVERIFY(holder && holder->what == "first" && holder->pid == QCoreApplication::applicationPid());
        std::stop_source stop;
        std::jthread stopper([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(150));
            stop.request_stop();
        });
        QVERIFY(MachineLock::acquire("second", stop.get_token()).cancelled());
        std::jthread releaser([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(150));
            held.reset();
        });
        QVERIFY(MachineLock::acquire("third", {}).ok());
    }
};

QTEST_GUILESS_MAIN(TestInspect)
#include "tst_inspect.moc"
