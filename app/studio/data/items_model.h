#pragma once

#include <memory>
#include <vector>

#include <QAbstractTableModel>
#include <QStringList>

#include "app/studio/data/item_pairs.h"
#include "app/studio/data/item_texts.h"
#include "app/studio/runs.h"

namespace pareto::studio {

/// The items of two runs side by side. A filter and an order are a list of indices; nothing is copied.
class ItemsModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { Item, Text, Expected, AnswerA, AnswerB, Difference, ColumnCount };

    explicit ItemsModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}

    struct Content {
        RunRecordPtr a;
        RunRecordPtr b;
        std::shared_ptr<const ItemComparison> comparison;
        std::vector<std::string> classes;  ///< names of the model's classes, where it is open
        bool windows = false;              ///< items are windows of a text
    };
    void setContent(Content content);
    void setTexts(ItemTexts texts);
    void setChangedOnly(bool changedOnly);
    bool changedOnly() const { return m_changedOnly; }
    void clear() { setContent({}); }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    void sort(int column, Qt::SortOrder order) override;

private:
    QString shown(const ItemPair& pair, int column) const;
    QString answer(const ItemResult& item) const;
    void fill();
    void sortRows();

    Content m_content;
    ItemTexts m_texts;
    std::vector<std::uint32_t> m_rows;  ///< indices into pairs
    bool m_changedOnly = false;
    int m_column = Difference;
    Qt::SortOrder m_order = Qt::DescendingOrder;  ///< of how much worse B is
};

}  // namespace pareto::studio
