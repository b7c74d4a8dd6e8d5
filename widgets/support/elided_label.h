#pragma once

#include <QLabel>

namespace pareto::widgets {

/// A label of one line that ends in "…" when it is narrow; the whole text is its tooltip and its
/// accessible name.
class ElidedLabel : public QLabel {
    Q_OBJECT
public:
    explicit ElidedLabel(QWidget* parent = nullptr);

    void setFullText(const QString& text);
    QString fullText() const { return m_full; }
    void setElideMode(Qt::TextElideMode mode);
    QSize minimumSizeHint() const override;
    QSize sizeHint() const override;

protected:
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    void elide();

    QString m_full;
    Qt::TextElideMode m_mode = Qt::ElideRight;
};

}  // namespace pareto::widgets
