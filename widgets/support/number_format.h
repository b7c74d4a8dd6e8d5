#pragma once

#include <cstdint>
#include <string_view>

#include <QString>

#include "engine/records/metrics.h"

namespace pareto::widgets {

/// How a metric is shown: stored value × factor, in `unit`. Fractions are shown in %, bytes in MB
/// (10^6 bytes), parameters in millions.
struct MetricDisplay {
    double factor = 1.0;
    QString unit;        ///< translated; empty: none
    int decimals = 2;
};
MetricDisplay displayOf(const MetricInfo& metric);

/// "Latency p50", in the language of the window.
QString metricText(const MetricInfo& metric);
/// "Latency p50, ms"
QString metricTextWithUnit(const MetricInfo& metric);

/// Everything below writes numbers the way QLocale() does. A value that was not measured (NaN) is "–".
QString formatNumber(double value, int decimals);
/// "8.1 ms", "31.4 MB", "69.4 %"
QString formatMetric(const MetricInfo& metric, double value);
/// The figure without its unit, for columns whose header has the unit.
QString formatMetricFigure(const MetricInfo& metric, double value);

struct IntervalText {
    double value = 0.0;
    double low = 0.0;
    double high = 0.0;
    bool unit = true;
};
/// "8.1 ms ± 0.1" when both sides are about equal, else "69.4 % (64.8…73.9)"; the value alone without
/// an interval.
QString formatInterval(const MetricInfo& metric, const IntervalText& figure);
/// "19.4 ± 0.1": narrow, without the unit; the larger half-width when the sides differ.
QString formatPlusMinus(const MetricInfo& metric, const IntervalText& figure);

/// "31.4 MB": 10^6 bytes; kB below one MB, GB above a thousand.
QString formatBytes(std::uint64_t bytes);
/// "14.1 M", "1.2 k": parameters.
QString formatCount(std::int64_t count);
/// "−58.2 %" with a sign for both directions; "±0.0 %" when it rounds to nothing.
QString formatDeltaPercent(double fraction);
/// "12 s", "3 min 20 s", "1 h 5 min"
QString formatDuration(std::int64_t milliseconds);

}  // namespace pareto::widgets
