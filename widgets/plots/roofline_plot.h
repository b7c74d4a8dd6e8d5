#pragma once

#include <memory>
#include <optional>

#include <QPoint>
#include <QWidget>

#include "engine/records/profile.h"

namespace pareto::widgets {

/// The roofline of one step (Williams, Waterman, Patterson 2009): a point a layer, its operations a byte against what it
/// attains, both logarithmic, under the roofs that were measured. Colours tell kernels apart. Layers without a count of
/// operations have no point. Wheel zooms, dragging pans, a double click shows everything. GUI thread.
///
/// objectName of the drawing area: this widget's with Canvas behind it.
class RooflinePlot : public QWidget {
    Q_OBJECT
public:
    explicit RooflinePlot(const QString& objectName, QWidget* parent = nullptr);
    ~RooflinePlot() override;

    void setStep(const ProfiledStep& step, const Roofs& roofs);
    /// Shows a choice made elsewhere; emits nothing. Names without a point are passed over.
    void setSelected(const QStringList& layers);

    QWidget* canvas() const;
    int pointCount() const;
    /// Kernels in the order of the legend.
    QStringList series() const;
    /// Where a layer's point is drawn, in canvas(); nothing when it has none or is outside the view.
    std::optional<QPoint> pixelOf(const QString& layer) const;
    QString hoveredLayer() const;  ///< empty: none
    QStringList selected() const;  ///< that have a point
    /// What is told of a layer under the mouse: name, time, rates, distance to its roof, kernel.
    QString cardText(const QString& layer) const;
    bool savePlot(const QString& path, QString* error);

Q_SIGNALS:
    void layerClicked(const QString& layer);

protected:
    void changeEvent(QEvent* event) override;

private:
    struct Private;
    void rebuild();
    void showAll();
    void drawRoofs();
    void drawPoints();
    void drawSelection();
    int pointAt(const QPoint& position) const;
    void hover(const QPoint& position, const QPoint& global);

    std::unique_ptr<Private> d;
};

}  // namespace pareto::widgets
