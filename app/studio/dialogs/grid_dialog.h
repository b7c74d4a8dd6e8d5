#pragma once

#include <vector>

#include <QDialog>

#include "app/studio/runner.h"

QT_BEGIN_NAMESPACE
class QCheckBox;
class QLabel;
class QLineEdit;
class QPushButton;
QT_END_NAMESPACE

namespace pareto::studio {

/// Ratios × number formats, queued in one go.
class GridDialog : public QDialog {
    Q_OBJECT
public:
    explicit GridDialog(QWidget* parent = nullptr);

Q_SIGNALS:
    void chosen(const pareto::studio::Runner::Grid& grid);

private:
    Runner::Grid grid() const;
    /// Ratios as shares; empty when the text is no list of numbers from 0 to 99.
    std::vector<double> ratios() const;
    void showCount();

    QLineEdit* m_ratios = nullptr;
    QCheckBox* m_heads = nullptr;
    QCheckBox* m_neurons = nullptr;
    QCheckBox* m_weights = nullptr;
    std::vector<QCheckBox*> m_formats;  ///< in the order of widgets::layerFormats()
    QLabel* m_count = nullptr;
    QPushButton* m_run = nullptr;
};

}  // namespace pareto::studio
