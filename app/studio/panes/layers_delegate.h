#pragma once

#include <QStyledItemDelegate>

namespace pareto::studio {

/// Editors of the Layers table: a spin box in per cent for the column Prune, a list of formats for
/// Bits. Both leave Ctrl+Z to the recipe.
class LayersDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    QWidget* createEditor(QWidget* parent, const QStyleOptionViewItem& option,
                          const QModelIndex& index) const override;
    void setEditorData(QWidget* editor, const QModelIndex& index) const override;
    void setModelData(QWidget* editor, QAbstractItemModel* model,
                      const QModelIndex& index) const override;
};

}  // namespace pareto::studio
