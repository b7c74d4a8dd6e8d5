#include "engine/dist/rank_environment.h"

#include <charconv>
#include <cstdlib>
#include <filesystem>

#include <sched.h>

namespace pareto::dist {
namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

Result<std::int64_t> number(const char* name, std::int64_t least, std::int64_t most) {
    const auto text = variable(name);
    std::int64_t out = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
    if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || out < least || out > most) {
        return makeError(ErrorCode::ConfigInvalid,
                         {{"file", "environment"},
                          {"field", name},
                          {"reason", "is '" + text + "', not a number from " + std::to_string(least) + " to " +
                                         std::to_string(most)}});
    }
    return out;
}

/// 0: the calling thread.
void setCores(pid_t thread, const std::vector<int>& cores) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int core : cores) {
        CPU_SET(core, &set);
    }
    if (!cores.empty()) {
        ::sched_setaffinity(thread, sizeof set, &set);
    }
}

}  // namespace

Result<std::optional<RankEnvironment>> rankEnvironment() {
    for (const char* name : {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}) {
        if (variable(name).empty()) {
            return std::optional<RankEnvironment>();
        }
    }
    constexpr std::int64_t kMostRanks = 4096;
    RankEnvironment out;
    PARETO_TRY(const auto size, number("WORLD_SIZE", 1, kMostRanks));
    PARETO_TRY(const auto rank, number("RANK", 0, size - 1));
    PARETO_TRY(const auto port, number("MASTER_PORT", 1, 65535));
    out.size = static_cast<int>(size);
    out.rank = static_cast<int>(rank);
    out.port = static_cast<std::uint16_t>(port);
    out.address = variable("MASTER_ADDR");
    out.token = variable(kTokenVariable);
    out.listen = variable(kListenVariable);
    out.round = variable("TORCHELASTIC_RESTART_COUNT");
    out.storeStands = variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
    if (!variable("LOCAL_WORLD_SIZE").empty()) {
        PARETO_TRY(const auto local, number("LOCAL_WORLD_SIZE", 1, kMostRanks));
        PARETO_TRY(const auto own, number("LOCAL_RANK", 0, local - 1));
        out.localSize = static_cast<int>(local);
        out.localRank = static_cast<int>(own);
    }
    return std::optional<RankEnvironment>(std::move(out));
}

Result<int> timeoutSeconds() {
    constexpr int kUsual = 60;
    if (variable(kTimeoutVariable).empty()) {
        return kUsual;
    }
    PARETO_TRY(const auto seconds, number(kTimeoutVariable, 1, 86400));
    return static_cast<int>(seconds);
}

std::vector<int> usableCoreNumbers() {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<int> out;
    if (::sched_getaffinity(0, sizeof set, &set) == 0) {
        for (int core = 0; core < CPU_SETSIZE; ++core) {
            if (CPU_ISSET(core, &set)) {
                out.push_back(core);
            }
        }
    }
    return out;
}

std::vector<int> coresOfRank(const std::vector<int>& cores, int rank, int size) {
    const auto count = cores.size();
    const auto ranks = static_cast<std::size_t>(size);
    const auto own = static_cast<std::size_t>(rank);
    if (count < ranks) {
        return count == 0 ? cores : std::vector<int>{cores[own % count]};
    }
    return {cores.begin() + static_cast<std::ptrdiff_t>(own * count / ranks),
            cores.begin() + static_cast<std::ptrdiff_t>((own + 1) * count / ranks)};
}

void bindThread(const std::vector<int>& cores) { setCores(0, cores); }

void bindTo(const std::vector<int>& cores) {
    std::error_code problem;
    for (std::filesystem::directory_iterator it("/proc/self/task", problem), end; !problem && it != end;
         it.increment(problem)) {
        pid_t thread = 0;
        const auto name = it->path().filename().string();
        if (std::from_chars(name.data(), name.data() + name.size(), thread).ec == std::errc{}) {
            setCores(thread, cores);
        }
    }
    setCores(0, cores);
}

}  // namespace pareto::dist
