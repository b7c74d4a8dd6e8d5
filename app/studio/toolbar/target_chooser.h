#pragma once

#include <QToolButton>

QT_BEGIN_NAMESPACE
class QComboBox;
class QFormLayout;
class QLabel;
class QSpinBox;
class QToolButton;
QT_END_NAMESPACE

namespace pareto::studio {

class Dialogs;
class Workers;
class Workspace;

/// Where and how runs are measured: machine, device, threads, batch, lengths. Machines are this one and those that ssh reaches;
/// each GPU that the machine's worker can use is listed, and where there is none, why stands below.
class TargetChooser : public QToolButton {
    Q_OBJECT
public:
    TargetChooser(Workspace& workspace, Workers& workers, Dialogs& dialogs, QWidget* parent = nullptr);
    /// Threads this process may use: what "all cores" means here.
    static int availableThreads();
    /// As its worker said; many before that.
    int availableThreads(const QString& machine) const;

private:
    QSpinBox* addSpin(QFormLayout* form, const QString& name, const QString& label, int most);
    void showTarget();
    void fillMachines();
    void fillDevices();
    void chooseMachine();
    void useMachine(const QString& machine);
    void editHost(bool another);
    QString machine() const;
    QString whyNoMachine() const;
    QString whyNoGpu() const;
    void edit();

    Workspace& m_workspace;
    Workers& m_workers;
    Dialogs& m_dialogs;
    QComboBox* m_machine = nullptr;
    QToolButton* m_host = nullptr;  ///< settings of the machine that is chosen
    QComboBox* m_device = nullptr;
    QLabel* m_reason = nullptr;  ///< why there is no GPU, or no machine
    QSpinBox* m_threads = nullptr;
    QSpinBox* m_tensor = nullptr;    ///< processes that share each block
    QSpinBox* m_pipeline = nullptr;  ///< stages of blocks
    QSpinBox* m_replicas = nullptr;  ///< whole models at the same time
    QSpinBox* m_batch = nullptr;
    QSpinBox* m_sequence = nullptr;
    QSpinBox* m_prompt = nullptr;
    QSpinBox* m_generate = nullptr;
    QFormLayout* m_form = nullptr;
    bool m_showing = false;
};

}  // namespace pareto::studio
