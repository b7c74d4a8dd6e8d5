#pragma once

#include <vector>

#include <QDialog>

#include "app/studio/runner.h"
#include "app/studio/sweeps.h"

QT_BEGIN_NAMESPACE
class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;
QT_END_NAMESPACE

namespace pareto::studio {

/// Ratios × number formats, queued in one go or made a sweep.
class GridDialog : public QDialog {
    Q_OBJECT
public:
    struct Offer {
        QString folder;  ///< suggested for a sweep
        bool hasSlurm = false;
        int cores = 1;    ///< of this machine
        int threads = 1;  ///< that a run of the target takes: cores / threads processes have room
        QStringList hosts = {};  ///< machines that may help with a sweep (GridPlace::hosts)
    };
    explicit GridDialog(Offer offer, QWidget* parent = nullptr);

Q_SIGNALS:
    void chosen(const pareto::studio::Runner::Grid& grid, const pareto::studio::GridPlace& place);

private:
    Runner::Grid grid() const;
    /// Ratios as shares; empty when the text is no list of numbers from 0 to 99.
    std::vector<double> ratios() const;
    GridPlace place() const;
    void addPlace(const Offer& offer);
    void addHosts(const Offer& offer);
    void showCount();

    QLineEdit* m_ratios = nullptr;
    QCheckBox* m_heads = nullptr;
    QCheckBox* m_neurons = nullptr;
    QCheckBox* m_weights = nullptr;
    std::vector<QCheckBox*> m_formats;  ///< in the order of widgets::layerFormats()
    QComboBox* m_where = nullptr;       ///< in the order of GridPlace::Where
    QSpinBox* m_workers = nullptr;
    std::vector<QCheckBox*> m_hosts;
    QWidget* m_machines = nullptr;      ///< holds them
    QLineEdit* m_folder = nullptr;
    QLabel* m_count = nullptr;
    QPushButton* m_run = nullptr;
};

}  // namespace pareto::studio
