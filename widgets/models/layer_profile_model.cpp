#include "widgets/models/layer_profile_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "widgets/models/figure_order.h"
#include "widgets/support/number_format.h"

namespace pareto::widgets {

using namespace Qt::StringLiterals;

QString rateText(double value) {
    return formatNumber(value, value < 10.0 ? 2 : value < 100.0 ? 1 : 0);
}

QString operationsText(double operations) {
    if (operations == 0.0) {
        return u"0"_s;
    }
    return operations < 1e9 ? rateText(operations / 1e6) + u" M"_s
                            : rateText(operations / 1e9) + u" G"_s;
}

void LayerProfileModel::setStep(const ProfiledStep& step, const Roofs& roofs) {
    beginResetModel();
    m_layers = step.layers;
    m_roofs = roofs;
    m_order.resize(m_layers.size());
    std::iota(m_order.begin(), m_order.end(), 0);
    endResetModel();
}

void LayerProfileModel::clear() { setStep({}, {}); }

int LayerProfileModel::rowOfLayer(const QString& layer) const {
    const auto name = layer.toStdString();
    const auto found = std::find_if(m_order.begin(), m_order.end(), [&](int at) {
        return m_layers[static_cast<std::size_t>(at)].name == name;
    });
    return found == m_order.end() ? -1 : static_cast<int>(found - m_order.begin());
}

int LayerProfileModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_layers.size());
}

int LayerProfileModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : ColumnCount;
}

/// NaN: not counted.
double LayerProfileModel::figure(const ProfiledLayer& layer, int column) const {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    switch (column) {
    case Time:
        return layer.ms;
    case Share:
        return layer.share;
    case Size:
        return layer.bytes ? static_cast<double>(*layer.bytes) : kNone;
    case Operations:
        return layer.operations ? static_cast<double>(*layer.operations) : kNone;
    case Intensity:
        return layer.intensity().value_or(kNone);
    case Rate:
        return layer.gops().value_or(kNone);
    case Bandwidth:
        return layer.gigabytes().value_or(kNone);
    case RoofShare:
        return roofShare(layer, m_roofs).value_or(kNone);
    default:
        return kNone;
    }
}

QString LayerProfileModel::text(const ProfiledLayer& layer, int column) const {
    if (column == Layer) {
        return QString::fromStdString(layer.name);
    }
    if (column == Kernel) {
        return QString::fromStdString(layer.kernel);
    }
    const double value = figure(layer, column);
    if (std::isnan(value)) {
        return u"–"_s;
    }
    switch (column) {
    case Time:
        return formatNumber(value, 3) + u" ms"_s;
    case Share:
    case RoofShare:
        return formatNumber(value * 100.0, 1) + u" %"_s;
    case Size:
        return formatBytes(static_cast<std::uint64_t>(value));
    case Operations:
        return operationsText(value);
    default:
        return rateText(value);
    }
}

QVariant LayerProfileModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount()) {
        return {};
    }
    const auto& layer =
        m_layers[static_cast<std::size_t>(m_order[static_cast<std::size_t>(index.row())])];
    const bool words = index.column() == Layer || index.column() == Kernel;
    switch (role) {
    case Qt::DisplayRole:
        return text(layer, index.column());
    case Qt::ToolTipRole:
        return words ? QVariant(text(layer, index.column())) : QVariant();
    case LayerRole:
        return QString::fromStdString(layer.name);
    case Qt::TextAlignmentRole:
        return QVariant::fromValue(words ? Qt::AlignLeft | Qt::AlignVCenter
                                         : Qt::AlignRight | Qt::AlignVCenter);
    default:
        return {};
    }
}

QVariant LayerProfileModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) {
        return {};
    }
    if (role == Qt::DisplayRole) {
        switch (section) {
        case Layer:
            return tr("Layer");
        case Time:
            return tr("Time");
        case Share:
            return tr("Share");
        case Size:
            return tr("Moved");
        case Operations:
            return tr("Operations");
        case Intensity:
            return tr("Op/byte");
        case Rate:
            return tr("GOP/s");
        case Bandwidth:
            return tr("GB/s");
        case RoofShare:
            return tr("Of its roof");
        case Kernel:
            return tr("Kernel");
        default:
            return {};
        }
    }
    if (role == Qt::ToolTipRole) {
        switch (section) {
        case Time:
            return tr("Median time in a step, all calls together, while layers run one by one.");
        case Size:
            return tr("Bytes of weight and bias as packed, of inputs and of outputs, each once.");
        case Operations:
            return tr(
                "Multiplications and additions; zeros count as any weight. Of attention: q·k and "
                "probabilities·v.");
        case RoofShare:
            return tr(
                "What the layer attains of the lower roof over it: the bandwidth times its "
                "operations a byte, or what the machine computes. The roofs are measured: data in "
                "near caches can be above 100 %.");
        default:
            return {};
        }
    }
    return {};
}

void LayerProfileModel::sort(int column, Qt::SortOrder order) {
    Q_EMIT layoutAboutToBeChanged();
    const auto before = persistentIndexList();
    QStringList layers;
    for (const auto& index : before) {
        layers.append(index.data(LayerRole).toString());
    }
    std::iota(m_order.begin(), m_order.end(), 0);
    const auto at = [&](int row) -> const ProfiledLayer& {
        return m_layers[static_cast<std::size_t>(row)];
    };
    if (column == Kernel) {
        std::stable_sort(m_order.begin(), m_order.end(), [&](int a, int b) {
            return order == Qt::AscendingOrder ? at(a).kernel < at(b).kernel
                                               : at(a).kernel > at(b).kernel;
        });
    } else if (column > Layer) {
        std::stable_sort(m_order.begin(), m_order.end(), [&](int a, int b) {
            return figureBefore(figure(at(a), column), figure(at(b), column), order);
        });
    } else if (order == Qt::DescendingOrder) {
        std::reverse(m_order.begin(), m_order.end());
    }
    for (qsizetype i = 0; i < before.size(); ++i) {
        changePersistentIndex(before[i], index(rowOfLayer(layers[i]), before[i].column()));
    }
    Q_EMIT layoutChanged();
}

}  // namespace pareto::widgets
