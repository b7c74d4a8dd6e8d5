#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/result.h"

namespace pareto::dist {

struct GroupOptions {
    int rank = 0;
    int size = 1;
    std::string address = "127.0.0.1";  ///< where rank 0 listens
    std::uint16_t port = 0;
    /// Rank 0: a socket that listens there already, which becomes the group's (−1: it makes one).
    int socket = -1;
    /// The address of this machine that other ranks' data comes to; empty: loopback where `address` is, else the
    /// one from which `address` is reached.
    std::string listen;
    std::string token;    ///< a secret that all ranks were given
    std::string version;  ///< of the program: all must be the same
    /// Until all ranks have come; and how long one may be silent before it counts as stopped.
    std::chrono::milliseconds timeout{60000};
    /// Somebody else (torchrun) keeps a store at `address` and `port`: rank 0 joins it as the others do.
    bool storeStands = false;
    std::string round;  ///< its name for this start of the ranks, which what an earlier one left is told apart by
    bool sharedMemory = true;  ///< what is exchanged goes through memory where all ranks are on one machine
};

/// Some ranks of a group, or all, that compute together: libtorch's c10d with Gloo, and memory that they share where they
/// are on one machine. All of them call the same functions in the same order with spans of the same length; a call returns
/// when this rank has its result, however long others take as long as they live. Calls come from one thread at a time.
/// Errors are the group's. Not longer there than the group.
class Circle {
public:
    ~Circle();
    Circle(const Circle&) = delete;
    Circle& operator=(const Circle&) = delete;

    int rank() const;  ///< in the circle
    int size() const;
    /// Whether it goes through memory that the ranks share (shared_memory.h), not through Gloo.
    bool sharesMemory() const;
    /// Every rank gets the sum (the largest) of all ranks' values, the same bits everywhere.
    Status allReduceSum(std::span<float> values, std::stop_token stop);
    Status allReduceMax(std::span<float> values, std::stop_token stop);
    /// Every rank gets `root`'s bytes.
    Status broadcast(std::span<std::byte> bytes, int root, std::stop_token stop);
    /// Every rank gets all ranks' values one behind the other, counts[i] of rank i.
    Status allGather(std::span<const float> own, std::span<const std::size_t> counts, std::span<float> all,
                     std::stop_token stop);
    Status barrier(std::stop_token stop);
    /// Done where all live; the group's error; Cancelled. What waits for these ranks in another way looks here now and then.
    Status look(const std::stop_token& stop);
    /// Seconds that this rank has waited for others where it goes through memory; what Gloo waits for is not known apart.
    double waited() const;

private:
    friend class Group;
    struct State;
    explicit Circle(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

/// Processes that compute together, as one circle and as smaller ones.
///
/// What goes wrong with one rank ends the group: every call from then on, on every rank, answers the same RankLost
/// that names rank and host. A rank that was killed is noticed within 10 s, one that was stopped within the timeout,
/// and also while this rank waits for nothing (lost() says so).
class Group {
public:
    /// Waits for all ranks. A rank comes in only with the token (each side proves that it knows it, HMAC-SHA-256 over
    /// random numbers of both) and the same version and size. ConfigInvalid (a port in use, an address that cannot be reached,
    /// ranks that do not come, one that was refused); Cancelled.
    static Result<std::unique_ptr<Group>> join(const GroupOptions& options, std::stop_token stop);
    /// Where leave() did not come before, the others are told that this rank ended.
    ~Group();
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;

    int rank() const;
    int size() const;
    const std::string& hostOf(int rank) const;

    /// Of all ranks; see Circle.
    bool sharesMemory() const { return all().sharesMemory(); }
    Status allReduceSum(std::span<float> values, std::stop_token stop) { return all().allReduceSum(values, std::move(stop)); }
    Status broadcast(std::span<std::byte> bytes, int root, std::stop_token stop) {
        return all().broadcast(bytes, root, std::move(stop));
    }
    Status barrier(std::stop_token stop) { return all().barrier(std::move(stop)); }
    Circle& all() const;
    /// Of these ranks, in that order, of which this one is one; each of them makes it once, and all in the same order where
    /// they make several.
    Result<std::unique_ptr<Circle>> circle(const std::vector<int>& ranks, std::stop_token stop);

    /// Something else that connects this rank to others broke: waits until it is known which rank that was about, and says it.
    Error broke(const std::string& reason);
    /// Why the group ended, from any thread.
    std::optional<Error> lost() const;
    /// Ends the group for all because of a rank: "rank 2 on host <reason>". From any thread; the first word stands.
    void blame(int rank, const std::string& reason);
    /// This rank ends early and says why.
    void fail(const std::string& reason) { blame(rank(), reason); }
    /// All ranks, when nothing more is to be done together: nobody is missed from then on.
    Status leave(std::stop_token stop);

private:
    friend class Circle;
    struct State;
    explicit Group(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

}  // namespace pareto::dist
