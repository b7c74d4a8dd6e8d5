#pragma once

#include <QScrollArea>

namespace pareto::widgets {

/// A scroll area for a column of settings: it scrolls downwards only, and is never narrower than what
/// it holds, whichever rows are shown and whichever language they speak.
class ColumnScroll : public QScrollArea {
    Q_OBJECT
public:
    explicit ColumnScroll(QWidget* parent = nullptr);
    QSize minimumSizeHint() const override;

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
};

}  // namespace pareto::widgets
