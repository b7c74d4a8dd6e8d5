#pragma once

#include "app/studio/playground/trial_panel.h"

QT_BEGIN_NAMESPACE
class QLineEdit;
QT_END_NAMESPACE

namespace pareto::studio {

class SideViews;

/// Extractive question answering: a question, a context, and the context again on both sides with the
/// answer marked in it.
class AnswerPanel : public TrialPanel {
    Q_OBJECT
public:
    explicit AnswerPanel(QWidget* parent);

    const char* job() const override;
    QString whyNot() const override;
    Json params(TrialSide side) const override;
    void showTrials(const Trials& trials, const SideTitles& titles) override;
    void begin() override;
    Json state() const override;
    void restoreState(const Json& state) override;

private:
    QLineEdit* m_question = nullptr;
    QPlainTextEdit* m_context = nullptr;
    SideViews* m_sides = nullptr;
    QString m_sent;  ///< the context that the answers shown are in
};

}  // namespace pareto::studio
