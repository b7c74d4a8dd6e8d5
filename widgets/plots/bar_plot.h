#pragma once

#include <optional>

#include <QTableView>

#include "widgets/models/layer_times_model.h"

namespace pareto::widgets {

/// Time per layer as bars: the run's wide, the baseline's thin below it, the figures beside them. A
/// table with bars in it, so that it sorts, scrolls, takes the keyboard and can be read out.
class BarPlot : public QTableView {
    Q_OBJECT
public:
    explicit BarPlot(const QString& objectName, QWidget* parent = nullptr);

    void setTimes(std::vector<LayerTime> times, bool hasBaseline);
    /// Shows a choice made elsewhere; emits nothing.
    void setCurrentLayer(const QString& layer);
    /// The middle of a layer's bar in viewport(); nothing when it has none or is scrolled away.
    std::optional<QPoint> pixelOf(const QString& layer) const;
    LayerTimesModel* times() const { return m_model; }

Q_SIGNALS:
    void layerClicked(const QString& layer);

protected:
    void currentChanged(const QModelIndex& current, const QModelIndex& previous) override;
    void changeEvent(QEvent* event) override;

private:
    LayerTimesModel* m_model = nullptr;
    bool m_showing = false;
};

}  // namespace pareto::widgets
