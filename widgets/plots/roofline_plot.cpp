#include "widgets/plots/roofline_plot.h"

#include <algorithm>
#include <cmath>

#include <QEvent>
#include <QToolTip>
#include <QVBoxLayout>

#include <qcustomplot.h>

#include "widgets/models/layer_profile_model.h"
#include "widgets/plots/plot_export.h"
#include "widgets/plots/plot_style.h"
#include "widgets/support/number_format.h"

namespace pareto::widgets {

using namespace Qt::StringLiterals;

namespace {

constexpr double kReach = 9.0;       ///< pixels around a point that belong to it
constexpr double kClickSlack = 4.0;  ///< pixels that a click may move; further is dragging
constexpr double kMarker = 8.0;

/// What is left of a kernel's name once remarks on one layer's zeros are off.
QString kindOf(const std::string& kernel) {
    return QString::fromStdString(kernel.substr(0, kernel.find(';')));
}

struct Point {
    const ProfiledLayer* layer = nullptr;
    double intensity = 0.0;
    double gops = 0.0;
    int series = 0;
};

}  // namespace

struct RooflinePlot::Private {
    ProfiledStep step;
    Roofs roofs;
    std::vector<Point> points;
    QStringList kinds;  ///< of kernels
    QStringList selected;
    int hovered = -1;
    QPoint pressed;
    QCustomPlot* plot = nullptr;
    QCPGraph* rings = nullptr;

    int indexOf(const QString& layer) const {
        const auto name = layer.toStdString();
        const auto found = std::find_if(points.begin(), points.end(), [&](const Point& point) {
            return point.layer->name == name;
        });
        return found == points.end() ? -1 : static_cast<int>(found - points.begin());
    }
    QPointF pixel(const Point& point) const {
        return {plot->xAxis->coordToPixel(point.intensity), plot->yAxis->coordToPixel(point.gops)};
    }
};

RooflinePlot::RooflinePlot(const QString& objectName, QWidget* parent)
    : QWidget(parent), d(std::make_unique<Private>()) {
    setObjectName(objectName);
    d->plot = new QCustomPlot(this);
    d->plot->setObjectName(objectName + u"Canvas"_s);
    d->plot->setMinimumHeight(130);
    d->plot->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
    for (auto* axis : {d->plot->xAxis, d->plot->yAxis}) {
        axis->setScaleType(QCPAxis::stLogarithmic);
        axis->setTicker(QSharedPointer<QCPAxisTickerLog>::create());
    }
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(d->plot);
    connect(d->plot, &QCustomPlot::mouseMove, this, [this](QMouseEvent* event) {
        hover(event->position().toPoint(), event->globalPosition().toPoint());
    });
    connect(d->plot, &QCustomPlot::mousePress, this,
            [this](QMouseEvent* event) { d->pressed = event->position().toPoint(); });
    connect(d->plot, &QCustomPlot::mouseRelease, this, [this](QMouseEvent* event) {
        const QPoint at = event->position().toPoint();
        const int point = pointAt(at);
        if (event->button() == Qt::LeftButton && point >= 0 &&
            QLineF(at, d->pressed).length() <= kClickSlack) {
            Q_EMIT layerClicked(
                QString::fromStdString(d->points[static_cast<std::size_t>(point)].layer->name));
        }
    });
    connect(d->plot, &QCustomPlot::mouseDoubleClick, this, [this] {
        showAll();
        d->plot->replot(QCustomPlot::rpQueuedReplot);
    });
    rebuild();
}

RooflinePlot::~RooflinePlot() = default;

void RooflinePlot::setStep(const ProfiledStep& step, const Roofs& roofs) {
    d->step = step;
    d->roofs = roofs;
    d->points.clear();
    d->kinds.clear();
    d->hovered = -1;
    for (const auto& layer : d->step.layers) {
        const auto intensity = layer.intensity();
        const auto gops = layer.gops();
        if (!intensity || !gops) {
            continue;
        }
        const QString kind = kindOf(layer.kernel);
        if (!d->kinds.contains(kind)) {
            d->kinds.append(kind);
        }
        d->points.push_back({&layer, *intensity, *gops, static_cast<int>(d->kinds.indexOf(kind))});
    }
    rebuild();
}

void RooflinePlot::setSelected(const QStringList& layers) {
    d->selected.clear();
    for (const auto& layer : layers) {
        if (d->indexOf(layer) >= 0) {
            d->selected.append(layer);
        }
    }
    drawSelection();
    d->plot->replot(QCustomPlot::rpQueuedReplot);
}

QWidget* RooflinePlot::canvas() const { return d->plot; }
int RooflinePlot::pointCount() const { return static_cast<int>(d->points.size()); }
QStringList RooflinePlot::selected() const { return d->selected; }
QStringList RooflinePlot::series() const { return d->kinds; }

std::optional<QPoint> RooflinePlot::pixelOf(const QString& layer) const {
    const int index = d->indexOf(layer);
    if (index < 0) {
        return std::nullopt;
    }
    const QPointF at = d->pixel(d->points[static_cast<std::size_t>(index)]);
    return d->plot->axisRect()->rect().contains(at.toPoint()) ? std::optional(at.toPoint())
                                                              : std::nullopt;
}

QString RooflinePlot::hoveredLayer() const {
    return d->hovered < 0 ? QString()
                          : QString::fromStdString(
                                d->points[static_cast<std::size_t>(d->hovered)].layer->name);
}

QString RooflinePlot::cardText(const QString& layer) const {
    const int index = d->indexOf(layer);
    if (index < 0) {
        return {};
    }
    const auto& point = d->points[static_cast<std::size_t>(index)];
    QStringList lines{
        layer,
        tr("%1 ms, %2 % of the step")
            .arg(formatNumber(point.layer->ms, 3), formatNumber(point.layer->share * 100.0, 1)),
        tr("%1 operations a byte, %2 GOP/s").arg(rateText(point.intensity), rateText(point.gops))};
    if (const auto share = roofShare(*point.layer, d->roofs)) {
        lines.append(
            tr("%1 % of its roof, %2 GOP/s")
                .arg(formatNumber(*share * 100.0, 1),
                     rateText(roofAt(d->roofs, point.layer->arithmetic, point.intensity))));
    }
    lines.append(QString::fromStdString(point.layer->kernel));
    return lines.join(u'\n');
}

int RooflinePlot::pointAt(const QPoint& position) const {
    int nearest = -1;
    double reach = kReach;
    for (std::size_t i = 0; i < d->points.size(); ++i) {
        const double distance = QLineF(d->pixel(d->points[i]), position).length();
        if (distance <= reach) {
            reach = distance;
            nearest = static_cast<int>(i);
        }
    }
    return nearest;
}

void RooflinePlot::hover(const QPoint& position, const QPoint& global) {
    const int point = pointAt(position);
    if (point == d->hovered) {
        return;
    }
    d->hovered = point;
    QToolTip::showText(global, cardText(hoveredLayer()), d->plot);
}

/// Every point, and the corner of the higher roof.
void RooflinePlot::showAll() {
    const double compute = std::max({d->roofs.fp32.best, d->roofs.fp16.best, d->roofs.int8.best});
    double left = 1.0;
    double bottom = 1.0;
    double right =
        d->roofs.weights.best > 0.0 ? std::max(compute / d->roofs.weights.best, left) : left;
    double top = std::max(compute, 10.0);
    if (!d->points.empty()) {
        left = d->points.front().intensity;
        bottom = d->points.front().gops;
    }
    for (const auto& point : d->points) {
        left = std::min(left, point.intensity);
        right = std::max(right, point.intensity);
        bottom = std::min(bottom, point.gops);
        top = std::max(top, point.gops);
    }
    d->plot->xAxis->setRange(left / 2.0, right * 4.0);
    d->plot->yAxis->setRange(bottom / 2.0, top * 2.5);
}

void RooflinePlot::drawRoofs() {
    const PlotColours colours = plotColours(palette());
    auto& plot = *d->plot;
    constexpr double kFarLeft = 1e-6;
    constexpr double kFarRight = 1e9;
    const auto roofLine = [&](double bandwidth, double compute, Qt::PenStyle style) {
        if (bandwidth <= 0.0 || compute <= 0.0) {
            return;
        }
        auto* line = plot.addGraph();
        line->removeFromLegend();
        line->setPen(QPen(colours.front, 1.5, style));
        line->setAdaptiveSampling(false);
        line->setData({kFarLeft, compute / bandwidth, kFarRight},
                      {kFarLeft * bandwidth, compute, compute}, true);
    };
    const auto label = [&](double x, double y, Qt::Alignment alignment, const QString& text) {
        auto* item = new QCPItemText(&plot);
        item->setText(text);
        item->setFont(font());
        item->setColor(colours.mutedText);
        item->setPadding(QMargins(3, 1, 3, 2));
        item->setPositionAlignment(alignment);
        item->position->setCoords(x, y);
    };
    const auto& roofs = d->roofs;
    const double right = plot.xAxis->range().upper;
    roofLine(roofs.weights.best, roofs.fp32.best, Qt::SolidLine);
    roofLine(roofs.weights.best, roofs.int8.best, Qt::SolidLine);
    roofLine(roofs.weights.best, roofs.fp16.best, Qt::SolidLine);
    // Only where caches hold the weights: else both are the same but for noise.
    if (roofs.memory.best < 0.8 * roofs.weights.best) {
        roofLine(roofs.memory.best, std::max({roofs.fp32.best, roofs.fp16.best, roofs.int8.best}),
                 Qt::DotLine);
    }
    // Above the higher line, below the lower one: they may lie close together.
    const bool higher = roofs.fp32.best >= roofs.int8.best;
    if (roofs.fp32.best > 0.0) {
        label(right, roofs.fp32.best, Qt::AlignRight | (higher ? Qt::AlignBottom : Qt::AlignTop),
              tr("fp32 %1 GFLOP/s").arg(rateText(roofs.fp32.best)));
    }
    if (roofs.int8.best > 0.0) {
        label(right, roofs.int8.best, Qt::AlignRight | (higher ? Qt::AlignTop : Qt::AlignBottom),
              tr("int8 %1 GOP/s").arg(rateText(roofs.int8.best)));
    }
    if (roofs.fp16.best > 0.0) {
        // Between the other two there may be no room: left of its bend, above the slope, where no point can lie.
        const QCPRange range = plot.xAxis->range();
        const double bend = roofs.weights.best > 0.0 ? roofs.fp16.best / roofs.weights.best : 0.0;
        const bool room = bend > range.lower && bend < right &&
                          std::log(bend / range.lower) > 0.25 * std::log(right / range.lower);
        const bool above = room || roofs.fp16.best < roofs.int8.best;
        label(room ? bend : right, roofs.fp16.best, Qt::AlignRight | (above ? Qt::AlignBottom : Qt::AlignTop),
              tr("fp16 or bf16 %1 GFLOP/s").arg(rateText(roofs.fp16.best)));
    }
    if (roofs.weights.best > 0.0) {
        // Below the sloping roof, near where it enters the picture from the left or from below.
        const double x = std::max(plot.xAxis->range().lower,
                                  2.0 * plot.yAxis->range().lower / roofs.weights.best);
        label(1.05 * x, x * roofs.weights.best, Qt::AlignLeft | Qt::AlignTop,
              tr("%1 GB/s").arg(rateText(roofs.weights.best)));
    }
}

void RooflinePlot::drawPoints() {
    const PlotColours colours = plotColours(palette());
    for (int at = 0; at < d->kinds.size(); ++at) {
        QVector<double> x;
        QVector<double> y;
        for (const auto& point : d->points) {
            if (point.series == at) {
                x.append(point.intensity);
                y.append(point.gops);
            }
        }
        // More kernels than colours share the last one.
        const int shown = std::min<int>(at, static_cast<int>(colours.series.size()) - 1);
        const QColor colour = colours.series[static_cast<std::size_t>(shown)];
        auto* graph = d->plot->addGraph();
        graph->setName(d->kinds[at]);
        graph->setLineStyle(QCPGraph::lsNone);
        graph->setScatterStyle(
            QCPScatterStyle(markerPath(shown, kMarker / 2.0), QPen(colour), QBrush(colour)));
        graph->setData(x, y);
    }
}

void RooflinePlot::drawSelection() {
    QVector<double> x;
    QVector<double> y;
    for (const auto& layer : d->selected) {
        const auto& point = d->points[static_cast<std::size_t>(d->indexOf(layer))];
        x.append(point.intensity);
        y.append(point.gops);
    }
    d->rings->setData(x, y);
}

void RooflinePlot::rebuild() {
    const PlotColours colours = plotColours(palette());
    auto& plot = *d->plot;
    plot.setAccessibleName(tr("Roofline of the layers"));
    plot.setAccessibleDescription(tr("%Ln layer(s)", nullptr, pointCount()));
    plot.clearPlottables();
    plot.clearItems();
    stylePlot(plot, colours);
    for (auto* axis : {plot.xAxis, plot.yAxis}) {
        axis->setNumberFormat(u"gb"_s);
        axis->setNumberPrecision(0);
    }
    plot.xAxis->setLabel(tr("Operations a byte"));
    plot.yAxis->setLabel(tr("GOP/s"));
    showAll();
    drawRoofs();
    drawPoints();
    d->rings = plot.addGraph();
    d->rings->removeFromLegend();
    d->rings->setLineStyle(QCPGraph::lsNone);
    d->rings->setScatterStyle(
        QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(colours.selection, 2.0), Qt::NoBrush, 14));
    d->selected.removeIf([this](const QString& layer) { return d->indexOf(layer) < 0; });
    drawSelection();
    plot.legend->setVisible(!d->points.empty());
    plot.legend->setBrush(colours.card);
    plot.legend->setBorderPen(QPen(colours.cardBorder));
    plot.legend->setTextColor(colours.text);
    plot.legend->setFont(font());
    plot.legend->setIconSize(14, 10);
    plot.axisRect()->insetLayout()->setInsetAlignment(0, Qt::AlignBottom | Qt::AlignRight);
    plot.replot(QCustomPlot::rpQueuedReplot);
}

bool RooflinePlot::savePlot(const QString& path, QString* error) {
    return writePlotImage(*d->plot, path,
                          {.size = d->plot->size(), .scale = 2.0, .title = tr("Roofline")}, error);
}

void RooflinePlot::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange ||
        event->type() == QEvent::LanguageChange) {
        rebuild();
    }
}

}  // namespace pareto::widgets
