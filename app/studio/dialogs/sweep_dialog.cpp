#include "app/studio/dialogs/sweep_dialog.h"

#include <algorithm>

#include <QDialogButtonBox>
#include <QFile>
#include <QHeaderView>
#include <QLabel>
#include <QPlainTextEdit>
#include <QTableWidget>
#include <QVBoxLayout>

#include "app/studio/dialogs/dialog_buttons.h"
#include "app/studio/job_texts.h"
#include "app/studio/sweeps.h"
#include "app/studio/texts.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

constexpr qint64 kTail = 20'000;  ///< bytes of the log that are shown

enum Column { kRun, kRecipe, kState, kResult, kColumns };

QString tailOf(const QString& file) {
    QFile in(file);
    if (!in.open(QIODevice::ReadOnly)) {
        return {};
    }
    in.seek(std::max<qint64>(0, in.size() - kTail));
    return QString::fromUtf8(in.readAll());
}

}  // namespace

SweepDialog::SweepDialog(const Sweeps& sweeps, int id, QWidget* parent)
    : QDialog(parent), m_sweeps(sweeps), m_id(id) {
    setObjectName(u"sweepDialog"_s);
    resize(820, 520);
    m_state = new QLabel(this);
    m_state->setObjectName(u"sweepStateLabel"_s);
    m_state->setWordWrap(true);
    m_state->setTextFormat(Qt::PlainText);
    m_runs = new QTableWidget(0, kColumns, this);
    m_runs->setObjectName(u"sweepRunsTable"_s);
    m_runs->setAccessibleName(tr("Runs of the sweep"));
    m_runs->setHorizontalHeaderLabels({tr("Run"), tr("Recipe"), tr("State"), tr("Result")});
    m_runs->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_runs->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_runs->setShowGrid(false);
    m_runs->setWordWrap(false);
    m_runs->verticalHeader()->hide();
    m_runs->verticalHeader()->setDefaultSectionSize(m_runs->fontMetrics().height() + 8);
    m_runs->horizontalHeader()->setSectionResizeMode(kResult, QHeaderView::Stretch);
    m_runs->setColumnWidth(kRun, 50);
    m_runs->setColumnWidth(kRecipe, 220);
    m_log = new QPlainTextEdit(this);
    m_log->setObjectName(u"sweepLogText"_s);
    m_log->setAccessibleName(tr("Log"));
    m_log->setReadOnly(true);
    m_log->setMaximumHeight(150);
    auto* buttons = addButtons(this, QDialogButtonBox::Close);
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(m_state);
    layout->addWidget(m_runs, 1);
    layout->addWidget(m_log);
    layout->addWidget(buttons);
    connect(&sweeps, &Sweeps::changed, this, &SweepDialog::showRuns);
    showRuns();
}

void SweepDialog::showRuns() {
    const auto* sweep = m_sweeps.find(m_id);
    if (sweep == nullptr) {
        return;
    }
    setWindowTitle(tr("Sweep %1").arg(sweep->title()));
    m_state->setText(stateText(*sweep) + u"\n"_s + sweep->folder);
    const int count = static_cast<int>(sweep->runs.size());
    m_runs->setRowCount(count);
    for (int row = 0; row < count; ++row) {
        const auto& run = sweep->runs[static_cast<std::size_t>(row)];
        const auto& params = sweep->sweep->runs()[static_cast<std::size_t>(row)];
        const QStringList texts{
            QString::number(row),
            fromUtf8(params.name.empty() ? recipeSummary(params.recipe) : params.name),
            text(run.state), resultText(run)};
        for (int column = 0; column < kColumns; ++column) {
            auto* item = m_runs->item(row, column);
            if (item == nullptr) {
                item = new QTableWidgetItem;
                m_runs->setItem(row, column, item);
            }
            const auto& shown = texts[column];
            if (item->text() != shown) {
                item->setText(shown);
                item->setToolTip(shown);
            }
        }
    }
    const QString log = tailOf(sweep->logFile());
    const QString shown = log.isEmpty() ? tr("No process of this machine wrote anything.") : log;
    if (m_log->toPlainText() != shown) {
        m_log->setPlainText(shown);
        m_log->moveCursor(QTextCursor::End);
    }
}

}  // namespace pareto::studio
