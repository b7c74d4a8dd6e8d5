#pragma once

#include <limits>
#include <vector>

#include <QAbstractTableModel>

#include "engine/records/run_record.h"

namespace pareto::widgets {

/// What compressing did to one layer, as a run's record says it. NaN: not measured.
struct LayerReportRow {
    static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    QString layer;
    double outputError = kNone;   ///< E‖y − ŷ‖² / E‖y‖² on calibration samples
    double outputCosine = kNone;
    double weightError = kNone;   ///< ‖W − Ŵ‖² / ‖W‖²
    double sparsity = kNone;      ///< share of zeros
    double bits = kNone;          ///< held per weight
    double bytes = kNone;
    double scaling = kNone;       ///< α or ratio that its input was scaled with
    double seconds = kNone;       ///< in methods that are calibrated
    double ms = kNone;            ///< of the layer, in a pass of the model
};
std::vector<LayerReportRow> layerReport(const RunRecord& run);

/// A heat map of layers and figures: each column is shaded from its best to its worst layer, errors by their
/// logarithm. Sorts itself; the worst layers come first.
class LayerReportModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column {
        Layer, OutputError, SignalToNoise, Cosine, WeightError, Sparsity, Bits, Size, Scaling, Time, Seconds, ColumnCount
    };
    enum Role { LayerRole = Qt::UserRole + 1, HeatRole };  ///< HeatRole: 0 best … 1 worst, or nothing

    explicit LayerReportModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}
    void setRows(std::vector<LayerReportRow> rows);
    int rowOfLayer(const QString& layer) const;
    /// Whether any layer has a figure there.
    bool hasColumn(int column) const;
    /// Where the worst stand first: output errors when there are any, else weight errors.
    int worstColumn() const { return hasColumn(OutputError) ? OutputError : WeightError; }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    void sort(int column, Qt::SortOrder order) override;

private:
    static double figure(const LayerReportRow& row, int column);
    QString text(const LayerReportRow& row, int column) const;
    double heat(const LayerReportRow& row, int column) const;

    struct Range {
        double low = 0.0;
        double high = 0.0;
    };
    std::vector<LayerReportRow> m_rows;
    std::vector<int> m_order;
    std::vector<Range> m_ranges;  ///< of each column, logarithms where it is shaded by them
};

}  // namespace pareto::widgets
