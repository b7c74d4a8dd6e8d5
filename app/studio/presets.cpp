#include "app/studio/presets.h"

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
};

}  // namespace

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
