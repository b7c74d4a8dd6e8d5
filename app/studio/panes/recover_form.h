#pragma once

#include <optional>

#include <QWidget>

#include "engine/spec/recipe.h"

QT_BEGIN_NAMESPACE
class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QGridLayout;
class QLabel;
class QPushButton;
class QSpinBox;
QT_END_NAMESPACE

namespace pareto::widgets {
class RateSpin;
}

namespace pareto::studio {

class TaskCatalogue;
class Workspace;

/// How the recipe brings accuracy back: not at all, by fine-tuning, distillation, or reconstruction
/// of outputs. Edits the recipe's first recovery step; further ones (a recipe's file may have them)
/// stay as they are. What cannot be a recipe yet, such as a fine-tuning that does not know on what,
/// is said and waits here until it can.
class RecoverForm : public QWidget {
    Q_OBJECT
public:
    RecoverForm(Workspace& workspace, TaskCatalogue& tasks, QWidget* parent = nullptr);

Q_SIGNALS:
    void pairsRequested();  ///< the view that says which block learns from which

private:
    enum Way { kOff, kFineTune, kDistil, kReconstruct };

    QWidget* addRow(QGridLayout* grid, const QString& title, const QString& name);
    struct Texts {
        QString title;  ///< accessible name
        QString hint;
        QString caption;  ///< before the field; empty: the row's label says it
    };
    QDoubleSpinBox* addNumber(QWidget* row, const QString& name, const Texts& texts);
    /// A whole number with its caption, edited into the recipe.
    QSpinBox* addWhole(QWidget* row, const QString& name, const Texts& texts, int least, int most);
    void addWay(QGridLayout* grid);
    void addSource(QGridLayout* grid);
    void addSteps(QGridLayout* grid);
    void addRate(QGridLayout* grid);
    void addLabels(QGridLayout* grid);
    void addLearns(QGridLayout* grid);
    void addTeacher(QGridLayout* grid);
    void addTerms(QGridLayout* grid);
    void fillSources();
    void chooseWay(int way);
    void takeSource(const QString& text);
    void takeTeacher(const QString& text);
    /// Reads the fields into a copy of the step shown and gives it to the recipe.
    void edit();
    void commit(RecoverSpec spec);
    void showRecipe();
    void showRows(Way way);
    void showSpec(const RecoverSpec& spec);
    void readLearns(RecoverSpec& spec) const;
    bool prunesWhileTraining() const;
    const RecoverSpec* shownSpec() const;
    static Way wayOf(const RecoverSpec* spec);
    QString usualSource() const;

    Workspace& m_workspace;
    TaskCatalogue& m_tasks;
    std::optional<RecoverSpec> m_wanted;  ///< no recipe can have it yet
    QString m_sourceText;  ///< as shown for the recipe's source
    bool m_showing = false;
    QComboBox* m_way = nullptr;
    QComboBox* m_source = nullptr;
    QSpinBox* m_epochs = nullptr;
    QSpinBox* m_steps = nullptr;
    QSpinBox* m_batch = nullptr;
    widgets::RateSpin* m_rate = nullptr;
    QComboBox* m_schedule = nullptr;
    QDoubleSpinBox* m_labels = nullptr;
    QCheckBox* m_aware = nullptr;
    QComboBox* m_learns = nullptr;
    QSpinBox* m_rank = nullptr;
    QDoubleSpinBox* m_sparseFrom = nullptr;
    QDoubleSpinBox* m_sparseTo = nullptr;
    QSpinBox* m_sequences = nullptr;
    QComboBox* m_teacher = nullptr;
    QDoubleSpinBox* m_logits = nullptr;
    QDoubleSpinBox* m_temperature = nullptr;
    QDoubleSpinBox* m_hidden = nullptr;
    QDoubleSpinBox* m_attention = nullptr;
    QDoubleSpinBox* m_relations = nullptr;
    QPushButton* m_pairs = nullptr;
    QLabel* m_more = nullptr;
    QLabel* m_problem = nullptr;
    QWidget* m_sourceRow = nullptr;
    QWidget* m_stepsRow = nullptr;
    QWidget* m_rateRow = nullptr;
    QWidget* m_labelsRow = nullptr;
    QWidget* m_learnsRow = nullptr;
    QWidget* m_sparseRow = nullptr;
    QWidget* m_sequencesRow = nullptr;
    QWidget* m_teacherRow = nullptr;
    QWidget* m_logitsRow = nullptr;
    QWidget* m_hiddenRow = nullptr;
    QWidget* m_relationsRow = nullptr;
};

}  // namespace pareto::studio
