#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace pareto::metrics {

/// A span of words of one type; both ends belong to it.
struct Entity {
    std::string type;
    std::size_t first = 0;
    std::size_t last = 0;
    auto operator<=>(const Entity&) const = default;
};

/// The entities of one sentence's tags ("B-PER", "I-PER", "E-…", "S-…", "O"; IOB1, IOB2, IOBES alike),
/// as seqeval's default mode and conlleval read them: an I- that continues nothing begins an entity.
/// An empty tag counts as O.
std::vector<Entity> entitiesOf(std::span<const std::string> tags);

/// Counts of entities; an entity is hit when type and both ends agree. Shares of nothing are 0.
struct EntityCounts {
    std::int64_t hits = 0;
    std::int64_t predicted = 0;
    std::int64_t expected = 0;
    double precision() const;
    double recall() const;
    double f1() const;
    EntityCounts& operator+=(const EntityCounts& other);
    /// Hits, predicted, expected: an item's row for bootstraps.
    std::array<double, 3> row() const;
    static EntityCounts ofRow(std::span<const double> row);
};

/// One sentence's counts a type; sum them for the table, over types for the micro average.
std::map<std::string, EntityCounts> countEntities(std::span<const std::string> expected,
                                                  std::span<const std::string> predicted);

}  // namespace pareto::metrics
