#include "engine/bench/roofs.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/rand.h>

#include "engine/bench/memory.h"
#include "engine/bench/roof_rounds.h"
#include "engine/kernels/pack.h"
#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_tensor.h"

namespace pareto::bench {

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kLeastBuffer = 8 * kMiB;
constexpr std::uint64_t kCacheUnknown =
    32 * kMiB;  ///< taken for the last-level cache where the system does not say it

using Words = std::uint64_t __attribute__((vector_size(16)));

/// Eight places at a time, each a KiB ahead of itself: one stream alone gets half as much, for processors fetch ahead
/// within a page only.
std::uint64_t sumOf(const Words* words, std::int64_t count) {
    constexpr std::int64_t kStreams = 8;
    constexpr std::int64_t kAhead = 1024 / sizeof(Words);
    constexpr std::int64_t kLine = 64 / sizeof(Words);
    const std::int64_t length = count / kStreams;
    Words sums[kStreams] = {};
    for (std::int64_t i = 0; i + kLine <= length; i += kLine) {
        for (std::int64_t s = 0; s < kStreams; ++s) {
            const Words* line = words + s * length + i;
            __builtin_prefetch(line + kAhead);
            sums[s] += line[0] + line[1];
            sums[s] += line[2] + line[3];
        }
    }
    std::uint64_t total = 0;
    for (const auto& sum : sums) {
        total += sum[0] + sum[1];
    }
    return total;
}

RoofSource readingSource(std::uint64_t bytes) {
    constexpr std::int64_t kPiece = 256 * 1024 / sizeof(Words);
    const auto pieces = static_cast<std::int64_t>(bytes / (kPiece * sizeof(Words)));
    const auto count = pieces * kPiece;
    const auto buffer =
        std::make_shared<const std::vector<Words>>(static_cast<std::size_t>(count), Words{1, 1});
    // Keeps the sums from being left out.
    const auto total = std::make_shared<std::atomic<std::uint64_t>>(0);
    const auto read = [=] {
        runtime::inPieces(count, kPiece, [&](std::int64_t begin, std::int64_t end) {
            total->fetch_add(sumOf(buffer->data() + begin, end - begin), std::memory_order_relaxed);
        });
    };
    return {static_cast<double>(count) * sizeof(Words), read};
}

/// Larger than the caches, and no more than a quarter of what is free.
std::uint64_t memoryBuffer() {
    const long cache = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
    const std::uint64_t wanted =
        4 * (cache > 0 ? static_cast<std::uint64_t>(cache) : kCacheUnknown);
    const std::uint64_t free = availableMemory();
    return std::max(kLeastBuffer, free > 0 ? std::min(wanted, free / 4) : wanted);
}

constexpr std::int64_t kSquare = 1024;

RoofSource floatSource(at::ScalarType type) {
    const at::Tensor a = at::rand({kSquare, kSquare}, at::TensorOptions().dtype(at::kFloat)).to(type);
    const at::Tensor b = at::rand({kSquare, kSquare}, at::TensorOptions().dtype(at::kFloat)).to(type);
    at::Tensor out = at::empty({kSquare, kSquare}, at::TensorOptions().dtype(type));
    return {2.0 * kSquare * kSquare * kSquare, [=]() mutable { at::mm_out(out, a, b); }};
}

/// A thread's weight is 256 KiB, its inputs 128 KiB; long rows, so that what follows a product counts little.
constexpr std::int64_t kTokens = 64;
constexpr std::int64_t kThreadRows = 128;
constexpr std::int64_t kColumns = 2048;
constexpr int kRepeats = 8;  ///< in a round, so that starting the threads does not count

/// What kernels::Int8Gemm points to.
struct IntegerProduct {
    explicit IntegerProduct(std::int64_t rows)
        : weight(static_cast<std::size_t>(rows * kColumns), 3),
          codes(static_cast<std::size_t>(kTokens * kColumns), 131),
          codeSums(static_cast<std::size_t>(rows), static_cast<std::int32_t>(3 * kColumns)),
          scales(static_cast<std::size_t>(std::max(rows, kTokens)), 0.01F),
          out(static_cast<std::size_t>(kTokens * rows)) {
        work.m = kTokens;
        work.out = out.data();
        work.ldo = rows;
        work.weight.codes = weight.data();
        work.weight.scales = scales.data();
        work.weight.codeSums = codeSums.data();
        work.weight.rows = rows;
        work.weight.cols = work.weight.groupSize = kColumns;
        work.codes = codes.data();
        work.scales = scales.data();
        work.ldc = kColumns;
    }
    std::vector<std::int8_t> weight;
    std::vector<std::uint8_t> codes;
    std::vector<std::int32_t> codeSums;
    std::vector<float> scales;
    std::vector<float> out;
    kernels::Int8Gemm work;
};

/// What kernels::FloatGemm points to: a thread's weight is 192 KiB, its inputs 128 KiB.
constexpr std::int64_t kFloatRows = 96;
constexpr std::int64_t kFloatColumns = 512;

struct FloatProduct {
    explicit FloatProduct(std::int64_t rows)
        : weight(static_cast<std::size_t>(rows * kFloatColumns), 0.5F),
          inputs(static_cast<std::size_t>(kTokens * kFloatColumns), 0.25F),
          out(static_cast<std::size_t>(kTokens * rows)) {
        work.m = kTokens;
        work.out = out.data();
        work.ldo = rows;
        work.weight = {weight.data(), rows, kFloatColumns};
        work.x = inputs.data();
        work.ldx = kFloatColumns;
    }
    std::vector<float> weight;
    std::vector<float> inputs;
    std::vector<float> out;
    kernels::FloatGemm work;
};

/// A product whose weight has `rows` rows for each thread: multiply(product, begin, end) does panels of it.
template <typename Product, typename Multiply>
RoofSource productSource(std::int64_t rows, std::int64_t columns, const Multiply& multiply) {
    const std::int64_t all = std::max(runtime::poolThreads(), 1) * rows;
    const auto product = std::make_shared<Product>(all);
    const auto round = [=] {
        runtime::parallel(kernels::panelCount(all), rows / kernels::kPanelRows, [&](std::int64_t begin, std::int64_t end) {
            for (int i = 0; i < kRepeats; ++i) {
                multiply(product->work, begin, end);
            }
        });
    };
    return {2.0 * kRepeats * static_cast<double>(kTokens * all * columns), round};
}

Result<Roofs> measured(const RoofOptions& options, Progress& progress,
                       const std::stop_token& stop) {
    Roofs roofs;
    roofs.threads = runtime::poolThreads();
    roofs.weightsBytes = options.weightBytes;
    roofs.memoryBytes = memoryBuffer();
    std::vector<RoofSource> sources{readingSource(roofs.memoryBytes), floatSource(at::kFloat),
                                    productSource<IntegerProduct>(kThreadRows, kColumns, options.table->int8Gemm),
                                    productSource<FloatProduct>(kFloatRows, kFloatColumns, options.table->floatGemm)};
    const bool cached = options.weightBytes < roofs.memoryBytes;
    if (cached) {
        sources.push_back(readingSource(std::max(options.weightBytes, kLeastBuffer)));
    }
    const std::size_t pairs = sources.size();
    if (options.table->attentionPairs != nullptr) {
        sources.push_back(floatSource(at::kBFloat16));
    }
    const auto clock = wallClock();
    PARETO_CHECK(sweepRoofs(sources, *clock, options.seconds, options.rounds, progress, stop));
    roofs.memory = sources[0].roof();
    const bool own = sources[3].roof().best > sources[1].roof().best;
    roofs.fp32 = sources[own ? 3 : 1].roof();
    roofs.int8 = sources[2].roof();
    // Reading less is never slower: where it was, something disturbed it.
    roofs.weights =
        cached && sources[4].roof().best > roofs.memory.best ? sources[4].roof() : roofs.memory;
    const auto square = std::to_string(kSquare);
    const std::string size = square + "×" + square + "×" + square;
    const auto shape = [](std::int64_t rows, std::int64_t columns) {
        return " " + std::to_string(kTokens) + "×" + std::to_string(rows) + "×" + std::to_string(columns) + " a thread";
    };
    roofs.fp32Way = own ? "floatGemm" + shape(kFloatRows, kFloatColumns) : "libtorch mm " + size;
    if (pairs < sources.size()) {
        roofs.fp16 = sources[pairs].roof();
        roofs.fp16Way = "libtorch mm, bf16, " + size;
    }
    roofs.int8Way = std::string("int8Gemm (") + options.table->int8Name + ")" + shape(kThreadRows, kColumns);
    return roofs;
}

}  // namespace

Result<Roofs> measureRoofs(const RoofOptions& options, Progress& progress, std::stop_token stop) {
    return runtime::guarded("measuring the roofs",
                            [&] { return measured(options, progress, stop); });
}

}  // namespace pareto::bench
