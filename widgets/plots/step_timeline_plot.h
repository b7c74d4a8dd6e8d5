#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <QPoint>
#include <QWidget>

#include "engine/records/step_timeline.h"

namespace pareto::widgets {

/// What each process did in one step of a model in parts: a row a rank, colours tell computing, exchanging, handing on and
/// waiting apart. The wheel zooms time, dragging pans it, a double click shows the whole step. GUI thread.
///
/// objectName of the drawing area: this widget's with Canvas behind it.
class StepTimelinePlot : public QWidget {
    Q_OBJECT
public:
    explicit StepTimelinePlot(const QString& objectName, QWidget* parent = nullptr);
    ~StepTimelinePlot() override;

    /// `step`: which of the timelines' steps; ranks without it have an empty row.
    void setStep(std::vector<PartTimeline> timelines, int step);

    QWidget* canvas() const;
    int rowCount() const;
    /// In the order of the legend.
    QStringList legend() const;
    /// Where a moment (seconds) of a rank is drawn, in canvas(); nothing where it is outside the view.
    std::optional<QPoint> pixelOf(int rank, double seconds) const;
    /// What is told of it under the mouse: who, what, from when to when. Empty: nothing is known.
    QString cardText(int rank, double seconds) const;
    /// Seconds that are in view.
    std::pair<double, double> view() const;

protected:
    void changeEvent(QEvent* event) override;

private:
    struct Private;
    void rebuild();
    void showAll();
    void hover(const QPoint& position, const QPoint& global);

    std::unique_ptr<Private> d;
};

}  // namespace pareto::widgets
