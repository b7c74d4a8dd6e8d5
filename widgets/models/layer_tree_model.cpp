#include "widgets/models/layer_tree_model.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <QFont>
#include <QRegularExpression>

#include "widgets/support/number_format.h"

namespace pareto::widgets {

namespace {

QuantizeSpec spec(NumberFormat format, Granularity granularity = Granularity::Channel,
                  std::int64_t group = 64, Activations activations = Activations::None) {
    QuantizeSpec out;
    out.weights = format;
    out.granularity = granularity;
    out.groupSize = group;
    out.activations = activations;
    return out;
}

QString formatName(NumberFormat format) {
    const auto name = nameOf(format);
    return QString::fromUtf8(name.data(), static_cast<qsizetype>(name.size()));
}

QString fromStd(const std::string& text) { return QString::fromStdString(text); }

}  // namespace

const std::vector<LayerFormat>& layerFormats() {
    static const std::vector<LayerFormat> formats{
        {QStringLiteral("–"), std::nullopt},
        {QStringLiteral("fp32"), spec(NumberFormat::F32)},
        {QStringLiteral("fp16"), spec(NumberFormat::F16)},
        {QStringLiteral("bf16"), spec(NumberFormat::BF16)},
        {QStringLiteral("fp8"), spec(NumberFormat::F8)},
        {QStringLiteral("int16"), spec(NumberFormat::Int16)},
        {QStringLiteral("int16 dyn"),
         spec(NumberFormat::Int16, Granularity::Channel, 64, Activations::Int16Dynamic)},
        {QStringLiteral("int8"), spec(NumberFormat::Int8)},
        {QStringLiteral("int8 dyn"),
         spec(NumberFormat::Int8, Granularity::Channel, 64, Activations::Int8Dynamic)},
        {QStringLiteral("int8 static"),
         spec(NumberFormat::Int8, Granularity::Channel, 64, Activations::Int8Static)},
        {QStringLiteral("int8 g64"), spec(NumberFormat::Int8, Granularity::Group, 64)},
        {QStringLiteral("int4"), spec(NumberFormat::Int4)},
        {QStringLiteral("int4 g128"), spec(NumberFormat::Int4, Granularity::Group, 128)},
        {QStringLiteral("int4 g64"), spec(NumberFormat::Int4, Granularity::Group, 64)},
        {QStringLiteral("int4 g32"), spec(NumberFormat::Int4, Granularity::Group, 32)},
        {QStringLiteral("int3 g64"), spec(NumberFormat::Int3, Granularity::Group, 64)},
        {QStringLiteral("int3 g32"), spec(NumberFormat::Int3, Granularity::Group, 32)},
        {QStringLiteral("int2 g64"), spec(NumberFormat::Int2, Granularity::Group, 64)},
        {QStringLiteral("int2 g32"), spec(NumberFormat::Int2, Granularity::Group, 32)},
    };
    return formats;
}

QString layerFormatText(const WeightFormat& format) {
    QString out = formatName(format.format);
    if (format.isCoded()) {
        if (format.granularity == Granularity::Group) {
            out += QStringLiteral(" g%1").arg(format.groupSize);
        } else if (format.granularity == Granularity::Tensor) {
            out += LayerTreeModel::tr(" tensor");
        }
        switch (format.activations) {
            case Activations::None: break;
            case Activations::Int8Dynamic: out += QStringLiteral(" dyn"); break;
            case Activations::Int8Static: out += QStringLiteral(" static"); break;
            case Activations::Int16Dynamic:
                out += format.format == NumberFormat::Int16 ? QStringLiteral(" dyn")
                                                            : QStringLiteral(" dyn16");
                break;
        }
    }
    return out;
}

void LayerTreeModel::setLayout(std::shared_ptr<const ModelLayout> layout) {
    beginResetModel();
    m_layout = std::move(layout);
    m_plan.reset();
    m_size.reset();
    m_times.clear();
    rebuild();
    endResetModel();
}

void LayerTreeModel::setPlan(std::shared_ptr<const ResolvedRecipe> plan,
                             std::shared_ptr<const SizeEstimate> size) {
    m_plan = std::move(plan);
    m_size = std::move(size);
    refresh(Name, Size);
}

void LayerTreeModel::setTimes(QHash<QString, double> times) {
    m_times = std::move(times);
    refresh(Time, Time);
}

void LayerTreeModel::refresh(int firstColumn, int lastColumn) {
    const auto announce = [&](const std::vector<int>& nodes) {
        if (!nodes.empty()) {
            Q_EMIT dataChanged(createIndex(0, firstColumn, static_cast<quintptr>(nodes.front())),
                               createIndex(static_cast<int>(nodes.size()) - 1, lastColumn,
                                           static_cast<quintptr>(nodes.back())));
        }
    };
    announce(m_top);
    for (const auto& node : m_nodes) {
        announce(node.children);
    }
}

void LayerTreeModel::setGrouped(bool grouped) {
    if (grouped != m_grouped) {
        beginResetModel();
        m_grouped = grouped;
        rebuild();
        endResetModel();
    }
}

bool LayerTreeModel::setFilter(const QString& text) {
    const bool expression = text.size() > 1 && text.startsWith(u'/') && text.endsWith(u'/');
    if (expression && !QRegularExpression(text.mid(1, text.size() - 2)).isValid()) {
        return false;
    }
    if (text != m_filter) {
        beginResetModel();
        m_filter = text;
        rebuild();
        endResetModel();
    }
    return true;
}

bool LayerTreeModel::accepts(const std::string& name) const {
    if (m_filter.isEmpty()) {
        return true;
    }
    if (m_filter.size() > 1 && m_filter.startsWith(u'/') && m_filter.endsWith(u'/')) {
        return QRegularExpression(m_filter.mid(1, m_filter.size() - 2))
            .match(fromStd(name))
            .hasMatch();
    }
    return fromStd(name).contains(m_filter, Qt::CaseInsensitive);
}

int LayerTreeModel::add(Kind kind, int index, int parent) {
    const int node = static_cast<int>(m_nodes.size());
    m_nodes.push_back({kind, index, parent, 0, {}});
    auto& siblings = parent < 0 ? m_top : m_nodes[static_cast<std::size_t>(parent)].children;
    m_nodes.back().row = static_cast<int>(siblings.size());
    siblings.push_back(node);
    return node;
}

/// A block whose own name matches the filter shows all it has; otherwise what matches in it.
void LayerTreeModel::addBlock(int block) {
    const auto& info = m_layout->blocks[static_cast<std::size_t>(block)];
    int blockNode = -1;
    const auto needBlock = [&] {
        if (blockNode < 0) {
            blockNode = add(Kind::Block, block, -1);
        }
        return blockNode;
    };
    const bool whole = accepts(info.name);
    if (whole) {
        needBlock();
    }
    for (const int group : {info.attention, info.crossAttention, info.feedForward}) {
        if (group < 0) {
            continue;
        }
        const auto& groupInfo = m_layout->groups[static_cast<std::size_t>(group)];
        int groupNode = -1;
        if (whole || accepts(groupInfo.name)) {
            groupNode = add(Kind::Group, group, needBlock());
        }
        for (const int layer : groupInfo.layers) {
            if (whole || accepts(m_layout->layers[static_cast<std::size_t>(layer)].name)) {
                if (groupNode < 0) {
                    groupNode = add(Kind::Group, group, needBlock());
                }
                add(Kind::Layer, layer, groupNode);
            }
        }
    }
    for (const int layer : info.layers) {
        const auto& layerInfo = m_layout->layers[static_cast<std::size_t>(layer)];
        if (layerInfo.group < 0 && (whole || accepts(layerInfo.name))) {
            add(Kind::Layer, layer, needBlock());
        }
    }
}

void LayerTreeModel::rebuild() {
    m_nodes.clear();
    m_top.clear();
    if (!m_layout) {
        return;
    }
    const int layers = static_cast<int>(m_layout->layers.size());
    if (m_grouped) {
        // Layers before the blocks (embeddings), the blocks, then what comes after them.
        const auto outside = [&](bool embeddings) {
            for (int i = 0; i < layers; ++i) {
                const auto& layer = m_layout->layers[static_cast<std::size_t>(i)];
                if (layer.block < 0 && layer.isEmbedding() == embeddings && accepts(layer.name)) {
                    add(Kind::Layer, i, -1);
                }
            }
        };
        outside(true);
        for (int i = 0; i < static_cast<int>(m_layout->blocks.size()); ++i) {
            addBlock(i);
        }
        outside(false);
        return;
    }
    for (int i = 0; i < layers; ++i) {
        if (accepts(m_layout->layers[static_cast<std::size_t>(i)].name)) {
            add(Kind::Layer, i, -1);
        }
    }
    if (m_sortColumn >= 0) {
        std::stable_sort(m_top.begin(), m_top.end(), [this](int a, int b) {
            const auto left = sortValue(m_nodes[static_cast<std::size_t>(a)], m_sortColumn);
            const auto right = sortValue(m_nodes[static_cast<std::size_t>(b)], m_sortColumn);
            const auto order = QVariant::compare(left, right);
            return m_sortOrder == Qt::AscendingOrder ? order == QPartialOrdering::Less
                                                     : order == QPartialOrdering::Greater;
        });
        for (std::size_t i = 0; i < m_top.size(); ++i) {
            m_nodes[static_cast<std::size_t>(m_top[i])].row = static_cast<int>(i);
        }
    }
}

void LayerTreeModel::sort(int column, Qt::SortOrder order) {
    m_sortColumn = column;
    m_sortOrder = order;
    if (m_grouped || !m_layout) {
        return;
    }
    Q_EMIT layoutAboutToBeChanged();
    const auto persistent = persistentIndexList();
    QStringList names;
    for (const auto& index : persistent) {
        names.append(nameAt(index));
    }
    rebuild();
    QModelIndexList moved;
    for (qsizetype i = 0; i < persistent.size(); ++i) {
        const auto row = indexOf(names[i]);
        moved.append(row.isValid() ? index(row.row(), persistent[i].column()) : QModelIndex());
    }
    changePersistentIndexList(persistent, moved);
    Q_EMIT layoutChanged();
}

const LayerTreeModel::Node& LayerTreeModel::nodeAt(const QModelIndex& index) const {
    return m_nodes[static_cast<std::size_t>(index.internalId())];
}

const std::string& LayerTreeModel::nodeName(const Node& node) const {
    const auto at = static_cast<std::size_t>(node.index);
    switch (node.kind) {
    case Kind::Block:
        return m_layout->blocks[at].name;
    case Kind::Group:
        return m_layout->groups[at].name;
    case Kind::Layer:
        break;
    }
    return m_layout->layers[at].name;
}

LayerTreeModel::Kind LayerTreeModel::kindAt(const QModelIndex& index) const {
    return nodeAt(index).kind;
}

QString LayerTreeModel::nameAt(const QModelIndex& index) const {
    return index.isValid() ? fromStd(nodeName(nodeAt(index))) : QString();
}

QModelIndex LayerTreeModel::indexOf(const QString& name) const {
    const auto wanted = name.toStdString();
    for (std::size_t i = 0; i < m_nodes.size(); ++i) {
        if (nodeName(m_nodes[i]) == wanted) {
            return createIndex(m_nodes[i].row, 0, static_cast<quintptr>(i));
        }
    }
    return {};
}

QModelIndex LayerTreeModel::index(int row, int column, const QModelIndex& parent) const {
    const auto& siblings = parent.isValid() ? nodeAt(parent).children : m_top;
    if (row < 0 || row >= static_cast<int>(siblings.size()) || column < 0 ||
        column >= ColumnCount || (parent.isValid() && parent.column() != 0)) {
        return {};
    }
    return createIndex(row, column, static_cast<quintptr>(siblings[static_cast<std::size_t>(row)]));
}

QModelIndex LayerTreeModel::parent(const QModelIndex& index) const {
    if (!index.isValid()) {
        return {};
    }
    const int parent = nodeAt(index).parent;
    if (parent < 0) {
        return {};
    }
    return createIndex(m_nodes[static_cast<std::size_t>(parent)].row, 0,
                       static_cast<quintptr>(parent));
}

int LayerTreeModel::rowCount(const QModelIndex& parent) const {
    if (!parent.isValid()) {
        return static_cast<int>(m_top.size());
    }
    return parent.column() == 0 ? static_cast<int>(nodeAt(parent).children.size()) : 0;
}

int LayerTreeModel::columnCount(const QModelIndex& /*parent*/) const { return ColumnCount; }

std::vector<int> LayerTreeModel::layersOf(const Node& node) const {
    const auto at = static_cast<std::size_t>(node.index);
    switch (node.kind) {
    case Kind::Block:
        return m_layout->blocks[at].layers;
    case Kind::Group:
        return m_layout->groups[at].layers;
    case Kind::Layer:
        break;
    }
    return {node.index};
}

QString LayerTreeModel::label(const Node& node) const {
    const auto at = static_cast<std::size_t>(node.index);
    switch (node.kind) {
    case Kind::Block:
        return tr("Block %1").arg(m_layout->blocks[at].sourceIndex);
    case Kind::Group:
        return m_layout->groups[at].kind == GroupKind::Attention ? tr("Attention")
                                                                 : tr("Feed-forward");
    case Kind::Layer:
        break;
    }
    const auto& layer = m_layout->layers[at];
    if (!m_grouped || layer.group < 0) {
        return fromStd(layer.name);
    }
    return fromStd(layer.name.substr(layer.name.find_last_of('.') + 1));
}

QString LayerTreeModel::shapeText(const Node& node) const {
    const auto at = static_cast<std::size_t>(node.index);
    if (node.kind == Kind::Block) {
        return m_plan && at < m_plan->blocks.size() && m_plan->blocks[at].removed ? tr("removed")
                                                                                  : QString();
    }
    if (node.kind == Kind::Group) {
        const auto& group = m_layout->groups[at];
        const auto left =
            m_size && at < m_size->groupUnits.size() ? m_size->groupUnits[at] : group.units;
        const QString units = left == group.units
                                  ? formatNumber(static_cast<double>(left), 0)
                                  : QStringLiteral("%1→%2").arg(group.units).arg(left);
        return group.kind == GroupKind::Attention ? tr("%1 heads").arg(units)
                                                    : tr("%1 neurons").arg(units);
    }
    const auto& layer = m_layout->layers[at];
    if (m_size && at < m_size->layers.size()) {
        const auto& after = m_size->layers[at];
        return after.removed ? tr("removed")
                             : QStringLiteral("%1×%2").arg(after.rows).arg(after.cols);
    }
    return QStringLiteral("%1×%2").arg(layer.rows).arg(layer.cols);
}

std::optional<double> LayerTreeModel::ratio(const Node& node) const {
    const auto at = static_cast<std::size_t>(node.index);
    if (!m_plan) {
        return std::nullopt;
    }
    if (node.kind == Kind::Group && at < m_plan->groups.size()) {
        return m_plan->groups[at].ratio;
    }
    if (node.kind == Kind::Layer && at < m_plan->layers.size()) {
        return m_plan->layers[at].sparsity;
    }
    return std::nullopt;
}

QString LayerTreeModel::pruneText(const Node& node) const {
    const auto share = ratio(node);
    if (!share) {
        return {};
    }
    return *share <= 0.0 ? QStringLiteral("–")
                         : tr("%1 %", "percent")
                               .arg(formatNumber(*share * 100.0,
                                                 std::fmod(*share * 100.0, 1.0) == 0.0 ? 0 : 1));
}

QString LayerTreeModel::bitsText(const Node& node) const {
    if (!m_plan) {
        return {};
    }
    QString common;
    for (const int layer : layersOf(node)) {
        const auto& plan = m_plan->layers[static_cast<std::size_t>(layer)];
        const QString text = layerFormatText(plan.format);
        if (!common.isEmpty() && text != common) {
            return tr("mixed");
        }
        common = text;
    }
    return common;
}

bool LayerTreeModel::overridden(const Node& node, int column) const {
    if (!m_plan) {
        return false;
    }
    const auto at = static_cast<std::size_t>(node.index);
    if (node.kind == Kind::Block) {
        return column == Name && at < m_plan->blocks.size() && m_plan->blocks[at].removed;
    }
    if (node.kind == Kind::Group) {
        return column == Prune && at < m_plan->groups.size() && m_plan->groups[at].overridden;
    }
    const auto& plan = m_plan->layers[at];
    return (column == Prune && plan.pruneOverridden) || (column == Bits && plan.quantizeOverridden);
}

double LayerTreeModel::sizeBytes(const Node& node) const {
    if (!m_size) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    double bytes = 0.0;
    for (const int layer : layersOf(node)) {
        bytes += static_cast<double>(m_size->layers[static_cast<std::size_t>(layer)].bytes);
    }
    return bytes;
}

double LayerTreeModel::milliseconds(const Node& node) const {
    double sum = 0.0;
    bool any = false;
    for (const int layer : layersOf(node)) {
        const auto found =
            m_times.constFind(fromStd(m_layout->layers[static_cast<std::size_t>(layer)].name));
        if (found != m_times.constEnd()) {
            sum += *found;
            any = true;
        }
    }
    return any ? sum : std::numeric_limits<double>::quiet_NaN();
}

QString LayerTreeModel::displayText(const Node& node, int column) const {
    switch (column) {
    case Name:
        return label(node);
    case Shape:
        return shapeText(node);
    case Prune:
        return pruneText(node);
    case Bits:
        return bitsText(node);
    case Size:
        return formatNumber(sizeBytes(node) / 1e6, 2);
    case Time:
        return formatNumber(milliseconds(node), 2);
    default:
        return {};
    }
}

QVariant LayerTreeModel::sortValue(const Node& node, int column) const {
    switch (column) {
    case Name:
        return node.index;
    case Shape: {
        const auto at = static_cast<std::size_t>(node.index);
        return m_size
                   ? static_cast<qlonglong>(m_size->layers[at].rows * m_size->layers[at].cols)
                   : static_cast<qlonglong>(m_layout->layers[at].rows * m_layout->layers[at].cols);
    }
    case Prune:
        return ratio(node).value_or(0.0);
    case Bits:
        return bitsText(node);
    case Size:
        return sizeBytes(node);
    case Time: {
        const double ms = milliseconds(node);
        return std::isnan(ms) ? -1.0 : ms;
    }
    default:
        return {};
    }
}

QString LayerTreeModel::toolTip(const Node& node, int column) const {
    QString tip = fromStd(nodeName(node));
    if (node.kind == Kind::Layer) {
        const auto& layer = m_layout->layers[static_cast<std::size_t>(node.index)];
        tip += u'\n' + tr("in the file: %1×%2, %3")
                           .arg(layer.rows)
                           .arg(layer.cols)
                           .arg(fromStd(layer.sourceType));
        if (!layer.tiedTo.empty()) {
            tip += u'\n' + tr("shares the weight of %1").arg(fromStd(layer.tiedTo));
        }
    }
    if (overridden(node, column)) {
        tip += u'\n' + tr("differs from the whole model; Ctrl+Backspace resets it");
    }
    return tip;
}

QVariant LayerTreeModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) {
        return {};
    }
    const auto& node = nodeAt(index);
    const int column = index.column();
    switch (role) {
    case Qt::DisplayRole:
        return displayText(node, column);
    case Qt::EditRole:
        return column == Prune ? QVariant(ratio(node).value_or(0.0))
                               : QVariant(displayText(node, column));
    case Qt::ToolTipRole:
        return toolTip(node, column);
    case Qt::TextAlignmentRole:
        return QVariant(column >= Prune && column != Bits ? Qt::AlignRight | Qt::AlignVCenter
                                                          : Qt::AlignLeft | Qt::AlignVCenter);
    case Qt::FontRole: {
        QFont font;
        font.setBold(overridden(node, column));
        return font.bold() ? QVariant(font) : QVariant();
    }
    case Qt::CheckStateRole:
        if (node.kind == Kind::Block && column == Name) {
            const auto at = static_cast<std::size_t>(node.index);
            const bool removed = m_plan && m_plan->blocks[at].removed;
            return removed ? Qt::Unchecked : Qt::Checked;
        }
        return {};
    case NameRole:
        return fromStd(nodeName(node));
    case RatioRole:
        return ratio(node).value_or(0.0);
    case OverriddenRole:
        return overridden(node, column);
    case SortRole:
        return node.kind == Kind::Layer ? sortValue(node, column) : QVariant();
    default:
        return {};
    }
}

bool LayerTreeModel::setData(const QModelIndex& index, const QVariant& value, int role) {
    if (!index.isValid() || !(flags(index) & (Qt::ItemIsEditable | Qt::ItemIsUserCheckable))) {
        return false;
    }
    if (role == Qt::CheckStateRole && index.column() == Name) {
        Q_EMIT blockRequested(nameAt(index), value.value<Qt::CheckState>() == Qt::Unchecked);
        return true;
    }
    if (role == Qt::EditRole && index.column() == Prune) {
        Q_EMIT ratioRequested(index, std::clamp(value.toDouble(), 0.0, 1.0));
        return true;
    }
    if (role == Qt::EditRole && index.column() == Bits) {
        Q_EMIT formatRequested(index, value.toString());
        return true;
    }
    return false;
}

QVariant LayerTreeModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) {
        return {};
    }
    if (role == Qt::TextAlignmentRole) {
        return QVariant(section >= Prune && section != Bits ? Qt::AlignRight | Qt::AlignVCenter
                                                            : Qt::AlignLeft | Qt::AlignVCenter);
    }
    if (role == Qt::ToolTipRole) {
        switch (section) {
        case Prune:
            return tr(
                "Groups: share of heads or neurons to remove. Layers: share of weights set to "
                "zero.");
        case Bits:
            return tr("How the weight is held");
        case Size:
            return tr("Bytes held, weight and bias");
        case Time:
            return tr("Milliseconds in the current run");
        default:
            return {};
        }
    }
    if (role != Qt::DisplayRole) {
        return {};
    }
    switch (section) {
    case Name:
        return tr("Layer");
    case Shape:
        return tr("Shape");
    case Prune:
        return tr("Prune");
    case Bits:
        return tr("Bits");
    case Size:
        return tr("MB");
    case Time:
        return tr("ms");
    default:
        return {};
    }
}

Qt::ItemFlags LayerTreeModel::flags(const QModelIndex& index) const {
    if (!index.isValid()) {
        return Qt::NoItemFlags;
    }
    const auto& node = nodeAt(index);
    Qt::ItemFlags flags = Qt::ItemIsEnabled | Qt::ItemIsSelectable;
    if (node.kind == Kind::Block) {
        return index.column() == Name ? flags | Qt::ItemIsUserCheckable : flags;
    }
    if (node.kind == Kind::Layer) {
        flags |= Qt::ItemNeverHasChildren;
    }
    const bool editable =
        (index.column() == Prune) || (index.column() == Bits && node.kind == Kind::Layer);
    return editable && m_plan ? flags | Qt::ItemIsEditable : flags;
}

}  // namespace pareto::widgets
