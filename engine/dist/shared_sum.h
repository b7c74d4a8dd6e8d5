#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace pareto::dist {

/// Sums among ranks of one machine through POSIX shared memory: each puts its values into a place of its own, adds up its
/// part of everybody's, and takes the whole. The same bits everywhere, in the order of ranks.
class SharedSum {
public:
    /// Rank 0 makes the memory, before others open it by its name. Nothing where the system has none to give.
    static std::unique_ptr<SharedSum> make(const std::string& name, int size, std::uint64_t nonce);
    /// Nothing where there is no such memory, or another with that name (whose nonce differs), as on another machine.
    static std::unique_ptr<SharedSum> open(const std::string& name, int rank, int size, std::uint64_t nonce);
    ~SharedSum();
    SharedSum(const SharedSum&) = delete;
    SharedSum& operator=(const SharedSum&) = delete;

    /// When all have opened it: it goes with the last of them.
    void unlink();
    /// Whether the process of each rank can be seen from this one (behind a meeting of all).
    bool seesAll() const;

    /// `mayWait`: looked at ten times a second while others are waited for; false ends the call. False where that was so.
    bool sum(std::span<float> values, const std::function<bool()>& mayWait);
    /// A rank whose process is no more.
    std::optional<int> dead() const;

private:
    struct Memory;
    SharedSum() = default;
    bool meet(const std::function<bool()>& mayWait);
    std::span<float> slot(std::size_t bank, int rank) const;

    Memory* m_memory = nullptr;
    std::size_t m_bytes = 0;
    std::size_t m_piece = 0;  ///< values of a slot
    std::size_t m_bank = 0;   ///< which of the two is used next
    std::string m_name;
    int m_rank = 0;
    int m_size = 1;
};

}  // namespace pareto::dist
