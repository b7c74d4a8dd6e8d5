#pragma once

#include <optional>
#include <string>
#include <vector>

#include <QString>

#include "engine/spec/recipe.h"
#include "engine/spec/task.h"

namespace pareto::studio {

/// A recipe that comes with the program (resources/presets/*.json).
struct Preset {
    QString id;     ///< file name without ending
    QString title;  ///< translated
    QString hint;   ///< translated; may be empty
    Recipe recipe;
};
/// A task as a recipe's source: the name of one that comes with the program, else all of it.
std::string sourceOf(const Task& task);
/// A preset that trains does so on the chosen task; without one on the task that its file names.
Recipe fittedTo(Recipe preset, const std::optional<Task>& task);
/// Whether two recipes say the same but for their names and what they learn from.
bool samePreset(Recipe a, Recipe b);
/// In the order of the menus. Read from the program's resources, where each has been checked by a test.
std::vector<Preset> presets();

}  // namespace pareto::studio
