#pragma once

#include <vector>

#include <QWidget>

#include "app/studio/selection.h"

QT_BEGIN_NAMESPACE
class QLabel;
class QLineEdit;
class QStackedWidget;
class QTableView;
class QToolButton;
QT_END_NAMESPACE

namespace pareto::widgets {
class EmptyState;
class RunTableModel;
}

namespace pareto::studio {

class Actions;
class Dialogs;
class Runs;
class Workspace;

/// All stored runs: quick filters, inline rename and note, the star, and the bar that takes a deletion
/// back.
class RunsPane : public QWidget {
    Q_OBJECT
public:
    RunsPane(Workspace& workspace, Runs& runs, Selection& selection, Actions& actions,
             Dialogs& dialogs, QWidget* parent = nullptr);

    void focusFilter();
    /// Selected rows as tab-separated text with a header.
    void copy();
    void selectAll();
    QTableView* view() const { return m_view; }
    widgets::RunTableModel* model() const { return m_model; }

Q_SIGNALS:
    void compareRequested(const std::vector<RunId>& runs);

protected:
    void changeEvent(QEvent* event) override;

private:
    QWidget* makeBar();
    QWidget* makeUndoBar();
    QToolButton* makeQuickFilter(const QString& name);
    void retranslate();
    void showRuns();
    void showFilter();
    void showEmptyState();
    void showSelection();
    void publishSelection();
    void openMenu(const QPoint& at);
    void clicked(const QModelIndex& index);
    void offerUndo(const std::vector<RunId>& runs);

    Workspace& m_workspace;
    Runs& m_runs;
    Selection& m_selection;
    Actions& m_actions;
    Dialogs& m_dialogs;
    widgets::RunTableModel* m_model = nullptr;
    QTableView* m_view = nullptr;
    QLineEdit* m_filter = nullptr;
    QToolButton* m_thisModel = nullptr;
    QToolButton* m_comparable = nullptr;
    QToolButton* m_deleted = nullptr;
    QToolButton* m_emptyDeleted = nullptr;
    QToolButton* m_restore = nullptr;
    QWidget* m_undoBar = nullptr;
    QLabel* m_undoText = nullptr;
    QToolButton* m_undo = nullptr;
    QToolButton* m_undoClose = nullptr;
    QStackedWidget* m_stack = nullptr;
    widgets::EmptyState* m_empty = nullptr;
    std::vector<RunId> m_justDeleted;
    bool m_showing = false;
};

}  // namespace pareto::studio
