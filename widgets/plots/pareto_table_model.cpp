#include "widgets/plots/pareto_table_model.h"

#include <cmath>

#include "widgets/support/number_format.h"

namespace pareto::widgets {

namespace {

const MetricInfo* metricOf(const QString& key) {
    return findMetric(key.toStdString());
}

QString csvText(const QString& text) {
    QString quoted = text;
    quoted.replace(QChar(u'"'), QStringLiteral("\"\""));
    return QChar(u'"') + quoted + QChar(u'"');
}

QString csvNumber(double value) {
    return std::isfinite(value) ? QString::number(value, 'g', 10) : QString();
}

}  // namespace

void ParetoTableModel::setPoints(RunColumnsPtr columns, const ParetoPoints& points,
                                 const ParetoAxes& axes) {
    beginResetModel();
    m_columns = std::move(columns);
    m_points = points;
    m_axes = axes;
    endResetModel();
}

std::int64_t ParetoTableModel::runAt(int row) const {
    return row < 0 || row >= m_points.size() ? 0 : m_points.id[static_cast<std::size_t>(row)];
}

int ParetoTableModel::rowOfRun(std::int64_t run) const {
    return m_points.indexOf(run);
}

int ParetoTableModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : m_points.size();
}

int ParetoTableModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : ColumnCount;
}

double ParetoTableModel::numberAt(std::size_t point, int column) const {
    switch (column) {
    case X: return m_points.x[point];
    case XLow: return m_points.xLow[point];
    case XHigh: return m_points.xHigh[point];
    case Y: return m_points.y[point];
    case YLow: return m_points.yLow[point];
    default: return m_points.yHigh[point];
    }
}

QVariant ParetoTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount()) {
        return {};
    }
    if (role == Qt::TextAlignmentRole && index.column() >= X && index.column() <= YHigh) {
        return QVariant(Qt::AlignRight | Qt::AlignVCenter);
    }
    if (role != Qt::DisplayRole) {
        return {};
    }
    const auto point = static_cast<std::size_t>(index.row());
    const auto row = static_cast<std::size_t>(m_points.row[point]);
    switch (index.column()) {
    case Run: return static_cast<qlonglong>(m_points.id[point]);
    case Name: return m_columns->name[row];
    case Model: return m_columns->modelName[row];
    case Recipe: return m_columns->recipe[row];
    case Front: return m_points.onFront[point] ? tr("on the front") : tr("dominated");
    default: {
        const auto* metric = metricOf(index.column() <= XHigh ? m_axes.x : m_axes.y);
        return formatNumber(numberAt(point, index.column()),
                            metric == nullptr ? 2 : displayOf(*metric).decimals);
    }
    }
}

QVariant ParetoTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) {
        return {};
    }
    const auto text = [](const QString& key) {
        const auto* metric = metricOf(key);
        return metric == nullptr ? key : metricTextWithUnit(*metric);
    };
    switch (section) {
    case Run: return tr("Run");
    case Name: return tr("Name");
    case Model: return tr("Model");
    case Recipe: return tr("Recipe");
    case X: return text(m_axes.x);
    case Y: return text(m_axes.y);
    case XLow:
    case YLow: return tr("low");
    case XHigh:
    case YHigh: return tr("high");
    case Front: return tr("Front");
    default: return {};
    }
}

QByteArray paretoCsv(const RunColumns& columns, const ParetoPoints& points, const ParetoAxes& axes,
                     const std::vector<int>& which) {
    const auto column = [](const QString& key) {
        const auto* metric = metricOf(key);
        const QString unit = metric == nullptr ? QString() : displayOf(*metric).unit;
        return unit.isEmpty() ? key : QString(key + QStringLiteral(" [") + unit + QChar(u']'));
    };
    const QString x = column(axes.x);
    const QString y = column(axes.y);
    QStringList lines{QStringList{QStringLiteral("run"), QStringLiteral("name"),
                                  QStringLiteral("model"), QStringLiteral("recipe"), csvText(x),
                                  csvText(x + QStringLiteral(" low")),
                                  csvText(x + QStringLiteral(" high")), csvText(y),
                                  csvText(y + QStringLiteral(" low")),
                                  csvText(y + QStringLiteral(" high")), QStringLiteral("on_front")}
                          .join(QChar(u','))};
    for (const int index : which) {
        const auto point = static_cast<std::size_t>(index);
        const auto row = static_cast<std::size_t>(points.row[point]);
        lines.append(QStringList{QString::number(points.id[point]), csvText(columns.name[row]),
                                 csvText(columns.modelName[row]), csvText(columns.recipe[row]),
                                 csvNumber(points.x[point]), csvNumber(points.xLow[point]),
                                 csvNumber(points.xHigh[point]), csvNumber(points.y[point]),
                                 csvNumber(points.yLow[point]), csvNumber(points.yHigh[point]),
                                 points.onFront[point] ? QStringLiteral("1") : QStringLiteral("0")}
                         .join(QChar(u',')));
    }
    return (lines.join(QStringLiteral("\r\n")) + QStringLiteral("\r\n")).toUtf8();
}

}  // namespace pareto::widgets
