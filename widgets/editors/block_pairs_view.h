#pragma once

#include <optional>
#include <utility>
#include <vector>

#include <QStringList>
#include <QWidget>

namespace pareto::widgets {

/// Which student block learns from which teacher block: two columns of blocks and a line a pair.
/// Drag from one column to the other to pair two blocks (a student block has one teacher, a teacher
/// block may have several students); a double click on a line or a student block takes the pair
/// away. With keys: up and down move, Enter or Right takes a student's block, up and down choose
/// its teacher, Enter sets it, Escape lets go, Delete takes the pair away. Changes nothing itself.
/// GUI thread.
class BlockPairsView : public QWidget {
    Q_OBJECT
public:
    using Pairs = std::vector<std::pair<int, int>>;  ///< student block, teacher block
    enum Side { Student, Teacher };

    explicit BlockPairsView(const QString& objectName, QWidget* parent = nullptr);

    /// What stands in the boxes.
    void setBlocks(const QStringList& student, const QStringList& teacher);
    /// Pairs of blocks that are not there are left out. `chosen`: by a person; else drawn lighter.
    void setPairs(const Pairs& pairs, bool chosen);
    const Pairs& pairs() const { return m_pairs; }
    /// The student block that the keys are on.
    int current() const { return m_current; }
    void setCurrent(int student);

    /// The middle of a block's box, and of a pair's line.
    QPoint pixelOf(Side side, int block) const { return boxOf(side, block).center(); }
    std::optional<QPoint> pixelOfPair(int student) const;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void pairChosen(int student, int teacher);
    void pairRemoved(int student);
    void currentChanged(int student);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    struct Place {
        Side side = Student;
        int block = -1;
        bool operator==(const Place&) const = default;
    };
    int count(Side side) const { return static_cast<int>(m_titles[side].size()); }
    QRect boxOf(Side side, int block) const;
    QLineF lineOf(int student, int teacher) const;
    Place placeAt(const QPoint& at) const;
    int pairAt(const QPoint& at) const;  ///< its student; -1: none
    int teacherOf(int student) const;    ///< -1: none
    void pair(const Place& a, const Place& b);
    void remove(int student);
    void paintBox(QPainter& painter, const Place& place) const;
    void describe();

    QStringList m_titles[2];
    Pairs m_pairs;
    bool m_chosen = false;
    int m_current = 0;
    int m_held = -1;   ///< teacher block that the keys offer; -1: they are on the student's side
    Place m_dragFrom;  ///< block -1: nothing is dragged
    QPoint m_dragAt;
    Place m_hovered;
};

}  // namespace pareto::widgets
