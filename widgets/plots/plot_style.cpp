#include "widgets/plots/plot_style.h"

#include <cmath>

#include <qcustomplot.h>

namespace pareto::widgets {

namespace {

void styleAxis(QCPAxis& axis, const PlotColours& colours, const QFont& font) {
    axis.setBasePen(QPen(colours.axis, 1));
    axis.setTickPen(QPen(colours.axis, 1));
    axis.setSubTickPen(QPen(colours.axis, 1));
    axis.setTickLabelColor(colours.mutedText);
    axis.setLabelColor(colours.text);
    axis.setTickLabelFont(font);
    axis.setLabelFont(font);
    axis.grid()->setPen(QPen(colours.grid, 1));
    axis.grid()->setZeroLinePen(QPen(colours.grid, 1));
    axis.setNumberFormat(QStringLiteral("g"));
    axis.setNumberPrecision(6);
}

QPolygonF regularPolygon(int corners, double radius, double startAngle) {
    QPolygonF polygon;
    for (int i = 0; i < corners; ++i) {
        const double angle = startAngle + 2.0 * M_PI * i / corners;
        polygon << QPointF(radius * std::cos(angle), radius * std::sin(angle));
    }
    return polygon;
}

QPainterPath closed(const QPolygonF& polygon) {
    QPainterPath path;
    path.addPolygon(polygon);
    path.closeSubpath();
    return path;
}

}  // namespace

void stylePlot(QCustomPlot& plot, const PlotColours& colours) {
    plot.setBackground(QBrush(colours.background));
    plot.setLocale(QLocale());
    for (const auto* rect : plot.axisRects()) {
        for (QCPAxis* axis : rect->axes()) {
            styleAxis(*axis, colours, plot.font());
        }
    }
}

void styleScale(QCPAxis& axis, bool logarithmic) {
    axis.setScaleType(logarithmic ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
    const QCPRange range = axis.range();
    const bool decades = logarithmic && range.lower > 0.0 && range.upper / range.lower >= 20.0;
    if (decades) {
        axis.setTicker(QSharedPointer<QCPAxisTickerLog>::create());
    } else {
        auto ticker = QSharedPointer<QCPAxisTicker>::create();
        ticker->setTickCount(6);
        axis.setTicker(ticker);
    }
    axis.setSubTicks(decades);
}

QPainterPath markerPath(int series, double radius) {
    QPainterPath path;
    const double r = radius;
    switch (series) {
    case 0: path.addEllipse(QPointF(0, 0), r, r); return path;
    case 1: path.addRect(QRectF(-0.88 * r, -0.88 * r, 1.76 * r, 1.76 * r)); return path;
    case 2: return closed(regularPolygon(3, 1.2 * r, -M_PI / 2));
    case 3: return closed(regularPolygon(3, 1.2 * r, M_PI / 2));
    case 4: return closed(regularPolygon(5, 1.1 * r, -M_PI / 2));
    case 5: {
        QPolygonF cross;
        const double a = 0.4 * r;
        cross << QPointF(-a, -r) << QPointF(a, -r) << QPointF(a, -a) << QPointF(r, -a)
              << QPointF(r, a) << QPointF(a, a) << QPointF(a, r) << QPointF(-a, r)
              << QPointF(-a, a) << QPointF(-r, a) << QPointF(-r, -a) << QPointF(-a, -a);
        return closed(cross);
    }
    default: return closed(regularPolygon(6, 1.05 * r, 0.0));
    }
}

QPainterPath baselinePath(double radius) {
    return closed(regularPolygon(4, 1.3 * radius, 0.0));
}

QIcon markerIcon(int series, const PlotColours& colours, int size, qreal devicePixelRatio) {
    QPixmap pixmap(QSize(size, size) * devicePixelRatio);
    pixmap.setDevicePixelRatio(devicePixelRatio);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.translate(size / 2.0, size / 2.0);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colours.series[static_cast<std::size_t>(series)]);
    painter.drawPath(markerPath(series, size * 0.32));
    return QIcon(pixmap);
}

}  // namespace pareto::widgets
