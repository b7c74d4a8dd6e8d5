#include "app/studio/pages/project_page.h"

#include <algorithm>

#include <QDateTime>
#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QItemSelectionModel>
#include <QLabel>
#include <QPushButton>
#include <QScopedValueRollback>
#include <QSplitter>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>

#include "app/studio/actions.h"
#include "app/studio/job_queue.h"
#include "app/studio/project_texts.h"
#include "app/studio/selection.h"
#include "app/studio/texts.h"
#include "widgets/models/cell_table_model.h"
#include "widgets/support/elided_label.h"
#include "widgets/support/empty_state.h"
#include "widgets/support/tsv.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;
using widgets::CellTableModel;
using widgets::TableCell;

namespace {

QString figureText(const std::optional<Measurement>& figure) {
    const auto* metric = figure ? findMetric(figure->key) : nullptr;
    if (metric == nullptr) {
        return u"–"_s;
    }
    const QString unit = metricUnit(*metric);
    const QString value = metricValue(*metric, figure->value);
    return unit.isEmpty() ? value : value + u' ' + unit;
}

QString intervalText(const std::optional<Measurement>& figure) {
    const auto* metric = figure ? findMetric(figure->key) : nullptr;
    return metric != nullptr && figure->low && figure->high
               ? u"%1 – %2"_s.arg(metricValue(*metric, *figure->low),
                                  metricValue(*metric, *figure->high))
               : QString();
}

QString pointsText(const project::Row& row) {
    if (!row.accuracyPoints) {
        return row.base ? u"–"_s : QString();
    }
    return (*row.accuracyPoints > 0.0 ? u"+"_s : QString()) + number(*row.accuracyPoints, 2) +
           (row.accuracyDiffers.value_or(false) ? u" *"_s : QString());
}

void select(QTableView& view, int row) {
    if (row >= 0 && row < view.model()->rowCount()) {
        view.selectionModel()->setCurrentIndex(
            view.model()->index(row, 0),
            QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    }
}

}  // namespace

ProjectPage::ProjectPage(Projects& projects, JobQueue& queue, Selection& selection,
                         Actions& actions, QWidget* parent)
    : QWidget(parent), m_projects(projects), m_queue(queue), m_selection(selection) {
    setObjectName(u"projectPage"_s);
    m_empty = new widgets::EmptyState(this);
    m_empty->setObjectName(u"projectEmpty"_s);
    m_empty->addButton(actions[kActionNewProject]);
    m_empty->addButton(actions[kActionOpenProject]);
    m_steps = new CellTableModel(this);
    m_results = new CellTableModel(this);
    m_stepsView = makeTable(u"projectSteps"_s, m_steps);
    m_resultsView = makeTable(u"projectResults"_s, m_results);
    m_marks = new QLabel(this);
    m_marks->setObjectName(u"projectMarksLabel"_s);
    m_marks->setContentsMargins(8, 0, 8, 2);
    auto* tables = new QSplitter(Qt::Vertical, this);
    tables->setObjectName(u"projectTables"_s);
    tables->addWidget(m_stepsView);
    tables->addWidget(m_resultsView);
    tables->setChildrenCollapsible(false);
    tables->setSizes({210, 140});
    auto* content = new QWidget(this);
    content->setObjectName(u"projectContent"_s);
    auto* inner = new QVBoxLayout(content);
    inner->setContentsMargins(0, 0, 0, 0);
    inner->setSpacing(0);
    inner->addWidget(makeBar());
    for (auto* label : {m_found, m_running}) {
        label->setContentsMargins(8, 0, 8, 2);
        inner->addWidget(label);
    }
    inner->addWidget(tables, 1);
    inner->addWidget(m_marks);
    m_stack = new QStackedWidget(this);
    m_stack->setObjectName(u"projectStack"_s);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(content);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_stack);

    connect(&m_projects, &Projects::changed, this, &ProjectPage::showProject);
    connect(&m_projects, &Projects::progressed, this, &ProjectPage::showRunning);
    connect(m_stepsView->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            &ProjectPage::showButtons);
    connect(m_resultsView->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            &ProjectPage::chooseRun);
    retranslate();
}

QTableView* ProjectPage::makeTable(const QString& name, CellTableModel* model) {
    auto* view = new QTableView(this);
    view->setObjectName(name);
    view->setModel(model);
    view->setSelectionBehavior(QAbstractItemView::SelectRows);
    view->setSelectionMode(QAbstractItemView::SingleSelection);
    view->setEditTriggers(QAbstractItemView::NoEditTriggers);
    view->setShowGrid(false);
    view->setWordWrap(false);
    view->setTabKeyNavigation(false);
    view->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    view->verticalHeader()->hide();
    view->verticalHeader()->setDefaultSectionSize(view->fontMetrics().height() + 6);
    view->horizontalHeader()->setObjectName(name + u"Header"_s);
    view->horizontalHeader()->setHighlightSections(false);
    return view;
}

QWidget* ProjectPage::makeBar() {
    auto* bar = new QWidget(this);
    bar->setObjectName(u"projectBar"_s);
    const auto button = [bar](const QString& name) {
        auto* out = new QPushButton(bar);
        out->setObjectName(name);
        out->setAutoDefault(false);
        return out;
    };
    m_run = button(u"projectRunButton"_s);
    m_again = button(u"projectAgainButton"_s);
    m_stop = button(u"projectStopButton"_s);
    m_plot = button(u"projectPlotButton"_s);
    m_title = new widgets::ElidedLabel(bar);
    m_title->setObjectName(u"projectTitleLabel"_s);
    QFont bold = m_title->font();
    bold.setBold(true);
    m_title->setFont(bold);
    m_title->setElideMode(Qt::ElideMiddle);
    m_found = new widgets::ElidedLabel(this);
    m_found->setObjectName(u"projectFoundLabel"_s);
    m_running = new widgets::ElidedLabel(this);
    m_running->setObjectName(u"projectRunningLabel"_s);
    auto* layout = new QHBoxLayout(bar);
    layout->setContentsMargins(8, 4, 8, 4);
    layout->addWidget(m_title, 1);
    for (auto* one : {m_run, m_again, m_stop, m_plot}) {
        layout->addWidget(one);
    }
    connect(m_run, &QPushButton::clicked, &m_projects, &Projects::run);
    connect(m_again, &QPushButton::clicked, this, [this] { m_projects.runAgain(chosenStep()); });
    connect(m_stop, &QPushButton::clicked, &m_projects, &Projects::stop);
    connect(m_plot, &QPushButton::clicked, this, &ProjectPage::plotRequested);
    return bar;
}

void ProjectPage::retranslate() {
    m_stepsView->setAccessibleName(tr("Steps of the project"));
    m_resultsView->setAccessibleName(tr("What was measured"));
    m_resultsView->setToolTip(
        tr("Accuracies of the test split, which no step learns or chooses from"));
    const auto say = [](QPushButton* button, const QString& text, const QString& tip) {
        button->setText(text);
        button->setAccessibleName(text);
        button->setToolTip(tip);
    };
    say(m_run, tr("Run What Is Due"),
        tr("Does every step that was not done or is stale, in order"));
    say(m_again, tr("Run Step Again"),
        tr("Does the chosen step whatever its inputs say, and before it what it stands on where "
           "that is due"));
    say(m_stop, tr("Stop"), tr("Cancels the running step; finished steps stay done"));
    say(m_plot, tr("Show on Plot"), tr("Its runs on the page Pareto, under its task and target"));
    showProject();
}

void ProjectPage::showProject() {
    const auto& opened = m_projects.opened();
    m_stack->setCurrentIndex(opened != nullptr ? 1 : 0);
    m_empty->setText(
        m_projects.isReading()
            ? tr("Opening %1…").arg(m_projects.folder())
            : tr("A project is a folder in which a model is trained on your labelled texts, made "
                 "smaller, compared and exported, step by step."));
    if (opened == nullptr) {
        return;
    }
    m_title->setFullText(u"%1 · %2"_s.arg(fromUtf8(opened->project.name), m_projects.folder()));
    m_found->setFullText(foundText(m_projects.report()));
    const QScopedValueRollback showing(m_showing, true);
    showSteps();
    showResults();
    showRunning();
    showButtons();
}

void ProjectPage::showSteps() {
    const int chosen = m_stepsView->currentIndex().row();
    const auto& results = m_projects.opened()->results;
    CellTableModel::Rows rows;
    for (const auto& one : m_projects.steps()) {
        const auto* result = results.find(one.step.name);
        TableCell state{stateText(one, result)};
        state.strong = one.state == StepState::Running || one.state == StepState::Failed;
        TableCell run{result != nullptr && result->run > 0 ? u"#%1"_s.arg(result->run) : QString()};
        TableCell time{result != nullptr && result->seconds >= 1.0 ? duration(result->seconds)
                                                                   : QString()};
        rows.push_back({{fromUtf8(one.step.name)}, {workText(one.step)}, state, run, time});
    }
    m_steps->setTable({tr("Step"), tr("What it does"), tr("State"), tr("Run"), tr("Took")},
                      std::move(rows));
    m_stepsView->resizeColumnsToContents();
    m_stepsView->horizontalHeader()->setSectionResizeMode(2, QHeaderView::Stretch);
    m_stepsView->setColumnWidth(1, std::min(m_stepsView->columnWidth(1), 330));
    select(*m_stepsView, chosen);
}

void ProjectPage::showResults() {
    const int chosen = m_resultsView->currentIndex().row();
    const auto& opened = *m_projects.opened();
    CellTableModel::Rows rows;
    bool marked = false;
    for (const auto& row : project::tableOf(opened.project, opened.results)) {
        TableCell name{fromUtf8(row.step)};
        name.strong = row.exported;
        const QString ratio = row.latencyRatio ? number(*row.latencyRatio, 2)
                              : row.base       ? u"–"_s
                                               : QString();
        rows.push_back({name,
                        {figureText(row.accuracy)},
                        {intervalText(row.accuracy)},
                        {pointsText(row)},
                        {figureText(row.validation)},
                        {figureText(row.latency)},
                        {ratio},
                        {figureText(row.bytes)},
                        {row.exported ? tr("exported") : QString()},
                        {fromUtf8(row.recipe)}});
        marked = marked || row.accuracyDiffers.value_or(false);
    }
    m_results->setTable(
        {tr("Step"), tr("Accuracy"), tr("95 % interval"), tr("Points"), tr("Validation"),
         tr("Latency"), tr("× base"), tr("Size"), QString(), tr("Recipe")},
        std::move(rows));
    m_resultsView->resizeColumnsToContents();
    m_resultsView->horizontalHeader()->setStretchLastSection(true);
    m_marks->setText(marked
                         ? tr("* another accuracy than the base's on the same rows (McNemar, 5 %)")
                         : QString());
    m_marks->setVisible(marked);
    select(*m_resultsView, chosen);
}

/// The step that runs, with its job's progress.
void ProjectPage::showRunning() {
    QString text;
    for (const auto& one : m_projects.steps()) {
        if (one.state != StepState::Running) {
            continue;
        }
        const auto* job = m_queue.find(one.job);
        QStringList parts{tr("Step %1").arg(fromUtf8(one.step.name))};
        if (job != nullptr && job->state == JobState::Queued) {
            parts.append(m_queue.held() ? tr("the queue is held") : tr("waits in the queue"));
        } else if (job != nullptr) {
            parts.append(studio::text(job->progress));
            if (const double left = job->secondsLeft(QDateTime::currentMSecsSinceEpoch());
                left >= 0.0) {
                parts.append(tr("%1 left").arg(duration(left)));
            }
        }
        text = parts.join(u" · "_s);
    }
    m_running->setFullText(text);
    m_running->setVisible(!text.isEmpty());
}

void ProjectPage::showButtons() {
    const bool running = m_projects.isRunning();
    const bool ready = m_projects.opened() != nullptr && !running && !m_projects.isReading();
    bool due = false;
    for (const auto& one : m_projects.steps()) {
        due = due || one.state != StepState::Done;
    }
    m_run->setEnabled(ready && due);
    m_again->setEnabled(ready && !chosenStep().empty());
    m_stop->setEnabled(running);
    m_plot->setEnabled(m_projects.opened() != nullptr && !m_projects.runs().empty());
}

std::string ProjectPage::chosenStep() const {
    const auto row = static_cast<std::size_t>(std::max(0, m_stepsView->currentIndex().row()));
    return m_stepsView->currentIndex().isValid() && row < m_projects.steps().size()
               ? m_projects.steps()[row].step.name
               : std::string();
}

void ProjectPage::chooseRun() {
    const auto& opened = m_projects.opened();
    if (m_showing || opened == nullptr) {
        return;
    }
    const auto rows = project::tableOf(opened->project, opened->results);
    const int row = m_resultsView->currentIndex().row();
    if (row >= 0 && row < static_cast<int>(rows.size())) {
        const auto& step = rows[static_cast<std::size_t>(row)].step;
        const auto* known = m_projects.find(step);
        if (known != nullptr && known->due != jobs::Due::RunMissing) {
            m_selection.setRun(opened->results.find(step)->run);
        }
    }
}

void ProjectPage::copy() {
    widgets::copySelectedRows(m_resultsView->hasFocus() ? *m_resultsView : *m_stepsView);
}

void ProjectPage::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::LanguageChange) {
        retranslate();
    }
}

}  // namespace pareto::studio
