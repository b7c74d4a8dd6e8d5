#pragma once

#include <map>
#include <string>
#include <vector>

#include <QWidget>

#include "app/studio/data_file.h"
#include "app/studio/recipe_document.h"
#include "engine/spec/task.h"

QT_BEGIN_NAMESPACE
class QComboBox;
class QFormLayout;
class QLineEdit;
class QPlainTextEdit;
class QSpinBox;
QT_END_NAMESPACE

namespace pareto::studio {

class LabelTable;

/// Everything of a task but its file: kind, columns, classes, prompt, limits. Only what means something
/// for the kind (and the model) is shown.
class TaskForm : public QWidget {
    Q_OBJECT
public:
    explicit TaskForm(QWidget* parent);

    /// Kinds that fit come first, the others are greyed and say why.
    void setModel(const ModelPtr& model);
    /// The data whose columns and labels are offered; columns are guessed from their names.
    void setData(const DataFile& data);
    void setTask(const Task& task);
    /// The task as the form says it, of the data last set.
    Task task() const;
    /// What is missing or wrong, a sentence; empty: the task can be used.
    QString problem() const;
    TaskKind kind() const;

Q_SIGNALS:
    void edited();
    void kindChosen();  ///< by the user: another format may be needed

private:
    void addRows();
    QSpinBox* addSpin(const char* name, const QString& title, int low, int high);
    void fillKinds();
    void showKind();
    void makeRoles();
    void suggestColumns();
    void showLabels();
    void showRow(QWidget* field, bool visible);
    QString columnsProblem() const;
    QString chosenColumn(const std::string& role) const;
    bool wantsLabels() const;
    bool generates() const { return m_model && m_model->generates(); }

    ModelPtr m_model;
    DataFile m_data;
    QFormLayout* m_form = nullptr;
    QComboBox* m_kind = nullptr;
    QLineEdit* m_name = nullptr;
    QWidget* m_roles = nullptr;
    QFormLayout* m_rolesForm = nullptr;
    std::map<std::string, QComboBox*> m_columns;  ///< by role
    LabelTable* m_labels = nullptr;
    /// As the task last set has them: a model that is opened later needs them again.
    std::map<std::string, int> m_taskLabels;
    std::vector<std::string> m_taskLabelTexts;
    QPlainTextEdit* m_prompt = nullptr;
    QComboBox* m_split = nullptr;
    QSpinBox* m_limit = nullptr;
    QSpinBox* m_seed = nullptr;
    QSpinBox* m_maxLength = nullptr;
    QSpinBox* m_window = nullptr;
    QComboBox* m_protocol = nullptr;
    QSpinBox* m_docStride = nullptr;
    QSpinBox* m_maxTokens = nullptr;
    QSpinBox* m_beams = nullptr;
};

}  // namespace pareto::studio
