#include "engine/dist/watch.h"

#include <charconv>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/core/json.h"
#include "engine/dist/roll_call.h"

namespace pareto::dist {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBeat{500};
/// A rank that says nothing for so long, when connections broke, is the one that was killed.
constexpr std::chrono::milliseconds kKilled{3000};
/// What is waited for until rank 0 says who it was.
constexpr std::chrono::milliseconds kVerdict{8000};
constexpr std::chrono::milliseconds kLastWords{2000};
constexpr std::size_t kMostReason = 2000;

enum class Mode { Here, Broken, Failed, Left };

/// "<beats> <mode> <reason>"
std::string slotText(std::int64_t beats, Mode mode, const std::string& reason) {
    return std::to_string(beats) + " " + std::to_string(static_cast<int>(mode)) + " " + reason.substr(0, kMostReason);
}

struct Slot {
    Mode mode = Mode::Here;
    std::string reason;
};

Slot slotOf(const std::string& text) {
    const auto first = text.find(' ');
    Slot out;
    if (first == std::string::npos || first + 2 > text.size() || text[first + 1] < '0' || text[first + 1] > '3') {
        return out;
    }
    out.mode = static_cast<Mode>(text[first + 1] - '0');
    out.reason = text.size() > first + 3 ? text.substr(first + 3, kMostReason) : std::string();
    return out;
}

}  // namespace

struct Watch::State {
    WatchOptions options;
    std::shared_ptr<KeyStore> store;
    std::function<void()> onEnd;

    mutable std::mutex mutex;
    std::condition_variable_any changed;
    std::optional<Error> fault;
    int faultRank = -1;
    std::string faultReason;
    Mode mode = Mode::Here;
    std::string reason;       ///< of the mode
    bool poked = false;       ///< the thread has something to say at once
    bool ending = false;
    bool threadEnded = false;
    std::int64_t rounds = 0;  ///< that the thread has been through
    Clock::time_point firstSeen = Clock::now();  ///< rank 0's last sign of life
    bool allLeft = false;

    // Of the thread alone.
    struct Seen {
        std::string text;
        Clock::time_point at = Clock::now();
    };
    std::vector<Seen> seen;
    std::optional<Clock::time_point> brokenAt;
    int brokenRank = 0;
    std::string brokenReason;

    int size() const { return static_cast<int>(options.hosts.size()); }
    bool isFirst() const { return options.rank == 0; }

    /// Under the lock. True where this is the first word.
    bool end(int rank, const std::string& why) {
        if (fault) {
            return false;
        }
        faultRank = rank;
        faultReason = why;
        fault = makeError(ErrorCode::RankLost, {{"rank", std::to_string(rank)},
                                                {"host", options.hosts[static_cast<std::size_t>(rank)]},
                                                {"reason", why}});
        if (!isFirst() && mode != Mode::Failed) {
            mode = Mode::Left;  // rank 0 need not wait for this one
        }
        poked = true;
        return true;
    }

    void ended(int rank, const std::string& why) {
        std::function<void()> tell;
        {
            const std::lock_guard lock(mutex);
            if (end(rank, why)) {
                tell = onEnd;
            }
        }
        changed.notify_all();
        if (tell) {
            tell();
        }
    }

    static std::string silence(std::chrono::milliseconds time) {
        return "has not answered for " + std::to_string(time.count() / 1000) +
               " s (it is stopped, or its machine or the network is)";
    }

    void loop() {
        for (std::int64_t beats = 1;; ++beats) {
            std::string slot;
            std::string verdict;
            bool last = false;
            bool leaves = false;
            {
                std::unique_lock lock(mutex);
                changed.wait_for(lock, kBeat, [&] { return poked || ending; });
                poked = false;
                // Rank 0 closes the store as soon as it knows that all have left.
                leaves = mode == Mode::Left && !isFirst();
                last = ending || leaves;
                slot = slotText(beats, mode, reason);
                if (fault) {
                    verdict = Json{{"rank", faultRank}, {"reason", faultReason.substr(0, kMostReason)}}.dump();
                }
            }
            const Status talked = leaves ? store->set(slotKey(options.session, options.rank), slot) : talk(slot, verdict);
            {
                const std::lock_guard lock(mutex);
                ++rounds;
                threadEnded = last || !talked.ok();
            }
            if (!talked.ok()) {
                // The store is in rank 0's process.
                ended(0, "is gone (its connection was closed)");
            }
            changed.notify_all();
            if (last || !talked.ok()) {
                return;
            }
        }
    }

    Status talk(const std::string& slot, const std::string& verdict) {
        PARETO_CHECK(store->set(slotKey(options.session, options.rank), slot));
        if (!verdict.empty() && isFirst()) {
            PARETO_CHECK(store->set(faultKey(options.session), verdict));
        }
        return isFirst() ? lookAtAll() : lookAtFirst();
    }

    Status lookAtFirst() {
        PARETO_TRY(const auto found, store->values({slotKey(options.session, 0), faultKey(options.session)}));
        {
            const std::lock_guard lock(mutex);
            if (seen.empty() || found[0] != seen[0].text) {
                seen.assign(1, {found[0], Clock::now()});
                firstSeen = Clock::now();
            }
        }
        if (!found[1].empty()) {
            const auto json = parseJson(found[1], "rank 0's words", {.maxDepth = 4, .maxBytes = 2 * kMostReason + 100});
            const bool usable = json.ok() && json.value().is_object() && json.value().value("rank", -1) >= 0 &&
                                json.value().value("rank", -1) < size();
            ended(usable ? json.value()["rank"].get<int>() : 0,
                  usable ? json.value().value("reason", std::string()) : "ended the group");
        }
        return Done{};
    }

    Status lookAtAll() {
        std::vector<std::string> keys;
        for (int rank = 1; rank < size(); ++rank) {
            keys.push_back(slotKey(options.session, rank));
        }
        PARETO_TRY(const auto found, store->values(keys));
        seen.resize(found.size());
        bool everybodyLeft = true;
        int culprit = -1;
        {
            const std::lock_guard lock(mutex);
            culprit = faultRank;
            if (mode == Mode::Broken) {
                noteBroken(0, reason);
            }
        }
        for (std::size_t i = 0; i < found.size(); ++i) {
            const int rank = static_cast<int>(i) + 1;
            if (found[i] != seen[i].text) {
                seen[i] = {found[i], Clock::now()};
            }
            const Slot slot = slotOf(found[i]);
            const bool over = slot.mode == Mode::Left || slot.mode == Mode::Failed;
            // One that only lost its connections still listens.
            everybodyLeft = everybodyLeft && (over || (rank == culprit && slot.mode != Mode::Broken));
            if (slot.mode == Mode::Failed) {
                ended(rank, slot.reason);
            } else if (slot.mode == Mode::Broken) {
                noteBroken(rank, slot.reason);
            } else if (const auto silent = Clock::now() - seen[i].at; !over && silent > patience()) {
                ended(rank, brokenAt ? "is gone (it was killed, or its machine or the network went down)"
                                     : silence(options.timeout));
            }
        }
        if (brokenAt && Clock::now() - *brokenAt > kKilled + 2 * kBeat) {
            ended(brokenRank, "lost its connections: " + brokenReason);
        }
        const std::lock_guard lock(mutex);
        allLeft = everybodyLeft;
        return Done{};
    }

    std::chrono::milliseconds patience() const { return brokenAt ? std::min(kKilled, options.timeout) : options.timeout; }

    void noteBroken(int rank, const std::string& why) {
        if (!brokenAt) {
            brokenAt = Clock::now();
            brokenRank = rank;
            brokenReason = why;
        }
    }

    /// Puts this rank into a mode and waits until the store has it, or until that takes too long.
    void say(Mode now, const std::string& why, std::chrono::milliseconds patience) {
        std::unique_lock lock(mutex);
        mode = now;
        reason = why;
        poked = true;
        const std::int64_t before = rounds;
        changed.notify_all();
        // The round that is under way may have taken the old words.
        changed.wait_for(lock, patience, [&] { return threadEnded || rounds >= before + 2 || (rounds > before && !poked); });
    }
};

Watch::Watch(std::shared_ptr<KeyStore> connection, WatchOptions options, std::function<void()> ended)
    : m_state(std::make_shared<State>()) {
    m_state->options = std::move(options);
    m_state->store = std::move(connection);
    m_state->onEnd = std::move(ended);
    std::thread([state = m_state] { state->loop(); }).detach();
}

Watch::~Watch() {
    auto& state = *m_state;
    std::unique_lock lock(state.mutex);
    if (state.isFirst() && state.fault) {
        state.changed.wait_for(lock, kLastWords, [&] { return state.threadEnded || state.allLeft; });
    }
    state.ending = true;
    state.changed.notify_all();
    // A thread that waits for a stopped rank 0 keeps what it needs and ends with the process.
    state.changed.wait_for(lock, kLastWords, [&] { return state.threadEnded; });
    state.onEnd = {};
}

const WatchOptions& Watch::options() const { return m_state->options; }

std::optional<Error> Watch::lost() const {
    const std::lock_guard lock(m_state->mutex);
    return m_state->fault;
}

std::function<void()> Watch::waker() const {
    return [state = m_state] {
        const std::lock_guard lock(state->mutex);
        state->changed.notify_all();
    };
}

Status Watch::look(const std::stop_token& stop) {
    auto& state = *m_state;
    if (stop.stop_requested()) {
        return Cancelled{};
    }
    std::unique_lock lock(state.mutex);
    if (!state.fault && !state.isFirst() && Clock::now() - state.firstSeen > state.options.timeout) {
        lock.unlock();
        state.ended(0, State::silence(state.options.timeout));
        lock.lock();
    }
    return state.fault ? Status(*state.fault) : Status(Done{});
}

Status Watch::waitUntil(const std::function<bool()>& done, std::stop_token stop) {
    auto& state = *m_state;
    std::unique_lock lock(state.mutex);
    const auto over = [&] { return done() || state.fault.has_value(); };
    while (!state.changed.wait_for(lock, stop, kBeat, over)) {
        lock.unlock();
        if (look(stop).cancelled()) {
            return Cancelled{};
        }
        lock.lock();
    }
    // What came in time counts, whatever happened to others since.
    return done() ? Status(Done{}) : Status(*state.fault);
}

Error Watch::broke(const std::string& reason) {
    auto& state = *m_state;
    std::unique_lock lock(state.mutex);
    if (!state.fault) {
        state.mode = Mode::Broken;
        state.reason = reason;
        state.poked = true;
        state.changed.notify_all();
        state.changed.wait_for(lock, kVerdict, [&] { return state.fault.has_value(); });
    }
    if (!state.fault) {
        state.end(state.options.rank, "lost its connections: " + reason);
    }
    return *state.fault;
}

void Watch::blame(int rank, const std::string& reason) {
    if (rank == m_state->options.rank && !m_state->isFirst()) {
        m_state->say(Mode::Failed, reason, kLastWords);
    }
    m_state->ended(rank, reason);
}

Status Watch::leave(std::stop_token stop) {
    m_state->say(Mode::Left, {}, kLastWords);
    return m_state->isFirst() ? waitUntil([this] { return m_state->allLeft; }, std::move(stop)) : Status(Done{});
}

}  // namespace pareto::dist
