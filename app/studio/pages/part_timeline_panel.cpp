#include "app/studio/pages/part_timeline_panel.h"

#include <algorithm>

#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <QStackedWidget>
#include <QVBoxLayout>

#include "app/studio/dialogs/dialogs.h"
#include "app/studio/runs.h"
#include "app/studio/texts.h"
#include "engine/core/file.h"
#include "engine/spec/target.h"
#include "widgets/plots/step_timeline_plot.h"
#include "widgets/support/elided_label.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

/// A run's target says in how many processes it was.
bool inParts(const store::RunSummary& run) {
    const auto& text = run.targetText;
    return run.status == RunStatus::Finished && !run.deleted &&
           (text.find(" tp ") != std::string::npos || text.find(" pp ") != std::string::npos);
}

QString shareText(double share) { return percent(share, 1); }

}  // namespace

PartTimelinePanel::PartTimelinePanel(Runs& runs, Selection& selection, Dialogs& dialogs,
                                     QWidget* parent)
    : QWidget(parent), m_runs(runs), m_selection(selection), m_dialogs(dialogs) {
    setObjectName(u"partTimeline"_s);
    m_nothing = new QLabel(this);
    m_nothing->setObjectName(u"partTimelineNothing"_s);
    m_nothing->setWordWrap(true);
    m_nothing->setAlignment(Qt::AlignCenter);
    m_nothing->setContentsMargins(8, 4, 8, 4);
    auto* content = new QWidget(this);
    content->setObjectName(u"partTimelineContent"_s);
    m_name = new widgets::ElidedLabel(content);
    m_name->setObjectName(u"partTimelineName"_s);
    m_shares = new widgets::ElidedLabel(content);
    m_shares->setObjectName(u"partTimelineShares"_s);
    m_shares->setContentsMargins(8, 0, 8, 0);
    m_step = new QComboBox(content);
    m_step->setObjectName(u"partTimelineStep"_s);
    m_save = new QPushButton(content);
    m_save->setObjectName(u"partTimelineSave"_s);
    m_save->setAutoDefault(false);
    m_plot = new widgets::StepTimelinePlot(u"partTimelinePlot"_s, content);
    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(8, 2, 8, 2);
    bar->addWidget(m_name, 1);
    bar->addWidget(m_step);
    bar->addWidget(m_save);
    auto* inner = new QVBoxLayout(content);
    inner->setContentsMargins(0, 0, 0, 0);
    inner->setSpacing(0);
    inner->addLayout(bar);
    inner->addWidget(m_shares);
    inner->addWidget(m_plot, 1);
    m_stack = new QStackedWidget(this);
    m_stack->setObjectName(u"partTimelineStack"_s);
    m_stack->addWidget(m_nothing);
    m_stack->addWidget(content);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_stack);
    connect(&m_selection, &Selection::runsChanged, this, &PartTimelinePanel::follow);
    connect(&m_runs, &Runs::changed, this, &PartTimelinePanel::follow);
    connect(m_step, &QComboBox::currentIndexChanged, this, &PartTimelinePanel::showStep);
    connect(m_save, &QPushButton::clicked, this, &PartTimelinePanel::save);
    retranslate();
    follow();
}

void PartTimelinePanel::retranslate() {
    m_step->setAccessibleName(tr("Step of the timeline"));
    m_save->setText(tr("Save Timeline…"));
    m_save->setAccessibleName(m_save->text());
    m_save->setToolTip(
        tr("Writes the recorded pass as a trace file for chrome://tracing or Perfetto"));
    showNothing();
}

void PartTimelinePanel::showNothing() {
    m_nothing->setText(m_wanted == 0 ? tr("Divide the model in the target (tp or pp) and run it: "
                                          "what each of its processes did in one step stands here.")
                                     : tr("Run #%1 has no timeline: its model was not divided "
                                          "among processes, or it was not timed.")
                                           .arg(m_wanted));
}

void PartTimelinePanel::follow() {
    RunId wanted = m_selection.currentRun();
    if (wanted == 0) {
        const auto& rows = m_runs.frame()->rows();
        const auto newest = std::find_if(rows.rbegin(), rows.rend(), inParts);
        wanted = newest != rows.rend() ? newest->id : 0;
    }
    if (wanted == m_wanted && (wanted == 0 || wanted == m_run)) {
        return;
    }
    m_wanted = wanted;
    if (wanted == 0) {
        setTimelines(0, {}, {});
        return;
    }
    m_runs.fetch(wanted, this, [this, wanted](const RunRecordPtr& record) {
        if (wanted != m_wanted) {
            return;
        }
        const auto found = record->details.is_object() && record->details.contains("parts")
                               ? partTimelinesFromJson(record->details["parts"])
                               : Result<std::vector<PartTimeline>>(std::vector<PartTimeline>());
        const bool there = found.ok() && !found->empty() && !found->front().steps.empty();
        setTimelines(there ? wanted : 0, there ? found.value() : std::vector<PartTimeline>(),
                     tr("Run #%1: %2 · %3")
                         .arg(QString::number(wanted), fromUtf8(record->name),
                              fromUtf8(record->targetText)));
    });
}

void PartTimelinePanel::setTimelines(RunId run, std::vector<PartTimeline> timelines,
                                     const QString& title) {
    m_run = run;
    m_timelines = std::move(timelines);
    m_title = title;
    m_name->setFullText(title);
    {
        const QSignalBlocker blocked(m_step);
        const int before = m_step->currentIndex();
        m_step->clear();
        for (const auto& step :
             m_timelines.empty() ? std::vector<PartStep>() : m_timelines.front().steps) {
            m_step->addItem(step.name == "prefill"  ? tr("Prompt and first token")
                            : step.name == "decode" ? tr("One token")
                                                    : tr("One pass"));
        }
        m_step->setCurrentIndex(std::clamp(before, 0, std::max(0, m_step->count() - 1)));
        m_step->setVisible(m_step->count() > 1);
    }
    m_stack->setCurrentIndex(m_timelines.empty() ? 0 : 1);
    showNothing();
    showStep();
}

QString PartTimelinePanel::sharesText(int step) const {
    PartShares mean;
    double bubble = 0.0;
    double error = 0.0;
    double ranks = 0.0;
    bool stages = false;
    bool waitsKnown = true;
    const PartStep* first = nullptr;
    for (const auto& timeline : m_timelines) {
        if (step < 0 || static_cast<std::size_t>(step) >= timeline.steps.size()) {
            continue;
        }
        const auto& one = timeline.steps[static_cast<std::size_t>(step)];
        first = first != nullptr ? first : &one;
        ranks += 1.0;
        mean.compute += one.shares.compute;
        mean.transfer += one.shares.transfer;
        mean.wait += one.shares.wait;
        bubble += one.shares.bubble.value_or(0.0);
        stages = stages || one.shares.bubble.has_value();
        error = std::max(error, timeline.clockError);
        waitsKnown = waitsKnown && timeline.waitsKnown;
    }
    if (first == nullptr) {
        return {};
    }
    QStringList parts{tr("%1 ms").arg(number(first->seconds * 1000.0, 2)),
                      tr("all processes: %1 computing, %2 exchanging, %3 waiting")
                          .arg(shareText(mean.compute / ranks), shareText(mean.transfer / ranks),
                               shareText(mean.wait / ranks))};
    if (stages) {
        parts.append(tr("bubble %1").arg(shareText(bubble / ranks)));
    }
    if (error > 0.0) {
        parts.append(tr("clocks of machines agree to ± %1 µs").arg(number(error * 1e6, 0)));
    }
    if (!waitsKnown) {
        parts.append(tr("exchanging includes waiting, which is not known apart across machines"));
    }
    return parts.join(u" · "_s);
}

void PartTimelinePanel::showStep() {
    const int step = m_step->currentIndex();
    m_shares->setFullText(sharesText(step));
    m_plot->setStep(m_timelines, step);
    m_save->setEnabled(!m_timelines.empty());
}

void PartTimelinePanel::save() {
    FileRequest request;
    request.kind = FileRequest::Kind::SaveFile;
    request.id = u"savePartTimeline"_s;
    request.title = tr("Save Timeline");
    request.name = u"run-%1-timeline.json"_s.arg(m_run);
    request.filters = {tr("Traces (*.json)")};
    request.suffix = u"json"_s;
    m_dialogs.chooseFile(request, [this, trace = chromeTrace(m_timelines, m_title.toStdString())](
                                      const QString& path) {
        const auto written = writeFileAtomically(path.toStdString(), compactJson(trace) + "\n");
        if (!written.ok() && !written.cancelled()) {
            m_dialogs.tell(tr("The timeline was not saved"), written.error());
        }
    });
}

void PartTimelinePanel::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::LanguageChange) {
        retranslate();
        m_run = 0;  // its texts are made anew
        follow();
    }
}

}  // namespace pareto::studio
