#pragma once

#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "engine/bench/memory.h"
#include "engine/core/result.h"

namespace pareto::jobs {

/// Runs one job. Nothing is thrown outward: what the standard library or libtorch throws becomes
/// MemoryShort or EngineFailure.
template <typename Work>
auto guarded(const std::string& job, Work&& work) -> decltype(work()) {
    const auto noMemory = [&](const char* reason) {
        return makeError(ErrorCode::MemoryShort,
                         {{"what", "the job " + job},
                          {"needed", "more"},
                          {"free", std::to_string(bench::availableMemory())}},
                         reason);
    };
    try {
        return work();
    } catch (const std::bad_alloc& problem) {
        return noMemory(problem.what());
    } catch (const std::exception& problem) {
        const std::string_view reason = problem.what();
        if (reason.find("can't allocate memory") != std::string_view::npos) {
            return noMemory(problem.what());
        }
        return makeError(ErrorCode::EngineFailure,
                         {{"where", "the job " + job},
                          {"reason", std::string(reason.substr(0, reason.find('\n')))}},
                         std::string(reason));
    }
}

}  // namespace pareto::jobs
