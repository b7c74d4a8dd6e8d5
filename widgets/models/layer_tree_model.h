#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <QAbstractItemModel>
#include <QHash>
#include <QStringList>

#include "engine/spec/layers.h"
#include "engine/spec/resolve.h"

namespace pareto::widgets {

/// A number format as one choice of a cell: "int8 dynamic". nullopt: as in the file.
struct LayerFormat {
    QString text;
    std::optional<QuantizeSpec> spec;
};
/// The formats a cell of the column Bits offers, in order.
const std::vector<LayerFormat>& layerFormats();
/// The entry that a plan shows; its text for a format that is not in the list.
QString layerFormatText(const WeightFormat& format);

/// Blocks ▸ groups ▸ layers, or the layers alone (flat and sortable), with the settings a recipe gives
/// them and the sizes that follow. Immutable input; an edit emits what is wanted and changes nothing:
/// the owner of the recipe does, and sends new plans.
class LayerTreeModel : public QAbstractItemModel {
    Q_OBJECT
public:
    enum Column { Name, Shape, Prune, Bits, Size, Time, ColumnCount };
    enum class Kind { Block, Group, Layer };
    /// NameRole: the full name; RatioRole: double 0…1; OverriddenRole: bool; SortRole: by what a
    /// column sorts.
    enum Role { NameRole = Qt::UserRole + 1, RatioRole, OverriddenRole, SortRole };

    explicit LayerTreeModel(QObject* parent = nullptr) : QAbstractItemModel(parent) {}

    void setLayout(std::shared_ptr<const ModelLayout> layout);
    /// Null when the recipe cannot be resolved: then the columns that follow from it are empty.
    void setPlan(std::shared_ptr<const ResolvedRecipe> plan,
                 std::shared_ptr<const SizeEstimate> size);
    /// Milliseconds by layer name, of the current run; empty: none.
    void setTimes(QHash<QString, double> times);
    void setGrouped(bool grouped);
    bool grouped() const { return m_grouped; }
    /// Part of a name, or /regular expression/. False when the expression is none; the filter then
    /// stays as it was.
    bool setFilter(const QString& text);

    Kind kindAt(const QModelIndex& index) const;
    QString nameAt(const QModelIndex& index) const;
    QModelIndex indexOf(const QString& name) const;
    bool hasLayout() const { return m_layout != nullptr; }

    QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    QModelIndex parent(const QModelIndex& index) const override;
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    /// Prune: a double 0…1; Bits: a text of layerFormats(); the check box of a block.
    bool setData(const QModelIndex& index, const QVariant& value, int role = Qt::EditRole) override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    void sort(int column, Qt::SortOrder order) override;

Q_SIGNALS:
    void ratioRequested(const QModelIndex& index, double ratio);
    void formatRequested(const QModelIndex& index, const QString& format);
    void blockRequested(const QString& block, bool removed);

private:
    struct Node {
        Kind kind{};
        int index = 0;    ///< into the layout's blocks, groups or layers
        int parent = -1;  ///< node; -1: top
        int row = 0;      ///< within the parent
        std::vector<int> children;
    };

    void rebuild();
    int add(Kind kind, int index, int parent);
    void addBlock(int block);
    bool accepts(const std::string& name) const;
    const Node& nodeAt(const QModelIndex& index) const;
    const std::string& nodeName(const Node& node) const;
    std::vector<int> layersOf(const Node& node) const;
    QString label(const Node& node) const;
    QString shapeText(const Node& node) const;
    QString pruneText(const Node& node) const;
    QString bitsText(const Node& node) const;
    QString toolTip(const Node& node, int column) const;
    std::optional<double> ratio(const Node& node) const;
    bool overridden(const Node& node, int column) const;
    double sizeBytes(const Node& node) const;
    double milliseconds(const Node& node) const;
    QString displayText(const Node& node, int column) const;
    QVariant sortValue(const Node& node, int column) const;
    void refresh(int firstColumn, int lastColumn);

    std::shared_ptr<const ModelLayout> m_layout;
    std::shared_ptr<const ResolvedRecipe> m_plan;
    std::shared_ptr<const SizeEstimate> m_size;
    QHash<QString, double> m_times;
    bool m_grouped = true;
    QString m_filter;
    int m_sortColumn = -1;
    Qt::SortOrder m_sortOrder = Qt::AscendingOrder;
    std::vector<Node> m_nodes;
    std::vector<int> m_top;
};

}  // namespace pareto::widgets
