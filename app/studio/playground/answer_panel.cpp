#include "app/studio/playground/answer_panel.h"

#include <QLineEdit>
#include <QPlainTextEdit>
#include <QVBoxLayout>

#include "app/studio/playground/json_fields.h"
#include "app/studio/playground/side_views.h"
#include "app/studio/texts.h"
#include "engine/jobs/api/jobs.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

AnswerPanel::AnswerPanel(QWidget* parent) : TrialPanel(TrialKind::Answer, parent) {
    m_question = new QLineEdit(this);
    m_question->setObjectName(nameFor("QuestionEdit"));
    m_question->setAccessibleName(tr("Question"));
    m_question->setPlaceholderText(tr("Question"));
    m_context = addTextEdit("ContextEdit", tr("Context"), 5);
    m_context->setPlaceholderText(tr("The text that holds the answer."));
    m_sides = new SideViews(nameFor(""), this);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 0, 8, 4);
    layout->setSpacing(4);
    layout->addWidget(m_question);
    layout->addWidget(m_context);
    layout->addWidget(m_sides, 1);
    connect(m_question, &QLineEdit::textChanged, this, &TrialPanel::inputChanged);
    connect(m_question, &QLineEdit::returnPressed, this, &TrialPanel::tryRequested);
}

const char* AnswerPanel::job() const { return jobs::kJobAnswer; }

QString AnswerPanel::whyNot() const {
    return m_question->text().trimmed().isEmpty() || m_context->toPlainText().trimmed().isEmpty()
               ? tr("Type a question and a context.")
               : QString();
}

Json AnswerPanel::params(TrialSide /*side*/) const {
    return {{"question", m_question->text().toStdString()},
            {"context", m_context->toPlainText().toStdString()}};
}

void AnswerPanel::begin() { m_sent = m_context->toPlainText(); }

void AnswerPanel::showTrials(const Trials& trials, const SideTitles& titles) {
    for (const auto side : kTrialSides) {
        const auto& trial = trials[static_cast<std::size_t>(side)];
        QString said = stateText(trial);
        const bool done = trial.state == TrialState::Done;
        const QString answer = fromUtf8(textAt(trial.result, "answer"));
        m_sides->setText(side, done ? m_sent : QString());
        m_sides->mark(side, 0, 0);
        if (done) {
            const double score = numberAt(trial.result, "score", 0.0);
            said = answer.isEmpty() ? tr("no answer") : u"%1 (%2)"_s.arg(answer, percent(score, 1));
            const auto byte = static_cast<qsizetype>(numberAt(trial.result, "begin", 0.0));
            // The worker counts bytes of UTF-8.
            const QByteArray bytes = m_sent.toUtf8();
            const auto begin = QString::fromUtf8(bytes.left(byte)).size();
            if (!answer.isEmpty() && byte >= 0 && byte <= bytes.size() &&
                begin + answer.size() <= m_sent.size()) {
                m_sides->mark(side, static_cast<int>(begin), static_cast<int>(answer.size()));
                m_sides->scrollToMark(side);
            }
        }
        m_sides->setTitle(side, side == TrialSide::Original ? titles.original : titles.optimized,
                          said);
    }
}

Json AnswerPanel::state() const {
    return {{"question", m_question->text().toStdString()},
            {"context", m_context->toPlainText().toStdString()}};
}

void AnswerPanel::restoreState(const Json& state) {
    m_question->setText(fromUtf8(textAt(state, "question")));
    m_context->setPlainText(fromUtf8(textAt(state, "context")));
}

}  // namespace pareto::studio
