#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <QPoint>
#include <QWidget>

namespace pareto::widgets {

/// How a figure is to change with the number of processes, and how it did. Values are in the unit of `label`.
struct ScalingPicture {
    enum class Way { Tensor, Pipeline, Replicas, Fastest };
    struct Curve {
        Way way = Way::Tensor;
        std::vector<double> ranks;
        std::vector<double> values;
    };
    struct Measured {
        QString name;  ///< of the division: "tp 2"
        double ranks = 1.0;
        double value = 0.0;
        double low = 0.0;  ///< 95 % interval
        double high = 0.0;
        std::optional<double> predicted = std::nullopt;
    };
    QString label;
    std::vector<Curve> predicted;
    std::vector<Measured> measured;
    std::vector<double> ideal;  ///< at 1, 2, 4 … ranks
};

/// Predictions as lines, one a way of dividing, beside what was measured as points with their intervals and the ideal as a dotted
/// line; both axes logarithmic. Wheel zooms, dragging pans, a double click shows everything. GUI thread.
///
/// objectName of the drawing area: this widget's with Canvas behind it.
class ScalingPlot : public QWidget {
    Q_OBJECT
public:
    explicit ScalingPlot(const QString& objectName, QWidget* parent = nullptr);
    ~ScalingPlot() override;

    void setPicture(ScalingPicture picture);

    QWidget* canvas() const;
    /// Lines and points in the order of the legend.
    QStringList legend() const;
    /// Where a measured point is drawn, in canvas(); nothing where it is outside the view.
    std::optional<QPoint> pixelOf(int measured) const;
    /// What is told of a measured point under the mouse.
    QString cardText(int measured) const;

protected:
    void changeEvent(QEvent* event) override;

private:
    struct Private;
    void rebuild();
    void drawPredicted();
    void drawMeasured();
    void showAll();
    void hover(const QPoint& position, const QPoint& global);

    std::unique_ptr<Private> d;
};

}  // namespace pareto::widgets
