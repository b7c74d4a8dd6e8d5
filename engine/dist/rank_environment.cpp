#include "engine/dist/rank_environment.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string_view>

#include <sched.h>
#include <unistd.h>

#include "engine/core/json.h"

namespace pareto::dist {
namespace {

constexpr std::int64_t kMostRanks = 4096;

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

/// "n[3-5,9],m" → "n3": the first node of Slurm's list of them.
std::string firstNode(const std::string& nodes) {
    const auto comma = nodes.find(',');
    const auto open = nodes.find('[');
    if (open == std::string::npos || (comma != std::string::npos && comma < open)) {
        return nodes.substr(0, comma);
    }
    return nodes.substr(0, open) + nodes.substr(open + 1, nodes.find_first_of("-,]", open + 1) - open - 1);
}

/// "2(x3),1" → tasks of node number `node`; 0 where that cannot be read.
int tasksOfNode(const std::string& tasks, std::int64_t node) {
    std::istringstream parts(tasks);
    for (std::string part; std::getline(parts, part, ',');) {
        int count = 0;
        std::int64_t times = 1;
        if (std::sscanf(part.c_str(), "%d(x%" SCNd64 ")", &count, &times) < 1) {
            return 0;
        }
        if (node < times) {
            return count;
        }
        node -= times;
    }
    return 0;
}

/// What srun says of the step that this process is a task of.
Result<std::optional<RankEnvironment>> slurmEnvironment() {
    constexpr int kFirstPort = 29500;
    constexpr std::int64_t kPorts = 2000;
    if (variable("SLURM_STEP_NUM_TASKS").empty() || variable("SLURM_PROCID").empty()) {
        return std::optional<RankEnvironment>();
    }
    RankEnvironment out;
    PARETO_TRY(const auto size, number("SLURM_STEP_NUM_TASKS", 1, kMostRanks));
    PARETO_TRY(const auto rank, number("SLURM_PROCID", 0, size - 1));
    PARETO_TRY(const auto job, number("SLURM_JOB_ID", 0, std::int64_t{1} << 40));
    out.size = static_cast<int>(size);
    out.rank = static_cast<int>(rank);
    out.address = variable("MASTER_ADDR").empty() ? firstNode(variable("SLURM_STEP_NODELIST")) : variable("MASTER_ADDR");
    out.port = static_cast<std::uint16_t>(kFirstPort + job % kPorts);
    if (!variable("MASTER_PORT").empty()) {
        PARETO_TRY(const auto port, number("MASTER_PORT", 1, 65535));
        out.port = static_cast<std::uint16_t>(port);
    }
    out.token = variable(kTokenVariable);
    out.listen = variable(kListenVariable);
    out.round = variable("SLURM_STEP_ID");
    // Where Slurm gave each task cores of its own, these are not divided again.
    if (static_cast<long>(usableCoreNumbers().size()) == ::sysconf(_SC_NPROCESSORS_ONLN) && !variable("SLURM_NODEID").empty() &&
        !variable("SLURM_LOCALID").empty()) {
        PARETO_TRY(const auto node, number("SLURM_NODEID", 0, kMostRanks));
        PARETO_TRY(const auto local, number("SLURM_LOCALID", 0, kMostRanks));
        out.localSize = tasksOfNode(variable("SLURM_STEP_TASKS_PER_NODE"), node);
        out.localRank = static_cast<int>(local);
    }
    return std::optional<RankEnvironment>(std::move(out));
}

bool isOfRanks(const std::string& name) {
    constexpr std::array<std::string_view, 9> kNames{"RANK",        "WORLD_SIZE",   "MASTER_ADDR",
                                                     "MASTER_PORT", "LOCAL_RANK",   "LOCAL_WORLD_SIZE",
                                                     kTokenVariable, kListenVariable, kTimeoutVariable};
    return std::find(kNames.begin(), kNames.end(), name) != kNames.end() || name.rfind("TORCHELASTIC_", 0) == 0;
}

}  // namespace

Result<std::optional<RankEnvironment>> rankEnvironment() {
    for (const char* name : {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}) {
        if (variable(name).empty()) {
            return slurmEnvironment();
        }
    }
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

Result<std::vector<SshHost>> rankHosts() {
    std::vector<SshHost> out;
    std::istringstream parts(variable(kHostsVariable));
    for (std::string part; std::getline(parts, part, ',');) {
        PARETO_TRY(auto host, sshHostFrom(part));
        out.push_back(std::move(host));
    }
    return out;
}

std::string environmentLine(const std::vector<std::pair<std::string, std::string>>& variables) {
    Json json = Json::object();
    for (const auto& [name, value] : variables) {
        json[name] = value;
    }
    return json.dump() + "\n";
}

Status takeEnvironment(const std::string& line) {
    PARETO_TRY(const Json json, parseJson(line, "the environment's line", {.maxDepth = 2, .maxBytes = 65536}));
    for (const auto& [name, value] : json.items()) {
        if (!json.is_object() || !isOfRanks(name) || !value.is_string()) {
            return makeError(ErrorCode::ConfigInvalid, {{"file", "pareto worker"}, {"field", name},
                                                        {"reason", "is no variable that ranks are told"}});
        }
        const auto text = value.get<std::string>();
        if (text.empty()) {
            ::unsetenv(name.c_str());
        } else {
            ::setenv(name.c_str(), text.c_str(), 1);
        }
    }
    return Done{};
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
