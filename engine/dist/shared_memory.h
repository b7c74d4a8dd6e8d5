#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace pareto::dist {

/// What ranks of one machine do together through POSIX shared memory: each puts its values into a place of its own, and takes
/// what it needs of all. Sums are the same bits everywhere, in the order of ranks.
class SharedMemory {
public:
    /// Rank 0 makes the memory, before others open it by its name. Nothing where the system has none to give.
    /// `values`: of a place of one rank and all others, together; what is longer goes in pieces.
    static std::unique_ptr<SharedMemory> make(const std::string& name, int size, std::uint64_t nonce, std::size_t values);
    /// Nothing where there is no such memory, or another with that name (whose nonce differs), as on another machine.
    static std::unique_ptr<SharedMemory> open(const std::string& name, int rank, int size, std::uint64_t nonce,
                                              std::size_t values);
    ~SharedMemory();
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    /// When all have opened it: it goes with the last of them.
    void unlink();
    /// Whether the process of each rank can be seen from this one (behind a meeting of all).
    bool seesAll() const;

    /// Looked at ten times a second while others are waited for; false ends the call, which answers false then.
    using MayWait = std::function<bool()>;
    bool sum(std::span<float> values, const MayWait& mayWait);
    bool max(std::span<float> values, const MayWait& mayWait);
    /// Everybody gets the root's.
    bool broadcast(std::span<std::byte> bytes, int root, const MayWait& mayWait);
    /// counts[i] values of rank i, one rank behind the other.
    bool gather(std::span<const float> own, std::span<const std::size_t> counts, std::span<float> all, const MayWait& mayWait);
    /// Seconds that this rank has waited for others.
    double waited() const { return m_waited; }
    /// A rank whose process is no more.
    std::optional<int> dead() const;

private:
    struct Memory;
    SharedMemory() = default;
    bool meet(const MayWait& mayWait);
    bool waitForAll(const MayWait& mayWait);
    template <typename Combine>
    bool reduce(std::span<float> values, const MayWait& mayWait, const Combine& combine);
    std::span<float> slot(std::size_t bank, int rank) const;
    std::size_t nextBank();

    Memory* m_memory = nullptr;
    std::size_t m_bytes = 0;
    std::size_t m_piece = 0;  ///< values of a slot
    std::size_t m_bank = 0;   ///< which of the two is used next
    double m_waited = 0.0;
    int m_spins = 0;          ///< looks at the others before this one sleeps
    std::string m_name;
    int m_rank = 0;
    int m_size = 1;
};

}  // namespace pareto::dist
