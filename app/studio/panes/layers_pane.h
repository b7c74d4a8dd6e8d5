#pragma once

#include <memory>

#include <QWidget>

#include "widgets/models/layer_tree_model.h"

QT_BEGIN_NAMESPACE
class QCheckBox;
class QLineEdit;
class QStackedWidget;
class QTreeView;
QT_END_NAMESPACE

namespace pareto::widgets {
class EmptyState;
}

namespace pareto::studio {

class Actions;
class Runs;
class Selection;
class Workspace;

/// Every block, group and layer with what the recipe does to it; edits go to all selected rows that
/// the edit fits, as one undo step.
class LayersPane : public QWidget {
    Q_OBJECT
public:
    LayersPane(Workspace& workspace, Runs& runs, Selection& selection, Actions& actions,
               QWidget* parent = nullptr);

    void focusFilter();
    /// Names of the selected rows.
    QStringList selectedNames() const;
    /// Selected rows as tab-separated text with a header.
    void copy();
    /// Settings from tab-separated text: rows "name … prune … bits" as copied, or one value for all
    /// selected rows.
    void paste();
    QTreeView* view() const { return m_view; }

private:
    void showModel();
    void showPlan();
    void showTimes();
    void showSelection();
    void publishSelection();
    void setGrouped(bool grouped);
    void setFilter(const QString& text);
    void editRatio(const QModelIndex& index, double ratio);
    void editFormat(const QModelIndex& index, const QString& format);
    void pasteRow(const QStringList& cells);
    void applyRatio(const QModelIndexList& rows, double ratio);
    void applyFormat(const QModelIndexList& rows, const QString& format);
    QModelIndexList rowsFor(const QModelIndex& edited, bool layersOnly) const;

    Workspace& m_workspace;
    Runs& m_runs;
    Selection& m_selection;
    widgets::LayerTreeModel* m_model = nullptr;
    QLineEdit* m_filter = nullptr;
    QCheckBox* m_group = nullptr;
    QTreeView* m_view = nullptr;
    QStackedWidget* m_stack = nullptr;
    widgets::EmptyState* m_empty = nullptr;
    bool m_showing = false;
};

}  // namespace pareto::studio
