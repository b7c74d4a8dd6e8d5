#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"

namespace pareto::project {

/// Which pairs are worth looking at; asked before they are compared.
using PairFilter = std::function<bool(std::size_t a, std::size_t b)>;
/// A pair that was found, with its Jaccard similarity.
using PairFound = std::function<void(std::size_t a, std::size_t b, double similarity)>;

/// Every pair of sets (each ascending, distinct) whose Jaccard similarity |A ∩ B| / |A ∪ B| is `threshold`
/// (above 0) or more, exactly: an inverted index over the rarest members only, since two such sets share
/// one of their rarest (prefix filtering; Chaudhuri et al. 2006, Bayardo et al. 2007). Progress counts sets.
Status findNearCopies(const std::vector<std::vector<std::uint64_t>>& sets, double threshold,
                      const PairFilter& wanted, const PairFound& found, Progress& progress,
                      std::stop_token stop);

/// Sets that grow together (union by size, paths halved).
class Groups {
public:
    explicit Groups(std::size_t count);
    std::size_t of(std::size_t item);
    bool same(std::size_t a, std::size_t b) { return of(a) == of(b); }
    void join(std::size_t a, std::size_t b);
    std::size_t sizeOf(std::size_t item) { return m_sizes[of(item)]; }

private:
    std::vector<std::size_t> m_parents;
    std::vector<std::size_t> m_sizes;
};

}  // namespace pareto::project
