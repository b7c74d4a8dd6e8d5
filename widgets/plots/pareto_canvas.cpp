#include "widgets/plots/pareto_canvas.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "widgets/plots/plot_style.h"

namespace pareto::widgets {

namespace {

constexpr double kReach = 12.0;              // pixels around a point that count as on it
constexpr std::size_t kMostViews = 100;
constexpr qint64 kOneWheelMs = 600;          // wheel steps closer than this are one step of history
const QString kOverlayLayer = QStringLiteral("paretoOverlay");

/// Room around the values, on a logarithmic axis in its own terms.
QCPRange padded(double low, double high, bool logarithmic) {
    constexpr double kMargin = 0.08;
    if (logarithmic) {
        const double factor = low == high ? 1.5 : std::pow(high / low, kMargin);
        return {low / factor, high * factor};
    }
    const double room = low == high ? std::max(std::abs(low) * 0.1, 0.5) : (high - low) * kMargin;
    return {low - room, high + room};
}

QCPRange homeRange(const std::vector<double>& values, bool logarithmic) {
    if (values.empty()) {
        return logarithmic ? QCPRange(0.1, 10.0) : QCPRange(0.0, 1.0);
    }
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    return padded(*low, *high, logarithmic);
}

QCPRange zoomed(const QCPAxis& axis, double factor, double pixel) {
    const double centre = axis.pixelToCoord(pixel);
    const QCPRange range = axis.range();
    if (axis.scaleType() == QCPAxis::stLogarithmic) {
        return {centre * std::pow(range.lower / centre, factor),
                centre * std::pow(range.upper / centre, factor)};
    }
    return {centre + (range.lower - centre) * factor, centre + (range.upper - centre) * factor};
}

QCPRange shifted(const QCPAxis& axis, QCPRange range, double fromPixel, double toPixel) {
    if (axis.scaleType() == QCPAxis::stLogarithmic) {
        const double factor = axis.pixelToCoord(fromPixel) / axis.pixelToCoord(toPixel);
        return {range.lower * factor, range.upper * factor};
    }
    const double by = axis.pixelToCoord(fromPixel) - axis.pixelToCoord(toPixel);
    return {range.lower + by, range.upper + by};
}

}  // namespace

ParetoCanvas::ParetoCanvas(QWidget* parent) : QCustomPlot(parent) {
    addLayer(kOverlayLayer, layer(QStringLiteral("overlay")), QCustomPlot::limAbove);
    layer(kOverlayLayer)->setMode(QCPLayer::lmBuffered);
    m_scatter = new RunScatterPlottable(xAxis, yAxis);
    m_overlay = new RunOverlay(this, m_scatter, kOverlayLayer);
    setInteractions(QCP::Interactions());
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    axisRect()->setMinimumMargins(QMargins(8, 10, 14, 8));
    setColours(plotColours(palette()));
}

void ParetoCanvas::setColours(const PlotColours& colours) {
    stylePlot(*this, colours);
    m_scatter->setColours(colours);
    replot(QCustomPlot::rpQueuedReplot);
}

void ParetoCanvas::setPoints(const ParetoPoints* points, int baseline) {
    m_points = points;
    m_scatter->setPoints(points);
    m_scatter->setBaseline(baseline);
    m_overlay->setPoints(points);
    auto& state = m_overlay->state();
    state = {};
    state.baseline = baseline;
    state.focus = hasFocus();
    if (m_home) {
        showView(homeView(), false);
    } else {
        replot(QCustomPlot::rpQueuedReplot);
    }
}

void ParetoCanvas::setScales(bool logX, bool logY) {
    const bool same = (xAxis->scaleType() == QCPAxis::stLogarithmic) == logX
                      && (yAxis->scaleType() == QCPAxis::stLogarithmic) == logY;
    if (same) {
        return;
    }
    xAxis->setScaleType(logX ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
    yAxis->setScaleType(logY ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
    m_home = true;
    m_history.clear();
    m_historyAt = 0;
}

void ParetoCanvas::setHighlights(std::vector<int> selected, int current) {
    m_overlay->state().selected = std::move(selected);
    m_overlay->state().current = current;
    replotOverlay();
}

void ParetoCanvas::replotOverlay() {
    layer(kOverlayLayer)->replot();
}

PlotView ParetoCanvas::view() const {
    return {xAxis->range().lower, xAxis->range().upper, yAxis->range().lower,
            yAxis->range().upper};
}

PlotView ParetoCanvas::homeView() const {
    if (m_points == nullptr) {
        return homeViewOf({}, {});
    }
    if (m_points->size() > RunScatterPlottable::kFewPoints) {
        return homeViewOf(m_points->x, m_points->y);
    }
    // Every point shows its error bars: they belong to the picture.
    const auto withBars = [](const QCPAxis& axis, std::vector<double> values,
                             const std::vector<double>& low, const std::vector<double>& high) {
        const bool logarithmic = axis.scaleType() == QCPAxis::stLogarithmic;
        for (const auto* ends : {&low, &high}) {
            std::copy_if(
                ends->begin(), ends->end(), std::back_inserter(values),
                [&](double end) { return std::isfinite(end) && (!logarithmic || end > 0.0); });
        }
        return values;
    };
    return homeViewOf(withBars(*xAxis, m_points->x, m_points->xLow, m_points->xHigh),
                      withBars(*yAxis, m_points->y, m_points->yLow, m_points->yHigh));
}

PlotView ParetoCanvas::homeViewOf(const std::vector<double>& xs, const std::vector<double>& ys) const {
    const QCPRange x = homeRange(xs, xAxis->scaleType() == QCPAxis::stLogarithmic);
    const QCPRange y = homeRange(ys, yAxis->scaleType() == QCPAxis::stLogarithmic);
    return {x.lower, x.upper, y.lower, y.upper};
}

void ParetoCanvas::showView(const PlotView& wanted, bool asStep) {
    const QCPRange x(wanted.xLow, wanted.xHigh);
    const QCPRange y(wanted.yLow, wanted.yHigh);
    if (!QCPRange::validRange(x) || !QCPRange::validRange(y)) {
        return;
    }
    if (asStep) {
        remember();
    }
    xAxis->setRange(x);
    yAxis->setRange(y);
    styleScale(*xAxis, xAxis->scaleType() == QCPAxis::stLogarithmic);
    styleScale(*yAxis, yAxis->scaleType() == QCPAxis::stLogarithmic);
    m_home = view() == homeView();
    replot(QCustomPlot::rpQueuedReplot);
    Q_EMIT viewChanged();
}

void ParetoCanvas::remember() {
    // A new step after going back forgets what lay ahead.
    m_history.resize(std::min(m_historyAt, m_history.size()));
    m_history.push_back(view());
    if (m_history.size() > kMostViews) {
        m_history.erase(m_history.begin());
    }
    m_historyAt = m_history.size();
}

void ParetoCanvas::showHome() {
    showView(homeView());
    m_home = true;
}

void ParetoCanvas::startOver() {
    m_history.clear();
    m_historyAt = 0;
    showView(homeView(), false);
}

bool ParetoCanvas::zoomBack() {
    if (m_historyAt == 0) {
        return false;
    }
    if (m_historyAt == m_history.size()) {
        m_history.push_back(view());
    }
    --m_historyAt;
    showView(m_history[m_historyAt], false);
    return true;
}

bool ParetoCanvas::zoomForward() {
    if (m_historyAt + 1 >= m_history.size()) {
        return false;
    }
    ++m_historyAt;
    showView(m_history[m_historyAt], false);
    return true;
}

void ParetoCanvas::zoomBy(double factor, const QPointF& at, bool alongX, bool alongY) {
    PlotView next = view();
    if (alongX) {
        const QCPRange x = zoomed(*xAxis, factor, at.x());
        next.xLow = x.lower;
        next.xHigh = x.upper;
    }
    if (alongY) {
        const QCPRange y = zoomed(*yAxis, factor, at.y());
        next.yLow = y.lower;
        next.yHigh = y.upper;
    }
    const bool sameTurn = m_lastWheel.isValid() && m_lastWheel.elapsed() < kOneWheelMs;
    m_lastWheel.start();
    showView(next, !sameTurn);
}

void ParetoCanvas::clearHover() {
    auto& state = m_overlay->state();
    if (state.hovered != -1) {
        state.hovered = -1;
        Q_EMIT pointHovered(-1);
    }
    state.keyboard = -1;
    replotOverlay();
}

void ParetoCanvas::hoverAt(const QPointF& position) {
    const bool inside = axisRect()->rect().adjusted(-6, -6, 6, 6).contains(position.toPoint());
    const int index = inside && m_points != nullptr ? m_scatter->nearest(position, kReach) : -1;
    auto& state = m_overlay->state();
    if (index == state.hovered) {
        return;
    }
    state.hovered = index;
    if (index >= 0) {
        state.keyboard = -1;
    }
    setCursor(index >= 0 ? Qt::PointingHandCursor : Qt::ArrowCursor);
    replotOverlay();
    Q_EMIT pointHovered(index);
}

void ParetoCanvas::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) {
        event->ignore();
        return;
    }
    m_pressedAt = event->position();
    m_pressedView = view();
    const bool inside = axisRect()->rect().contains(m_pressedAt.toPoint());
    m_gesture = inside && event->modifiers().testFlag(Qt::ShiftModifier) ? Gesture::Boxing
                                                                         : Gesture::Pressed;
    event->accept();
}

void ParetoCanvas::mouseMoveEvent(QMouseEvent* event) {
    const QPointF position = event->position();
    const bool far = (position - m_pressedAt).manhattanLength() >= QApplication::startDragDistance();
    switch (m_gesture) {
    case Gesture::None: hoverAt(position); break;
    case Gesture::Pressed:
        if (far) {
            m_gesture = Gesture::Panning;
            remember();
            setNoAntialiasingOnDrag(true);
            setCursor(Qt::ClosedHandCursor);
            pan(position);
        }
        break;
    case Gesture::Panning: pan(position); break;
    case Gesture::Boxing:
        m_overlay->state().box = QRectF(m_pressedAt, position).normalized().toRect()
                                 & axisRect()->rect();
        replotOverlay();
        break;
    }
    event->accept();
}

void ParetoCanvas::pan(const QPointF& position) {
    const QCPRange x = shifted(*xAxis, {m_pressedView.xLow, m_pressedView.xHigh}, m_pressedAt.x(),
                               position.x());
    const QCPRange y = shifted(*yAxis, {m_pressedView.yLow, m_pressedView.yHigh}, m_pressedAt.y(),
                               position.y());
    showView({x.lower, x.upper, y.lower, y.upper}, false);
}

void ParetoCanvas::finishBox() {
    const QRect box = m_overlay->state().box;
    m_overlay->state().box = {};
    if (box.width() < 5 || box.height() < 5) {
        replotOverlay();
        return;
    }
    showView({xAxis->pixelToCoord(box.left()), xAxis->pixelToCoord(box.right()),
              yAxis->pixelToCoord(box.bottom()), yAxis->pixelToCoord(box.top())});
}

void ParetoCanvas::mouseReleaseEvent(QMouseEvent* event) {
    const Gesture gesture = std::exchange(m_gesture, Gesture::None);
    event->accept();
    if (event->button() != Qt::LeftButton) {
        return;
    }
    if (gesture == Gesture::Boxing) {
        finishBox();
    } else if (gesture == Gesture::Panning) {
        setCursor(Qt::ArrowCursor);
        hoverAt(event->position());
    } else if (gesture == Gesture::Pressed) {
        const int index = m_points == nullptr ? -1 : m_scatter->nearest(event->position(), kReach);
        if (index >= 0) {
            Q_EMIT pointClicked(index, event->modifiers());
        } else if (axisRect()->rect().contains(event->position().toPoint())) {
            Q_EMIT emptyClicked();
        }
    }
}

void ParetoCanvas::mouseDoubleClickEvent(QMouseEvent* event) {
    m_gesture = Gesture::None;
    event->accept();
    if (event->button() != Qt::LeftButton) {
        return;
    }
    const int index = m_points == nullptr ? -1 : m_scatter->nearest(event->position(), kReach);
    if (index >= 0) {
        Q_EMIT pointActivated(index);
    } else {
        showHome();
    }
}

void ParetoCanvas::wheelEvent(QWheelEvent* event) {
    const double steps = event->angleDelta().y() != 0 ? event->angleDelta().y() / 120.0
                                                      : event->angleDelta().x() / 120.0;
    if (steps == 0.0) {
        event->ignore();
        return;
    }
    const QRect area = axisRect()->rect();
    const QPoint at = event->position().toPoint();
    const bool onXAxis = at.y() > area.bottom();
    const bool onYAxis = at.x() < area.left();
    const bool alongX = !onYAxis && !event->modifiers().testFlag(Qt::ShiftModifier);
    const bool alongY = !onXAxis && !event->modifiers().testFlag(Qt::ControlModifier);
    zoomBy(std::pow(0.85, steps), event->position(), alongX, alongY);
    event->accept();
}

void ParetoCanvas::stepPoint(int direction) {
    if (m_points == nullptr || m_points->size() == 0) {
        return;
    }
    std::vector<int> order;
    for (int i = 0; i < m_points->size(); ++i) {
        if (axisRect()->rect().contains(m_scatter->pixelOf(i).toPoint())) {
            order.push_back(i);
        }
    }
    if (order.empty()) {
        return;
    }
    std::stable_sort(order.begin(), order.end(), [this](int a, int b) {
        return m_points->x[static_cast<std::size_t>(a)] < m_points->x[static_cast<std::size_t>(b)];
    });
    auto& state = m_overlay->state();
    const int from = state.keyboard >= 0 ? state.keyboard : state.current;
    const auto place = std::find(order.begin(), order.end(), from);
    const auto count = static_cast<std::ptrdiff_t>(order.size());
    std::ptrdiff_t next = direction > 0 ? 0 : count - 1;
    if (place != order.end()) {
        next = std::clamp<std::ptrdiff_t>(place - order.begin() + direction, 0, count - 1);
    }
    state.keyboard = order[static_cast<std::size_t>(next)];
    state.hovered = -1;
    replotOverlay();
    Q_EMIT pointHovered(state.keyboard);
}

void ParetoCanvas::keyPressEvent(QKeyEvent* event) {
    const int point = m_overlay->state().keyboard >= 0 ? m_overlay->state().keyboard
                                                       : m_overlay->state().current;
    switch (event->key()) {
    case Qt::Key_Right: stepPoint(1); break;
    case Qt::Key_Left: stepPoint(-1); break;
    case Qt::Key_Space:
        if (point >= 0) {
            Q_EMIT pointClicked(point, event->modifiers());
        }
        break;
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (point >= 0) {
            Q_EMIT pointActivated(point);
        }
        break;
    case Qt::Key_Plus:
    case Qt::Key_Equal: zoomBy(0.8, axisRect()->rect().center()); break;
    case Qt::Key_Minus: zoomBy(1.25, axisRect()->rect().center()); break;
    case Qt::Key_0: showHome(); break;
    case Qt::Key_Backspace: zoomBack(); break;
    case Qt::Key_Escape:
        clearHover();
        Q_EMIT emptyClicked();
        break;
    default: QWidget::keyPressEvent(event); return;
    }
    event->accept();
}

void ParetoCanvas::leaveEvent(QEvent* event) {
    QCustomPlot::leaveEvent(event);
    clearHover();
}

void ParetoCanvas::focusInEvent(QFocusEvent* event) {
    QCustomPlot::focusInEvent(event);
    const auto reason = event->reason();
    m_overlay->state().focus = reason == Qt::TabFocusReason || reason == Qt::BacktabFocusReason;
    replotOverlay();
}

void ParetoCanvas::focusOutEvent(QFocusEvent* event) {
    QCustomPlot::focusOutEvent(event);
    m_overlay->state().focus = false;
    m_overlay->state().keyboard = -1;
    replotOverlay();
}

void ParetoCanvas::contextMenuEvent(QContextMenuEvent* event) {
    const int index = m_points == nullptr ? -1 : m_scatter->nearest(event->pos(), kReach);
    Q_EMIT menuRequested(event->globalPos(), index);
    event->accept();
}

}  // namespace pareto::widgets
