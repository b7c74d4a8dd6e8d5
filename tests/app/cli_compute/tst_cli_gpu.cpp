#include <QTest>

#include "tests/app/cli_compute/program.h"

using namespace pareto;

/// The whole program beside a driver that answers as a test tells it: which reason it names, and that the CPU goes on.
/// Nothing computes on a GPU here.
class TestCliGpu : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void eachReasonHasItsName_data();
    void eachReasonHasItsName();
    void gpusAreListed();
    void theWorkerSaysTheSame();

private:
    /// A driver that shows two GPUs.
    static test::Variables driver(const test::Variables& more = {}) {
        test::Variables all{
            {"LD_LIBRARY_PATH", PARETO_FAKE_GPU_FOLDER},
            {"FAKE_CUDA_INIT", "0"},
            {"FAKE_CUDA_VERSION", "13020"},
            {"FAKE_CUDA_GPUS", "NVIDIA Test One,90,85000000000;NVIDIA Test Two,89,8000000000"}};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    test::Answer call(const std::vector<std::string>& words,
                      const test::Variables& variables) const {
        return test::callProgram(m_folder, words, variables);
    }
    test::ProgramFolder m_folder;
    std::string m_model;
};

void TestCliGpu::initTestCase() {
    m_model = test::writeTinyClassifier(m_folder.path(QStringLiteral("model")));
}

void TestCliGpu::eachReasonHasItsName_data() {
    QTest::addColumn<QByteArray>("variable");
    QTest::addColumn<QByteArray>("value");
    QTest::addColumn<QByteArray>("code");
    QTest::addColumn<QByteArray>("words");
    QTest::newRow("hidden") << QByteArray("CUDA_VISIBLE_DEVICES") << QByteArray("")
                            << QByteArray("GpuHidden") << QByteArray("CUDA_VISIBLE_DEVICES=''");
    QTest::newRow("old") << QByteArray("FAKE_CUDA_VERSION") << QByteArray("12040")
                         << QByteArray("GpuDriverOld") << QByteArray("knows CUDA 12.4");
    QTest::newRow("fails") << QByteArray("FAKE_CUDA_INIT") << QByteArray("803")
                           << QByteArray("GpuDriverFailed")
                           << QByteArray("CUDA_ERROR_SYSTEM_DRIVER_MISMATCH");
    QTest::newRow("none") << QByteArray("FAKE_CUDA_GPUS") << QByteArray("") << QByteArray("GpuNone")
                          << QByteArray("sees no GPU");
}

void TestCliGpu::eachReasonHasItsName() {
    QFETCH(QByteArray, variable);
    QFETCH(QByteArray, value);
    QFETCH(QByteArray, code);
    QFETCH(QByteArray, words);
    const auto variables = driver({{variable.toStdString(), value.toStdString()}});
    for (const auto* command : {"bench", "profile"}) {
        const auto refused = call({command, m_model, "--device", "cuda:0", "--json"}, variables);
        QCOMPARE(refused.exitCode, 4);
        const auto error = refused.json()["error"];
        QCOMPARE(error["code"].get<std::string>(), code.toStdString());
        const auto message = error["message"].get<std::string>();
        QVERIFY2(message.find(words.toStdString()) != std::string::npos, message.c_str());
        QVERIFY2(message.find("cuda:0 cannot be used") != std::string::npos, message.c_str());
    }
    const auto listed = call({"devices", "--json"}, variables);
    QCOMPARE(listed.exitCode, 0);
    QCOMPARE(listed.json()["devices"].get<std::vector<std::string>>(),
             std::vector<std::string>{"cpu"});
    QCOMPARE(listed.json()["no_cuda"]["code"].get<std::string>(), code.toStdString());
    const auto onCpu = call({"bench", m_model, "--seq", "16", "--threads", "1", "--min-seconds",
                             "0", "--min-iterations", "3", "--json"},
                            variables);
    QVERIFY2(onCpu.exitCode == 0, onCpu.err.c_str());
    QVERIFY(onCpu.json()["latency_ms"]["p50"].get<double>() > 0.0);
    QVERIFY(!onCpu.json().contains("gpu"));  // no figure of a GPU without one
}

void TestCliGpu::gpusAreListed() {
    const auto answer = call({"devices", "--json"}, driver());
    QVERIFY2(answer.exitCode == 0, answer.err.c_str());
    const auto json = answer.json();
    const auto& gpus = json["machine"]["gpus"];
    QCOMPARE(gpus.size(), std::size_t{2});
    QCOMPARE(gpus[0]["name"].get<std::string>(), std::string("NVIDIA Test One"));
    QCOMPARE(gpus[0]["capability"].get<std::string>(), std::string("9.0"));
    QCOMPARE(gpus[1]["device"].get<std::string>(), std::string("cuda:1"));
    QCOMPARE(gpus[1]["memory_bytes"].get<std::uint64_t>(), std::uint64_t{8000000000});
    QCOMPARE(gpus[1]["cuda"].get<std::string>(), std::string("13.2"));
    // Without libtorch's CUDA libraries, or with them and a driver that is none, no GPU can be used.
    const auto code = json["no_cuda"]["code"].get<std::string>();
    QVERIFY2(code == "GpuLibrariesMissing" || code == "GpuDriverFailed", code.c_str());
    const auto text = call({"devices"}, driver());
    for (const char* part : {"NVIDIA Test Two", "85.0 GB", "NVIDIA driver: ", "cannot be used"}) {
        QVERIFY2(text.out.find(part) != std::string::npos, text.out.c_str());
    }
}

void TestCliGpu::theWorkerSaysTheSame() {
    for (const auto& [name, value] : driver({{"FAKE_CUDA_VERSION", "12040"}})) {
        qputenv(name.c_str(), value.c_str());
    }
    test::WorkerProcess worker(m_folder);
    const auto hello = worker.waitFor(jobs::MessageType::Hello);
    QVERIFY(hello);
    QCOMPARE(hello->hello.machine.devices, std::vector<std::string>{"cpu"});
    QCOMPARE(hello->hello.machine.gpus.size(), std::size_t{2});
    QCOMPARE(errorFromJson(hello->hello.versions["no_cuda"]).code, ErrorCode::GpuDriverOld);
    QVERIFY(hello->hello.versions["nvidia_driver"].get<std::string>().find("CUDA 12.4") !=
            std::string::npos);
}

QTEST_GUILESS_MAIN(TestCliGpu)
#include "tst_cli_gpu.moc"
