#include "app/studio/panes/runs_pane.h"

#include <algorithm>
#include <unordered_set>

#include <QAction>
#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QScopedValueRollback>
#include <QStackedWidget>
#include <QStyledItemDelegate>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

#include "app/studio/actions.h"
#include "app/studio/dialogs/dialogs.h"
#include "app/studio/panes/run_columns_of.h"
#include "app/studio/runs.h"
#include "app/studio/workspace.h"
#include "widgets/models/run_table_model.h"
#include "widgets/support/empty_state.h"
#include "widgets/support/tsv.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;
using widgets::RunTableModel;

namespace {

struct ColumnWidth {
    int column;
    int characters;
};
constexpr ColumnWidth kWidths[] = {
    {RunTableModel::Name, 14},      {RunTableModel::Recipe, 9},   {RunTableModel::LatencyP50, 12},
    {RunTableModel::Headline, 12},  {RunTableModel::SizeMb, 6},   {RunTableModel::Delta, 8},
    {RunTableModel::Status, 11},    {RunTableModel::Date, 17},    {RunTableModel::Model, 20},
    {RunTableModel::Task, 18},      {RunTableModel::Target, 24},  {RunTableModel::Note, 22},
};

/// Runs change while somebody types a name (the store is watched): what was typed stays.
class TypedTextStays final : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void setEditorData(QWidget* editor, const QModelIndex& index) const override {
        const auto* line = qobject_cast<const QLineEdit*>(editor);
        if (line == nullptr || !line->isModified()) {
            QStyledItemDelegate::setEditorData(editor, index);
        }
    }
};

}  // namespace

RunsPane::RunsPane(Workspace& workspace, Runs& runs, Selection& selection, Actions& actions,
                   Dialogs& dialogs, QWidget* parent)
    : QWidget(parent), m_workspace(workspace), m_runs(runs), m_selection(selection),
      m_actions(actions), m_dialogs(dialogs) {
    setObjectName(u"runsPane"_s);
    m_model = new RunTableModel(this);
    m_view = new QTableView(this);
    m_view->setObjectName(u"runsTable"_s);
    m_view->setModel(m_model);
    m_view->setItemDelegate(new TypedTextStays(m_view));
    m_view->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_view->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_view->setEditTriggers(QAbstractItemView::EditKeyPressed);
    m_view->setContextMenuPolicy(Qt::CustomContextMenu);
    m_view->setShowGrid(false);
    m_view->setAlternatingRowColors(true);
    m_view->setWordWrap(false);
    m_view->setTabKeyNavigation(false);
    m_view->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_view->verticalHeader()->hide();
    m_view->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    m_view->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 8);
    auto* header = m_view->horizontalHeader();
    header->setObjectName(u"runsTableHeader"_s);
    header->setSectionsMovable(true);
    header->setHighlightSections(false);
    header->setMinimumSectionSize(24);
    const int character = fontMetrics().horizontalAdvance(u'0');
    m_view->setColumnWidth(RunTableModel::Star, 26);
    for (const auto& width : kWidths) {
        m_view->setColumnWidth(width.column, width.characters * character);
    }
    m_view->setSortingEnabled(true);
    m_view->sortByColumn(RunTableModel::Date, Qt::DescendingOrder);

    m_empty = new widgets::EmptyState(this);
    m_empty->setObjectName(u"runsEmpty"_s);
    m_stack = new QStackedWidget(this);
    m_stack->setObjectName(u"runsStack"_s);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(m_view);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(makeBar());
    layout->addWidget(m_stack, 1);
    layout->addWidget(makeUndoBar());

    connect(m_view->selectionModel(), &QItemSelectionModel::selectionChanged, this,
            &RunsPane::publishSelection);
    connect(m_view->selectionModel(), &QItemSelectionModel::currentChanged, this,
            &RunsPane::publishSelection);
    connect(m_view, &QTableView::clicked, this, &RunsPane::clicked);
    connect(m_view, &QTableView::doubleClicked, this, [this](const QModelIndex& index) {
        if (index.column() != RunTableModel::Star) {
            Q_EMIT compareRequested({m_model->runAt(index.row())});
        }
    });
    connect(m_view, &QTableView::customContextMenuRequested, this, &RunsPane::openMenu);
    connect(m_model, &RunTableModel::renameRequested, this,
            [this](qint64 run, const QString& name) { m_runs.rename(run, name); });
    connect(m_model, &RunTableModel::noteRequested, this,
            [this](qint64 run, const QString& note) { m_runs.setNote(run, note); });
    connect(&m_runs, &Runs::changed, this, &RunsPane::showRuns);
    connect(&m_runs, &Runs::hidden, this, &RunsPane::offerUndo);
    connect(&m_selection, &Selection::runsChanged, this, &RunsPane::showSelection);
    connect(&m_workspace, &Workspace::modelHashChanged, this, &RunsPane::showFilter);
    retranslate();
    showRuns();
}

QToolButton* RunsPane::makeQuickFilter(const QString& name) {
    auto* button = new QToolButton(this);
    button->setObjectName(name);
    button->setCheckable(true);
    button->setAutoRaise(true);
    connect(button, &QToolButton::toggled, this, &RunsPane::showFilter);
    return button;
}

QWidget* RunsPane::makeBar() {
    auto* bar = new QWidget(this);
    bar->setObjectName(u"runsBar"_s);
    auto* layout = new QHBoxLayout(bar);
    layout->setContentsMargins(4, 2, 4, 2);
    layout->setSpacing(4);
    m_filter = new QLineEdit(bar);
    m_filter->setObjectName(u"runsFilterEdit"_s);
    m_filter->setClearButtonEnabled(true);
    m_thisModel = makeQuickFilter(u"runsThisModelButton"_s);
    m_comparable = makeQuickFilter(u"runsComparableButton"_s);
    m_deleted = makeQuickFilter(u"runsDeletedButton"_s);
    m_restore = new QToolButton(bar);
    m_restore->setObjectName(u"runsRestoreButton"_s);
    m_restore->setAutoRaise(true);
    m_emptyDeleted = new QToolButton(bar);
    m_emptyDeleted->setObjectName(u"runsEmptyDeletedButton"_s);
    m_emptyDeleted->setAutoRaise(true);
    layout->addWidget(m_filter, 1);
    for (auto* button : {m_thisModel, m_comparable, m_deleted, m_restore, m_emptyDeleted}) {
        layout->addWidget(button);
    }
    connect(m_filter, &QLineEdit::textChanged, this, &RunsPane::showFilter);
    connect(m_restore, &QToolButton::clicked, this,
            [this] { m_runs.setDeleted(m_selection.runs(), false); });
    connect(m_emptyDeleted, &QToolButton::clicked, this, [this] {
        m_dialogs.ask({u"emptyDeletedDialog"_s, tr("Remove deleted runs"),
                       tr("Remove %Ln deleted run(s) for ever? This cannot be undone.", nullptr,
                          m_model->rowCount()),
                       tr("Remove"), tr("Keep")},
                      [this] { m_runs.emptyDeleted(); });
    });
    return bar;
}

QWidget* RunsPane::makeUndoBar() {
    m_undoBar = new QWidget(this);
    m_undoBar->setObjectName(u"runsUndoBar"_s);
    m_undoBar->setAutoFillBackground(true);
    m_undoBar->setBackgroundRole(QPalette::ToolTipBase);
    auto* layout = new QHBoxLayout(m_undoBar);
    layout->setContentsMargins(8, 2, 4, 2);
    m_undoText = new QLabel(m_undoBar);
    m_undoText->setObjectName(u"runsUndoLabel"_s);
    m_undo = new QToolButton(m_undoBar);
    m_undo->setObjectName(u"runsUndoButton"_s);
    m_undoClose = new QToolButton(m_undoBar);
    m_undoClose->setObjectName(u"runsUndoCloseButton"_s);
    m_undoClose->setAutoRaise(true);
    m_undoClose->setText(u"✕"_s);
    layout->addWidget(m_undoText);
    layout->addWidget(m_undo);
    layout->addStretch();
    layout->addWidget(m_undoClose);
    m_undoBar->hide();
    connect(m_undo, &QToolButton::clicked, this, [this] {
        m_runs.setDeleted(m_justDeleted, false);
        m_undoBar->hide();
    });
    connect(m_undoClose, &QToolButton::clicked, m_undoBar, &QWidget::hide);
    return m_undoBar;
}

void RunsPane::retranslate() {
    const auto say = [](QToolButton* button, const QString& text, const QString& toolTip) {
        button->setText(text);
        button->setToolTip(toolTip);
        button->setAccessibleName(toolTip);
    };
    m_view->setAccessibleName(tr("Stored runs"));
    m_filter->setPlaceholderText(tr("Filter"));
    m_filter->setAccessibleName(tr("Filter runs"));
    m_filter->setToolTip(tr("Words that must occur in name, model, recipe, task, target or note"));
    say(m_thisModel, tr("This model"), tr("Only runs of the open model"));
    say(m_comparable, tr("Comparable"), tr("Only runs comparable with one started now"));
    say(m_deleted, tr("Deleted"), tr("Deleted runs, until they are removed"));
    say(m_restore, tr("Restore"), tr("Bring the selected runs back"));
    say(m_emptyDeleted, tr("Remove…"), tr("Remove all deleted runs for ever"));
    say(m_undo, tr("Undo"), tr("Bring the deleted runs back"));
    m_undoClose->setToolTip(tr("Close"));
    m_undoClose->setAccessibleName(tr("Close this bar"));
    showEmptyState();
}

void RunsPane::showRuns() {
    {
        const QScopedValueRollback showing(m_showing, true);
        m_model->setColumns(runColumnsOf(m_runs.frame()));
    }
    showFilter();
}

void RunsPane::showFilter() {
    widgets::RunTableFilter filter;
    filter.text = m_filter->text();
    filter.deletedOnly = m_deleted->isChecked();
    if (m_thisModel->isChecked()) {
        // Without a model nothing is of this model; a hash that no run has says so.
        filter.modelHash = m_workspace.modelHash().isEmpty() ? u"-"_s : m_workspace.modelHash();
    }
    filter.comparableOnly = m_comparable->isChecked() && !filter.deletedOnly;
    if (filter.comparableOnly) {
        filter.comparable = m_runs.comparable().comparable;
    }
    {
        const QScopedValueRollback showing(m_showing, true);
        m_model->setFilter(filter);
    }
    m_restore->setVisible(filter.deletedOnly);
    m_emptyDeleted->setVisible(filter.deletedOnly);
    m_emptyDeleted->setEnabled(m_model->rowCount() > 0);
    m_comparable->setEnabled(!filter.deletedOnly);
    showSelection();
    showEmptyState();
}

void RunsPane::showEmptyState() {
    const bool any = m_model->rowCount() > 0;
    m_stack->setCurrentIndex(any ? 1 : 0);
    const bool filtered = !m_filter->text().isEmpty() || m_thisModel->isChecked()
                          || m_comparable->isChecked();
    m_empty->setText(m_deleted->isChecked() ? tr("No deleted runs.")
                     : filtered             ? tr("No run passes the filter.")
                                : tr("Every run is kept here, also those of the command line."));
}

void RunsPane::showSelection() {
    if (m_showing) {
        return;
    }
    const QScopedValueRollback showing(m_showing, true);
    const auto& chosen = m_selection.runs();
    const std::unordered_set<RunId> wanted(chosen.begin(), chosen.end());
    QItemSelection rows;
    int from = -1;
    const int count = m_model->rowCount();
    for (int row = 0; row <= count; ++row) {
        const bool in = row < count && wanted.contains(m_model->runAt(row));
        if (in && from < 0) {
            from = row;
        } else if (!in && from >= 0) {
            rows.select(m_model->index(from, 0),
                        m_model->index(row - 1, RunTableModel::ColumnCount - 1));
            from = -1;
        }
    }
    auto* selection = m_view->selectionModel();
    selection->select(rows, QItemSelectionModel::ClearAndSelect);
    const int current = m_model->rowOfRun(m_selection.currentRun());
    if (current >= 0 && m_view->currentIndex().row() != current) {
        const int column = std::max(0, m_view->currentIndex().column());
        selection->setCurrentIndex(m_model->index(current, column), QItemSelectionModel::NoUpdate);
        m_view->scrollTo(m_model->index(current, RunTableModel::Name));
    }
}

void RunsPane::publishSelection() {
    if (m_showing) {
        return;
    }
    const QScopedValueRollback showing(m_showing, true);
    std::vector<RunId> runs;
    const auto rows = m_view->selectionModel()->selectedRows();
    runs.reserve(static_cast<std::size_t>(rows.size()));
    for (const auto& index : rows) {
        runs.push_back(m_model->runAt(index.row()));
    }
    const RunId current = m_model->runAt(m_view->currentIndex().row());
    const bool chosen = std::find(runs.begin(), runs.end(), current) != runs.end();
    m_selection.setRuns(std::move(runs), chosen ? current : 0);
}

void RunsPane::clicked(const QModelIndex& index) {
    if (index.column() != RunTableModel::Star || m_deleted->isChecked()) {
        return;
    }
    const RunId id = m_model->runAt(index.row());
    if (const auto* run = m_runs.frame()->find(id);
        run != nullptr && run->status == RunStatus::Finished) {
        m_runs.setPinned(id, !run->pinned);
    }
}

void RunsPane::openMenu(const QPoint& at) {
    const QModelIndex index = m_view->indexAt(at);
    if (!index.isValid()) {
        return;
    }
    auto* menu = new QMenu(this);
    menu->setObjectName(u"runsMenu"_s);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    const auto row = QPersistentModelIndex(index);
    const auto addEdit = [&](const QString& text, int column) {
        connect(menu->addAction(text), &QAction::triggered, this,
                [this, row, column] { m_view->edit(row.sibling(row.row(), column)); });
    };
    if (m_deleted->isChecked()) {
        connect(menu->addAction(tr("Restore")), &QAction::triggered, m_restore, &QToolButton::click);
    } else {
        for (const char* id : {kActionCompare, kActionItems, kActionTry, kActionPin, kActionUseRecipe,
                               kActionRerun, kActionExport}) {
            menu->addAction(m_actions[id]);
        }
        menu->addSeparator();
        addEdit(tr("Rename"), RunTableModel::Name);
        addEdit(tr("Edit note"), RunTableModel::Note);
        menu->addSeparator();
        menu->addAction(m_actions[kActionCopyCommand]);
    }
    connect(menu->addAction(tr("Copy as table")), &QAction::triggered, this, &RunsPane::copy);
    if (!m_deleted->isChecked()) {
        menu->addAction(m_actions[kActionDelete]);
    }
    menu->popup(m_view->viewport()->mapToGlobal(at));
}

void RunsPane::offerUndo(const std::vector<RunId>& runs) {
    m_justDeleted = runs;
    m_undoText->setText(tr("Deleted %Ln run(s)", nullptr, static_cast<int>(runs.size())));
    m_undoBar->setVisible(!runs.empty());
}

void RunsPane::focusFilter() {
    m_filter->setFocus(Qt::ShortcutFocusReason);
    m_filter->selectAll();
}

void RunsPane::copy() {
    widgets::copySelectedRows(*m_view);
}

void RunsPane::selectAll() {
    m_view->selectAll();
}

void RunsPane::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::LanguageChange) {
        retranslate();
        m_view->viewport()->update();
        m_view->horizontalHeader()->viewport()->update();
    } else if (event->type() == QEvent::FontChange && m_view != nullptr) {
        m_view->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 8);
    }
}

}  // namespace pareto::studio
