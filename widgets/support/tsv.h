#pragma once

#include <QStringList>

class QAbstractItemView;

namespace pareto::widgets {

/// Cells with tabs, line breaks or quotes are quoted as spreadsheets do.
QString toTsv(const QList<QStringList>& rows);
/// The reverse; a trailing line break adds no row.
QList<QStringList> fromTsv(const QString& text);
/// Puts the selected rows of a view, with its visible columns and a header line, on the clipboard.
/// False when nothing is selected.
bool copySelectedRows(const QAbstractItemView& view);

}  // namespace pareto::widgets
