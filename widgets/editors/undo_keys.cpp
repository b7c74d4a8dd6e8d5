#include "widgets/editors/undo_keys.h"

#include <QKeyEvent>
#include <QWidget>

namespace pareto::widgets {

void UndoKeysPassOn::install(QWidget* editor) {
    editor->installEventFilter(new UndoKeysPassOn(editor));
}

bool UndoKeysPassOn::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::ShortcutOverride || event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        if (key->matches(QKeySequence::Undo) || key->matches(QKeySequence::Redo)) {
            event->ignore();
            return true;
        }
    }
    return QObject::eventFilter(watched, event);
}

}  // namespace pareto::widgets
