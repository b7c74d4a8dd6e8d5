#pragma once

#include <utility>
#include <vector>

#include <qcustomplot.h>

#include "widgets/plots/pareto_data.h"
#include "widgets/support/theme.h"

namespace pareto::widgets {

/// Runs as markers over columns that it does not own and does not sort, so that an index here is an
/// index there. 100,000 points stay well under a frame: markers are pictures drawn once, points that
/// fall on an occupied spot are skipped (never those of the front), and the hit test uses a grid.
class RunScatterPlottable : public QCPAbstractPlottable {
public:
    /// With as few points as this every point gets its error bars.
    static constexpr int kFewPoints = 12;

    RunScatterPlottable(QCPAxis* keyAxis, QCPAxis* valueAxis);

    /// The points must outlive the plottable or the next call.
    void setPoints(const ParetoPoints* points);
    void setColours(const PlotColours& colours);
    /// Arrows from one point to another.
    void setPaths(std::vector<std::pair<int, int>> paths) { m_paths = std::move(paths); }
    /// The point drawn as the baseline, -1: none.
    void setBaseline(int index) { m_baseline = index; }
    const PlotColours& colours() const { return m_colours; }

    /// Where a point stands in the widget.
    QPointF pixelOf(int index) const;
    /// The nearest point within `reach` pixels, -1: none. Points of the front win ties.
    int nearest(const QPointF& pixel, double reach) const;
    void drawErrorBars(QCPPainter& painter, int index, const QColor& colour) const;
    static constexpr double kRadius = 5.0;

    double selectTest(const QPointF& pos, bool onlySelectable, QVariant* details) const override;
    QCPRange getKeyRange(bool& found, QCP::SignDomain domain) const override;
    QCPRange getValueRange(bool& found, QCP::SignDomain domain,
                           const QCPRange& inKeyRange) const override;

protected:
    void draw(QCPPainter* painter) override;
    void drawLegendIcon(QCPPainter* painter, const QRectF& rect) const override;

private:
    /// What pixel positions depend on; they are computed again when it changed.
    struct View {
        QCPRange x, y;
        QRect rect;
        bool logX = false;
        bool logY = false;
        bool operator==(const View& other) const {
            return x == other.x && y == other.y && rect == other.rect && logX == other.logX
                   && logY == other.logY;
        }
    };
    struct Sprite {
        QPixmap dominated;
        QPixmap front;
    };

    View currentView() const;
    void ensurePixels() const;
    void ensureGrid() const;
    void ensureSprites(qreal devicePixelRatio);
    void drawFrontLine(QCPPainter& painter) const;
    void drawPath(QCPPainter& painter, int from, int to) const;
    void drawMarkers(QCPPainter& painter);
    void drawMarker(QCPPainter& painter, int index, bool asPicture) const;
    void paintMarker(QPainter& painter, int series, bool front) const;
    void drawBaseline(QCPPainter& painter) const;

    const ParetoPoints* m_points = nullptr;
    PlotColours m_colours;
    int m_baseline = -1;
    std::vector<std::pair<int, int>> m_paths;
    std::vector<Sprite> m_sprites;
    qreal m_spriteRatio = 0.0;
    mutable View m_view;
    mutable std::vector<QPointF> m_pixels;
    mutable bool m_pixelsValid = false;
    // Points by cell of the plot's area: cell c holds m_cellPoints[m_cellStart[c] … m_cellStart[c+1]).
    mutable std::vector<int> m_cellStart;
    mutable std::vector<int> m_cellPoints;
    mutable int m_gridColumns = 0;
    mutable int m_gridRows = 0;
    mutable bool m_gridValid = false;
    std::vector<std::uint8_t> m_occupied;
};

}  // namespace pareto::widgets
