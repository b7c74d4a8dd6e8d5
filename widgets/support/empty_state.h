#pragma once

#include <QWidget>

class QAction;
class QHBoxLayout;
class QLabel;
class QPushButton;

namespace pareto::widgets {

/// What stands where nothing is yet: a sentence, then the buttons that help. Its buttons belong to the
/// actions given: text, enabled state, menu and trigger follow them.
class EmptyState : public QWidget {
    Q_OBJECT
public:
    explicit EmptyState(QWidget* parent = nullptr);

    void setText(const QString& text);
    QString text() const;
    /// The button's objectName is this widget's, then the action's with a capital:
    /// "paretoEmpty" and "run.baseline" give "paretoEmptyRunBaselineButton".
    QPushButton* addButton(QAction* action);
    void clearButtons();

private:
    QLabel* m_text = nullptr;
    QHBoxLayout* m_buttons = nullptr;
};

}  // namespace pareto::widgets
