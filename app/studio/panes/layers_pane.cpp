#include "app/studio/panes/layers_pane.h"

#include <QAction>
#include <QCheckBox>
#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QItemSelection>
#include <QLineEdit>
#include <QLocale>
#include <QScopedValueRollback>
#include <QStackedWidget>
#include <QTreeView>
#include <QVBoxLayout>

#include "app/studio/actions.h"
#include "app/studio/panes/layers_delegate.h"
#include "app/studio/recipe_edit.h"
#include "app/studio/runs.h"
#include "app/studio/selection.h"
#include "app/studio/workspace.h"
#include "widgets/support/empty_state.h"
#include "widgets/support/tsv.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;
using widgets::LayerTreeModel;

LayersPane::LayersPane(Workspace& workspace, Runs& runs, Selection& selection, Actions& actions,
                       QWidget* parent)
    : QWidget(parent), m_workspace(workspace), m_runs(runs), m_selection(selection) {
    setObjectName(u"layersPane"_s);
    m_model = new LayerTreeModel(this);
    m_filter = new QLineEdit(this);
    m_filter->setObjectName(u"layersFilterEdit"_s);
    m_filter->setAccessibleName(tr("Filter of the layers"));
    m_filter->setPlaceholderText(tr("filter: name or /regex/"));
    m_filter->setClearButtonEnabled(true);
    m_group = new QCheckBox(tr("group by block"), this);
    m_group->setObjectName(u"layersGroupCheck"_s);
    m_group->setAccessibleName(m_group->text());
    m_group->setChecked(true);
    m_view = new QTreeView(this);
    m_view->setObjectName(u"layersTree"_s);
    m_view->setAccessibleName(tr("Layers"));
    m_view->setModel(m_model);
    m_view->setItemDelegate(new LayersDelegate(m_view));
    m_view->setUniformRowHeights(true);
    m_view->setAlternatingRowColors(true);
    m_view->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_view->setEditTriggers(QAbstractItemView::DoubleClicked | QAbstractItemView::EditKeyPressed |
                            QAbstractItemView::AnyKeyPressed);
    m_view->setContextMenuPolicy(Qt::ActionsContextMenu);
    m_view->addAction(actions["recipe.resetLayers"]);
    m_view->addAction(actions["edit.copy"]);
    m_view->addAction(actions["edit.paste"]);
    auto* header = m_view->header();
    header->setObjectName(u"layersHeader"_s);
    header->setStretchLastSection(false);
    header->setSectionResizeMode(LayerTreeModel::Name, QHeaderView::Stretch);
    header->setMinimumSectionSize(36);

    m_empty = new widgets::EmptyState(this);
    m_empty->setObjectName(u"layersEmpty"_s);
    m_empty->setText(tr("Open a model to see its layers."));
    m_empty->addButton(actions[kActionOpen]);
    m_stack = new QStackedWidget(this);
    m_stack->setObjectName(u"layersStack"_s);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(m_view);
    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(4, 2, 4, 2);
    bar->addWidget(m_filter, 1);
    bar->addWidget(m_group);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(bar);
    layout->addWidget(m_stack, 1);

    connect(m_filter, &QLineEdit::textChanged, this, &LayersPane::setFilter);
    connect(m_group, &QCheckBox::toggled, this, &LayersPane::setGrouped);
    connect(m_model, &LayerTreeModel::ratioRequested, this, &LayersPane::editRatio);
    connect(m_model, &LayerTreeModel::formatRequested, this, &LayersPane::editFormat);
    connect(m_model, &LayerTreeModel::blockRequested, this,
            [this](const QString& block, bool removed) {
                m_workspace.recipe().setBlocksRemoved({block}, removed);
            });
    connect(m_view->selectionModel(), &QItemSelectionModel::selectionChanged, this,
            &LayersPane::publishSelection);
    connect(m_view->selectionModel(), &QItemSelectionModel::currentChanged, this,
            &LayersPane::publishSelection);
    connect(&m_selection, &Selection::layersChanged, this, &LayersPane::showSelection);
    connect(&m_selection, &Selection::runsChanged, this, &LayersPane::showTimes);
    connect(&m_runs, &Runs::changed, this, &LayersPane::showTimes);
    connect(&m_workspace, &Workspace::modelChanged, this, &LayersPane::showModel);
    connect(&m_workspace.recipe(), &RecipeDocument::changed, this, &LayersPane::showPlan);
    showModel();
}

void LayersPane::focusFilter() {
    m_filter->setFocus(Qt::ShortcutFocusReason);
    m_filter->selectAll();
}

void LayersPane::showModel() {
    const QScopedValueRollback showing(m_showing, true);
    const auto& model = m_workspace.model();
    // The layout lives as long as the model that it is part of.
    m_model->setLayout(model ? std::shared_ptr<const ModelLayout>(model, &model->layout) : nullptr);
    m_stack->setCurrentWidget(model ? static_cast<QWidget*>(m_view) : m_empty);
    m_filter->setEnabled(model != nullptr);
    m_group->setEnabled(model != nullptr);
    showPlan();
    showTimes();
    if (model) {
        m_view->expandToDepth(0);
        auto* header = m_view->header();
        const QFontMetrics metrics(m_view->font());
        const auto width = [&](const QString& sample) {
            return metrics.horizontalAdvance(sample) + 10;
        };
        header->resizeSection(LayerTreeModel::Shape, width(u"1,536 neurons"_s));
        header->resizeSection(LayerTreeModel::Prune, width(u"50.5 %"_s));
        header->resizeSection(LayerTreeModel::Bits, width(u"int4 g128"_s));
        header->resizeSection(LayerTreeModel::Size, width(u"123.45"_s));
        header->resizeSection(LayerTreeModel::Time, width(u"12.34"_s));
    }
    showSelection();
}

void LayersPane::showPlan() {
    const auto& document = m_workspace.recipe();
    std::shared_ptr<const ResolvedRecipe> plan;
    std::shared_ptr<const SizeEstimate> size;
    // While a model is being exchanged the plan may still be that of the other one.
    if (document.model() == m_workspace.model() && document.resolved() != nullptr) {
        plan = std::make_shared<const ResolvedRecipe>(*document.resolved());
        size = std::make_shared<const SizeEstimate>(*document.size());
    }
    m_model->setPlan(std::move(plan), std::move(size));
}

void LayersPane::showTimes() {
    const auto run = m_selection.currentRun();
    if (run == 0) {
        m_model->setTimes({});
        return;
    }
    m_runs.fetch(run, this, [this, run](const RunRecordPtr& record) {
        if (run != m_selection.currentRun()) {
            return;
        }
        QHash<QString, double> times;
        for (const auto& layer : record->layers) {
            times.insert(QString::fromStdString(layer.name), layer.ms);
        }
        m_model->setTimes(std::move(times));
    });
}

void LayersPane::setGrouped(bool grouped) {
    const QScopedValueRollback showing(m_showing, true);
    m_view->setSortingEnabled(!grouped);
    if (!grouped) {
        m_view->header()->setSortIndicator(-1, Qt::AscendingOrder);
    }
    m_view->setRootIsDecorated(grouped);
    m_model->setGrouped(grouped);
    if (grouped) {
        m_view->expandToDepth(m_filter->text().isEmpty() ? 0 : 2);
    }
    showSelection();
}

void LayersPane::setFilter(const QString& filter) {
    const QScopedValueRollback showing(m_showing, true);
    const bool valid = m_model->setFilter(filter);
    m_filter->setToolTip(valid ? QString() : tr("This is no regular expression yet."));
    m_view->expandToDepth(filter.isEmpty() ? 0 : 2);
    showSelection();
}

void LayersPane::showSelection() {
    const QScopedValueRollback showing(m_showing, true);
    auto* selection = m_view->selectionModel();
    QItemSelection wanted;
    for (const auto& name : m_selection.layers()) {
        const auto index = m_model->indexOf(name);
        if (index.isValid()) {
            wanted.select(index, index);
        }
    }
    selection->select(wanted, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    const auto current = m_model->indexOf(m_selection.currentLayer());
    if (current.isValid() &&
        m_model->nameAt(selection->currentIndex()) != m_selection.currentLayer()) {
        selection->setCurrentIndex(current, QItemSelectionModel::NoUpdate);
        m_view->scrollTo(current);
    }
}

QStringList LayersPane::selectedNames() const {
    QStringList names;
    const auto rows = m_view->selectionModel()->selectedRows(LayerTreeModel::Name);
    for (const auto& row : rows) {
        names.append(m_model->nameAt(row));
    }
    return names;
}

void LayersPane::publishSelection() {
    if (!m_showing) {
        m_selection.setLayers(selectedNames(), m_model->nameAt(m_view->currentIndex()));
    }
}

/// The edited row, or all selected rows when it is one of them and the edit fits them.
QModelIndexList LayersPane::rowsFor(const QModelIndex& edited, bool layersOnly) const {
    QModelIndexList out;
    const auto rows = m_view->selectionModel()->selectedRows(LayerTreeModel::Name);
    const auto kind = m_model->kindAt(edited);
    for (const auto& row : rows) {
        const auto rowKind = m_model->kindAt(row);
        if (rowKind != LayerTreeModel::Kind::Block && (!layersOnly || rowKind == kind)) {
            out.append(row);
        }
    }
    const auto first = edited.siblingAtColumn(LayerTreeModel::Name);
    return out.contains(first) ? out : QModelIndexList{first};
}

void LayersPane::applyRatio(const QModelIndexList& rows, double ratio) {
    QStringList groups;
    QStringList layers;
    for (const auto& row : rows) {
        (m_model->kindAt(row) == LayerTreeModel::Kind::Group ? groups : layers)
            .append(m_model->nameAt(row));
    }
    if (layers.isEmpty()) {
        m_workspace.recipe().setGroupRatio(groups, ratio);
    } else if (groups.isEmpty()) {
        m_workspace.recipe().setLayerSparsity(layers, ratio);
    }
}

/// Heads and single weights are different things: a ratio goes to rows of the kind that was edited.
void LayersPane::editRatio(const QModelIndex& index, double ratio) {
    applyRatio(rowsFor(index, true), ratio);
}

void LayersPane::applyFormat(const QModelIndexList& rows, const QString& format) {
    QStringList layers;
    for (const auto& row : rows) {
        if (m_model->kindAt(row) == LayerTreeModel::Kind::Layer) {
            layers.append(m_model->nameAt(row));
        }
    }
    for (const auto& known : widgets::layerFormats()) {
        if (known.text == format && !layers.isEmpty()) {
            m_workspace.recipe().setLayerFormat(layers, known.spec);
        }
    }
}

void LayersPane::editFormat(const QModelIndex& index, const QString& format) {
    applyFormat(rowsFor(index, true), format);
}

void LayersPane::copy() { widgets::copySelectedRows(*m_view); }

void LayersPane::paste() {
    const auto rows = widgets::fromTsv(QGuiApplication::clipboard()->text());
    const auto selected = m_view->selectionModel()->selectedRows(LayerTreeModel::Name);
    if (rows.isEmpty() || selected.isEmpty()) {
        return;
    }
    const auto number = [](QString cell, bool* ok) {
        cell.remove(u'%');
        return QLocale().toDouble(cell.trimmed(), ok) / 100.0;
    };
    // One value for all, or row by row: the cells Prune and Bits of what copy() wrote.
    QList<QStringList> values;
    for (const auto& row : rows) {
        if (row.size() == 1) {
            values.append(QStringList{row[0], row[0]});
        } else if (row.size() > LayerTreeModel::Bits &&
                   row[0] != m_model->headerData(0, Qt::Horizontal, Qt::DisplayRole).toString()) {
            values.append(QStringList{row[LayerTreeModel::Prune], row[LayerTreeModel::Bits]});
        }
    }
    if (values.isEmpty()) {
        return;
    }
    Recipe recipe = m_workspace.recipe().recipe();
    const auto& layout = m_workspace.model()->layout;
    for (qsizetype i = 0; i < selected.size(); ++i) {
        const auto& cells = values[values.size() == 1 ? 0 : std::min(i, values.size() - 1)];
        if (values.size() > 1 && i >= values.size()) {
            break;
        }
        const auto kind = m_model->kindAt(selected[i]);
        const Names name{m_model->nameAt(selected[i]).toStdString()};
        bool isNumber = false;
        const double ratio = number(cells[0], &isNumber);
        if (isNumber && ratio >= 0.0 && ratio <= 1.0) {
            recipe = kind == LayerTreeModel::Kind::Group
                         ? withGroupRatio(recipe, layout, name, ratio)
                     : kind == LayerTreeModel::Kind::Layer
                         ? withLayerSparsity(recipe, layout, name, ratio)
                         : recipe;
        }
        for (const auto& known : widgets::layerFormats()) {
            if (kind == LayerTreeModel::Kind::Layer && known.spec && known.text == cells[1]) {
                recipe = withLayerFormat(recipe, layout, name, known.spec);
            }
        }
    }
    m_workspace.recipe().edit(recipe, tr("paste"));
}

}  // namespace pareto::studio
