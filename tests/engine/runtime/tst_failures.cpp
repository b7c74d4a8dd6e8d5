#include <QTest>

#include <c10/util/Exception.h>

#include <new>
#include <stdexcept>

#include <ATen/ops/add.h>
#include <ATen/ops/ones.h>

#include "engine/runtime/torch_tensor.h"
#include "tests/engine/runtime/empty_memory.h"

using namespace pareto;

/// What is thrown where a GPU fails, thrown here by an allocator or an operation: it becomes an error with a code of its
/// own, and the process computes on with the CPU.
class TestFailures : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() { runtime::forgetLostGpu(); }
    void cleanupTestCase() { runtime::forgetLostGpu(); }
    void gpuMemory();
    void librariesWithoutMemory();
    void lostDevices();
    void otherErrorsOfCudaAreNotTheEnd();
    void memoryOfTheMachine();
};

namespace {

const c10::SourceLocation kHere{"a kernel", __FILE__, static_cast<std::uint32_t>(__LINE__)};
using test::EmptyMemory;

Result<float> sumOfOnes() {
    return runtime::guarded("adding", []() -> Result<float> {
        const auto ones = at::ones({4, 4});
        return at::add(ones, ones).data_ptr<float>()[0];
    });
}

template <typename Exception>
Error thrown(const Exception& exception) {
    return runtime::caught("running the decoder", [&]() -> Result<int> { throw exception; })
        .error();
}

}  // namespace

void TestFailures::gpuMemory() {
    {
        const EmptyMemory none;
        const auto sum = sumOfOnes();
        QVERIFY(!sum.ok());
        QCOMPARE(sum.error().code, ErrorCode::DeviceMemoryShort);
        QCOMPARE(sum.error().args.at("device"), std::string("cuda:1"));
        QCOMPARE(sum.error().args.at("what"), std::string("adding"));
        QCOMPARE(sum.error().args.at("needed"), std::string("20.50 GiB"));
        QCOMPARE(sum.error().args.at("free"), std::string("1.25 GiB"));
        QVERIFY(sum.error().detail.find("77.00 GiB") != std::string::npos);
        QCOMPARE(errorKind(sum.error().code), ErrorKind::Resource);
    }
    const auto again = sumOfOnes();
    QVERIFY(again.ok());
    QCOMPARE(again.value(), 2.0F);
    QVERIFY(runtime::lostGpu().empty());
}

void TestFailures::librariesWithoutMemory() {
    runtime::noteCudaDevice(3);
    const auto cublas = thrown(c10::Error(
        kHere, "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"));
    QCOMPARE(cublas.code, ErrorCode::DeviceMemoryShort);
    QCOMPARE(cublas.args.at("device"), std::string("cuda:3"));
    QCOMPARE(cublas.args.at("needed"), std::string("more"));
    const auto runtimeError =
        thrown(c10::AcceleratorError(kHere, 2, "CUDA error: out of memory\nCompile with …"));
    QCOMPARE(runtimeError.code, ErrorCode::DeviceMemoryShort);
    QVERIFY(runtime::lostGpu().empty());
}

void TestFailures::lostDevices() {
    runtime::noteCudaDevice(0);
    const struct {
        int code;
        const char* text;
    } kinds[] = {{719, "CUDA error: unspecified launch failure"},
                 {700, "CUDA error: an illegal memory access was encountered"},
                 {214, "CUDA error: uncorrectable ECC error encountered"},
                 {709, "CUDA error: context is destroyed"}};
    for (const auto& kind : kinds) {
        const auto text =
            std::string(kind.text) + "\nCUDA kernel errors might be asynchronously reported";
        for (const auto& error :
             {thrown(c10::AcceleratorError(kHere, kind.code, text)),
              thrown(std::runtime_error(text)),  // a kernel of our own says it so
              thrown(c10::Error(kHere, text))}) {
            QVERIFY2(error.code == ErrorCode::DeviceLost, kind.text);
            QCOMPARE(error.args.at("reason"), std::string(kind.text));
            QCOMPARE(error.args.at("device"), std::string("cuda:0"));
            QCOMPARE(error.args.at("where"), std::string("running the decoder"));
        }
        QVERIFY(runtime::lostGpu().find("CUDA error") != std::string::npos);
        runtime::forgetLostGpu();
        const auto sum = sumOfOnes();
        QVERIFY(sum.ok() && sum.value() == 2.0F);
    }
}

void TestFailures::otherErrorsOfCudaAreNotTheEnd() {
    const auto error =
        thrown(c10::AcceleratorError(kHere, 209, "CUDA error: no kernel image is available"));
    QCOMPARE(error.code, ErrorCode::EngineFailure);
    QVERIFY(runtime::lostGpu().empty());
    // Words that mean something else outside CUDA.
    QCOMPARE(thrown(std::runtime_error("the launch timed out of a rocket")).code,
             ErrorCode::EngineFailure);
}

void TestFailures::memoryOfTheMachine() {
    QCOMPARE(thrown(std::bad_alloc()).code, ErrorCode::MemoryShort);
    QCOMPARE(
        thrown(
            c10::Error(kHere,
                       "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"))
            .code,
        ErrorCode::MemoryShort);
}

QTEST_GUILESS_MAIN(TestFailures)
#include "tst_failures.moc"
