#include "app/studio/playground/generate_panel.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include "app/studio/playground/sampling_form.h"
#include "app/studio/playground/side_views.h"
#include "app/studio/playground/trial_tables.h"
#include "app/studio/texts.h"
#include "engine/jobs/api/jobs.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

GeneratePanel::GeneratePanel(TrialKind kind, QWidget* parent) : TrialPanel(kind, parent) {
    m_sides = new SideViews(nameFor(""), this);
    m_sampling = new SamplingForm(nameFor(""), this);
    auto* column = new QVBoxLayout;
    column->setSpacing(4);
    addInputs(column);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(8, 0, 8, 4);
    m_drafted = new QCheckBox(tr("Optimized model drafts"), this);
    m_drafted->setObjectName(nameFor("DraftedCheck"));
    m_drafted->setToolTip(tr("The optimized model proposes the original's tokens, the original verifies "
                             "them: the same text, sooner if the optimized model is much faster and "
                             "mostly right."));
    auto* settings = new QVBoxLayout;
    settings->addWidget(m_sampling, 1);
    settings->addWidget(m_drafted);
    layout->addLayout(column, 1);
    layout->addLayout(settings);
    connect(m_sampling, &SamplingForm::changed, this, &TrialPanel::inputChanged);
    connect(m_drafted, &QCheckBox::toggled, this, &TrialPanel::inputChanged);
}

void GeneratePanel::addInputs(QVBoxLayout* layout) {
    if (!chat()) {
        m_prompt = addTextEdit("PromptEdit", tr("Prompt"), 4);
        m_prompt->setPlaceholderText(tr("The beginning of a text. Ctrl+Enter tries it."));
        layout->addWidget(m_prompt);
        layout->addWidget(m_sides, 1);
        return;
    }
    const auto line = [this](const char* name, const QString& accessible, const QString& hint) {
        auto* edit = new QLineEdit(this);
        edit->setObjectName(nameFor(name));
        edit->setAccessibleName(accessible);
        edit->setPlaceholderText(hint);
        connect(edit, &QLineEdit::textChanged, this, &TrialPanel::inputChanged);
        return edit;
    };
    m_system = line("SystemEdit", tr("System message"),
                    tr("System message: how the model is to behave"));
    m_message = line("MessageEdit", tr("Message"), tr("Your message. Enter sends it."));
    connect(m_message, &QLineEdit::returnPressed, this, &TrialPanel::tryRequested);
    auto* clear = new QPushButton(tr("Clear"), this);
    clear->setObjectName(nameFor("ClearButton"));
    clear->setAccessibleName(tr("Clear the dialogue"));
    clear->setAutoDefault(false);
    connect(clear, &QPushButton::clicked, this, &GeneratePanel::clearChat);
    auto* row = new QHBoxLayout;
    row->addWidget(m_message, 1);
    row->addWidget(clear);
    layout->addWidget(m_system);
    layout->addWidget(m_sides, 1);
    layout->addLayout(row);
}

const char* GeneratePanel::job() const { return jobs::kJobGenerate; }

QString GeneratePanel::whyNot() const {
    const QString typed = chat() ? m_message->text() : m_prompt->toPlainText();
    return !typed.trimmed().isEmpty() ? QString()
           : chat()                   ? tr("Type a message.")
                                      : tr("Type a prompt.");
}

Json GeneratePanel::params(TrialSide side) const {
    jobs::GenerateParams params;
    params.sampling = m_sampling->value();
    if (side == TrialSide::Original && m_drafted->isChecked()) {
        params.draft.emplace();
    }
    if (!chat()) {
        params.prompt = m_prompt->toPlainText().toStdString();
        return jobs::toJson(params);
    }
    if (const QString system = m_system->text().trimmed(); !system.isEmpty()) {
        params.turns.push_back({"system", system.toStdString()});
    }
    const auto index = static_cast<std::size_t>(side);
    for (const auto& turn : m_turns) {
        if (turn.answered[index]) {
            params.turns.push_back({"user", turn.message.toStdString()});
            params.turns.push_back({"assistant", turn.answers[index].toStdString()});
        }
    }
    params.turns.push_back({"user", m_message->text().toStdString()});
    return jobs::toJson(params);
}

QString GeneratePanel::answerOf(const Trial& trial) const {
    return trial.state == TrialState::Done ? fromUtf8(textAt(trial.result, "text"))
                                           : trial.streamed;
}

QString GeneratePanel::transcript(TrialSide side, const Trial& trial) const {
    const auto paragraph = [](const QString& who, const QString& text) {
        return u"<p><b>%1</b> %2</p>"_s.arg(
            who.toHtmlEscaped(), text.toHtmlEscaped().replace(u'\n', u"<br>"_s));
    };
    const auto index = static_cast<std::size_t>(side);
    QString out;
    for (const auto& turn : m_turns) {
        if (turn.answered[index]) {
            out += paragraph(tr("You:"), turn.message);
            out += paragraph(tr("Model:"), turn.answers[index]);
        }
    }
    if (!m_pending.isEmpty() && trial.state != TrialState::None) {
        out += paragraph(tr("You:"), m_pending);
        out += paragraph(tr("Model:"), answerOf(trial));
    }
    return out;
}

void GeneratePanel::showTrials(const Trials& trials, const SideTitles& titles) {
    for (const auto side : kTrialSides) {
        const auto& trial = trials[static_cast<std::size_t>(side)];
        m_sides->setTitle(side, side == TrialSide::Original ? titles.original : titles.optimized,
                          stateText(trial));
        if (chat()) {
            m_sides->setHtml(side, transcript(side, trial));
        } else {
            m_sides->setText(side, answerOf(trial));
        }
        m_sides->mark(side, 0, 0);
    }
    const bool both = trials[0].state == TrialState::Done && trials[1].state == TrialState::Done;
    if (both && !chat()) {
        const QString original = m_sides->text(TrialSide::Original);
        const QString optimized = m_sides->text(TrialSide::Optimized);
        if (const int at = firstDifference(original, optimized); at >= 0) {
            const auto space = optimized.indexOf(u' ', at + 1);
            const auto end = space < 0 ? optimized.size() : space;
            m_sides->mark(TrialSide::Optimized, at, static_cast<int>(end) - at);
        }
    }
}

void GeneratePanel::begin() {
    if (chat()) {
        m_pending = m_message->text();
        m_message->clear();
    }
}

/// What was answered belongs to the dialogue; a side that failed has not heard the message.
void GeneratePanel::end(const Trials& trials) {
    if (!chat() || m_pending.isEmpty()) {
        return;
    }
    Exchange turn;
    turn.message = m_pending;
    bool any = false;
    for (const auto side : kTrialSides) {
        const auto index = static_cast<std::size_t>(side);
        turn.answers[index] = answerOf(trials[index]);
        turn.answered[index] = !turn.answers[index].isEmpty();
        any = any || turn.answered[index];
    }
    if (!any && m_message->text().isEmpty()) {
        m_message->setText(m_pending);
    }
    m_pending.clear();
    if (any) {
        m_turns.push_back(std::move(turn));
    }
}

void GeneratePanel::clearChat() {
    m_turns.clear();
    m_pending.clear();
    Q_EMIT clearRequested();
}

Json GeneratePanel::state() const {
    Json state{{"sampling", jobs::toJson(m_sampling->value())}, {"drafted", m_drafted->isChecked()}};
    if (chat()) {
        state["system"] = m_system->text().toStdString();
        state["message"] = m_message->text().toStdString();
    } else {
        state["prompt"] = m_prompt->toPlainText().toStdString();
    }
    return state;
}

void GeneratePanel::restoreState(const Json& state) {
    if (const auto sampling = state.find("sampling"); sampling != state.end()) {
        JsonReader reader(*sampling, ErrorCode::ConfigInvalid, "window");
        const auto value = jobs::takeSampling(reader);
        if (!reader.failed()) {
            m_sampling->setValue(value);
        }
    }
    const Json* drafted = fieldOf(state, "drafted");
    m_drafted->setChecked(drafted != nullptr && drafted->is_boolean() && drafted->get<bool>());
    if (chat()) {
        m_system->setText(fromUtf8(textAt(state, "system")));
        m_message->setText(fromUtf8(textAt(state, "message")));
    } else {
        m_prompt->setPlainText(fromUtf8(textAt(state, "prompt")));
    }
}

}  // namespace pareto::studio
