#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>

#include <QDialog>
#include <QTimer>

#include "app/studio/recipe_document.h"
#include "engine/project/create.h"

QT_BEGIN_NAMESPACE
class QCheckBox;
class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QProgressBar;
class QPushButton;
class QSpinBox;
class QTableView;
QT_END_NAMESPACE

namespace pareto::widgets {
class CellTableModel;
}

namespace pareto::studio {

class Dialogs;

/// Labelled texts, an encoder and a folder become a project (engine/project, as `pareto project new`
/// makes it). What cleaning finds is shown while it is chosen; what is wrong stands at its field. The
/// data is read in the pool, and the folder appears when it is complete.
class NewProjectDialog : public QDialog {
    Q_OBJECT
public:
    struct Given {
        QString model;  ///< proposed; empty: the sample encoder
        Target target;  ///< under which variants are measured
    };
    NewProjectDialog(Given given, Dialogs& dialogs, QWidget* parent = nullptr);
    ~NewProjectDialog() override;

    /// A file, or a folder with train, validation and test.
    void setSource(const QString& path);

Q_SIGNALS:
    void created(const QString& folder);

private:
    enum class Field { Data, Text, Label, Splits, Model, Folder };

    QWidget* makeFields();
    QWidget* makeFound();
    QLineEdit* addPath(QFormLayout* form, Field field, const QString& title, const QString& name,
                       std::initializer_list<QPushButton*> buttons);
    void addColumns(QFormLayout* form);
    void addSplits(QFormLayout* form);
    void addTraining(QFormLayout* form);
    QPushButton* makeButton(const QString& name, const QString& text, const QString& accessible);
    QLabel* addProblem(QFormLayout* form, Field field);
    void chooseData(bool folder);
    void chooseModel();
    void chooseFolder();

    void sourceChanged();
    void readColumns();
    void readAgainSoon();
    void readData();
    void readModel();
    void showFound();
    void showState();
    void say(Field field, const QString& problem);
    void sayError(const Error& error, Field otherwise);
    QString folderProblem() const;
    QString modelProblem() const;
    void proposeFolder();
    project::CreateOptions options() const;
    void create();
    void setBusy(bool busy);

    Given m_given;
    Dialogs& m_dialogs;
    std::map<Field, QLabel*> m_problems;
    std::optional<project::DataReport> m_report;
    ModelPtr m_model;
    QString m_modelError;
    bool m_readingData = false;
    bool m_readingModel = false;
    bool m_creating = false;
    bool m_folderIsOwn = false;  ///< typed or chosen: no more proposals
    int m_dataTicket = 0;        ///< of the newest reading; older answers are passed over
    int m_columnsTicket = 0;
    int m_modelTicket = 0;
    std::stop_source m_stopData;
    std::stop_source m_stopCreating;
    std::shared_ptr<Progress> m_progress;
    QTimer m_readSoon;
    QTimer m_readModelSoon;
    QTimer m_followProgress;

    QLineEdit* m_data = nullptr;
    QComboBox* m_text = nullptr;
    QComboBox* m_label = nullptr;
    std::array<QSpinBox*, 3> m_shares{};
    QComboBox* m_leaks = nullptr;
    QSpinBox* m_seed = nullptr;
    QLineEdit* m_modelPath = nullptr;
    QCheckBox* m_train = nullptr;
    QSpinBox* m_epochs = nullptr;
    QSpinBox* m_maxLength = nullptr;
    QLineEdit* m_folder = nullptr;
    QLabel* m_found = nullptr;
    QTableView* m_classesView = nullptr;
    widgets::CellTableModel* m_classes = nullptr;
    QPlainTextEdit* m_notes = nullptr;
    QProgressBar* m_bar = nullptr;
    QLabel* m_working = nullptr;
    QPushButton* m_create = nullptr;
};

}  // namespace pareto::studio
