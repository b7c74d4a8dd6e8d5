#pragma once

#include <QAbstractTableModel>

#include "widgets/plots/pareto_data.h"

namespace pareto::widgets {

/// The points of a Pareto plot as a table: what a screen reader reads instead of the drawing, and what
/// is written as CSV.
class ParetoTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { Run, Name, Model, Recipe, X, XLow, XHigh, Y, YLow, YHigh, Front, ColumnCount };

    explicit ParetoTableModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}
    void setPoints(RunColumnsPtr columns, const ParetoPoints& points, const ParetoAxes& axes);
    std::int64_t runAt(int row) const;
    int rowOfRun(std::int64_t run) const;
    const ParetoPoints& points() const { return m_points; }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    double numberAt(std::size_t point, int column) const;

    RunColumnsPtr m_columns;
    ParetoPoints m_points;
    ParetoAxes m_axes;
};

/// CSV (RFC 4180, numbers as in C, UTF-8): a header, then the given points in their order.
QByteArray paretoCsv(const RunColumns& columns, const ParetoPoints& points, const ParetoAxes& axes,
                     const std::vector<int>& which);

}  // namespace pareto::widgets
