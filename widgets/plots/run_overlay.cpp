#include "widgets/plots/run_overlay.h"

#include <algorithm>

namespace pareto::widgets {

namespace {

constexpr double kLabelGap = 8.0;

}  // namespace

RunOverlay::RunOverlay(QCustomPlot* plot, RunScatterPlottable* scatter, const QString& layer)
    : QCPLayerable(plot, layer), m_scatter(scatter) {}

void RunOverlay::applyDefaultAntialiasingHint(QCPPainter* painter) const {
    painter->setAntialiasing(true);
}

QRect RunOverlay::clipRect() const {
    // The card may stand over the axes; what must not is clipped in draw().
    return parentPlot()->rect();
}

bool RunOverlay::shown(int index) const {
    if (index < 0 || m_points == nullptr || index >= m_points->size()) {
        return false;
    }
    const QRectF rect = parentPlot()->axisRect()->rect().adjusted(-2, -2, 2, 2);
    return rect.contains(m_scatter->pixelOf(index));
}

void RunOverlay::drawRing(QCPPainter& painter, int index, double radius, double width) const {
    painter.setPen(QPen(m_scatter->colours().selection, width));
    painter.setBrush(Qt::NoBrush);
    painter.drawEllipse(m_scatter->pixelOf(index), radius, radius);
}

void RunOverlay::drawLabels(QCPPainter& painter) const {
    const bool few = m_points->size() <= RunScatterPlottable::kFewPoints;
    std::vector<int> named;
    for (int i = 0; i < m_points->size() && few; ++i) {
        if (shown(i)) {
            named.push_back(i);
        }
    }
    if (!few && shown(m_state.baseline)) {
        named.push_back(m_state.baseline);
    }
    const QFontMetricsF metrics(painter.font());
    const QRectF area = parentPlot()->axisRect()->rect();
    std::vector<QRectF> taken;
    for (int i = 0; i < m_points->size() && few; ++i) {
        const QPointF pixel = m_scatter->pixelOf(i);
        taken.emplace_back(pixel.x() - 6, pixel.y() - 6, 12, 12);
    }
    painter.setPen(m_scatter->colours().mutedText);
    for (const int index : named) {
        const QString text = metrics.elidedText(labelText(index), Qt::ElideRight, 200);
        const QSizeF size(metrics.horizontalAdvance(text) + 2, metrics.height());
        const QPointF pixel = m_scatter->pixelOf(index);
        const QRectF places[] = {
            {QPointF(pixel.x() + kLabelGap, pixel.y() - size.height() - 2), size},
            {QPointF(pixel.x() + kLabelGap, pixel.y() + 3), size},
            {QPointF(pixel.x() - kLabelGap - size.width(), pixel.y() - size.height() - 2), size},
            {QPointF(pixel.x() - kLabelGap - size.width(), pixel.y() + 3), size},
        };
        for (const QRectF& place : places) {
            const bool free = std::none_of(taken.begin(), taken.end(), [&](const QRectF& other) {
                return other.intersects(place);
            });
            if (free && area.contains(place)) {
                painter.drawText(place, Qt::AlignLeft | Qt::AlignVCenter, text);
                taken.push_back(place);
                break;
            }
        }
    }
}

void RunOverlay::drawCard(QCPPainter& painter) const {
    const int index = shown(m_state.hovered) ? m_state.hovered : m_state.keyboard;
    if (!shown(index) || !cardText) {
        return;
    }
    const QStringList lines = cardText(index);
    QFont heading = painter.font();
    heading.setBold(true);
    const QFontMetricsF plain(painter.font());
    const QFontMetricsF bold(heading);
    constexpr double kMargin = 8.0;
    double width = 0.0;
    for (qsizetype i = 0; i < lines.size(); ++i) {
        width = std::max(width, (i == 0 ? bold : plain).horizontalAdvance(lines[i]));
    }
    const QSizeF size(width + 2 * kMargin + 1,
                      plain.lineSpacing() * static_cast<double>(lines.size()) + 2 * kMargin - 2);
    const QRectF area = QRectF(parentPlot()->rect()).adjusted(4, 4, -4, -4);
    const QPointF pixel = m_scatter->pixelOf(index);
    QRectF card(pixel + QPointF(14, 14), size);
    if (card.right() > area.right()) {
        card.moveRight(pixel.x() - 14);
    }
    if (card.bottom() > area.bottom()) {
        card.moveBottom(pixel.y() - 14);
    }
    card.moveLeft(std::max(card.left(), area.left()));
    card.moveTop(std::max(card.top(), area.top()));
    painter.setPen(QPen(m_scatter->colours().cardBorder, 1));
    painter.setBrush(m_scatter->colours().card);
    painter.drawRoundedRect(card, 4, 4);
    painter.setPen(m_scatter->colours().text);
    const QFont font = painter.font();
    QRectF line(card.left() + kMargin, card.top() + kMargin - 1, width + 1, plain.lineSpacing());
    for (qsizetype i = 0; i < lines.size(); ++i) {
        painter.setFont(i == 0 ? heading : font);
        painter.drawText(line, Qt::AlignLeft | Qt::AlignVCenter, lines[i]);
        line.translate(0, plain.lineSpacing());
    }
    painter.setFont(font);
}

void RunOverlay::draw(QCPPainter* painter) {
    if (m_points == nullptr) {
        return;
    }
    const QRect area = parentPlot()->axisRect()->rect();
    painter->setFont(parentPlot()->font());
    painter->save();
    painter->setClipRect(area.adjusted(-6, -6, 6, 6));
    const auto colour = m_scatter->colours().selection;
    if (m_points->size() > RunScatterPlottable::kFewPoints) {
        if (shown(m_state.baseline)) {
            m_scatter->drawErrorBars(*painter, m_state.baseline, m_scatter->colours().mutedText);
        }
        for (const int index : m_state.selected) {
            if (shown(index)) {
                m_scatter->drawErrorBars(*painter, index, colour);
            }
        }
        for (const int index : {m_state.hovered, m_state.keyboard}) {
            if (shown(index)) {
                m_scatter->drawErrorBars(*painter, index, m_scatter->colours().text);
            }
        }
    }
    for (const int index : m_state.selected) {
        if (shown(index)) {
            drawRing(*painter, index, 8.0, index == m_state.current ? 2.4 : 1.4);
        }
    }
    for (const int index : {m_state.hovered, m_state.keyboard}) {
        if (shown(index)) {
            drawRing(*painter, index, 10.5, 1.2);
        }
    }
    drawLabels(*painter);
    if (m_state.box.isValid()) {
        QColor ground = colour;
        ground.setAlpha(36);
        painter->setPen(QPen(colour, 1, Qt::DashLine));
        painter->setBrush(ground);
        painter->drawRect(m_state.box);
    }
    painter->restore();
    if (m_state.focus) {
        painter->setPen(QPen(colour, 1, Qt::DotLine));
        painter->setBrush(Qt::NoBrush);
        painter->drawRect(parentPlot()->rect().adjusted(1, 1, -2, -2));
    }
    drawCard(*painter);
}

}  // namespace pareto::widgets
