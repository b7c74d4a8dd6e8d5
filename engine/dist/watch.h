#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/dist/key_store.h"

namespace pareto::dist {

struct WatchOptions {
    int rank = 0;
    std::string session;
    std::vector<std::string> hosts;  ///< by rank
    std::chrono::milliseconds timeout{60000};
};

/// Knows whether all ranks of a group live. A thread says twice a second in the store that this rank does; rank 0's
/// looks at everybody and says once what ended the group, the others look at rank 0's and at that. While a rank only
/// computes, waits or is paused, it goes on saying so: what is measured is the process, not its progress.
class Watch {
public:
    /// `connection`: used by nobody else, for a rank 0 that is stopped holds it up. `ended`: called once, from any
    /// thread, when the group has ended.
    Watch(std::shared_ptr<KeyStore> connection, WatchOptions options, std::function<void()> ended);
    /// Rank 0 gives the others up to 2 s to hear what ended the group.
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    const WatchOptions& options() const;
    std::optional<Error> lost() const;
    /// Until `done` (looked at when wake() says so); the group's error when it ends before; Cancelled.
    Status waitUntil(const std::function<bool()>& done, std::stop_token stop);
    /// The same without waiting: Done where everybody lives.
    Status look(const std::stop_token& stop);
    /// From any thread, with what it needs: it may outlive the watch.
    std::function<void()> waker() const;

    /// The connections to others broke: waits until it is known which rank that was about, and says it.
    Error broke(const std::string& reason);
    void blame(int rank, const std::string& reason);
    /// This rank is missed no more. Rank 0 waits until all have said so.
    Status leave(std::stop_token stop);

private:
    struct State;
    std::shared_ptr<State> m_state;
};

}  // namespace pareto::dist
