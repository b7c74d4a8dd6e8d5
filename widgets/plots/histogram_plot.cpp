#include "widgets/plots/histogram_plot.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <QEvent>
#include <QLabel>
#include <QVBoxLayout>

#include <qcustomplot.h>

#include "widgets/plots/plot_export.h"
#include "widgets/plots/plot_style.h"
#include "widgets/support/number_format.h"

namespace pareto::widgets {

struct HistogramPlot::Private {
    std::optional<Histogram> before;
    std::optional<Histogram> after;
    QCustomPlot* plot = nullptr;
    QLabel* summary = nullptr;
};

namespace {

/// Where an empty bin ends on the logarithmic axis, below a single value.
constexpr double kFloor = 0.5;

std::int64_t valuesIn(const Histogram& histogram) {
    return std::accumulate(histogram.counts.begin(), histogram.counts.end(), std::int64_t{0});
}

QString zeroShare(const Histogram& histogram) {
    const auto all = valuesIn(histogram);
    const double share =
        all == 0 ? 0.0 : static_cast<double>(histogram.zeros) / static_cast<double>(all);
    return formatNumber(share * 100.0, 1) + QStringLiteral(" %");
}

void addSteps(QCustomPlot& plot, const Histogram& histogram, const QString& name, const QPen& pen,
              const QBrush& brush) {
    if (histogram.counts.empty()) {
        return;
    }
    const auto bins = histogram.counts.size();
    const double width = (histogram.high - histogram.low) / static_cast<double>(bins);
    QVector<double> keys;
    QVector<double> counts;
    for (std::size_t bin = 0; bin < bins; ++bin) {
        keys.append(histogram.low + width * static_cast<double>(bin));
        counts.append(std::max(kFloor, static_cast<double>(histogram.counts[bin])));
    }
    keys.append(histogram.high);
    counts.append(counts.last());
    QCPGraph* graph = plot.addGraph();
    graph->setName(name);
    graph->setLineStyle(QCPGraph::lsStepLeft);
    graph->setPen(pen);
    graph->setBrush(brush);
    graph->setAdaptiveSampling(false);
    graph->setData(keys, counts, true);
}

double highest(const std::optional<Histogram>& histogram) {
    if (!histogram || histogram->counts.empty()) {
        return 1.0;
    }
    return static_cast<double>(
        *std::max_element(histogram->counts.begin(), histogram->counts.end()));
}

QCPRange valueRange(const std::optional<Histogram>& before, const std::optional<Histogram>& after) {
    double low = before ? before->low : after->low;
    double high = before ? before->high : after->high;
    if (before && after) {
        low = std::min(low, after->low);
        high = std::max(high, after->high);
    }
    if (!(low < high)) {
        low -= 0.5;
        high += 0.5;
    }
    const double room = (high - low) * 0.02;
    return {low - room, high + room};
}

}  // namespace

HistogramPlot::HistogramPlot(const QString& objectName, QWidget* parent)
    : QWidget(parent), d(std::make_unique<Private>()) {
    setObjectName(objectName);
    d->plot = new QCustomPlot(this);
    d->plot->setObjectName(objectName + QStringLiteral("Canvas"));
    d->plot->setAccessibleName(tr("Histogram of the weights"));
    d->plot->setMinimumHeight(80);
    d->plot->setInteraction(QCP::iRangeDrag);
    d->plot->setInteraction(QCP::iRangeZoom);
    d->plot->axisRect()->setRangeDrag(Qt::Horizontal);
    d->plot->axisRect()->setRangeZoom(Qt::Horizontal);
    d->summary = new QLabel(this);
    d->summary->setObjectName(objectName + QStringLiteral("Summary"));
    d->summary->setWordWrap(true);
    d->summary->setContentsMargins(6, 0, 6, 2);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(d->plot, 1);
    layout->addWidget(d->summary);
    connect(d->plot, &QCustomPlot::mouseDoubleClick, this, [this] { rebuild(); });
    rebuild();
}

HistogramPlot::~HistogramPlot() = default;

void HistogramPlot::setHistograms(std::optional<Histogram> before, std::optional<Histogram> after) {
    d->before = std::move(before);
    d->after = std::move(after);
    rebuild();
}

QString HistogramPlot::summary() const {
    QStringList parts;
    if (d->before && d->after) {
        parts.append(tr("Zeros: %1 before, %2 after").arg(zeroShare(*d->before), zeroShare(*d->after)));
    } else if (d->before) {
        parts.append(tr("Zeros: %1").arg(zeroShare(*d->before)));
    } else if (d->after) {
        parts.append(tr("Zeros: %1 after").arg(zeroShare(*d->after)));
    }
    const std::int64_t wrong = (d->before ? d->before->nonFinite : 0) + (d->after ? d->after->nonFinite : 0);
    if (wrong > 0) {
        parts.append(tr("%Ln value(s) hidden that are no numbers", nullptr, static_cast<int>(wrong)));
    }
    return parts.join(QStringLiteral(" · "));
}

void HistogramPlot::rebuild() {
    const PlotColours colours = plotColours(palette());
    auto& plot = *d->plot;
    plot.clearPlottables();
    stylePlot(plot, colours);
    plot.xAxis->setLabel(tr("Value"));
    plot.yAxis->setLabel(tr("Count"));
    plot.yAxis->setScaleType(QCPAxis::stLogarithmic);
    plot.yAxis->setTicker(QSharedPointer<QCPAxisTickerLog>::create());
    plot.yAxis->setNumberFormat(QStringLiteral("gb"));
    plot.yAxis->setNumberPrecision(0);
    QColor ground = colours.series[1];
    ground.setAlpha(isDark(palette()) ? 110 : 90);
    if (d->after) {
        addSteps(plot, *d->after, tr("after"), QPen(colours.series[1], 1), QBrush(ground));
    }
    if (d->before) {
        addSteps(plot, *d->before, tr("before"), QPen(colours.series[0], 1.2), Qt::NoBrush);
    }
    plot.legend->setVisible(d->before && d->after);
    plot.legend->setBrush(colours.card);
    plot.legend->setBorderPen(QPen(colours.cardBorder));
    plot.legend->setTextColor(colours.text);
    plot.legend->setFont(font());
    plot.legend->setIconSize(18, 10);
    plot.axisRect()->insetLayout()->setInsetAlignment(0, Qt::AlignTop | Qt::AlignRight);
    if (d->before || d->after) {
        plot.xAxis->setRange(valueRange(d->before, d->after));
    }
    plot.yAxis->setRange(kFloor, std::max(highest(d->before), highest(d->after)) * 2.0);
    d->summary->setText(summary());
    plot.setAccessibleDescription(summary());
    plot.replot(QCustomPlot::rpQueuedReplot);
}

bool HistogramPlot::savePlot(const QString& path, QString* error) {
    return writePlotImage(*d->plot, path, {.size = d->plot->size(), .scale = 2.0, .title = tr("Weights")},
                          error);
}

void HistogramPlot::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange
        || event->type() == QEvent::LanguageChange) {
        rebuild();
    }
}

}  // namespace pareto::widgets
