#include "app/studio/panes/layers_delegate.h"

#include <QComboBox>
#include <QDoubleSpinBox>

#include "widgets/editors/undo_keys.h"
#include "widgets/models/layer_tree_model.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;
using widgets::LayerTreeModel;

QWidget* LayersDelegate::createEditor(QWidget* parent, const QStyleOptionViewItem& option,
                                      const QModelIndex& index) const {
    if (index.column() == LayerTreeModel::Prune) {
        auto* spin = new QDoubleSpinBox(parent);
        spin->setObjectName(u"layersPruneSpin"_s);
        spin->setAccessibleName(tr("Share to remove, in per cent"));
        spin->setRange(0.0, 100.0);
        spin->setDecimals(1);
        spin->setSingleStep(5.0);
        spin->setFrame(false);
        spin->setAlignment(Qt::AlignRight);
        widgets::UndoKeysPassOn::install(spin);
        return spin;
    }
    if (index.column() == LayerTreeModel::Bits) {
        auto* combo = new QComboBox(parent);
        combo->setObjectName(u"layersBitsCombo"_s);
        combo->setAccessibleName(tr("How the weight is held"));
        for (const auto& format : widgets::layerFormats()) {
            combo->addItem(format.text);
        }
        return combo;
    }
    return QStyledItemDelegate::createEditor(parent, option, index);
}

void LayersDelegate::setEditorData(QWidget* editor, const QModelIndex& index) const {
    if (auto* spin = qobject_cast<QDoubleSpinBox*>(editor)) {
        spin->setValue(index.data(Qt::EditRole).toDouble() * 100.0);
        spin->selectAll();
    } else if (auto* combo = qobject_cast<QComboBox*>(editor)) {
        combo->setCurrentIndex(
            std::max(0, combo->findText(index.data(Qt::DisplayRole).toString())));
    }
}

void LayersDelegate::setModelData(QWidget* editor, QAbstractItemModel* model,
                                  const QModelIndex& index) const {
    if (auto* spin = qobject_cast<QDoubleSpinBox*>(editor)) {
        spin->interpretText();
        model->setData(index, spin->value() / 100.0, Qt::EditRole);
    } else if (auto* combo = qobject_cast<QComboBox*>(editor)) {
        model->setData(index, combo->currentText(), Qt::EditRole);
    }
}

}  // namespace pareto::studio
