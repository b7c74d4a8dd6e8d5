#include "widgets/plots/scaling_plot.h"

#include <algorithm>
#include <cmath>

#include <QEvent>
#include <QToolTip>
#include <QVBoxLayout>

#include <qcustomplot.h>

#include "widgets/plots/plot_style.h"
#include "widgets/support/number_format.h"

namespace pareto::widgets {

using namespace Qt::StringLiterals;

namespace {

constexpr double kReach = 9.0;  ///< pixels around a point that belong to it
constexpr int kMostRanks = 1 << 16;

QVector<double> asVector(const std::vector<double>& values) {
    return {values.begin(), values.end()};
}

QVector<double> powersOfTwo(std::size_t count) {
    QVector<double> out;
    for (std::size_t i = 0; i < count; ++i) {
        out.append(std::ldexp(1.0, static_cast<int>(i)));
    }
    return out;
}

}  // namespace

struct ScalingPlot::Private {
    ScalingPicture picture;
    QStringList legend;
    int hovered = -1;
    QCustomPlot* plot = nullptr;

    QPointF pixel(const ScalingPicture::Measured& point) const {
        return {plot->xAxis->coordToPixel(point.ranks), plot->yAxis->coordToPixel(point.value)};
    }
};

ScalingPlot::ScalingPlot(const QString& objectName, QWidget* parent)
    : QWidget(parent), d(std::make_unique<Private>()) {
    setObjectName(objectName);
    d->plot = new QCustomPlot(this);
    d->plot->setObjectName(objectName + u"Canvas"_s);
    d->plot->setMinimumHeight(130);
    d->plot->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
    auto ticks = QSharedPointer<QCPAxisTickerText>::create();
    for (int ranks = 1; ranks <= kMostRanks; ranks *= 2) {
        ticks->addTick(ranks, QLocale().toString(ranks));
    }
    for (auto* axis : {d->plot->xAxis, d->plot->yAxis}) {
        axis->setScaleType(QCPAxis::stLogarithmic);
    }
    d->plot->xAxis->setTicker(ticks);
    d->plot->xAxis->setSubTicks(false);
    auto decades = QSharedPointer<QCPAxisTickerText>::create();
    for (int exponent = -6; exponent <= 12; ++exponent) {
        const double value = std::pow(10.0, exponent);
        decades->addTick(value, exponent <= 6
                                    ? QLocale().toString(value, 'f', std::max(0, -exponent))
                                    : QLocale().toString(value, 'g', 2));
    }
    decades->setSubTickCount(8);
    d->plot->yAxis->setTicker(decades);
    // Beside the lines, which would run below it.
    auto* beside = new QCPLayoutGrid;
    d->plot->plotLayout()->addElement(0, 1, beside);
    beside->addElement(0, 0, d->plot->legend);
    beside->addElement(1, 0, new QCPLayoutElement(d->plot));
    d->plot->plotLayout()->setColumnStretchFactor(1, 0.001);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(d->plot);
    connect(d->plot, &QCustomPlot::mouseMove, this, [this](QMouseEvent* event) {
        hover(event->position().toPoint(), event->globalPosition().toPoint());
    });
    connect(d->plot, &QCustomPlot::mouseDoubleClick, this, [this] {
        showAll();
        d->plot->replot(QCustomPlot::rpQueuedReplot);
    });
    rebuild();
}

ScalingPlot::~ScalingPlot() = default;

void ScalingPlot::setPicture(ScalingPicture picture) {
    d->picture = std::move(picture);
    d->hovered = -1;
    rebuild();
}

QWidget* ScalingPlot::canvas() const { return d->plot; }
QStringList ScalingPlot::legend() const { return d->legend; }

std::optional<QPoint> ScalingPlot::pixelOf(int measured) const {
    if (measured < 0 || measured >= static_cast<int>(d->picture.measured.size())) {
        return std::nullopt;
    }
    // The axis area may be older than the last resize; a queued replot would come too late.
    d->plot->replot(QCustomPlot::rpImmediateRefresh);
    const QPoint at = d->pixel(d->picture.measured[static_cast<std::size_t>(measured)]).toPoint();
    return d->plot->axisRect()->rect().contains(at) ? std::optional(at) : std::nullopt;
}

QString ScalingPlot::cardText(int measured) const {
    if (measured < 0 || measured >= static_cast<int>(d->picture.measured.size())) {
        return {};
    }
    const auto& point = d->picture.measured[static_cast<std::size_t>(measured)];
    const auto figure = [](double value) {
        return formatNumber(value, value < 10.0 ? 2 : value < 1000.0 ? 1 : 0);
    };
    QStringList lines{point.name,
                      tr("measured %1, 95 % interval %2 to %3")
                          .arg(figure(point.value), figure(point.low), figure(point.high))};
    if (point.predicted) {
        lines.append(tr("predicted %1, error %2 %")
                         .arg(figure(*point.predicted),
                              formatNumber(100.0 * (*point.predicted / point.value - 1.0), 1)));
    }
    return lines.join(u'\n');
}

void ScalingPlot::hover(const QPoint& position, const QPoint& global) {
    int nearest = -1;
    double reach = kReach;
    for (std::size_t i = 0; i < d->picture.measured.size(); ++i) {
        const double distance = QLineF(d->pixel(d->picture.measured[i]), position).length();
        if (distance <= reach) {
            reach = distance;
            nearest = static_cast<int>(i);
        }
    }
    if (nearest != d->hovered) {
        d->hovered = nearest;
        QToolTip::showText(global, cardText(nearest), d->plot);
    }
}

void ScalingPlot::showAll() {
    double right = 2.0;
    double bottom = 0.0;
    double top = 0.0;
    const auto take = [&](double value) {
        if (value > 0.0) {
            bottom = bottom > 0.0 ? std::min(bottom, value) : value;
            top = std::max(top, value);
        }
    };
    for (const auto& curve : d->picture.predicted) {
        for (std::size_t i = 0; i < curve.ranks.size(); ++i) {
            right = std::max(right, curve.ranks[i]);
            take(curve.values[i]);
        }
    }
    for (const auto& point : d->picture.measured) {
        right = std::max(right, point.ranks);
        take(point.value);
        take(point.low);
        take(point.high);
    }
    for (const double value : d->picture.ideal) {
        take(value);
    }
    d->plot->xAxis->setRange(0.85, right * 1.2);
    d->plot->yAxis->setRange(bottom > 0.0 ? bottom / 1.5 : 0.1, top > 0.0 ? top * 1.5 : 10.0);
}

void ScalingPlot::drawPredicted() {
    const PlotColours colours = plotColours(palette());
    auto* ideal = d->plot->addGraph();
    ideal->setName(tr("ideal"));
    ideal->setPen(QPen(colours.mutedText, 1.5, Qt::DotLine));
    ideal->setData(powersOfTwo(d->picture.ideal.size()), asVector(d->picture.ideal), true);
    d->legend.append(ideal->name());
    const auto nameOf = [](ScalingPicture::Way way) {
        switch (way) {
        case ScalingPicture::Way::Tensor:
            return tr("predicted: tensor parallel");
        case ScalingPicture::Way::Pipeline:
            return tr("predicted: stages");
        case ScalingPicture::Way::Replicas:
            return tr("predicted: replicas");
        case ScalingPicture::Way::Fastest:
            break;
        }
        return tr("predicted: shortest step");
    };
    for (const auto& curve : d->picture.predicted) {
        const auto at = static_cast<std::size_t>(curve.way);
        const QColor colour = colours.series[at];
        auto* graph = d->plot->addGraph();
        graph->setName(nameOf(curve.way));
        graph->setPen(
            QPen(colour, curve.way == ScalingPicture::Way::Fastest ? 2.0 : 1.5, Qt::DashLine));
        graph->setScatterStyle(QCPScatterStyle(markerPath(static_cast<int>(at), 3.5), QPen(colour),
                                               QBrush(colours.background)));
        graph->setAdaptiveSampling(false);
        graph->setData(asVector(curve.ranks), asVector(curve.values), true);
        d->legend.append(graph->name());
    }
}

void ScalingPlot::drawMeasured() {
    if (d->picture.measured.empty()) {
        return;
    }
    const PlotColours colours = plotColours(palette());
    QVector<double> x, y, below, above;
    for (const auto& point : d->picture.measured) {
        x.append(point.ranks);
        y.append(point.value);
        below.append(std::max(0.0, point.value - point.low));
        above.append(std::max(0.0, point.high - point.value));
    }
    auto* graph = d->plot->addGraph();
    graph->setName(tr("measured, 95 % interval"));
    graph->setLineStyle(QCPGraph::lsNone);
    graph->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssDisc, colours.text, colours.text, 8));
    graph->setData(x, y);
    auto* bars = new QCPErrorBars(d->plot->xAxis, d->plot->yAxis);
    bars->removeFromLegend();
    bars->setPen(QPen(colours.text, 1.2));
    bars->setDataPlottable(graph);
    bars->setData(below, above);
    d->legend.append(graph->name());
}

void ScalingPlot::rebuild() {
    const PlotColours colours = plotColours(palette());
    auto& plot = *d->plot;
    plot.clearPlottables();
    stylePlot(plot, colours);
    plot.xAxis->setLabel(tr("Processes"));
    plot.yAxis->setLabel(d->picture.label);
    d->legend.clear();
    drawPredicted();
    drawMeasured();
    showAll();
    plot.legend->setVisible(!d->picture.ideal.empty());
    plot.legend->setBrush(Qt::NoBrush);
    plot.legend->setBorderPen(Qt::NoPen);
    plot.legend->setTextColor(colours.text);
    plot.legend->setFont(font());
    plot.legend->setIconSize(18, 10);
    plot.setAccessibleName(tr("Scaling with the number of processes: predicted and measured"));
    QStringList facts;
    for (int i = 0; i < static_cast<int>(d->picture.measured.size()); ++i) {
        facts.append(cardText(i).replace(u'\n', u", "_s));
    }
    plot.setAccessibleDescription(facts.join(u'\n'));
    plot.replot(QCustomPlot::rpQueuedReplot);
}

void ScalingPlot::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange ||
        event->type() == QEvent::LanguageChange) {
        rebuild();
    }
}

}  // namespace pareto::widgets
