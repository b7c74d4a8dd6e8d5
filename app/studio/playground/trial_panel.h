#pragma once

#include <span>

#include <QString>
#include <QWidget>

#include "app/studio/playground.h"
#include "app/studio/playground/json_fields.h"
#include "engine/spec/layers.h"

QT_BEGIN_NAMESPACE
class QComboBox;
class QPlainTextEdit;
QT_END_NAMESPACE

namespace pareto::studio {

/// What can be tried with a model.
enum class TrialKind { Classify, Rank, Embed, Tag, Answer, Fill, Translate, Generate, Chat };
inline constexpr std::array kTrialKinds{
    TrialKind::Classify, TrialKind::Rank,      TrialKind::Embed,    TrialKind::Tag, TrialKind::Answer,
    TrialKind::Fill,     TrialKind::Translate, TrialKind::Generate, TrialKind::Chat};
/// What a model of this layout offers, the usual first. Never empty.
std::span<const TrialKind> trialKinds(const ModelLayout& layout);
QString titleOf(TrialKind kind);  ///< "Classify"
const char* nameOf(TrialKind kind);  ///< "classify": in object names and the window's state

/// Titles of the two sides, for headers: "Original", "Optimized: half-int8".
struct SideTitles {
    QString original;
    QString optimized;
};

/// The input and the output of one kind of trial. The page asks it for the job and shows it what came.
class TrialPanel : public QWidget {
    Q_OBJECT
public:
    TrialPanel(TrialKind kind, QWidget* parent);

    TrialKind kind() const { return m_kind; }
    virtual const char* job() const = 0;
    /// What is missing in the input; empty: it can be tried.
    virtual QString whyNot() const = 0;
    /// Params of the job without model, recipe and target.
    virtual Json params(TrialSide side) const = 0;
    virtual void showTrials(const Trials& trials, const SideTitles& titles) = 0;
    /// A trial with the present params has begun, has ended.
    virtual void begin() {}
    virtual void end(const Trials& /*trials*/) {}
    /// What was typed, for the next start of the program.
    virtual Json state() const = 0;
    virtual void restoreState(const Json& state) = 0;

Q_SIGNALS:
    void inputChanged();
    void tryRequested();    ///< Ctrl+Enter in a text, Enter in a line
    void clearRequested();  ///< forget what was answered

protected:
    /// "playgroundClassifyTextEdit"
    QString nameFor(const char* thing) const;
    /// An edit for text of several lines in which Tab goes on and Ctrl+Enter tries.
    QPlainTextEdit* addTextEdit(const char* thing, const QString& accessible, int lines);
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    TrialKind m_kind;
};

/// The panel of a kind.
TrialPanel* makeTrialPanel(TrialKind kind, QWidget* parent);

/// "12.3 tokens/s", "Evaluating 3 of 10", "waits", "stopped", or why it failed.
QString stateText(const Trial& trial);

}  // namespace pareto::studio
