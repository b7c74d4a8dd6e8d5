#include "widgets/support/elided_label.h"

#include <QEvent>

namespace pareto::widgets {

ElidedLabel::ElidedLabel(QWidget* parent) : QLabel(parent) {
    setTextFormat(Qt::PlainText);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
}

void ElidedLabel::setFullText(const QString& text) {
    if (m_full == text) {
        return;
    }
    m_full = text;
    setAccessibleName(text);
    elide();
    updateGeometry();
}

void ElidedLabel::setElideMode(Qt::TextElideMode mode) {
    m_mode = mode;
    elide();
}

QSize ElidedLabel::minimumSizeHint() const {
    const auto metrics = fontMetrics();
    const int shortest = metrics.horizontalAdvance(m_full.left(3) + QChar(u'…'));
    return {qMin(shortest, sizeHint().width()), QLabel::minimumSizeHint().height()};
}

QSize ElidedLabel::sizeHint() const {
    return {fontMetrics().horizontalAdvance(m_full) + 2 * margin() + 2,
            QLabel::sizeHint().height()};
}

void ElidedLabel::resizeEvent(QResizeEvent* event) {
    QLabel::resizeEvent(event);
    elide();
}

void ElidedLabel::changeEvent(QEvent* event) {
    QLabel::changeEvent(event);
    if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) {
        elide();
    }
}

void ElidedLabel::elide() {
    const QString shown = fontMetrics().elidedText(m_full, m_mode, contentsRect().width());
    setText(shown);
    setToolTip(shown == m_full ? QString() : m_full);
}

}  // namespace pareto::widgets
