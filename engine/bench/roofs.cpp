#include "engine/bench/roofs.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <unistd.h>

#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/rand.h>

#include "engine/bench/memory.h"
#include "engine/kernels/pack.h"
#include "engine/runtime/parallel.h"
#include "engine/runtime/torch_tensor.h"
#include "engine/stats/stats.h"

namespace pareto::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kLeastBuffer = 8 * kMiB;
constexpr std::uint64_t kCacheUnknown =
    32 * kMiB;  ///< taken for the last-level cache where the system does not say it
constexpr int kMostRounds = 10'000;

/// `round` again and again; `work` is what one does. The first is not counted: pages and caches fill.
Result<Roof> rounds(const RoofOptions& options, double work, const std::function<void()>& round,
                    std::stop_token stop) {
    round();
    std::vector<double> rates;
    double spent = 0.0;
    const auto least = static_cast<std::size_t>(std::max(options.rounds, 1));
    while (rates.size() < kMostRounds && (rates.size() < least || spent < options.seconds)) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        const auto start = Clock::now();
        round();
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
        spent += seconds;
        rates.push_back(work / std::max(seconds, 1e-9) / 1e9);
    }
    return Roof{*std::max_element(rates.begin(), rates.end()), stats::median(rates)};
}

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

Result<Roof> bandwidth(const RoofOptions& options, std::uint64_t bytes, std::stop_token stop) {
    constexpr std::int64_t kPiece = 256 * 1024 / sizeof(Words);
    const auto pieces = static_cast<std::int64_t>(bytes / (kPiece * sizeof(Words)));
    const auto count = pieces * kPiece;
    const std::vector<Words> buffer(static_cast<std::size_t>(count), Words{1, 1});
    std::atomic<std::uint64_t> total{0};  // keeps the sums from being left out
    const auto read = [&] {
        runtime::inPieces(count, kPiece, [&](std::int64_t begin, std::int64_t end) {
            total.fetch_add(sumOf(buffer.data() + begin, end - begin), std::memory_order_relaxed);
        });
    };
    return rounds(options, static_cast<double>(count) * sizeof(Words), read, std::move(stop));
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

Result<Roof> floatRoof(const RoofOptions& options, const std::stop_token& stop) {
    return runtime::guarded("measuring the fp32 roof", [&]() -> Result<Roof> {
        const auto floats = at::TensorOptions().dtype(at::kFloat);
        const at::Tensor a = at::rand({kSquare, kSquare}, floats);
        const at::Tensor b = at::rand({kSquare, kSquare}, floats);
        at::Tensor out = at::empty({kSquare, kSquare}, floats);
        return rounds(
            options, 2.0 * kSquare * kSquare * kSquare, [&] { at::mm_out(out, a, b); }, stop);
    });
}

/// A thread's weight is 256 KiB, its inputs 128 KiB; long rows, so that what follows a product counts little.
constexpr std::int64_t kTokens = 64;
constexpr std::int64_t kThreadRows = 128;
constexpr std::int64_t kColumns = 2048;
constexpr int kRepeats = 8;  ///< in a round, so that starting the threads does not count

Result<Roof> integerRoof(const RoofOptions& options, const std::stop_token& stop) {
    const std::int64_t threads = std::max(runtime::poolThreads(), 1);
    const std::int64_t rows = threads * kThreadRows;
    const std::vector<std::int8_t> weight(static_cast<std::size_t>(rows * kColumns), 3);
    const std::vector<std::uint8_t> codes(static_cast<std::size_t>(kTokens * kColumns), 131);
    const std::vector<std::int32_t> codeSums(static_cast<std::size_t>(rows),
                                             static_cast<std::int32_t>(3 * kColumns));
    const std::vector<float> scales(static_cast<std::size_t>(std::max(rows, kTokens)), 0.01F);
    std::vector<float> out(static_cast<std::size_t>(kTokens * rows));
    kernels::Int8Gemm work;
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
    constexpr std::int64_t kThreadPanels = kThreadRows / kernels::kPanelRows;
    const auto multiply = [&] {
        runtime::parallel(kernels::panelCount(rows), kThreadPanels,
                          [&](std::int64_t begin, std::int64_t end) {
                              for (int i = 0; i < kRepeats; ++i) {
                                  options.table->int8Gemm(work, begin, end);
                              }
                          });
    };
    const double operations = 2.0 * kRepeats * static_cast<double>(kTokens * rows * kColumns);
    return rounds(options, operations, multiply, stop);
}

}  // namespace

Result<Roofs> measureRoofs(const RoofOptions& options, Progress& progress, std::stop_token stop) {
    progress.begin(Stage::Timing, 4, Unit::Iterations);
    Roofs roofs;
    roofs.threads = runtime::poolThreads();
    roofs.memoryBytes = memoryBuffer();
    PARETO_TRY(roofs.memory, bandwidth(options, roofs.memoryBytes, stop));
    progress.advance();
    roofs.weightsBytes = options.weightBytes;
    if (options.weightBytes >= roofs.memoryBytes) {
        roofs.weights = roofs.memory;
    } else {
        PARETO_TRY(roofs.weights,
                   bandwidth(options, std::max(options.weightBytes, kLeastBuffer), stop));
    }
    progress.advance();
    PARETO_TRY(roofs.fp32, floatRoof(options, stop));
    const auto square = std::to_string(kSquare);
    roofs.fp32Way = "libtorch mm " + square + "×" + square + "×" + square;
    progress.advance();
    PARETO_TRY(roofs.int8, integerRoof(options, stop));
    roofs.int8Way = std::string("int8Gemm (") + options.table->int8Name + ") " +
                    std::to_string(kTokens) + "×" + std::to_string(kThreadRows) + "×" +
                    std::to_string(kColumns) + " a thread";
    progress.advance();
    return roofs;
}

}  // namespace pareto::bench
