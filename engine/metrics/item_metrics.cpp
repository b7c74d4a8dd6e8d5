#include "engine/metrics/item_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "engine/metrics/bleu.h"
#include "engine/metrics/chrf.h"
#include "engine/metrics/classes.h"
#include "engine/metrics/entities.h"
#include "engine/metrics/likelihood.h"

namespace pareto::metrics {
namespace {

using Items = std::vector<const ItemResult*>;
using Row = std::span<const double>;

constexpr double kLevel = 0.05;
constexpr std::size_t kScore = SIZE_MAX;  ///< the score instead of a part
/// Correlations sort every resample.
constexpr int kSortedResamples = 500;
constexpr std::size_t kBleuWidth = std::tuple_size_v<BleuRow>;
constexpr std::size_t kChrfWidth = std::tuple_size_v<ChrfRow>;

enum class Form {
    Share,    ///< mean of ones and zeros
    Mean,
    Sums,     ///< a function of the sum of parts
    Classes,  ///< a function of (label, prediction) counts
    Pairs,    ///< a correlation of two parts
};

struct Rule {
    std::string_view key;
    Form form{};
    std::size_t column = kScore;  ///< Share, Mean: part; Sums: first part
    std::size_t width = 1;        ///< Sums: number of parts
    double (*ofSums)(Row) = nullptr;
    double (*ofClasses)(const Confusion&) = nullptr;
    double (*ofPairs)(Row, Row) = nullptr;
};

constexpr Rule share(std::string_view key, std::size_t column = kScore) {
    return {key, Form::Share, column};
}
constexpr Rule meanOf(std::string_view key, std::size_t column = kScore) {
    return {key, Form::Mean, column};
}
constexpr Rule sums(std::string_view key, std::size_t column, std::size_t width, double (*of)(Row)) {
    return {key, Form::Sums, column, width, of};
}
constexpr Rule classes(std::string_view key, double (*of)(const Confusion&)) {
    return {key, Form::Classes, 0, 1, nullptr, of};
}
constexpr Rule pairs(std::string_view key, double (*of)(Row, Row)) {
    return {key, Form::Pairs, 0, 2, nullptr, nullptr, of};
}

double ratio(double a, double b) { return b > 0.0 ? a / b : 0.0; }

constexpr std::array kRules{
    share("accuracy"),
    classes("f1_macro", macroF1),
    classes("mcc", matthews),
    share("accuracy_normalized", 1),
    sums("entity_f1", 0, 3, [](Row row) { return EntityCounts::ofRow(row).f1(); }),
    sums("entity_precision", 0, 3, [](Row row) { return EntityCounts::ofRow(row).precision(); }),
    sums("entity_recall", 0, 3, [](Row row) { return EntityCounts::ofRow(row).recall(); }),
    share("exact_match", 0),
    meanOf("squad_f1", 1),
    sums("bleu", 0, kBleuWidth, [](Row row) { return bleu(row); }),
    sums("chrf", kBleuWidth, kChrfWidth, chrf),
    meanOf("rouge_1", 0),
    meanOf("rouge_2", 1),
    meanOf("rouge_l", 2),
    sums("perplexity", 0, 2, perplexity),
    sums("kl_divergence", 0, 3, [](Row row) { return ratio(row[0], row[2]); }),
    sums("top1_agreement", 0, 3, [](Row row) { return ratio(row[1], row[2]); }),
    meanOf("fidelity_cosine"),
    pairs("similarity_spearman", stats::spearman),
    pairs("similarity_pearson", stats::pearson),
    meanOf("ndcg_10", 0),
    meanOf("mrr_10", 1),
    meanOf("recall_10", 2),
    meanOf("recall_100", 3),
};

const Rule* ruleOf(std::string_view key) {
    const auto found = std::find_if(kRules.begin(), kRules.end(),
                                    [&](const Rule& rule) { return rule.key == key; });
    return found == kRules.end() ? nullptr : &*found;
}

/// Windows of runs from before parts were kept have their mean loss: all windows weigh the same then.
bool hasOldLoss(const Rule& rule, const ItemResult& item) {
    return rule.key == "perplexity" && item.parts.empty();
}

bool hasParts(const Rule& rule, const Items& items) {
    const auto needed = rule.column == kScore ? 0 : rule.column + rule.width;
    return std::all_of(items.begin(), items.end(), [&](const ItemResult* item) {
        const bool finite = std::isfinite(item->score) &&
                            std::all_of(item->parts.begin(), item->parts.end(),
                                        [](double part) { return std::isfinite(part); });
        return finite && (item->parts.size() >= needed || hasOldLoss(rule, *item));
    });
}

std::vector<double> columnOf(const Items& items, std::size_t column) {
    std::vector<double> values;
    for (const auto* item : items) {
        values.push_back(column == kScore ? item->score : item->parts[column]);
    }
    return values;
}

stats::ItemRows rowsOf(const Rule& rule, const Items& items) {
    stats::ItemRows rows(rule.width);
    for (const auto* item : items) {
        if (hasOldLoss(rule, *item)) {
            rows.add(std::array{item->score, 1.0});
        } else {
            rows.add(std::span(item->parts).subspan(rule.column, rule.width));
        }
    }
    return rows;
}

/// A metric of items that were drawn, by their numbers: for those that no sum gives.
using OfDrawn = std::function<double(std::span<const double>)>;

OfDrawn ofDrawn(const Rule& rule, const Items& items) {
    if (rule.form == Form::Classes) {
        std::size_t count = 1;
        for (const auto* item : items) {
            count = std::max({count, static_cast<std::size_t>(item->parts[0]) + 1,
                              static_cast<std::size_t>(std::max(item->predicted, 0)) + 1});
        }
        return [&rule, items, count](std::span<const double> drawn) {
            Confusion confusion(count);
            for (const double index : drawn) {
                const auto& item = *items[static_cast<std::size_t>(index)];
                confusion.add(static_cast<std::size_t>(item.parts[0]),
                              static_cast<std::size_t>(std::max(item.predicted, 0)));
            }
            return rule.ofClasses(confusion);
        };
    }
    return [&rule, items](std::span<const double> drawn) {
        std::vector<double> first;
        std::vector<double> second;
        for (const double index : drawn) {
            first.push_back(items[static_cast<std::size_t>(index)]->parts[0]);
            second.push_back(items[static_cast<std::size_t>(index)]->parts[1]);
        }
        return rule.ofPairs(first, second);
    };
}

std::vector<double> numbersUpTo(std::size_t n) {
    std::vector<double> numbers(n);
    std::iota(numbers.begin(), numbers.end(), 0.0);
    return numbers;
}

stats::Interval bootstrapDrawn(const Rule& rule, const OfDrawn& statistic, std::size_t n,
                               stats::BootstrapOptions options) {
    const auto all = numbersUpTo(n);
    const double value = statistic(all);
    options.resamples = rule.form == Form::Pairs ? std::min(options.resamples, kSortedResamples)
                                                 : options.resamples;
    // A resample of one item alone has no correlation; it says nothing new then.
    return stats::bootstrap(
        all,
        [&](std::span<const double> drawn) {
            const double resampled = statistic(drawn);
            return std::isnan(resampled) ? value : resampled;
        },
        options);
}

Items pointersTo(std::span<const ItemResult> items) {
    Items pointers;
    for (const auto& item : items) {
        pointers.push_back(&item);
    }
    return pointers;
}

/// b's items in the order of a's; empty when they are not the same.
Items inOrderOf(const Items& a, std::span<const ItemResult> b) {
    std::unordered_map<std::int64_t, const ItemResult*> byNumber;
    for (const auto& item : b) {
        byNumber[item.item] = &item;
    }
    Items ordered;
    for (const auto* item : a) {
        const auto found = byNumber.find(item->item);
        if (found == byNumber.end()) {
            return {};
        }
        ordered.push_back(found->second);
    }
    return a.size() == b.size() ? ordered : Items{};
}

ItemComparison ofPaired(const stats::PairedDifference& paired) {
    return {paired.difference, paired.interval, std::nullopt, paired.significant, "paired bootstrap",
            paired.n};
}

ItemComparison compareShares(std::span<const double> a, std::span<const double> b,
                             const stats::BootstrapOptions& options) {
    std::int64_t onlyA = 0;
    std::int64_t onlyB = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        onlyA += a[i] > 0.5 && b[i] <= 0.5 ? 1 : 0;
        onlyB += b[i] > 0.5 && a[i] <= 0.5 ? 1 : 0;
    }
    auto comparison = ofPaired(stats::pairedDifference(a, b, options));
    comparison.pValue = stats::mcnemar(onlyA, onlyB);
    comparison.significant = *comparison.pValue < kLevel;
    comparison.test = "McNemar";
    return comparison;
}

ItemComparison compareDrawn(const Rule& rule, const Items& a, const Items& b,
                            const stats::BootstrapOptions& options) {
    const auto ofA = ofDrawn(rule, a);
    const auto ofB = ofDrawn(rule, b);
    const OfDrawn difference = [&](std::span<const double> drawn) { return ofB(drawn) - ofA(drawn); };
    ItemComparison comparison;
    comparison.difference = difference(numbersUpTo(a.size()));
    comparison.interval = bootstrapDrawn(rule, difference, a.size(), options);
    comparison.significant = comparison.interval.low > 0.0 || comparison.interval.high < 0.0;
    comparison.test = "paired bootstrap";
    comparison.n = static_cast<std::int64_t>(a.size());
    return comparison;
}

}  // namespace

bool isItemMetric(std::string_view key) { return ruleOf(key) != nullptr; }

Measurement measureItems(std::string_view key, std::span<const ItemResult> results,
                         const stats::BootstrapOptions& options) {
    const Rule& rule = *ruleOf(key);
    const auto items = pointersTo(results);
    Measurement measurement{std::string(key), std::nan(""), std::nullopt, std::nullopt,
                            static_cast<std::int64_t>(items.size())};
    if (items.empty() || !hasParts(rule, items)) {
        return measurement;
    }
    stats::Interval interval;
    switch (rule.form) {
        case Form::Share: {
            const auto values = columnOf(items, rule.column);
            measurement.value = stats::mean(values);
            interval = stats::wilsonInterval(std::llround(measurement.value * static_cast<double>(values.size())),
                                             static_cast<std::int64_t>(values.size()));
            break;
        }
        case Form::Mean: {
            const auto values = columnOf(items, rule.column);
            measurement.value = stats::mean(values);
            interval = stats::bootstrapMean(values, options);
            break;
        }
        case Form::Sums: {
            const auto rows = rowsOf(rule, items);
            measurement.value = rule.ofSums(rows.sum());
            interval = stats::bootstrapRows(rows, rule.ofSums, options);
            break;
        }
        case Form::Classes:
        case Form::Pairs: {
            const auto statistic = ofDrawn(rule, items);
            measurement.value = statistic(numbersUpTo(items.size()));
            interval = bootstrapDrawn(rule, statistic, items.size(), options);
            break;
        }
    }
    if (interval.low < interval.high && (items.size() >= 2 || rule.form == Form::Share)) {
        measurement.low = interval.low;
        measurement.high = interval.high;
    }
    return measurement;
}

std::optional<ItemComparison> compareItems(std::string_view key, std::span<const ItemResult> resultsA,
                                           std::span<const ItemResult> resultsB,
                                           const stats::BootstrapOptions& options) {
    const Rule* rule = ruleOf(key);
    if (rule == nullptr || resultsA.size() < 2) {
        return std::nullopt;
    }
    const auto a = pointersTo(resultsA);
    const auto b = inOrderOf(a, resultsB);
    if (b.empty() || !hasParts(*rule, a) || !hasParts(*rule, b)) {
        return std::nullopt;
    }
    switch (rule->form) {
        case Form::Share:
            return compareShares(columnOf(a, rule->column), columnOf(b, rule->column), options);
        case Form::Mean:
            return ofPaired(stats::pairedDifference(columnOf(a, rule->column),
                                                    columnOf(b, rule->column), options));
        case Form::Sums:
            return ofPaired(stats::pairedRows(rowsOf(*rule, a), rowsOf(*rule, b), rule->ofSums, options));
        case Form::Classes:
        case Form::Pairs: break;
    }
    return compareDrawn(*rule, a, b, options);
}

}  // namespace pareto::metrics
