#include "widgets/plots/step_timeline_plot.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <QEvent>
#include <QLabel>
#include <QToolTip>
#include <QVBoxLayout>

#include <qcustomplot.h>

#include "widgets/plots/plot_style.h"
#include "widgets/support/number_format.h"

namespace pareto::widgets {

using namespace Qt::StringLiterals;

namespace {

constexpr double kHalfRow = 0.42;  ///< of the distance between two rows
constexpr int kMostLabels = 16;

/// What the legend tells apart.
enum class Look { Compute, Sum, Hand, WaitPart, Nothing };
constexpr std::array kLooks{Look::Compute, Look::Sum, Look::Hand, Look::WaitPart, Look::Nothing};

Look lookOf(PartDoing doing) {
    switch (doing) {
    case PartDoing::Compute:
        return Look::Compute;
    case PartDoing::Sum:
        return Look::Sum;
    case PartDoing::Hand:
        return Look::Hand;
    case PartDoing::WaitPart:
        return Look::WaitPart;
    case PartDoing::WaitStage:
    case PartDoing::Idle:
        break;
    }
    return Look::Nothing;
}

struct Bar {
    int row = 0;
    double begin = 0.0;  ///< ms
    double end = 0.0;
};

/// The segments of one look, in every row.
class Segments : public QCPAbstractPlottable {
public:
    Segments(QCPAxis* time, QCPAxis* rows) : QCPAbstractPlottable(time, rows) {
        setSelectable(QCP::stNone);
    }
    void setBars(std::vector<Bar> bars) { m_bars = std::move(bars); }

    double selectTest(const QPointF&, bool, QVariant*) const override { return -1.0; }
    QCPRange getKeyRange(bool& found, QCP::SignDomain) const override {
        found = false;
        return {};
    }
    QCPRange getValueRange(bool& found, QCP::SignDomain, const QCPRange&) const override {
        found = false;
        return {};
    }

protected:
    void draw(QCPPainter* painter) override {
        painter->setPen(Qt::NoPen);
        painter->setBrush(mBrush);
        // Parts of a pixel are mixed with what else is there.
        painter->setAntialiasing(true);
        const QCPRange seen = mKeyAxis->range();
        for (const auto& bar : m_bars) {
            if (bar.end <= seen.lower || bar.begin >= seen.upper) {
                continue;
            }
            const double left = mKeyAxis->coordToPixel(std::max(bar.begin, seen.lower));
            const double right = mKeyAxis->coordToPixel(std::min(bar.end, seen.upper));
            const double top = mValueAxis->coordToPixel(bar.row - kHalfRow);
            const double bottom = mValueAxis->coordToPixel(bar.row + kHalfRow);
            painter->drawRect(QRectF(QPointF(left, std::min(top, bottom)),
                                     QPointF(right, std::max(top, bottom))));
        }
    }
    void drawLegendIcon(QCPPainter*, const QRectF&) const override {}

private:
    std::vector<Bar> m_bars;
};

QColor mixed(const QColor& a, const QColor& b, double share) {
    const auto mix = [share](int x, int y) { return qRound(x * share + y * (1.0 - share)); };
    return {mix(a.red(), b.red()), mix(a.green(), b.green()), mix(a.blue(), b.blue())};
}

QBrush brushOf(Look look, const PlotColours& colours) {
    switch (look) {
    case Look::Compute:
        return colours.series[0];
    case Look::Sum:
        return colours.series[1];
    case Look::Hand:
        return colours.series[2];
    case Look::WaitPart:
        return mixed(colours.mutedText, colours.background, 0.7);
    case Look::Nothing:
        break;
    }
    return mixed(colours.mutedText, colours.background, 0.28);
}

}  // namespace

struct StepTimelinePlot::Private {
    std::vector<PartTimeline> timelines;
    int step = 0;
    QStringList legend;
    QCustomPlot* plot = nullptr;
    QLabel* key = nullptr;

    const PartStep* stepOf(std::size_t row) const {
        const auto at = static_cast<std::size_t>(step);
        return step >= 0 && at < timelines[row].steps.size() ? &timelines[row].steps[at] : nullptr;
    }
    int rowOf(int rank) const {
        const auto found = std::find_if(timelines.begin(), timelines.end(),
                                        [rank](const auto& one) { return one.rank == rank; });
        return found == timelines.end() ? -1 : static_cast<int>(found - timelines.begin());
    }
    double milliseconds() const {
        double most = 0.0;
        for (std::size_t row = 0; row < timelines.size(); ++row) {
            const auto* one = stepOf(row);
            most = std::max(most, one != nullptr ? one->seconds * 1000.0 : 0.0);
        }
        return most;
    }
};

StepTimelinePlot::StepTimelinePlot(const QString& objectName, QWidget* parent)
    : QWidget(parent), d(std::make_unique<Private>()) {
    setObjectName(objectName);
    d->plot = new QCustomPlot(this);
    d->plot->setObjectName(objectName + u"Canvas"_s);
    d->plot->setMinimumHeight(90);
    d->plot->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
    d->plot->axisRect()->setRangeDrag(Qt::Horizontal);
    d->plot->axisRect()->setRangeZoom(Qt::Horizontal);
    d->plot->axisRect()->setMinimumMargins(QMargins(0, 2, 14, 0));
    // Above the rows, which it would hide.
    d->key = new QLabel(this);
    d->key->setObjectName(objectName + u"Legend"_s);
    d->key->setTextFormat(Qt::RichText);
    d->key->setContentsMargins(8, 0, 8, 0);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(d->key);
    layout->addWidget(d->plot, 1);
    connect(d->plot, &QCustomPlot::mouseMove, this, [this](QMouseEvent* event) {
        if (event->buttons() == Qt::NoButton) {
            hover(event->position().toPoint(), event->globalPosition().toPoint());
        }
    });
    connect(d->plot, &QCustomPlot::mouseDoubleClick, this, [this] {
        showAll();
        d->plot->replot(QCustomPlot::rpQueuedReplot);
    });
    connect(d->plot->xAxis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), this,
            [this](const QCPRange& range) {
                // Not beyond the step.
                const double most = std::max(d->milliseconds(), 1e-3);
                d->plot->xAxis->setRange(range.bounded(0.0, most));
            });
    rebuild();
}

StepTimelinePlot::~StepTimelinePlot() = default;

void StepTimelinePlot::setStep(std::vector<PartTimeline> timelines, int step) {
    d->timelines = std::move(timelines);
    d->step = step;
    rebuild();
}

QWidget* StepTimelinePlot::canvas() const { return d->plot; }
int StepTimelinePlot::rowCount() const { return static_cast<int>(d->timelines.size()); }
QStringList StepTimelinePlot::legend() const { return d->legend; }

std::pair<double, double> StepTimelinePlot::view() const {
    const auto range = d->plot->xAxis->range();
    return {range.lower / 1000.0, range.upper / 1000.0};
}

std::optional<QPoint> StepTimelinePlot::pixelOf(int rank, double seconds) const {
    const int row = d->rowOf(rank);
    if (row < 0) {
        return std::nullopt;
    }
    d->plot->replot(QCustomPlot::rpImmediateRefresh);
    const QPoint at(qRound(d->plot->xAxis->coordToPixel(seconds * 1000.0)),
                    qRound(d->plot->yAxis->coordToPixel(row)));
    return d->plot->axisRect()->rect().contains(at) ? std::optional(at) : std::nullopt;
}

QString StepTimelinePlot::cardText(int rank, double seconds) const {
    const int row = d->rowOf(rank);
    const auto* step = row < 0 ? nullptr : d->stepOf(static_cast<std::size_t>(row));
    if (step == nullptr) {
        return {};
    }
    const auto found = std::find_if(
        step->segments.begin(), step->segments.end(),
        [seconds](const PartSegment& one) { return one.begin <= seconds && seconds < one.end; });
    if (found == step->segments.end()) {
        return {};
    }
    const auto what = [&]() -> QString {
        switch (found->doing) {
        case PartDoing::Compute:
            return tr("computing");
        case PartDoing::Sum:
            return tr("exchanging values with the parts of its stage");
        case PartDoing::Hand:
            return tr("handing states from stage to stage");
        case PartDoing::WaitPart:
            return tr("waiting for a part of its stage");
        case PartDoing::WaitStage:
            return tr("waiting for another stage");
        case PartDoing::Idle:
            break;
        }
        return tr("waiting to hear what to do");
    };
    const auto& timeline = d->timelines[static_cast<std::size_t>(row)];
    const auto ms = [](double value) { return formatNumber(value * 1000.0, 3); };
    return tr("Rank %1 on %2, stage %3")
               .arg(rank)
               .arg(QString::fromStdString(timeline.host))
               .arg(timeline.stage) +
           u'\n' + what() + u'\n' +
           tr("%1 ms: from %2 to %3 ms")
               .arg(ms(found->end - found->begin), ms(found->begin), ms(found->end));
}

void StepTimelinePlot::hover(const QPoint& position, const QPoint& global) {
    const double row = d->plot->yAxis->pixelToCoord(position.y());
    const auto at = static_cast<int>(std::lround(row));
    const bool inRow = d->plot->axisRect()->rect().contains(position) && at >= 0 &&
                       at < rowCount() && std::abs(row - at) <= kHalfRow;
    QToolTip::showText(global,
                       inRow ? cardText(d->timelines[static_cast<std::size_t>(at)].rank,
                                        d->plot->xAxis->pixelToCoord(position.x()) / 1000.0)
                             : QString(),
                       d->plot);
}

void StepTimelinePlot::showAll() {
    d->plot->xAxis->setRange(0.0, std::max(d->milliseconds(), 1e-3));
    // The first rank on top.
    d->plot->yAxis->setRange(-0.6, std::max(0, rowCount() - 1) + 0.6);
    d->plot->yAxis->setRangeReversed(true);
}

void StepTimelinePlot::rebuild() {
    const PlotColours colours = plotColours(palette());
    auto& plot = *d->plot;
    plot.clearPlottables();
    stylePlot(plot, colours);
    styleScale(*plot.xAxis, false);
    plot.xAxis->setLabel(tr("Time in the step, ms"));
    plot.xAxis->setLabelPadding(1);
    plot.yAxis->setSubTicks(false);
    plot.yAxis->grid()->setVisible(false);
    auto rows = QSharedPointer<QCPAxisTickerText>::create();
    const int every = std::max(1, (rowCount() + kMostLabels - 1) / kMostLabels);
    for (int row = 0; row < rowCount(); row += every) {
        rows->addTick(row, tr("Rank %1").arg(d->timelines[static_cast<std::size_t>(row)].rank));
    }
    plot.yAxis->setTicker(rows);
    const auto nameOf = [](Look look) {
        switch (look) {
        case Look::Compute:
            return tr("computing");
        case Look::Sum:
            return tr("exchanging");
        case Look::Hand:
            return tr("handing on");
        case Look::WaitPart:
            return tr("waiting for its stage");
        case Look::Nothing:
            break;
        }
        return tr("nothing to do");
    };
    d->legend.clear();
    QStringList key;
    for (const Look look : kLooks) {
        std::vector<Bar> bars;
        for (std::size_t row = 0; row < d->timelines.size(); ++row) {
            const auto* step = d->stepOf(row);
            for (std::size_t i = 0; step != nullptr && i < step->segments.size(); ++i) {
                const auto& one = step->segments[i];
                if (lookOf(one.doing) == look && one.end > one.begin) {
                    bars.push_back({static_cast<int>(row), one.begin * 1000.0, one.end * 1000.0});
                }
            }
        }
        if (bars.empty()) {
            continue;
        }
        auto* segments = new Segments(plot.xAxis, plot.yAxis);
        segments->setBrush(brushOf(look, colours));
        segments->setBars(std::move(bars));
        d->legend.append(nameOf(look));
        key.append(u"<span style=\"color:%1\">\u25a0</span>&nbsp;%2"_s.arg(
            brushOf(look, colours).color().name(),
            nameOf(look).toHtmlEscaped().replace(u' ', u"&nbsp;"_s)));
    }
    d->key->setText(key.join(u"&nbsp;&nbsp; "_s));
    d->key->setVisible(!key.isEmpty());
    showAll();
    plot.setAccessibleName(tr("What each process did in one step"));
    QStringList facts;
    for (std::size_t row = 0; row < d->timelines.size(); ++row) {
        if (const auto* step = d->stepOf(row)) {
            const auto percent = [](double share) { return formatNumber(100.0 * share, 1); };
            facts.append(tr("Rank %1: %2 % computing, %3 % exchanging, %4 % waiting")
                             .arg(QString::number(d->timelines[row].rank),
                                  percent(step->shares.compute), percent(step->shares.transfer),
                                  percent(step->shares.wait)));
        }
    }
    plot.setAccessibleDescription(facts.join(u'\n'));
    plot.replot(QCustomPlot::rpQueuedReplot);
}

void StepTimelinePlot::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange ||
        event->type() == QEvent::LanguageChange) {
        rebuild();
    }
}

}  // namespace pareto::widgets
