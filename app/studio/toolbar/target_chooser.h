#pragma once

#include <QToolButton>

QT_BEGIN_NAMESPACE
class QComboBox;
class QFormLayout;
class QLabel;
class QSpinBox;
QT_END_NAMESPACE

namespace pareto::studio {

class WorkerClient;
class Workspace;

/// Where and how runs are measured: device, threads, batch, lengths. Each GPU that the worker can use is listed;
/// where there is none, why stands below.
class TargetChooser : public QToolButton {
    Q_OBJECT
public:
    TargetChooser(Workspace& workspace, WorkerClient& worker, QWidget* parent = nullptr);
    /// Threads this process may use: what "all cores" means here.
    static int availableThreads();

private:
    QSpinBox* addSpin(QFormLayout* form, const QString& name, const QString& label, int most);
    void showTarget();
    void fillDevices();
    QString whyNoGpu() const;
    void edit();

    Workspace& m_workspace;
    WorkerClient& m_worker;
    QComboBox* m_device = nullptr;
    QLabel* m_reason = nullptr;  ///< why there is no GPU
    QSpinBox* m_threads = nullptr;
    QSpinBox* m_tensor = nullptr;    ///< processes that share each block
    QSpinBox* m_pipeline = nullptr;  ///< stages of blocks
    QSpinBox* m_batch = nullptr;
    QSpinBox* m_sequence = nullptr;
    QSpinBox* m_prompt = nullptr;
    QSpinBox* m_generate = nullptr;
    QFormLayout* m_form = nullptr;
    bool m_showing = false;
};

}  // namespace pareto::studio
