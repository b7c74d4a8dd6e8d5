#include "app/studio/playground/trial_panel.h"

#include <QCoreApplication>
#include <QFontMetrics>
#include <QKeyEvent>
#include <QPlainTextEdit>

#include "app/studio/playground/answer_panel.h"
#include "app/studio/playground/generate_panel.h"
#include "app/studio/playground/table_panel.h"
#include "app/studio/texts.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

std::span<const TrialKind> trialKinds(const ModelLayout& layout) {
    using enum TrialKind;
    static constexpr std::array kClassify{Classify};
    static constexpr std::array kRank{Rank};
    static constexpr std::array kEmbed{Embed};
    static constexpr std::array kTag{Tag};
    static constexpr std::array kAnswer{Answer};
    static constexpr std::array kFill{Fill};
    static constexpr std::array kTranslate{Translate};
    static constexpr std::array kGenerate{Generate, Chat};
    switch (layout.outputs) {
    case Outputs::Classes:
        return layout.labels.size() == 1 ? kRank : kClassify;
    case Outputs::TokenClasses:
        return kTag;
    case Outputs::AnswerSpan:
        return kAnswer;
    case Outputs::MaskedToken:
        return kFill;
    case Outputs::NextToken:
        return layout.isSeq2Seq() ? std::span<const TrialKind>(kTranslate) : kGenerate;
    case Outputs::Embedding:
        break;
    }
    return kEmbed;
}

QString titleOf(TrialKind kind) {
    switch (kind) {
    case TrialKind::Classify:
        return QCoreApplication::translate("Playground", "Classify");
    case TrialKind::Rank:
        return QCoreApplication::translate("Playground", "Score a pair");
    case TrialKind::Embed:
        return QCoreApplication::translate("Playground", "Embed and compare");
    case TrialKind::Tag:
        return QCoreApplication::translate("Playground", "Tag words");
    case TrialKind::Answer:
        return QCoreApplication::translate("Playground", "Answer a question");
    case TrialKind::Fill:
        return QCoreApplication::translate("Playground", "Fill the mask");
    case TrialKind::Translate:
        return QCoreApplication::translate("Playground", "Translate");
    case TrialKind::Generate:
        return QCoreApplication::translate("Playground", "Generate");
    case TrialKind::Chat:
        return QCoreApplication::translate("Playground", "Chat");
    }
    return {};
}

const char* nameOf(TrialKind kind) {
    static constexpr std::array kNames{"classify", "rank",      "embed",    "tag", "answer",
                                       "fill",     "translate", "generate", "chat"};
    return kNames[static_cast<std::size_t>(kind)];
}

TrialPanel::TrialPanel(TrialKind kind, QWidget* parent) : QWidget(parent), m_kind(kind) {
    setObjectName(nameFor("Panel"));
}

QString TrialPanel::nameFor(const char* thing) const {
    QString kind = QString::fromLatin1(nameOf(m_kind));
    kind[0] = kind[0].toUpper();
    return u"playground"_s + kind + QLatin1String(thing);
}

QPlainTextEdit* TrialPanel::addTextEdit(const char* thing, const QString& accessible, int lines) {
    auto* edit = new QPlainTextEdit(this);
    edit->setObjectName(nameFor(thing));
    edit->setAccessibleName(accessible);
    edit->setTabChangesFocus(true);
    const int height = edit->fontMetrics().lineSpacing() * lines + 14;
    edit->setMinimumHeight(std::min(height, edit->fontMetrics().lineSpacing() * 2 + 14));
    edit->setMaximumHeight(height);
    edit->installEventFilter(this);
    connect(edit, &QPlainTextEdit::textChanged, this, &TrialPanel::inputChanged);
    return edit;
}

bool TrialPanel::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        const bool enter = key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter;
        if (enter && key->modifiers().testFlag(Qt::ControlModifier)) {
            Q_EMIT tryRequested();
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

TrialPanel* makeTrialPanel(TrialKind kind, QWidget* parent) {
    switch (kind) {
    case TrialKind::Answer:
        return new AnswerPanel(parent);
    case TrialKind::Generate:
    case TrialKind::Chat:
        return new GeneratePanel(kind, parent);
    default:
        return new TablePanel(kind, parent);
    }
}

QString stateText(const Trial& trial) {
    switch (trial.state) {
    case TrialState::None:
        return {};
    case TrialState::Waiting:
        return QCoreApplication::translate("Playground", "waits for its turn");
    case TrialState::Running:
    case TrialState::Done:
        if (const Json* draft = fieldOf(trial.result, "draft")) {
            return QCoreApplication::translate("Playground", "%1 tokens/s, %2 % of the draft accepted")
                .arg(number(trial.tokensPerSecond, 1),
                     number(100.0 * numberAt(*draft, "acceptance", 0.0), 0));
        }
        if (trial.tokensPerSecond > 0.0) {
            return QCoreApplication::translate("Playground", "%1 tokens/s")
                .arg(number(trial.tokensPerSecond, 1));
        }
        return trial.state == TrialState::Done ? QString() : text(trial.progress);
    case TrialState::Stopped:
        return QCoreApplication::translate("Playground", "stopped");
    case TrialState::Failed:
        return trial.error ? text(*trial.error) : QString();
    }
    return {};
}

}  // namespace pareto::studio
