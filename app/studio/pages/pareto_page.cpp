#include "app/studio/pages/pareto_page.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <QAction>
#include <QCheckBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include "app/studio/actions.h"
#include "app/studio/panes/run_columns_of.h"
#include "app/studio/recovery_paths.h"
#include "app/studio/runs.h"
#include "app/studio/texts.h"
#include "app/studio/workspace.h"
#include "widgets/editors/metric_chooser.h"
#include "widgets/plots/pareto_plot.h"
#include "widgets/support/empty_state.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

/// The link's menu lists this many runs, the newest first, and counts the rest.
constexpr std::size_t kListedRuns = 25;

bool anyMeasured(const widgets::MetricColumn& metric, const std::vector<int>& rows) {
    return std::any_of(rows.begin(), rows.end(), [&](int row) {
        return std::isfinite(metric.value[static_cast<std::size_t>(row)]);
    });
}

bool beginsWith(const std::string& key, const std::string& settings) {
    return !settings.empty() && key.compare(0, settings.size(), settings) == 0;
}

double numberIn(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number() ? found->get<double>() : std::nan("");
}

}  // namespace

ParetoPage::ParetoPage(Workspace& workspace, Runs& runs, Selection& selection, Actions& actions,
                       QWidget* parent)
    : QWidget(parent), m_workspace(workspace), m_runs(runs), m_selection(selection),
      m_actions(actions) {
    setObjectName(u"paretoPage"_s);
    m_plot = new widgets::ParetoPlot(u"paretoPlot"_s, this);
    m_empty = new widgets::EmptyState(this);
    m_empty->setObjectName(u"paretoEmpty"_s);
    m_stack = new QStackedWidget(this);
    m_stack->setObjectName(u"paretoStack"_s);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(m_plot);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(makeHeader());
    layout->addWidget(m_stack, 1);
    m_x->setMetricKey(m_plot->axes().x);
    m_y->setMetricKey(m_plot->axes().y);

    connect(m_plot, &widgets::ParetoPlot::runClicked, this, [this](qint64 run, bool toggle) {
        if (toggle) {
            m_selection.toggleRun(run);
        } else {
            m_selection.setRun(run);
        }
    });
    connect(m_plot, &widgets::ParetoPlot::selectionCleared, this,
            [this] { m_selection.setRuns({}); });
    connect(m_plot, &widgets::ParetoPlot::runActivated, this, &ParetoPage::activate);
    connect(m_plot, &widgets::ParetoPlot::menuRequested, this, &ParetoPage::openMenu);
    connect(&m_runs, &Runs::changed, this, &ParetoPage::showRuns);
    m_paths = new RecoveryPaths(m_runs, this);
    connect(m_paths, &RecoveryPaths::changed, this, [this] { m_plot->setPaths(m_paths->paths()); });
    connect(&m_selection, &Selection::runsChanged, this, &ParetoPage::showSelection);
    connect(&m_workspace, &Workspace::modelChanged, this, &ParetoPage::showEmptyState);
    connect(&m_workspace, &Workspace::openingChanged, this, &ParetoPage::showEmptyState);
    connect(&m_workspace, &Workspace::taskChanged, this, &ParetoPage::metricForTask);
    retranslate();
    metricForTask();
    showRuns();
}

ParetoPage::~ParetoPage() = default;

QWidget* ParetoPage::makeHeader() {
    auto* header = new QWidget(this);
    header->setObjectName(u"paretoHeader"_s);
    auto* layout = new QHBoxLayout(header);
    layout->setContentsMargins(8, 4, 8, 4);
    m_xLabel = new QLabel(header);
    m_xLabel->setObjectName(u"paretoXLabel"_s);
    m_yLabel = new QLabel(header);
    m_yLabel->setObjectName(u"paretoYLabel"_s);
    m_x = new widgets::MetricChooser(header);
    m_x->setObjectName(u"paretoXMetricCombo"_s);
    m_y = new widgets::MetricChooser(header);
    m_y->setObjectName(u"paretoYMetricCombo"_s);
    m_xLabel->setBuddy(m_x);
    m_yLabel->setBuddy(m_y);
    m_logX = new QCheckBox(header);
    m_logX->setObjectName(u"paretoLogXCheck"_s);
    m_table = new QToolButton(header);
    m_table->setObjectName(u"paretoTableButton"_s);
    m_table->setCheckable(true);
    m_table->setAutoRaise(true);
    m_counts = new QLabel(header);
    m_counts->setObjectName(u"paretoCountsLabel"_s);
    m_hidden = new QToolButton(header);
    m_hidden->setObjectName(u"paretoHiddenButton"_s);
    m_hidden->setAutoRaise(true);
    layout->addWidget(m_xLabel);
    layout->addWidget(m_x, 1);
    layout->addWidget(m_yLabel);
    layout->addWidget(m_y, 1);
    layout->addWidget(m_logX);
    layout->addWidget(m_table);
    layout->addStretch(1);
    layout->addWidget(m_counts);
    layout->addWidget(m_hidden);
    for (auto* chooser : {m_x, m_y}) {
        chooser->setMaximumWidth(260);
    }
    connect(m_x, &widgets::MetricChooser::metricChosen, this, &ParetoPage::axesChosen);
    connect(m_y, &widgets::MetricChooser::metricChosen, this, [this] {
        m_axisChosen = true;
        axesChosen();
    });
    connect(m_logX, &QCheckBox::toggled, this, &ParetoPage::axesChosen);
    connect(m_table, &QToolButton::toggled, this,
            [this](bool shown) { m_plot->setTableShown(shown); });
    connect(m_hidden, &QToolButton::clicked, this, &ParetoPage::listHidden);
    return header;
}

void ParetoPage::retranslate() {
    m_xLabel->setText(tr("x", "horizontal axis"));
    m_yLabel->setText(tr("y", "vertical axis"));
    m_x->setAccessibleName(tr("Metric of the horizontal axis"));
    m_y->setAccessibleName(tr("Metric of the vertical axis"));
    m_logX->setText(tr("log x"));
    m_logX->setAccessibleName(tr("Logarithmic horizontal axis"));
    m_logX->setToolTip(tr("Logarithmic horizontal axis"));
    m_table->setText(tr("Table"));
    m_table->setAccessibleName(tr("Show the values as a table"));
    m_table->setToolTip(tr("Show the values as a table"));
    m_hidden->setToolTip(tr("Which runs are not shown, and why"));
    m_emptyKind.clear();
    showCounts();
    showEmptyState();
}

void ParetoPage::showRuns() {
    m_columns = runColumnsOf(m_runs.frame());
    std::vector<int> rows;
    rows.reserve(m_runs.comparable().comparable.size());
    for (const RunId id : m_runs.comparable().comparable) {
        if (const int row = m_columns->rowOf(id); row >= 0) {
            rows.push_back(row);
        }
    }
    std::vector<bool> measured;
    for (const auto& metric : m_columns->metrics) {
        measured.push_back(rows.empty() || anyMeasured(metric, rows));
    }
    m_x->setMeasured(measured);
    m_y->setMeasured(measured);
    m_plot->setRuns(m_columns, std::move(rows));
    m_plot->setBaseline(m_runs.baseline());
    m_plot->setPaths(m_paths->paths());
    showSelection();
    showCounts();
    showEmptyState();
}

void ParetoPage::showCounts() {
    const auto& set = m_runs.comparable();
    const auto shown = static_cast<int>(set.comparable.size());
    const auto hidden = static_cast<int>(set.hidden.size());
    m_counts->setText(tr("%1 of %Ln run(s)", nullptr, shown + hidden)
                          .arg(QLocale().toString(shown)));
    m_counts->setVisible(shown + hidden > 0);
    m_hidden->setText(tr("%Ln not comparable ▸", nullptr, hidden));
    m_hidden->setAccessibleName(tr("%Ln run(s) not comparable: list them", nullptr, hidden));
    m_hidden->setVisible(hidden > 0);
}

void ParetoPage::showEmptyState() {
    const bool haveModel = m_workspace.model() != nullptr;
    const bool haveRuns = !m_runs.comparable().comparable.empty();
    m_stack->setCurrentWidget(haveRuns ? static_cast<QWidget*>(m_plot) : m_empty);
    for (QWidget* control : std::initializer_list<QWidget*>{m_x, m_y, m_logX, m_table}) {
        control->setEnabled(haveRuns);
    }
    const QString kind = haveModel                 ? u"runs"_s
                         : m_workspace.opening()   ? u"opening"_s
                                                   : u"model"_s;
    if (haveRuns || kind == m_emptyKind) {
        return;
    }
    m_emptyKind = kind;
    m_empty->clearButtons();
    if (kind == u"runs"_s) {
        m_empty->setText(tr("Nothing measured yet for this task and target."));
        m_empty->addButton(m_actions[kActionMeasureBaseline]);
        m_empty->addButton(m_actions[kActionRunPresets]);
    } else if (kind == u"opening"_s) {
        m_empty->setText(tr("The model is being opened…"));
    } else {
        m_empty->setText(tr("Drop a model folder or a .gguf file here."));
        m_empty->addButton(m_actions[kActionOpen]);
        m_empty->addButton(m_actions[kActionSample]);
    }
}

void ParetoPage::showSelection() {
    m_plot->setSelected(m_selection.runs(), m_selection.currentRun());
}

void ParetoPage::axesChosen() {
    widgets::ParetoAxes axes = m_plot->axes();
    axes.x = m_x->metricKey();
    axes.y = m_y->metricKey();
    axes.logX = m_logX->isChecked();
    m_plot->setAxes(axes);
}

void ParetoPage::metricForTask() {
    if (m_axisChosen || !m_workspace.task()) {
        return;
    }
    m_y->setMetricKey(fromUtf8(headlineMetric(m_workspace.task()->kind)));
    axesChosen();
}

QStringList ParetoPage::hiddenReasons() const {
    const auto& set = m_runs.comparable();
    const ComparisonKey key = m_workspace.comparison();
    QStringList lines;
    for (auto id = set.hidden.rbegin(); id != set.hidden.rend(); ++id) {
        const auto* run = m_runs.frame()->find(*id);
        if (run == nullptr) {
            continue;
        }
        QStringList reasons;
        const bool sameTask = set.taskKey.empty() ? beginsWith(run->taskKey, key.task)
                                                  : run->taskKey == set.taskKey;
        if (!sameTask) {
            reasons.append(run->taskName.empty() ? tr("nothing was evaluated")
                           : beginsWith(run->taskKey, key.task)
                               ? tr("other data for the same task")
                               : tr("task: %1").arg(QString::fromStdString(run->taskName)));
        }
        const bool sameTarget = set.targetKey.empty() ? beginsWith(run->targetKey, key.target)
                                                      : run->targetKey == set.targetKey;
        if (!sameTarget) {
            reasons.append(beginsWith(run->targetKey, key.target)
                               ? tr("another machine")
                               : tr("target: %1").arg(QString::fromStdString(run->targetText)));
        }
        if (reasons.isEmpty()) {
            reasons.append(tr("other settings of the task"));
        }
        lines.append(tr("#%1 %2 – %3")
                         .arg(run->id)
                         .arg(QString::fromStdString(run->name), reasons.join(u", "_s)));
    }
    return lines;
}

void ParetoPage::listHidden() {
    auto* menu = new QMenu(this);
    menu->setObjectName(u"paretoHiddenMenu"_s);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    const QStringList lines = hiddenReasons();
    const auto& hidden = m_runs.comparable().hidden;
    const auto listed = std::min<std::size_t>(kListedRuns, static_cast<std::size_t>(lines.size()));
    for (std::size_t i = 0; i < listed; ++i) {
        const RunId run = hidden[hidden.size() - 1 - i];
        QString text = lines[static_cast<qsizetype>(i)];
        auto* action = menu->addAction(text.replace(u'&', u"&&"_s));
        connect(action, &QAction::triggered, this, [this, run] { m_selection.setRun(run); });
    }
    if (static_cast<std::size_t>(lines.size()) > listed) {
        menu->addAction(tr("and %Ln more", nullptr,
                           static_cast<int>(lines.size()) - static_cast<int>(listed)))
            ->setEnabled(false);
    }
    menu->popup(m_hidden->mapToGlobal(QPoint(0, m_hidden->height())));
}

void ParetoPage::openMenu(const QPoint& at, qint64 run) {
    if (run != 0 && !m_selection.containsRun(run)) {
        m_selection.setRun(run);
    }
    auto* menu = new QMenu(this);
    menu->setObjectName(u"paretoMenu"_s);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    if (run != 0) {
        for (const char* id : {kActionCompare, kActionPin, kActionUseRecipe, kActionRerun,
                               kActionExport, kActionCopyCommand, kActionDelete}) {
            menu->addAction(m_actions[id]);
        }
        menu->addSeparator();
    }
    auto* logY = menu->addAction(tr("Logarithmic vertical axis"));
    logY->setCheckable(true);
    logY->setChecked(m_plot->axes().logY);
    connect(logY, &QAction::toggled, this, [this](bool on) {
        widgets::ParetoAxes axes = m_plot->axes();
        axes.logY = on;
        m_plot->setAxes(axes);
    });
    connect(menu->addAction(tr("Show everything")), &QAction::triggered, this,
            [this] { m_plot->setZoom(std::nullopt); });
    connect(menu->addAction(tr("Zoom back")), &QAction::triggered, this,
            [this] { m_plot->zoomBack(); });
    connect(menu->addAction(tr("Copy image")), &QAction::triggered, this,
            [this] { m_plot->copyImage(); });
    menu->addAction(m_actions[kActionSavePlot]);
    menu->popup(at);
}

void ParetoPage::activate(qint64 run) {
    const RunId baseline = m_runs.baselineFor(run);
    std::vector<RunId> compared;
    if (baseline != 0 && baseline != run) {
        compared.push_back(baseline);
    }
    compared.push_back(run);
    m_selection.setRun(run);
    Q_EMIT compareRequested(compared);
}

Json ParetoPage::state() const {
    const auto& axes = m_plot->axes();
    Json state{{"x", axes.x.toStdString()},
               {"y", axes.y.toStdString()},
               {"log_x", axes.logX},
               {"log_y", axes.logY},
               {"y_chosen", m_axisChosen},
               {"table", m_plot->tableShown()}};
    if (const auto zoom = m_plot->zoom()) {
        state["zoom"] = Json{{"x_low", zoom->xLow}, {"x_high", zoom->xHigh},
                             {"y_low", zoom->yLow}, {"y_high", zoom->yHigh}};
    }
    return state;
}

void ParetoPage::restoreState(const Json& state) {
    if (!state.is_object()) {
        return;
    }
    const auto text = [&state](const char* key) {
        const auto found = state.find(key);
        return found != state.end() && found->is_string()
                   ? QString::fromStdString(found->get<std::string>())
                   : QString();
    };
    const auto flag = [&state](const char* key) {
        const auto found = state.find(key);
        return found != state.end() && found->is_boolean() && found->get<bool>();
    };
    m_axisChosen = flag("y_chosen");
    m_x->setMetricKey(text("x"));
    if (m_axisChosen) {
        m_y->setMetricKey(text("y"));
    }
    widgets::ParetoAxes axes = m_plot->axes();
    axes.logY = flag("log_y");
    m_plot->setAxes(axes);
    m_logX->setChecked(flag("log_x"));
    m_table->setChecked(flag("table"));
    axesChosen();
    const auto zoom = state.find("zoom");
    if (zoom == state.end() || !zoom->is_object()) {
        return;
    }
    const widgets::PlotView view{numberIn(*zoom, "x_low"), numberIn(*zoom, "x_high"),
                                 numberIn(*zoom, "y_low"), numberIn(*zoom, "y_high")};
    if (view.xLow < view.xHigh && view.yLow < view.yHigh) {
        m_plot->setZoom(view);
    }
}

void ParetoPage::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::LanguageChange) {
        retranslate();
    }
}

}  // namespace pareto::studio
