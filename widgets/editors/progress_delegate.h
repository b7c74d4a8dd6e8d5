#pragma once

#include <QStyledItemDelegate>

namespace pareto::widgets {

/// Draws a cell with a share (`role`, a double of 0…1) as a progress bar: below 0 the bar is busy,
/// without a value the cell is plain text.
class ProgressDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    explicit ProgressDelegate(int role, QObject* parent = nullptr);
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override;

private:
    int m_role;
};

}  // namespace pareto::widgets
