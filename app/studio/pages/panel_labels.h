#pragma once

#include <QLabel>

namespace pareto::studio {

/// A label of plain text that wraps.
inline QLabel* plainLabel(const QString& name, QWidget* parent) {
    auto* out = new QLabel(parent);
    out->setObjectName(name);
    out->setTextFormat(Qt::PlainText);
    out->setWordWrap(true);
    return out;
}

/// The same in bold: what a panel is about.
inline QLabel* panelTitle(const QString& name, QWidget* parent) {
    auto* out = plainLabel(name, parent);
    QFont bold = out->font();
    bold.setBold(true);
    out->setFont(bold);
    return out;
}

}  // namespace pareto::studio
