#pragma once

#include <limits>
#include <vector>

#include <QAbstractTableModel>
#include <QStringList>

namespace pareto::widgets {

struct TableCell {
    QString text;
    /// 0…1: drawn as a bar behind the text by a ProgressDelegate on BarRole. NaN: no bar.
    double bar = std::numeric_limits<double>::quiet_NaN();
    bool strong = false;  ///< bold: it differs from what it is compared with
    bool figure = false;  ///< stands at the right
};

/// A small table of finished texts: results of the playground, the first rows of a file. The whole
/// text of a cell is its tooltip.
class CellTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Role { BarRole = Qt::UserRole + 1 };
    using Rows = std::vector<std::vector<TableCell>>;

    explicit CellTableModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}
    /// A row with fewer cells than there are headers ends in empty ones.
    void setTable(QStringList headers, Rows rows);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    const TableCell* cellAt(const QModelIndex& index) const;

    QStringList m_headers;
    Rows m_rows;
};

}  // namespace pareto::widgets
