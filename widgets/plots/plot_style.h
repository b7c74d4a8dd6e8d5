#pragma once

#include <QIcon>
#include <QPainterPath>

#include "widgets/support/theme.h"

class QCPAxis;
class QCPLayerable;
class QCustomPlot;

namespace pareto::widgets {

/// Ground, axes, grid, fonts and number format of every plot.
void stylePlot(QCustomPlot& plot, const PlotColours& colours);
/// Linear or logarithmic, with ticks that suit the range shown: less than a decade gets round numbers.
void styleScale(QCPAxis& axis, bool logarithmic);

/// Marker of a series around the origin; `radius` in pixels.
QPainterPath markerPath(int series, double radius);
QPainterPath baselinePath(double radius);
/// What the legend shows for a series.
QIcon markerIcon(int series, const PlotColours& colours, int size, qreal devicePixelRatio);

}  // namespace pareto::widgets
