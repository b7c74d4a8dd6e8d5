#include "app/studio/playground/table_panel.h"

#include <algorithm>

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPlainTextEdit>
#include <QSpinBox>
#include <QTableView>
#include <QVBoxLayout>

#include "app/studio/playground/trial_tables.h"
#include "app/studio/texts.h"
#include "engine/jobs/api/jobs.h"
#include "widgets/editors/progress_delegate.h"
#include "widgets/models/cell_table_model.h"
#include "widgets/support/elided_label.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;
using widgets::CellTableModel;

namespace {

/// Each line is a text of its own.
bool manyTexts(TrialKind kind) {
    return kind == TrialKind::Embed || kind == TrialKind::Translate;
}

}  // namespace

TablePanel::TablePanel(TrialKind kind, QWidget* parent) : TrialPanel(kind, parent) {
    const bool pair = kind == TrialKind::Rank;
    m_text = addTextEdit("TextEdit", pair ? tr("Query") : tr("Text to try"), 4);
    m_text->setPlaceholderText(hint());
    auto* inputs = new QHBoxLayout;
    inputs->addWidget(m_text, 1);
    if (pair) {
        m_second = addTextEdit("SecondEdit", tr("Passage"), 4);
        m_second->setPlaceholderText(tr("The passage that may answer it."));
        inputs->addWidget(m_second, 1);
    }
    if (kind == TrialKind::Translate) {
        addTranslation(inputs);
    }
    makeTable();
    m_summary = new widgets::ElidedLabel(this);
    m_summary->setObjectName(nameFor("SummaryLabel"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 0, 8, 4);
    layout->setSpacing(4);
    layout->addLayout(inputs);
    layout->addWidget(m_view, 1);
    layout->addWidget(m_summary);
}

void TablePanel::addTranslation(QHBoxLayout* layout) {
    const auto add = [this](QVBoxLayout* column, const char* name, const QString& title, int most,
                            int value) {
        auto* label = new QLabel(title, this);
        auto* spin = new QSpinBox(this);
        spin->setObjectName(nameFor(name));
        spin->setAccessibleName(title);
        spin->setRange(1, most);
        spin->setValue(value);
        label->setBuddy(spin);
        auto* row = new QHBoxLayout;
        row->addWidget(label, 1);
        row->addWidget(spin);
        column->addLayout(row);
        connect(spin, &QSpinBox::valueChanged, this, &TrialPanel::inputChanged);
        return spin;
    };
    auto* column = new QVBoxLayout;
    m_beams = add(column, "BeamsSpin", tr("Beams"), 64, 4);
    m_maxTokens = add(column, "MaxTokensSpin", tr("At most tokens"), 1 << 20, 128);
    column->addStretch();
    layout->addLayout(column);
}

void TablePanel::makeTable() {
    m_model = new CellTableModel(this);
    m_view = new QTableView(this);
    m_view->setObjectName(nameFor("Table"));
    m_view->setAccessibleName(tr("Answers of both sides"));
    m_view->setModel(m_model);
    m_view->setItemDelegate(new widgets::ProgressDelegate(CellTableModel::BarRole, m_view));
    m_view->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_view->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_view->setShowGrid(false);
    m_view->setAlternatingRowColors(true);
    m_view->setTabKeyNavigation(false);
    m_view->setWordWrap(kind() == TrialKind::Translate);
    m_view->verticalHeader()->hide();
    m_view->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 8);
    m_view->horizontalHeader()->setObjectName(nameFor("TableHeader"));
    m_view->horizontalHeader()->setHighlightSections(false);
    m_view->setMinimumHeight(60);
}

QString TablePanel::hint() const {
    switch (kind()) {
    case TrialKind::Rank:
        return tr("A question or a search.");
    case TrialKind::Embed:
        return tr("One text a line; at least two are compared.");
    case TrialKind::Translate:
        return tr("One text a line.");
    case TrialKind::Fill:
        return tr("A text with [MASK] or <mask> where a word is to be found.");
    default:
        return tr("A text of your own. Ctrl+Enter tries it.");
    }
}

QStringList TablePanel::texts() const {
    if (!manyTexts(kind())) {
        const QString text = m_text->toPlainText();
        return text.trimmed().isEmpty() ? QStringList() : QStringList{text};
    }
    QStringList out;
    for (const auto& line : m_text->toPlainText().split(u'\n')) {
        if (!line.trimmed().isEmpty()) {
            out.append(line.trimmed());
        }
    }
    return out;
}

const char* TablePanel::job() const {
    switch (kind()) {
    case TrialKind::Embed:
        return jobs::kJobEmbed;
    case TrialKind::Tag:
        return jobs::kJobTag;
    case TrialKind::Fill:
        return jobs::kJobFill;
    case TrialKind::Translate:
        return jobs::kJobTranslate;
    default:
        return jobs::kJobClassify;
    }
}

QString TablePanel::whyNot() const {
    const auto count = texts().size();
    if (count == 0 || (m_second != nullptr && m_second->toPlainText().trimmed().isEmpty())) {
        return m_second != nullptr ? tr("Type a query and a passage.") : tr("Type a text.");
    }
    return kind() == TrialKind::Embed && count < 2 ? tr("Type at least two texts, one a line.")
                                                   : QString();
}

Json TablePanel::params(TrialSide /*side*/) const {
    Json list = Json::array();
    for (const auto& text : texts()) {
        list.push_back(text.toStdString());
    }
    if (kind() == TrialKind::Translate) {
        jobs::SamplingParams sampling;
        sampling.beams = m_beams->value();
        sampling.maxTokens = m_maxTokens->value();
        Json json = jobs::toJson(sampling);
        json["texts"] = std::move(list);
        return json;
    }
    Json json{{"texts", std::move(list)}};
    if (m_second != nullptr) {
        json["pairs"] = Json::array({m_second->toPlainText().toStdString()});
    }
    return json;
}

void TablePanel::begin() { m_sent = texts(); }

void TablePanel::showTrials(const Trials& trials, const SideTitles& titles) {
    auto table = trialTable(kind(), m_sent, trials, titles);
    m_model->setTable(std::move(table.headers), std::move(table.rows));
    m_summary->setFullText(table.summary);
    fitColumns();
}

void TablePanel::fitColumns() {
    auto* header = m_view->horizontalHeader();
    for (int column = 0; column < m_model->columnCount(); ++column) {
        const bool last = column == m_model->columnCount() - 1;
        const bool narrow = m_model->columnCount() == 4 && last;
        header->setSectionResizeMode(column, narrow ? QHeaderView::ResizeToContents
                                                    : QHeaderView::Stretch);
    }
    if (m_view->wordWrap()) {
        m_view->resizeRowsToContents();
    }
}

Json TablePanel::state() const {
    Json state{{"text", m_text->toPlainText().toStdString()}};
    if (m_second != nullptr) {
        state["second"] = m_second->toPlainText().toStdString();
    }
    if (m_beams != nullptr) {
        state["beams"] = m_beams->value();
        state["max_tokens"] = m_maxTokens->value();
    }
    return state;
}

void TablePanel::restoreState(const Json& state) {
    m_text->setPlainText(fromUtf8(textAt(state, "text")));
    if (m_second != nullptr) {
        m_second->setPlainText(fromUtf8(textAt(state, "second")));
    }
    const auto whole = [&](const char* key, QSpinBox* spin) {
        const auto found = state.find(key);
        if (found != state.end() && found->is_number_integer()) {
            spin->setValue(found->get<int>());
        }
    };
    if (m_beams != nullptr && state.is_object()) {
        whole("beams", m_beams);
        whole("max_tokens", m_maxTokens);
    }
}

}  // namespace pareto::studio
