#pragma once

#include <vector>

#include <QElapsedTimer>

#include <qcustomplot.h>

#include "widgets/plots/pareto_view.h"
#include "widgets/plots/run_overlay.h"

namespace pareto::widgets {

/// The drawing area of a Pareto plot: shows points by index, turns mouse and keys into intents and
/// keeps the history of views. Wheel zooms at the cursor (Ctrl: only x, Shift: only y), dragging pans,
/// Shift+drag zooms into a box, a double click on empty ground shows everything.
class ParetoCanvas : public QCustomPlot {
    Q_OBJECT
public:
    explicit ParetoCanvas(QWidget* parent = nullptr);

    /// The points must outlive the canvas or the next call.
    void setPoints(const ParetoPoints* points, int baseline);
    void setScales(bool logX, bool logY);
    void setHighlights(std::vector<int> selected, int current);
    void setColours(const PlotColours& colours);
    RunOverlay& overlay() { return *m_overlay; }
    RunScatterPlottable& scatter() { return *m_scatter; }

    PlotView view() const;
    PlotView homeView() const;
    /// A step of the history, unless `remember` is false.
    void showView(const PlotView& view, bool remember = true);
    void showHome();
    /// Shows everything and forgets the history: the axes mean something else now.
    void startOver();
    bool isHome() const { return m_home; }
    bool zoomBack();
    bool zoomForward();
    void zoomBy(double factor, const QPointF& at, bool alongX = true, bool alongY = true);
    void clearHover();

Q_SIGNALS:
    void pointClicked(int index, Qt::KeyboardModifiers modifiers);
    void pointActivated(int index);
    void emptyClicked();
    void pointHovered(int index);     ///< -1: none
    void viewChanged();
    void menuRequested(const QPoint& globalPosition, int index);

protected:
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;

private:
    PlotView homeViewOf(const std::vector<double>& xs, const std::vector<double>& ys) const;
    enum class Gesture { None, Pressed, Panning, Boxing };

    void hoverAt(const QPointF& position);
    void pan(const QPointF& position);
    void finishBox();
    void stepPoint(int direction);
    void remember();
    void replotOverlay();

    RunScatterPlottable* m_scatter = nullptr;
    RunOverlay* m_overlay = nullptr;
    const ParetoPoints* m_points = nullptr;
    Gesture m_gesture = Gesture::None;
    QPointF m_pressedAt;
    PlotView m_pressedView;
    bool m_home = true;
    std::vector<PlotView> m_history;
    std::size_t m_historyAt = 0;   ///< of the view shown
    QElapsedTimer m_lastWheel;
};

}  // namespace pareto::widgets
