#include "engine/metrics/classes.h"

#include <cmath>
#include <numeric>

namespace pareto::metrics {

std::int64_t Confusion::total() const {
    return std::accumulate(m_counts.begin(), m_counts.end(), std::int64_t{0});
}

std::int64_t Confusion::right() const {
    std::int64_t sum = 0;
    for (std::size_t c = 0; c < m_classes; ++c) {
        sum += at(c, c);
    }
    return sum;
}

std::int64_t Confusion::labelled(std::size_t c) const {
    std::int64_t sum = 0;
    for (std::size_t other = 0; other < m_classes; ++other) {
        sum += at(c, other);
    }
    return sum;
}

std::int64_t Confusion::predicted(std::size_t c) const {
    std::int64_t sum = 0;
    for (std::size_t other = 0; other < m_classes; ++other) {
        sum += at(other, c);
    }
    return sum;
}

std::vector<std::vector<std::int64_t>> Confusion::rows() const {
    std::vector<std::vector<std::int64_t>> rows(m_classes);
    for (std::size_t c = 0; c < m_classes; ++c) {
        for (std::size_t other = 0; other < m_classes; ++other) {
            rows[c].push_back(at(c, other));
        }
    }
    return rows;
}

double accuracy(const Confusion& confusion) {
    const auto total = confusion.total();
    return total == 0 ? 0.0 : static_cast<double>(confusion.right()) / static_cast<double>(total);
}

double macroF1(const Confusion& confusion) {
    double sum = 0.0;
    int present = 0;
    for (std::size_t c = 0; c < confusion.classes(); ++c) {
        const auto both = confusion.labelled(c) + confusion.predicted(c);
        if (both > 0) {
            ++present;
            sum += 2.0 * static_cast<double>(confusion.at(c, c)) / static_cast<double>(both);
        }
    }
    return present == 0 ? 0.0 : sum / present;
}

double matthews(const Confusion& confusion) {
    const auto total = static_cast<double>(confusion.total());
    double covariance = static_cast<double>(confusion.right()) * total;
    double ofLabels = total * total;
    double ofPredictions = total * total;
    for (std::size_t c = 0; c < confusion.classes(); ++c) {
        const auto labelled = static_cast<double>(confusion.labelled(c));
        const auto predicted = static_cast<double>(confusion.predicted(c));
        covariance -= labelled * predicted;
        ofLabels -= labelled * labelled;
        ofPredictions -= predicted * predicted;
    }
    const double both = ofLabels * ofPredictions;
    return both > 0.0 ? covariance / std::sqrt(both) : 0.0;
}

}  // namespace pareto::metrics
