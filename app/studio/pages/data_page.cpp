#include "app/studio/pages/data_page.h"

#include <algorithm>

#include <QComboBox>
#include <QFileInfo>
#include <QFutureWatcher>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSaveFile>
#include <QSplitter>
#include <QTableView>
#include <QVBoxLayout>
#include <QtConcurrent>

#include "app/studio/data/task_form.h"
#include "app/studio/dialogs/dialogs.h"
#include "app/studio/task_catalogue.h"
#include "app/studio/texts.h"
#include "app/studio/workspace.h"
#include "widgets/models/cell_table_model.h"
#include "widgets/support/column_scroll.h"
#include "widgets/support/elided_label.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

constexpr std::size_t kPreviewRows = 50;
constexpr int kPreviewCharacters = 500;

QPushButton* makeButton(const char* name, const QString& text, QWidget* parent) {
    auto* button = new QPushButton(text, parent);
    button->setObjectName(QLatin1String(name));
    button->setAccessibleName(QString(text).remove(u'…'));
    button->setAutoDefault(false);
    return button;
}

}  // namespace

DataPage::DataPage(Workspace& workspace, TaskCatalogue& catalogue, Dialogs& dialogs,
                   QWidget* parent)
    : QWidget(parent), m_workspace(workspace), m_catalogue(catalogue), m_dialogs(dialogs) {
    setObjectName(u"dataPage"_s);
    auto* fileRow = makeFileRow();
    auto* scroll = new widgets::ColumnScroll(this);
    scroll->setObjectName(u"dataFormArea"_s);
    scroll->setAccessibleName(tr("Settings of the task"));
    m_form = new TaskForm(scroll);
    scroll->setWidget(m_form);
    auto* splitter = new QSplitter(this);
    splitter->setObjectName(u"dataSplitter"_s);
    splitter->setChildrenCollapsible(false);
    splitter->addWidget(scroll);
    splitter->addWidget(makePreview());
    splitter->setStretchFactor(1, 1);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 4, 8, 4);
    layout->setSpacing(4);
    layout->addWidget(fileRow);
    layout->addWidget(splitter, 1);
    layout->addWidget(makeButtons());

    connect(m_form, &TaskForm::edited, this, &DataPage::showState);
    connect(m_form, &TaskForm::kindChosen, this, &DataPage::fillFormats);
    connect(&workspace, &Workspace::modelChanged, this, [this] {
        m_form->setModel(m_workspace.model());
        fillFormats();
    });
    m_form->setModel(workspace.model());
    fillFormats();
    showState();
}

QWidget* DataPage::makeFileRow() {
    auto* row = new QWidget(this);
    row->setObjectName(u"dataFileRow"_s);
    m_path = new QLineEdit(row);
    m_path->setObjectName(u"dataPathEdit"_s);
    m_path->setAccessibleName(tr("File or folder"));
    m_path->setPlaceholderText(tr("A file, or a folder of split files"));
    auto* file = makeButton("dataFileButton", tr("File…"), row);
    auto* folder = makeButton("dataFolderButton", tr("Folder…"), row);
    m_format = new QComboBox(row);
    m_format->setObjectName(u"dataFormatCombo"_s);
    m_format->setAccessibleName(tr("Format"));
    m_format->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_path, 1);
    layout->addWidget(file);
    layout->addWidget(folder);
    layout->addWidget(m_format);
    connect(file, &QPushButton::clicked, this, [this] { choose(false); });
    connect(folder, &QPushButton::clicked, this, [this] { choose(true); });
    connect(m_path, &QLineEdit::editingFinished, this, [this] {
        if (m_path->text() != m_data.path) {
            setPath(m_path->text());
        }
    });
    connect(m_format, &QComboBox::activated, this, [this] { read({}); });
    return row;
}

QWidget* DataPage::makePreview() {
    auto* side = new QWidget(this);
    side->setObjectName(u"dataPreview"_s);
    m_count = new widgets::ElidedLabel(side);
    m_count->setObjectName(u"dataCountLabel"_s);
    m_rows = new widgets::CellTableModel(this);
    m_preview = new QTableView(side);
    m_preview->setObjectName(u"dataPreviewTable"_s);
    m_preview->setAccessibleName(tr("First rows"));
    m_preview->setModel(m_rows);
    m_preview->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_preview->setTabKeyNavigation(false);
    m_preview->setWordWrap(false);
    m_preview->setShowGrid(false);
    m_preview->setAlternatingRowColors(true);
    m_preview->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_preview->verticalHeader()->hide();
    m_preview->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 6);
    m_preview->horizontalHeader()->setObjectName(u"dataPreviewHeader"_s);
    m_preview->horizontalHeader()->setHighlightSections(false);
    auto* layout = new QVBoxLayout(side);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    layout->addWidget(m_count);
    layout->addWidget(m_preview, 1);
    return side;
}

QWidget* DataPage::makeButtons() {
    auto* row = new QWidget(this);
    row->setObjectName(u"dataButtons"_s);
    m_problem = new QLabel(row);
    m_problem->setObjectName(u"dataProblemLabel"_s);
    m_problem->setWordWrap(true);
    m_problem->setTextFormat(Qt::PlainText);
    auto* load = makeButton("dataLoadButton", tr("Open Task…"), row);
    m_save = makeButton("dataSaveButton", tr("Save Task…"), row);
    m_use = makeButton("dataUseButton", tr("Use This Task"), row);
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_problem, 1);
    layout->addWidget(load);
    layout->addWidget(m_save);
    layout->addWidget(m_use);
    connect(load, &QPushButton::clicked, this, &DataPage::loadTaskFile);
    connect(m_save, &QPushButton::clicked, this, &DataPage::saveTask);
    connect(m_use, &QPushButton::clicked, this, &DataPage::useTask);
    return row;
}

void DataPage::choose(bool folder) {
    FileRequest request;
    request.kind = folder ? FileRequest::Kind::OpenFolder : FileRequest::Kind::OpenFile;
    request.id = u"dataFileDialog"_s;
    request.title = tr("Choose your data");
    if (!folder) {
        request.filters = {tr("Data (*.csv *.tsv *.jsonl *.ndjson *.json *.txt *.conll)"),
                           tr("All files (*)")};
    }
    m_dialogs.chooseFile(request, [this](const QString& path) { setPath(path); });
}

/// The formats of the kind, the one that the file's name says chosen where it is among them.
void DataPage::fillFormats() {
    const auto wanted =
        m_format->currentIndex() > 0 ? m_format->currentData().toInt() : -1;
    m_format->clear();
    m_format->addItem(tr("Format by name"), -1);
    for (const auto format : dataFormats(m_form->kind())) {
        m_format->addItem(text(format), static_cast<int>(format));
    }
    m_format->setCurrentIndex(std::max(0, m_format->findData(wanted)));
}

void DataPage::setPath(const QString& path) {
    if (path.isEmpty()) {
        return;
    }
    m_path->setText(path);
    m_format->setCurrentIndex(0);
    read({});
}

void DataPage::read(std::optional<Task> then) {
    if (m_path->text().isEmpty()) {
        return;
    }
    DataRequest request;
    request.path = m_path->text();
    const int format = m_format->currentData().toInt();
    if (then) {
        request.format = then->format;
        request.split = fromUtf8(then->split);
    } else if (format >= 0) {
        request.format = static_cast<DataFormat>(format);
    }
    const int ticket = ++m_ticket;
    m_reading = true;
    showState();
    using Shared = std::shared_ptr<Result<DataFile>>;
    auto* watcher = new QFutureWatcher<Shared>(this);
    connect(watcher, &QFutureWatcherBase::finished, this, [this, watcher, ticket, then] {
        watcher->deleteLater();
        if (ticket == m_ticket) {
            showData(std::move(*watcher->result()), then);
        }
    });
    watcher->setFuture(QtConcurrent::run([request]() -> Shared {
        return std::make_shared<Result<DataFile>>(readDataFile(request));
    }));
}

void DataPage::showData(Result<DataFile> data, const std::optional<Task>& then) {
    m_reading = false;
    m_readProblem.clear();
    m_data = {};
    if (data.ok()) {
        m_data = std::move(data).value();
        m_path->setText(m_data.path);
    } else if (!data.cancelled()) {
        m_readProblem = text(data.error());
    }
    m_form->setData(m_data);
    if (then) {
        m_form->setTask(*then);
    }
    showPreview();
    showState();
}

void DataPage::showPreview() {
    QStringList headers;
    for (const auto& column : m_data.columns) {
        headers.append(fromUtf8(column));
    }
    widgets::CellTableModel::Rows rows;
    const auto shown = std::min(kPreviewRows, m_data.rows.size());
    for (std::size_t i = 0; i < shown; ++i) {
        std::vector<widgets::TableCell> cells;
        for (const auto& value : m_data.rows[i]) {
            QString line = fromUtf8(value).left(kPreviewCharacters);
            cells.push_back({line.replace(u'\n', u' ')});
        }
        rows.push_back(std::move(cells));
    }
    m_rows->setTable(headers, std::move(rows));
    m_count->setFullText(m_data.path.isEmpty()
                             ? QString()
                             : tr("The first %n row(s)", nullptr, static_cast<int>(shown)));
    const int widest = fontMetrics().averageCharWidth() * 50;
    for (int column = 0; column < m_rows->columnCount(); ++column) {
        m_preview->resizeColumnToContents(column);
        m_preview->setColumnWidth(column, std::min(m_preview->columnWidth(column), widest));
    }
    m_preview->horizontalHeader()->setStretchLastSection(true);
}

void DataPage::showState() {
    if (m_problem == nullptr) {
        return;
    }
    const QString problem = m_reading                ? tr("Reading the data…")
                            : !m_readProblem.isEmpty() ? m_readProblem
                                                       : m_form->problem();
    m_problem->setText(problem.isEmpty() && !m_workspace.model()
                           ? tr("Whether it fits is seen once a model is open.")
                           : problem);
    m_use->setEnabled(problem.isEmpty() && m_workspace.model());
    m_use->setToolTip(problem);
    m_save->setEnabled(problem.isEmpty());
}

void DataPage::useTask() {
    const Task task = m_form->task();
    m_catalogue.addOwn(task);
    m_workspace.setTask(task);
    m_problem->setText(tr("Runs are now measured with this task."));
}

void DataPage::saveTask() {
    FileRequest request;
    request.kind = FileRequest::Kind::SaveFile;
    request.id = u"taskSaveDialog"_s;
    request.title = tr("Save the task");
    const Task task = m_form->task();
    request.name = fromUtf8(task.name) + u".json"_s;
    request.filters = {tr("Tasks (*.json)")};
    request.suffix = u"json"_s;
    m_dialogs.chooseFile(request, [this, task](const QString& path) {
        QSaveFile file(path);
        const bool written = file.open(QIODevice::WriteOnly) &&
                             file.write(QByteArray::fromStdString(taskToJson(task).dump(
                                            1, ' ', false, Json::error_handler_t::replace)) +
                                        '\n') > 0 &&
                             file.commit();
        if (!written) {
            m_dialogs.tell(tr("The task could not be saved"),
                           makeError(ErrorCode::FileWriteDenied,
                                     {{"file", path.toStdString()},
                                      {"reason", file.errorString().toStdString()}}));
        }
    });
}

void DataPage::loadTaskFile() {
    FileRequest request;
    request.id = u"taskOpenDialog"_s;
    request.title = tr("Open a task");
    request.filters = {tr("Tasks (*.json)"), tr("All files (*)")};
    m_dialogs.chooseFile(request, [this](const QString& path) {
        auto task = loadTask(path.toStdString());
        if (task.ok()) {
            openTask(task.value());
        } else if (!task.cancelled()) {
            m_dialogs.tell(tr("The task could not be opened"), task.error());
        }
    });
}

void DataPage::openTask(const Task& task) {
    m_path->setText(fromUtf8(task.data));
    m_form->setTask(task);
    fillFormats();
    m_format->setCurrentIndex(std::max(0, m_format->findData(static_cast<int>(task.format))));
    read(task);
}

Json DataPage::state() const {
    return m_data.path.isEmpty() ? Json(nullptr) : taskToJson(m_form->task());
}

void DataPage::restoreState(const Json& state) {
    if (!state.is_object()) {
        return;
    }
    const auto task = taskFromJson(state, {});
    if (task.ok() && QFileInfo::exists(fromUtf8(task->data))) {
        openTask(task.value());
    }
}

}  // namespace pareto::studio
