#pragma once

#include <optional>

#include <QWidget>

#include "app/studio/data_file.h"
#include "engine/core/json.h"
#include "engine/spec/task.h"

QT_BEGIN_NAMESPACE
class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QTableView;
QT_END_NAMESPACE

namespace pareto::widgets {
class CellTableModel;
class ElidedLabel;
}  // namespace pareto::widgets

namespace pareto::studio {

class Dialogs;
class TaskCatalogue;
class TaskForm;
class Workspace;

/// A task from the user's own data: what kind it is, which column is what, and a look at the first
/// rows. Files are read in the pool, a bounded part of them.
class DataPage : public QWidget {
    Q_OBJECT
public:
    DataPage(Workspace& workspace, TaskCatalogue& catalogue, Dialogs& dialogs,
             QWidget* parent = nullptr);

    /// Reads a file or a folder and shows its columns.
    void setPath(const QString& path);
    Json state() const;
    void restoreState(const Json& state);

private:
    QWidget* makeFileRow();
    QWidget* makePreview();
    QWidget* makeButtons();
    void choose(bool folder);
    void read(std::optional<Task> then);
    void showData(Result<DataFile> data, const std::optional<Task>& then);
    void showPreview();
    void showState();
    void fillFormats();
    void useTask();
    void saveTask();
    void loadTaskFile();
    void openTask(const Task& task);

    Workspace& m_workspace;
    TaskCatalogue& m_catalogue;
    Dialogs& m_dialogs;
    DataFile m_data;
    QString m_readProblem;
    int m_ticket = 0;
    bool m_reading = false;
    QLineEdit* m_path = nullptr;
    QComboBox* m_format = nullptr;
    TaskForm* m_form = nullptr;
    QTableView* m_preview = nullptr;
    widgets::CellTableModel* m_rows = nullptr;
    widgets::ElidedLabel* m_count = nullptr;
    QLabel* m_problem = nullptr;
    QPushButton* m_use = nullptr;
    QPushButton* m_save = nullptr;
};

}  // namespace pareto::studio
