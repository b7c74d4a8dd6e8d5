#pragma once

#include <map>

#include <QTimer>
#include <QWidget>

#include "app/studio/playground/trial_panel.h"

QT_BEGIN_NAMESPACE
class QComboBox;
class QLabel;
class QPushButton;
class QStackedWidget;
QT_END_NAMESPACE

namespace pareto::widgets {
class ElidedLabel;
class EmptyState;
}  // namespace pareto::widgets

namespace pareto::studio {

class Actions;
class Playground;
class Workspace;

/// Tries the open model as it is and with a recipe, side by side, on the user's own text. What is
/// offered follows what the model gives.
class PlaygroundPage : public QWidget {
    Q_OBJECT
public:
    PlaygroundPage(Workspace& workspace, Playground& playground, Actions& actions,
                   QWidget* parent = nullptr);

    TrialPanel* panel() const { return m_panel; }  ///< null without a model
    /// The optimized side has the recipe of the selected run.
    void trySelectedRun();
    /// What was typed in every panel, the panel and the recipe chosen.
    Json state() const;
    void restoreState(const Json& state);

protected:
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    QWidget* makeBar();
    void showModel();
    void choosePanel();
    void showState();
    void showTrials();
    void tryOut();
    SideTitles titles() const;

    Workspace& m_workspace;
    Playground& m_playground;
    QStackedWidget* m_stack = nullptr;
    widgets::EmptyState* m_empty = nullptr;
    QWidget* m_content = nullptr;
    QStackedWidget* m_panels = nullptr;
    QComboBox* m_kind = nullptr;
    QComboBox* m_source = nullptr;
    QPushButton* m_try = nullptr;
    QPushButton* m_stop = nullptr;
    widgets::ElidedLabel* m_status = nullptr;
    QLabel* m_notice = nullptr;
    TrialPanel* m_panel = nullptr;
    std::map<TrialKind, TrialPanel*> m_made;
    Json m_states = Json::object();  ///< of panels that have not been made yet
    QString m_wanted;                ///< kind of the last session
    QTimer m_look;
};

}  // namespace pareto::studio
