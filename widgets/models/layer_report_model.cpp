#include "widgets/models/layer_report_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <QBrush>
#include <QGuiApplication>
#include <QPalette>

#include "widgets/models/figure_order.h"
#include "widgets/support/number_format.h"
#include "widgets/support/theme.h"

namespace pareto::widgets {

using namespace Qt::StringLiterals;

namespace {

/// Errors span decades: they are shaded by their logarithm.
bool isLogarithmic(int column) {
    return column == LayerReportModel::OutputError || column == LayerReportModel::WeightError;
}

/// Columns in which less is worse.
bool isReversed(int column) {
    return column == LayerReportModel::SignalToNoise || column == LayerReportModel::Cosine;
}

/// Figures that are neither good nor bad are not shaded.
bool isShaded(int column) {
    return column == LayerReportModel::Time || column == LayerReportModel::Size || isLogarithmic(column) ||
           isReversed(column);
}

double scaled(double value, int column) {
    constexpr double kSmallest = 1e-12;
    return isLogarithmic(column) ? std::log10(std::max(value, kSmallest)) : value;
}

double numberAt(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number() ? found->get<double>() : LayerReportRow::kNone;
}

}  // namespace

std::vector<LayerReportRow> layerReport(const RunRecord& run) {
    std::vector<LayerReportRow> out;
    const auto compress = run.details.find("compress");
    const Json* layers = nullptr;
    if (compress != run.details.end() && compress->is_object()) {
        const auto found = compress->find("layers");
        layers = found != compress->end() && found->is_array() ? &*found : nullptr;
    }
    for (const auto& measured : run.layers) {
        if (measured.rows == 0) {
            continue;  // a phase between layers
        }
        LayerReportRow row;
        row.layer = QString::fromStdString(measured.name);
        row.weightError = measured.relativeError;
        row.sparsity = measured.sparsity;
        row.bytes = static_cast<double>(measured.bytes);
        row.ms = measured.ms > 0.0 ? measured.ms : LayerReportRow::kNone;
        for (std::size_t at = 0; layers != nullptr && at < layers->size(); ++at) {
            const Json& report = (*layers)[at];
            if (!report.is_object() || report.value("name", std::string()) != measured.name) {
                continue;
            }
            row.outputError = numberAt(report, "output_error");
            row.outputCosine = numberAt(report, "output_cosine");
            row.bits = numberAt(report, "bits_per_weight");
            row.scaling = numberAt(report, "scaling");
            row.seconds = numberAt(report, "seconds");
        }
        out.push_back(std::move(row));
    }
    return out;
}

double LayerReportModel::figure(const LayerReportRow& row, int column) {
    switch (column) {
        case OutputError: return row.outputError;
        case SignalToNoise:
            return row.outputError > 0.0 ? -10.0 * std::log10(row.outputError) : LayerReportRow::kNone;
        case Cosine: return row.outputCosine;
        case WeightError: return row.weightError;
        case Sparsity: return row.sparsity;
        case Bits: return row.bits;
        case Size: return row.bytes;
        case Scaling: return row.scaling;
        case Time: return row.ms;
        case Seconds: return row.seconds;
        default: return LayerReportRow::kNone;
    }
}

void LayerReportModel::setRows(std::vector<LayerReportRow> rows) {
    beginResetModel();
    m_rows = std::move(rows);
    m_order.resize(m_rows.size());
    std::iota(m_order.begin(), m_order.end(), 0);
    m_ranges.assign(ColumnCount, {});
    for (int column = 0; column < ColumnCount; ++column) {
        auto& range = m_ranges[static_cast<std::size_t>(column)];
        bool first = true;
        for (const auto& row : m_rows) {
            const double value = scaled(figure(row, column), column);
            if (!std::isfinite(value) || (isLogarithmic(column) && figure(row, column) <= 0.0)) {
                continue;
            }
            range.low = first ? value : std::min(range.low, value);
            range.high = first ? value : std::max(range.high, value);
            first = false;
        }
    }
    endResetModel();
}

int LayerReportModel::rowOfLayer(const QString& layer) const {
    const auto found = std::find_if(m_order.begin(), m_order.end(), [&](int at) {
        return m_rows[static_cast<std::size_t>(at)].layer == layer;
    });
    return found == m_order.end() ? -1 : static_cast<int>(found - m_order.begin());
}

bool LayerReportModel::hasColumn(int column) const {
    return column == Layer || std::any_of(m_rows.begin(), m_rows.end(), [&](const LayerReportRow& row) {
               return std::isfinite(figure(row, column));
           });
}

int LayerReportModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int LayerReportModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QString LayerReportModel::text(const LayerReportRow& row, int column) const {
    const double value = figure(row, column);
    if (column == Layer) {
        return row.layer;
    }
    if (!std::isfinite(value)) {
        return u"–"_s;
    }
    switch (column) {
        case OutputError:
        case WeightError: return QLocale().toString(value * 100.0, 'g', 3) + u" %"_s;
        case SignalToNoise: return formatNumber(value, 1) + u" dB"_s;
        case Cosine: return formatNumber(value, 5);
        case Sparsity: return formatNumber(value * 100.0, 1) + u" %"_s;
        case Bits: return formatNumber(value, 2);
        case Size: return formatBytes(static_cast<std::uint64_t>(value));
        case Time: return formatNumber(value, 3) + u" ms"_s;
        case Seconds: return formatNumber(value, 2) + u" s"_s;
        default: return formatNumber(value, 2);
    }
}

/// 0 best … 1 worst; NaN where nothing is to be shaded.
double LayerReportModel::heat(const LayerReportRow& row, int column) const {
    const double value = figure(row, column);
    const auto& range = m_ranges[static_cast<std::size_t>(column)];
    if (!isShaded(column) || !std::isfinite(value) || range.high <= range.low ||
        (isLogarithmic(column) && value <= 0.0)) {
        return LayerReportRow::kNone;
    }
    const double share = (scaled(value, column) - range.low) / (range.high - range.low);
    return isReversed(column) ? 1.0 - share : share;
}

QVariant LayerReportModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount()) {
        return {};
    }
    const auto& row = m_rows[static_cast<std::size_t>(m_order[static_cast<std::size_t>(index.row())])];
    switch (role) {
        case Qt::DisplayRole: return text(row, index.column());
        case Qt::ToolTipRole: return index.column() == Layer ? row.layer : QVariant();
        case LayerRole: return row.layer;
        case Qt::TextAlignmentRole:
            return QVariant::fromValue(index.column() == Layer ? Qt::AlignLeft | Qt::AlignVCenter
                                                               : Qt::AlignRight | Qt::AlignVCenter);
        case HeatRole: {
            const double share = heat(row, index.column());
            return std::isnan(share) ? QVariant() : QVariant(share);
        }
        case Qt::BackgroundRole: {
            const double share = heat(row, index.column());
            if (std::isnan(share)) {
                return {};
            }
            QColor colour = plotColours(QGuiApplication::palette()).worse;
            colour.setAlphaF(static_cast<float>(0.55 * share));
            return QBrush(colour);
        }
        default: return {};
    }
}

QVariant LayerReportModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) {
        return {};
    }
    if (role == Qt::DisplayRole) {
        switch (section) {
            case Layer: return tr("Layer");
            case OutputError: return tr("Output error");
            case SignalToNoise: return tr("Output SQNR");
            case Cosine: return tr("Output cosine");
            case WeightError: return tr("Weight error");
            case Sparsity: return tr("Zeros");
            case Bits: return tr("Bits");
            case Size: return tr("Size");
            case Scaling: return tr("Scaling");
            case Time: return tr("Time");
            case Seconds: return tr("Compressed in");
            default: return {};
        }
    }
    if (role == Qt::ToolTipRole) {
        switch (section) {
            case OutputError:
                return tr("Mean squared error of the layer's output on the calibration samples, as a share of its "
                          "mean square. Measured when a method is calibrated or the recipe names a calibration text.");
            case SignalToNoise: return tr("The same in decibels: −10 · log10 of the output error.");
            case Cosine: return tr("Cosine between the layer's output before and after, over all calibration tokens.");
            case WeightError: return tr("‖W − Ŵ‖² / ‖W‖² against the weight in the file.");
            case Sparsity: return tr("Share of the weight's values that are exactly zero.");
            case Bits: return tr("Bits held per weight, with scales and zero points.");
            case Size: return tr("Bytes held: weight and bias.");
            case Scaling: return tr("How strongly the input was scaled: SmoothQuant's α, AWQ's ratio.");
            case Time: return tr("Median time of the layer in a pass of the model.");
            case Seconds: return tr("Time that calibrated methods took for this layer.");
            default: return {};
        }
    }
    return {};
}

void LayerReportModel::sort(int column, Qt::SortOrder order) {
    Q_EMIT layoutAboutToBeChanged();
    const auto before = persistentIndexList();
    QStringList layers;
    for (const auto& index : before) {
        layers.append(index.data(LayerRole).toString());
    }
    std::iota(m_order.begin(), m_order.end(), 0);
    if (column > Layer) {
        std::stable_sort(m_order.begin(), m_order.end(), [&](int a, int b) {
            return figureBefore(figure(m_rows[static_cast<std::size_t>(a)], column),
                                figure(m_rows[static_cast<std::size_t>(b)], column), order);
        });
    } else if (order == Qt::DescendingOrder) {
        std::reverse(m_order.begin(), m_order.end());
    }
    for (qsizetype at = 0; at < before.size(); ++at) {
        changePersistentIndex(before[at], index(rowOfLayer(layers[at]), before[at].column()));
    }
    Q_EMIT layoutChanged();
}

}  // namespace pareto::widgets
