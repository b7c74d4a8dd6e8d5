#include "widgets/plots/pareto_data.h"

#include <cmath>

#include <QCoreApplication>
#include <QHash>

#include "engine/stats/stats.h"
#include "widgets/support/number_format.h"

namespace pareto::widgets {

namespace {

constexpr int kSeries = 7;

/// Models in the order of their first run; the seventh colour is for all further ones.
struct SeriesNames {
    QStringList names;
    QHash<QString, int> indexOf;
};

SeriesNames seriesOf(const RunColumns& columns, const std::vector<int>& rows) {
    SeriesNames series;
    for (const int row : rows) {
        const QString& model = columns.modelName[static_cast<std::size_t>(row)];
        if (series.indexOf.contains(model)) {
            continue;
        }
        series.indexOf[model] = qMin<int>(static_cast<int>(series.indexOf.size()), kSeries - 1);
        if (series.names.size() < kSeries) {
            series.names.append(model);
        }
    }
    if (series.indexOf.size() > kSeries) {
        series.names.last() = QCoreApplication::translate("ParetoPlot", "other models");
    }
    return series;
}

bool canShow(double value, bool logarithmic) {
    return std::isfinite(value) && (!logarithmic || value > 0.0);
}

void findFront(ParetoPoints& points) {
    std::vector<stats::Point> values(points.id.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = {points.x[i], points.y[i]};
    }
    points.onFront.assign(values.size(), 0);
    for (const auto index :
         stats::paretoFront(values, points.lowerXIsBetter, points.lowerYIsBetter)) {
        points.onFront[index] = 1;
        points.front.push_back(static_cast<int>(index));
    }
}

}  // namespace

int ParetoPoints::indexOf(std::int64_t run) const {
    const auto found = place.find(run);
    return found == place.end() ? -1 : found->second;
}

ParetoPoints paretoPoints(const RunColumns& columns, const std::vector<int>& rows,
                          const ParetoAxes& axes, const QSet<QString>& hiddenSeries) {
    ParetoPoints points;
    const int xMetric = RunColumns::metricIndex(axes.x.toStdString());
    const int yMetric = RunColumns::metricIndex(axes.y.toStdString());
    const SeriesNames series = seriesOf(columns, rows);
    points.place.reserve(rows.size());
    points.seriesNames = series.names;
    points.seriesCount.assign(static_cast<std::size_t>(series.names.size()), 0);
    if (xMetric < 0 || yMetric < 0) {
        points.hidden = static_cast<int>(rows.size());
        return points;
    }
    const auto& xInfo = metricCatalogue()[static_cast<std::size_t>(xMetric)];
    const auto& yInfo = metricCatalogue()[static_cast<std::size_t>(yMetric)];
    points.lowerXIsBetter = xInfo.better == Better::Lower;
    points.lowerYIsBetter = yInfo.better == Better::Lower;
    const double xFactor = displayOf(xInfo).factor;
    const double yFactor = displayOf(yInfo).factor;
    const auto& xs = columns.metrics[static_cast<std::size_t>(xMetric)];
    const auto& ys = columns.metrics[static_cast<std::size_t>(yMetric)];
    for (const int row : rows) {
        const auto at = static_cast<std::size_t>(row);
        const int index = series.indexOf.value(columns.modelName[at]);
        ++points.seriesCount[static_cast<std::size_t>(index)];
        if (hiddenSeries.contains(series.names[index])) {
            continue;
        }
        if (!canShow(xs.value[at], axes.logX) || !canShow(ys.value[at], axes.logY)) {
            ++points.hidden;
            continue;
        }
        points.place.emplace(columns.id[at], points.size());
        points.id.push_back(columns.id[at]);
        points.row.push_back(row);
        points.x.push_back(xs.value[at] * xFactor);
        points.xLow.push_back(xs.low[at] * xFactor);
        points.xHigh.push_back(xs.high[at] * xFactor);
        points.y.push_back(ys.value[at] * yFactor);
        points.yLow.push_back(ys.low[at] * yFactor);
        points.yHigh.push_back(ys.high[at] * yFactor);
        points.series.push_back(static_cast<std::uint8_t>(index));
    }
    findFront(points);
    return points;
}

}  // namespace pareto::widgets
