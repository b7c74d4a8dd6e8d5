#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include "engine/runtime/cuda_driver.h"
#include "engine/runtime/device.h"

using namespace pareto;
using runtime::CudaDriver;
using runtime::GpuFacts;

/// How the driver is read and what is said of it, with a library that answers as it is told. No GPU is tested here.
class TestCudaDriver : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init();
    void noDriver();
    void gpusAndTheirFacts();
    void hiddenAndAbsentGpusAreTwoThings();
    void whatTheDriverAnswersIsSaid();
    void aDriverThatIsTooOld();
    void aLibraryThatIsNone();
    void gpusThatLibtorchHasNoCodeFor();
    void aGpuForEachProcess();

private:
    static CudaDriver read(const runtime::CudaPlaces& places) {
        return runtime::readCudaDriver(places);
    }
    CudaDriver read() const { return read({PARETO_FAKE_CUDA, m_module.path().toStdString()}); }
    QTemporaryDir m_module;
};

namespace {

constexpr int kTorch = 13020;

std::string message(const std::optional<Error>& error) { return error ? errorMessage(*error) : ""; }

bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

void TestCudaDriver::init() {
    qunsetenv("CUDA_VISIBLE_DEVICES");
    qputenv("FAKE_CUDA_INIT", "0");
    qputenv("FAKE_CUDA_VERSION", "13000");
    qputenv("FAKE_CUDA_GPUS",
            "NVIDIA H100 80GB HBM3,90,85000000000;NVIDIA GeForce RTX 4060,89,8000000000");
    QDir(m_module.path()).removeRecursively();
    QVERIFY(QDir().mkpath(m_module.path() + QStringLiteral("/gpus/0000:01:00.0")));
    QFile version(m_module.path() + QStringLiteral("/version"));
    QVERIFY(version.open(QIODevice::WriteOnly));
    version.write(
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build\nGCC "
        "12\n");
}

void TestCudaDriver::aGpuForEachProcess() {
    const auto deviceOf = [](const char* name, int localRank, int processes, int gpus) {
        const auto found = runtime::deviceOfRank(name, localRank, processes, gpus);
        return found.ok() ? found.value() : errorMessage(found.error());
    };
    QCOMPARE(deviceOf("cpu", 3, 4, 0), std::string("cpu"));
    QCOMPARE(deviceOf("cuda:0", 0, 1, 1), std::string("cuda:0"));
    QCOMPARE(deviceOf("cuda", 1, 2, 2), std::string("cuda:1"));
    QCOMPARE(deviceOf("cuda:2", 1, 2, 4), std::string("cuda:3"));
    // Said by all processes of the machine alike, also by those that have one.
    for (const int localRank : {0, 1}) {
        const auto refused = runtime::deviceOfRank("cuda:1", localRank, 2, 2);
        QVERIFY(!refused.ok());
        QCOMPARE(refused.error().code, ErrorCode::DeviceUnavailable);
        QVERIFY2(has(errorMessage(refused.error()), "cuda:1 to cuda:2, and there are 2 GPUs"), errorMessage(refused.error()).c_str());
    }
    QVERIFY(has(deviceOf("cuda:0", 0, 2, 1), "there is one GPU"));
}

void TestCudaDriver::noDriver() {
    const auto driver =
        read({"libcuda-that-is-not-there.so.1", m_module.path().toStdString() + "/none"});
    QVERIFY(driver.state == CudaDriver::State::Missing);
    QVERIFY(driver.gpus.empty() && driver.release.empty() && driver.installedGpus == -1);
    const auto problem = runtime::driverProblem(driver, kTorch, "cuda:0");
    QVERIFY(problem && problem->code == ErrorCode::GpuDriverMissing);
    QVERIFY(has(message(problem), "cuda:0") && has(message(problem), "no NVIDIA driver"));
    QVERIFY(has(problem->detail, "libcuda-that-is-not-there"));
}

void TestCudaDriver::gpusAndTheirFacts() {
    const auto driver = read();
    QVERIFY(driver.state == CudaDriver::State::Ready);
    QVERIFY(!runtime::driverProblem(driver, kTorch, "cuda:0"));
    QCOMPARE(driver.version, 13000);
    QCOMPARE(driver.release, std::string("580.95.05"));
    QCOMPARE(driver.installedGpus, 1);
    QCOMPARE(driver.gpus.size(), std::size_t{2});
    QCOMPARE(driver.gpus[0].name, std::string("NVIDIA H100 80GB HBM3"));
    QCOMPARE(driver.gpus[0].capability, 90);
    QCOMPARE(driver.gpus[0].memoryBytes, std::uint64_t{85000000000});
    QCOMPARE(driver.gpus[1].capability, 89);
    QCOMPARE(driver.gpus[1].pciId, std::string("0000:02:00.0"));
    QCOMPARE(driver.gpus[1].uuid, std::string("GPU-10111213-1415-1617-1819-1a1b1c1d1e1f"));
    QCOMPARE(runtime::deviceLine(0, driver.gpus[0]),
             std::string("cuda:0 NVIDIA H100 80GB HBM3 (sm_90, 85.0 GB)"));
    QCOMPARE(runtime::deviceLine(1, driver.gpus[1]),
             std::string("cuda:1 NVIDIA GeForce RTX 4060 (sm_89, 8.0 GB)"));
    // An older form of the first line of /proc/driver/nvidia/version.
    QFile version(m_module.path() + QStringLiteral("/version"));
    QVERIFY(version.open(QIODevice::WriteOnly | QIODevice::Truncate));
    version.write(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC "
        "2023\n");
    version.close();
    QCOMPARE(read().release, std::string("535.129.03"));
}

void TestCudaDriver::hiddenAndAbsentGpusAreTwoThings() {
    for (const char* hidden : {"", "-1"}) {
        qputenv("CUDA_VISIBLE_DEVICES", hidden);
        const auto driver = read();
        QVERIFY(driver.state == CudaDriver::State::NoGpu);
        QCOMPARE(*driver.visibleDevices, std::string(hidden));
        const auto problem = runtime::driverProblem(driver, kTorch, "cuda:0");
        QVERIFY(problem && problem->code == ErrorCode::GpuHidden);
        QVERIFY2(has(message(problem), "CUDA_VISIBLE_DEVICES='") &&
                     has(message(problem), "(1 installed)"),
                 message(problem).c_str());
    }
    qunsetenv("CUDA_VISIBLE_DEVICES");
    qputenv("FAKE_CUDA_GPUS", "");
    const auto driver = read();
    QVERIFY(driver.state == CudaDriver::State::NoGpu && !driver.visibleDevices);
    QVERIFY(runtime::driverProblem(driver, kTorch, "cuda:0")->code == ErrorCode::GpuNone);
}

void TestCudaDriver::whatTheDriverAnswersIsSaid() {
    qputenv("FAKE_CUDA_INIT", "803");
    const auto driver = read();
    QVERIFY(driver.state == CudaDriver::State::Failed);
    QCOMPARE(driver.error, 803);
    const auto problem = runtime::driverProblem(driver, kTorch, "cuda:1");
    QVERIFY(problem && problem->code == ErrorCode::GpuDriverFailed);
    for (const char* part :
         {"cuda:1", "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "unsupported display driver", "restart"}) {
        QVERIFY2(has(message(problem), part), message(problem).c_str());
    }
    // An error that this driver has no name for.
    qputenv("FAKE_CUDA_INIT", "12345");
    QVERIFY(has(message(runtime::driverProblem(read(), kTorch, "cuda:0")), "error 12345"));
}

void TestCudaDriver::aDriverThatIsTooOld() {
    qputenv("FAKE_CUDA_VERSION", "12040");
    const auto problem = runtime::driverProblem(read(), kTorch, "cuda:0");
    QVERIFY(problem && problem->code == ErrorCode::GpuDriverOld);
    for (const char* part : {"580.95.05", "CUDA 12.4", "CUDA 13.0", "580 or newer"}) {
        QVERIFY2(has(message(problem), part), message(problem).c_str());
    }
    // It may not even start with what is newer than itself: its age is the reason that helps.
    qputenv("FAKE_CUDA_INIT", "999");
    QVERIFY(runtime::driverProblem(read(), kTorch, "cuda:0")->code == ErrorCode::GpuDriverOld);
    // Within a major version an older driver will do.
    qputenv("FAKE_CUDA_INIT", "0");
    qputenv("FAKE_CUDA_VERSION", "13000");
    QVERIFY(!runtime::driverProblem(read(), kTorch, "cuda:0"));
    QVERIFY(!runtime::driverProblem(read(), 12080, "cuda:0"));
}

void TestCudaDriver::aLibraryThatIsNone() {
    const auto driver = read({PARETO_NOT_CUDA, m_module.path().toStdString()});
    QVERIFY(driver.state == CudaDriver::State::Failed);
    const auto problem = runtime::driverProblem(driver, kTorch, "cuda:0");
    QVERIFY(problem && problem->code == ErrorCode::GpuDriverFailed);
    QVERIFY2(has(message(problem), "cuInit"), message(problem).c_str());
}

void TestCudaDriver::gpusThatLibtorchHasNoCodeFor() {
    const auto torch = runtime::torchCudaOf(
        kTorch,
        "  - NVCC architecture flags: "
        "-gencode;arch=compute_75,code=sm_75;-gencode;arch=compute_90,code=sm_90;"
        "-gencode;arch=compute_120,code=sm_120\n");
    QCOMPARE(torch.binaries, (std::vector<int>{75, 90, 120}));
    QVERIFY(torch.portable.empty());
    const auto with = [&](int capability) {
        GpuFacts gpu;
        gpu.name = "NVIDIA Test";
        gpu.capability = capability;
        return runtime::gpuProblem(gpu, torch, "cuda:0");
    };
    for (const int fine : {75, 90, 120, 121}) {
        QVERIFY2(!with(fine), std::to_string(fine).c_str());
    }
    // Older than the oldest, and majors in between: machine code is for one major version.
    for (const int none : {61, 70, 80, 89, 100}) {
        QVERIFY2(with(none) && with(none)->code == ErrorCode::GpuUnsupported,
                 std::to_string(none).c_str());
    }
    QVERIFY2(has(message(with(61)), "NVIDIA Test is sm_61") &&
                 has(message(with(61)), "sm_75, sm_90, sm_120"),
             message(with(61)).c_str());
    auto portable = torch;
    portable.portable = {90};
    GpuFacts next;
    next.capability = 130;
    QVERIFY(!runtime::gpuProblem(next, portable, "cuda:0"));
    QVERIFY(runtime::gpuProblem(next, torch, "cuda:0"));
    // Where libtorch does not say, nothing is refused.
    QVERIFY(!runtime::gpuProblem(next, runtime::torchCudaOf(kTorch, "no such line"), "cuda:0"));
}

QTEST_GUILESS_MAIN(TestCudaDriver)
#include "tst_cuda_driver.moc"
