#pragma once

#include <QDialog>

#include "app/studio/data_file.h"
#include "app/studio/recipe_document.h"
#include "engine/core/result.h"
#include "engine/spec/task.h"

QT_BEGIN_NAMESPACE
class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;
class QTableWidget;
QT_END_NAMESPACE

namespace pareto::studio {

class Dialogs;

/// A task from the user's own file: columns, which label is which class, limit, and a preview of the
/// first rows. The file is read in the pool.
class OwnDataDialog : public QDialog {
    Q_OBJECT
public:
    OwnDataDialog(ModelPtr model, Dialogs& dialogs, QWidget* parent = nullptr);
    ~OwnDataDialog() override;

    /// Reads a file and shows its columns.
    void setFile(const QString& path);

Q_SIGNALS:
    void chosen(const pareto::Task& task);

private:
    void chooseFile();
    void showTable(Result<DataFile> table);
    void showPreview();
    void showLabels();
    void showState();
    void suggestColumns();
    TaskKind kind() const;
    Task task() const;
    std::size_t columnAt(const QComboBox* combo) const;

    ModelPtr m_model;
    Dialogs& m_dialogs;
    DataFile m_table;
    int m_ticket = 0;
    QString m_problemText;
    QLineEdit* m_name = nullptr;
    QLineEdit* m_file = nullptr;
    QComboBox* m_text = nullptr;
    QComboBox* m_label = nullptr;
    QTableWidget* m_labels = nullptr;
    QSpinBox* m_limit = nullptr;
    QTableWidget* m_preview = nullptr;
    QLabel* m_problem = nullptr;
    QPushButton* m_use = nullptr;
};

}  // namespace pareto::studio
