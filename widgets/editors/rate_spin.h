#pragma once

#include <QDoubleSpinBox>

namespace pareto::widgets {

/// A number of any magnitude, such as a learning rate: written as short as it goes ("5e-05"),
/// stepped 1, 2, 5, 10, …
class RateSpin : public QDoubleSpinBox {
    Q_OBJECT
public:
    explicit RateSpin(QWidget* parent = nullptr);

    QString textFromValue(double value) const override;
    double valueFromText(const QString& text) const override;
    QValidator::State validate(QString& text, int& position) const override;
    void stepBy(int steps) override;
};

}  // namespace pareto::widgets
