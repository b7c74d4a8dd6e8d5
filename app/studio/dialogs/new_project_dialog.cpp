#include "app/studio/dialogs/new_project_dialog.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>

#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QSpinBox>
#include <QTableView>
#include <QVBoxLayout>

#include "app/studio/data_file.h"
#include "app/studio/dialogs/dialog_buttons.h"
#include "app/studio/dialogs/dialogs.h"
#include "app/studio/dialogs/export_dialog.h"
#include "app/studio/found_models.h"
#include "app/studio/in_pool.h"
#include "app/studio/model_opener.h"
#include "app/studio/project_texts.h"
#include "app/studio/texts.h"
#include "widgets/editors/progress_delegate.h"
#include "widgets/models/cell_table_model.h"
#include "widgets/support/theme.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;
using widgets::CellTableModel;
using widgets::TableCell;

namespace {

constexpr int kReadMs = 250;  ///< after the last key or click
constexpr int kProgressMs = 200;
constexpr int kMostCopies = 8;  ///< pairs that are named
/// The sample that `pareto project new` trains where no model is named.
constexpr auto kSampleEncoder = u"minilm";

QString sampleEncoder() {
    for (const auto& model : sampleModels()) {
        if (model.title == kSampleEncoder) {
            return model.path;
        }
    }
    return {};
}

QString argument(const Error& error, const char* name) {
    const auto found = error.args.find(name);
    return found == error.args.end() ? QString() : fromUtf8(found->second);
}

}  // namespace

NewProjectDialog::NewProjectDialog(Given given, Dialogs& dialogs, QWidget* parent)
    : QDialog(parent), m_given(std::move(given)), m_dialogs(dialogs) {
    setObjectName(u"newProjectDialog"_s);
    setWindowTitle(tr("New project: text classification"));
    m_working = new QLabel(this);
    m_working->setObjectName(u"newProjectWorkingLabel"_s);
    m_bar = new QProgressBar(this);
    m_bar->setObjectName(u"newProjectProgress"_s);
    m_bar->setAccessibleName(tr("Progress"));
    m_bar->setTextVisible(false);
    auto* buttons = addButtons(this, QDialogButtonBox::Cancel);
    m_create = buttons->addButton(tr("Create"), QDialogButtonBox::ActionRole);
    m_create->setObjectName(u"newProjectCreateButton"_s);
    auto* sides = new QHBoxLayout;
    sides->addWidget(makeFields(), 1);
    sides->addWidget(makeFound(), 1);
    auto* foot = new QHBoxLayout;
    foot->addWidget(m_working);
    foot->addWidget(m_bar, 1);
    foot->addWidget(buttons);
    auto* layout = new QVBoxLayout(this);
    layout->addLayout(sides, 1);
    layout->addLayout(foot);
    resize(960, 560);

    for (auto* timer : {&m_readSoon, &m_readModelSoon}) {
        timer->setSingleShot(true);
        timer->setInterval(kReadMs);
    }
    m_followProgress.setInterval(kProgressMs);
    connect(&m_readSoon, &QTimer::timeout, this, &NewProjectDialog::readData);
    connect(&m_readModelSoon, &QTimer::timeout, this, &NewProjectDialog::readModel);
    connect(&m_followProgress, &QTimer::timeout, this, &NewProjectDialog::showState);
    connect(m_create, &QPushButton::clicked, this, &NewProjectDialog::create);
    m_modelPath->setText(m_given.model.isEmpty() ? sampleEncoder() : m_given.model);
    proposeFolder();
    showFound();
}

NewProjectDialog::~NewProjectDialog() {
    m_stopData.request_stop();
    m_stopCreating.request_stop();
}

QPushButton* NewProjectDialog::makeButton(const QString& name, const QString& text,
                                          const QString& accessible) {
    auto* out = new QPushButton(text, this);
    out->setObjectName(name);
    out->setAccessibleName(accessible);
    out->setAutoDefault(false);
    return out;
}

/// Stands under its field, and takes no room while there is nothing to say.
QLabel* NewProjectDialog::addProblem(QFormLayout* form, Field field) {
    static const std::map<Field, QString> names{
        {Field::Data, u"Data"_s},     {Field::Text, u"Text"_s},   {Field::Label, u"Label"_s},
        {Field::Splits, u"Splits"_s}, {Field::Model, u"Model"_s}, {Field::Folder, u"Folder"_s}};
    auto* label = new QLabel(this);
    label->setObjectName(u"newProject"_s + names.at(field) + u"Problem"_s);
    label->setWordWrap(true);
    label->setTextFormat(Qt::PlainText);
    QPalette palette = label->palette();
    palette.setColor(QPalette::WindowText, widgets::plotColours(palette).worse);
    label->setPalette(palette);
    label->hide();
    form->addRow(QString(), label);
    m_problems[field] = label;
    return label;
}

QLineEdit* NewProjectDialog::addPath(QFormLayout* form, Field field, const QString& title,
                                     const QString& name,
                                     std::initializer_list<QPushButton*> buttons) {
    auto* edit = new QLineEdit(this);
    edit->setObjectName(name);
    edit->setAccessibleName(title);
    auto* row = new QHBoxLayout;
    row->addWidget(edit, 1);
    for (auto* button : buttons) {
        row->addWidget(button);
    }
    form->addRow(title, row);
    addProblem(form, field);
    return edit;
}

QWidget* NewProjectDialog::makeFields() {
    auto* fields = new QWidget(this);
    fields->setObjectName(u"newProjectFields"_s);
    auto* form = new QFormLayout(fields);
    form->setContentsMargins(0, 0, 8, 0);
    auto* file = makeButton(u"newProjectFileButton"_s, tr("File…"), tr("Choose the file of texts"));
    auto* files = makeButton(u"newProjectFilesButton"_s, tr("Folder…"),
                             tr("Choose a folder with a file for each split"));
    m_data = addPath(form, Field::Data, tr("Texts"), u"newProjectDataEdit"_s, {file, files});
    m_data->setPlaceholderText(
        tr("CSV, TSV, JSONL or a folder"));
    m_data->setToolTip(tr("Labelled texts: CSV, TSV or JSONL, or a folder with train, validation and test"));
    addColumns(form);
    addSplits(form);
    auto* model = makeButton(u"newProjectModelButton"_s, tr("Choose…"), tr("Choose the encoder"));
    m_modelPath = addPath(form, Field::Model, tr("Encoder"), u"newProjectModelEdit"_s, {model});
    addTraining(form);
    auto* folder =
        makeButton(u"newProjectFolderButton"_s, tr("Choose…"), tr("Choose where it is made"));
    m_folder =
        addPath(form, Field::Folder, tr("Project folder"), u"newProjectFolderEdit"_s, {folder});
    auto* target = new QLabel(targetText(m_given.target, false), this);
    target->setObjectName(u"newProjectTargetLabel"_s);
    target->setToolTip(tr("As chosen in the toolbar; project.json holds it"));
    form->addRow(tr("Measured on"), target);

    connect(file, &QPushButton::clicked, this, [this] { chooseData(false); });
    connect(files, &QPushButton::clicked, this, [this] { chooseData(true); });
    connect(model, &QPushButton::clicked, this, &NewProjectDialog::chooseModel);
    connect(folder, &QPushButton::clicked, this, &NewProjectDialog::chooseFolder);
    connect(m_data, &QLineEdit::textChanged, this, &NewProjectDialog::sourceChanged);
    connect(m_modelPath, &QLineEdit::textChanged, this, [this] {
        ++m_modelTicket;
        m_model = nullptr;
        m_modelError.clear();
        m_readingModel = true;
        m_readModelSoon.start();
        showState();
    });
    connect(m_folder, &QLineEdit::textEdited, this, [this] { m_folderIsOwn = true; });
    connect(m_folder, &QLineEdit::textChanged, this, &NewProjectDialog::showState);
    return fields;
}

void NewProjectDialog::addColumns(QFormLayout* form) {
    const auto add = [&](Field field, const QString& title, const QString& name) {
        auto* combo = new QComboBox(this);
        combo->setObjectName(name);
        combo->setAccessibleName(title);
        form->addRow(title, combo);
        addProblem(form, field);
        connect(combo, &QComboBox::activated, this, &NewProjectDialog::readAgainSoon);
        return combo;
    };
    m_text = add(Field::Text, tr("Column of texts"), u"newProjectTextCombo"_s);
    m_label = add(Field::Label, tr("Column of labels"), u"newProjectLabelCombo"_s);
    readColumns();
}

void NewProjectDialog::addSplits(QFormLayout* form) {
    const std::array<QString, 3> names{u"newProjectTrainSpin"_s, u"newProjectValidationSpin"_s,
                                       u"newProjectTestSpin"_s};
    const project::DataOptions usual;
    auto* row = new QHBoxLayout;
    for (const auto split : project::kSplits) {
        const auto at = static_cast<std::size_t>(split);
        auto* spin = new QSpinBox(this);
        spin->setObjectName(names[at]);
        spin->setAccessibleName(tr("Share of %1", "split").arg(text(split)));
        spin->setToolTip(spin->accessibleName());
        spin->setRange(split == project::Split::Validation ? 0 : 1, 98);
        spin->setSuffix(u" %"_s);
        spin->setValue(qRound(100.0 * usual.shares[at]));
        connect(spin, &QSpinBox::valueChanged, this, &NewProjectDialog::readAgainSoon);
        row->addWidget(spin);
        m_shares[at] = spin;
    }
    form->addRow(tr("Train, validate, test"), row);
    addProblem(form, Field::Splits);
    m_leaks = new QComboBox(this);
    m_leaks->setObjectName(u"newProjectLeaksCombo"_s);
    m_leaks->setAccessibleName(tr("Copies among the rows"));
    m_leaks->addItem(tr("as suits the data"));
    for (const auto leaks : {project::Leaks::Move, project::Leaks::Drop, project::Leaks::Report}) {
        m_leaks->addItem(text(leaks), static_cast<int>(leaks));
    }
    m_leaks->setToolTip(
        tr("A text that is learnt from and tested on makes accuracies too good. Where splits are "
           "drawn, copies "
           "go to training; of splits that came with the data the earlier ones lose theirs."));
    connect(m_leaks, &QComboBox::activated, this, &NewProjectDialog::readAgainSoon);
    form->addRow(tr("Copies"), m_leaks);
    m_seed = new QSpinBox(this);
    m_seed->setObjectName(u"newProjectSeedSpin"_s);
    m_seed->setAccessibleName(tr("Seed"));
    m_seed->setToolTip(tr("Of everything that is drawn: splits, order of training, new heads"));
    m_seed->setRange(0, std::numeric_limits<int>::max());
    connect(m_seed, &QSpinBox::valueChanged, this, &NewProjectDialog::readAgainSoon);
    form->addRow(tr("Seed"), m_seed);
}

void NewProjectDialog::addTraining(QFormLayout* form) {
    const project::CreateOptions usual;
    m_train = new QCheckBox(tr("Train it on these texts"), this);
    m_train->setObjectName(u"newProjectTrainCheck"_s);
    m_train->setAccessibleName(m_train->text());
    m_train->setToolTip(tr("Off: it is a classifier of these labels and stays as it is"));
    m_train->setChecked(usual.training);
    form->addRow(QString(), m_train);
    const auto spin = [this](const QString& name, const QString& title, int least, int most,
                             int value) {
        auto* out = new QSpinBox(this);
        out->setObjectName(name);
        out->setAccessibleName(title);
        out->setRange(least, most);
        out->setValue(value);
        return out;
    };
    m_epochs = spin(u"newProjectEpochsSpin"_s, tr("Epochs"), 1, 100'000, usual.epochs);
    m_maxLength = spin(u"newProjectMaxLengthSpin"_s, tr("Tokens of a text, at most"), 4, 1 << 20,
                       static_cast<int>(usual.maxLength));
    form->addRow(tr("Epochs"), m_epochs);
    form->addRow(tr("Tokens at most"), m_maxLength);
    connect(m_train, &QCheckBox::toggled, this, [this](bool trains) {
        m_epochs->setEnabled(trains);
        showState();
    });
}

QWidget* NewProjectDialog::makeFound() {
    auto* found = new QWidget(this);
    found->setObjectName(u"newProjectFound"_s);
    m_found = new QLabel(found);
    m_found->setObjectName(u"newProjectFoundLabel"_s);
    m_found->setTextFormat(Qt::PlainText);
    m_found->setWordWrap(true);
    m_classes = new CellTableModel(this);
    m_classesView = new QTableView(found);
    m_classesView->setObjectName(u"newProjectClasses"_s);
    m_classesView->setAccessibleName(tr("Rows of each class"));
    m_classesView->setModel(m_classes);
    m_classesView->setItemDelegate(
        new widgets::ProgressDelegate(CellTableModel::BarRole, m_classesView));
    m_classesView->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_classesView->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_classesView->setShowGrid(false);
    m_classesView->setTabKeyNavigation(false);
    m_classesView->verticalHeader()->hide();
    m_classesView->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 6);
    m_classesView->horizontalHeader()->setObjectName(u"newProjectClassesHeader"_s);
    m_classesView->horizontalHeader()->setHighlightSections(false);
    m_notes = new QPlainTextEdit(found);
    m_notes->setObjectName(u"newProjectNotes"_s);
    m_notes->setAccessibleName(tr("What to know about the data"));
    m_notes->setReadOnly(true);
    m_notes->setTabChangesFocus(true);
    m_notes->setMaximumHeight(140);
    auto* layout = new QVBoxLayout(found);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_found);
    layout->addWidget(m_classesView, 1);
    layout->addWidget(m_notes);
    return found;
}

void NewProjectDialog::setSource(const QString& path) { m_data->setText(path); }

void NewProjectDialog::chooseData(bool folder) {
    FileRequest request;
    request.kind = folder ? FileRequest::Kind::OpenFolder : FileRequest::Kind::OpenFile;
    request.id = u"newProjectDataDialog"_s;
    request.title = folder ? tr("A folder with train, validation and test") : tr("Labelled texts");
    if (!folder) {
        request.filters = {tr("Tables (*.csv *.tsv *.tab *.jsonl *.ndjson)"), tr("All files (*)")};
    }
    m_dialogs.chooseFile(request, [this](const QString& path) { setSource(path); });
}

void NewProjectDialog::chooseModel() {
    FileRequest request;
    request.kind = FileRequest::Kind::OpenFolder;
    request.id = u"newProjectModelDialog"_s;
    request.title = tr("The folder of an encoder");
    m_dialogs.chooseFile(request, [this](const QString& path) { m_modelPath->setText(path); });
}

void NewProjectDialog::chooseFolder() {
    FileRequest request;
    request.kind = FileRequest::Kind::OpenFolder;
    request.id = u"newProjectFolderDialog"_s;
    request.title = tr("Folder in which the project is put");
    const QString name = QFileInfo(m_folder->text()).fileName();
    m_dialogs.chooseFile(request, [this, name](const QString& folder) {
        m_folderIsOwn = true;
        m_folder->setText(QDir(folder).filePath(name));
    });
}

/// Beside the home folder's others, until one is chosen.
void NewProjectDialog::proposeFolder() {
    if (m_folderIsOwn) {
        return;
    }
    const QString name = ExportDialog::folderName(
        QFileInfo(m_data->text().trimmed()).completeBaseName(), u"project"_s);
    m_folder->setText(QDir::home().filePath(name));
}

void NewProjectDialog::sourceChanged() {
    m_stopData.request_stop();
    ++m_dataTicket;
    m_report.reset();
    readColumns();
    proposeFolder();
    for (const auto field : {Field::Data, Field::Text, Field::Label, Field::Splits}) {
        say(field, {});
    }
    readAgainSoon();
    showFound();
}

/// The names of the columns are there whether or not the data can be used.
void NewProjectDialog::readColumns() {
    const int ticket = ++m_columnsTicket;
    for (auto* combo : {m_text, m_label}) {
        if (combo != nullptr) {
            combo->clear();
            combo->addItem(tr("found by itself"));
        }
    }
    const QString path = m_data->text().trimmed();
    if (!QFileInfo::exists(path)) {
        return;
    }
    inPool<Result<DataFile>>(
        this,
        [path] {
            return readDataFile({path, std::nullopt, {}});
        },
        [this, ticket](Result<DataFile>& file) {
            if (ticket != m_columnsTicket || !file.ok()) {
                return;
            }
            for (const auto& column : file->columns) {
                m_text->addItem(fromUtf8(column), fromUtf8(column));
                m_label->addItem(fromUtf8(column), fromUtf8(column));
            }
        });
}

project::CreateOptions NewProjectDialog::options() const {
    project::CreateOptions out;
    auto& data = out.data;
    data.source = QFileInfo(m_data->text().trimmed()).absoluteFilePath().toStdString();
    data.text = m_text->currentData().toString().toStdString();
    data.label = m_label->currentData().toString().toStdString();
    for (std::size_t i = 0; i < m_shares.size(); ++i) {
        data.shares[i] = m_shares[i]->value() / 100.0;
    }
    if (const auto leaks = m_leaks->currentData(); leaks.isValid()) {
        data.leaks = static_cast<project::Leaks>(leaks.toInt());
    }
    data.seed = static_cast<std::uint64_t>(m_seed->value());
    const QString model = m_modelPath->text().trimmed();
    out.model =
        (QFileInfo::exists(model) ? QFileInfo(model).absoluteFilePath() : model).toStdString();
    out.folder = QFileInfo(m_folder->text().trimmed()).absoluteFilePath().toStdString();
    out.maxLength = m_maxLength->value();
    out.training = m_train->isChecked();
    out.epochs = m_epochs->value();
    out.target = m_given.target;
    return out;
}

void NewProjectDialog::readAgainSoon() {
    m_readingData = !m_data->text().trimmed().isEmpty();
    if (m_readingData) {
        m_readSoon.start();
    }
    showState();
}

void NewProjectDialog::readData() {
    if (m_data->text().trimmed().isEmpty() || m_creating) {
        return;
    }
    m_stopData.request_stop();
    m_stopData = std::stop_source();
    const int ticket = ++m_dataTicket;
    m_readingData = true;
    m_progress = std::make_shared<Progress>();
    showState();
    inPool<Result<project::PreparedData>>(
        this,
        [data = options().data, progress = m_progress, stop = m_stopData.get_token()] {
            return project::prepareData(data, *progress, stop);
        },
        [this, ticket](Result<project::PreparedData>& prepared) {
            if (ticket != m_dataTicket) {
                return;
            }
            m_readingData = false;
            m_report.reset();
            for (const auto field : {Field::Data, Field::Text, Field::Label, Field::Splits}) {
                say(field, {});
            }
            if (prepared.ok()) {
                m_report = std::move(prepared->report);
            } else if (!prepared.cancelled()) {
                sayError(prepared.error(), Field::Data);
            }
            showFound();
        });
}

void NewProjectDialog::readModel() {
    const int ticket = ++m_modelTicket;
    const QString path = m_modelPath->text().trimmed();
    if (path.isEmpty()) {
        m_readingModel = false;
        showState();
        return;
    }
    inPool<Result<ModelPtr>>(
        this, [path] { return studio::readModel(path); },
        [this, ticket](Result<ModelPtr>& model) {
            if (ticket != m_modelTicket) {
                return;
            }
            m_readingModel = false;
            if (model.ok()) {
                m_model = std::move(model).value();
            } else if (!model.cancelled()) {
                m_modelError = text(model.error());
            }
            showState();
        });
}

void NewProjectDialog::say(Field field, const QString& problem) {
    auto* label = m_problems.at(field);
    label->setText(problem);
    label->setVisible(!problem.isEmpty());
}

/// At the field that an error of prepareData or createProject is about.
void NewProjectDialog::sayError(const Error& error, Field otherwise) {
    Field field = otherwise;
    const QString named = argument(error, "field");
    if (error.code == ErrorCode::TaskInvalid) {
        field = named == u"text"_s                            ? Field::Text
                : named == u"label"_s                         ? Field::Label
                : named == u"split"_s || named == u"splits"_s ? Field::Splits
                                                              : otherwise;
    } else if (error.code == ErrorCode::DataColumnMissing) {
        field = argument(error, "column") == m_label->currentData().toString() ? Field::Label
                                                                               : Field::Text;
    } else if (error.code == ErrorCode::DataEmpty) {
        field = Field::Splits;
    } else if (error.code == ErrorCode::FileWriteDenied || error.code == ErrorCode::DiskFull) {
        field = Field::Folder;
    }
    say(field, text(error));
}

QString NewProjectDialog::modelProblem() const {
    if (m_readingModel) {
        return {};
    }
    if (m_modelPath->text().trimmed().isEmpty()) {
        return tr("Say which encoder to begin with.");
    }
    if (!m_model) {
        return m_modelError;
    }
    if (!m_model->layout.isEncoder()) {
        return tr("%1 is no encoder. Choose a model of the kind of BERT.").arg(m_model->name);
    }
    const auto& known = m_model->layout.labels;
    if (m_model->layout.isClassifier() && m_report && known.size() != m_report->labels.size()) {
        return tr("%1 tells %L2 classes apart, and the texts have %L3. Choose an encoder without a head.")
            .arg(m_model->name)
            .arg(known.size())
            .arg(m_report->labels.size());
    }
    return m_train->isChecked() || m_model->layout.isClassifier()
               ? QString()
               : tr("%1 is no classifier: it has to be trained on the texts.").arg(m_model->name);
}

QString NewProjectDialog::folderProblem() const {
    const QFileInfo target(m_folder->text().trimmed());
    if (m_folder->text().trimmed().isEmpty()) {
        return tr("Say which folder to create.");
    }
    if (!QFileInfo(target.absolutePath()).isWritable()) {
        return tr("%1 does not exist or cannot be written.").arg(target.absolutePath());
    }
    return target.exists() && (!target.isDir() || !QDir(target.absoluteFilePath()).isEmpty())
               ? tr("%1 exists and is not empty.").arg(target.absoluteFilePath())
               : QString();
}

void NewProjectDialog::showFound() {
    CellTableModel::Rows rows;
    QStringList notes;
    if (m_report) {
        std::int64_t all = 0;
        for (const auto split : project::kSplits) {
            all += m_report->rowsOf(split);
        }
        for (std::size_t c = 0; c < m_report->labels.size(); ++c) {
            const auto& of = m_report->classes[c];
            const double share = static_cast<double>(of[0] + of[1] + of[2]) /
                                 static_cast<double>(std::max<std::int64_t>(1, all));
            rows.push_back({{fromUtf8(m_report->labels[c])},
                            {count(of[0])},
                            {count(of[1])},
                            {count(of[2])},
                            {percent(share, 1), share}});
        }
        for (const auto& note : m_report->notes) {
            notes.append(u"• "_s + text(note));
        }
        for (std::size_t i = 0; i < m_report->pairs.size() && i < kMostCopies; ++i) {
            const auto& pair = m_report->pairs[i];
            notes.append(u"• "_s +
                         tr("%1 and %2 say the same: %3", "places of two rows, text")
                             .arg(fromUtf8(pair.a), fromUtf8(pair.b), fromUtf8(pair.text)));
        }
    }
    m_found->setText(
        m_report ? foundText(*m_report).join(u'\n')
        : m_readingData
            ? tr("Reading the texts…")
            : tr("Choose labelled texts to see what is in them: their columns, how many rows each "
                 "class has, duplicates, and copies between the splits."));
    m_classes->setTable({tr("Class"), tr("Train"), tr("Validate"), tr("Test"), tr("Share")},
                        std::move(rows));
    m_classesView->resizeColumnsToContents();
    m_classesView->horizontalHeader()->setStretchLastSection(true);
    m_notes->setPlainText(notes.join(u'\n'));
    m_notes->setVisible(!notes.isEmpty());
    showState();
}

void NewProjectDialog::showState() {
    say(Field::Model, modelProblem());
    if (!m_creating) {
        say(Field::Folder, folderProblem());
    }
    const bool busy = m_readingData || m_creating;
    m_bar->setVisible(busy);
    m_working->setVisible(busy);
    if (busy && m_progress) {
        const auto progress = m_progress->snapshot();
        m_working->setText(m_creating ? tr("Making the project…") : tr("Reading the texts…"));
        m_bar->setRange(0, progress.total > 0 ? 1000 : 0);
        m_bar->setValue(
            progress.total > 0
                ? static_cast<int>(1000 * std::min(progress.done, progress.total) / progress.total)
                : 0);
    }
    busy ? m_followProgress.start() : m_followProgress.stop();
    const bool fine = m_report.has_value() && m_model != nullptr && modelProblem().isEmpty() &&
                      folderProblem().isEmpty();
    m_create->setEnabled(fine && !busy && !m_readingModel);
}

void NewProjectDialog::setBusy(bool busy) {
    m_creating = busy;
    findChild<QWidget*>(u"newProjectFields"_s)->setEnabled(!busy);
    showState();
}

/// The same call that the command line makes; cancelling it leaves nothing behind.
void NewProjectDialog::create() {
    m_progress = std::make_shared<Progress>();
    setBusy(true);
    const QString folder = QFileInfo(m_folder->text().trimmed()).absoluteFilePath();
    inPool<Result<project::Created>>(
        this,
        [options = options(), progress = m_progress, stop = m_stopCreating.get_token()] {
            return project::createProject(options, *progress, stop);
        },
        [this, folder](Result<project::Created>& made) {
            setBusy(false);
            if (made.ok()) {
                Q_EMIT created(folder);
                accept();
            } else if (!made.cancelled()) {
                sayError(made.error(), Field::Data);
            }
        });
}

}  // namespace pareto::studio
