#pragma once

#include <exception>
#include <string>

#include "engine/bench/memory.h"
#include "engine/core/result.h"
#include "engine/runtime/failures.h"

namespace pareto::jobs {

/// Runs one job. Nothing is thrown outward: what the standard library or libtorch throws becomes an error
/// (runtime/failures.h).
template <typename Work>
auto guarded(const std::string& job, Work&& work) -> decltype(work()) {
    try {
        return work();
    } catch (const std::exception& problem) {
        auto error = runtime::asError("the job " + job, problem);
        if (error.code == ErrorCode::MemoryShort) {
            error.args["free"] = std::to_string(bench::availableMemory());
        }
        return error;
    }
}

}  // namespace pareto::jobs
