#include "engine/jobs/run/sweep_run.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <set>

#include "engine/core/ssh.h"
#include "engine/dist/children.h"
#include "engine/dist/rank_environment.h"
#include "engine/jobs/api/protocol.h"
#include "engine/jobs/run/run_job.h"

namespace pareto::jobs {
namespace {

namespace fs = std::filesystem;

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{500};
constexpr std::chrono::seconds kConnectAgain{5};
constexpr int kMostLosses = 3;  ///< of a host without a finished run in between

/// The runs of one call of runSweep.
class Workers {
public:
    Workers(const Sweep& sweep, const SweepListener& listener)
        : m_sweep(sweep),
          m_listener(listener),
          m_children({[this](int child, const std::string& line) { push({child, line, {}}); },
                      [this](int child, const std::string& how) { push({child, {}, how}); }}) {}

    Status run(int workers, const std::vector<SshHost>& hosts, std::stop_token stop) {
        const auto cores = dist::usableCoreNumbers();
        PARETO_CHECK(haveRoom(workers, static_cast<int>(cores.size())));
        for (int i = 0; i < workers; ++i) {
            m_workers.emplace_back().cores = workers > 1 ? dist::coresOfRank(cores, i, workers) : cores;
        }
        for (const auto& host : hosts) {
            m_workers.emplace_back().host = host;
        }
        while (!stop.stop_requested() && !isAskedToEnd(m_sweep)) {
            PARETO_CHECK(connect());
            PARETO_CHECK(assign());
            if (isDone()) {
                return Done{};
            }
            if (const auto event = next(stop)) {
                PARETO_CHECK(take(*event));
            }
        }
        return Cancelled{};
    }

private:
    struct Event {
        int child = -1;
        std::string line;
        std::string ended;
    };
    struct Worker {
        std::vector<int> cores;
        std::optional<SshHost> host;  ///< nothing: this machine
        bool ready = false;                  ///< of a host: it has greeted
        bool given = false;                  ///< of a host: it is given up
        int losses = 0;
        Clock::time_point connectAt;
        int child = -1;                      ///< its process
        std::optional<Sweep::Claim> claim;   ///< what it works on
        std::string chunks;                  ///< of the result that is coming
        int chunkCount = 0;
    };

    void push(Event event) {
        const std::lock_guard lock(m_mutex);
        m_events.push_back(std::move(event));
        m_changed.notify_all();
    }

    std::optional<Event> next(const std::stop_token& stop) {
        std::unique_lock lock(m_mutex);
        m_changed.wait_for(lock, stop, kLook, [&] { return !m_events.empty(); });
        if (m_events.empty()) {
            return std::nullopt;
        }
        auto event = std::move(m_events.front());
        m_events.pop_front();
        return event;
    }

    bool isDone() {
        for (const auto run : std::vector<std::size_t>(m_failed.begin(), m_failed.end())) {
            (void)isKnown(run);  // one that was made to wait again since it was last looked at
        }
        const bool works = std::any_of(m_workers.begin(), m_workers.end(), [](const Worker& worker) { return worker.claim.has_value(); });
        return !works && m_known.size() == m_sweep.runs().size();
    }

    /// Before all runs fail one by one. TargetInvalid.
    Status haveRoom(int workers, int cores) const {
        const int each = workers > 0 ? std::max(1, cores / workers) : 0;
        for (std::size_t run = 0; workers > 1 && run < m_sweep.runs().size(); ++run) {
            const int threads = m_sweep.runs()[run].target.threads;
            if (threads > each && !m_sweep.outcomeTime(run)) {
                return makeError(ErrorCode::TargetInvalid,
                                 {{"field", "threads"},
                                  {"reason", "is " + std::to_string(threads) + " in run " + std::to_string(run) + "; each of " +
                                                 std::to_string(workers) + " processes has " + std::to_string(each) + " of " +
                                                 std::to_string(cores) + " cores"}});
            }
        }
        return Done{};
    }

    /// Starts the workers of hosts that have none.
    Status connect() {
        bool any = false;
        for (auto& worker : m_workers) {
            any = any || !worker.given;
            if (worker.host && !worker.given && worker.child < 0 && Clock::now() >= worker.connectAt) {
                PARETO_TRY(worker.child, m_children.start({sshCommand(*worker.host, "worker --die-with-parent"), {}}));
            }
        }
        return any ? Status(Done{})
                   : Status(makeError(ErrorCode::WorkerUnavailable,
                                      {{"program", "pareto on " + m_workers.back().host->name}, {"reason", m_lastLoss}}));
    }

    void giveUp(Worker& worker, const std::string& how) {
        worker.given = true;
        worker.ready = false;
        m_lastLoss = "it " + how;
        if (m_listener.lost) {
            m_listener.lost(worker.host->name, how);
        }
    }

    static bool isIdle(const Worker& worker) { return !worker.claim && (!worker.host || worker.ready); }

    /// Whether nothing more is to be done for a run. A failed one may be made to wait again, by whomever.
    bool isKnown(std::size_t run) {
        if (m_failed.contains(run) && !m_sweep.outcomeTime(run)) {
            m_failed.erase(run);
            m_known.erase(run);
        }
        return m_known.contains(run);
    }

    /// Gives every idle worker a run. Where there was none, it is a while until the folder is looked at again.
    Status assign() {
        const bool idle = std::any_of(m_workers.begin(), m_workers.end(), isIdle);
        if (!idle || Clock::now() < m_lookAgain) {
            return Done{};
        }
        for (auto& worker : m_workers) {
            if (!isIdle(worker)) {
                continue;
            }
            for (std::size_t run = 0; !worker.claim && run < m_sweep.runs().size(); ++run) {
                if (isKnown(run)) {
                    continue;
                }
                PARETO_TRY(auto claim, m_sweep.claim(run));
                if (claim) {
                    PARETO_CHECK(begin(worker, std::move(*claim)));
                    continue;
                }
                PARETO_TRY(const auto outcome, m_sweep.outcomeOf(run));
                if (outcome) {
                    note(run, *outcome);
                }
            }
            if (!worker.claim) {
                m_lookAgain = Clock::now() + kLook;
                break;
            }
        }
        return Done{};
    }

    Status begin(Worker& worker, Sweep::Claim claim) {
        if (worker.child < 0) {
            std::error_code problem;
            const auto program = fs::read_symlink("/proc/self/exe", problem);
            // Children have the cores of the thread that starts them.
            const auto before = dist::usableCoreNumbers();
            dist::bindThread(worker.cores);
            auto started = m_children.start({{program.string(), "worker", "--die-with-parent"}, {{dist::kHostsVariable, ""}}});
            dist::bindThread(before);
            PARETO_TRY(worker.child, std::move(started));
        }
        const auto run = claim.run();
        worker.claim.emplace(std::move(claim));
        worker.chunks.clear();
        worker.chunkCount = 0;
        if (m_listener.begun) {
            m_listener.begun(run);
        }
        // One that is gone is heard of.
        m_children.write(worker.child, startLine({std::to_string(run), kJobRun, toJson(m_sweep.runs()[run])}));
        return Done{};
    }

    Status take(const Event& event) {
        const auto found = std::find_if(m_workers.begin(), m_workers.end(),
                                        [&](const Worker& worker) { return worker.child == event.child; });
        if (found == m_workers.end()) {
            return Done{};
        }
        if (!event.ended.empty()) {
            lose(*found, event.ended);
            return Done{};
        }
        const auto message = parseMessage(event.line);
        if (message.ok() && message->type == MessageType::Hello && found->host) {
            greet(*found, message->hello);
            return Done{};
        }
        return message.ok() && found->claim ? hear(*found, message.value()) : Status(Done{});
    }

    /// The worker's process is gone, and with it the run that it worked on.
    void lose(Worker& worker, const std::string& how) {
        worker.child = -1;
        if (worker.claim && m_listener.died) {
            m_listener.died(worker.claim->run(), (worker.host ? "on " + worker.host->name + " " : "") + how);
        }
        worker.claim.reset();
        if (!worker.host || worker.given) {
            return;
        }
        if (!worker.ready || ++worker.losses == kMostLosses) {
            giveUp(worker, how);
        }
        worker.ready = false;
        worker.connectAt = Clock::now() + kConnectAgain;
    }

    void greet(Worker& worker, const HelloMessage& hello) {
        if (hello.magic != kProtocolMagic || hello.protocol != kProtocolVersion) {
            giveUp(worker, "speaks version " + std::to_string(hello.protocol) + " of the protocol, this program " +
                               std::to_string(kProtocolVersion));
            return;
        }
        worker.ready = true;
        m_lookAgain = {};
    }

    Status hear(Worker& worker, const Message& message) {
        const auto run = worker.claim->run();
        const auto& params = m_sweep.runs()[run];
        switch (message.type) {
        case MessageType::Chunk:
            worker.chunks += message.chunk;
            ++worker.chunkCount;
            return Done{};
        case MessageType::Error:
            return end(worker, failedOutcome(params, message.error));
        case MessageType::Result: {
            const auto body = resultBody(message, worker.chunks, worker.chunkCount);
            if (!body.ok()) {
                return end(worker, failedOutcome(params, body.error()));
            }
            const auto record = runRecordFromJson(body.value());
            return end(worker, record.ok() ? record.value() : failedOutcome(params, record.error()));
        }
        default:
            return Done{};
        }
    }

    Status end(Worker& worker, const RunRecord& record) {
        const auto run = worker.claim->run();
        PARETO_CHECK(m_sweep.finish(run, record));
        worker.claim.reset();
        worker.losses = 0;
        note(run, record);
        return Done{};
    }

    void note(std::size_t run, const RunRecord& record) {
        if (record.status != RunStatus::Finished) {
            m_failed.insert(run);
        }
        if (m_known.insert(run).second && m_listener.finished) {
            m_listener.finished(run, record);
        }
    }

    const Sweep& m_sweep;
    const SweepListener& m_listener;
    std::mutex m_mutex;
    std::condition_variable_any m_changed;
    std::deque<Event> m_events;
    std::vector<Worker> m_workers;
    std::set<std::size_t> m_known;   ///< runs with an outcome
    std::set<std::size_t> m_failed;  ///< those of them that failed
    std::string m_lastLoss;
    Clock::time_point m_lookAgain;
    dist::Children m_children;      ///< the last member: its thread uses the others
};

}  // namespace

Result<std::optional<RunRecord>> runSweepItem(ModelCache& cache, const Sweep& sweep, std::size_t run, Progress& progress,
                                              std::stop_token stop) {
    if (run >= sweep.runs().size()) {
        return makeError(ErrorCode::ConfigInvalid,
                         {{"file", sweep.folder()},
                          {"field", "run"},
                          {"reason", "is " + std::to_string(run) + "; the sweep has " + std::to_string(sweep.runs().size()) +
                                         ", counted from 0"}});
    }
    if (isAskedToEnd(sweep)) {
        return Cancelled{};
    }
    PARETO_TRY(const auto claim, sweep.claim(run));
    if (!claim) {
        return std::optional<RunRecord>();
    }
    auto result = runRun(cache, sweep.runs()[run], progress, std::move(stop));
    if (result.cancelled()) {
        return Cancelled{};
    }
    RunRecord record = result.ok() ? std::move(result.value()) : failedOutcome(sweep.runs()[run], result.error());
    PARETO_CHECK(sweep.finish(run, record));
    return std::optional<RunRecord>(std::move(record));
}

Status runSweep(const Sweep& sweep, int workers, const SweepListener& listener, std::stop_token stop) {
    PARETO_TRY(const auto hosts, dist::rankHosts());
    return Workers(sweep, listener).run(hosts.empty() ? std::max(workers, 1) : workers, hosts, std::move(stop));
}

}  // namespace pareto::jobs
