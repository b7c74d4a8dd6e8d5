#pragma once

#include <array>

#include <QWidget>

#include "engine/spec/recipe.h"

QT_BEGIN_NAMESPACE
class QComboBox;
class QGridLayout;
class QLabel;
QT_END_NAMESPACE

namespace pareto::widgets {
class ElidedLabel;
class FormatChooser;
class RatioEditor;
}  // namespace pareto::widgets

namespace pareto::studio {

class RecoverForm;
class Runs;
class TaskCatalogue;
class Workspace;

/// The knobs for the whole model, and what follows from them: the exact size at once, latency and
/// accuracy only from a stored run with this very recipe, task and target.
class RecipePane : public QWidget {
    Q_OBJECT
public:
    RecipePane(Workspace& workspace, Runs& runs, TaskCatalogue& tasks, QWidget* parent = nullptr);

    RecoverForm* recoverForm() const { return m_recover; }

private:
    struct Knob {
        PrunePattern pattern{};
        QComboBox* method = nullptr;
        widgets::RatioEditor* ratio = nullptr;
    };
    void addPreset(QGridLayout* grid);
    void addKnob(QGridLayout* grid, int row, PrunePattern pattern, const QString& prefix);
    void addWeightsPattern(QGridLayout* grid, int row);
    void addFormat(QGridLayout* grid, int row);
    void addPreparation(QGridLayout* grid, int row);
    void addCache(QGridLayout* grid, int row);
    void showFormat();
    void showPattern();
    void showPreparation();
    void editPattern();
    void showRecipe();
    void showAvailability();
    void showSize();
    void showMeasured();
    void editFormat();
    void editMethod(const Knob& knob);
    void setRatio(const Knob& knob, double ratio, int gesture);
    int choiceIn(const Knob& knob) const;
    QString measuredText() const;

    Workspace& m_workspace;
    Runs& m_runs;
    QComboBox* m_preset = nullptr;
    std::array<Knob, 5> m_knobs;
    widgets::FormatChooser* m_format = nullptr;
    QComboBox* m_activations = nullptr;
    QComboBox* m_rounding = nullptr;
    QComboBox* m_cache = nullptr;
    QComboBox* m_pattern = nullptr;
    QComboBox* m_preparation = nullptr;
    RecoverForm* m_recover = nullptr;
    widgets::ElidedLabel* m_size = nullptr;
    widgets::ElidedLabel* m_measured = nullptr;
    QLabel* m_problem = nullptr;
};

}  // namespace pareto::studio
