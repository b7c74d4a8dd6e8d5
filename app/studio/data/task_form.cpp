#include "app/studio/data/task_form.h"

#include <algorithm>
#include <limits>
#include <set>

#include <QAbstractItemView>
#include <QComboBox>
#include <QCoreApplication>
#include <QFileInfo>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSpinBox>
#include <QStandardItemModel>

#include "app/studio/data/label_table.h"
#include "app/studio/texts.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

/// Why a kind cannot be measured on the model, whatever the data; what the form itself asks for
/// (label texts, the format) is no reason.
QString whyKindUnfit(TaskKind kind, const ModelLayout& layout) {
    Task task;
    task.kind = kind;
    task.labelTexts = {"a", "b"};
    task.format = kind == TaskKind::Fidelity ? DataFormat::Text : dataFormats(kind).front();
    return whyUnfitText(task, layout);
}

QString roleText(const std::string& role) {
    static const std::map<std::string, const char*> texts{
        {"text", QT_TRANSLATE_NOOP("pareto::studio::TaskForm", "Text")},
        {"pair", QT_TRANSLATE_NOOP("pareto::studio::TaskForm", "Second text")},
        {"label", QT_TRANSLATE_NOOP("pareto::studio::TaskForm", "Label")},
        {"tokens", QT_TRANSLATE_NOOP("pareto::studio::TaskForm", "Words")},
        {"tags", QT_TRANSLATE_NOOP("pareto::studio::TaskForm", "Tags")},
        {"choices", QT_TRANSLATE_NOOP("pareto::studio::TaskForm", "Choices")},
        {"context", QT_TRANSLATE_NOOP("pareto::studio::TaskForm", "Context")},
        {"question", QT_TRANSLATE_NOOP("pareto::studio::TaskForm", "Question")},
        {"answers", QT_TRANSLATE_NOOP("pareto::studio::TaskForm", "Answers")},
        {"source", QT_TRANSLATE_NOOP("pareto::studio::TaskForm", "Source")},
        {"target", QT_TRANSLATE_NOOP("pareto::studio::TaskForm", "Reference")},
        {"messages", QT_TRANSLATE_NOOP("pareto::studio::TaskForm", "Messages")},
        {"score", QT_TRANSLATE_NOOP("pareto::studio::TaskForm", "Score")}};
    const auto found = texts.find(role);
    return found == texts.end() ? fromUtf8(role)
                                : QCoreApplication::translate("pareto::studio::TaskForm", found->second);
}

/// Names that people give to columns of a role, beside the usual one.
QStringList otherNames(const std::string& role) {
    static const std::map<std::string, QStringList> names{
        {"text", {u"text"_s, u"prompt"_s, u"sentence"_s, u"question"_s, u"review"_s, u"sentence1"_s,
                  u"premise"_s, u"document"_s, u"article"_s}},
        {"pair", {u"text_pair"_s, u"sentence2"_s, u"hypothesis"_s}},
        {"label", {u"class"_s, u"category"_s, u"target"_s, u"sentiment"_s, u"answer"_s}},
        {"target", {u"summary"_s, u"highlights"_s, u"reference"_s, u"translation"_s, u"output"_s}},
        {"source", {u"src"_s, u"input"_s, u"text"_s}},
        {"tags", {u"ner_tags"_s, u"labels"_s}},
        {"tokens", {u"words"_s}},
        {"score", {u"similarity"_s, u"label"_s}}};
    const auto found = names.find(role);
    return found == names.end() ? QStringList() : found->second;
}

bool takesPrompt(TaskKind kind) {
    return kind == TaskKind::Classification || kind == TaskKind::MultipleChoice ||
           kind == TaskKind::Translation || kind == TaskKind::Generation;
}

}  // namespace

TaskForm::TaskForm(QWidget* parent) : QWidget(parent) {
    setObjectName(u"dataForm"_s);
    m_form = new QFormLayout(this);
    m_form->setContentsMargins(0, 0, 4, 0);
    m_form->setSpacing(4);
    m_form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    addRows();
    connect(m_kind, &QComboBox::activated, this, [this] {
        showKind();
        Q_EMIT kindChosen();
        Q_EMIT edited();
    });
    connect(m_name, &QLineEdit::textChanged, this, &TaskForm::edited);
    connect(m_labels, &LabelTable::edited, this, &TaskForm::edited);
    connect(m_prompt, &QPlainTextEdit::textChanged, this, &TaskForm::edited);
    connect(m_split, &QComboBox::currentTextChanged, this, &TaskForm::edited);
    connect(m_protocol, &QComboBox::activated, this, &TaskForm::edited);
    fillKinds();
    showKind();
}

void TaskForm::addRows() {
    const auto named = [this](auto* widget, const char* name, const QString& title) {
        widget->setObjectName(QLatin1String(name));
        widget->setAccessibleName(title);
        m_form->addRow(title, widget);
        return widget;
    };
    const auto combo = [this] {
        auto* box = new QComboBox(this);
        box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        box->setMinimumContentsLength(12);
        return box;
    };
    m_kind = named(combo(), "dataKindCombo", tr("Kind of task"));
    m_name = named(new QLineEdit(this), "dataNameEdit", tr("Name"));
    m_roles = new QWidget(this);
    m_roles->setObjectName(u"dataRoles"_s);
    m_rolesForm = new QFormLayout(m_roles);
    m_rolesForm->setContentsMargins(0, 0, 0, 0);
    m_rolesForm->setSpacing(4);
    m_rolesForm->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    m_form->addRow(tr("Columns"), m_roles);
    m_labels = new LabelTable(this);
    m_form->addRow(tr("Classes"), m_labels);
    m_prompt = named(new QPlainTextEdit(this), "dataPromptEdit", tr("Prompt"));
    m_prompt->setTabChangesFocus(true);
    m_prompt->setMaximumHeight(fontMetrics().lineSpacing() * 3 + 12);
    m_prompt->setPlaceholderText(tr("Template with the columns' roles in braces, as in {text}"));
    m_split = named(combo(), "dataSplitCombo", tr("Split"));
    m_split->setEditable(true);
    m_limit = addSpin("dataLimitSpin", tr("Rows"), 0, std::numeric_limits<int>::max());
    m_limit->setSpecialValueText(tr("all rows"));
    m_limit->setValue(400);
    m_seed = addSpin("dataSeedSpin", tr("Seed"), 0, std::numeric_limits<int>::max());
    const Task usual;
    const auto number = [](std::int64_t value) { return static_cast<int>(value); };
    m_maxLength = addSpin("dataMaxLengthSpin", tr("Longest text, tokens"), 4, 1 << 20);
    m_maxLength->setValue(number(usual.maxLength));
    m_window = addSpin("dataWindowSpin", tr("Window, tokens"), 8, 1 << 20);
    m_window->setValue(number(usual.window));
    m_protocol = named(combo(), "dataProtocolCombo", tr("Protocol"));
    m_protocol->addItem(tr("GPTQ: windows side by side"), u"gptq"_s);
    m_protocol->addItem(tr("llama.cpp: second halves"), u"llama.cpp"_s);
    m_protocol->addItem(tr("Strided: windows overlap"), u"strided"_s);
    m_docStride = addSpin("dataDocStrideSpin", tr("Overlap of windows, tokens"), 0, 1 << 20);
    m_docStride->setValue(number(usual.docStride));
    m_maxTokens = addSpin("dataMaxTokensSpin", tr("At most tokens"), 1, 1 << 20);
    m_maxTokens->setValue(number(usual.maxTokens));
    m_beams = addSpin("dataBeamsSpin", tr("Beams"), 1, 64);
}

QSpinBox* TaskForm::addSpin(const char* name, const QString& title, int low, int high) {
    auto* spin = new QSpinBox(this);
    spin->setObjectName(QLatin1String(name));
    spin->setAccessibleName(title);
    spin->setRange(low, high);
    m_form->addRow(title, spin);
    connect(spin, &QSpinBox::valueChanged, this, &TaskForm::edited);
    return spin;
}

void TaskForm::fillKinds() {
    const auto before = m_kind->count() > 0 ? std::optional(kind()) : std::nullopt;
    struct Entry {
        TaskKind kind;
        QString reason;
    };
    std::vector<Entry> entries;
    for (const auto each : allTaskKinds()) {
        entries.push_back({each, m_model ? whyKindUnfit(each, m_model->layout) : QString()});
    }
    std::stable_partition(entries.begin(), entries.end(),
                          [](const Entry& entry) { return entry.reason.isEmpty(); });
    m_kind->clear();
    auto* items = qobject_cast<QStandardItemModel*>(m_kind->model());
    int chosen = 0;
    for (const auto& entry : entries) {
        m_kind->addItem(entry.reason.isEmpty()
                            ? text(entry.kind)
                            : tr("%1 (%2)", "kind of task, why it cannot be chosen")
                                  .arg(text(entry.kind), entry.reason),
                        static_cast<int>(entry.kind));
        const int row = m_kind->count() - 1;
        items->item(row)->setEnabled(entry.reason.isEmpty());
        if (entry.reason.isEmpty() && entry.kind == before) {
            chosen = row;
        }
    }
    m_kind->setCurrentIndex(chosen);
    // The list is as wide as its longest reason, the box is not.
    m_kind->view()->setMinimumWidth(
        std::min(m_kind->view()->sizeHintForColumn(0) + 24, fontMetrics().averageCharWidth() * 90));
}

TaskKind TaskForm::kind() const { return static_cast<TaskKind>(m_kind->currentData().toInt()); }

bool TaskForm::wantsLabels() const { return kind() == TaskKind::Classification; }

void TaskForm::setModel(const ModelPtr& model) {
    m_model = model;
    fillKinds();
    showKind();
    Q_EMIT edited();
}

void TaskForm::setData(const DataFile& data) {
    const bool other = data.path != m_data.path;
    m_data = data;
    if (other && !data.path.isEmpty()) {
        m_name->setText(QFileInfo(data.path).completeBaseName());
        m_taskLabels.clear();
        m_taskLabelTexts.clear();
    }
    {
        const QSignalBlocker quiet(m_split);
        m_split->clear();
        m_split->addItems(data.splits);
        m_split->setCurrentText(data.split);
    }
    makeRoles();
    showKind();
    Q_EMIT edited();
}

void TaskForm::showRow(QWidget* field, bool visible) {
    field->setVisible(visible);
    if (auto* label = m_form->labelForField(field)) {
        label->setVisible(visible);
    }
}

void TaskForm::showKind() {
    if (m_columns.size() != columnRoles(kind()).size() ||
        !std::all_of(columnRoles(kind()).begin(), columnRoles(kind()).end(),
                     [this](const auto& role) {
                         return m_columns.contains(std::string(role.role));
                     })) {
        makeRoles();
    }
    const bool fidelityWindows = kind() == TaskKind::Fidelity && generates();
    const bool windows = kind() == TaskKind::Perplexity || fidelityWindows;
    const bool generated = kind() == TaskKind::Translation || kind() == TaskKind::Generation;
    showRow(m_roles, !m_columns.empty() && m_data.format != DataFormat::Squad &&
                         m_data.format != DataFormat::Conll);
    showRow(m_labels, wantsLabels() && m_model);
    showRow(m_prompt, takesPrompt(kind()) && generates());
    showRow(m_split, !windows || !m_data.splits.isEmpty());
    showRow(m_maxLength, !windows);
    showRow(m_window, windows);
    showRow(m_protocol, kind() == TaskKind::Perplexity);
    showRow(m_docStride, kind() == TaskKind::QuestionAnswering);
    showRow(m_maxTokens, generated);
    showRow(m_beams, generated);
    showLabels();
}

void TaskForm::makeRoles() {
    while (m_rolesForm->rowCount() > 0) {
        m_rolesForm->removeRow(0);
    }
    m_columns.clear();
    for (const auto& role : columnRoles(kind())) {
        const std::string name(role.role);
        auto* combo = new QComboBox(m_roles);
        QString capital = fromUtf8(name);
        capital[0] = capital[0].toUpper();
        combo->setObjectName(u"data%1Combo"_s.arg(capital));
        combo->setAccessibleName(tr("Column: %1").arg(roleText(name)));
        combo->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        combo->setMinimumContentsLength(10);
        if (!role.required || role.usual.empty()) {
            combo->addItem(tr("none"), QString());
        }
        for (const auto& column : m_data.columns) {
            combo->addItem(fromUtf8(column), fromUtf8(column));
        }
        m_rolesForm->addRow(roleText(name), combo);
        m_columns[name] = combo;
        connect(combo, &QComboBox::activated, this, [this] {
            showLabels();
            Q_EMIT edited();
        });
    }
    suggestColumns();
}

/// By name; a required role whose column has another name gets the next one that is free.
void TaskForm::suggestColumns() {
    std::set<int> taken;
    std::vector<QComboBox*> open;
    for (const auto& role : columnRoles(kind())) {
        auto* combo = m_columns.at(std::string(role.role));
        QStringList names = otherNames(std::string(role.role));
        names.prepend(QString::fromStdString(std::string(role.usual)));
        int found = -1;
        for (const auto& name : names) {
            const int at = name.isEmpty() ? -1 : combo->findData(name, Qt::UserRole,
                                                                 Qt::MatchFixedString);
            const int column = at - (combo->count() - static_cast<int>(m_data.columns.size()));
            if (at >= 0 && !taken.contains(column)) {
                found = at;
                taken.insert(column);
                break;
            }
        }
        if (found >= 0) {
            combo->setCurrentIndex(found);
        } else if (role.required) {
            open.push_back(combo);
        }
    }
    for (auto* combo : open) {
        for (int column = 0; column < static_cast<int>(m_data.columns.size()); ++column) {
            if (!taken.contains(column)) {
                combo->setCurrentIndex(column +
                                       (combo->count() - static_cast<int>(m_data.columns.size())));
                taken.insert(column);
                break;
            }
        }
    }
}

QString TaskForm::chosenColumn(const std::string& role) const {
    const auto found = m_columns.find(role);
    return found == m_columns.end() ? QString() : found->second->currentData().toString();
}

void TaskForm::showLabels() {
    const std::string label = chosenColumn("label").toStdString();
    const auto at = std::find(m_data.columns.begin(), m_data.columns.end(), label);
    std::set<std::string> values;
    if (wantsLabels() && at != m_data.columns.end()) {
        const auto column = static_cast<std::size_t>(at - m_data.columns.begin());
        for (const auto& row : m_data.rows) {
            values.insert(row[column]);
            if (values.size() > LabelTable::kMost) {
                break;
            }
        }
    }
    m_labels->setLabels({values.begin(), values.end()}, m_model ? &m_model->layout : nullptr);
    m_labels->setChosen(m_taskLabels, m_taskLabelTexts);
}

void TaskForm::setTask(const Task& task) {
    const int row = m_kind->findData(static_cast<int>(task.kind));
    if (row >= 0) {
        m_kind->setCurrentIndex(row);
    }
    showKind();
    m_name->setText(fromUtf8(task.name));
    for (auto& [role, combo] : m_columns) {
        const int at = combo->findData(fromUtf8(task.column(role)));
        if (at >= 0) {
            combo->setCurrentIndex(at);
        }
    }
    m_taskLabels = task.labels;
    m_taskLabelTexts = task.labelTexts;
    showLabels();
    m_prompt->setPlainText(fromUtf8(task.prompt));
    m_split->setCurrentText(fromUtf8(task.split));
    const auto set = [](QSpinBox* spin, std::int64_t value) {
        spin->setValue(static_cast<int>(std::min<std::int64_t>(value, spin->maximum())));
    };
    set(m_limit, task.limit);
    set(m_seed, static_cast<std::int64_t>(task.seed));
    set(m_maxLength, task.maxLength);
    set(m_window, task.window);
    set(m_docStride, task.docStride);
    set(m_maxTokens, task.maxTokens);
    set(m_beams, task.beams);
    m_protocol->setCurrentIndex(std::max(0, m_protocol->findData(fromUtf8(task.protocol))));
    Q_EMIT edited();
}

Task TaskForm::task() const {
    Task task;
    task.name = m_name->text().trimmed().toStdString();
    task.kind = kind();
    task.data = m_data.path.toStdString();
    task.format = m_data.format;
    for (const auto& [role, combo] : m_columns) {
        if (const QString column = combo->currentData().toString(); !column.isEmpty()) {
            task.columns[role] = column.toStdString();
        }
    }
    if (wantsLabels()) {
        task.labels = m_labels->labels();
        task.labelTexts = m_labels->labelTexts();
    }
    if (takesPrompt(kind()) && generates()) {
        task.prompt = m_prompt->toPlainText().toStdString();
    }
    task.split = m_split->currentText().trimmed().toStdString();
    task.limit = m_limit->value();
    task.seed = static_cast<std::uint64_t>(m_seed->value());
    task.maxLength = m_maxLength->value();
    task.window = m_window->value();
    task.protocol = m_protocol->currentData().toString().toStdString();
    task.docStride = m_docStride->value();
    task.maxTokens = m_maxTokens->value();
    task.beams = m_beams->value();
    return task;
}

QString TaskForm::columnsProblem() const {
    if (m_data.format == DataFormat::Squad || m_data.format == DataFormat::Conll ||
        m_data.format == DataFormat::Beir) {
        return {};
    }
    std::map<QString, std::string> used;
    for (const auto& role : columnRoles(kind())) {
        const std::string name(role.role);
        const QString column = chosenColumn(name);
        if (column.isEmpty()) {
            if (role.required) {
                return tr("Choose a column: %1.").arg(roleText(name));
            }
            continue;
        }
        const auto [other, fresh] = used.emplace(column, name);
        if (!fresh) {
            return tr("%1 and %2 must be different columns.")
                .arg(roleText(other->second), roleText(name));
        }
    }
    return {};
}

QString TaskForm::problem() const {
    if (m_data.path.isEmpty()) {
        return tr("Choose a file or a folder.");
    }
    if (m_name->text().trimmed().isEmpty()) {
        return tr("Give the task a name.");
    }
    const auto formats = dataFormats(kind());
    if (std::find(formats.begin(), formats.end(), m_data.format) == formats.end()) {
        QStringList can;
        for (const auto format : formats) {
            can.append(text(format));
        }
        return tr("This kind of task is read from: %1.").arg(can.join(u", "_s));
    }
    if (const QString columns = columnsProblem(); !columns.isEmpty()) {
        return columns;
    }
    if (m_model) {
        if (wantsLabels() && m_labels->rowCount() == 0) {
            return tr("This column has too many different values to be a label.");
        }
        if (const QString unfit = whyUnfitText(task(), m_model->layout); !unfit.isEmpty()) {
            return tr("It does not fit the model: %1.").arg(unfit);
        }
    }
    const auto read = taskFromJson(taskToJson(task()), {});
    return read.ok() || read.cancelled() ? QString() : text(read.error());
}

}  // namespace pareto::studio
