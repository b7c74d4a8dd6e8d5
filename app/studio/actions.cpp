#include "app/studio/actions.h"

#include <QAction>
#include <QActionGroup>
#include <QCoreApplication>
#include <QIcon>

namespace pareto::studio {

const std::vector<ActionSpec>& Actions::table() {
    static const std::vector<ActionSpec> actions{
        {"file.newWindow", "file", QT_TRANSLATE_NOOP("Actions", "&New Window"), "Ctrl+Shift+N", "",
         false},
        {"", "file", "", "", "", false},
        {"file.open", "file", QT_TRANSLATE_NOOP("Actions", "&Open Model…"), "Ctrl+O", "open",
         false},
        {"file.recent", "file", QT_TRANSLATE_NOOP("Actions", "Open &Recent"), "", "", false},
        {"file.cache", "file", QT_TRANSLATE_NOOP("Actions", "&Hugging Face Cache"), "", "", false},
        {"", "file", "", "", "", false},
        {"file.newProject", "file", QT_TRANSLATE_NOOP("Actions", "New Pro&ject…"), "Ctrl+Shift+J",
         "", false},
        {"file.openProject", "file", QT_TRANSLATE_NOOP("Actions", "Open Projec&t…"), "Ctrl+J", "",
         false},
        {"file.recentProjects", "file", QT_TRANSLATE_NOOP("Actions", "Recent Projects"), "", "",
         false},
        {"", "file", "", "", "", false},
        {"file.openRecipe", "file", QT_TRANSLATE_NOOP("Actions", "Open Re&cipe…"), "Ctrl+Shift+O",
         "", false},
        {"file.saveRecipe", "file", QT_TRANSLATE_NOOP("Actions", "&Save Recipe"), "Ctrl+S", "",
         false},
        {"file.saveRecipeAs", "file", QT_TRANSLATE_NOOP("Actions", "Save Recipe &As…"),
         "Ctrl+Shift+S", "", false},
        {"", "file", "", "", "", false},
        {"file.export", "file", QT_TRANSLATE_NOOP("Actions", "&Export Model…"), "Ctrl+E", "export",
         false},
        {"file.savePlot", "file", QT_TRANSLATE_NOOP("Actions", "Save &Plot…"), "Ctrl+Shift+P", "",
         false},
        {"", "file", "", "", "", false},
        {"file.quit", "file", QT_TRANSLATE_NOOP("Actions", "&Quit"), "Ctrl+Q", "", false},

        {"edit.undo", "edit", QT_TRANSLATE_NOOP("Actions", "&Undo"), "Ctrl+Z", "undo", false},
        {"edit.redo", "edit", QT_TRANSLATE_NOOP("Actions", "&Redo"), "Ctrl+Shift+Z", "redo", false},
        {"", "edit", "", "", "", false},
        {"edit.copy", "edit", QT_TRANSLATE_NOOP("Actions", "&Copy"), "Ctrl+C", "", false},
        {"edit.paste", "edit", QT_TRANSLATE_NOOP("Actions", "&Paste"), "Ctrl+V", "", false},
        {"edit.selectAll", "edit", QT_TRANSLATE_NOOP("Actions", "Select &All"), "Ctrl+A", "",
         false},
        {"edit.filter", "edit", QT_TRANSLATE_NOOP("Actions", "&Filter"), "Ctrl+F", "", false},
        {"", "edit", "", "", "", false},
        {"edit.preferences", "edit", QT_TRANSLATE_NOOP("Actions", "Pre&ferences…"), "Ctrl+,", "",
         false},

        {"model.properties", "model", QT_TRANSLATE_NOOP("Actions", "&Properties…"), "Alt+Return",
         "", false},
        {"model.reload", "model", QT_TRANSLATE_NOOP("Actions", "&Reload"), "Ctrl+R", "", false},
        {"model.close", "model", QT_TRANSLATE_NOOP("Actions", "&Close"), "Ctrl+W", "", false},

        {"recipe.presets", "recipe", QT_TRANSLATE_NOOP("Actions", "&Presets"), "", "", false},
        {"", "recipe", "", "", "", false},
        {"recipe.resetLayers", "recipe", QT_TRANSLATE_NOOP("Actions", "Reset &Selected Layers"),
         "Ctrl+Backspace", "", false},
        {"recipe.resetAll", "recipe", QT_TRANSLATE_NOOP("Actions", "Reset &All"), "", "", false},
        {"recipe.validate", "recipe", QT_TRANSLATE_NOOP("Actions", "&Validate"), "", "", false},

        {"run.start", "run", QT_TRANSLATE_NOOP("Actions", "&Run"), "F5", "run", false},
        {"run.baseline", "run", QT_TRANSLATE_NOOP("Actions", "Measure &Baseline"), "Ctrl+F5", "",
         false},
        {"run.presets", "run", QT_TRANSLATE_NOOP("Actions", "Run All Pre&sets"), "", "", false},
        {"run.grid", "run", QT_TRANSLATE_NOOP("Actions", "Run a &Grid…"), "", "", false},
        {"run.openSweep", "run", QT_TRANSLATE_NOOP("Actions", "Open S&weep…"), "", "", false},
        {"run.profile", "run", QT_TRANSLATE_NOOP("Actions", "Pr&ofile"), "Ctrl+Shift+F5", "", false},
        {"run.scaling", "run", QT_TRANSLATE_NOOP("Actions", "Predict Sc&aling"), "", "", false},
        {"run.stop", "run", QT_TRANSLATE_NOOP("Actions", "S&top"), "Shift+F5", "stop", false},
        {"run.hold", "run", QT_TRANSLATE_NOOP("Actions", "&Hold Queue"), "", "", true},
        {"", "run", "", "", "", false},
        {"run.pin", "run", QT_TRANSLATE_NOOP("Actions", "&Pin as Baseline"), "Ctrl+B", "", false},
        {"run.compare", "run", QT_TRANSLATE_NOOP("Actions", "&Compare Selected"), "Ctrl+D", "",
         false},
        {"run.items", "run", QT_TRANSLATE_NOOP("Actions", "Show &Items"), "Ctrl+I", "", false},
        {"run.try", "run", QT_TRANSLATE_NOOP("Actions", "Tr&y in Playground"), "Ctrl+T", "", false},
        {"run.useRecipe", "run", QT_TRANSLATE_NOOP("Actions", "&Use This Recipe"), "", "", false},
        {"run.again", "run", QT_TRANSLATE_NOOP("Actions", "R&e-run"), "", "", false},
        {"run.delete", "run", QT_TRANSLATE_NOOP("Actions", "&Delete"), "Del", "", false},
        {"run.copyCommand", "run", QT_TRANSLATE_NOOP("Actions", "Copy as Command &Line"),
         "Ctrl+Shift+C", "", false},

        {"view.pages", "view", QT_TRANSLATE_NOOP("Actions", "&Pages"), "", "", false},
        {"view.panes", "view", QT_TRANSLATE_NOOP("Actions", "P&anes"), "", "", false},
        {"view.theme", "view", QT_TRANSLATE_NOOP("Actions", "&Theme"), "", "", false},
        {"view.language", "view", QT_TRANSLATE_NOOP("Actions", "&Language"), "", "", false},
        {"", "view", "", "", "", false},
        {"view.resetLayout", "view", QT_TRANSLATE_NOOP("Actions", "&Reset Layout"), "", "", false},

        {"help.open", "help", QT_TRANSLATE_NOOP("Actions", "&Help"), "F1", "", false},
        {"help.shortcuts", "help", QT_TRANSLATE_NOOP("Actions", "&Shortcuts"), "Ctrl+/", "", false},
        {"help.sample", "help", QT_TRANSLATE_NOOP("Actions", "Open Sa&mple"), "", "", false},
        {"help.logFolder", "help", QT_TRANSLATE_NOOP("Actions", "&Log Folder"), "", "", false},
        {"help.about", "help", QT_TRANSLATE_NOOP("Actions", "&About Pareto Studio"), "", "", false},
    };
    return actions;
}

Actions::Actions(QObject* parent) : QObject(parent) {
    for (const auto& spec : table()) {
        if (spec.id[0] == '\0') {
            continue;
        }
        auto* action = new QAction(this);
        action->setObjectName(QString::fromLatin1(spec.id));
        action->setCheckable(spec.checkable);
        action->setShortcut(
            QKeySequence(QString::fromLatin1(spec.shortcut), QKeySequence::PortableText));
        if (spec.icon[0] != '\0') {
            action->setIcon(QIcon(QStringLiteral(":/icons/%1.svg").arg(QLatin1String(spec.icon))));
        }
        m_actions.insert(action->objectName(), action);
    }
    retranslate();
}

QAction* Actions::action(const QString& id) const {
    auto* found = m_actions.value(id);
    Q_ASSERT(found != nullptr);
    return found;
}

std::vector<QAction*> Actions::menu(const QString& menu) const {
    std::vector<QAction*> out;
    for (const auto& spec : table()) {
        if (menu == QLatin1String(spec.menu)) {
            out.push_back(spec.id[0] == '\0' ? nullptr : action(QString::fromLatin1(spec.id)));
        }
    }
    return out;
}

std::vector<QAction*> Actions::all() const {
    std::vector<QAction*> out;
    for (const auto& spec : table()) {
        if (spec.id[0] != '\0') {
            out.push_back(action(QString::fromLatin1(spec.id)));
        }
    }
    return out;
}

void Actions::setEnabled(const char* id, bool enabled, const QString& reason) {
    auto* target = action(QString::fromLatin1(id));
    target->setEnabled(enabled);
    const QString name = target->text().remove(u'&');
    target->setToolTip(enabled || reason.isEmpty() ? name : name + QStringLiteral(": ") + reason);
    target->setStatusTip(enabled ? QString() : reason);
}

void Actions::retranslate() {
    for (const auto& spec : table()) {
        if (spec.id[0] != '\0') {
            auto* target = action(QString::fromLatin1(spec.id));
            target->setText(QCoreApplication::translate("Actions", spec.text));
            target->setToolTip(target->text().remove(u'&'));
        }
    }
}

}  // namespace pareto::studio
