#include "app/studio/data/item_pairs.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/records/metrics.h"

namespace pareto::studio {

namespace {

std::vector<std::size_t> byItem(const std::vector<ItemResult>& items) {
    std::vector<std::size_t> order(items.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
        return items[left].item < items[right].item;
    });
    return order;
}

void count(ItemComparison& out) {
    const auto isRight = [](double score) { return score == 1.0; };
    out.rightWrong = !out.pairs.empty() &&
                     std::all_of(out.pairs.begin(), out.pairs.end(), [](const ItemPair& pair) {
                         return (pair.scoreA == 0.0 || pair.scoreA == 1.0) &&
                                (pair.scoreB == 0.0 || pair.scoreB == 1.0);
                     });
    for (const auto& pair : out.pairs) {
        out.changed += pair.changed ? 1 : 0;
        const bool a = isRight(pair.scoreA);
        const bool b = isRight(pair.scoreB);
        (a && b ? out.bothRight : a ? out.onlyA : b ? out.onlyB : out.bothWrong) += 1;
    }
    if (out.rightWrong) {
        out.p = stats::mcnemar(out.onlyA, out.onlyB);
        return;
    }
    std::vector<double> a;
    std::vector<double> b;
    for (const auto& pair : out.pairs) {
        if (std::isfinite(pair.scoreA) && std::isfinite(pair.scoreB)) {
            a.push_back(pair.scoreA);
            b.push_back(pair.scoreB);
        }
    }
    out.difference = stats::pairedDifference(a, b);
}

}  // namespace

ItemComparison compareItems(const RunRecord& a, const RunRecord& b) {
    ItemComparison out;
    const auto* metric = findMetric(a.headlineKey);
    out.lowerIsBetter = metric != nullptr && metric->better == Better::Lower;
    const auto orderA = byItem(a.items);
    const auto orderB = byItem(b.items);
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < orderA.size() && j < orderB.size()) {
        const auto& left = a.items[orderA[i]];
        const auto& right = b.items[orderB[j]];
        if (left.item != right.item) {
            ++out.unpaired;
            ++(left.item < right.item ? i : j);
            continue;
        }
        ItemPair pair{left.item, orderA[i++], orderB[j++], left.score, right.score, 0.0, false};
        pair.worse = (out.lowerIsBetter ? 1.0 : -1.0) * (pair.scoreB - pair.scoreA);
        pair.changed = pair.scoreA != pair.scoreB || left.predicted != right.predicted ||
                       left.answer != right.answer;
        out.pairs.push_back(pair);
    }
    out.unpaired += static_cast<std::int64_t>(orderA.size() - i + orderB.size() - j);
    // Not a number counts as no difference: an order needs one.
    const auto worse = [](const ItemPair& pair) { return std::isnan(pair.worse) ? 0.0 : pair.worse; };
    std::stable_sort(out.pairs.begin(), out.pairs.end(),
                     [&](const ItemPair& left, const ItemPair& right) {
                         return worse(left) > worse(right);
                     });
    count(out);
    return out;
}

}  // namespace pareto::studio
