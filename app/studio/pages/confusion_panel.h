#pragma once

#include <QWidget>

#include "engine/records/training.h"

QT_BEGIN_NAMESPACE
class QLabel;
class QTableView;
QT_END_NAMESPACE

namespace pareto::widgets {
class ConfusionModel;
}

namespace pareto::studio {

/// Which classes the last validation took for which. Visible while there is one.
class ConfusionPanel : public QWidget {
    Q_OBJECT
public:
    explicit ConfusionPanel(QWidget* parent = nullptr);

    /// The newest of a training's validations that carries counts.
    void setValidations(const std::vector<ValidationPoint>& validations);
    QTableView* view() const { return m_view; }

protected:
    void changeEvent(QEvent* event) override;

private:
    void retranslate();

    std::int64_t m_step = 0;
    widgets::ConfusionModel* m_model = nullptr;
    QTableView* m_view = nullptr;
    QLabel* m_title = nullptr;
    QLabel* m_axes = nullptr;
};

}  // namespace pareto::studio
