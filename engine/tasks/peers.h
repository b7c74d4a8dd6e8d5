#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/records/run_record.h"

namespace pareto::tasks {

/// Processes that evaluate one task together, each with the whole model: all have the same rows, make the same calls in the
/// same order, and know all results behind each of them. `jobs/run` puts engine/dist behind it.
class Peers {
public:
    virtual ~Peers() = default;
    virtual int rank() const = 0;
    virtual int size() const = 0;
    /// What each of them gives, by rank; the same everywhere.
    virtual Result<std::vector<std::string>> exchange(const std::string& own, std::stop_token stop) = 0;
    /// RankUnfit about what a rank gave.
    virtual Error unfit(int rank, const std::string& reason) const = 0;
};

/// 1 where there are none.
inline std::int64_t sizeOf(const Peers* peers) { return peers != nullptr ? peers->size() : 1; }

/// Results as they travel. Numbers come back as the same bits. False where bytes are no such thing.
std::string packed(const std::vector<float>& values);
std::string packed(const std::vector<std::string>& texts);
std::string packed(const ItemResult& item);
bool unpack(const std::string& bytes, std::vector<float>& values);
bool unpack(const std::string& bytes, std::vector<std::string>& texts);
bool unpack(const std::string& bytes, ItemResult& item);

/// EngineFailure: results of a part are not as many as its rows.
Error unequalParts();

/// All parts' bytes, of which own[i] is part rank + i · size. Parts of others are checked to be as many as they must.
Result<std::vector<std::string>> exchangeParts(Peers& peers, const std::vector<std::string>& own, std::size_t parts,
                                               std::stop_token stop);

/// Work in parts: part i is done by the process i mod size (`one(i)` answers a Result<T>), and every process gets the results
/// of all, in order. Without peers this one does them all.
template <typename T, typename One>
Result<std::vector<T>> together(Peers* peers, std::size_t parts, const One& one, std::stop_token stop) {
    std::vector<T> all(parts);
    std::vector<std::string> own;
    const auto size = static_cast<std::size_t>(sizeOf(peers));
    for (std::size_t i = peers != nullptr ? static_cast<std::size_t>(peers->rank()) : 0; i < parts; i += size) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        PARETO_TRY(all[i], one(i));
        if (peers != nullptr) {
            own.push_back(packed(all[i]));
        }
    }
    if (peers == nullptr) {
        return all;
    }
    PARETO_TRY(const auto bytes, exchangeParts(*peers, own, parts, std::move(stop)));
    for (std::size_t i = 0; i < parts; ++i) {
        const int rank = static_cast<int>(i % size);
        if (rank != peers->rank() && !unpack(bytes[i], all[i])) {
            return peers->unfit(rank, "gave a result that cannot be read");
        }
    }
    return all;
}

}  // namespace pareto::tasks
