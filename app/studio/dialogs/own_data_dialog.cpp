#include "app/studio/dialogs/own_data_dialog.h"

#include <algorithm>
#include <set>

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFileInfo>
#include <QFormLayout>
#include <QFutureWatcher>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QTableWidget>
#include <QtConcurrent>

#include "app/studio/dialogs/dialog_buttons.h"
#include "app/studio/dialogs/dialogs.h"
#include "app/studio/texts.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

constexpr int kPreviewRows = 5;
constexpr int kMostLabels = 200;

}  // namespace

OwnDataDialog::OwnDataDialog(ModelPtr model, Dialogs& dialogs, QWidget* parent)
    : QDialog(parent), m_model(std::move(model)), m_dialogs(dialogs) {
    setObjectName(u"ownDataDialog"_s);
    setWindowTitle(tr("Use my own data"));
    resize(620, 520);
    const auto named = [this](auto* widget, const QString& name, const QString& accessible) {
        widget->setObjectName(name);
        widget->setAccessibleName(accessible);
        return widget;
    };
    m_file = named(new QLineEdit(this), u"ownDataFileEdit"_s, tr("File"));
    m_file->setPlaceholderText(tr("a .csv, .tsv, .jsonl or .txt file"));
    auto* choose = named(new QPushButton(tr("Choose…"), this), u"ownDataChooseButton"_s,
                         tr("Choose the file"));
    m_name = named(new QLineEdit(this), u"ownDataNameEdit"_s, tr("Name"));
    m_text = named(new QComboBox(this), u"ownDataTextCombo"_s, tr("Column of the text"));
    m_label = named(new QComboBox(this), u"ownDataLabelCombo"_s, tr("Column of the label"));
    m_labels = named(new QTableWidget(0, 2, this), u"ownDataLabelsTable"_s,
                     tr("Which label is which class"));
    m_labels->setHorizontalHeaderLabels({tr("Label in the file"), tr("Class of the model")});
    m_labels->horizontalHeader()->setStretchLastSection(true);
    m_labels->verticalHeader()->hide();
    m_labels->setTabKeyNavigation(false);
    m_limit = named(new QSpinBox(this), u"ownDataLimitSpin"_s, tr("Limit"));
    m_limit->setRange(0, 1'000'000'000);
    m_limit->setSpecialValueText(tr("all rows"));
    m_limit->setValue(400);
    m_preview = named(new QTableWidget(0, 0, this), u"ownDataPreviewTable"_s, tr("First rows"));
    m_preview->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_preview->setTabKeyNavigation(false);
    m_preview->verticalHeader()->hide();
    m_preview->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 6);
    m_preview->horizontalHeader()->setStretchLastSection(true);
    m_preview->setWordWrap(false);
    m_problem = new QLabel(this);
    m_problem->setObjectName(u"ownDataProblemLabel"_s);
    m_problem->setWordWrap(true);
    m_problem->setTextFormat(Qt::PlainText);
    auto* buttons = addButtons(this, QDialogButtonBox::Cancel);
    m_use = buttons->addButton(tr("Use"), QDialogButtonBox::AcceptRole);
    m_use->setObjectName(u"ownDataUseButton"_s);

    auto* fileRow = new QHBoxLayout;
    fileRow->addWidget(m_file, 1);
    fileRow->addWidget(choose);
    auto* form = new QFormLayout(this);
    form->addRow(tr("File"), fileRow);
    form->addRow(tr("Name"), m_name);
    form->addRow(tr("Text"), m_text);
    form->addRow(tr("Label"), m_label);
    form->addRow(tr("Classes"), m_labels);
    form->addRow(tr("Limit"), m_limit);
    form->addRow(tr("Preview"), m_preview);
    form->addRow(m_problem);
    form->addRow(buttons);
    const bool classes = kind() == TaskKind::Classification;
    form->labelForField(m_label)->setVisible(classes);
    form->labelForField(m_labels)->setVisible(classes);
    m_label->setVisible(classes);
    m_labels->setVisible(classes);

    connect(choose, &QPushButton::clicked, this, &OwnDataDialog::chooseFile);
    connect(m_file, &QLineEdit::editingFinished, this, [this] { setFile(m_file->text()); });
    connect(m_name, &QLineEdit::textChanged, this, &OwnDataDialog::showState);
    connect(m_text, &QComboBox::activated, this, &OwnDataDialog::showState);
    connect(m_label, &QComboBox::activated, this, [this] {
        showLabels();
        showState();
    });
    connect(buttons, &QDialogButtonBox::accepted, this, [this] {
        Q_EMIT chosen(task());
        accept();
    });
    showState();
}

OwnDataDialog::~OwnDataDialog() = default;

TaskKind OwnDataDialog::kind() const {
    if (!m_model) {
        return TaskKind::Classification;
    }
    return m_model->layout.isDecoder()             ? TaskKind::Perplexity
           : m_model->layout.isClassifier() ? TaskKind::Classification
                                            : TaskKind::Fidelity;
}

void OwnDataDialog::chooseFile() {
    FileRequest request;
    request.id = u"ownDataFileDialog"_s;
    request.title = tr("Choose a file with your data");
    request.filters = {tr("Tables and texts (*.csv *.tsv *.jsonl *.ndjson *.txt)"),
                       tr("All files (*)")};
    m_dialogs.chooseFile(request, [this](const QString& path) { setFile(path); });
}

void OwnDataDialog::setFile(const QString& path) {
    if (path.isEmpty() || path == m_table.path) {
        return;
    }
    m_file->setText(path);
    if (m_name->text().isEmpty()) {
        m_name->setText(QFileInfo(path).completeBaseName());
    }
    const int ticket = ++m_ticket;
    using Shared = std::shared_ptr<Result<DataFile>>;
    auto* watcher = new QFutureWatcher<Shared>(this);
    connect(watcher, &QFutureWatcherBase::finished, this, [this, watcher, ticket] {
        watcher->deleteLater();
        if (ticket == m_ticket) {
            showTable(std::move(*watcher->result()));
        }
    });
    watcher->setFuture(QtConcurrent::run(
        [path]() -> Shared { return std::make_shared<Result<DataFile>>(readDataFile(path)); }));
}

void OwnDataDialog::showTable(Result<DataFile> table) {
    m_problemText.clear();
    m_table = {};
    if (table.ok()) {
        m_table = std::move(table).value();
    } else if (!table.cancelled()) {
        m_problemText = text(table.error());
    }
    m_text->clear();
    m_label->clear();
    for (const auto& column : m_table.columns) {
        m_text->addItem(fromUtf8(column));
        m_label->addItem(fromUtf8(column));
    }
    suggestColumns();
    showPreview();
    showLabels();
    showState();
}

void OwnDataDialog::suggestColumns() {
    const auto pick = [](QComboBox* combo, const QStringList& names, int otherwise) {
        for (const auto& name : names) {
            const int at = combo->findText(name, Qt::MatchFixedString);
            if (at >= 0) {
                combo->setCurrentIndex(at);
                return;
            }
        }
        combo->setCurrentIndex(std::min(otherwise, combo->count() - 1));
    };
    pick(m_text, {u"text"_s, u"prompt"_s, u"sentence"_s, u"question"_s, u"review"_s}, 0);
    pick(m_label, {u"label"_s, u"class"_s, u"category"_s, u"target"_s, u"sentiment"_s}, 1);
}

void OwnDataDialog::showPreview() {
    m_preview->setColumnCount(static_cast<int>(m_table.columns.size()));
    QStringList headers;
    for (const auto& column : m_table.columns) {
        headers.append(fromUtf8(column));
    }
    m_preview->setHorizontalHeaderLabels(headers);
    if (m_text->currentIndex() >= 0) {
        m_preview->setColumnWidth(m_text->currentIndex(), 320);
    }
    const int rows = std::min<int>(kPreviewRows, static_cast<int>(m_table.rows.size()));
    m_preview->setRowCount(rows);
    for (int row = 0; row < rows; ++row) {
        const auto& cells = m_table.rows[static_cast<std::size_t>(row)];
        for (int column = 0; column < m_preview->columnCount(); ++column) {
            m_preview->setItem(
                row, column,
                new QTableWidgetItem(fromUtf8(cells[static_cast<std::size_t>(column)]).left(500)));
        }
    }
}

std::size_t OwnDataDialog::columnAt(const QComboBox* combo) const {
    return static_cast<std::size_t>(std::max(0, combo->currentIndex()));
}

void OwnDataDialog::showLabels() {
    m_labels->setRowCount(0);
    if (kind() != TaskKind::Classification || m_table.columns.empty() || !m_model) {
        return;
    }
    std::set<std::string> values;
    for (const auto& row : m_table.rows) {
        values.insert(row[columnAt(m_label)]);
        if (values.size() > kMostLabels) {
            return;
        }
    }
    const auto& classes = m_model->layout.labels;
    int at = 0;
    for (const auto& value : values) {
        m_labels->insertRow(at);
        auto* item = new QTableWidgetItem(fromUtf8(value));
        item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable);
        m_labels->setItem(at, 0, item);
        auto* combo = new QComboBox(m_labels);
        combo->setObjectName(u"ownDataClass%1Combo"_s.arg(at));
        combo->setAccessibleName(tr("Class of the label %1").arg(fromUtf8(value)));
        int suggestion = std::min(at, static_cast<int>(classes.size()) - 1);
        for (std::size_t i = 0; i < classes.size(); ++i) {
            combo->addItem(fromUtf8(classes[i]));
            if (fromUtf8(classes[i]).compare(fromUtf8(value), Qt::CaseInsensitive) == 0 ||
                std::to_string(i) == value) {
                suggestion = static_cast<int>(i);
            }
        }
        combo->setCurrentIndex(suggestion);
        m_labels->setCellWidget(at, 1, combo);
        ++at;
    }
}

Task OwnDataDialog::task() const {
    Task task;
    task.name = m_name->text().toStdString();
    task.kind = kind();
    task.data = m_table.path.toStdString();
    task.format = m_table.format;
    task.columns["text"] = m_text->currentText().toStdString();
    task.columns["label"] = m_label->currentText().toStdString();
    for (int row = 0; row < m_labels->rowCount(); ++row) {
        const auto* combo = qobject_cast<QComboBox*>(m_labels->cellWidget(row, 1));
        task.labels.emplace(m_labels->item(row, 0)->text().toStdString(), combo->currentIndex());
    }
    task.limit = m_limit->value();
    return task;
}

void OwnDataDialog::showState() {
    QString problem = m_problemText;
    const bool classes = kind() == TaskKind::Classification;
    if (problem.isEmpty() && m_table.columns.empty()) {
        problem = tr("Choose a file.");
    } else if (problem.isEmpty() && m_name->text().trimmed().isEmpty()) {
        problem = tr("Give the task a name.");
    } else if (problem.isEmpty() && classes && m_text->currentIndex() == m_label->currentIndex()) {
        problem = tr("Text and label must be different columns.");
    } else if (problem.isEmpty() && classes && m_labels->rowCount() == 0) {
        problem = tr("This column has too many different values to be a label.");
    }
    m_problem->setText(problem);
    m_use->setEnabled(problem.isEmpty());
}

}  // namespace pareto::studio
