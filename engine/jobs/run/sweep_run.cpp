#include "engine/jobs/run/sweep_run.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <set>

#include "engine/dist/children.h"
#include "engine/dist/rank_environment.h"
#include "engine/jobs/api/protocol.h"
#include "engine/jobs/run/run_job.h"

namespace pareto::jobs {
namespace {

namespace fs = std::filesystem;

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{500};

/// The runs of one call of runSweep.
class Workers {
public:
    Workers(const Sweep& sweep, const SweepListener& listener)
        : m_sweep(sweep),
          m_listener(listener),
          m_children({[this](int child, const std::string& line) { push({child, line, {}}); },
                      [this](int child, const std::string& how) { push({child, {}, how}); }}) {}

    Status run(int workers, std::stop_token stop) {
        const auto cores = dist::usableCoreNumbers();
        for (int i = 0; i < workers; ++i) {
            m_workers.push_back({workers > 1 ? dist::coresOfRank(cores, i, workers) : cores, -1, std::nullopt, {}, 0});
        }
        while (!stop.stop_requested() && !isAskedToEnd(m_sweep)) {
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

    bool isDone() const {
        const bool works = std::any_of(m_workers.begin(), m_workers.end(), [](const Worker& worker) { return worker.claim.has_value(); });
        return !works && m_known.size() == m_sweep.runs().size();
    }

    /// Gives every idle worker a run. Where there was none, it is a while until the folder is looked at again.
    Status assign() {
        const bool idle = std::any_of(m_workers.begin(), m_workers.end(), [](const Worker& worker) { return !worker.claim; });
        if (!idle || Clock::now() < m_lookAgain) {
            return Done{};
        }
        for (auto& worker : m_workers) {
            for (std::size_t run = 0; !worker.claim && run < m_sweep.runs().size(); ++run) {
                if (m_known.contains(run)) {
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
            auto started = m_children.start({{program.string(), "worker", "--die-with-parent"}, {}});
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
            found->child = -1;
            if (found->claim && m_listener.died) {
                m_listener.died(found->claim->run(), event.ended);
            }
            found->claim.reset();
            return Done{};
        }
        const auto message = parseMessage(event.line);
        return message.ok() && found->claim ? hear(*found, message.value()) : Status(Done{});
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
        note(run, record);
        return Done{};
    }

    void note(std::size_t run, const RunRecord& record) {
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
    std::set<std::size_t> m_known;  ///< runs with an outcome
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
    return Workers(sweep, listener).run(workers, std::move(stop));
}

}  // namespace pareto::jobs
