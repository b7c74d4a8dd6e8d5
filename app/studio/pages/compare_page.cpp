#include "app/studio/pages/compare_page.h"

#include <algorithm>

#include <QAction>
#include <QCheckBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>

#include "app/studio/actions.h"
#include "app/studio/selection.h"
#include "widgets/models/compare_model.h"
#include "widgets/support/empty_state.h"
#include "widgets/support/theme.h"
#include "widgets/support/tsv.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;
using widgets::CompareModel;

ComparePage::ComparePage(Runs& runs, Selection& selection, Actions& actions, QWidget* parent)
    : QWidget(parent), m_runs(runs), m_selection(selection) {
    setObjectName(u"comparePage"_s);
    m_model = new CompareModel(this);
    m_view = new QTableView(this);
    m_view->setObjectName(u"compareTable"_s);
    m_view->setModel(m_model);
    m_view->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_view->setShowGrid(false);
    m_view->setWordWrap(true);
    m_view->setAlternatingRowColors(true);
    m_view->setTabKeyNavigation(false);
    m_view->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_view->verticalHeader()->hide();
    m_view->horizontalHeader()->setObjectName(u"compareTableHeader"_s);
    m_view->horizontalHeader()->setHighlightSections(false);
    m_onlyDiffering = new QCheckBox(this);
    m_onlyDiffering->setObjectName(u"compareOnlyDifferingCheck"_s);
    m_onlyDiffering->setChecked(m_model->onlyDiffering());
    m_items = new QPushButton(this);
    m_items->setObjectName(u"compareItemsButton"_s);
    m_items->setAutoDefault(false);
    connect(m_items, &QPushButton::clicked, this, [this] { Q_EMIT itemsRequested(m_ids); });
    m_summary = new QLabel(this);
    m_summary->setObjectName(u"compareSummaryLabel"_s);
    m_empty = new widgets::EmptyState(this);
    m_empty->setObjectName(u"compareEmpty"_s);
    m_empty->addButton(actions[kActionCompare]);

    auto* content = new QWidget(this);
    content->setObjectName(u"compareContent"_s);
    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(8, 4, 8, 4);
    bar->addWidget(m_onlyDiffering);
    bar->addStretch();
    bar->addWidget(m_summary);
    bar->addWidget(m_items);
    auto* inner = new QVBoxLayout(content);
    inner->setContentsMargins(0, 0, 0, 0);
    inner->setSpacing(0);
    inner->addLayout(bar);
    inner->addWidget(m_view, 1);
    m_stack = new QStackedWidget(this);
    m_stack->setObjectName(u"compareStack"_s);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(content);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_stack);

    m_view->horizontalHeader()->setSectionsClickable(true);
    connect(m_view->horizontalHeader(), &QHeaderView::sectionClicked, this, [this](int column) {
        if (column >= 1 && column <= static_cast<int>(m_ids.size())) {
            m_selection.setRun(m_ids[static_cast<std::size_t>(column - 1)]);
        }
    });
    connect(m_onlyDiffering, &QCheckBox::toggled, this, [this](bool only) {
        m_model->setOnlyDiffering(only);
        layoutRows();
    });
    // A rename or another baseline shows here too.
    connect(&m_runs, &Runs::changed, this, &ComparePage::collect);
    applyColours();
    retranslate();
    showRecords();
}

void ComparePage::retranslate() {
    m_view->setAccessibleName(tr("Comparison of runs"));
    m_onlyDiffering->setText(tr("Show only differing settings"));
    m_onlyDiffering->setAccessibleName(tr("Show only differing settings"));
    m_items->setText(tr("Show Items"));
    m_items->setAccessibleName(m_items->text());
    m_items->setToolTip(tr("Where the first two runs differ, item by item"));
    m_empty->setText(tr("Choose two runs in Runs, then Ctrl+D."));
}

void ComparePage::showRuns(std::vector<RunId> runs) {
    if (runs.size() == 1) {
        const RunId baseline = m_runs.baselineFor(runs.front());
        if (baseline != 0 && baseline != runs.front()) {
            runs.insert(runs.begin(), baseline);
        }
    }
    m_ids = std::move(runs);
    collect();
}

void ComparePage::collect() {
    const int ticket = ++m_ticket;
    std::erase_if(m_ids, [this](RunId id) {
        return m_runs.loaded() && m_runs.frame()->find(id) == nullptr;
    });
    m_records.assign(m_ids.size(), nullptr);
    if (m_ids.size() < 2) {
        showRecords();
        return;
    }
    for (std::size_t i = 0; i < m_ids.size(); ++i) {
        m_runs.fetch(m_ids[i], this, [this, i, ticket](const RunRecordPtr& record) {
            if (ticket != m_ticket) {
                return;
            }
            m_records[i] = record;
            const bool all = std::all_of(m_records.begin(), m_records.end(),
                                         [](const auto& each) { return each != nullptr; });
            if (all) {
                showRecords();
            }
        });
    }
}

void ComparePage::showRecords() {
    const bool enough = m_records.size() >= 2;
    m_stack->setCurrentIndex(enough ? 1 : 0);
    if (!enough) {
        m_model->setRuns({}, 0);
        return;
    }
    // The baseline of the first run, when it is among them; else the first one chosen.
    const RunId wanted = m_runs.baselineFor(m_ids.front());
    const auto found = std::find(m_ids.begin(), m_ids.end(), wanted);
    const int baseline = found == m_ids.end() ? 0 : static_cast<int>(found - m_ids.begin());
    m_model->setRuns(m_records, baseline);
    const auto& first = *m_records.front();
    const bool comparable = std::all_of(m_records.begin(), m_records.end(), [&](const auto& run) {
        return run->taskKey == first.taskKey && run->targetKey == first.targetKey;
    });
    m_summary->setText(comparable ? tr("%Ln run(s)", nullptr, static_cast<int>(m_ids.size()))
                                  : tr("Not comparable: task, target or machine differ"));
    layoutRows();
}

void ComparePage::layoutRows() {
    m_view->clearSpans();
    for (int row = 0; row < m_model->rowCount(); ++row) {
        if (m_model->index(row, 0).data(CompareModel::SectionRole).toBool()) {
            m_view->setSpan(row, 0, 1, m_model->columnCount());
        }
    }
    const int names = m_view->fontMetrics().averageCharWidth() * 34;
    auto* header = m_view->horizontalHeader();
    for (int column = 0; column < m_model->columnCount(); ++column) {
        header->setSectionResizeMode(column, QHeaderView::Interactive);
    }
    m_view->setColumnWidth(0, names);
    const int runs = std::max(1, m_model->columnCount() - 1);
    const int room = (m_view->viewport()->width() - names) / runs;
    for (int column = 1; column < m_model->columnCount(); ++column) {
        m_view->setColumnWidth(column, std::max(room, m_view->fontMetrics().averageCharWidth() * 30));
    }
    m_view->resizeRowsToContents();
}

void ComparePage::applyColours() {
    const auto colours = widgets::plotColours(palette());
    m_model->setVerdictColours(colours.better, colours.worse);
}

void ComparePage::copy() {
    widgets::copySelectedRows(*m_view);
}

void ComparePage::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::LanguageChange) {
        retranslate();
        showRecords();
    } else if (event->type() == QEvent::PaletteChange && m_model != nullptr) {
        applyColours();
    }
}

}  // namespace pareto::studio
