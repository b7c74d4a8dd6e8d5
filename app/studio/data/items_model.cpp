#include "app/studio/data/items_model.h"

#include <algorithm>
#include <cmath>

#include "app/studio/texts.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {
constexpr int kShown = 300;
}

void ItemsModel::setContent(Content content) {
    beginResetModel();
    m_content = std::move(content);
    m_texts.clear();
    fill();
    endResetModel();
}

void ItemsModel::setTexts(ItemTexts texts) {
    m_texts = std::move(texts);
    if (!m_rows.empty()) {
        Q_EMIT dataChanged(index(0, Text), index(rowCount() - 1, Expected));
    }
}

void ItemsModel::setChangedOnly(bool changedOnly) {
    beginResetModel();
    m_changedOnly = changedOnly;
    fill();
    endResetModel();
}

void ItemsModel::fill() {
    m_rows.clear();
    if (!m_content.comparison) {
        return;
    }
    const auto& pairs = m_content.comparison->pairs;
    for (std::uint32_t i = 0; i < pairs.size(); ++i) {
        if (!m_changedOnly || pairs[i].changed) {
            m_rows.push_back(i);
        }
    }
    sortRows();
}

/// Pairs come worst first; that order is the tie-break of the others.
void ItemsModel::sortRows() {
    if (!m_content.comparison) {
        return;
    }
    const auto& pairs = m_content.comparison->pairs;
    std::sort(m_rows.begin(), m_rows.end());
    const auto by = [&](auto value) {
        std::stable_sort(m_rows.begin(), m_rows.end(), [&](std::uint32_t left, std::uint32_t right) {
            const auto a = value(pairs[left]);
            const auto b = value(pairs[right]);
            return m_order == Qt::AscendingOrder ? a < b : b < a;
        });
    };
    const auto plain = [](double score) { return std::isnan(score) ? 0.0 : score; };
    switch (m_column) {
    case Item:
        by([](const ItemPair& pair) { return pair.item; });
        break;
    case AnswerA:
        by([&](const ItemPair& pair) { return plain(pair.scoreA); });
        break;
    case AnswerB:
        by([&](const ItemPair& pair) { return plain(pair.scoreB); });
        break;
    case Text:
    case Expected:
        by([this, column = m_column](const ItemPair& pair) {
            const auto found = m_texts.find(pair.item);
            return found == m_texts.end() ? std::string()
                   : column == Text       ? found->second.text
                                          : found->second.expected;
        });
        break;
    default:
        by([&](const ItemPair& pair) { return plain(pair.worse); });
        break;
    }
}

void ItemsModel::sort(int column, Qt::SortOrder order) {
    Q_EMIT layoutAboutToBeChanged();
    std::vector<std::uint32_t> before = m_rows;
    m_column = column;
    m_order = order;
    sortRows();
    std::vector<int> rowOf(m_content.comparison ? m_content.comparison->pairs.size() : 0, -1);
    for (std::size_t row = 0; row < m_rows.size(); ++row) {
        rowOf[m_rows[row]] = static_cast<int>(row);
    }
    const auto old = persistentIndexList();
    QModelIndexList moved;
    for (const auto& index : old) {
        moved.append(
            this->index(rowOf[before[static_cast<std::size_t>(index.row())]], index.column()));
    }
    changePersistentIndexList(old, moved);
    Q_EMIT layoutChanged();
}

int ItemsModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int ItemsModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : ColumnCount;
}

QString ItemsModel::answer(const ItemResult& item) const {
    if (!item.answer.empty()) {
        return fromUtf8(item.answer).left(kShown).replace(u'\n', u' ');
    }
    if (item.predicted < 0) {
        return {};
    }
    const auto index = static_cast<std::size_t>(item.predicted);
    return index < m_content.classes.size() ? fromUtf8(m_content.classes[index])
                                            : tr("class %1").arg(item.predicted);
}

QString ItemsModel::shown(const ItemPair& pair, int column) const {
    const bool marks = m_content.comparison->rightWrong;
    const auto side = [&](const ItemResult& item) {
        const QString score = marks ? (item.score == 1.0 ? u"✓"_s : u"✗"_s) : number(item.score, 4);
        const QString said = answer(item);
        return said.isEmpty() ? score : u"%1  %2"_s.arg(score, said);
    };
    const auto found = m_texts.find(pair.item);
    switch (column) {
    case Item:
        return count(pair.item + 1);
    case Text:
        return found == m_texts.end() ? QString()
                                      : fromUtf8(found->second.text).replace(u'\n', u' ');
    case Expected:
        return found == m_texts.end() ? QString()
                                      : fromUtf8(found->second.expected).replace(u'\n', u' ');
    case AnswerA:
        return side(m_content.a->items[pair.a]);
    case AnswerB:
        return side(m_content.b->items[pair.b]);
    default: {
        const double difference = pair.scoreB - pair.scoreA;
        if (marks) {
            return difference < 0.0 ? tr("lost") : difference > 0.0 ? tr("won") : QString();
        }
        return (difference > 0.0 ? u"+"_s : QString()) + number(difference, 4);
    }
    }
}

QVariant ItemsModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || (role != Qt::DisplayRole && role != Qt::ToolTipRole)) {
        return role == Qt::TextAlignmentRole && index.column() == Item
                   ? QVariant(Qt::AlignRight | Qt::AlignVCenter)
                   : QVariant();
    }
    return shown(m_content.comparison->pairs[m_rows[static_cast<std::size_t>(index.row())]],
                 index.column());
}

QVariant ItemsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) {
        return {};
    }
    const auto run = [](const RunRecordPtr& record, const QString& otherwise) {
        return record ? fromUtf8(record->name) : otherwise;
    };
    switch (section) {
    case Item:
        return m_content.windows ? tr("Window") : tr("Row");
    case Text:
        return tr("Text");
    case Expected:
        return tr("Expected");
    case AnswerA:
        return run(m_content.a, u"A"_s);
    case AnswerB:
        return run(m_content.b, u"B"_s);
    case Difference:
        return tr("Difference");
    default:
        return {};
    }
}

}  // namespace pareto::studio
