#include "app/studio/actions.h"

#include <QAction>
#include <QActionGroup>
#include <QCoreApplication>
#include <QIcon>

namespace pareto::studio {

#define T(text) QT_TRANSLATE_NOOP("Actions", text)

const std::vector<ActionSpec>& Actions::table() {
    static const std::vector<ActionSpec> actions{
        {"file.newWindow", "file", T("&New Window"), "Ctrl+Shift+N", "", false},
        {"", "file", "", "", "", false},
        {"file.open", "file", T("&Open Model…"), "Ctrl+O", "open", false},
        {"file.recent", "file", T("Open &Recent"), "", "", false},
        {"file.cache", "file", T("&Hugging Face Cache"), "", "", false},
        {"", "file", "", "", "", false},
        {"file.openRecipe", "file", T("Open Re&cipe…"), "Ctrl+Shift+O", "", false},
        {"file.saveRecipe", "file", T("&Save Recipe"), "Ctrl+S", "", false},
        {"file.saveRecipeAs", "file", T("Save Recipe &As…"), "Ctrl+Shift+S", "", false},
        {"", "file", "", "", "", false},
        {"file.export", "file", T("&Export Model…"), "Ctrl+E", "export", false},
        {"file.savePlot", "file", T("Save &Plot…"), "Ctrl+Shift+P", "", false},
        {"", "file", "", "", "", false},
        {"file.quit", "file", T("&Quit"), "Ctrl+Q", "", false},

        {"edit.undo", "edit", T("&Undo"), "Ctrl+Z", "undo", false},
        {"edit.redo", "edit", T("&Redo"), "Ctrl+Shift+Z", "redo", false},
        {"", "edit", "", "", "", false},
        {"edit.copy", "edit", T("&Copy"), "Ctrl+C", "", false},
        {"edit.paste", "edit", T("&Paste"), "Ctrl+V", "", false},
        {"edit.selectAll", "edit", T("Select &All"), "Ctrl+A", "", false},
        {"edit.filter", "edit", T("&Filter"), "Ctrl+F", "", false},
        {"", "edit", "", "", "", false},
        {"edit.preferences", "edit", T("Pre&ferences…"), "Ctrl+,", "", false},

        {"model.properties", "model", T("&Properties…"), "Alt+Return", "", false},
        {"model.reload", "model", T("&Reload"), "Ctrl+R", "", false},
        {"model.close", "model", T("&Close"), "Ctrl+W", "", false},

        {"recipe.presets", "recipe", T("&Presets"), "", "", false},
        {"", "recipe", "", "", "", false},
        {"recipe.resetLayers", "recipe", T("Reset &Selected Layers"), "Ctrl+Backspace", "", false},
        {"recipe.resetAll", "recipe", T("Reset &All"), "", "", false},
        {"recipe.validate", "recipe", T("&Validate"), "", "", false},

        {"run.start", "run", T("&Run"), "F5", "run", false},
        {"run.baseline", "run", T("Measure &Baseline"), "Ctrl+F5", "", false},
        {"run.presets", "run", T("Run All Pre&sets"), "", "", false},
        {"run.grid", "run", T("Run a &Grid…"), "", "", false},
        {"run.stop", "run", T("S&top"), "Shift+F5", "stop", false},
        {"run.hold", "run", T("&Hold Queue"), "", "", true},
        {"", "run", "", "", "", false},
        {"run.pin", "run", T("&Pin as Baseline"), "Ctrl+B", "", false},
        {"run.compare", "run", T("&Compare Selected"), "Ctrl+D", "", false},
        {"run.useRecipe", "run", T("&Use This Recipe"), "", "", false},
        {"run.again", "run", T("R&e-run"), "", "", false},
        {"run.delete", "run", T("&Delete"), "Del", "", false},
        {"run.copyCommand", "run", T("Copy as Command &Line"), "Ctrl+Shift+C", "", false},

        {"view.pages", "view", T("&Pages"), "", "", false},
        {"view.panes", "view", T("P&anes"), "", "", false},
        {"view.theme", "view", T("&Theme"), "", "", false},
        {"view.language", "view", T("&Language"), "", "", false},
        {"", "view", "", "", "", false},
        {"view.resetLayout", "view", T("&Reset Layout"), "", "", false},

        {"help.open", "help", T("&Help"), "F1", "", false},
        {"help.shortcuts", "help", T("&Shortcuts"), "Ctrl+/", "", false},
        {"help.sample", "help", T("Open Sa&mple"), "", "", false},
        {"help.logFolder", "help", T("&Log Folder"), "", "", false},
        {"help.about", "help", T("&About Pareto Studio"), "", "", false},
    };
    return actions;
}

#undef T

Actions::Actions(QObject* parent) : QObject(parent) {
    for (const auto& spec : table()) {
        if (spec.id[0] == '\0') {
            continue;
        }
        auto* action = new QAction(this);
        action->setObjectName(QString::fromLatin1(spec.id));
        action->setCheckable(spec.checkable);
        action->setShortcut(QKeySequence(QString::fromLatin1(spec.shortcut), QKeySequence::PortableText));
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
