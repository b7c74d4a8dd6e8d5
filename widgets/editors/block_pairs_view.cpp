#include "widgets/editors/block_pairs_view.h"

#include <algorithm>
#include <cmath>

#include <QAccessible>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>

#include "widgets/support/theme.h"

namespace pareto::widgets {

using namespace Qt::StringLiterals;

namespace {

constexpr int kGap = 5;  ///< pixels between boxes
constexpr int kMargin = 8;
constexpr int kLeastLines = 60;  ///< pixels between the columns
constexpr double kReach = 6.0;   ///< pixels from a line that belong to it

double distanceTo(const QLineF& line, const QPointF& point) {
    const QPointF along = line.p2() - line.p1();
    const double square = QPointF::dotProduct(along, along);
    const double share =
        square > 0.0 ? std::clamp(QPointF::dotProduct(point - line.p1(), along) / square, 0.0, 1.0)
                     : 0.0;
    return QLineF(line.p1() + along * share, point).length();
}

}  // namespace

BlockPairsView::BlockPairsView(const QString& objectName, QWidget* parent) : QWidget(parent) {
    setObjectName(objectName);
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    describe();
}

void BlockPairsView::setBlocks(const QStringList& student, const QStringList& teacher) {
    if (student == m_titles[Student] && teacher == m_titles[Teacher]) {
        return;
    }
    m_titles[Student] = student;
    m_titles[Teacher] = teacher;
    m_current = std::clamp(m_current, 0, std::max(0, count(Student) - 1));
    m_held = -1;
    m_dragFrom = {};
    setPairs(Pairs(m_pairs), m_chosen);
    updateGeometry();
}

void BlockPairsView::setPairs(const Pairs& pairs, bool chosen) {
    m_pairs = pairs;
    std::erase_if(m_pairs, [this](const auto& pair) {
        return pair.first < 0 || pair.first >= count(Student) || pair.second < 0 ||
               pair.second >= count(Teacher);
    });
    m_chosen = chosen;
    describe();
    update();
}

void BlockPairsView::setCurrent(int student) {
    student = std::clamp(student, 0, std::max(0, count(Student) - 1));
    if (student != m_current) {
        m_current = student;
        describe();
        update();
        Q_EMIT currentChanged(student);
    }
}

int BlockPairsView::teacherOf(int student) const {
    const auto found = std::find_if(m_pairs.begin(), m_pairs.end(),
                                    [&](const auto& pair) { return pair.first == student; });
    return found == m_pairs.end() ? -1 : found->second;
}

/// Fewer blocks stand in the middle of the height of more.
QRect BlockPairsView::boxOf(Side side, int block) const {
    const int height = fontMetrics().height() + 8;
    const int rows = std::max(count(Student), count(Teacher));
    const int width = std::max(40, (this->width() - 2 * kMargin - kLeastLines) / 2);
    const int step = height + kGap;
    const int top = kMargin + (rows - count(side)) * step / 2;
    const int left = side == Student ? kMargin : this->width() - kMargin - width;
    return {left, top + block * step, width, height};
}

QLineF BlockPairsView::lineOf(int student, int teacher) const {
    const QRect from = boxOf(Student, student);
    const QRect to = boxOf(Teacher, teacher);
    return {QPointF(from.right() + 1, from.center().y()), QPointF(to.left(), to.center().y())};
}

std::optional<QPoint> BlockPairsView::pixelOfPair(int student) const {
    const int teacher = teacherOf(student);
    return teacher < 0 ? std::nullopt : std::optional(lineOf(student, teacher).center().toPoint());
}

QSize BlockPairsView::sizeHint() const {
    const int rows = std::max({1, count(Student), count(Teacher)});
    return {260, 2 * kMargin + rows * (fontMetrics().height() + 8 + kGap)};
}

QSize BlockPairsView::minimumSizeHint() const { return {180, sizeHint().height()}; }

BlockPairsView::Place BlockPairsView::placeAt(const QPoint& at) const {
    for (const Side side : {Student, Teacher}) {
        for (int block = 0; block < count(side); ++block) {
            if (boxOf(side, block).contains(at)) {
                return {side, block};
            }
        }
    }
    return {};
}

int BlockPairsView::pairAt(const QPoint& at) const {
    int nearest = -1;
    double reach = kReach;
    for (const auto& [student, teacher] : m_pairs) {
        const double distance = distanceTo(lineOf(student, teacher), at);
        if (distance <= reach) {
            reach = distance;
            nearest = student;
        }
    }
    return nearest;
}

void BlockPairsView::pair(const Place& a, const Place& b) {
    if (a.block < 0 || b.block < 0 || a.side == b.side) {
        return;
    }
    const int student = a.side == Student ? a.block : b.block;
    const int teacher = a.side == Student ? b.block : a.block;
    setCurrent(student);
    if (teacher != teacherOf(student)) {
        Q_EMIT pairChosen(student, teacher);
    }
}

void BlockPairsView::remove(int student) {
    if (teacherOf(student) >= 0) {
        Q_EMIT pairRemoved(student);
    }
}

void BlockPairsView::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) {
        return;
    }
    const QPoint at = event->position().toPoint();
    m_held = -1;
    m_dragFrom = placeAt(at);
    m_dragAt = at;
    if (m_dragFrom.block >= 0 && m_dragFrom.side == Student) {
        setCurrent(m_dragFrom.block);
    } else if (const int student = pairAt(at); m_dragFrom.block < 0 && student >= 0) {
        setCurrent(student);
    }
    update();
}

void BlockPairsView::mouseMoveEvent(QMouseEvent* event) {
    m_dragAt = event->position().toPoint();
    const Place place = placeAt(m_dragAt);
    if (m_dragFrom.block >= 0 || !(place == m_hovered)) {
        m_hovered = place;
        update();
    }
    setCursor(m_dragFrom.block >= 0 ? Qt::ClosedHandCursor
              : place.block >= 0    ? Qt::OpenHandCursor
                                    : Qt::ArrowCursor);
}

void BlockPairsView::mouseReleaseEvent(QMouseEvent* event) {
    const Place from = std::exchange(m_dragFrom, Place());
    if (event->button() == Qt::LeftButton) {
        pair(from, placeAt(event->position().toPoint()));
    }
    update();
}

void BlockPairsView::mouseDoubleClickEvent(QMouseEvent* event) {
    const QPoint at = event->position().toPoint();
    const Place place = placeAt(at);
    m_dragFrom = {};
    if (place.block < 0) {
        remove(pairAt(at));
    } else if (place.side == Student) {
        remove(place.block);
    }
}

void BlockPairsView::leaveEvent(QEvent* event) {
    QWidget::leaveEvent(event);
    m_hovered = {};
    update();
}

void BlockPairsView::keyPressEvent(QKeyEvent* event) {
    const bool holding = m_held >= 0;
    const int direction = event->key() == Qt::Key_Up ? -1 : event->key() == Qt::Key_Down ? 1 : 0;
    const bool enter = event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter ||
                       event->key() == Qt::Key_Space;
    if (count(Student) == 0 || count(Teacher) == 0 ||
        event->modifiers() & (Qt::ControlModifier | Qt::AltModifier)) {
        QWidget::keyPressEvent(event);
    } else if (direction != 0 && holding) {
        m_held = std::clamp(m_held + direction, 0, count(Teacher) - 1);
    } else if (direction != 0) {
        setCurrent(m_current + direction);
    } else if (!holding && (enter || event->key() == Qt::Key_Right)) {
        m_held = std::max(0, teacherOf(m_current));
    } else if (holding && enter) {
        pair({Student, m_current}, {Teacher, std::exchange(m_held, -1)});
    } else if (holding && (event->key() == Qt::Key_Escape || event->key() == Qt::Key_Left)) {
        m_held = -1;
    } else if (event->key() == Qt::Key_Delete || event->key() == Qt::Key_Backspace) {
        m_held = -1;
        remove(m_current);
    } else {
        QWidget::keyPressEvent(event);
        return;
    }
    describe();
    update();
}

void BlockPairsView::focusInEvent(QFocusEvent* event) {
    QWidget::focusInEvent(event);
    update();
}

void BlockPairsView::focusOutEvent(QFocusEvent* event) {
    QWidget::focusOutEvent(event);
    m_held = -1;
    describe();
    update();
}

void BlockPairsView::paintBox(QPainter& painter, const Place& place) const {
    const PlotColours colours = plotColours(palette());
    const QRectF box = QRectF(boxOf(place.side, place.block)).adjusted(0.5, 0.5, -0.5, -0.5);
    const bool current = place.side == Student
                             ? place.block == m_current && m_held < 0 && hasFocus()
                             : place.block == m_held;
    const bool target =
        m_dragFrom.block >= 0 && place == m_hovered && place.side != m_dragFrom.side;
    const bool marked = current || target || place == m_dragFrom;
    painter.setPen(QPen(marked ? colours.selection : colours.axis, marked ? 2.0 : 1.0));
    painter.setBrush(colours.card);
    painter.drawRoundedRect(box, 4, 4);
    painter.setPen(colours.text);
    painter.drawText(
        box.adjusted(6, 0, -6, 0), Qt::AlignCenter,
        painter.fontMetrics().elidedText(m_titles[place.side][place.block], Qt::ElideMiddle,
                                         static_cast<int>(box.width()) - 12));
}

void BlockPairsView::paintEvent(QPaintEvent*) {
    const PlotColours colours = plotColours(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillRect(rect(), colours.background);
    for (const auto& [student, teacher] : m_pairs) {
        const bool current = student == m_current && hasFocus();
        QColor colour = current ? colours.selection : colours.series[0];
        colour.setAlphaF(m_chosen || current ? 1.0F : 0.55F);
        painter.setPen(QPen(colour, current ? 2.5 : 1.8, m_chosen ? Qt::SolidLine : Qt::DashLine));
        painter.drawLine(lineOf(student, teacher));
    }
    if (m_dragFrom.block >= 0) {
        const QRect box = boxOf(m_dragFrom.side, m_dragFrom.block);
        painter.setPen(QPen(colours.selection, 2.0, Qt::DotLine));
        painter.drawLine(
            QPoint(m_dragFrom.side == Student ? box.right() + 1 : box.left(), box.center().y()),
            m_dragAt);
    } else if (m_held >= 0) {
        painter.setPen(QPen(colours.selection, 2.0, Qt::DotLine));
        painter.drawLine(lineOf(m_current, m_held));
    }
    for (const Side side : {Student, Teacher}) {
        for (int block = 0; block < count(side); ++block) {
            paintBox(painter, {side, block});
        }
    }
}

/// What a screen reader says: the block that the keys are on, and from which it learns.
void BlockPairsView::describe() {
    setAccessibleName(tr("Pairs of blocks"));
    QString text;
    if (count(Student) > 0 && count(Teacher) > 0) {
        const QString student = m_titles[Student][m_current];
        const int teacher = m_held >= 0 ? m_held : teacherOf(m_current);
        text = m_held >= 0
                   ? tr("%1: Enter lets it learn from %2", "student's block, teacher's block")
                         .arg(student, m_titles[Teacher][teacher])
               : teacher < 0 ? tr("%1 learns from no block", "student's block").arg(student)
                             : tr("%1 learns from %2", "student's block, teacher's block")
                                   .arg(student, m_titles[Teacher][teacher]);
    }
    if (text != accessibleDescription()) {
        setAccessibleDescription(text);
        setToolTip(text.isEmpty() ? QString()
                                  : tr("Drag from a student's block to a teacher's. Double click "
                                       "or Delete takes a pair away."));
        QAccessibleEvent changed(this, QAccessible::DescriptionChanged);
        QAccessible::updateAccessibility(&changed);
    }
}

void BlockPairsView::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::LanguageChange) {
        describe();
    } else if (event->type() == QEvent::FontChange) {
        updateGeometry();
    }
}

}  // namespace pareto::widgets
