#include "engine/project/near_copies.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

namespace pareto::project {
namespace {

using Set = std::vector<std::uint64_t>;

std::size_t shared(const Set& a, const Set& b) {
    std::size_t count = 0;
    for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
        if (a[i] == b[j]) {
            ++count;
            ++i;
            ++j;
        } else {
            (a[i] < b[j] ? i : j) += 1;
        }
    }
    return count;
}

/// ⌈threshold · size⌉, safe against the last bit of the product.
std::size_t needed(double threshold, std::size_t size) {
    return static_cast<std::size_t>(std::ceil(threshold * static_cast<double>(size) - 1e-9));
}

}  // namespace

Status findNearCopies(const std::vector<Set>& sets, double threshold, const PairFilter& wanted,
                      const PairFound& found, Progress& progress, std::stop_token stop) {
    std::unordered_map<std::uint64_t, std::uint32_t> frequency;
    for (const auto& set : sets) {
        for (const auto member : set) {
            ++frequency[member];
        }
    }
    std::vector<std::size_t> order(sets.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return sets[a].size() < sets[b].size(); });
    std::unordered_map<std::uint64_t, std::vector<std::size_t>> index;
    std::vector<std::size_t> lastAsked(sets.size(), sets.size());
    progress.begin(Stage::Counting, static_cast<std::int64_t>(sets.size()), Unit::Samples);
    for (const auto at : order) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        progress.advance();
        const Set& set = sets[at];
        if (set.empty()) {
            continue;
        }
        Set prefix = set;
        std::sort(prefix.begin(), prefix.end(), [&](std::uint64_t a, std::uint64_t b) {
            return std::pair(frequency[a], a) < std::pair(frequency[b], b);
        });
        prefix.resize(set.size() - needed(threshold, set.size()) + 1);
        for (const auto member : prefix) {
            auto& holders = index[member];
            for (const auto other : holders) {
                if (lastAsked[other] == at || sets[other].size() < needed(threshold, set.size())) {
                    continue;
                }
                lastAsked[other] = at;
                if (!wanted(std::min(at, other), std::max(at, other))) {
                    continue;
                }
                const auto both = shared(set, sets[other]);
                const auto any = set.size() + sets[other].size() - both;
                const double similarity = static_cast<double>(both) / static_cast<double>(any);
                if (similarity >= threshold) {
                    found(std::min(at, other), std::max(at, other), similarity);
                }
            }
            holders.push_back(at);
        }
    }
    return Done{};
}

Groups::Groups(std::size_t count) : m_parents(count), m_sizes(count, 1) {
    std::iota(m_parents.begin(), m_parents.end(), std::size_t{0});
}

std::size_t Groups::of(std::size_t item) {
    while (m_parents[item] != item) {
        m_parents[item] = m_parents[m_parents[item]];
        item = m_parents[item];
    }
    return item;
}

void Groups::join(std::size_t a, std::size_t b) {
    a = of(a);
    b = of(b);
    if (a == b) {
        return;
    }
    if (m_sizes[a] < m_sizes[b]) {
        std::swap(a, b);
    }
    m_parents[b] = a;
    m_sizes[a] += m_sizes[b];
}

}  // namespace pareto::project
