#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <QPoint>
#include <QWidget>

#include "engine/records/training.h"

namespace pareto::widgets {

class TrainingCurve;

/// What is drawn of one recovery step.
struct TrainingPicture {
    std::shared_ptr<const TrainingCurve> curve;  ///< may grow between two calls; null: nothing
    std::vector<ValidationPoint> validations;
    std::int64_t keptStep = 0;  ///< whose weights are kept; 0: not known yet
};

/// Loss over steps, each step's faint and the smoothed line above it, and below it the metric on
/// rows that were not trained on; a dashed line through both marks the step whose weights are kept.
/// The learning rate comes on demand, on an axis of its own. The wheel zooms steps, dragging pans,
/// a double click shows everything again; the other axes follow what is in sight. A replot costs as
/// much as the picture is wide, whatever the number of steps. GUI thread.
///
/// objectName of the drawing area: this widget's with Canvas behind it.
class TrainingPlot : public QWidget {
    Q_OBJECT
public:
    explicit TrainingPlot(const QString& objectName, QWidget* parent = nullptr);
    ~TrainingPlot() override;

    /// Shows it, and what came to it since; a view that was zoomed stays while the curve is the
    /// same.
    void setPicture(TrainingPicture picture);
    void setLearningRateShown(bool shown);
    bool learningRateShown() const;
    void showAll();
    bool isZoomed() const;

    QWidget* canvas() const;
    /// Points handed to the painter for all lines of the last replot.
    int drawnPoints() const;
    /// Steps in sight.
    std::pair<double, double> view() const;
    void setView(double from, double to);
    /// Where the smoothed line (or, `validation`, the metric) is at a step, in canvas(); nothing
    /// when it has no such point or it is outside the view.
    std::optional<QPoint> pixelOf(std::int64_t step, bool validation = false) const;
    /// What is told of the step under the mouse.
    QString cardText(std::int64_t step) const;
    bool savePlot(const QString& path, QString* error);

protected:
    void changeEvent(QEvent* event) override;

private:
    struct Private;
    void makeAxes();
    void restyle();
    void showSteps(double from, double to, bool zoomed);
    void drawLines();
    void drawMetric();
    void drawKept();
    void replotSoon();
    void hover(const QPoint& position, const QPoint& global);
    void describe();

    std::unique_ptr<Private> d;
};

}  // namespace pareto::widgets
