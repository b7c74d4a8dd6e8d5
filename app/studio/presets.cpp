#include "app/studio/presets.h"

#include <algorithm>

#include <QCoreApplication>
#include <QFile>

namespace pareto::studio {
namespace {

struct Entry {
    const char* id;
    const char* title;
    const char* hint;
};

constexpr Entry kPresets[] = {
    {"int8-dynamic", QT_TRANSLATE_NOOP("Presets", "int8 dynamic"),
     QT_TRANSLATE_NOOP("Presets", "8-bit weights and activations, computed in integers")},
    {"int4-weights", QT_TRANSLATE_NOOP("Presets", "int4 weights (group 64)"),
     QT_TRANSLATE_NOOP("Presets", "smallest; activations stay in floating point")},
    {"half-heads-neurons", QT_TRANSLATE_NOOP("Presets", "50 % heads and neurons"),
     QT_TRANSLATE_NOOP("Presets", "really removes them: smaller shapes, faster runs")},
    {"half-heads-neurons-int8", QT_TRANSLATE_NOOP("Presets", "50 % heads and neurons + int8"),
     QT_TRANSLATE_NOOP("Presets", "pruned first, then 8-bit weights and activations")},
    {"half-weights", QT_TRANSLATE_NOOP("Presets", "50 % weights"),
     QT_TRANSLATE_NOOP("Presets", "smaller only when packed; no faster yet")},
    {"half-heads-neurons-distil", QT_TRANSLATE_NOOP("Presets", "50 % heads and neurons + distil"),
     QT_TRANSLATE_NOOP("Presets", "what is left learns from the untouched model on the chosen task; minutes to hours")},
    {"half-weights-reconstruct", QT_TRANSLATE_NOOP("Presets", "50 % weights + reconstruct"),
     QT_TRANSLATE_NOOP("Presets", "each block is fitted to what the untouched one gave; needs no labels")},
};

}  // namespace

std::string sourceOf(const Task& task) {
    const auto& known = builtInTasks();
    const bool builtIn = std::any_of(known.begin(), known.end(), [&](const auto& each) {
        return each.name == task.name && each.task.data == task.data;
    });
    return builtIn ? task.name : taskToJson(task).dump();
}

Recipe fittedTo(Recipe preset, const std::optional<Task>& task) {
    for (auto& step : preset.recover) {
        if (task && step.method == RecoverMethod::Train) {
            step.source = sourceOf(*task);
        }
    }
    return preset;
}

bool samePreset(Recipe a, Recipe b) {
    for (auto* recipe : {&a, &b}) {
        recipe->name.clear();
        for (auto& step : recipe->recover) {
            step.source.clear();
        }
    }
    return a == b;
}

std::vector<Preset> presets() {
    std::vector<Preset> out;
    for (const auto& entry : kPresets) {
        QFile file(QStringLiteral(":/presets/%1.json").arg(QLatin1String(entry.id)));
        if (!file.open(QIODevice::ReadOnly)) {
            continue;
        }
        auto recipe = loadRecipe(file.readAll().toStdString());
        if (recipe.ok()) {
            out.push_back(
                {QString::fromLatin1(entry.id), QCoreApplication::translate("Presets", entry.title),
                 QCoreApplication::translate("Presets", entry.hint), std::move(recipe).value()});
        }
    }
    return out;
}

}  // namespace pareto::studio
