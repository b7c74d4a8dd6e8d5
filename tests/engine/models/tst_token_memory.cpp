// A loop over tokens does not go to the system's allocator: what a step of a decoder asks for does not grow with its blocks.
#include "tests/engine/models/recipes.h"

#include <atomic>
#include <set>

#include "engine/models/generate.h"
#include "engine/runtime/thread_memory.h"
#include "engine/runtime/torch_tensor.h"

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define COUNTS_ALLOCATIONS

namespace {
std::atomic<long> allocations{0};
}

// The C library's own, counted: libtorch and the C++ library get theirs here too.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
    ++allocations;
    return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
    ++allocations;
    return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
    ++allocations;
    return __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
    ++allocations;
    return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
    *out = memalign(alignment, size);
    return *out == nullptr ? ENOMEM : 0;
}
}
#endif

using namespace pareto;
using namespace pareto::test;
using models::CacheFormat;

namespace {

constexpr int kBlocks[] = {1, 2};

/// With only its first block, or as it is.
Result<models::RunnableModel> prepared(const std::string& name, const std::string& recipe, int blocks) {
    PARETO_TRY(auto model, openModel(kGolden + name));
    if (blocks == 1) {
        PARETO_TRY(auto first, compressed(model, R"({"version":1,"layers":[{"match":"decoder.layer.1","prune":{"pattern":"blocks","ratio":1.0}}]})"));
        model = std::move(first.model);
    }
    PARETO_TRY(const auto made, compressed(model, recipe));
    return prepare(made.model);
}

}  // namespace

class TestTokenMemory : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void stepsOfDecoders_data();
    void stepsOfDecoders();
    void tensorsComeBack();
    void heldTensorsStay();
    void arraysOnCacheLines();
};

void TestTokenMemory::stepsOfDecoders_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("recipe");
    QTest::addColumn<int>("format");
    const char* kInt8 = R"({"version":1,"defaults":{"quantize":{"weights":"int8","activations":"int8-dynamic"}}})";
    const char* kGroups =
        R"({"version":1,"defaults":{"quantize":{"weights":"int4","group":8,"activations":"int8-dynamic","activation_group":8}},)"
        R"("layers":[{"match":".*query","quantize":{"weights":"int8"}}]})";
    const auto add = [](const char* row, const char* name, const char* recipe, CacheFormat format) {
        QTest::newRow(row) << QString::fromLatin1(name) << QString::fromLatin1(recipe) << static_cast<int>(format);
    };
    add("fp32", "tiny_llama", R"({"version":1})", CacheFormat::F32);
    add("int8", "tiny_llama", kInt8, CacheFormat::F32);
    add("mixed groups", "tiny_llama", kGroups, CacheFormat::F32);
    add("int8, cache in 16 bits", "tiny_llama", kInt8, CacheFormat::F16);
    add("int8, cache in 8 bits", "tiny_llama", kInt8, CacheFormat::Int8);
    add("int8, cache in 4 bits", "tiny_llama", kInt8, CacheFormat::Int4);
    add("gpt2", "decoders/gpt2", kInt8, CacheFormat::F32);
    add("qwen3", "decoders/qwen3", kInt8, CacheFormat::F32);
}

void TestTokenMemory::stepsOfDecoders() {
#ifdef COUNTS_ALLOCATIONS
    QFETCH(QString, name);
    QFETCH(QString, recipe);
    QFETCH(int, format);
    constexpr int kWarm = 4;
    constexpr int kSteps = 8;
    std::vector<long> counts;
    for (const int blocks : kBlocks) {
        const auto model = prepared(name.toStdString(), recipe.toStdString(), blocks);
        CHECK_OK(model);
        auto& decoder = *model->decoder;
        QCOMPARE(static_cast<int>(decoder.layout().blocks.size()), blocks);
        const auto cache = decoder.newCache(1, {24, static_cast<CacheFormat>(format)});
        CHECK_OK(cache);
        const std::vector<std::vector<std::int32_t>> ids{{3}};
        long before = 0;
        for (int step = 0; step < kWarm + kSteps; ++step) {
            before = step == kWarm ? allocations.load() : before;
            CHECK_OK(decoder.step(ids, *cache.value(), {}));
        }
        counts.push_back(allocations - before);
    }
    QVERIFY(counts[0] > 0);  // it does count: logits come in a vector of their own
    QVERIFY2(counts[0] <= 20 * kSteps, qPrintable(QString::number(counts[0])));
    QCOMPARE(counts[1], counts[0]);
#else
    QSKIP("Allocations cannot be counted in this build");
#endif
}

void TestTokenMemory::tensorsComeBack() {
    const c10::InferenceMode inference(true);
    const auto device = runtime::openDevice("cpu", 1);
    CHECK_OK(device);
    const void* first = runtime::emptyFloats(device.value(), {3, 5}).data_ptr();
    for (int i = 0; i < 50; ++i) {
        QCOMPARE(runtime::emptyFloats(device.value(), {3, 5}).data_ptr(), first);
        const at::Tensor other = runtime::emptyFloats(device.value(), {5, 3});
        QCOMPARE(other.size(0), 5);
        QVERIFY(other.data_ptr() != first);
    }
}

/// Neither tensors that somebody holds nor those of which there is a view are given away again; changed ones neither.
void TestTokenMemory::heldTensorsStay() {
    const c10::InferenceMode inference(true);
    const auto device = runtime::openDevice("cpu", 1);
    CHECK_OK(device);
    std::vector<at::Tensor> held;
    std::set<const void*> places;
    for (int i = 0; i < 100; ++i) {
        at::Tensor tensor = runtime::emptyFloats(device.value(), {7, 11});
        QVERIFY(places.insert(tensor.data_ptr()).second);
        held.push_back(i % 2 == 0 ? tensor : tensor.slice(0, 2, 4));
    }
    held.clear();
    runtime::emptyFloats(device.value(), {7, 11}).t_();
    const at::Tensor plain = runtime::emptyFloats(device.value(), {7, 11});
    QCOMPARE(plain.size(0), 7);
    QVERIFY(plain.is_contiguous());
    // With a graph to differentiate nothing is shared.
    const c10::InferenceMode off(false);
    const at::Tensor own = runtime::emptyFloats(device.value(), {7, 11});
    QVERIFY(!own.is_inference());
}

void TestTokenMemory::arraysOnCacheLines() {
    std::vector<runtime::ThreadArray<std::uint8_t>> held;
    std::set<const std::uint8_t*> places;
    for (std::size_t size = 0; size < 400; ++size) {
        held.emplace_back(size);
        QCOMPARE(reinterpret_cast<std::uintptr_t>(held.back().data()) % 64, std::uintptr_t{0});
        QCOMPARE(held.back().size(), size);
        QVERIFY(places.insert(held.back().data()).second);
    }
    held.clear();
    QVERIFY(places.contains(runtime::ThreadArray<std::uint8_t>(0).data()));  // that of one that was let go
}

QTEST_GUILESS_MAIN(TestTokenMemory)
#include "tst_token_memory.moc"
