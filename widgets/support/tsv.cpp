#include "widgets/support/tsv.h"

#include <algorithm>

#include <QAbstractItemView>
#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>
#include <QTableView>
#include <QTreeView>

namespace pareto::widgets {

namespace {

QString quoted(const QString& cell) {
    const bool needed = cell.contains(QChar(u'\t')) || cell.contains(QChar(u'\n'))
                        || cell.contains(QChar(u'"'));
    if (!needed) {
        return cell;
    }
    QString text = cell;
    text.replace(QChar(u'"'), QStringLiteral("\"\""));
    return QChar(u'"') + text + QChar(u'"');
}

QList<int> visibleColumns(const QAbstractItemView& view) {
    const QHeaderView* header = nullptr;
    if (const auto* table = qobject_cast<const QTableView*>(&view)) {
        header = table->horizontalHeader();
    } else if (const auto* tree = qobject_cast<const QTreeView*>(&view)) {
        header = tree->header();
    }
    QList<int> columns;
    const int count = view.model()->columnCount(view.rootIndex());
    for (int visual = 0; visual < count; ++visual) {
        const int column = header != nullptr ? header->logicalIndex(visual) : visual;
        if (header == nullptr || !header->isSectionHidden(column)) {
            columns.append(column);
        }
    }
    return columns;
}

}  // namespace

QString toTsv(const QList<QStringList>& rows) {
    QString text;
    for (const QStringList& row : rows) {
        for (qsizetype i = 0; i < row.size(); ++i) {
            if (i > 0) {
                text += QChar(u'\t');
            }
            text += quoted(row[i]);
        }
        text += QChar(u'\n');
    }
    return text;
}

QList<QStringList> fromTsv(const QString& text) {
    QList<QStringList> rows;
    QStringList row;
    QString cell;
    bool inQuotes = false;
    bool any = false;
    for (qsizetype i = 0; i < text.size(); ++i) {
        const QChar c = text[i];
        if (inQuotes) {
            if (c == u'"' && i + 1 < text.size() && text[i + 1] == u'"') {
                cell += c;
                ++i;
            } else if (c == u'"') {
                inQuotes = false;
            } else {
                cell += c;
            }
            continue;
        }
        any = true;
        if (c == u'"' && cell.isEmpty()) {
            inQuotes = true;
        } else if (c == u'\t') {
            row.append(cell);
            cell.clear();
        } else if (c == u'\n') {
            row.append(cell);
            rows.append(row);
            row.clear();
            cell.clear();
            any = false;
        } else if (c != u'\r') {
            cell += c;
        }
    }
    if (any) {
        row.append(cell);
        rows.append(row);
    }
    return rows;
}

bool copySelectedRows(const QAbstractItemView& view) {
    if (view.model() == nullptr || view.selectionModel() == nullptr) {
        return false;
    }
    QModelIndexList selected = view.selectionModel()->selectedRows();
    if (selected.isEmpty()) {
        return false;
    }
    std::sort(selected.begin(), selected.end());
    const QList<int> columns = visibleColumns(view);
    QList<QStringList> rows;
    QStringList header;
    for (const int column : columns) {
        header.append(view.model()->headerData(column, Qt::Horizontal).toString());
    }
    rows.append(header);
    for (const QModelIndex& index : std::as_const(selected)) {
        QStringList cells;
        for (const int column : columns) {
            cells.append(index.siblingAtColumn(column).data(Qt::DisplayRole).toString());
        }
        rows.append(cells);
    }
    QGuiApplication::clipboard()->setText(toTsv(rows));
    return true;
}

}  // namespace pareto::widgets
