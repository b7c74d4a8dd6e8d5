#pragma once

#include <vector>

#include <QAbstractTableModel>

#include "engine/records/run_record.h"

namespace pareto::widgets {

/// Time per layer of one run, with the baseline's beside it (matched by name). NaN: that run has no
/// such layer.
struct LayerTime {
    QString layer;
    QString kernel;
    double ms = 0.0;
    double baselineMs = 0.0;
    double share = 0.0;
};
/// Layers in the run's order; layers that only the baseline has (removed blocks) stand at the end.
std::vector<LayerTime> layerTimes(const RunRecord& run, const RunRecord* baseline);
/// "3 · ffn.in" for "encoder.layer.3.ffn.in": what fits beside a bar.
QString shortLayerName(const QString& name);

class LayerTimesModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { Layer, Bar, Time, Baseline, Delta, ColumnCount };
    /// BarRole and BaselineBarRole: 0…1 of the longest bar, for the delegate; LayerRole the full name.
    enum Role { LayerRole = Qt::UserRole + 1, BarRole, BaselineBarRole };

    explicit LayerTimesModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}
    void setTimes(std::vector<LayerTime> times, bool hasBaseline);
    int rowOfLayer(const QString& layer) const;
    bool hasBaseline() const { return m_hasBaseline; }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    void sort(int column, Qt::SortOrder order) override;

private:
    void sortTimes();

    std::vector<LayerTime> m_times;
    std::vector<int> m_order;
    double m_longest = 0.0;
    bool m_hasBaseline = false;
    int m_sortColumn = -1;   ///< -1: the run's order
    Qt::SortOrder m_sortOrder = Qt::AscendingOrder;
};

}  // namespace pareto::widgets
