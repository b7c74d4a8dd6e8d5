#include "widgets/plots/training_plot.h"

#include <algorithm>
#include <cmath>

#include <QEvent>
#include <QScopedValueRollback>
#include <QToolTip>
#include <QVBoxLayout>

#include <qcustomplot.h>

#include "widgets/plots/plot_export.h"
#include "widgets/plots/plot_style.h"
#include "widgets/plots/training_curve.h"
#include "widgets/support/number_format.h"

namespace pareto::widgets {

using namespace Qt::StringLiterals;

namespace {

constexpr double kMargin = 0.06;       ///< of the values in sight, above and below
constexpr double kRightMargin = 0.02;  ///< of the steps, behind the newest
constexpr double kReach = 12.0;        ///< pixels beside a line that tell of its step
constexpr double kLeastSteps = 4.0;    ///< as far as one can zoom in

/// Lowest and highest of several lines.
class Range {
public:
    void take(const std::vector<double>& values) {
        for (const double value : values) {
            if (std::isfinite(value)) {
                m_low = std::min(m_low, value);
                m_high = std::max(m_high, value);
            }
        }
    }
    QCPRange padded() const {
        if (m_low > m_high) {
            return {0.0, 1.0};
        }
        const double room =
            m_high > m_low ? (m_high - m_low) * kMargin : std::max(std::abs(m_low) * 0.05, 1e-9);
        return {m_low - room, m_high + room};
    }

private:
    double m_low = std::numeric_limits<double>::infinity();
    double m_high = -std::numeric_limits<double>::infinity();
};

QVector<double> asVector(const std::vector<double>& values) {
    return {values.begin(), values.end()};
}

}  // namespace

struct TrainingPlot::Private {
    TrainingPicture picture;
    bool rateShown = false;
    bool zoomed = false;
    bool moving = false;  ///< the axes are being set by code
    int drawn = 0;
    QCustomPlot* plot = nullptr;
    QCPAxisRect* metricRect = nullptr;
    QCPGraph* raw = nullptr;
    QCPGraph* smoothed = nullptr;
    QCPGraph* rate = nullptr;
    QCPGraph* metric = nullptr;
    QCPItemStraightLine* keptLoss = nullptr;
    QCPItemStraightLine* keptMetric = nullptr;
    QCPItemText* keptText = nullptr;

    QCPAxis* steps() const { return plot->xAxis; }
    double newest() const {
        double step =
            picture.curve && !picture.curve->isEmpty() ? picture.curve->step().back() : 1.0;
        for (const auto& point : picture.validations) {
            step = std::max(step, static_cast<double>(point.step));
        }
        return step;
    }
    MetricDisplay display() const {
        const auto* info =
            picture.validations.empty() ? nullptr : findMetric(picture.validations.front().metric);
        return info != nullptr ? displayOf(*info) : MetricDisplay();
    }
    QString metricName() const {
        if (picture.validations.empty()) {
            return {};
        }
        const auto& key = picture.validations.front().metric;
        const auto* info = findMetric(key);
        return info != nullptr ? metricTextWithUnit(*info) : QString::fromStdString(key);
    }
    const ValidationPoint* validationAt(std::int64_t step) const {
        for (const auto& point : picture.validations) {
            if (point.step == step) {
                return &point;
            }
        }
        return nullptr;
    }
};

TrainingPlot::TrainingPlot(const QString& objectName, QWidget* parent)
    : QWidget(parent), d(std::make_unique<Private>()) {
    setObjectName(objectName);
    d->plot = new QCustomPlot(this);
    d->plot->setObjectName(objectName + u"Canvas"_s);
    d->plot->setMinimumHeight(150);
    makeAxes();
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(d->plot);
    connect(d->plot, &QCustomPlot::mouseMove, this, [this](QMouseEvent* event) {
        if (event->buttons() == Qt::NoButton) {
            hover(event->position().toPoint(), event->globalPosition().toPoint());
        }
    });
    connect(d->plot, &QCustomPlot::mouseDoubleClick, this, &TrainingPlot::showAll);
    // Both rectangles show the same steps, whichever the mouse is in.
    for (auto* axis : {d->steps(), d->metricRect->axis(QCPAxis::atBottom)}) {
        connect(axis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), this,
                [this](const QCPRange& range) {
                    if (!d->moving) {
                        showSteps(range.lower, range.upper, true);
                    }
                });
    }
    restyle();
}

TrainingPlot::~TrainingPlot() = default;

void TrainingPlot::makeAxes() {
    auto& plot = *d->plot;
    auto* above = plot.axisRect();
    d->metricRect = new QCPAxisRect(&plot);
    plot.plotLayout()->addElement(1, 0, d->metricRect);
    plot.plotLayout()->setRowStretchFactors({1.8, 1.0});
    plot.plotLayout()->setRowSpacing(2);
    auto* margins = new QCPMarginGroup(&plot);
    for (auto* rect : {above, d->metricRect}) {
        rect->setMarginGroup(QCP::msLeft | QCP::msRight, margins);
        rect->setRangeDrag(Qt::Horizontal);
        rect->setRangeZoom(Qt::Horizontal);
    }
    for (auto* axis : d->metricRect->axes()) {
        axis->setLayer(u"axes"_s);
        axis->grid()->setLayer(u"grid"_s);
    }
    plot.setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
    auto* below = d->metricRect;
    d->raw = plot.addGraph(plot.xAxis, plot.yAxis);
    d->rate = plot.addGraph(plot.xAxis, plot.yAxis2);
    d->smoothed = plot.addGraph(plot.xAxis, plot.yAxis);
    d->metric = plot.addGraph(below->axis(QCPAxis::atBottom), below->axis(QCPAxis::atLeft));
    for (auto* graph : {d->raw, d->rate, d->smoothed}) {
        graph->setAdaptiveSampling(false);  // drawnLine() has done it
    }
    d->keptLoss = new QCPItemStraightLine(&plot);
    d->keptMetric = new QCPItemStraightLine(&plot);
    d->keptText = new QCPItemText(&plot);
    for (auto* position : {d->keptMetric->point1, d->keptMetric->point2}) {
        position->setAxes(below->axis(QCPAxis::atBottom), below->axis(QCPAxis::atLeft));
        position->setAxisRect(below);
    }
    d->keptMetric->setClipAxisRect(below);
    d->keptText->position->setTypeX(QCPItemPosition::ptPlotCoords);
    d->keptText->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
    d->keptText->setPadding(QMargins(4, 1, 4, 1));
}

void TrainingPlot::restyle() {
    const PlotColours colours = plotColours(palette());
    auto& plot = *d->plot;
    stylePlot(plot, colours);
    auto faint = colours.series[0];
    faint.setAlphaF(0.3F);
    d->raw->setPen(QPen(faint, 1.0));
    d->smoothed->setPen(QPen(colours.series[0], 2.0));
    d->rate->setPen(QPen(colours.series[1], 1.5, Qt::DotLine));
    d->metric->setPen(QPen(colours.series[2], 1.5));
    d->metric->setScatterStyle(
        QCPScatterStyle(QCPScatterStyle::ssDisc, colours.series[2], colours.series[2], 6));
    for (auto* line : {d->keptLoss, d->keptMetric}) {
        line->setPen(QPen(colours.selection, 1.5, Qt::DashLine));
    }
    d->keptText->setColor(colours.text);
    d->keptText->setBrush(colours.card);
    d->keptText->setFont(font());
    plot.yAxis->setLabel(tr("Loss"));
    plot.yAxis2->setLabel(tr("Learning rate"));
    plot.yAxis2->setNumberFormat(u"gb"_s);
    plot.yAxis2->setNumberPrecision(3);
    d->metricRect->axis(QCPAxis::atBottom)->setLabel(tr("Step"));
    plot.xAxis->setTickLabels(false);
    plot.setAccessibleName(tr("Loss and metric while training"));
    setPicture(d->picture);
}

void TrainingPlot::setPicture(TrainingPicture picture) {
    if (picture.curve != d->picture.curve) {
        d->zoomed = false;
    }
    d->picture = std::move(picture);
    drawMetric();
    if (d->zoomed) {
        drawLines();
    } else {
        showAll();
    }
    describe();
}

void TrainingPlot::setLearningRateShown(bool shown) {
    d->rateShown = shown;
    drawLines();
}

bool TrainingPlot::learningRateShown() const { return d->rateShown; }
bool TrainingPlot::isZoomed() const { return d->zoomed; }
QWidget* TrainingPlot::canvas() const { return d->plot; }
int TrainingPlot::drawnPoints() const { return d->drawn; }

std::pair<double, double> TrainingPlot::view() const {
    return {d->steps()->range().lower, d->steps()->range().upper};
}

void TrainingPlot::setView(double from, double to) { showSteps(from, to, true); }

/// Every step so far, and a little room for the next.
void TrainingPlot::showAll() {
    showSteps(0.0, std::max(d->newest(), kLeastSteps) * (1.0 + kRightMargin), false);
}

void TrainingPlot::showSteps(double from, double to, bool zoomed) {
    const double lacking = std::max(0.0, kLeastSteps - (to - from)) / 2.0;
    {
        const QScopedValueRollback moving(d->moving, true);
        for (auto* axis : {d->steps(), d->metricRect->axis(QCPAxis::atBottom)}) {
            axis->setRange(from - lacking, to + lacking);
        }
    }
    d->zoomed = zoomed;
    drawLines();
}

void TrainingPlot::drawLines() {
    auto& plot = *d->plot;
    const auto& curve = d->picture.curve;
    const double from = d->steps()->range().lower;
    const double to = d->steps()->range().upper;
    const int columns = std::max(50, plot.axisRect()->width());
    Range losses;
    Range rates;
    d->drawn = 0;
    const auto show = [&](QCPGraph* graph, const std::vector<double>& values, Range& seen) {
        const auto line = drawnLine(curve->step(), values, from, to, columns);
        graph->setData(asVector(line.x), asVector(line.y), true);
        seen.take(line.y);
        d->drawn += static_cast<int>(line.x.size());
    };
    const bool rate = d->rateShown && curve != nullptr;
    plot.yAxis2->setVisible(rate);
    d->rate->setVisible(rate);
    if (curve) {
        show(d->raw, curve->loss(), losses);
        show(d->smoothed, curve->smoothed(), losses);
        if (rate) {
            show(d->rate, curve->learningRate(), rates);
        }
    } else {
        d->raw->setData({}, {});
        d->smoothed->setData({}, {});
    }
    plot.yAxis->setRange(losses.padded());
    plot.yAxis2->setRange(rates.padded());
    styleScale(*plot.yAxis, false);
    styleScale(*plot.yAxis2, false);
    drawKept();
    replotSoon();
}

void TrainingPlot::drawMetric() {
    const auto display = d->display();
    QVector<double> x;
    QVector<double> y;
    Range values;
    for (const auto& point : d->picture.validations) {
        x.append(static_cast<double>(point.step));
        y.append(point.value * display.factor);
    }
    values.take({y.begin(), y.end()});
    d->metric->setData(x, y, true);
    auto* axis = d->metricRect->axis(QCPAxis::atLeft);
    axis->setLabel(d->metricName());
    axis->setRange(values.padded());
    styleScale(*axis, false);
}

void TrainingPlot::drawKept() {
    const bool known = d->picture.keptStep > 0;
    const auto at = static_cast<double>(d->picture.keptStep);
    for (auto* line : {d->keptLoss, d->keptMetric}) {
        line->setVisible(known);
        line->point1->setCoords(at, 0.0);
        line->point2->setCoords(at, 1.0);
    }
    const QCPRange range = d->steps()->range();
    d->keptText->setVisible(known && range.contains(at));
    d->keptText->setText(tr("kept: step %L1").arg(d->picture.keptStep));
    const bool right = at > range.center();
    d->keptText->setPositionAlignment((right ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignTop);
    d->keptText->position->setCoords(at, 0.02);
}

void TrainingPlot::replotSoon() { d->plot->replot(QCustomPlot::rpQueuedReplot); }

std::optional<QPoint> TrainingPlot::pixelOf(std::int64_t step, bool validation) const {
    // The axis area may be older than the last resize; a queued replot would come too late.
    d->plot->replot(QCustomPlot::rpImmediateRefresh);
    const auto* rect = validation ? d->metricRect : d->plot->axisRect();
    double value = std::nan("");
    if (validation) {
        const auto* point = d->validationAt(step);
        value = point != nullptr ? point->value * d->display().factor : value;
    } else if (d->picture.curve) {
        const int index = d->picture.curve->indexAt(static_cast<double>(step));
        if (index >= 0 && d->picture.curve->step()[static_cast<std::size_t>(index)] ==
                              static_cast<double>(step)) {
            value = d->picture.curve->smoothed()[static_cast<std::size_t>(index)];
        }
    }
    if (!std::isfinite(value)) {
        return std::nullopt;
    }
    const QPoint pixel(
        qRound(rect->axis(QCPAxis::atBottom)->coordToPixel(static_cast<double>(step))),
        qRound(rect->axis(QCPAxis::atLeft)->coordToPixel(value)));
    return rect->rect().contains(pixel) ? std::optional(pixel) : std::nullopt;
}

QString TrainingPlot::cardText(std::int64_t step) const {
    QStringList lines{tr("Step %L1").arg(step)};
    const auto& curve = d->picture.curve;
    const int index = curve ? curve->indexAt(static_cast<double>(step)) : -1;
    if (index >= 0 && curve->step()[static_cast<std::size_t>(index)] == static_cast<double>(step)) {
        const auto at = static_cast<std::size_t>(index);
        const QLocale locale;
        lines.append(tr("Loss %1, smoothed %2")
                         .arg(locale.toString(curve->loss()[at], 'g', 5),
                              locale.toString(curve->smoothed()[at], 'g', 5)));
        lines.append(
            tr("Learning rate %1").arg(locale.toString(curve->learningRate()[at], 'g', 3)));
    }
    if (const auto* point = d->validationAt(step)) {
        const auto* info = findMetric(point->metric);
        lines.append(info != nullptr
                         ? tr("%1: %2", "metric, value")
                               .arg(metricText(*info), formatMetric(*info, point->value))
                         : QString::number(point->value));
    }
    return lines.join(u'\n');
}

void TrainingPlot::hover(const QPoint& position, const QPoint& global) {
    const bool below = d->metricRect->rect().contains(position);
    const auto* rect = below ? d->metricRect : d->plot->axisRect();
    if (!rect->rect().contains(position)) {
        return;
    }
    const double step = d->steps()->pixelToCoord(position.x());
    std::int64_t shown = 0;
    if (below) {
        for (const auto& point : d->picture.validations) {
            const double pixel = d->steps()->coordToPixel(static_cast<double>(point.step));
            shown = std::abs(pixel - position.x()) <= kReach ? point.step : shown;
        }
    } else if (d->picture.curve) {
        const int index = d->picture.curve->indexAt(step);
        shown = index >= 0 ? static_cast<std::int64_t>(
                                 d->picture.curve->step()[static_cast<std::size_t>(index)])
                           : 0;
    }
    if (shown > 0) {
        QToolTip::showText(global, cardText(shown), d->plot);
    }
}

void TrainingPlot::describe() {
    const auto& curve = d->picture.curve;
    QStringList parts{
        tr("%Ln step(s)", nullptr, curve ? static_cast<int>(curve->size()) : 0),
        tr("%Ln validation(s)", nullptr, static_cast<int>(d->picture.validations.size()))};
    if (curve && !curve->isEmpty()) {
        parts.append(
            tr("smoothed loss %1").arg(QLocale().toString(curve->smoothed().back(), 'g', 4)));
    }
    d->plot->setAccessibleDescription(parts.join(u", "_s));
}

bool TrainingPlot::savePlot(const QString& path, QString* error) {
    return writePlotImage(*d->plot, path,
                          {.size = d->plot->size(), .scale = 2.0, .title = tr("Training")}, error);
}

void TrainingPlot::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange ||
        event->type() == QEvent::LanguageChange) {
        restyle();
    }
}

}  // namespace pareto::widgets
