#include "app/studio/pages/playground_page.h"

#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QStackedWidget>
#include <QVBoxLayout>

#include "app/studio/actions.h"
#include "app/studio/playground.h"
#include "app/studio/texts.h"
#include "app/studio/workspace.h"
#include "widgets/support/elided_label.h"
#include "widgets/support/empty_state.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {
constexpr int kLookMs = 2000;
}

PlaygroundPage::PlaygroundPage(Workspace& workspace, Playground& playground, Actions& actions,
                               QWidget* parent)
    : QWidget(parent), m_workspace(workspace), m_playground(playground) {
    setObjectName(u"playgroundPage"_s);
    m_empty = new widgets::EmptyState(this);
    m_empty->setObjectName(u"playgroundEmpty"_s);
    m_empty->setText(tr("Open a model to try it on a text of your own."));
    m_empty->addButton(actions[kActionOpen]);
    m_empty->addButton(actions[kActionSample]);
    m_content = new QWidget(this);
    m_content->setObjectName(u"playgroundContent"_s);
    m_notice = new QLabel(m_content);
    m_notice->setObjectName(u"playgroundNoticeLabel"_s);
    m_notice->setWordWrap(true);
    m_notice->setTextFormat(Qt::PlainText);
    m_notice->setContentsMargins(8, 0, 8, 2);
    m_panels = new QStackedWidget(m_content);
    m_panels->setObjectName(u"playgroundPanels"_s);
    auto* inner = new QVBoxLayout(m_content);
    inner->setContentsMargins(0, 0, 0, 0);
    inner->setSpacing(2);
    inner->addWidget(makeBar());
    inner->addWidget(m_notice);
    inner->addWidget(m_panels, 1);
    m_stack = new QStackedWidget(this);
    m_stack->setObjectName(u"playgroundStack"_s);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(m_content);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_stack);

    m_look.setInterval(kLookMs);
    connect(&m_look, &QTimer::timeout, &playground, &Playground::lookAround);
    connect(&workspace, &Workspace::modelChanged, this, &PlaygroundPage::showModel);
    connect(&playground, &Playground::stateChanged, this, [this] {
        showState();
        if (!m_playground.busy()) {
            showTrials();  // titles name the recipe
        }
    });
    connect(&playground, &Playground::trialsChanged, this, &PlaygroundPage::showTrials);
    connect(&playground, &Playground::finished, this, [this] {
        if (m_panel != nullptr) {
            m_panel->end(m_playground.trials());
            showTrials();
        }
    });
    showModel();
}

QWidget* PlaygroundPage::makeBar() {
    auto* bar = new QWidget(m_content);
    bar->setObjectName(u"playgroundBar"_s);
    m_kind = new QComboBox(bar);
    m_kind->setObjectName(u"playgroundKindCombo"_s);
    m_kind->setAccessibleName(tr("What is tried"));
    m_kind->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_source = new QComboBox(bar);
    m_source->setObjectName(u"playgroundRecipeCombo"_s);
    m_source->setAccessibleName(tr("Recipe of the optimized side"));
    m_source->setToolTip(tr("Which recipe the optimized side has"));
    m_source->addItem(tr("Recipe being edited"));
    m_source->addItem(tr("Recipe of the selected run"));
    m_status = new widgets::ElidedLabel(bar);
    m_status->setObjectName(u"playgroundStatusLabel"_s);
    m_try = new QPushButton(tr("Try"), bar);
    m_try->setObjectName(u"playgroundTryButton"_s);
    m_stop = new QPushButton(tr("Stop"), bar);
    m_stop->setObjectName(u"playgroundStopButton"_s);
    for (auto* button : {m_try, m_stop}) {
        button->setAccessibleName(button->text());
        button->setAutoDefault(false);
    }
    auto* layout = new QHBoxLayout(bar);
    layout->setContentsMargins(8, 4, 8, 2);
    layout->addWidget(m_kind);
    layout->addWidget(m_source);
    layout->addWidget(m_status, 1);
    layout->addWidget(m_try);
    layout->addWidget(m_stop);
    connect(m_kind, &QComboBox::activated, this, &PlaygroundPage::choosePanel);
    connect(m_source, &QComboBox::activated, this, [this](int index) {
        m_playground.setRecipeSource(index == 0 ? Playground::RecipeSource::Draft
                                                : Playground::RecipeSource::SelectedRun);
    });
    connect(m_try, &QPushButton::clicked, this, &PlaygroundPage::tryOut);
    connect(m_stop, &QPushButton::clicked, &m_playground, &Playground::stop);
    return bar;
}

/// Another model may offer something else; what is typed for a kind stays.
void PlaygroundPage::showModel() {
    const auto& model = m_workspace.model();
    m_stack->setCurrentIndex(model ? 1 : 0);
    const int before = m_kind->currentIndex() < 0 ? -1 : m_kind->currentData().toInt();
    m_kind->clear();
    if (!model) {
        m_panel = nullptr;
        return;
    }
    int chosen = 0;
    for (const auto kind : trialKinds(model->layout)) {
        m_kind->addItem(titleOf(kind), static_cast<int>(kind));
        const bool last = before < 0 ? QLatin1String(nameOf(kind)) == m_wanted
                                     : static_cast<int>(kind) == before;
        chosen = last ? m_kind->count() - 1 : chosen;
    }
    m_kind->setCurrentIndex(chosen);
    m_kind->setEnabled(m_kind->count() > 1);
    choosePanel();
}

void PlaygroundPage::choosePanel() {
    const auto kind = static_cast<TrialKind>(m_kind->currentData().toInt());
    auto*& panel = m_made[kind];
    if (panel == nullptr) {
        panel = makeTrialPanel(kind, m_panels);
        m_panels->addWidget(panel);
        if (const auto state = m_states.find(nameOf(kind));
            state != m_states.end() && state->is_object()) {
            panel->restoreState(*state);
        }
        connect(panel, &TrialPanel::inputChanged, this, &PlaygroundPage::showState);
        connect(panel, &TrialPanel::tryRequested, this, &PlaygroundPage::tryOut);
        connect(panel, &TrialPanel::clearRequested, &m_playground, &Playground::clear);
    }
    if (panel != m_panel) {
        m_panel = panel;
        m_panels->setCurrentWidget(panel);
        m_playground.clear();
    }
    showState();
    showTrials();
}

SideTitles PlaygroundPage::titles() const {
    const QString& tried = m_playground.triedText();
    const QString recipe = tried.isEmpty() ? m_playground.recipeText() : tried;
    return {tr("Original"), recipe.isEmpty() ? tr("Optimized") : tr("Optimized: %1").arg(recipe)};
}

void PlaygroundPage::showState() {
    if (m_panel == nullptr) {
        return;
    }
    const QString blocked = m_playground.whyNot();
    const QString missing = m_panel->whyNot();
    const bool busy = m_playground.busy();
    // What is in the way comes first; that only one side is tried is worth a word otherwise.
    m_notice->setText(blocked.isEmpty() ? m_playground.onlyOriginal() : blocked);
    m_notice->setVisible(!m_notice->text().isEmpty());
    m_try->setEnabled(!busy && blocked.isEmpty() && missing.isEmpty());
    m_try->setToolTip(!blocked.isEmpty() ? blocked : missing);
    m_stop->setEnabled(busy);
    m_stop->setText(m_playground.stopping() ? tr("Force Stop") : tr("Stop"));
    m_source->setCurrentIndex(
        m_playground.recipeSource() == Playground::RecipeSource::Draft ? 0 : 1);
}

void PlaygroundPage::showTrials() {
    if (m_panel == nullptr) {
        return;
    }
    m_panel->showTrials(m_playground.trials(), titles());
    QString status;
    for (const auto side : kTrialSides) {
        const auto& trial = m_playground.trial(side);
        const QString said = stateText(trial);
        const bool matters = trial.state == TrialState::Running ||
                             trial.state == TrialState::Failed ||
                             trial.state == TrialState::Stopped;
        if (status.isEmpty() && matters) {
            status = (side == TrialSide::Original ? tr("Original: %1") : tr("Optimized: %1"))
                         .arg(said);
        }
    }
    m_status->setFullText(status);
}

void PlaygroundPage::tryOut() {
    if (m_panel == nullptr || !m_try->isEnabled()) {
        return;
    }
    const std::array params{m_panel->params(TrialSide::Original),
                            m_panel->params(TrialSide::Optimized)};
    if (m_playground.start(QString::fromLatin1(m_panel->job()), params)) {
        m_panel->begin();
        showTrials();
    }
}

void PlaygroundPage::trySelectedRun() {
    m_playground.setRecipeSource(Playground::RecipeSource::SelectedRun);
}

Json PlaygroundPage::state() const {
    Json state = m_states;
    for (const auto& [kind, panel] : m_made) {
        state[nameOf(kind)] = panel->state();
    }
    state["kind"] = m_panel != nullptr ? nameOf(m_panel->kind()) : m_wanted.toStdString();
    state["recipe"] =
        m_playground.recipeSource() == Playground::RecipeSource::Draft ? "draft" : "run";
    return state;
}

void PlaygroundPage::restoreState(const Json& state) {
    if (!state.is_object()) {
        return;
    }
    m_states = state;
    m_wanted = fromUtf8(textAt(state, "kind"));
    if (textAt(state, "recipe") == "run") {
        m_playground.setRecipeSource(Playground::RecipeSource::SelectedRun);
    }
    for (const auto& [kind, panel] : m_made) {
        if (const auto own = state.find(nameOf(kind)); own != state.end() && own->is_object()) {
            panel->restoreState(*own);
        }
    }
    for (int i = 0; i < m_kind->count(); ++i) {
        const auto kind = static_cast<TrialKind>(m_kind->itemData(i).toInt());
        if (QLatin1String(nameOf(kind)) == m_wanted) {
            m_kind->setCurrentIndex(i);
            choosePanel();
        }
    }
    showState();
}

/// Only while it is seen does the page care who else measures on this machine.
void PlaygroundPage::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    m_playground.lookAround();
    m_look.start();
}

void PlaygroundPage::hideEvent(QHideEvent* event) {
    QWidget::hideEvent(event);
    if (!m_playground.busy()) {
        m_look.stop();
    }
}

void PlaygroundPage::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_panel != nullptr) {
        showTrials();  // marks have colours of the theme
    }
}

}  // namespace pareto::studio
