#pragma once

#include <unordered_map>

#include <QSet>
#include <QString>
#include <QStringList>

#include "widgets/models/run_columns.h"

namespace pareto::widgets {

/// What the two axes of a Pareto plot show: metric keys of the catalogue.
struct ParetoAxes {
    QString x = QStringLiteral("latency_p50_ms");
    QString y = QStringLiteral("accuracy");
    bool logX = false;
    bool logY = false;
    bool operator==(const ParetoAxes&) const = default;
};

/// The points of a Pareto plot in display units (%, MB, ms), as columns. A run without a finite value
/// on both axes (or not above zero on a logarithmic one) is not among them but counted in `hidden`.
struct ParetoPoints {
    std::vector<std::int64_t> id;
    std::vector<int> row;              ///< of the RunColumns
    std::vector<double> x, xLow, xHigh;  ///< NaN: no interval
    std::vector<double> y, yLow, yHigh;
    std::vector<std::uint8_t> series;  ///< colour and marker: index into seriesNames
    std::vector<std::uint8_t> onFront;
    std::vector<int> front;            ///< points on the front, by x
    QStringList seriesNames;           ///< models; the last of 7 collects the rest
    std::vector<int> seriesCount;
    bool lowerXIsBetter = true;
    bool lowerYIsBetter = false;
    int hidden = 0;

    std::unordered_map<std::int64_t, int> place;  ///< of a run among the points

    int size() const { return static_cast<int>(id.size()); }
    int indexOf(std::int64_t run) const;  ///< -1: not among them
};

/// `rows`: which runs of the columns. Points of `hiddenSeries` (model names switched off in the legend)
/// are left out and take no part in the front.
ParetoPoints paretoPoints(const RunColumns& columns, const std::vector<int>& rows,
                          const ParetoAxes& axes, const QSet<QString>& hiddenSeries = {});

}  // namespace pareto::widgets
