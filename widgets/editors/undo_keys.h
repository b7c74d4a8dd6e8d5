#pragma once

#include <QObject>

class QWidget;

namespace pareto::widgets {

/// Qt's spin boxes and line edits take Ctrl+Z and Ctrl+Shift+Z for themselves while they have the
/// focus. Installed on a knob editor, this leaves both keys to the window's actions, so that they mean
/// the recipe. Fields of free text (name, note, filter) keep their own undo and do without it.
class UndoKeysPassOn : public QObject {
    Q_OBJECT
public:
    /// The filter belongs to `editor`.
    static void install(QWidget* editor);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    using QObject::QObject;
};

}  // namespace pareto::widgets
