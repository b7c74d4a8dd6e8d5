#pragma once

#include <QDialog>

#include "app/studio/recipe_document.h"
#include "app/studio/runs.h"
#include "engine/jobs/api/jobs.h"

QT_BEGIN_NAMESPACE
class QComboBox;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QPushButton;
QT_END_NAMESPACE

namespace pareto::studio {

class Dialogs;

/// Writing the optimized model: format, folder, what the format cannot say.
class ExportDialog : public QDialog {
    Q_OBJECT
public:
    struct Source {
        QString title;  ///< of the run or the recipe
        QString model;  ///< path
        Recipe recipe;
        ModelPtr info;     ///< null when another model is open: notes are then unknown
        RunRecordPtr run;  ///< null: the recipe as it is now, not measured
    };
    ExportDialog(Source source, Dialogs& dialogs, QWidget* parent = nullptr);
    /// The name of the folder proposed for a model and what was made of it.
    static QString folderName(const QString& model, const QString& title);

Q_SIGNALS:
    void chosen(const pareto::jobs::ExportParams& params);

private:
    void addFormats();
    void chooseFolder();
    /// The name of the chosen format, "gguf:q4_k".
    std::string formatName() const;
    void showNotes();
    void showState();
    jobs::ExportParams params() const;

    Source m_source;
    Dialogs& m_dialogs;
    QComboBox* m_format = nullptr;
    QComboBox* m_type = nullptr;  ///< of a GGUF file's weights
    QPlainTextEdit* m_notes = nullptr;
    QLineEdit* m_folder = nullptr;
    QLabel* m_problem = nullptr;
    QPushButton* m_export = nullptr;
};

}  // namespace pareto::studio
