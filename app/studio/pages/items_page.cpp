#include "app/studio/pages/items_page.h"

#include <algorithm>

#include <QCheckBox>
#include <QFutureWatcher>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>
#include <QtConcurrent>

#include "app/studio/actions.h"
#include "app/studio/data/item_pairs.h"
#include "app/studio/data/items_model.h"
#include "app/studio/texts.h"
#include "app/studio/workspace.h"
#include "widgets/support/empty_state.h"
#include "widgets/support/tsv.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

ItemsPage::ItemsPage(Workspace& workspace, Runs& runs, Actions& actions, QWidget* parent)
    : QWidget(parent), m_workspace(workspace), m_runs(runs) {
    setObjectName(u"itemsPage"_s);
    m_model = new ItemsModel(this);
    m_view = new QTableView(this);
    m_view->setObjectName(u"itemsTable"_s);
    m_view->setAccessibleName(tr("Items of two runs"));
    m_view->setModel(m_model);
    m_view->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_view->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_view->setShowGrid(false);
    m_view->setWordWrap(false);
    m_view->setAlternatingRowColors(true);
    m_view->setTabKeyNavigation(false);
    m_view->verticalHeader()->hide();
    m_view->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    m_view->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 8);
    m_view->horizontalHeader()->setObjectName(u"itemsTableHeader"_s);
    m_view->horizontalHeader()->setHighlightSections(false);
    m_view->setSortingEnabled(true);
    m_view->sortByColumn(ItemsModel::Difference, Qt::DescendingOrder);
    m_empty = new widgets::EmptyState(this);
    m_empty->setObjectName(u"itemsEmpty"_s);
    m_empty->addButton(actions[kActionItems]);

    auto* content = new QWidget(this);
    content->setObjectName(u"itemsContent"_s);
    auto* inner = new QVBoxLayout(content);
    inner->setContentsMargins(0, 0, 0, 0);
    inner->setSpacing(0);
    inner->addWidget(makeBar());
    inner->addWidget(m_view, 1);
    m_stack = new QStackedWidget(this);
    m_stack->setObjectName(u"itemsStack"_s);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(content);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_stack);
    say(tr("Choose two runs of one task in Runs, then Show Items."));
    connect(&runs, &Runs::changed, this, [this] {
        const bool gone = m_runs.loaded() && m_b != 0 &&
                          (m_runs.frame()->find(m_a) == nullptr ||
                           m_runs.frame()->find(m_b) == nullptr);
        if (gone) {
            showRuns({});
        }
    });
}

ItemsPage::~ItemsPage() { m_stop.request_stop(); }

QWidget* ItemsPage::makeBar() {
    auto* bar = new QWidget(this);
    bar->setObjectName(u"itemsBar"_s);
    m_changedOnly = new QCheckBox(tr("Changed only"), bar);
    m_changedOnly->setObjectName(u"itemsChangedCheck"_s);
    m_changedOnly->setAccessibleName(m_changedOnly->text());
    m_swap = new QPushButton(tr("Swap"), bar);
    m_swap->setObjectName(u"itemsSwapButton"_s);
    m_swap->setAccessibleName(tr("Swap the two runs"));
    m_swap->setAutoDefault(false);
    m_summary = new QLabel(bar);
    m_summary->setWordWrap(true);
    m_summary->setTextFormat(Qt::PlainText);
    m_summary->setObjectName(u"itemsSummaryLabel"_s);
    auto* layout = new QHBoxLayout(bar);
    layout->setContentsMargins(8, 4, 8, 4);
    layout->addWidget(m_summary, 1);
    layout->addWidget(m_changedOnly);
    layout->addWidget(m_swap);
    connect(m_changedOnly, &QCheckBox::toggled, m_model, &ItemsModel::setChangedOnly);
    connect(m_swap, &QPushButton::clicked, this, [this] {
        std::swap(m_a, m_b);
        collect();
    });
    return bar;
}

void ItemsPage::say(const QString& text) {
    m_model->clear();
    m_empty->setText(text);
    m_stack->setCurrentIndex(0);
}

void ItemsPage::showRuns(std::vector<RunId> runs) {
    if (runs.size() == 1) {
        const RunId baseline = m_runs.baselineFor(runs.front());
        if (baseline != 0 && baseline != runs.front()) {
            runs.insert(runs.begin(), baseline);
        }
    }
    m_a = m_b = 0;
    if (runs.size() < 2) {
        ++m_ticket;
        say(tr("Choose two runs of one task in Runs, then Show Items."));
        return;
    }
    m_a = runs[0];
    m_b = runs[1];
    // The baseline is what the other is compared with, in whichever order they were clicked.
    if (m_runs.baselineFor(m_a) == m_b) {
        std::swap(m_a, m_b);
    }
    collect();
}

void ItemsPage::collect() {
    const int ticket = ++m_ticket;
    m_recordA.reset();
    m_recordB.reset();
    const auto take = [this, ticket](RunRecordPtr& into, const RunRecordPtr& record) {
        if (ticket != m_ticket) {
            return;
        }
        into = record;
        if (m_recordA && m_recordB) {
            compare(m_recordA, m_recordB);
        }
    };
    m_runs.fetch(m_a, this, [this, take](const auto& record) { take(m_recordA, record); });
    m_runs.fetch(m_b, this, [this, take](const auto& record) { take(m_recordB, record); });
}

void ItemsPage::compare(const RunRecordPtr& a, const RunRecordPtr& b) {
    if (a->taskKey != b->taskKey || a->taskKey.empty()) {
        say(tr("The two runs have different tasks: their items are not the same."));
        return;
    }
    if (a->items.empty() || b->items.empty()) {
        say(tr("One of the runs has no results of single items."));
        return;
    }
    const int ticket = m_ticket;
    using Shared = std::shared_ptr<const ItemComparison>;
    auto* watcher = new QFutureWatcher<Shared>(this);
    connect(watcher, &QFutureWatcherBase::finished, this, [this, watcher, ticket] {
        watcher->deleteLater();
        if (ticket == m_ticket) {
            showComparison(watcher->result());
        }
    });
    watcher->setFuture(QtConcurrent::run(
        [a, b]() -> Shared { return std::make_shared<ItemComparison>(compareItems(*a, *b)); }));
}

void ItemsPage::showComparison(const std::shared_ptr<const ItemComparison>& comparison) {
    ItemsModel::Content content{m_recordA, m_recordB, comparison, {}, false};
    const auto task = taskFromJson(m_recordB->task, {});
    content.windows = task.ok() && task->kind == TaskKind::Perplexity;
    if (m_workspace.model() && m_workspace.modelHash() == fromUtf8(m_recordB->modelHash)) {
        content.classes = m_workspace.model()->layout.labels;
    }
    m_model->setContent(std::move(content));
    m_summary->setText(summary(*comparison));
    m_stack->setCurrentIndex(1);
    fitColumns();
    readTexts();
}

QString ItemsPage::summary(const ItemComparison& comparison) const {
    QStringList parts;
    if (comparison.rightWrong) {
        parts << tr("both right %1").arg(count(comparison.bothRight))
              << tr("only %1 right: %2").arg(fromUtf8(m_recordA->name), count(comparison.onlyA))
              << tr("only %1 right: %2").arg(fromUtf8(m_recordB->name), count(comparison.onlyB))
              << tr("both wrong %1").arg(count(comparison.bothWrong))
              << (comparison.p < 0.0001 ? tr("McNemar's p < 0.0001")
                                        : tr("McNemar's p = %1").arg(number(comparison.p, 4)));
    } else {
        const auto& difference = comparison.difference;
        parts << tr("%n item(s)", nullptr, static_cast<int>(comparison.pairs.size()))
              << tr("changed %1").arg(count(comparison.changed))
              << tr("mean difference %1 (%2…%3)")
                     .arg(number(difference.difference, 4), number(difference.interval.low, 4),
                          number(difference.interval.high, 4))
              << (difference.significant ? tr("significant") : tr("not significant"));
    }
    if (comparison.unpaired > 0) {
        parts << tr("%1 in one run only").arg(count(comparison.unpaired));
    }
    return parts.join(u" · "_s);
}

/// Off the GUI thread: the file may be large. The table is there before its texts are.
void ItemsPage::readTexts() {
    const auto task = taskFromJson(m_recordB->task, {});
    if (!task.ok()) {
        return;
    }
    std::vector<std::int64_t> items;
    for (const auto& item : m_recordB->items) {
        items.push_back(item.item);
    }
    m_stop.request_stop();
    m_stop = std::stop_source();
    const int ticket = m_ticket;
    using Shared = std::shared_ptr<Result<ItemTexts>>;
    auto* watcher = new QFutureWatcher<Shared>(this);
    connect(watcher, &QFutureWatcherBase::finished, this, [this, watcher, ticket] {
        watcher->deleteLater();
        auto& result = *watcher->result();
        if (ticket != m_ticket || result.cancelled()) {
            return;
        }
        if (result.ok()) {
            m_model->setTexts(std::move(result).value());
            fitColumns();
        } else {
            m_summary->setText(m_summary->text() + u" · "_s +
                                   tr("without texts: %1").arg(text(result.error())));
        }
    });
    watcher->setFuture(QtConcurrent::run(
        [task = task.value(), items = std::move(items), stop = m_stop.get_token()]() -> Shared {
            return std::make_shared<Result<ItemTexts>>(readItemTexts(task, items, stop));
        }));
}

void ItemsPage::fitColumns() {
    auto* header = m_view->horizontalHeader();
    const int character = fontMetrics().averageCharWidth();
    const std::pair<int, int> widths[] = {{ItemsModel::Item, 8},
                                          {ItemsModel::Expected, 14},
                                          {ItemsModel::AnswerA, 20},
                                          {ItemsModel::AnswerB, 20},
                                          {ItemsModel::Difference, 12}};
    for (const auto& [column, characters] : widths) {
        m_view->setColumnWidth(column, std::max(characters * character,
                                                header->sectionSizeHint(column)));
    }
    header->setSectionResizeMode(ItemsModel::Text, QHeaderView::Stretch);
}

void ItemsPage::copy() { widgets::copySelectedRows(*m_view); }

}  // namespace pareto::studio
