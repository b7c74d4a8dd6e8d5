#include "app/studio/pages/training_page.h"

#include <algorithm>

#include <QCheckBox>
#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QLocale>
#include <QPushButton>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>

#include "app/studio/actions.h"
#include "app/studio/pages/confusion_panel.h"
#include "app/studio/pages/distil_pairs_panel.h"
#include "app/studio/texts.h"
#include "widgets/plots/training_plot.h"
#include "widgets/support/elided_label.h"
#include "widgets/support/empty_state.h"
#include "widgets/support/number_format.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

constexpr int kClockMs = 1000;

QString valueText(const ValidationPoint& point) {
    const auto* metric = findMetric(point.metric);
    return metric != nullptr ? widgets::formatMetric(*metric, point.value) : number(point.value, 4);
}

QString metricName(const ValidationPoint& point) {
    const auto* metric = findMetric(point.metric);
    return metric != nullptr ? metricText(*metric) : fromUtf8(point.metric);
}

const ValidationPoint* validationAt(const TrainingStep& step, std::int64_t at) {
    const auto& all = step.facts.validations;
    const auto found =
        std::find_if(all.begin(), all.end(), [at](const auto& point) { return point.step == at; });
    return found == all.end() ? nullptr : &*found;
}

}  // namespace

TrainingPage::TrainingPage(Workspace& workspace, TrainingRuns& training, Actions& actions,
                           QWidget* parent)
    : QWidget(parent), m_training(training) {
    setObjectName(u"trainingPage"_s);
    m_plot = new widgets::TrainingPlot(u"trainingPlot"_s, this);
    m_empty = new widgets::EmptyState(this);
    m_empty->setObjectName(u"trainingEmpty"_s);
    m_empty->addButton(actions[kActionRun]);
    auto* content = new QWidget(this);
    content->setObjectName(u"trainingContent"_s);
    auto* inner = new QVBoxLayout(content);
    inner->setContentsMargins(0, 0, 0, 0);
    inner->setSpacing(0);
    inner->addWidget(makeBar());
    for (auto* label : {m_state, m_facts}) {
        label->setContentsMargins(8, 0, 8, 2);
        inner->addWidget(label);
    }
    m_confusion = new ConfusionPanel(this);
    auto* pictures = new QSplitter(Qt::Horizontal, this);
    pictures->setObjectName(u"trainingPictures"_s);
    pictures->addWidget(m_plot);
    pictures->addWidget(m_confusion);
    pictures->setStretchFactor(0, 1);
    pictures->setChildrenCollapsible(false);
    pictures->setSizes({520, 300});
    inner->addWidget(pictures, 1);
    m_stack = new QStackedWidget(this);
    m_stack->setObjectName(u"trainingStack"_s);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(content);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    m_pairs = new DistilPairsPanel(workspace, this);
    auto* split = new QSplitter(Qt::Horizontal, this);
    split->setObjectName(u"trainingSplit"_s);
    split->addWidget(m_stack);
    split->addWidget(m_pairs);
    split->setStretchFactor(0, 1);
    split->setChildrenCollapsible(false);
    split->setSizes({600, 280});
    layout->addWidget(split);

    m_clock.setInterval(kClockMs);
    connect(&m_clock, &QTimer::timeout, this, &TrainingPage::showState);
    connect(&m_training, &TrainingRuns::started, this, [this] {
        m_source = kLive;
        showSources();
    });
    connect(&m_training, &TrainingRuns::liveChanged, this, [this] {
        if (m_source == kLive) {
            showSteps();
        } else {
            showState();
        }
    });
    connect(&m_training, &TrainingRuns::storedChanged, this, [this] {
        if (!m_training.stored().empty() && !m_training.isTraining()) {
            m_source = kStored;
        }
        showSources();
    });
    retranslate();
}

QWidget* TrainingPage::makeBar() {
    auto* bar = new QWidget(this);
    bar->setObjectName(u"trainingBar"_s);
    m_sources = new QComboBox(bar);
    m_sources->setObjectName(u"trainingSourceCombo"_s);
    m_sources->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_sources->setMaximumWidth(320);
    m_steps = new QComboBox(bar);
    m_steps->setObjectName(u"trainingStepCombo"_s);
    m_steps->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_rate = new QCheckBox(bar);
    m_rate->setObjectName(u"trainingRateCheck"_s);
    m_pause = new QPushButton(bar);
    m_pause->setObjectName(u"trainingPauseButton"_s);
    m_finish = new QPushButton(bar);
    m_finish->setObjectName(u"trainingFinishButton"_s);
    for (auto* button : {m_pause, m_finish}) {
        button->setAutoDefault(false);
    }
    m_state = new widgets::ElidedLabel(this);
    m_state->setObjectName(u"trainingStateLabel"_s);
    m_facts = new widgets::ElidedLabel(this);
    m_facts->setObjectName(u"trainingFactsLabel"_s);
    auto* layout = new QHBoxLayout(bar);
    layout->setContentsMargins(8, 4, 8, 4);
    layout->addWidget(m_sources);
    layout->addWidget(m_steps);
    layout->addStretch(1);
    layout->addWidget(m_rate);
    layout->addWidget(m_pause);
    layout->addWidget(m_finish);
    connect(m_sources, &QComboBox::activated, this, [this](int row) {
        m_source = static_cast<Source>(m_sources->itemData(row).toInt());
        showSteps();
    });
    connect(m_steps, &QComboBox::activated, this, &TrainingPage::showStep);
    connect(m_rate, &QCheckBox::toggled, m_plot, &widgets::TrainingPlot::setLearningRateShown);
    connect(m_pause, &QPushButton::clicked, this,
            [this] { m_training.setPaused(!m_training.isPaused()); });
    connect(m_finish, &QPushButton::clicked, this, [this] { m_training.finishEarly(); });
    return bar;
}

void TrainingPage::retranslate() {
    m_sources->setAccessibleName(tr("Which training"));
    m_steps->setAccessibleName(tr("Step of the recovery"));
    m_rate->setText(tr("Learning rate"));
    m_rate->setAccessibleName(tr("Show the learning rate"));
    m_rate->setToolTip(tr("Draws the learning rate beside the loss"));
    m_finish->setText(tr("Stop and Keep Best"));
    m_finish->setAccessibleName(m_finish->text());
    m_finish->setToolTip(tr(
        "Ends training now; the weights of the best validation are kept, and the run goes on as if "
        "this had been the last step"));
    m_plot->setToolTip(tr("The strong line is the mean of the last fiftieth of the planned steps"));
    showSources();
}

const TrainingSteps& TrainingPage::steps() const {
    return m_source == kLive ? m_training.live() : m_training.stored();
}

const TrainingStep* TrainingPage::step() const {
    const int row = m_steps->currentIndex();
    return row >= 0 && row < static_cast<int>(steps().size())
               ? &steps()[static_cast<std::size_t>(row)]
               : nullptr;
}

/// What there is to show; what is shown stays where it can.
void TrainingPage::showSources() {
    const bool live = !m_training.live().empty();
    const bool stored = !m_training.stored().empty();
    if (m_source == kLive ? !live && stored : !stored && live) {
        m_source = m_source == kLive ? kStored : kLive;
    }
    m_sources->clear();
    if (live) {
        m_sources->addItem(m_training.liveTitle(), kLive);
        m_sources->setItemData(0, tr("The job that trains, or trained last"), Qt::ToolTipRole);
    }
    if (stored) {
        m_sources->addItem(m_training.storedTitle(), kStored);
        m_sources->setItemData(m_sources->count() - 1, tr("The chosen run, as it was stored"),
                               Qt::ToolTipRole);
    }
    m_sources->setCurrentIndex(m_sources->findData(m_source));
    showSteps();
}

void TrainingPage::showSteps() {
    const int before = m_steps->count();
    const auto count = static_cast<int>(steps().size());
    const int shown = m_steps->currentIndex();
    QStringList texts;
    for (int i = 0; i < count; ++i) {
        texts.append(tr("Step %1: %2", "of the recovery: number, method")
                         .arg(i + 1)
                         .arg(fromUtf8(steps()[static_cast<std::size_t>(i)].facts.method)));
    }
    QStringList old;
    for (int i = 0; i < before; ++i) {
        old.append(m_steps->itemText(i));
    }
    if (texts != old) {
        m_steps->clear();
        m_steps->addItems(texts);
        // The newest, unless an older one was chosen.
        m_steps->setCurrentIndex(shown >= 0 && shown < before - 1 && shown < count ? shown
                                                                                   : count - 1);
    }
    m_steps->setVisible(count > 1);
    showStep();
}

void TrainingPage::showStep() {
    const auto* shown = step();
    m_stack->setCurrentIndex(shown != nullptr ? 1 : 0);
    if (shown != nullptr) {
        m_plot->setPicture({shown->curve, shown->facts.validations, shown->keptStep()});
    } else {
        m_plot->setPicture({});
    }
    m_confusion->setValidations(shown != nullptr ? shown->facts.validations
                                                 : std::vector<ValidationPoint>());
    showState();
}

void TrainingPage::showState() {
    const bool training = m_training.isTraining();
    if (training != m_clock.isActive()) {
        training ? m_clock.start() : m_clock.stop();
    }
    const bool live = m_source == kLive && training;
    m_pause->setVisible(live);
    m_finish->setVisible(live);
    m_pause->setText(m_training.isPaused() ? tr("Resume") : tr("Pause"));
    m_pause->setAccessibleName(m_pause->text());
    m_pause->setToolTip(m_training.isPaused()
                            ? tr("Goes on training")
                            : tr("Holds training between two steps; nothing is lost"));
    m_pause->setEnabled(!m_training.isFinishing());
    m_finish->setEnabled(!m_training.isFinishing());
    const auto* shown = step();
    if (shown == nullptr) {
        m_empty->setText(
            m_training.storedRun() == 0
                ? tr("Training shows loss and metric while a recipe recovers accuracy. Switch it "
                     "on in "
                     "Recipe, under Recover.")
                : tr("The chosen run did not train. A recipe does where Recover is on."));
        return;
    }
    m_state->setFullText(stateText(*shown));
    m_facts->setFullText(factsText(*shown));
}

QString TrainingPage::stateText(const TrainingStep& step) const {
    QStringList parts;
    const bool live =
        m_source == kLive && m_training.isTraining() && &step == &m_training.live().back();
    if (live && m_training.isPaused()) {
        parts.append(tr("Paused"));
    } else if (live && m_training.isFinishing()) {
        parts.append(tr("Ending with the best so far"));
    }
    if (step.curve->isEmpty()) {
        return parts.join(u" · "_s);
    }
    const auto& last = step.curve->last();
    const QLocale locale;
    parts.append(tr("Step %L1 of %L2").arg(last.step).arg(last.steps));
    if (last.epoch > 0.0) {
        parts.append(tr("epoch %1", "passes over the data").arg(number(last.epoch, 2)));
    }
    parts.append(tr("loss %1").arg(locale.toString(step.curve->smoothed().back(), 'g', 4)));
    if (const double rate = live ? m_training.throughput() : last.examplesPerSecond; rate > 0.0) {
        parts.append(tr("%1 examples/s").arg(number(rate, rate < 10.0 ? 2 : 1)));
    }
    if (const double left = live ? m_training.secondsLeft() : -1.0; left >= 0.0) {
        parts.append(tr("%1 left").arg(duration(left)));
    }
    if (!live && step.facts.seconds > 0.0) {
        parts.append(tr("%1 in all", "time").arg(duration(step.facts.seconds)));
    }
    return parts.join(u" · "_s);
}

QString TrainingPage::factsText(const TrainingStep& step) const {
    const auto& facts = step.facts;
    QStringList parts;
    const QString method = fromUtf8(facts.method);
    if (!method.isEmpty()) {
        parts.append(facts.source.empty()
                         ? method
                         : tr("%1 on %2", "method, data").arg(method, fromUtf8(facts.source)));
    }
    if (facts.examples > 0) {
        parts.append(tr("%Ln example(s)", nullptr, static_cast<int>(facts.examples)));
    }
    if (!facts.validations.empty()) {
        const auto& newest = facts.validations.back();
        parts.append(tr("%1 %2", "metric, value").arg(metricName(newest), valueText(newest)));
    }
    if (const auto* kept = validationAt(step, step.keptStep())) {
        parts.append(tr("kept: %1 at step %L2", "value of the metric")
                         .arg(valueText(*kept))
                         .arg(kept->step));
    } else if (step.keptStep() > 0) {
        parts.append(tr("kept: step %L1").arg(step.keptStep()));
    }
    if (facts.ended == "patience") {
        parts.append(tr("ended: no validation was better any more"));
    } else if (facts.ended == "asked") {
        parts.append(tr("ended by hand"));
    }
    for (const auto& note : facts.notes) {
        parts.append(fromUtf8(note));
    }
    return parts.join(u" · "_s);
}

void TrainingPage::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::LanguageChange) {
        retranslate();
    }
}

}  // namespace pareto::studio
