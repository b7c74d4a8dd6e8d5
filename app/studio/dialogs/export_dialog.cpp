#include "app/studio/dialogs/export_dialog.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QDir>
#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>

#include "app/studio/dialogs/dialog_buttons.h"
#include "app/studio/dialogs/dialogs.h"
#include "app/studio/export_notes.h"
#include "app/studio/texts.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

ExportDialog::ExportDialog(Source source, Dialogs& dialogs, QWidget* parent)
    : QDialog(parent), m_source(std::move(source)), m_dialogs(dialogs) {
    setObjectName(u"exportDialog"_s);
    setWindowTitle(tr("Export %1").arg(m_source.title));
    resize(560, 0);
    addFormats();
    m_folder = new QLineEdit(this);
    m_folder->setObjectName(u"exportFolderEdit"_s);
    m_folder->setAccessibleName(tr("Folder to create"));
    const QFileInfo model(m_source.model);
    m_folder->setText(
        QDir::home().filePath(folderName(model.completeBaseName(), m_source.title)));
    auto* choose = new QPushButton(tr("Choose…"), this);
    choose->setObjectName(u"exportChooseButton"_s);
    choose->setAccessibleName(tr("Choose the folder"));
    auto* folderRow = new QHBoxLayout;
    folderRow->addWidget(m_folder, 1);
    folderRow->addWidget(choose);

    m_notes = new QPlainTextEdit(this);
    m_notes->setObjectName(u"exportNotes"_s);
    m_notes->setAccessibleName(tr("What the format cannot say"));
    m_notes->setReadOnly(true);
    m_notes->setTabChangesFocus(true);
    m_notes->setMaximumHeight(130);
    m_problem = new QLabel(this);
    m_problem->setObjectName(u"exportProblemLabel"_s);
    m_problem->setWordWrap(true);
    auto* buttons = addButtons(this, QDialogButtonBox::Cancel);
    m_export = buttons->addButton(tr("Export"), QDialogButtonBox::AcceptRole);
    m_export->setObjectName(u"exportButton"_s);
    auto* form = new QFormLayout(this);
    form->addRow(tr("Format"), m_format);
    form->addRow(tr("Weights"), m_type);
    form->addRow(tr("Folder"), folderRow);
    form->addRow(tr("Notes"), m_notes);
    form->addRow(m_problem);
    form->addRow(buttons);
    connect(choose, &QPushButton::clicked, this, &ExportDialog::chooseFolder);
    connect(m_folder, &QLineEdit::textChanged, this, &ExportDialog::showState);
    connect(buttons, &QDialogButtonBox::accepted, this, [this] {
        Q_EMIT chosen(params());
        accept();
    });
    showNotes();
    showState();
}

void ExportDialog::addFormats() {
    m_format = new QComboBox(this);
    m_format->setObjectName(u"exportFormatCombo"_s);
    m_format->setAccessibleName(tr("Format"));
    m_format->addItem(tr("Hugging Face folder (safetensors)"), u"hf"_s);
    m_format->addItem(tr("GGUF file (llama.cpp, Ollama, LM Studio)"), u"gguf"_s);
    m_type = new QComboBox(this);
    m_type->setObjectName(u"exportTypeCombo"_s);
    m_type->setAccessibleName(tr("Type of the weights"));
    m_type->addItem(tr("As the recipe holds them"), QString());
    for (const auto& name : ggufTypeNames()) {
        const QString type = fromUtf8(name);
        m_type->addItem(type.toUpper(), type);
    }
    connect(m_format, &QComboBox::currentIndexChanged, this, &ExportDialog::showNotes);
    connect(m_type, &QComboBox::currentIndexChanged, this, &ExportDialog::showNotes);
}

std::string ExportDialog::formatName() const {
    const QString format = m_format->currentData().toString();
    const QString type = m_type->currentData().toString();
    return (format == u"gguf"_s && !type.isEmpty() ? format + u':' + type : format).toStdString();
}

void ExportDialog::showNotes() {
    m_type->setEnabled(m_format->currentData().toString() == u"gguf"_s);
    QStringList lines;
    if (m_source.info) {
        for (const auto& note :
             exportNotesFor(m_source.info->layout, m_source.recipe, formatName())) {
            lines.append(u"• "_s + fromUtf8(note));
        }
    }
    if (!m_source.run) {
        lines.append(u"• "_s +
                     tr("This recipe has not been measured: the report holds no figures."));
    }
    m_notes->setPlainText(lines.isEmpty() ? tr("Nothing is lost in this format.")
                                          : lines.join(u'\n'));
}

QString ExportDialog::folderName(const QString& model, const QString& title) {
    QString out;
    for (const QChar c : QString(model + u'-' + title)) {
        // A dot inside a word only: no folder is hidden or climbs.
        const bool kept = c.isLetterOrNumber() || c == u'_' ||
                          (c == u'.' && !out.isEmpty() && out.back().isLetterOrNumber());
        if (kept) {
            out += c;
        } else if (!out.isEmpty() && !out.endsWith(u'-')) {
            out += u'-';
        }
    }
    while (out.endsWith(u'-') || out.endsWith(u'.')) {
        out.chop(1);
    }
    return out;
}

void ExportDialog::chooseFolder() {
    FileRequest request;
    request.kind = FileRequest::Kind::OpenFolder;
    request.id = u"exportFolderDialog"_s;
    request.title = tr("Folder in which the model is put");
    const QString name = QFileInfo(m_folder->text()).fileName();
    m_dialogs.chooseFile(request, [this, name](const QString& folder) {
        m_folder->setText(QDir(folder).filePath(name));
    });
}

void ExportDialog::showState() {
    const QFileInfo target(m_folder->text());
    QString problem;
    if (m_folder->text().trimmed().isEmpty()) {
        problem = tr("Say which folder to create.");
    } else if (!QFileInfo(target.absolutePath()).isWritable()) {
        problem = tr("%1 does not exist or cannot be written.").arg(target.absolutePath());
    } else if (target.exists() && (!target.isDir() || !QDir(target.absoluteFilePath()).isEmpty())) {
        problem = tr("%1 exists and is not empty.").arg(target.absoluteFilePath());
    }
    m_problem->setText(problem);
    m_export->setEnabled(problem.isEmpty());
}

jobs::ExportParams ExportDialog::params() const {
    jobs::ExportParams params;
    params.model = m_source.model.toStdString();
    params.recipe = m_source.recipe;
    params.format = formatName();
    params.target = QFileInfo(m_folder->text()).absoluteFilePath().toStdString();
    if (m_source.run) {
        params.expectWeightsHash = m_source.run->weightsHash;
        Json measurements = Json::array();
        for (const auto& figure : m_source.run->measurements) {
            Json entry{{"metric", figure.key}, {"value", figure.value}, {"n", figure.n}};
            if (figure.low && figure.high) {
                entry["ci_low"] = *figure.low;
                entry["ci_high"] = *figure.high;
            }
            measurements.push_back(std::move(entry));
        }
        params.report = {{"run", m_source.run->id},
                         {"task", m_source.run->task},
                         {"target", m_source.run->target},
                         {"versions", m_source.run->versions},
                         {"measurements", std::move(measurements)}};
    }
    return params;
}

}  // namespace pareto::studio
