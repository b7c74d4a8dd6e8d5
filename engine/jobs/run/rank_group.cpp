#include "engine/jobs/run/rank_group.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "engine/core/hmac.h"
#include "engine/core/version.h"
#include "engine/dist/sockets.h"
#include "engine/jobs/api/protocol.h"

namespace pareto::jobs {
namespace {

constexpr const char* kLoopback = "127.0.0.1";
constexpr std::size_t kTokenBytes = 32;

/// Of what one rank gives in an exchange.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 32;

std::string versionOfProgram() { return std::string(programVersion()) + "+" + std::string(programCommit()); }

/// Where ranks of this machine alone, or of those hosts too, find rank 0.
Result<std::string> addressFor(const std::vector<SshHost>& hosts) {
    constexpr std::uint16_t kSshPort = 22;
    if (hosts.empty()) {
        return std::string(kLoopback);
    }
    if (const char* told = std::getenv(dist::kListenVariable); told != nullptr && *told != '\0') {
        return std::string(told);
    }
    const auto& first = hosts.front().name;
    const auto towards = dist::addressTowards(first.substr(first.find('@') + 1), kSshPort);
    if (!towards.ok()) {
        return wrongRanks("on " + first + " need an address of this machine: set " + std::string(dist::kListenVariable) +
                          " to the one that they reach it by");
    }
    return towards;
}

}  // namespace

Status useHosts(const std::string& hosts) {
    ::setenv(dist::kHostsVariable, hosts.c_str(), 1);
    PARETO_CHECK(dist::rankHosts());
    return Done{};
}

Status takeRankEnvironment(const std::string& line) { return dist::takeEnvironment(line); }

Error wrongRanks(const std::string& reason) {
    return makeError(ErrorCode::ConfigInvalid, {{"file", "pareto"}, {"field", "ranks"}, {"reason", reason}});
}

Result<std::optional<dist::RankEnvironment>> startedRanks(int wanted) {
    PARETO_TRY(auto found, dist::rankEnvironment());
    if (!found || found->size == 1) {
        return std::optional<dist::RankEnvironment>();
    }
    if (wanted > 1 && wanted != found->size) {
        return wrongRanks("is " + std::to_string(wanted) + ", but WORLD_SIZE says that " + std::to_string(found->size) +
                          " were started; leave one of them out");
    }
    return found;
}

Result<std::unique_ptr<RankGroup>> RankGroup::start(int size, const std::string& line, std::stop_token stop) {
    std::unique_ptr<RankGroup> out(new RankGroup());
    PARETO_CHECK(out->startHere(size, line, std::move(stop)));
    return out;
}

Result<std::unique_ptr<RankGroup>> RankGroup::join(const dist::RankEnvironment& environment, std::stop_token stop) {
    std::unique_ptr<RankGroup> out(new RankGroup());
    dist::GroupOptions options;
    options.rank = environment.rank;
    options.size = environment.size;
    options.address = environment.address;
    options.port = environment.port;
    options.listen = environment.listen;
    options.token = environment.token;
    options.storeStands = environment.storeStands;
    options.round = environment.round;
    out->m_here = std::max(1, environment.localSize);
    out->m_localRank = environment.localRank;
    out->bind(environment.localRank, environment.localSize);
    PARETO_CHECK(out->joinAs(options, std::move(stop)));
    return out;
}

Status RankGroup::startHere(int size, const std::string& line, std::stop_token stop) {
    std::error_code problem;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", problem);
    PARETO_TRY(const auto hosts, dist::rankHosts());
    PARETO_TRY(const auto address, addressFor(hosts));
    PARETO_TRY(const auto listening, dist::listenAt(address, 0));
    dist::GroupOptions options;
    options.size = size;
    options.address = address;
    options.port = listening.port;
    options.socket = listening.socket;
    options.token = randomHex(kTokenBytes);
    dist::StartOptions local;
    local.size = size;
    local.command = {program.string(), "worker", "--die-with-parent"};
    local.line = line;
    local.address = address;
    local.port = listening.port;
    local.hosts = hosts;
    local.token = options.token;
    m_here = dist::ranksOfMachines(local).front();
    // Before this process keeps to its own part.
    PARETO_TRY(m_local, dist::startRanks(
                            local, {[this](int rank, const std::string& said) { hear(rank, said); },
                                    [this](int rank, const std::string& how) { lost(rank, how); }}));
    bind(0, m_here);
    return joinAs(options, std::move(stop));
}

Status RankGroup::joinAs(const dist::GroupOptions& given, std::stop_token stop) {
    auto options = given;
    options.version = versionOfProgram();
    PARETO_TRY(const int seconds, dist::timeoutSeconds());
    options.timeout = std::chrono::seconds(seconds);
    const std::stop_callback cancelled(stop, [this] { m_giveUp.request_stop(); });
    auto joined = dist::Group::join(options, m_giveUp.get_token());
    const std::lock_guard lock(m_mutex);
    if (m_early) {
        return *m_early;
    }
    if (!joined.ok()) {
        return joined.failure<Done>();
    }
    m_group = std::move(joined.value());
    return Done{};
}

RankGroup::~RankGroup() {
    std::unique_ptr<dist::Group> group;
    {
        const std::lock_guard lock(m_mutex);
        group = std::move(m_group);
    }
    group.reset();
    m_local.reset();
    dist::bindTo(m_cores);
}

void RankGroup::bind(int localRank, int localSize) {
    if (localSize > 0) {
        m_cores = dist::usableCoreNumbers();
        dist::bindTo(dist::coresOfRank(m_cores, localRank, localSize));
    }
}

void RankGroup::hear(int rank, const std::string& line) {
    const auto message = parseMessage(line);
    if (message.ok() && message->type == MessageType::Error) {
        lost(rank, "ended: " + errorMessage(message->error));
    }
}

void RankGroup::lost(int rank, const std::string& how) {
    const std::lock_guard lock(m_mutex);
    if (m_group) {
        m_group->blame(rank, how);
        return;
    }
    if (!m_early) {
        m_early = makeError(ErrorCode::RankLost,
                            {{"rank", std::to_string(rank)}, {"host", dist::hostName()}, {"reason", how}});
    }
    m_giveUp.request_stop();
}

Result<std::vector<std::string>> RankGroup::exchange(const std::string& own, std::stop_token stop) {
    std::vector<std::string> out(static_cast<std::size_t>(size()));
    for (int root = 0; root < size(); ++root) {
        auto& text = out[static_cast<std::size_t>(root)];
        std::uint64_t length = own.size();
        PARETO_CHECK(m_group->broadcast(std::as_writable_bytes(std::span(&length, 1)), root, stop));
        if (length > kMostBytes) {
            return unfit(root, "sends " + std::to_string(length) + " bytes");
        }
        text = root == rank() ? own : std::string(static_cast<std::size_t>(length), '\0');
        PARETO_CHECK(m_group->broadcast(std::as_writable_bytes(std::span<char>(text)), root, stop));
    }
    return out;
}

Error RankGroup::unfit(int rank, const std::string& reason) const {
    return makeError(ErrorCode::RankUnfit,
                     {{"rank", std::to_string(rank)}, {"host", hostOf(rank)}, {"reason", reason}});
}

Status RankGroup::disband(const Status& did, std::stop_token stop) {
    if (did.ok()) {
        return m_group->leave(std::move(stop));
    }
    const auto lost = m_group->lost();
    if (!lost) {
        m_group->fail(did.cancelled() ? "was cancelled" : "ended: " + errorMessage(did.error()));
    }
    return did;
}

}  // namespace pareto::jobs
