#include "widgets/editors/undo_keys.h"

#include <QKeyEvent>
#include <QWidget>

namespace pareto::widgets {

void UndoKeysPassOn::install(QWidget* editor) {
    editor->installEventFilter(new UndoKeysPassOn(editor));
}

namespace {

// The platform's own redo key may be another one; the window always has Ctrl+Shift+Z.
bool isUndoOrRedo(const QKeyEvent& key) {
    const auto pressed = key.modifiers() & ~Qt::KeypadModifier;
    return key.matches(QKeySequence::Undo) || key.matches(QKeySequence::Redo)
           || (key.key() == Qt::Key_Z
               && (pressed == Qt::ControlModifier
                   || pressed == (Qt::ControlModifier | Qt::ShiftModifier)));
}

}  // namespace

bool UndoKeysPassOn::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::ShortcutOverride || event->type() == QEvent::KeyPress) {
        if (isUndoOrRedo(*static_cast<QKeyEvent*>(event))) {
            event->ignore();
            return true;
        }
    }
    return QObject::eventFilter(watched, event);
}

}  // namespace pareto::widgets
