#pragma once

#include <vector>

#include <QWidget>

#include "app/studio/runs.h"
#include "app/studio/selection.h"

QT_BEGIN_NAMESPACE
class QComboBox;
class QLabel;
class QPushButton;
class QStackedWidget;
class QTableView;
QT_END_NAMESPACE

namespace pareto::widgets {
class ElidedLabel;
class EmptyState;
class LayerReportModel;
class SpectrumPlot;
}

namespace pareto::studio {

class Actions;
class Workspace;

/// What compressing did to each layer of the current run: a heat map of layers and figures, worst first. Layers
/// chosen in it are chosen everywhere (Details shows their values before and after), and can be given a format
/// of their own in the recipe.
class ReportPage : public QWidget {
    Q_OBJECT
public:
    ReportPage(Workspace& workspace, Runs& runs, Selection& selection, Actions& actions,
               QWidget* parent = nullptr);

    QTableView* view() const { return m_view; }
    /// Selected rows as tab-separated text with a header.
    void copy();

protected:
    void changeEvent(QEvent* event) override;

private:
    QWidget* makeBar();
    void retranslate();
    void runChanged();
    void showRecord();
    void showSelection();
    void showSpectrum();
    void publishSelection();
    void overrideFormat();
    QStringList chosenLayers() const;

    Workspace& m_workspace;
    Runs& m_runs;
    Selection& m_selection;
    RunId m_run = 0;
    RunRecordPtr m_record;
    bool m_showing = false;
    widgets::LayerReportModel* m_model = nullptr;
    QTableView* m_view = nullptr;
    widgets::SpectrumPlot* m_spectrum = nullptr;
    widgets::ElidedLabel* m_summary = nullptr;
    QLabel* m_formatLabel = nullptr;
    QComboBox* m_format = nullptr;
    QPushButton* m_override = nullptr;
    QStackedWidget* m_stack = nullptr;
    widgets::EmptyState* m_empty = nullptr;
};

}  // namespace pareto::studio
