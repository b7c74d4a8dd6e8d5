#include "engine/jobs/run/rank_team.h"

#include <algorithm>
#include <filesystem>

#include "engine/core/hmac.h"
#include "engine/core/version.h"
#include "engine/dist/rank_environment.h"
#include "engine/dist/sockets.h"
#include "engine/jobs/api/protocol.h"

namespace pareto::jobs {
namespace {

constexpr const char* kLoopback = "127.0.0.1";
constexpr std::size_t kTokenBytes = 32;

/// Of what one rank gives in an exchange.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 32;

/// Whether there is anything that ranks share: training, and rows of tasks.
bool shares(const RunParams& params) {
    const auto& steps = params.recipe.recover;
    return params.task || params.validation || std::any_of(steps.begin(), steps.end(), [](const RecoverSpec& step) {
               return step.method == RecoverMethod::Train;
           });
}

std::string versionOfProgram() { return std::string(programVersion()) + "+" + std::string(programCommit()); }

Error wrong(const std::string& reason) {
    return makeError(ErrorCode::ConfigInvalid, {{"file", "pareto"}, {"field", "ranks"}, {"reason", reason}});
}

/// Who this process is, where somebody else started the ranks of this job.
Result<std::optional<dist::RankEnvironment>> environmentFor(const RunParams& params) {
    PARETO_TRY(auto found, dist::rankEnvironment());
    if (found && found->size > 1 && params.ranks > 1 && params.ranks != found->size) {
        return wrong("is " + std::to_string(params.ranks) + ", but WORLD_SIZE says that " + std::to_string(found->size) +
                     " were started; leave one of them out");
    }
    return found && found->size > 1 && shares(params) ? std::move(found) : std::optional<dist::RankEnvironment>();
}

/// The same job as a rank of it does it: it measures and writes nothing.
std::string followerLine(const RunParams& params) {
    RunParams theirs = params;
    theirs.exportTo.clear();
    return startLine({"rank", kJobRun, toJson(theirs)});
}

}  // namespace

Result<bool> RankTeam::follows(const RunParams& params) {
    PARETO_TRY(const auto found, environmentFor(params));
    return found && found->rank > 0;
}

Result<std::unique_ptr<RankTeam>> RankTeam::gather(const RunParams& params, std::stop_token stop) {
    PARETO_TRY(const auto started, environmentFor(params));
    if (!started && params.ranks <= 1) {
        return std::unique_ptr<RankTeam>();
    }
    if (!shares(params)) {
        return wrong("is " + std::to_string(params.ranks) + ", but nothing is trained and no task is measured: only these "
                     "are shared");
    }
    std::unique_ptr<RankTeam> out(new RankTeam());
    if (!started) {
        PARETO_CHECK(out->startHere(params, std::move(stop)));
        return out;
    }
    dist::GroupOptions options;
    options.rank = started->rank;
    options.size = started->size;
    options.address = started->address;
    options.port = started->port;
    options.listen = started->listen;
    options.token = started->token;
    options.storeStands = started->storeStands;
    options.round = started->round;
    out->m_here = std::max(1, started->localSize);
    out->bind(started->localRank, started->localSize);
    PARETO_CHECK(out->join(options, std::move(stop)));
    return out;
}

Status RankTeam::startHere(const RunParams& params, std::stop_token stop) {
    std::error_code problem;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", problem);
    PARETO_TRY(const auto listening, dist::listenAt(kLoopback, 0));
    dist::GroupOptions options;
    options.size = params.ranks;
    options.address = kLoopback;
    options.port = listening.port;
    options.socket = listening.socket;
    options.token = randomHex(kTokenBytes);
    dist::LocalRanksOptions local;
    local.size = params.ranks;
    local.command = {program.string(), "worker", "--die-with-parent"};
    local.line = followerLine(params);
    local.port = listening.port;
    local.token = options.token;
    m_here = params.ranks;
    // Before this process keeps to its own part.
    PARETO_TRY(m_local, dist::startLocalRanks(
                            local, {[this](int rank, const std::string& line) { hear(rank, line); },
                                    [this](int rank, const std::string& how) { lost(rank, how); }}));
    bind(0, params.ranks);
    return join(options, std::move(stop));
}

Status RankTeam::join(const dist::GroupOptions& given, std::stop_token stop) {
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

RankTeam::~RankTeam() {
    std::unique_ptr<dist::Group> group;
    {
        const std::lock_guard lock(m_mutex);
        group = std::move(m_group);
    }
    group.reset();
    m_local.reset();
    dist::bindTo(m_cores);
}

void RankTeam::bind(int localRank, int localSize) {
    if (localSize > 0) {
        m_cores = dist::usableCoreNumbers();
        dist::bindTo(dist::coresOfRank(m_cores, localRank, localSize));
    }
}

void RankTeam::hear(int rank, const std::string& line) {
    const auto message = parseMessage(line);
    if (message.ok() && message->type == MessageType::Error) {
        lost(rank, "ended: " + errorMessage(message->error));
    }
}

void RankTeam::lost(int rank, const std::string& how) {
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

int RankTeam::rank() const { return m_group->rank(); }
int RankTeam::size() const { return m_group->size(); }
std::string RankTeam::hostOf(int rank) const { return m_group->hostOf(rank); }

Status RankTeam::allReduceSum(std::span<float> values, std::stop_token stop) {
    return m_group->allReduceSum(values, std::move(stop));
}

Status RankTeam::broadcast(std::span<std::byte> bytes, std::stop_token stop) {
    return m_group->broadcast(bytes, 0, std::move(stop));
}

Result<std::vector<std::string>> RankTeam::exchange(const std::string& own, std::stop_token stop) {
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

Error RankTeam::unfit(int rank, const std::string& reason) const {
    return makeError(ErrorCode::RankUnfit,
                     {{"rank", std::to_string(rank)}, {"host", hostOf(rank)}, {"reason", reason}});
}

Status RankTeam::disband(const Status& did, std::stop_token stop) {
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
