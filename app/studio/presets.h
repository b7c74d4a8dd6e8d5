#pragma once

#include <vector>

#include <QString>

#include "engine/spec/recipe.h"

namespace pareto::studio {

/// A recipe that comes with the program (resources/presets/*.json).
struct Preset {
    QString id;     ///< file name without ending
    QString title;  ///< translated
    QString hint;   ///< translated; may be empty
    Recipe recipe;
};
/// In the order of the menus. Read from the program's resources, where each has been checked by a test.
std::vector<Preset> presets();

}  // namespace pareto::studio
