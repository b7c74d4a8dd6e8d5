#include <QTest>

#include <chrono>
#include <thread>

#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <torch/csrc/profiler/stubs/base.h>

#include "engine/bench/gpu_clock.h"
#include "engine/bench/gpu_ranges.h"
#include "engine/bench/gpu_roofs.h"
#include "engine/bench/gpu_watch.h"
#include "engine/bench/kernel_timeline.h"
#include "engine/bench/phase_recorder.h"
#include "engine/bench/profile.h"
#include "engine/bench/timing.h"
#include "tests/engine/bench/fake_device.h"
#include "tests/engine/tasks/fakes.h"

using namespace pareto;
using namespace std::chrono_literals;
using fakes::FakeCudaGuard;

/// How a GPU is measured: which questions are asked when, and what becomes of the answers. There is no GPU in here.
class TestGpuMeasuring : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void eventsSayTimesAfterwards();
    void phasesAreNotWaitedFor();
    void passesAreTimedByEventsBesideTheClock();
    void profilesUseEventsAndSayWhyThereAreNoKernels();
    void memoryIsTheAllocators();
    void managementLibraryIsRead();
    void whatTheManagementLibraryCannotSay();
    void otherProcessesDisturb();
    void operationsBecomeATimeline();
    void roofsRunTheirOperations();
    void rangesOnlyWhenAsked();
};

namespace {

fakes::FakeCudaAllocator allocator;

struct RangeStubs final : torch::profiler::impl::ProfilerStubs {
    static inline std::vector<std::string> heard;
    void record(c10::DeviceIndex*, torch::profiler::impl::ProfilerVoidEventStub*,
                std::int64_t*) const override {}
    float elapsed(const torch::profiler::impl::ProfilerVoidEventStub*,
                  const torch::profiler::impl::ProfilerVoidEventStub*) const override {
        return 0.0F;
    }
    void mark(const char*) const override {}
    void rangePush(const char* name) const override { heard.push_back(name); }
    void rangePop() const override { heard.push_back("-"); }
    bool enabled() const override { return true; }
    void onEachDevice(std::function<void(int)>) const override {}
    void synchronize() const override {}
};

runtime::GpuFacts gpu() {
    runtime::GpuFacts facts;
    facts.name = "NVIDIA Test";
    facts.uuid = "GPU-00112233-4455-6677-8899-aabbccddeeff";
    facts.pciId = "0000:01:00.0";
    return facts;
}

bench::GpuWatch::Report watched(const runtime::GpuFacts& facts) {
    bench::GpuWatch watch(facts, {5, PARETO_FAKE_NVML});
    std::this_thread::sleep_for(40ms);
    return watch.finish();
}

/// An encoder "on cuda:0" whose pass takes 3 ms, half of it in a layer.
models::RunnableModel modelOnGpu() {
    auto fake =
        std::make_unique<fakes::FakeEncoder>([](const auto&) { return std::vector<float>{0.0F}; });
    fake->m_device.device = "cuda:0";
    fake->m_onRun = [raw = fake.get()] {
        if (raw->m_observer != nullptr) {
            raw->m_observer->begin("layer");
        }
        std::this_thread::sleep_for(3ms);
        if (raw->m_observer != nullptr) {
            raw->m_observer->end("layer");
        }
    };
    models::RunnableModel model;
    model.encoder = std::move(fake);
    return model;
}

}  // namespace

void TestGpuMeasuring::initTestCase() {
    static FakeCudaGuard guard;
    c10::impl::registerDeviceGuard(c10::DeviceType::CUDA, &guard);
    c10::SetAllocator(c10::DeviceType::CUDA, &allocator);
    qputenv("FAKE_NVML_INIT", "0");
    qputenv("FAKE_NVML_REASONS", "0");
    qputenv("FAKE_NVML_PROCESSES", "self");
    qputenv("FAKE_NVML_USE", "self:90");
}

void TestGpuMeasuring::eventsSayTimesAfterwards() {
    {
        const auto clock = bench::gpuClock(0);
        QCOMPARE(clock->mark(), std::size_t{0});
        std::this_thread::sleep_for(4ms);
        QCOMPARE(clock->mark(), std::size_t{1});
        const int waits = FakeCudaGuard::waits;
        QCOMPARE(FakeCudaGuard::asked, 0);
        const auto first = clock->times();
        QVERIFY(FakeCudaGuard::waits > waits);
        QCOMPARE(first.size(), std::size_t{2});
        QVERIFY(first[0] >= 0.0 && first[1] - first[0] >= 4.0);
        QVERIFY(clock->times().empty());
        // The scale goes on, and events are used again.
        clock->mark();
        const auto second = clock->times();
        QVERIFY(second[0] >= first[1]);
        QVERIFY2(second[0] < first[1] + 1000.0, qPrintable(QString::number(second[0])));
        QCOMPARE(FakeCudaGuard::alive, 3);
    }
    QCOMPARE(FakeCudaGuard::alive, 0);
}

void TestGpuMeasuring::phasesAreNotWaitedFor() {
    bench::PhaseRecorder recorder(bench::gpuClock(0));
    FakeCudaGuard::laterMs =
        1.0;  // every event comes 1 ms later than the one before, whatever the host does
    const int waits = FakeCudaGuard::waits;
    const auto begin = recorder.mark();
    recorder.begin("outer");
    recorder.begin("inner");
    recorder.end("inner");
    recorder.end("outer");
    const auto end = recorder.mark();
    QCOMPARE(FakeCudaGuard::waits, waits);
    const auto recorded = recorder.take();
    FakeCudaGuard::laterMs = 0.0;
    QVERIFY(FakeCudaGuard::waits > waits);
    QCOMPARE(recorded.events.size(), std::size_t{2});
    const auto near = [](double a, double b) { return std::abs(a - b) < 0.5; };
    QVERIFY(near(recorded.moments[end] - recorded.moments[begin], 5.0));
    QVERIFY(near(recorded.events[0].endMs - recorded.events[0].beginMs, 3.0));
    QVERIFY(near(recorded.events[1].ownMs, 1.0));
    // Time inside another phase is not counted twice.
    QVERIFY(near(recorded.events[0].ownMs, 2.0));
}

void TestGpuMeasuring::passesAreTimedByEventsBesideTheClock() {
    auto model = modelOnGpu();
    bench::TimingOptions options;
    options.minSeconds = 0.0;
    options.minIterations = 5;
    options.target.device = "cuda:0";
    options.target.sequence = 4;
    Progress progress;
    allocator.peak = 9000;
    const auto warm = bench::warmUp(model, options, progress, {});
    QVERIFY(warm.ok() && warm->gpu);
    QCOMPARE(warm->gpu->peakAllocated, std::uint64_t{1000});  // since the reset
    const int recorded = FakeCudaGuard::recorded;
    const auto timing = bench::timeModel(model, nullptr, options, progress, {});
    QVERIFY(timing.ok());
    QCOMPARE(timing->latenciesMs.size(), std::size_t{5});
    // The base, one pass to warm up and five that count.
    QCOMPARE(FakeCudaGuard::recorded - recorded, 1 + 2 * 6);
    QCOMPARE(timing->gpu["pass_ms"]["n"].get<int>(), 5);
    QVERIFY(timing->gpu["pass_ms"]["median"].get<double>() >= 3.0);
    QVERIFY(!timing->gpu.contains("watch"));  // the driver shows no GPU that could be watched
    auto onCpu = modelOnGpu();
    static_cast<fakes::FakeEncoder&>(*onCpu.encoder).m_device.device = "cpu";
    const int before = FakeCudaGuard::recorded;
    QVERIFY(bench::timeModel(onCpu, nullptr, options, progress, {})->gpu.empty());
    QVERIFY(!bench::warmUp(onCpu, options, progress, {})->gpu);
    QCOMPARE(FakeCudaGuard::recorded, before);
}

void TestGpuMeasuring::profilesUseEventsAndSayWhyThereAreNoKernels() {
    auto model = modelOnGpu();
    bench::ProfileOptions options;
    options.minSeconds = 0.0;
    options.minPasses = 3;
    options.target.sequence = 4;
    Progress progress;
    const int recorded = FakeCudaGuard::recorded;
    const auto profile = bench::profileModel(model, options, progress, {});
    QVERIFY2(profile.ok(), profile.ok() ? "" : errorMessage(profile.error()).c_str());
    QVERIFY(FakeCudaGuard::recorded > recorded);
    QCOMPARE(profile->steps.size(), std::size_t{1});
    QCOMPARE(profile->steps[0].steps, std::int64_t{3});
    QVERIFY(profile->steps[0].layers[0].ms >= 3.0);
    QVERIFY(profile->noCounters.find("GPU") != std::string::npos);
    QCOMPARE(profile->timelineClock, std::string("GPU events"));
    QCOMPARE(profile->timeline.size(), std::size_t{2});
    QVERIFY(profile->kernels.empty() && !profile->noKernels.empty());
    QVERIFY(profile->gpu.contains("memory") && !profile->gpu.contains("watch"));  // the driver shows no GPU that could be watched
}

void TestGpuMeasuring::memoryIsTheAllocators() {
    allocator.peak = 9000;
    const auto memory = bench::gpuMemory(0);
    QVERIFY(memory);
    QCOMPARE(memory->peakAllocated, std::uint64_t{9000});
    QCOMPARE(memory->peakReserved, std::uint64_t{18000});
    QCOMPARE(memory->allocated, std::uint64_t{1000});
    QCOMPARE(bench::toJson(*memory)["free_bytes"].get<int>(), 50000);
    bench::resetPeakGpuMemory(0);
    QCOMPARE(bench::gpuMemory(0)->peakAllocated, std::uint64_t{1000});
    QVERIFY(!bench::gpuMemory(-1));
    allocator.ready = false;  // libtorch has not used the GPU yet
    QVERIFY(!bench::gpuMemory(0));
    allocator.ready = true;
}

void TestGpuMeasuring::managementLibraryIsRead() {
    qputenv("FAKE_NVML_REASONS", "69");  // idle, power cap, thermal slowdown (hardware)
    const auto report = watched(gpu());
    qputenv("FAKE_NVML_REASONS", "0");
    QVERIFY2(report.whyNot.empty(), report.whyNot.c_str());
    const auto& read = report.details;
    QVERIFY2(read["samples"].get<int>() >= 3, read.dump().c_str());
    QVERIFY(read["seconds"].get<double>() >= 0.04);
    QVERIFY(read["power_w"]["min"].get<double>() >= 100.0);
    QVERIFY(read["power_w"]["max"].get<double>() > read["power_w"]["median"].get<double>());
    QCOMPARE(read["sm_mhz"]["median"].get<double>(), 1980.0);
    QCOMPARE(read["memory_mhz"]["median"].get<double>(), 2619.0);
    QCOMPARE(read["utilisation_percent"]["median"].get<double>(), 97.0);
    QCOMPARE(read["power_limit_w"].get<double>(), 700.0);
    QCOMPARE(read["energy_j"].get<double>(), 5.0);
    QVERIFY(!read.contains("temperature_c"));  // a function that this library lacks
    QCOMPARE(read["throttles"].size(), std::size_t{2});
    QCOMPARE(read["throttles"][0]["name"].get<std::string>(), std::string("power cap"));
    QCOMPARE(read["throttles"][1]["share"].get<double>(), 1.0);
    QVERIFY(report.disturbance.empty());
    // Without its UUID it is found by its place on the bus.
    auto facts = gpu();
    facts.uuid = "GPU-ffff";
    QVERIFY(watched(facts).whyNot.empty());
}

void TestGpuMeasuring::whatTheManagementLibraryCannotSay() {
    auto facts = gpu();
    facts.uuid.clear();
    facts.pciId = "0000:99:00.0";
    const auto unknown = watched(facts);
    QVERIFY2(unknown.whyNot.find("does not find NVIDIA Test") != std::string::npos,
             unknown.whyNot.c_str());
    QCOMPARE(unknown.details["not_read"].get<std::string>(), unknown.whyNot);
    QVERIFY(!unknown.details.contains("power_w"));
    qputenv("FAKE_NVML_INIT", "9");
    QVERIFY(watched(gpu()).whyNot.find("Driver Not Loaded") != std::string::npos);
    qputenv("FAKE_NVML_INIT", "0");
    bench::GpuWatch none(gpu(), {5, "libnvidia-ml-that-is-not-there.so"});
    QVERIFY(none.finish().whyNot.find("is not there") != std::string::npos);
}

void TestGpuMeasuring::otherProcessesDisturb() {
    qputenv("FAKE_NVML_PROCESSES", "self,77");
    qputenv("FAKE_NVML_USE", "self:60,77:30,77:40");
    const auto busy = watched(gpu());
    QCOMPARE(busy.details["other_processes"].get<int>(), 1);
    QCOMPARE(busy.details["others_percent"].get<double>(), 35.0);
    QVERIFY2(busy.disturbance.find("35 %") != std::string::npos, busy.disturbance.c_str());
    // One that only holds memory disturbs nobody.
    qputenv("FAKE_NVML_USE", "self:60,77:1");
    QVERIFY(watched(gpu()).disturbance.empty());
    // A container sees numbers that are not its own: the busiest process is taken for this one.
    qputenv("FAKE_NVML_PROCESSES", "4001");
    qputenv("FAKE_NVML_USE", "4001:95");
    QVERIFY(watched(gpu()).disturbance.empty());
    qputenv("FAKE_NVML_PROCESSES", "self,77,78");
    qputenv("FAKE_NVML_USE", "");
    QVERIFY(watched(gpu()).disturbance.find("2 other processes") != std::string::npos);
    qputenv("FAKE_NVML_PROCESSES", "self");
    qputenv("FAKE_NVML_USE", "self:90");
}

void TestGpuMeasuring::operationsBecomeATimeline() {
    const auto a = at::ones({200, 200});
    at::mm(a, a);
    bench::KernelTimeline timeline(bench::KernelTimeline::Of::Cpu);
    at::mm(a, a);
    timeline.setStart();
    const auto from = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(2ms);
    at::mm(a, a);
    const double took =
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - from).count();
    const auto recorded = timeline.finish();
    QVERIFY2(recorded.whyNone.empty(), recorded.whyNone.c_str());
    int products = 0;
    for (const auto& event : recorded.kernels) {
        if (event.name == "aten::mm") {
            ++products;
            // Kineto's clock is the system's: the operation lies where it ran.
            QVERIFY2(event.startUs >= 1900.0 && event.startUs + event.durationUs <= took + 200.0,
                     qPrintable(QString::number(event.startUs)));
            QVERIFY(event.durationUs > 0.0);
        }
    }
    QCOMPARE(products, 1);
    // Without a GPU nothing is recorded of one, and that is said.
    bench::KernelTimeline none(bench::KernelTimeline::Of::Gpu);
    at::mm(a, a);
    const auto nothing = none.finish();
    QVERIFY(nothing.kernels.empty() && !nothing.whyNone.empty());
}

void TestGpuMeasuring::roofsRunTheirOperations() {
    runtime::Device cpu;
    bench::GpuRoofOptions options;
    options.weightBytes = 1 << 20;
    options.seconds = 0.02;
    options.rounds = 3;
    options.square = 128;
    options.copyBytes = 64 << 20;
    Progress progress;
    const auto roofs = bench::measureGpuRoofs(cpu, options, progress, {});
    QVERIFY2(roofs.ok(), roofs.ok() ? "" : errorMessage(roofs.error()).c_str());
    QCOMPARE(roofs->device, std::string("cpu"));
    for (const auto& roof : {roofs->memory, roofs->weights, roofs->fp32, roofs->int8}) {
        QVERIFY(roof.median > 0.0 && roof.best >= roof.median && roof.best < 1e6);
    }
    QVERIFY(roofs->fp16.best > 0.0 || roofs->fp16Way.find("not available: ") == 0);
    QCOMPARE(roofs->fp32Way, std::string("libtorch mm, fp32 64×64×64"));
    QCOMPARE(roofs->int8Way, std::string("libtorch _int_mm 128×128×128"));
    QCOMPARE(progress.snapshot().done, progress.snapshot().total);
    std::stop_source stop;
    stop.request_stop();
    QVERIFY(bench::measureGpuRoofs(cpu, options, progress, stop.get_token()).cancelled());
}

void TestGpuMeasuring::rangesOnlyWhenAsked() {
    qputenv("PARETO_NVTX", "1");
    QVERIFY(!bench::gpuRangesWanted());  // nothing that could mark them
    RangeStubs stubs;
    torch::profiler::impl::registerCUDAMethods(&stubs);
    {
        const bench::GpuRange pass("pass");
        bench::PhaseRecorder recorder;
        recorder.begin("layer");
        recorder.end("layer");
    }
    QCOMPARE(RangeStubs::heard, (std::vector<std::string>{"pass", "layer", "-", "-"}));
    qunsetenv("PARETO_NVTX");
    { const bench::GpuRange pass("pass"); }
    QCOMPARE(RangeStubs::heard.size(), std::size_t{4});
}

QTEST_GUILESS_MAIN(TestGpuMeasuring)
#include "tst_gpu_measuring.moc"
