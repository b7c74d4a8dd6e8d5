#include "engine/runtime/parallel.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include <ATen/Parallel.h>

// The one file compiled with -fopenmp: at::parallel_for is a template around an OpenMP region, and
// without the flag it would quietly run on one thread.
#ifndef _OPENMP
#error "parallel.cpp has to be compiled with OpenMP"
#endif

namespace pareto::runtime {

void parallelRange(std::int64_t count, std::int64_t grain, RangeBody body, const void* context) {
    at::parallel_for(0, count, grain, [body, context](std::int64_t begin, std::int64_t end) {
        body(context, begin, end);
    });
}

void parallelPieces(std::int64_t count, std::int64_t piece, RangeBody body, const void* context) {
    const std::int64_t lanes = std::min<std::int64_t>(at::get_num_threads(), (count + piece - 1) / piece);
    if (lanes <= 1 || sharesWork()) {
        if (count > 0) {
            body(context, 0, count);
        }
        return;
    }
    std::atomic<std::int64_t> next{0};
    const auto work = [&, lanes](std::int64_t, std::int64_t) {
        std::int64_t begin = next.load(std::memory_order_relaxed);
        while (begin < count) {
            const std::int64_t share = (count - begin + 2 * lanes - 1) / (2 * lanes);
            const std::int64_t end = std::min(count, begin + (share + piece - 1) / piece * piece);
            if (next.compare_exchange_weak(begin, end, std::memory_order_relaxed)) {
                body(context, begin, end);
                begin = next.load(std::memory_order_relaxed);
            }
        }
    };
    at::parallel_for(0, lanes, 1, work);
}

bool sharesWork() { return at::in_parallel_region(); }

ParallelFor poolParallelFor() {
    return [](std::int64_t count, std::int64_t grain,
              const std::function<void(std::int64_t, std::int64_t)>& body) {
        parallel(count, grain, body);
    };
}

int setPoolThreads(int threads) {
    at::set_num_threads(threads);
    return at::get_num_threads();
}

int poolThreads() {
    return at::get_num_threads();
}

float* threadScratch(std::size_t floats) {
    struct alignas(64) Line {
        float values[16];
    };
    thread_local std::vector<Line> memory;
    if (memory.size() * std::size(Line{}.values) < floats) {
        memory.resize(floats / std::size(Line{}.values) + 1);
    }
    return memory.empty() ? nullptr : memory.front().values;
}

}  // namespace pareto::runtime
