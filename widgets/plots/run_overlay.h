#pragma once

#include <functional>
#include <vector>

#include <qcustomplot.h>

#include "widgets/plots/run_scatter_plottable.h"

namespace pareto::widgets {

/// What changes with the mouse: rings around chosen points, their error bars, names of few points, the
/// box of a box zoom and the hover card. Lives on a buffered layer of its own, so that moving the mouse
/// repaints no point.
class RunOverlay : public QCPLayerable {
public:
    RunOverlay(QCustomPlot* plot, RunScatterPlottable* scatter, const QString& layer);

    struct State {
        std::vector<int> selected;
        int current = -1;
        int hovered = -1;
        int keyboard = -1;       ///< the point that the arrow keys are on
        int baseline = -1;
        QRect box;
        bool focus = false;
    };
    State& state() { return m_state; }
    /// Lines of the hover card; the first is a heading.
    std::function<QStringList(int)> cardText;
    /// The name beside a point, used when there are few.
    std::function<QString(int)> labelText;
    void setPoints(const ParetoPoints* points) { m_points = points; }

protected:
    void applyDefaultAntialiasingHint(QCPPainter* painter) const override;
    void draw(QCPPainter* painter) override;
    QRect clipRect() const override;

private:
    bool shown(int index) const;
    void drawRing(QCPPainter& painter, int index, double radius, double width) const;
    void drawLabels(QCPPainter& painter) const;
    void drawCard(QCPPainter& painter) const;

    RunScatterPlottable* m_scatter;
    const ParetoPoints* m_points = nullptr;
    State m_state;
};

}  // namespace pareto::widgets
