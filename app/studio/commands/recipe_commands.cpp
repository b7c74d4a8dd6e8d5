#include "app/studio/commands/recipe_commands.h"

#include <QAction>
#include <QApplication>
#include <QMenu>
#include <QTreeView>

#include "app/studio/actions.h"
#include "app/studio/main_window.h"
#include "app/studio/pages/compare_page.h"
#include "app/studio/pages/items_page.h"
#include "app/studio/pages/profile_page.h"
#include "app/studio/pages/scaling_page.h"
#include "app/studio/pages/project_page.h"
#include "app/studio/pages/report_page.h"
#include "app/studio/panes/layers_pane.h"
#include "app/studio/panes/runs_pane.h"
#include "app/studio/presets.h"
#include "app/studio/selection.h"
#include "app/studio/texts.h"
#include "app/studio/workspace.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

bool hasFocus(const QWidget* widget) {
    const auto* focus = QApplication::focusWidget();
    return focus != nullptr && (focus == widget || widget->isAncestorOf(focus));
}

}  // namespace

RecipeCommands::RecipeCommands(const Services& services, MainWindow& window)
    : QObject(&window), m_services(services), m_window(window) {
    connectUndo();
    connectEdit();
    connectRecipe();
    connect(&services.workspace, &Workspace::modelChanged, this, &RecipeCommands::updateEnabled);
    connect(&services.workspace.recipe(), &RecipeDocument::changed, this,
            &RecipeCommands::updateEnabled);
    updateEnabled();
}

RecipeCommands::~RecipeCommands() {
    m_services.actions["recipe.presets"]->setMenu(static_cast<QMenu*>(nullptr));
}

void RecipeCommands::connectUndo() {
    auto& stack = m_services.workspace.recipe().undoStack();
    connect(m_services.actions["edit.undo"], &QAction::triggered, &stack, &QUndoStack::undo);
    connect(m_services.actions["edit.redo"], &QAction::triggered, &stack, &QUndoStack::redo);
    connect(&stack, &QUndoStack::indexChanged, this, &RecipeCommands::showUndo);
    connect(&stack, &QUndoStack::canUndoChanged, this, &RecipeCommands::showUndo);
    connect(&stack, &QUndoStack::canRedoChanged, this, &RecipeCommands::showUndo);
    showUndo();
}

void RecipeCommands::showUndo() {
    auto& stack = m_services.workspace.recipe().undoStack();
    auto& actions = m_services.actions;
    const auto show = [&](const char* id, const QString& plain, const QString& step,
                          bool possible) {
        actions[id]->setText(step.isEmpty() ? plain
                                            : tr("%1: %2", "Undo: the step").arg(plain, step));
        actions.setEnabled(id, possible, tr("there is no step"));
    };
    show("edit.undo", tr("&Undo"), stack.undoText(), stack.canUndo());
    show("edit.redo", tr("&Redo"), stack.redoText(), stack.canRedo());
}

void RecipeCommands::connectEdit() {
    auto& actions = m_services.actions;
    const auto on = [&](const char* id, auto slot) {
        connect(actions[id], &QAction::triggered, this, slot);
    };
    // Text fields answer these keys themselves while they have the focus.
    on("edit.copy", [this] {
        if (hasFocus(m_window.layersPane())) {
            m_window.layersPane()->copy();
        } else if (hasFocus(m_window.comparePage())) {
            m_window.comparePage()->copy();
        } else if (hasFocus(m_window.itemsPage())) {
            m_window.itemsPage()->copy();
        } else if (hasFocus(m_window.reportPage())) {
            m_window.reportPage()->copy();
        } else if (hasFocus(m_window.profilePage())) {
            m_window.profilePage()->copy();
        } else if (hasFocus(m_window.scalingPage())) {
            m_window.scalingPage()->copy();
        } else if (hasFocus(m_window.projectPage())) {
            m_window.projectPage()->copy();
        } else {
            m_window.runsPane()->copy();
        }
    });
    on("edit.paste", [this] { m_window.layersPane()->paste(); });
    on("edit.selectAll", [this] {
        if (hasFocus(m_window.layersPane())) {
            m_window.layersPane()->view()->selectAll();
        } else {
            m_window.runsPane()->selectAll();
        }
    });
    on("edit.filter", [this] {
        if (hasFocus(m_window.runsPane())) {
            m_window.runsPane()->focusFilter();
        } else {
            m_window.layersPane()->focusFilter();
        }
    });
}

void RecipeCommands::connectRecipe() {
    auto& actions = m_services.actions;
    const auto on = [&](const char* id, auto slot) {
        connect(actions[id], &QAction::triggered, this, slot);
    };
    on("recipe.resetLayers", [this] {
        m_services.workspace.recipe().resetOverrides(m_window.layersPane()->selectedNames());
    });
    on("recipe.resetAll", [this] { m_services.workspace.recipe().resetAll(); });
    on("recipe.validate", [this] { validate(); });
    auto* menu = new QMenu(&m_window);
    menu->setObjectName(u"presetsMenu"_s);
    menu->setToolTipsVisible(true);
    actions["recipe.presets"]->setMenu(menu);
    for (const auto& preset : presets()) {
        auto* action = menu->addAction(preset.title);
        action->setObjectName(u"preset."_s + preset.id);
        action->setToolTip(preset.hint);
        connect(action, &QAction::triggered, this, [this, preset] {
            auto& workspace = m_services.workspace;
            workspace.recipe().replace(fittedTo(preset.recipe, workspace.task()),
                                       tr("preset %1").arg(preset.title));
        });
    }
}

void RecipeCommands::validate() {
    const auto& recipe = m_services.workspace.recipe();
    if (recipe.problem()) {
        m_window.dialogs().tell(tr("The recipe does not fit"), *recipe.problem());
        return;
    }
    const auto* resolved = recipe.resolved();
    if (resolved == nullptr) {
        return;
    }
    QStringList words;
    if (!resolved->unmatched.empty()) {
        words.append(tr("%n override(s) match no layer here", nullptr,
                        static_cast<int>(resolved->unmatched.size())));
    }
    for (const auto& note : resolved->notes) {
        words.append(fromUtf8(note));
    }
    m_window.showNotice(words.isEmpty() ? tr("The recipe fits this model.") : words.join(u'\n'));
}

void RecipeCommands::updateEnabled() {
    const bool model = m_services.workspace.model() != nullptr;
    const QString reason = tr("open a model first");
    auto& actions = m_services.actions;
    for (const char* id :
         {"recipe.presets", "recipe.resetLayers", "recipe.validate", "edit.paste"}) {
        actions.setEnabled(id, model, reason);
    }
    actions.setEnabled("recipe.resetAll", !m_services.workspace.recipe().recipe().isEmpty(),
                       tr("the recipe is empty"));
}

}  // namespace pareto::studio
