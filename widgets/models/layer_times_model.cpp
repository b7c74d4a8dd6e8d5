#include "widgets/models/layer_times_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "widgets/models/figure_order.h"
#include "widgets/support/number_format.h"

namespace pareto::widgets {

namespace {

constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

double deltaOf(const LayerTime& time) {
    return time.ms / time.baselineMs - 1.0;
}

}  // namespace

std::vector<LayerTime> layerTimes(const RunRecord& run, const RunRecord* baseline) {
    std::unordered_map<std::string, double> before;
    if (baseline != nullptr) {
        for (const auto& layer : baseline->layers) {
            before[layer.name] = layer.ms;
        }
    }
    std::vector<LayerTime> times;
    std::unordered_set<std::string> seen;
    for (const auto& layer : run.layers) {
        const auto found = before.find(layer.name);
        seen.insert(layer.name);
        times.push_back({QString::fromStdString(layer.name), QString::fromStdString(layer.kernel),
                         layer.ms, found == before.end() ? kAbsent : found->second, layer.share});
    }
    if (baseline != nullptr) {
        for (const auto& layer : baseline->layers) {
            if (!seen.contains(layer.name)) {
                times.push_back({QString::fromStdString(layer.name), {}, kAbsent, layer.ms, 0.0});
            }
        }
    }
    return times;
}

QString shortLayerName(const QString& name) {
    const QStringList parts = name.split(QChar(u'.'));
    for (qsizetype i = 0; i + 1 < parts.size(); ++i) {
        bool isNumber = false;
        parts[i].toInt(&isNumber);
        if (isNumber) {
            return parts[i] + QStringLiteral(" · ") + parts.mid(i + 1).join(QChar(u'.'));
        }
    }
    return name;
}

void LayerTimesModel::setTimes(std::vector<LayerTime> times, bool hasBaseline) {
    beginResetModel();
    m_times = std::move(times);
    m_hasBaseline = hasBaseline;
    m_longest = 0.0;
    for (const auto& time : m_times) {
        for (const double ms : {time.ms, time.baselineMs}) {
            if (std::isfinite(ms)) {
                m_longest = std::max(m_longest, ms);
            }
        }
    }
    sortTimes();
    endResetModel();
}

int LayerTimesModel::rowOfLayer(const QString& layer) const {
    for (std::size_t row = 0; row < m_order.size(); ++row) {
        if (m_times[static_cast<std::size_t>(m_order[row])].layer == layer) {
            return static_cast<int>(row);
        }
    }
    return -1;
}

int LayerTimesModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_order.size());
}

int LayerTimesModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant LayerTimesModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount()) {
        return {};
    }
    const auto& time =
        m_times[static_cast<std::size_t>(m_order[static_cast<std::size_t>(index.row())])];
    switch (role) {
    case LayerRole: return time.layer;
    case BarRole: return m_longest > 0.0 && std::isfinite(time.ms) ? time.ms / m_longest : 0.0;
    case BaselineBarRole:
        return m_longest > 0.0 && std::isfinite(time.baselineMs) ? time.baselineMs / m_longest : 0.0;
    case Qt::TextAlignmentRole:
        return index.column() >= Time ? QVariant(Qt::AlignRight | Qt::AlignVCenter)
                                      : QVariant(Qt::AlignLeft | Qt::AlignVCenter);
    case Qt::ToolTipRole:
        return std::isfinite(time.ms)
                   ? tr("%1: %2 ms, %3 of the pass, %4")
                         .arg(time.layer, formatNumber(time.ms, 3),
                              formatNumber(time.share * 100.0, 1) + QStringLiteral(" %"),
                              time.kernel)
                   : tr("%1: not in this run").arg(time.layer);
    case Qt::DisplayRole: break;
    default: return {};
    }
    switch (index.column()) {
    case Layer: return shortLayerName(time.layer);
    case Time: return formatNumber(time.ms, 3);
    case Baseline: return formatNumber(time.baselineMs, 3);
    case Delta: return formatDeltaPercent(deltaOf(time));
    default: return {};
    }
}

QVariant LayerTimesModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) {
        return {};
    }
    switch (section) {
    case Layer: return tr("Layer");
    case Bar: return tr("Time");
    case Time: return tr("ms");
    case Baseline: return tr("Baseline");
    case Delta: return tr("Δ");
    default: return {};
    }
}

void LayerTimesModel::sort(int column, Qt::SortOrder order) {
    Q_EMIT layoutAboutToBeChanged({}, QAbstractItemModel::VerticalSortHint);
    const auto before = m_order;
    m_sortColumn = column;
    m_sortOrder = order;
    sortTimes();
    QModelIndexList now;
    const auto old = persistentIndexList();
    for (const auto& each : old) {
        const int time = before[static_cast<std::size_t>(each.row())];
        const auto place = std::find(m_order.begin(), m_order.end(), time);
        now.append(index(static_cast<int>(place - m_order.begin()), each.column()));
    }
    changePersistentIndexList(old, now);
    Q_EMIT layoutChanged({}, QAbstractItemModel::VerticalSortHint);
}

void LayerTimesModel::sortTimes() {
    m_order.resize(m_times.size());
    std::iota(m_order.begin(), m_order.end(), 0);
    if (m_sortColumn <= Layer) {
        // Layer names sort as the model runs, which is how people count them.
        if (m_sortColumn == Layer && m_sortOrder == Qt::DescendingOrder) {
            std::reverse(m_order.begin(), m_order.end());
        }
        return;
    }
    const auto key = [this](int row) {
        const auto& time = m_times[static_cast<std::size_t>(row)];
        return m_sortColumn == Baseline ? time.baselineMs
               : m_sortColumn == Delta  ? deltaOf(time)
                                        : time.ms;
    };
    std::stable_sort(m_order.begin(), m_order.end(),
                     [&](int a, int b) { return figureBefore(key(a), key(b), m_sortOrder); });
}

}  // namespace pareto::widgets
