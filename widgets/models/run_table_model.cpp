#include "widgets/models/run_table_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include <QDateTime>
#include <QFont>
#include <QLocale>

#include "widgets/models/figure_order.h"
#include "widgets/support/number_format.h"

namespace pareto::widgets {

namespace {

/// More separate changes than this are cheaper as a reset than as signals.
constexpr std::size_t kMostRanges = 64;

double metricAt(const RunColumns& columns, int metric, int row) {
    if (metric < 0 || row < 0) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    return columns.metrics[static_cast<std::size_t>(metric)].value[static_cast<std::size_t>(row)];
}

int latencyMetric() {
    static const int index = RunColumns::metricIndex("latency_p50_ms");
    return index;
}

int sizeMetric() {
    static const int index = RunColumns::metricIndex("model_bytes");
    return index;
}

/// Latency against the baseline's, −0.5 = half the time. NaN for the baseline itself.
double latencyDelta(const RunColumns& columns, int row) {
    const int baseline = columns.baselineRow[static_cast<std::size_t>(row)];
    if (baseline == row) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    return metricAt(columns, latencyMetric(), row) / metricAt(columns, latencyMetric(), baseline)
           - 1.0;
}

/// The run that the others are compared with although nothing is pinned.
bool isUnpinnedBaseline(const RunColumns& columns, std::size_t row) {
    return columns.baselineRow[row] == static_cast<int>(row) && columns.pinned[row] == 0;
}

bool isDisturbed(const RunColumns& columns, std::size_t row) {
    return columns.disturbed[row] != 0 && columns.status[row] == RunStatus::Finished;
}

double numberFor(const RunColumns& columns, int row, int column) {
    switch (column) {
    case RunTableModel::Star: return columns.pinned[static_cast<std::size_t>(row)];
    case RunTableModel::LatencyP50: return metricAt(columns, latencyMetric(), row);
    case RunTableModel::Headline:
        return metricAt(columns, columns.headline[static_cast<std::size_t>(row)], row);
    case RunTableModel::SizeMb: return metricAt(columns, sizeMetric(), row);
    case RunTableModel::Delta: return latencyDelta(columns, row);
    case RunTableModel::Date:
        return static_cast<double>(columns.startedAt[static_cast<std::size_t>(row)]);
    default: return static_cast<double>(columns.status[static_cast<std::size_t>(row)]);
    }
}

const std::vector<QString>* textsFor(const RunColumns& columns, int column) {
    switch (column) {
    case RunTableModel::Name: return &columns.name;
    case RunTableModel::Model: return &columns.modelName;
    case RunTableModel::Recipe: return &columns.recipe;
    case RunTableModel::Task: return &columns.taskName;
    case RunTableModel::Target: return &columns.target;
    case RunTableModel::Note: return &columns.note;
    default: return nullptr;
    }
}

bool matchesWords(const RunColumns& columns, std::size_t row, const QStringList& words) {
    return std::all_of(words.begin(), words.end(), [&](const QString& word) {
        for (const auto* texts : {&columns.name, &columns.modelName, &columns.recipe,
                                  &columns.taskName, &columns.target, &columns.note}) {
            if ((*texts)[row].contains(word, Qt::CaseInsensitive)) {
                return true;
            }
        }
        return false;
    });
}

struct Range {
    int first = 0;
    int last = 0;
};

/// Positions where `keep` is false, as ranges in ascending order.
template <typename Keep>
std::vector<Range> rangesWithout(int count, Keep keep) {
    std::vector<Range> ranges;
    for (int i = 0; i < count; ++i) {
        if (keep(i)) {
            continue;
        }
        if (!ranges.empty() && ranges.back().last == i - 1) {
            ranges.back().last = i;
        } else {
            ranges.push_back({i, i});
        }
    }
    return ranges;
}

}  // namespace

QString runStatusText(RunStatus status) {
    switch (status) {
    case RunStatus::Queued: return RunTableModel::tr("queued");
    case RunStatus::Running: return RunTableModel::tr("running");
    case RunStatus::Finished: return RunTableModel::tr("finished");
    case RunStatus::Failed: return RunTableModel::tr("failed");
    case RunStatus::Cancelled: return RunTableModel::tr("cancelled");
    case RunStatus::Interrupted: return RunTableModel::tr("interrupted");
    }
    return {};
}

RunTableModel::RunTableModel(QObject* parent)
    : QAbstractTableModel(parent), m_columns(std::make_shared<RunColumns>()) {}

std::vector<int> RunTableModel::wantedRows(const RunColumns& columns) const {
    std::vector<int> rows;
    const QStringList words = m_filter.text.split(QChar(u' '), Qt::SkipEmptyParts);
    for (std::size_t row = 0; row < columns.id.size(); ++row) {
        if ((columns.deleted[row] != 0) != m_filter.deletedOnly) {
            continue;
        }
        if (!m_filter.modelHash.isEmpty() && columns.modelHash[row] != m_filter.modelHash) {
            continue;
        }
        if (m_filter.comparableOnly
            && !std::binary_search(m_filter.comparable.begin(), m_filter.comparable.end(),
                                   columns.id[row])) {
            continue;
        }
        if (!words.isEmpty() && !matchesWords(columns, row, words)) {
            continue;
        }
        rows.push_back(static_cast<int>(row));
    }
    sortRows(columns, rows);
    return rows;
}

void RunTableModel::sortRows(const RunColumns& columns, std::vector<int>& rows) const {
    const bool ascending = m_sortOrder == Qt::AscendingOrder;
    if (const auto* texts = textsFor(columns, m_sortColumn)) {
        // Folded once: comparing without case costs more than the sorting itself.
        std::vector<std::pair<QString, int>> keys;
        keys.reserve(rows.size());
        for (const int row : rows) {
            keys.emplace_back((*texts)[static_cast<std::size_t>(row)].toCaseFolded(), row);
        }
        std::stable_sort(keys.begin(), keys.end(), [ascending](const auto& a, const auto& b) {
            return ascending ? a.first < b.first : b.first < a.first;
        });
        std::transform(keys.begin(), keys.end(), rows.begin(),
                       [](const auto& key) { return key.second; });
        return;
    }
    std::vector<double> keys(columns.id.size());
    for (const int row : rows) {
        keys[static_cast<std::size_t>(row)] = numberFor(columns, row, m_sortColumn);
    }
    std::stable_sort(rows.begin(), rows.end(), [&](int a, int b) {
        return figureBefore(keys[static_cast<std::size_t>(a)], keys[static_cast<std::size_t>(b)], m_sortOrder);
    });
}

void RunTableModel::setColumns(RunColumnsPtr columns) {
    auto rows = wantedRows(*columns);
    moveTo(std::move(columns), std::move(rows));
}

void RunTableModel::setFilter(const RunTableFilter& filter) {
    if (filter == m_filter) {
        return;
    }
    m_filter = filter;
    moveTo(m_columns, wantedRows(*m_columns));
}

void RunTableModel::moveTo(RunColumnsPtr columns, std::vector<int> rows) {
    std::unordered_set<std::int64_t> wanted;
    wanted.reserve(rows.size());
    for (const int row : rows) {
        wanted.insert(columns->id[static_cast<std::size_t>(row)]);
    }
    std::unordered_set<std::int64_t> shown;
    shown.reserve(m_rows.size());
    std::vector<std::int64_t> kept;
    for (const int row : m_rows) {
        const auto id = m_columns->id[static_cast<std::size_t>(row)];
        shown.insert(id);
        if (wanted.contains(id)) {
            kept.push_back(id);
        }
    }
    std::vector<std::int64_t> keptThere;
    for (const int row : rows) {
        const auto id = columns->id[static_cast<std::size_t>(row)];
        if (shown.contains(id)) {
            keptThere.push_back(id);
        }
    }
    const auto removals = rangesWithout(static_cast<int>(m_rows.size()), [&](int i) {
        return wanted.contains(runAt(i));
    });
    const auto insertions = rangesWithout(static_cast<int>(rows.size()), [&](int i) {
        return shown.contains(columns->id[static_cast<std::size_t>(rows[static_cast<std::size_t>(i)])]);
    });
    if (kept != keptThere || removals.size() + insertions.size() > kMostRanges) {
        beginResetModel();
        m_columns = std::move(columns);
        m_rows = std::move(rows);
        endResetModel();
        nameHeadline();
        return;
    }
    for (auto range = removals.rbegin(); range != removals.rend(); ++range) {
        beginRemoveRows({}, range->first, range->last);
        m_rows.erase(m_rows.begin() + range->first, m_rows.begin() + range->last + 1);
        endRemoveRows();
    }
    // The same runs under the row numbers of the new columns.
    for (int& row : m_rows) {
        row = columns->rowOf(m_columns->id[static_cast<std::size_t>(row)]);
    }
    m_columns = std::move(columns);
    for (const auto& range : insertions) {
        beginInsertRows({}, range.first, range.last);
        m_rows.insert(m_rows.begin() + range.first, rows.begin() + range.first,
                      rows.begin() + range.last + 1);
        endInsertRows();
    }
    if (!m_rows.empty()) {
        Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1));
    }
    nameHeadline();
}

void RunTableModel::nameHeadline() {
    int common = -1;
    for (const int row : m_rows) {
        const int metric = m_columns->headline[static_cast<std::size_t>(row)];
        if (metric < 0 || metric == common) {
            continue;
        }
        if (common >= 0) {
            common = -1;
            break;
        }
        common = metric;
    }
    if (common != m_headline) {
        m_headline = common;
        Q_EMIT headerDataChanged(Qt::Horizontal, Headline, Headline);
    }
}

void RunTableModel::sort(int column, Qt::SortOrder order) {
    if (column < 0 || column >= ColumnCount) {
        return;
    }
    m_sortColumn = column;
    m_sortOrder = order;
    Q_EMIT layoutAboutToBeChanged({}, QAbstractItemModel::VerticalSortHint);
    const auto before = m_rows;
    sortRows(*m_columns, m_rows);
    const auto old = persistentIndexList();
    if (!old.isEmpty()) {
        std::vector<int> placeOf(m_columns->id.size(), -1);
        for (std::size_t i = 0; i < m_rows.size(); ++i) {
            placeOf[static_cast<std::size_t>(m_rows[i])] = static_cast<int>(i);
        }
        QModelIndexList now;
        now.reserve(old.size());
        for (const auto& each : old) {
            const int row = before[static_cast<std::size_t>(each.row())];
            now.append(index(placeOf[static_cast<std::size_t>(row)], each.column()));
        }
        changePersistentIndexList(old, now);
    }
    Q_EMIT layoutChanged({}, QAbstractItemModel::VerticalSortHint);
}

std::int64_t RunTableModel::runAt(int row) const {
    if (row < 0 || row >= rowCount()) {
        return 0;
    }
    return m_columns->id[static_cast<std::size_t>(m_rows[static_cast<std::size_t>(row)])];
}

int RunTableModel::rowOfRun(std::int64_t id) const {
    const int row = m_columns->rowOf(id);
    const auto found = std::find(m_rows.begin(), m_rows.end(), row);
    return row < 0 || found == m_rows.end() ? -1 : static_cast<int>(found - m_rows.begin());
}

int RunTableModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int RunTableModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : ColumnCount;
}

QString RunTableModel::displayText(int row, int column) const {
    const auto& columns = *m_columns;
    const auto at = static_cast<std::size_t>(row);
    const auto figure = [&](int metric) {
        const auto index = static_cast<std::size_t>(metric);
        const auto& values = columns.metrics[index];
        return formatPlusMinus(metricCatalogue()[index],
                               {values.value[at], values.low[at], values.high[at], false});
    };
    switch (column) {
    case Star:
        return columns.pinned[at]               ? QStringLiteral("★")
               : isUnpinnedBaseline(columns, at) ? QStringLiteral("☆")
                                                 : QString();
    case LatencyP50:
        return (isDisturbed(columns, at) ? QStringLiteral("⚠ ") : QString())
               + figure(latencyMetric());
    case Headline: return columns.headline[at] < 0 ? QStringLiteral("–") : figure(columns.headline[at]);
    case SizeMb:
        return formatMetricFigure(metricCatalogue()[static_cast<std::size_t>(sizeMetric())],
                                  metricAt(columns, sizeMetric(), row));
    case Delta: return formatDeltaPercent(latencyDelta(columns, row));
    case Date:
        return columns.startedAt[at] == 0
                   ? QStringLiteral("–")
                   : QLocale().toString(QDateTime::fromMSecsSinceEpoch(columns.startedAt[at]),
                                        QLocale::ShortFormat);
    case Status:
        return columns.disturbed[at] && columns.status[at] == RunStatus::Finished
                   ? tr("finished, disturbed")
                   : runStatusText(columns.status[at]);
    default: {
        const auto* texts = textsFor(columns, column);
        return texts != nullptr ? (*texts)[at] : QString();
    }
    }
}

QVariant RunTableModel::toolTip(int row, int column) const {
    const auto at = static_cast<std::size_t>(row);
    switch (column) {
    case Star:
        if (m_columns->pinned[at]) {
            return tr("Pinned as the baseline");
        }
        return isUnpinnedBaseline(*m_columns, at)
                   ? tr("The baseline: the newest run of the unchanged model; click to pin it")
                   : QVariant();
    case LatencyP50:
        return isDisturbed(*m_columns, at)
                   ? displayText(row, column) + QStringLiteral(": ")
                         + tr("Other load above 5 % of the cores while timing")
                   : displayText(row, column);
    case Headline: {
        const int metric = m_columns->headline[at];
        if (metric < 0) {
            return tr("Nothing was evaluated");
        }
        const auto& info = metricCatalogue()[static_cast<std::size_t>(metric)];
        const auto& values = m_columns->metrics[static_cast<std::size_t>(metric)];
        return tr("%1: %2").arg(metricText(info),
                                formatInterval(info, {values.value[at], values.low[at],
                                                      values.high[at], true}));
    }
    case Delta: {
        const int baseline = m_columns->baselineRow[at];
        return baseline < 0 ? tr("No comparable baseline is stored")
               : baseline == row
                   ? tr("This run is the baseline")
                   : tr("Latency p50 against “%1”")
                         .arg(m_columns->name[static_cast<std::size_t>(baseline)]);
    }
    case Status:
        return m_columns->disturbed[at] ? tr("Other load above 5 % of the cores while timing")
                                        : QVariant();
    default: return displayText(row, column);
    }
}

QVariant RunTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount() || index.column() >= ColumnCount) {
        return {};
    }
    const int row = m_rows[static_cast<std::size_t>(index.row())];
    const int column = index.column();
    switch (role) {
    case Qt::DisplayRole: return displayText(row, column);
    case Qt::EditRole:
        return column == Name || column == Note ? QVariant(displayText(row, column)) : QVariant();
    case Qt::ToolTipRole: return toolTip(row, column);
    case Qt::AccessibleTextRole:
        return column == Star ? toolTip(row, column) : QVariant(displayText(row, column));
    case Qt::TextAlignmentRole:
        if (column == Star) {
            return QVariant(Qt::AlignCenter);
        }
        return column >= LatencyP50 && column <= Delta
                   ? QVariant(Qt::AlignRight | Qt::AlignVCenter)
                   : QVariant(Qt::AlignLeft | Qt::AlignVCenter);
    case Qt::FontRole: {
        const auto at = static_cast<std::size_t>(row);
        if (column == Name && m_columns->baseline[at]) {
            QFont font;
            font.setItalic(true);
            return font;
        }
        return {};
    }
    case RunIdRole: return static_cast<qlonglong>(m_columns->id[static_cast<std::size_t>(row)]);
    case SortRole: {
        const auto* texts = textsFor(*m_columns, column);
        return texts != nullptr ? QVariant((*texts)[static_cast<std::size_t>(row)])
                                : QVariant(numberFor(*m_columns, row, column));
    }
    default: return {};
    }
}

bool RunTableModel::setData(const QModelIndex& index, const QVariant& value, int role) {
    if (role != Qt::EditRole || !index.isValid() || index.row() >= rowCount()) {
        return false;
    }
    const QString text = value.toString().trimmed();
    if (text == displayText(m_rows[static_cast<std::size_t>(index.row())], index.column())) {
        return false;
    }
    if (index.column() == Name && !text.isEmpty()) {
        Q_EMIT renameRequested(runAt(index.row()), text);
        return true;
    }
    if (index.column() == Note) {
        Q_EMIT noteRequested(runAt(index.row()), text);
        return true;
    }
    return false;
}

QVariant RunTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) {
        return {};
    }
    if (role == Qt::TextAlignmentRole) {
        return section >= LatencyP50 && section <= Delta
                   ? QVariant(Qt::AlignRight | Qt::AlignVCenter)
                   : QVariant(Qt::AlignLeft | Qt::AlignVCenter);
    }
    if (role == Qt::ToolTipRole) {
        switch (section) {
        case Star: return tr("Pinned as the baseline");
        case LatencyP50: return tr("Median latency with its 95 % interval");
        case Headline: return tr("The metric of the run's task with its 95 % interval");
        case Delta: return tr("Median latency against the baseline of the comparable runs");
        default: return {};
        }
    }
    if (role != Qt::DisplayRole) {
        return {};
    }
    switch (section) {
    case Star: return QStringLiteral("★");
    case Name: return tr("Name");
    case Model: return tr("Model");
    case Recipe: return tr("Recipe");
    case Task: return tr("Task");
    case Target: return tr("Target");
    case LatencyP50: return tr("p50, ms");
    case Headline:
        return m_headline < 0
                   ? tr("Quality")
                   : metricTextWithUnit(metricCatalogue()[static_cast<std::size_t>(m_headline)]);
    case SizeMb: return tr("MB");
    case Delta: return tr("Δ p50");
    case Date: return tr("Date");
    case Status: return tr("Status");
    case Note: return tr("Note");
    default: return {};
    }
}

Qt::ItemFlags RunTableModel::flags(const QModelIndex& index) const {
    Qt::ItemFlags flags = QAbstractTableModel::flags(index);
    if (index.isValid()) {
        flags |= Qt::ItemNeverHasChildren;
        if ((index.column() == Name || index.column() == Note) && !m_filter.deletedOnly) {
            flags |= Qt::ItemIsEditable;
        }
    }
    return flags;
}

}  // namespace pareto::widgets
