#pragma once

#include <cstdint>
#include <vector>

/// The field's own metrics, exact against the programs that define them; no libtorch, no files.
///
/// A metric of a corpus is a function of sums over its items (n-gram counts, hits): each such metric
/// here has a function that gives one item's row of sums and one that turns the summed row into the
/// score. Rows go into stats::ItemRows, whose bootstraps resample items without computing them again.
namespace pareto::metrics {

/// Counts of (label, prediction). Every class is below `classes`.
class Confusion {
public:
    explicit Confusion(std::size_t classes) : m_classes(classes), m_counts(classes * classes, 0) {}
    void add(std::size_t label, std::size_t prediction) { ++m_counts[label * m_classes + prediction]; }
    std::size_t classes() const { return m_classes; }
    std::int64_t at(std::size_t label, std::size_t prediction) const {
        return m_counts[label * m_classes + prediction];
    }
    std::int64_t total() const;
    std::int64_t right() const;
    std::int64_t labelled(std::size_t c) const;   ///< items of class c
    std::int64_t predicted(std::size_t c) const;  ///< items called class c
    /// [label][prediction]
    std::vector<std::vector<std::int64_t>> rows() const;

private:
    std::size_t m_classes;
    std::vector<std::int64_t> m_counts;
};

/// All three are 0 for no items.
double accuracy(const Confusion& confusion);
/// Mean of the classes' F1 = 2·tp / (2·tp + fp + fn), over classes that occur on either side: what
/// scikit-learn's f1_score(average="macro") does.
double macroF1(const Confusion& confusion);
/// Matthews' correlation for any number of classes (Gorodkin 2004), as scikit-learn's
/// matthews_corrcoef: 0 where labels or predictions are all of one class.
double matthews(const Confusion& confusion);

}  // namespace pareto::metrics
