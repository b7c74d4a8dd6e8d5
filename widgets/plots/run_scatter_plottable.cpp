#include "widgets/plots/run_scatter_plottable.h"

#include <algorithm>
#include <cmath>

#include "widgets/plots/plot_style.h"

namespace pareto::widgets {

namespace {

constexpr int kCell = 16;             // pixels of a grid cell, about the reach of a click
constexpr int kSpriteSize = 16;       // logical pixels
constexpr int kThinningFrom = 5000;   // fewer points are all drawn
constexpr int kSpot = 3;              // with many points, one marker a spot of this size


QColor blended(const QColor& colour, const QColor& ground, double share) {
    const auto mix = [share](int a, int b) { return qRound(a * share + b * (1.0 - share)); };
    return QColor(mix(colour.red(), ground.red()), mix(colour.green(), ground.green()),
                  mix(colour.blue(), ground.blue()));
}

/// Half an error bar: ends in a cap, or in an arrow where it goes on beyond the picture.
void drawHalfBar(QCPPainter& painter, const QPointF& from, const QPointF& to, bool whole) {
    constexpr double kCap = 3.0;
    constexpr double kArrow = 6.0;
    painter.drawLine(QLineF(from, to));
    const QPointF apart = to - from;
    const double length = std::hypot(apart.x(), apart.y());
    if (length < 1.0) {
        return;
    }
    const QPointF along = apart / length;
    const QPointF across(-along.y(), along.x());
    if (whole) {
        painter.drawLine(QLineF(to - across * kCap, to + across * kCap));
    } else {
        painter.drawPolygon(QPolygonF{to, to - along * kArrow + across * kCap,
                                      to - along * kArrow - across * kCap});
    }
}

QCPRange rangeOf(const std::vector<double>& values, QCP::SignDomain domain, bool& found) {
    QCPRange range;
    found = false;
    for (const double value : values) {
        if ((domain == QCP::sdPositive && value <= 0.0)
            || (domain == QCP::sdNegative && value >= 0.0)) {
            continue;
        }
        if (!found) {
            range = QCPRange(value, value);
            found = true;
        } else {
            range.lower = std::min(range.lower, value);
            range.upper = std::max(range.upper, value);
        }
    }
    return range;
}

}  // namespace

RunScatterPlottable::RunScatterPlottable(QCPAxis* keyAxis, QCPAxis* valueAxis)
    : QCPAbstractPlottable(keyAxis, valueAxis) {
    setSelectable(QCP::stNone);
}

void RunScatterPlottable::setPoints(const ParetoPoints* points) {
    m_points = points;
    m_pixelsValid = false;
    m_gridValid = false;
}

void RunScatterPlottable::setColours(const PlotColours& colours) {
    m_colours = colours;
    m_sprites.clear();
}

RunScatterPlottable::View RunScatterPlottable::currentView() const {
    const QCPAxis* x = mKeyAxis.data();
    const QCPAxis* y = mValueAxis.data();
    return {x->range(), y->range(), x->axisRect()->rect(),
            x->scaleType() == QCPAxis::stLogarithmic, y->scaleType() == QCPAxis::stLogarithmic};
}

void RunScatterPlottable::ensurePixels() const {
    const View view = currentView();
    if (m_pixelsValid && view == m_view) {
        return;
    }
    m_view = view;
    m_pixelsValid = true;
    m_gridValid = false;
    const std::size_t count = m_points == nullptr ? 0 : m_points->id.size();
    m_pixels.resize(count);
    const QCPAxis* x = mKeyAxis.data();
    const QCPAxis* y = mValueAxis.data();
    for (std::size_t i = 0; i < count; ++i) {
        m_pixels[i] = {x->coordToPixel(m_points->x[i]), y->coordToPixel(m_points->y[i])};
    }
}

void RunScatterPlottable::ensureGrid() const {
    ensurePixels();
    if (m_gridValid) {
        return;
    }
    m_gridValid = true;
    const QRect rect = m_view.rect;
    m_gridColumns = std::max(1, rect.width() / kCell + 1);
    m_gridRows = std::max(1, rect.height() / kCell + 1);
    const auto cellOf = [&](const QPointF& pixel) {
        if (!rect.adjusted(-1, -1, 1, 1).contains(pixel.toPoint())) {
            return -1;
        }
        const int column = std::clamp(static_cast<int>(pixel.x() - rect.left()) / kCell, 0,
                                      m_gridColumns - 1);
        const int row = std::clamp(static_cast<int>(pixel.y() - rect.top()) / kCell, 0,
                                   m_gridRows - 1);
        return row * m_gridColumns + column;
    };
    const auto cells = static_cast<std::size_t>(m_gridColumns) * static_cast<std::size_t>(m_gridRows);
    m_cellStart.assign(cells + 1, 0);
    for (const QPointF& pixel : m_pixels) {
        if (const int cell = cellOf(pixel); cell >= 0) {
            ++m_cellStart[static_cast<std::size_t>(cell) + 1];
        }
    }
    for (std::size_t cell = 0; cell < cells; ++cell) {
        m_cellStart[cell + 1] += m_cellStart[cell];
    }
    m_cellPoints.resize(static_cast<std::size_t>(m_cellStart[cells]));
    std::vector<int> next(m_cellStart.begin(), m_cellStart.end() - 1);
    for (std::size_t i = 0; i < m_pixels.size(); ++i) {
        if (const int cell = cellOf(m_pixels[i]); cell >= 0) {
            const auto place = static_cast<std::size_t>(next[static_cast<std::size_t>(cell)]++);
            m_cellPoints[place] = static_cast<int>(i);
        }
    }
}

QPointF RunScatterPlottable::pixelOf(int index) const {
    ensurePixels();
    return m_pixels[static_cast<std::size_t>(index)];
}

int RunScatterPlottable::nearest(const QPointF& pixel, double reach) const {
    ensureGrid();
    const QRect rect = m_view.rect;
    const int reachCells = static_cast<int>(std::ceil(reach / kCell));
    const int column = static_cast<int>(std::floor((pixel.x() - rect.left()) / kCell));
    const int row = static_cast<int>(std::floor((pixel.y() - rect.top()) / kCell));
    int best = -1;
    double bestDistance = reach * reach;
    for (int r = std::max(0, row - reachCells); r <= std::min(m_gridRows - 1, row + reachCells); ++r) {
        for (int c = std::max(0, column - reachCells);
             c <= std::min(m_gridColumns - 1, column + reachCells); ++c) {
            const auto cell = static_cast<std::size_t>(r * m_gridColumns + c);
            for (int k = m_cellStart[cell]; k < m_cellStart[cell + 1]; ++k) {
                const int index = m_cellPoints[static_cast<std::size_t>(k)];
                const auto at = static_cast<std::size_t>(index);
                const QPointF apart = m_pixels[at] - pixel;
                const double distance = QPointF::dotProduct(apart, apart);
                const bool tie = best >= 0 && distance == bestDistance && m_points->onFront[at];
                if (distance < bestDistance || tie) {
                    best = index;
                    bestDistance = distance;
                }
            }
        }
    }
    return best;
}

double RunScatterPlottable::selectTest(const QPointF&, bool, QVariant*) const {
    return -1.0;  // the canvas asks nearest()
}

QCPRange RunScatterPlottable::getKeyRange(bool& found, QCP::SignDomain domain) const {
    found = false;
    return m_points == nullptr ? QCPRange() : rangeOf(m_points->x, domain, found);
}

QCPRange RunScatterPlottable::getValueRange(bool& found, QCP::SignDomain domain,
                                            const QCPRange&) const {
    found = false;
    return m_points == nullptr ? QCPRange() : rangeOf(m_points->y, domain, found);
}

void RunScatterPlottable::paintMarker(QPainter& painter, int series, bool front) const {
    const QColor& colour = m_colours.series[static_cast<std::size_t>(series)];
    if (front) {
        painter.setPen(QPen(m_colours.background, 1.0));
        painter.setBrush(colour);
        painter.drawPath(markerPath(series, kRadius));
        return;
    }
    painter.setPen(QPen(blended(colour, m_colours.background, 0.62), 1.4));
    painter.setBrush(blended(colour, m_colours.background, 0.12));
    painter.drawPath(markerPath(series, kRadius - 1.0));
}

void RunScatterPlottable::ensureSprites(qreal devicePixelRatio) {
    if (!m_sprites.empty() && m_spriteRatio == devicePixelRatio) {
        return;
    }
    m_spriteRatio = devicePixelRatio;
    m_sprites.clear();
    for (int series = 0; series < static_cast<int>(m_colours.series.size()); ++series) {
        const auto picture = [&](bool front) {
            QPixmap pixmap(QSize(kSpriteSize, kSpriteSize) * devicePixelRatio);
            pixmap.setDevicePixelRatio(devicePixelRatio);
            pixmap.fill(Qt::transparent);
            QPainter painter(&pixmap);
            painter.setRenderHint(QPainter::Antialiasing);
            painter.translate(kSpriteSize / 2.0, kSpriteSize / 2.0);
            paintMarker(painter, series, front);
            return pixmap;
        };
        m_sprites.push_back({picture(false), picture(true)});
    }
}

void RunScatterPlottable::drawMarker(QCPPainter& painter, int index, bool asPicture) const {
    const auto at = static_cast<std::size_t>(index);
    const bool front = m_points->onFront[at] != 0;
    if (asPicture) {
        const Sprite& sprite = m_sprites[m_points->series[at]];
        painter.drawPixmap(m_pixels[at] - QPointF(kSpriteSize / 2.0, kSpriteSize / 2.0),
                           front ? sprite.front : sprite.dominated);
        return;
    }
    painter.save();
    painter.translate(m_pixels[at]);
    paintMarker(painter, m_points->series[at], front);
    painter.restore();
}

void RunScatterPlottable::drawMarkers(QCPPainter& painter) {
    const bool asPicture = !painter.modes().testFlag(QCPPainter::pmVectorized);
    ensureSprites(painter.device()->devicePixelRatioF());
    const QRect rect = m_view.rect;
    const bool thinning = m_points->size() > kThinningFrom;
    const int columns = rect.width() / kSpot + 1;
    if (thinning) {
        m_occupied.assign(static_cast<std::size_t>(columns)
                              * static_cast<std::size_t>(rect.height() / kSpot + 1),
                          0);
    }
    const QRectF visible = QRectF(rect).adjusted(-kRadius, -kRadius, kRadius, kRadius);
    for (int i = 0; i < m_points->size(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        const QPointF& pixel = m_pixels[at];
        if (m_points->onFront[at] || !visible.contains(pixel)) {
            continue;
        }
        if (thinning && QRectF(rect).contains(pixel)) {
            const int column = static_cast<int>(pixel.x() - rect.left()) / kSpot;
            const int row = static_cast<int>(pixel.y() - rect.top()) / kSpot;
            auto& occupied = m_occupied[static_cast<std::size_t>(row * columns + column)];
            if (occupied) {
                continue;
            }
            occupied = 1;
        }
        drawMarker(painter, i, asPicture);
    }
    for (const int index : m_points->front) {
        if (visible.contains(m_pixels[static_cast<std::size_t>(index)])) {
            drawMarker(painter, index, asPicture);
        }
    }
}

void RunScatterPlottable::drawFrontLine(QCPPainter& painter) const {
    if (m_points->front.size() < 2) {
        return;
    }
    // The edge of the region that some run attains: steps, since nothing is known between two runs.
    QPolygonF line;
    for (std::size_t i = 0; i < m_points->front.size(); ++i) {
        const QPointF pixel = m_pixels[static_cast<std::size_t>(m_points->front[i])];
        if (i > 0) {
            const QPointF last = line.back();
            line << (m_points->lowerXIsBetter ? QPointF(pixel.x(), last.y())
                                              : QPointF(last.x(), pixel.y()));
        }
        line << pixel;
    }
    painter.setPen(QPen(m_colours.front, 1.5));
    painter.setBrush(Qt::NoBrush);
    painter.drawPolyline(line);
}

/// From the edge of one marker to that of the other; nothing where they touch.
void RunScatterPlottable::drawPath(QCPPainter& painter, int from, int to) const {
    constexpr double kHead = 9.0;
    constexpr double kRoom = kRadius + 2.0;
    QLineF line(m_pixels[static_cast<std::size_t>(from)], m_pixels[static_cast<std::size_t>(to)]);
    const double length = line.length();
    if (length < 2.0 * kRoom + kHead) {
        return;
    }
    const QPointF along = (line.p2() - line.p1()) / length;
    const QPointF across(-along.y(), along.x());
    const QPointF tip = line.p2() - along * kRoom;
    const QColor colour = m_colours.series[m_points->series[static_cast<std::size_t>(to)]];
    painter.setPen(QPen(colour, 1.6, Qt::DashLine));
    painter.drawLine(QLineF(line.p1() + along * kRoom, tip - along * kHead * 0.8));
    painter.setPen(Qt::NoPen);
    painter.setBrush(colour);
    const QPointF side = across * kHead * 0.45;
    painter.drawPolygon(QPolygonF{tip, tip - along * kHead + side, tip - along * kHead - side});
}

void RunScatterPlottable::drawErrorBars(QCPPainter& painter, int index, const QColor& colour) const {
    ensurePixels();
    const auto at = static_cast<std::size_t>(index);
    const QPointF pixel = m_pixels[at];
    const QRectF area = m_view.rect;
    painter.setPen(QPen(colour, 1.0));
    painter.setBrush(colour);
    if (std::isfinite(m_points->xLow[at]) && std::isfinite(m_points->xHigh[at])) {
        for (const double end : {m_points->xLow[at], m_points->xHigh[at]}) {
            const double x = std::clamp(mKeyAxis->coordToPixel(end), area.left(), area.right());
            drawHalfBar(painter, pixel, {x, pixel.y()}, x > area.left() && x < area.right());
        }
    }
    if (std::isfinite(m_points->yLow[at]) && std::isfinite(m_points->yHigh[at])) {
        for (const double end : {m_points->yLow[at], m_points->yHigh[at]}) {
            const double y = std::clamp(mValueAxis->coordToPixel(end), area.top(), area.bottom());
            drawHalfBar(painter, pixel, {pixel.x(), y}, y > area.top() && y < area.bottom());
        }
    }
}

void RunScatterPlottable::drawBaseline(QCPPainter& painter) const {
    if (m_baseline < 0 || m_baseline >= m_points->size()) {
        return;
    }
    painter.save();
    painter.translate(m_pixels[static_cast<std::size_t>(m_baseline)]);
    painter.setPen(QPen(m_colours.background, 1.0));
    painter.setBrush(m_colours.baseline);
    painter.drawPath(baselinePath(kRadius));
    painter.restore();
}

void RunScatterPlottable::draw(QCPPainter* painter) {
    if (m_points == nullptr || m_points->size() == 0) {
        return;
    }
    ensurePixels();
    painter->setAntialiasing(true);
    drawFrontLine(*painter);
    if (m_points->size() <= kFewPoints) {
        for (int i = 0; i < m_points->size(); ++i) {
            const auto series = m_points->series[static_cast<std::size_t>(i)];
            drawErrorBars(*painter, i,
                          blended(m_colours.series[series], m_colours.background, 0.4));
        }
    }
    for (const auto& [from, to] : m_paths) {
        drawPath(*painter, from, to);
    }
    drawMarkers(*painter);
    drawBaseline(*painter);
}

void RunScatterPlottable::drawLegendIcon(QCPPainter* painter, const QRectF& rect) const {
    painter->save();
    painter->translate(rect.center());
    paintMarker(*painter, 0, true);
    painter->restore();
}

}  // namespace pareto::widgets
