#pragma once

#include <array>
#include <vector>

#include "app/studio/playground/trial_panel.h"

QT_BEGIN_NAMESPACE
class QCheckBox;
class QLineEdit;
class QVBoxLayout;
QT_END_NAMESPACE

namespace pareto::studio {

class SamplingForm;
class SideViews;

/// Text from a decoder, live on both sides: a prompt that is continued, or a dialogue in which each
/// side answers on from its own answers.
class GeneratePanel : public TrialPanel {
    Q_OBJECT
public:
    GeneratePanel(TrialKind kind, QWidget* parent);

    const char* job() const override;
    QString whyNot() const override;
    Json params(TrialSide side) const override;
    void showTrials(const Trials& trials, const SideTitles& titles) override;
    void begin() override;
    void end(const Trials& trials) override;
    Json state() const override;
    void restoreState(const Json& state) override;

private:
    /// One message of the user and what each side answered.
    struct Exchange {
        QString message;
        std::array<QString, 2> answers;
        std::array<bool, 2> answered{false, false};
    };
    bool chat() const { return kind() == TrialKind::Chat; }
    void addInputs(QVBoxLayout* layout);
    QString transcript(TrialSide side, const Trial& trial) const;
    QString answerOf(const Trial& trial) const;
    void clearChat();

    QPlainTextEdit* m_prompt = nullptr;  ///< Generate
    QLineEdit* m_system = nullptr;       ///< Chat
    QLineEdit* m_message = nullptr;
    SamplingForm* m_sampling = nullptr;
    QCheckBox* m_drafted = nullptr;
    SideViews* m_sides = nullptr;
    std::vector<Exchange> m_turns;  ///< ended ones
    QString m_pending;              ///< the message being answered
};

}  // namespace pareto::studio
