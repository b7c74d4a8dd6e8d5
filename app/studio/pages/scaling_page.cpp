#include "app/studio/pages/scaling_page.h"

#include <algorithm>
#include <array>
#include <limits>

#include <QAction>
#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QScopedValueRollback>
#include <QSplitter>
#include <QStackedWidget>
#include <QTableView>
#include <QTabWidget>
#include <QVBoxLayout>

#include "app/studio/actions.h"
#include "app/studio/job_queue.h"
#include "app/studio/pages/part_timeline_panel.h"
#include "app/studio/texts.h"
#include "app/studio/workspace.h"
#include "widgets/models/cell_table_model.h"
#include "widgets/support/elided_label.h"
#include "widgets/support/empty_state.h"
#include "widgets/support/tsv.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;
using widgets::ScalingPicture;
using widgets::TableCell;

namespace {

/// Typical of the kind, as data sheets and MPI benchmarks have them: a start for somebody's own numbers. Bandwidths are line rates.
struct LinkPreset {
    const char* name;
    double latencyUs;
    double gigabytes;
};
constexpr std::array kPresets{LinkPreset{"1 GbE", 50.0, 0.125}, LinkPreset{"10 GbE", 25.0, 1.25},
                              LinkPreset{"100 GbE (RoCE)", 3.0, 12.5},
                              LinkPreset{"InfiniBand HDR", 1.5, 25.0},
                              LinkPreset{"InfiniBand NDR", 1.3, 50.0}};
constexpr int kMeasured = 0;
constexpr int kFirstPreset = 1;
constexpr int kOwn = kFirstPreset + static_cast<int>(kPresets.size());

enum Figure { Throughput, StepTime };

QString shareText(double share) { return percent(share, 1); }

QString divisionText(const jobs::ScalingPoint& point) {
    QStringList parts;
    if (point.tp > 1) {
        parts.append(u"tp %1"_s.arg(point.tp));
    }
    if (point.pp > 1) {
        parts.append(u"pp %1"_s.arg(point.pp));
    }
    if (point.replicas > 1) {
        parts.append(ScalingPage::tr("%Ln replica(s)", nullptr, point.replicas));
    }
    return parts.isEmpty() ? ScalingPage::tr("one process") : parts.join(u" × "_s);
}

/// All processes together, against one alone.
double speedUp(const jobs::ScalingPoint& point, double aloneMs) {
    return aloneMs / point.measuredMs.value_or(point.predictedMs) * point.replicas;
}

}  // namespace

ScalingPage::ScalingPage(const Parts& parts, QWidget* parent)
    : QWidget(parent), m_workspace(parts.workspace), m_queue(parts.queue) {
    setObjectName(u"scalingPage"_s);
    m_empty = new widgets::EmptyState(this);
    m_empty->setObjectName(u"scalingEmpty"_s);
    m_empty->addButton(parts.actions[kActionScaling]);
    m_plot = new widgets::ScalingPlot(u"scalingPlot"_s, this);
    auto* content = new QWidget(this);
    content->setObjectName(u"scalingContent"_s);
    m_note = new QLabel(content);
    m_note->setObjectName(u"scalingNote"_s);
    m_note->setWordWrap(true);
    m_note->setContentsMargins(8, 0, 8, 2);
    auto* inner = new QVBoxLayout(content);
    inner->setContentsMargins(0, 0, 0, 0);
    inner->setSpacing(0);
    inner->addWidget(m_note);
    inner->addWidget(m_plot, 1);
    m_stack = new QStackedWidget(this);
    m_stack->setObjectName(u"scalingStack"_s);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(content);

    m_model = new widgets::CellTableModel(this);
    m_view = new QTableView(this);
    m_view->setObjectName(u"scalingTable"_s);
    m_view->setModel(m_model);
    m_view->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_view->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_view->setShowGrid(false);
    m_view->setWordWrap(false);
    m_view->setTabKeyNavigation(false);
    m_view->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_view->verticalHeader()->hide();
    m_view->verticalHeader()->setDefaultSectionSize(m_view->fontMetrics().height() + 4);
    m_view->horizontalHeader()->setObjectName(u"scalingTableHeader"_s);
    m_view->horizontalHeader()->setHighlightSections(false);
    m_timeline = new PartTimelinePanel(parts.runs, parts.selection, parts.dialogs, this);
    m_tabs = new QTabWidget(this);
    m_tabs->setObjectName(u"scalingTabs"_s);
    m_tabs->setDocumentMode(true);
    m_tabs->addTab(m_view, QString());
    m_tabs->addTab(m_timeline, QString());
    auto* split = new QSplitter(Qt::Vertical, this);
    split->setObjectName(u"scalingSplit"_s);
    split->addWidget(m_stack);
    split->addWidget(m_tabs);
    split->setStretchFactor(0, 1);
    split->setSizes({190, 180});
    split->setChildrenCollapsible(false);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(makeBar());
    layout->addWidget(makeLinkBar());
    layout->addWidget(split, 1);

    auto* action = parts.actions[kActionScaling];
    const auto follow = [this, action] {
        m_predict->setEnabled(action->isEnabled());
        m_predict->setToolTip(action->toolTip());
    };
    connect(action, &QAction::changed, m_predict, follow);
    connect(m_predict, &QPushButton::clicked, action, &QAction::trigger);
    follow();
    connect(&m_queue, &JobQueue::jobsChanged, this, &ScalingPage::followJobs);
    connect(&m_queue, &JobQueue::progressed, this, &ScalingPage::showState);
    connect(&m_workspace, &Workspace::modelChanged, this, &ScalingPage::followJobs);
    retranslate();
    followLink();
    followJobs();
}

QWidget* ScalingPage::makeBar() {
    auto* bar = new QWidget(this);
    bar->setObjectName(u"scalingBar"_s);
    m_summary = new widgets::ElidedLabel(bar);
    m_summary->setObjectName(u"scalingSummaryLabel"_s);
    m_step = new QComboBox(bar);
    m_step->setObjectName(u"scalingStepCombo"_s);
    m_figure = new QComboBox(bar);
    m_figure->setObjectName(u"scalingFigureCombo"_s);
    m_figure->addItems({QString(), QString()});
    m_predict = new QPushButton(bar);
    m_predict->setObjectName(u"scalingButton"_s);
    m_predict->setAutoDefault(false);
    auto* layout = new QHBoxLayout(bar);
    layout->setContentsMargins(8, 4, 8, 2);
    layout->addWidget(m_summary, 1);
    layout->addWidget(m_step);
    layout->addWidget(m_figure);
    layout->addWidget(m_predict);
    for (auto* combo : {m_step, m_figure}) {
        connect(combo, &QComboBox::currentIndexChanged, this, [this] {
            if (!m_showing) {
                showStep();
            }
        });
    }
    return bar;
}

QWidget* ScalingPage::makeLinkBar() {
    auto* bar = new QWidget(this);
    bar->setObjectName(u"scalingLinkBar"_s);
    m_linkName = new QLabel(bar);
    m_linkName->setObjectName(u"scalingLinkLabel"_s);
    m_links = new QComboBox(bar);
    m_links->setObjectName(u"scalingLinkCombo"_s);
    m_links->addItem(QString());
    for (const auto& preset : kPresets) {
        m_links->addItem(QLatin1String(preset.name));
    }
    m_links->addItem(QString());
    m_linkName->setBuddy(m_links);
    const auto spin = [bar](const QString& name, double least, double most, int decimals) {
        auto* out = new QDoubleSpinBox(bar);
        out->setObjectName(name);
        out->setRange(least, most);
        out->setDecimals(decimals);
        return out;
    };
    m_latency = spin(u"scalingLatencySpin"_s, 0.0, 1e6, 1);
    m_bandwidth = spin(u"scalingBandwidthSpin"_s, 0.001, 1e5, 3);
    m_latency->setSuffix(u" µs"_s);
    m_bandwidth->setSuffix(u" GB/s"_s);
    m_measure = new QCheckBox(bar);
    m_measure->setObjectName(u"scalingMeasureCheck"_s);
    m_measure->setChecked(true);
    auto* layout = new QHBoxLayout(bar);
    layout->setContentsMargins(8, 0, 8, 2);
    layout->addWidget(m_linkName);
    layout->addWidget(m_links);
    layout->addWidget(m_latency);
    layout->addWidget(m_bandwidth);
    layout->addStretch(1);
    layout->addWidget(m_measure);
    connect(m_links, &QComboBox::currentIndexChanged, this, [this] {
        if (!m_showing) {
            followLink();
        }
    });
    for (auto* one : {m_latency, m_bandwidth}) {
        connect(one, &QDoubleSpinBox::valueChanged, this, &ScalingPage::editLink);
    }
    return bar;
}

void ScalingPage::retranslate() {
    const QScopedValueRollback showing(m_showing, true);
    m_view->setAccessibleName(tr("Divisions, predicted and measured"));
    m_tabs->setAccessibleName(tr("Figures and timeline"));
    m_tabs->setTabText(0, tr("Predicted and measured"));
    const QString columns =
        tr("Bold: the division with the shortest predicted step among as many processes. Error: "
           "predicted ÷ measured − 1. Speed-up and efficiency are of what was measured, else of "
           "what is predicted. Sums, handing on and bubble are predicted shares of the time; "
           "exchanged and waited are what rank 0 was measured to spend.");
    m_tabs->setTabToolTip(0, columns);
    m_view->setAccessibleDescription(columns);
    m_tabs->setTabText(1, tr("One step by rank"));
    m_step->setAccessibleName(tr("Step of the model"));
    m_figure->setAccessibleName(tr("What is shown"));
    m_figure->setItemText(Throughput, tr("Throughput"));
    m_figure->setItemText(StepTime, tr("Time of a step"));
    m_predict->setText(tr("Predict"));
    m_predict->setAccessibleName(tr("Predict scaling"));
    m_linkName->setText(tr("Link:"));
    m_links->setAccessibleName(tr("Link between the processes"));
    m_links->setItemText(kMeasured, tr("measured between processes here"));
    m_links->setItemText(kOwn, tr("own numbers"));
    m_links->setToolTip(
        tr("What is between the processes. Named ones are typical numbers and line rates; change "
           "them to yours."));
    m_latency->setAccessibleName(tr("Latency of the link in microseconds"));
    m_bandwidth->setAccessibleName(tr("Bandwidth of the link in gigabytes a second"));
    m_measure->setText(tr("Measure here too"));
    m_measure->setToolTip(
        tr("Also divides the model among this machine's cores in every way they allow, and times "
           "each"));
}

std::optional<jobs::ScalingLink> ScalingPage::link() const {
    return m_links->currentIndex() == kMeasured
               ? std::nullopt
               : std::optional(jobs::ScalingLink{m_latency->value(), m_bandwidth->value()});
}

bool ScalingPage::measures() const { return m_measure->isChecked(); }

/// The numbers of the chosen link; a measured one has them when it was measured.
void ScalingPage::followLink() {
    const QScopedValueRollback showing(m_showing, true);
    const int at = m_links->currentIndex();
    const bool measured = at == kMeasured;
    if (at >= kFirstPreset && at < kOwn) {
        const auto& preset = kPresets[static_cast<std::size_t>(at - kFirstPreset)];
        m_latency->setValue(preset.latencyUs);
        m_bandwidth->setValue(preset.gigabytes);
    } else if (measured && m_scaling.linkMeasured) {
        m_latency->setValue(m_scaling.link.latencyUs);
        m_bandwidth->setValue(m_scaling.link.gigabytes);
    }
    for (auto* spin : {m_latency, m_bandwidth}) {
        spin->setEnabled(!measured);
        // Numbers that nobody has measured yet are not shown.
        spin->setVisible(!measured || m_scaling.linkMeasured);
    }
}

void ScalingPage::editLink() {
    if (!m_showing) {
        const QScopedValueRollback showing(m_showing, true);
        m_links->setCurrentIndex(kOwn);
    }
}

/// Of the open model.
const Job* ScalingPage::newestJob(bool finished) const {
    if (!m_workspace.model()) {
        return nullptr;
    }
    return m_queue.newest(jobs::kJobScaling, m_workspace.model()->path.toStdString(), finished);
}

/// What the newest job is doing, or why it has no result; empty when it has one.
QString ScalingPage::runningText() const {
    const auto* job = newestJob(false);
    if (job == nullptr || job->state == JobState::Finished) {
        return {};
    }
    if (job->isPending()) {
        return job->state == JobState::Queued ? tr("The prediction is waiting.")
                                              : tr("Predicting: %1").arg(text(job->progress));
    }
    return job->error ? tr("The prediction failed: %1").arg(text(*job->error))
                      : tr("The prediction was stopped.");
}

void ScalingPage::followJobs() {
    const auto* job = newestJob(true);
    const int id = job != nullptr ? job->id : 0;
    if (id != m_job) {
        m_job = id;
        m_scaling = {};
        if (job != nullptr) {
            auto scaling = jobs::scalingFromJson(job->result);
            if (scaling.ok()) {
                m_scaling = std::move(scaling).value();
            }
        }
        showScaling();
        m_tabs->setTabVisible(0, !m_scaling.alone.empty());
        m_tabs->setCurrentIndex(m_scaling.alone.empty() ? 1 : 0);
    }
    showState();
}

void ScalingPage::showState() {
    const QString running = runningText();
    const bool there = !m_scaling.alone.empty();
    m_stack->setCurrentIndex(there ? 1 : 0);
    m_tabs->setTabVisible(0, there);
    m_step->setVisible(m_scaling.alone.size() > 1);
    m_figure->setVisible(there);
    if (!there) {
        m_summary->setFullText({});
        m_empty->setText(!running.isEmpty() ? running
                         : !m_workspace.model()
                             ? tr("Open a model to predict how it runs on 2 to 1,024 processes.")
                             : tr("Predict shows how the model with its recipe would run on 2 to "
                                  "1,024 processes, "
                                  "from its layers' times in one process and a link."));
        return;
    }
    QStringList parts{fromUtf8(m_scaling.recipeSummary),
                      tr("%1 each", "target of each process").arg(fromUtf8(m_scaling.targetText))};
    if (m_scaling.disturbed) {
        parts.append(tr("disturbed by other programs"));
    }
    m_summary->setFullText(running.isEmpty() ? parts.join(u" · "_s) : running);
}

QString ScalingPage::noteText() const {
    const QString link =
        tr("%1 µs, %2 GB/s")
            .arg(number(m_scaling.link.latencyUs, 1), number(m_scaling.link.gigabytes, 2));
    QStringList parts{m_scaling.linkMeasured
                          ? tr("Lines are predictions from the layers' times in one process and a "
                               "link of %1 (measured here); points are measured.")
                                .arg(link)
                          : tr("Lines are predictions from the layers' times in one process and a "
                               "link of %1 (as given); points are measured here.")
                                .arg(link)};
    if (!m_scaling.notMeasured.empty()) {
        parts.append(tr("No division was measured: %1.").arg(fromUtf8(m_scaling.notMeasured)));
    }
    return parts.join(u' ');
}

void ScalingPage::showScaling() {
    {
        const QScopedValueRollback showing(m_showing, true);
        const auto titleOf = [](const std::string& step) {
            return step == "prefill"  ? tr("Prompt and first token")
                   : step == "decode" ? tr("One token")
                                      : tr("One pass");
        };
        const int before = m_step->currentIndex();
        m_step->clear();
        for (const auto& alone : m_scaling.alone) {
            m_step->addItem(titleOf(alone.step), fromUtf8(alone.step));
        }
        m_step->setCurrentIndex(std::clamp(before, 0, std::max(0, m_step->count() - 1)));
    }
    followLink();
    showStep();
}

QString ScalingPage::stepName() const { return m_step->currentData().toString(); }

ScalingPicture ScalingPage::picture(const std::string& step) const {
    ScalingPicture out;
    const auto alone = std::find_if(m_scaling.alone.begin(), m_scaling.alone.end(),
                                    [&](const auto& one) { return one.step == step; });
    if (alone == m_scaling.alone.end()) {
        return out;
    }
    const bool time = m_figure->currentIndex() == StepTime;
    const auto rows = static_cast<double>(alone->rows);
    const auto figure = [&](double ms, int replicas) {
        return time ? ms : rows * 1000.0 / ms * replicas;
    };
    out.label = time ? tr("Time of a step, ms") : tr("Tokens a second");
    std::array<ScalingPicture::Curve, 4> curves;
    for (std::size_t way = 0; way < curves.size(); ++way) {
        curves[way].way = static_cast<ScalingPicture::Way>(way);
        curves[way].ranks = {1.0};
        curves[way].values = {figure(alone->ms, 1)};
    }
    out.measured.push_back({tr("one process"), 1.0, figure(alone->ms, 1),
                            figure(time ? alone->low : alone->high, 1),
                            figure(time ? alone->high : alone->low, 1)});
    std::vector<jobs::ScalingPoint> points;
    std::copy_if(m_scaling.points.begin(), m_scaling.points.end(), std::back_inserter(points),
                 [&](const auto& point) { return point.step == step; });
    std::stable_sort(points.begin(), points.end(),
                     [](const auto& a, const auto& b) { return a.processes() < b.processes(); });
    int most = 1;
    for (const auto& point : points) {
        const double value = figure(point.predictedMs, point.replicas);
        const auto add = [&](ScalingPicture::Way way, bool fits) {
            if (fits) {
                auto& curve = curves[static_cast<std::size_t>(way)];
                curve.ranks.push_back(point.processes());
                curve.values.push_back(value);
            }
        };
        add(ScalingPicture::Way::Tensor, point.pp == 1 && point.replicas == 1);
        add(ScalingPicture::Way::Pipeline, point.tp == 1 && point.replicas == 1);
        add(ScalingPicture::Way::Replicas, point.tp == 1 && point.pp == 1);
        add(ScalingPicture::Way::Fastest, point.fastest);
        most = std::max(most, point.processes());
        if (point.measuredMs) {
            // Few milliseconds are many tokens a second: the ends change places.
            const double low = figure(time ? point.low : point.high, point.replicas);
            const double high = figure(time ? point.high : point.low, point.replicas);
            out.measured.push_back({divisionText(point), static_cast<double>(point.processes()),
                                    figure(*point.measuredMs, point.replicas), low, high, value});
        }
    }
    for (auto& curve : curves) {
        if (curve.ranks.size() > 1) {
            out.predicted.push_back(std::move(curve));
        }
    }
    for (int ranks = 1; ranks <= most; ranks *= 2) {
        out.ideal.push_back(time ? alone->ms / ranks : figure(alone->ms, ranks));
    }
    return out;
}

void ScalingPage::fillTable(const std::string& step) {
    const QStringList headers{tr("Processes"),    tr("Division"),      tr("Predicted, ms"),
                              tr("Measured, ms"), tr("95 % interval"), tr("Error"),
                              tr("Speed-up"),     tr("Efficiency"),    tr("Sums"),
                              tr("Handing on"),   tr("Bubble"),        tr("Exchanged"),
                              tr("Waited")};
    const auto alone = std::find_if(m_scaling.alone.begin(), m_scaling.alone.end(),
                                    [&](const auto& one) { return one.step == step; });
    if (alone == m_scaling.alone.end()) {
        m_model->setTable(headers, {});
        return;
    }
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    const auto figure = [](const QString& text, bool strong = false) {
        return TableCell{text, kNone, strong, true};
    };
    const auto ms = [](double value) { return number(value, value < 100.0 ? 2 : 1); };
    const QString none = u"–"_s;
    const auto interval = [&](double low, double high) {
        return tr("%1 to %2").arg(ms(low), ms(high));
    };
    widgets::CellTableModel::Rows rows;
    rows.push_back({figure(u"1"_s),
                    {tr("one process")},
                    figure(none),
                    figure(ms(alone->ms)),
                    figure(interval(alone->low, alone->high)),
                    figure(none),
                    figure(number(1.0, 2)),
                    figure(shareText(1.0)),
                    figure(none),
                    figure(none),
                    figure(none),
                    figure(none),
                    figure(none)});
    std::vector<jobs::ScalingPoint> points;
    std::copy_if(m_scaling.points.begin(), m_scaling.points.end(), std::back_inserter(points),
                 [&](const auto& point) { return point.step == step; });
    std::stable_sort(points.begin(), points.end(), [](const auto& a, const auto& b) {
        return std::pair(a.processes(), !a.fastest) < std::pair(b.processes(), !b.fastest);
    });
    for (const auto& point : points) {
        const double times = speedUp(point, alone->ms);
        const bool measured = point.measuredMs.has_value();
        rows.push_back(
            {figure(QLocale().toString(point.processes()), point.fastest),
             {divisionText(point), kNone, point.fastest},
             figure(ms(point.predictedMs)),
             figure(measured ? ms(*point.measuredMs) : none),
             figure(measured ? interval(point.low, point.high) : none),
             figure(measured ? shareText(point.predictedMs / *point.measuredMs - 1.0) : none),
             figure(number(times, 2)),
             figure(shareText(times / point.processes())),
             figure(shareText(point.sums)),
             figure(shareText(point.handing)),
             figure(shareText(std::max(0.0, point.bubble))),
             figure(point.moving ? shareText(*point.moving) : none),
             figure(point.waiting ? shareText(*point.waiting) : none)});
    }
    m_model->setTable(headers, std::move(rows));
    m_view->resizeColumnsToContents();
}

void ScalingPage::showStep() {
    const auto step = stepName().toStdString();
    m_plot->setPicture(picture(step));
    fillTable(step);
    m_note->setText(m_scaling.alone.empty() ? QString() : noteText());
    showState();
}

void ScalingPage::copy() { widgets::copySelectedRows(*m_view); }

void ScalingPage::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::LanguageChange) {
        retranslate();
        showScaling();
    }
}

}  // namespace pareto::studio
