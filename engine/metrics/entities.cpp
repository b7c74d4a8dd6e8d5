#include "engine/metrics/entities.h"

#include <algorithm>
#include <set>

namespace pareto::metrics {
namespace {

struct Tag {
    char kind = 'O';
    std::string type = "_";
};

Tag tagOf(const std::string& text) {
    Tag tag;
    if (text.empty()) {
        return tag;
    }
    tag.kind = text.front();
    auto type = text.substr(1);
    if (const auto dash = type.find('-'); dash != std::string::npos) {
        type.erase(0, dash + 1);
    }
    if (!type.empty()) {
        tag.type = std::move(type);
    }
    return tag;
}

bool isOneOf(char kind, std::string_view kinds) { return kinds.find(kind) != std::string_view::npos; }

bool endsBetween(const Tag& before, const Tag& after) {
    return isOneOf(before.kind, "ES") || (isOneOf(before.kind, "BI") && isOneOf(after.kind, "BSO")) ||
           (!isOneOf(before.kind, "O.") && before.type != after.type);
}

bool beginsBetween(const Tag& before, const Tag& after) {
    return isOneOf(after.kind, "BS") || (isOneOf(before.kind, "ESO") && isOneOf(after.kind, "EI")) ||
           (!isOneOf(after.kind, "O.") && before.type != after.type);
}

double share(std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::vector<Entity> entitiesOf(std::span<const std::string> tags) {
    std::vector<Entity> entities;
    Tag before;
    std::size_t first = 0;
    for (std::size_t i = 0; i <= tags.size(); ++i) {
        Tag tag = i < tags.size() ? tagOf(tags[i]) : Tag{};
        if (endsBetween(before, tag)) {
            entities.push_back({before.type, first, i - 1});
        }
        if (beginsBetween(before, tag)) {
            first = i;
        }
        before = std::move(tag);
    }
    return entities;
}

double EntityCounts::precision() const { return share(hits, predicted); }
double EntityCounts::recall() const { return share(hits, expected); }
double EntityCounts::f1() const {
    const double sum = precision() + recall();
    return sum > 0.0 ? 2.0 * precision() * recall() / sum : 0.0;
}

EntityCounts& EntityCounts::operator+=(const EntityCounts& other) {
    hits += other.hits;
    predicted += other.predicted;
    expected += other.expected;
    return *this;
}

std::array<double, 3> EntityCounts::row() const {
    return {static_cast<double>(hits), static_cast<double>(predicted), static_cast<double>(expected)};
}

EntityCounts EntityCounts::ofRow(std::span<const double> row) {
    return {static_cast<std::int64_t>(row[0]), static_cast<std::int64_t>(row[1]),
            static_cast<std::int64_t>(row[2])};
}

std::map<std::string, EntityCounts> countEntities(std::span<const std::string> expected,
                                                  std::span<const std::string> predicted) {
    std::map<std::string, EntityCounts> counts;
    std::set<Entity> wanted;
    for (auto& entity : entitiesOf(expected)) {
        ++counts[entity.type].expected;
        wanted.insert(std::move(entity));
    }
    for (const auto& entity : entitiesOf(predicted)) {
        auto& count = counts[entity.type];
        ++count.predicted;
        count.hits += wanted.count(entity) > 0 ? 1 : 0;
    }
    return counts;
}

}  // namespace pareto::metrics
