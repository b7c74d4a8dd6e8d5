#include "widgets/plots/spectrum_plot.h"

#include <algorithm>

#include <QEvent>
#include <QVBoxLayout>

#include <qcustomplot.h>

#include "widgets/plots/plot_export.h"
#include "widgets/plots/plot_style.h"

namespace pareto::widgets {

struct SpectrumPlot::Private {
    Spectrum spectrum;
    QCustomPlot* plot = nullptr;
};

namespace {

/// Of the largest: what rounding errors leave of removed ranks is no part of the picture.
constexpr double kSmallestShown = 1e-4;

/// A logarithmic axis has no place for zero, which a weight of lower rank has.
void addLine(QCustomPlot& plot, const std::vector<double>& ranks, const std::vector<double>& values,
             const QString& name, const QColor& colour) {
    QVector<double> x;
    QVector<double> y;
    for (std::size_t at = 0; at < std::min(ranks.size(), values.size()); ++at) {
        if (values[at] > 0.0) {
            x.append(ranks[at]);
            y.append(values[at]);
        }
    }
    QCPGraph* graph = plot.addGraph();
    graph->setName(name);
    graph->setPen(QPen(colour, 1.5));
    graph->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssDisc, colour, colour, 4));
    graph->setData(x, y, true);
}

}  // namespace

SpectrumPlot::SpectrumPlot(const QString& objectName, QWidget* parent)
    : QWidget(parent), d(std::make_unique<Private>()) {
    setObjectName(objectName);
    d->plot = new QCustomPlot(this);
    d->plot->setObjectName(objectName + QStringLiteral("Canvas"));
    d->plot->setMinimumHeight(130);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(d->plot);
    rebuild();
}

SpectrumPlot::~SpectrumPlot() = default;

void SpectrumPlot::setSpectrum(Spectrum spectrum) {
    d->spectrum = std::move(spectrum);
    rebuild();
}

const Spectrum& SpectrumPlot::spectrum() const { return d->spectrum; }

void SpectrumPlot::rebuild() {
    const PlotColours colours = plotColours(palette());
    auto& plot = *d->plot;
    plot.setAccessibleName(tr("Singular values of the weight"));
    plot.clearPlottables();
    stylePlot(plot, colours);
    for (auto* axis : {plot.xAxis, plot.yAxis}) {
        axis->setScaleType(QCPAxis::stLogarithmic);
        axis->setTicker(QSharedPointer<QCPAxisTickerLog>::create());
        axis->setNumberFormat(QStringLiteral("gb"));
        axis->setNumberPrecision(0);
    }
    plot.xAxis->setLabel(tr("Rank"));
    plot.yAxis->setLabel(tr("Singular value"));
    const auto& spectrum = d->spectrum;
    if (!spectrum.isEmpty()) {
        addLine(plot, spectrum.ranks, spectrum.before, tr("before"), colours.series[0]);
        addLine(plot, spectrum.ranks, spectrum.after, tr("after"), colours.series[1]);
        plot.rescaleAxes();
        const double top = plot.yAxis->range().upper;
        plot.yAxis->setRange(std::max(plot.yAxis->range().lower / 1.5, top * kSmallestShown), top * 1.5);
    }
    plot.legend->setVisible(!spectrum.isEmpty());
    plot.legend->setBrush(colours.card);
    plot.legend->setBorderPen(QPen(colours.cardBorder));
    plot.legend->setTextColor(colours.text);
    plot.legend->setFont(font());
    plot.legend->setIconSize(18, 10);
    plot.axisRect()->insetLayout()->setInsetAlignment(0, Qt::AlignBottom | Qt::AlignLeft);
    plot.replot(QCustomPlot::rpQueuedReplot);
}

bool SpectrumPlot::savePlot(const QString& path, QString* error) {
    return writePlotImage(*d->plot, path,
                          {.size = d->plot->size(), .scale = 2.0, .title = tr("Singular values")}, error);
}

void SpectrumPlot::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange ||
        event->type() == QEvent::LanguageChange) {
        rebuild();
    }
}

}  // namespace pareto::widgets
