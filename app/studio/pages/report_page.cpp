#include "app/studio/pages/report_page.h"

#include <algorithm>

#include <QAction>
#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QItemSelection>
#include <QLabel>
#include <QPushButton>
#include <QScopedValueRollback>
#include <QSplitter>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>

#include "app/studio/actions.h"
#include "app/studio/workspace.h"
#include "widgets/models/layer_report_model.h"
#include "widgets/models/layer_tree_model.h"
#include "widgets/plots/spectrum_plot.h"
#include "widgets/support/elided_label.h"
#include "widgets/support/empty_state.h"
#include "widgets/support/number_format.h"
#include "widgets/support/tsv.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;
using widgets::LayerReportModel;

namespace {

std::vector<double> numbersAt(const Json& object, const char* key) {
    std::vector<double> out;
    const auto found = object.find(key);
    if (found != object.end() && found->is_array()) {
        for (const auto& value : *found) {
            out.push_back(value.is_number() ? value.get<double>() : 0.0);
        }
    }
    return out;
}

widgets::Spectrum spectrumOf(const RunRecord& run, const std::string& layer) {
    const auto compress = run.details.find("compress");
    if (compress == run.details.end() || !compress->is_object()) {
        return {};
    }
    const auto spectra = compress->find("spectra");
    if (spectra == compress->end() || !spectra->is_object() || !spectra->contains(layer)) {
        return {};
    }
    const Json& one = (*spectra)[layer];
    widgets::Spectrum out{numbersAt(one, "ranks"), numbersAt(one, "before"), numbersAt(one, "after")};
    const bool whole = out.before.size() == out.ranks.size() && out.after.size() == out.ranks.size();
    return whole ? out : widgets::Spectrum();
}

}  // namespace

ReportPage::ReportPage(Workspace& workspace, Runs& runs, Selection& selection, Actions& actions, QWidget* parent)
    : QWidget(parent), m_workspace(workspace), m_runs(runs), m_selection(selection) {
    setObjectName(u"reportPage"_s);
    m_model = new LayerReportModel(this);
    m_view = new QTableView(this);
    m_view->setObjectName(u"reportTable"_s);
    m_view->setModel(m_model);
    m_view->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_view->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_view->setShowGrid(false);
    m_view->setWordWrap(false);
    m_view->setSortingEnabled(true);
    m_view->setTabKeyNavigation(false);
    m_view->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_view->verticalHeader()->hide();
    m_view->verticalHeader()->setDefaultSectionSize(m_view->fontMetrics().height() + 4);
    m_view->horizontalHeader()->setObjectName(u"reportTableHeader"_s);
    m_view->horizontalHeader()->setHighlightSections(false);
    m_spectrum = new widgets::SpectrumPlot(u"reportSpectrum"_s, this);
    m_empty = new widgets::EmptyState(this);
    m_empty->setObjectName(u"reportEmpty"_s);
    m_empty->addButton(actions[kActionRun]);

    auto* split = new QSplitter(Qt::Vertical, this);
    split->setObjectName(u"reportSplit"_s);
    split->addWidget(m_view);
    split->addWidget(m_spectrum);
    split->setStretchFactor(0, 1);
    split->setSizes({260, 150});
    auto* content = new QWidget(this);
    content->setObjectName(u"reportContent"_s);
    auto* inner = new QVBoxLayout(content);
    inner->setContentsMargins(0, 0, 0, 0);
    inner->setSpacing(0);
    inner->addWidget(makeBar());
    inner->addWidget(split, 1);
    m_stack = new QStackedWidget(this);
    m_stack->setObjectName(u"reportStack"_s);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(content);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_stack);

    connect(&m_selection, &Selection::runsChanged, this, &ReportPage::runChanged);
    connect(&m_runs, &Runs::changed, this, &ReportPage::runChanged);
    connect(&m_selection, &Selection::layersChanged, this, &ReportPage::showSelection);
    connect(m_view->selectionModel(), &QItemSelectionModel::selectionChanged, this, &ReportPage::publishSelection);
    connect(m_view->selectionModel(), &QItemSelectionModel::currentChanged, this, &ReportPage::publishSelection);
    retranslate();
    runChanged();
}

QWidget* ReportPage::makeBar() {
    auto* bar = new QWidget(this);
    bar->setObjectName(u"reportBar"_s);
    m_summary = new widgets::ElidedLabel(bar);
    m_summary->setObjectName(u"reportSummaryLabel"_s);
    m_formatLabel = new QLabel(bar);
    m_formatLabel->setObjectName(u"reportFormatLabel"_s);
    m_format = new QComboBox(bar);
    m_format->setObjectName(u"reportFormatCombo"_s);
    for (const auto& format : widgets::layerFormats()) {
        m_format->addItem(format.text);
    }
    m_formatLabel->setBuddy(m_format);
    m_override = new QPushButton(bar);
    m_override->setObjectName(u"reportOverrideButton"_s);
    m_override->setAutoDefault(false);
    auto* layout = new QHBoxLayout(bar);
    layout->setContentsMargins(8, 4, 8, 4);
    layout->addWidget(m_summary, 1);
    layout->addWidget(m_formatLabel);
    layout->addWidget(m_format);
    layout->addWidget(m_override);
    connect(m_override, &QPushButton::clicked, this, &ReportPage::overrideFormat);
    return bar;
}

void ReportPage::retranslate() {
    m_view->setAccessibleName(tr("Compression report"));
    m_view->setToolTip(tr("Darker is worse within a column. Details shows the values of the chosen layer."));
    m_formatLabel->setText(tr("Chosen layers:"));
    m_format->setAccessibleName(tr("Format for the chosen layers"));
    m_override->setText(tr("Set in Recipe"));
    m_override->setAccessibleName(m_override->text());
    m_override->setToolTip(tr("Gives the layers chosen in the table this format in the recipe, whatever the recipe says "
                              "of the model"));
    m_empty->setText(m_run == 0 ? tr("Choose a run to see what compressing did to its layers.")
                                : tr("This run has no figures per layer."));
}

void ReportPage::runChanged() {
    const RunId run = m_selection.currentRun();
    if (run != m_run) {
        m_run = run;
        m_record = nullptr;
    }
    if (run == 0) {
        showRecord();
        return;
    }
    m_runs.fetch(run, this, [this, run](const RunRecordPtr& record) {
        if (run == m_run && record != m_record) {
            m_record = record;
            showRecord();
        }
    });
}

void ReportPage::showRecord() {
    retranslate();
    const QScopedValueRollback showing(m_showing, true);
    m_model->setRows(m_record ? widgets::layerReport(*m_record) : std::vector<widgets::LayerReportRow>());
    m_stack->setCurrentIndex(m_model->rowCount() > 0 ? 1 : 0);
    if (m_model->rowCount() == 0) {
        return;
    }
    for (int column = 0; column < LayerReportModel::ColumnCount; ++column) {
        m_view->setColumnHidden(column, !m_model->hasColumn(column));
    }
    m_view->sortByColumn(m_model->worstColumn(), Qt::DescendingOrder);
    m_view->resizeColumnsToContents();
    QStringList parts{tr("Run #%1: %2").arg(m_run).arg(QString::fromStdString(m_record->recipeSummary))};
    const auto compress = m_record->details.find("compress");
    if (compress != m_record->details.end() && compress->is_object()) {
        if (const auto used = compress->find("calibration"); used != compress->end() && used->is_object()) {
            parts.append(tr("calibrated on %L1 samples, %L2 tokens")
                             .arg(used->value("samples", qint64{0}))
                             .arg(used->value("tokens", qint64{0})));
        }
        const double seconds = compress->value("seconds", 0.0);
        if (seconds >= 1.0) {
            parts.append(tr("compressed in %1").arg(widgets::formatDuration(static_cast<std::int64_t>(seconds * 1000.0))));
        }
    }
    m_summary->setFullText(parts.join(u" · "_s));
    showSelection();
}

void ReportPage::showSelection() {
    const QScopedValueRollback showing(m_showing, true);
    QItemSelection wanted;
    for (const auto& name : m_selection.layers()) {
        if (const int row = m_model->rowOfLayer(name); row >= 0) {
            wanted.select(m_model->index(row, 0), m_model->index(row, 0));
        }
    }
    m_view->selectionModel()->select(wanted, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    if (const int row = m_model->rowOfLayer(m_selection.currentLayer()); row >= 0) {
        m_view->selectionModel()->setCurrentIndex(m_model->index(row, 0), QItemSelectionModel::NoUpdate);
        m_view->scrollTo(m_model->index(row, 0));
    }
    m_override->setEnabled(!chosenLayers().isEmpty() && m_workspace.model() != nullptr);
    showSpectrum();
}

void ReportPage::showSpectrum() {
    auto spectrum = m_record ? spectrumOf(*m_record, m_selection.currentLayer().toStdString()) : widgets::Spectrum();
    m_spectrum->setVisible(!spectrum.isEmpty());
    m_spectrum->setSpectrum(std::move(spectrum));
}

QStringList ReportPage::chosenLayers() const {
    QStringList out;
    for (const auto& index : m_view->selectionModel()->selectedRows()) {
        out.append(index.data(LayerReportModel::LayerRole).toString());
    }
    return out;
}

void ReportPage::publishSelection() {
    if (m_showing) {
        return;
    }
    m_selection.setLayers(chosenLayers(),
                          m_view->selectionModel()->currentIndex().data(LayerReportModel::LayerRole).toString());
}

/// Layers of a removed block, or of another model's run, are not there.
void ReportPage::overrideFormat() {
    const auto& model = m_workspace.model();
    QStringList there;
    for (const auto& layer : chosenLayers()) {
        if (model && model->layout.findLayer(layer.toStdString()) != nullptr) {
            there.append(layer);
        }
    }
    const auto choice = static_cast<std::size_t>(m_format->currentIndex());
    if (!there.isEmpty() && choice < widgets::layerFormats().size()) {
        m_workspace.recipe().setLayerFormat(there, widgets::layerFormats()[choice].spec);
    }
}

void ReportPage::copy() { widgets::copySelectedRows(*m_view); }

void ReportPage::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::LanguageChange) {
        retranslate();
        showRecord();
    }
}

}  // namespace pareto::studio
