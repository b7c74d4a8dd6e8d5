#include "widgets/models/cell_table_model.h"

#include <algorithm>
#include <cmath>

#include <QFont>

namespace pareto::widgets {

void CellTableModel::setTable(QStringList headers, Rows rows) {
    beginResetModel();
    m_headers = std::move(headers);
    m_rows = std::move(rows);
    endResetModel();
}

int CellTableModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int CellTableModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_headers.size());
}

const TableCell* CellTableModel::cellAt(const QModelIndex& index) const {
    if (!index.isValid()) {
        return nullptr;
    }
    const auto& row = m_rows[static_cast<std::size_t>(index.row())];
    const auto column = static_cast<std::size_t>(index.column());
    return column < row.size() ? &row[column] : nullptr;
}

QVariant CellTableModel::data(const QModelIndex& index, int role) const {
    const auto* cell = cellAt(index);
    if (cell == nullptr) {
        return {};
    }
    switch (role) {
    case Qt::DisplayRole:
    case Qt::ToolTipRole:
        return cell->text;
    case Qt::FontRole:
        if (cell->strong) {
            QFont bold;
            bold.setBold(true);
            return bold;
        }
        return {};
    case Qt::TextAlignmentRole:
        return cell->figure ? QVariant::fromValue(Qt::AlignRight | Qt::AlignVCenter) : QVariant();
    case BarRole:
        return std::isnan(cell->bar) ? QVariant() : QVariant(std::clamp(cell->bar, 0.0, 1.0));
    default:
        return {};
    }
}

QVariant CellTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= m_headers.size()) {
        return {};
    }
    if (role == Qt::DisplayRole || role == Qt::ToolTipRole) {
        return m_headers.at(section);
    }
    return role == Qt::TextAlignmentRole ? QVariant(Qt::AlignLeft | Qt::AlignVCenter) : QVariant();
}

}  // namespace pareto::widgets
