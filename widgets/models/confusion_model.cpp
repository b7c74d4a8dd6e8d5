#include "widgets/models/confusion_model.h"

#include <numeric>

#include <QBrush>
#include <QGuiApplication>
#include <QLocale>
#include <QPalette>

#include "widgets/support/number_format.h"
#include "widgets/support/theme.h"

namespace pareto::widgets {

using namespace Qt::StringLiterals;

namespace {

QString percentText(std::int64_t part, std::int64_t whole) {
    return formatNumber(100.0 * static_cast<double>(part) / static_cast<double>(whole), 1) +
           u" %"_s;
}

}  // namespace

void ConfusionModel::setMatrix(ConfusionMatrix matrix) {
    if (matrix.classes == m_matrix.classes && !matrix.classes.empty()) {
        m_matrix = std::move(matrix);
        Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
        Q_EMIT headerDataChanged(Qt::Vertical, 0, rowCount() - 1);
        Q_EMIT headerDataChanged(Qt::Horizontal, 0, columnCount() - 1);
        return;
    }
    beginResetModel();
    m_matrix = std::move(matrix);
    endResetModel();
}

std::int64_t ConfusionModel::count(int truth, int predicted) const {
    return m_matrix.counts[static_cast<std::size_t>(truth)][static_cast<std::size_t>(predicted)];
}

std::int64_t ConfusionModel::rowsOf(int truth) const {
    const auto& row = m_matrix.counts[static_cast<std::size_t>(truth)];
    return std::accumulate(row.begin(), row.end(), std::int64_t{0});
}

std::int64_t ConfusionModel::calledSo(int predicted) const {
    std::int64_t out = 0;
    for (int truth = 0; truth < rowCount(); ++truth) {
        out += count(truth, predicted);
    }
    return out;
}

QString ConfusionModel::name(int index) const {
    return QString::fromStdString(m_matrix.classes[static_cast<std::size_t>(index)]);
}

QString ConfusionModel::sentence(int truth, int predicted) const {
    const auto rows = rowsOf(truth);
    if (rows == 0) {
        return tr("No row is of the class %1.").arg(name(truth));
    }
    return tr("%1 taken for %2: %L3 of %L4 rows (%5)", "true class, predicted class, counts, share")
        .arg(name(truth), name(predicted))
        .arg(count(truth, predicted))
        .arg(rows)
        .arg(percentText(count(truth, predicted), rows));
}

int ConfusionModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_matrix.classes.size());
}

int ConfusionModel::columnCount(const QModelIndex& parent) const { return rowCount(parent); }

QVariant ConfusionModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount() || index.column() >= columnCount()) {
        return {};
    }
    const auto rows = rowsOf(index.row());
    const double share = rows == 0 ? 0.0
                                   : static_cast<double>(count(index.row(), index.column())) /
                                         static_cast<double>(rows);
    switch (role) {
    case Qt::DisplayRole:
        return QLocale().toString(static_cast<qlonglong>(count(index.row(), index.column())));
    case Qt::ToolTipRole:
    case Qt::AccessibleTextRole:
        return sentence(index.row(), index.column());
    case Qt::TextAlignmentRole:
        return QVariant::fromValue(Qt::AlignCenter);
    case ShareRole:
        return rows == 0 ? QVariant() : QVariant(share);
    case Qt::BackgroundRole: {
        if (share <= 0.0) {
            return {};
        }
        const auto colours = plotColours(QGuiApplication::palette());
        QColor colour = index.row() == index.column() ? colours.better : colours.worse;
        colour.setAlphaF(static_cast<float>(0.1 + 0.5 * share));
        return QBrush(colour);
    }
    default:
        return {};
    }
}

QVariant ConfusionModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (section < 0 || section >= rowCount()) {
        return {};
    }
    const bool truth = orientation == Qt::Vertical;
    if (role == Qt::DisplayRole) {
        return name(section);
    }
    if (role == Qt::ToolTipRole || role == Qt::AccessibleTextRole) {
        return truth
                   ? tr("%1: %Ln row(s) of this class", nullptr, static_cast<int>(rowsOf(section)))
                         .arg(name(section))
                   : tr("%1: %Ln row(s) predicted as this class", nullptr,
                        static_cast<int>(calledSo(section)))
                         .arg(name(section));
    }
    return {};
}

}  // namespace pareto::widgets
