#include "widgets/plots/latency_plot.h"

#include <algorithm>
#include <cmath>

#include <QEvent>
#include <QVBoxLayout>

#include <qcustomplot.h>

#include "widgets/plots/plot_style.h"
#include "widgets/support/number_format.h"

namespace pareto::widgets {

struct LatencyPlot::Private {
    std::vector<double> run;
    std::vector<double> baseline;
    QCustomPlot* plot = nullptr;
};

namespace {

std::vector<double> sortedFinite(std::vector<double> values) {
    std::erase_if(values, [](double value) { return !std::isfinite(value); });
    std::sort(values.begin(), values.end());
    return values;
}

void addCurve(QCustomPlot& plot, const std::vector<double>& sorted, const QString& name,
              const QPen& pen) {
    if (sorted.empty()) {
        return;
    }
    QVector<double> keys;
    QVector<double> shares;
    keys.append(sorted.front());
    shares.append(0.0);
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        keys.append(sorted[i]);
        shares.append(100.0 * static_cast<double>(i + 1) / static_cast<double>(sorted.size()));
    }
    QCPGraph* graph = plot.addGraph();
    graph->setName(name);
    graph->setLineStyle(QCPGraph::lsStepLeft);
    graph->setPen(pen);
    graph->setData(keys, shares, true);
}

}  // namespace

LatencyPlot::LatencyPlot(const QString& objectName, QWidget* parent)
    : QWidget(parent), d(std::make_unique<Private>()) {
    setObjectName(objectName);
    d->plot = new QCustomPlot(this);
    d->plot->setObjectName(objectName + QStringLiteral("Canvas"));
    d->plot->setAccessibleName(tr("Distribution of latencies"));
    d->plot->setMinimumHeight(80);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(d->plot);
    rebuild();
}

LatencyPlot::~LatencyPlot() = default;

void LatencyPlot::setLatencies(std::vector<double> run, std::vector<double> baseline) {
    d->run = sortedFinite(std::move(run));
    d->baseline = sortedFinite(std::move(baseline));
    rebuild();
}

void LatencyPlot::rebuild() {
    const PlotColours colours = plotColours(palette());
    auto& plot = *d->plot;
    plot.clearPlottables();
    stylePlot(plot, colours);
    plot.xAxis->setLabel(tr("Latency, ms"));
    plot.yAxis->setLabel(tr("Passes no slower, %"));
    addCurve(plot, d->baseline, tr("baseline"), QPen(colours.mutedText, 1.5, Qt::DashLine));
    addCurve(plot, d->run, tr("this run"), QPen(colours.series[0], 1.8));
    plot.legend->setVisible(!d->run.empty() && !d->baseline.empty());
    plot.legend->setBrush(colours.card);
    plot.legend->setBorderPen(QPen(colours.cardBorder));
    plot.legend->setTextColor(colours.text);
    plot.legend->setFont(font());
    plot.legend->setIconSize(18, 10);
    plot.axisRect()->insetLayout()->setInsetAlignment(0, Qt::AlignBottom | Qt::AlignRight);
    plot.rescaleAxes();
    const QCPRange x = plot.xAxis->range();
    const double room = std::max((x.upper - x.lower) * 0.04, 1e-3);
    plot.xAxis->setRange(x.lower - room, x.upper + room);
    plot.yAxis->setRange(0.0, 102.0);
    plot.setAccessibleDescription(
        d->run.empty() ? QString()
                       : tr("%1 to %2 ms").arg(formatNumber(d->run.front(), 2),
                                               formatNumber(d->run.back(), 2)));
    plot.replot(QCustomPlot::rpQueuedReplot);
}

void LatencyPlot::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange
        || event->type() == QEvent::LanguageChange) {
        rebuild();
    }
}

}  // namespace pareto::widgets
