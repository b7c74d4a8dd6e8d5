#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <QPoint>
#include <QSet>
#include <QSize>
#include <QWidget>

#include "widgets/plots/pareto_data.h"
#include "widgets/plots/pareto_view.h"

class QStackedWidget;
class QTableView;
class QHBoxLayout;
class QLabel;

namespace pareto::widgets {

class ParetoCanvas;
class ParetoTableModel;

/// Runs on two metrics: the front drawn, dominated points dimmed, the baseline a diamond. Shows what it
/// is given and says what the user wants; chooses nothing itself. The same points can be shown as a
/// table, which is what assistive technology reads. GUI thread.
///
/// objectName of the parts: this widget's with Canvas, Table, LegendButton<n>, HiddenLabel behind it.
class ParetoPlot : public QWidget {
    Q_OBJECT
public:
    explicit ParetoPlot(const QString& objectName, QWidget* parent = nullptr);
    ~ParetoPlot() override;

    /// `rows`: the runs of `columns` to show. A view that the user has zoomed stays.
    void setRuns(RunColumnsPtr columns, std::vector<int> rows);
    void setAxes(const ParetoAxes& axes);
    const ParetoAxes& axes() const;
    /// 0: none.
    void setBaseline(std::int64_t run);
    void setSelected(const std::vector<std::int64_t>& runs, std::int64_t current);
    /// An arrow from each first run to the second, which is the same with its accuracy recovered. Those of
    /// which one run is not drawn are left out.
    void setPaths(std::vector<std::pair<std::int64_t, std::int64_t>> paths);
    int pathCount() const;  ///< that are drawn

    /// Runs drawn, on the front (by x), and left out because a value is missing on an axis.
    int shownCount() const;
    int hiddenCount() const;
    std::vector<std::int64_t> front() const;

    QWidget* canvas() const;
    /// Where a run is drawn, in canvas(); nothing when it is not drawn or outside the view.
    std::optional<QPoint> pixelOf(std::int64_t run) const;

    /// nullopt: everything is shown, and goes on being shown when runs come.
    std::optional<PlotView> zoom() const;
    void setZoom(const std::optional<PlotView>& zoom);
    bool zoomBack();
    bool zoomForward();
    void setTableShown(bool shown);
    bool tableShown() const;
    const ParetoTableModel* table() const;

    /// By the ending of `path`: png, svg, pdf or csv. `everything`: all runs instead of the view shown.
    struct SaveOptions {
        bool everything = false;
        QSize size;          ///< empty: as on screen
        double scale = 2.0;  ///< device pixels a logical one, png
    };
    bool save(const QString& path, const SaveOptions& options, QString* error);
    /// Copies the picture to the clipboard.
    void copyImage();

Q_SIGNALS:
    /// Ctrl+click wants the run added to the chosen ones or taken away.
    void runClicked(qint64 run, bool toggle);
    void runActivated(qint64 run);
    void selectionCleared();
    void runHovered(qint64 run);   ///< 0: none
    void zoomChanged();
    void shownChanged();           ///< shownCount() or hiddenCount()
    void menuRequested(const QPoint& globalPosition, qint64 run);

protected:
    void changeEvent(QEvent* event) override;

private:
    struct Private;
    void rebuild();
    void applyHighlights();
    void applyPaths();
    void applyColours();
    void rebuildLegend();
    QStringList cardText(int point) const;
    QString labelText(int point) const;
    void describe();

    std::unique_ptr<Private> d;
};

/// What `pareto-studio --plot pareto` writes. Needs a QApplication (the offscreen platform will do).
struct ParetoRenderOptions {
    ParetoAxes axes;
    std::int64_t baseline = 0;
    QSize size{1000, 640};
    double scale = 2.0;
    bool dark = false;
};
bool renderParetoPlot(const RunColumnsPtr& columns, const std::vector<int>& rows,
                      const ParetoRenderOptions& options, const QString& path, QString* error);

}  // namespace pareto::widgets
