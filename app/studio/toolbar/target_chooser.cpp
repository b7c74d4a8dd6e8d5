#include "app/studio/toolbar/target_chooser.h"

#include <algorithm>

#include <sched.h>

#include <QActionEvent>
#include <QComboBox>
#include <QCoreApplication>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QScopedValueRollback>
#include <QSpinBox>
#include <QStandardItemModel>
#include <QThread>
#include <QWidgetAction>

#include "app/studio/dialogs/dialogs.h"
#include "app/studio/dialogs/host_dialog.h"
#include "app/studio/texts.h"
#include "app/studio/workers.h"
#include "app/studio/workspace.h"
#include "engine/core/json.h"
#include "widgets/editors/undo_keys.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

constexpr int kReasonWidth = 360;

}  // namespace

int TargetChooser::availableThreads() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) == 0) {
        return std::max(1, CPU_COUNT(&set));
    }
    return std::max(1, QThread::idealThreadCount());
}

TargetChooser::TargetChooser(Workspace& workspace, Workers& workers, Dialogs& dialogs, QWidget* parent)
    : QToolButton(parent), m_workspace(workspace), m_workers(workers), m_dialogs(dialogs) {
    setObjectName(u"targetChooser"_s);
    setPopupMode(QToolButton::InstantPopup);
    setToolButtonStyle(Qt::ToolButtonTextOnly);
    setFocusPolicy(Qt::StrongFocus);
    auto* panel = new QWidget(this);
    panel->setObjectName(u"targetPanel"_s);
    m_form = new QFormLayout(panel);
    auto* machines = new QWidget(panel);
    auto* machineRow = new QHBoxLayout(machines);
    machineRow->setContentsMargins(0, 0, 0, 0);
    m_machine = new QComboBox(machines);
    m_machine->setObjectName(u"targetMachineCombo"_s);
    m_machine->setAccessibleName(tr("Machine"));
    machineRow->addWidget(m_machine, 1);
    m_host = new QToolButton(machines);
    m_host->setObjectName(u"targetHostButton"_s);
    m_host->setText(tr("Edit…"));
    m_host->setAccessibleName(tr("Settings of the machine"));
    machineRow->addWidget(m_host);
    m_form->addRow(tr("Machine"), machines);
    m_device = new QComboBox(panel);
    m_device->setObjectName(u"targetDeviceCombo"_s);
    m_device->setAccessibleName(tr("Device"));
    m_form->addRow(tr("Device"), m_device);
    m_reason = new QLabel(panel);
    m_reason->setObjectName(u"targetDeviceReason"_s);
    m_reason->setWordWrap(true);
    m_reason->setFixedWidth(kReasonWidth);
    m_reason->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_form->addRow(m_reason);
    m_threads =
        addSpin(m_form, u"targetThreadsSpin"_s, tr("Threads"), std::max(availableThreads(), 1));
    m_tensor = addSpin(m_form, u"targetTensorSpin"_s, tr("Processes a block (tp)"), kMostParallel);
    m_tensor->setToolTip(tr("Tensor parallel: so many processes share each block's heads and neurons"));
    m_pipeline = addSpin(m_form, u"targetPipelineSpin"_s, tr("Stages (pp)"), kMostParallel);
    m_pipeline->setToolTip(tr("Pipeline parallel: the blocks lie in so many stages, each with processes of its own"));
    m_replicas = addSpin(m_form, u"targetReplicasSpin"_s, tr("Replicas (dp)"), kMostParallel);
    m_replicas->setToolTip(tr("Data parallel: so many processes have the whole model and a batch each; rates count them all"));
    m_batch = addSpin(m_form, u"targetBatchSpin"_s, tr("Batch"), 4096);
    m_sequence = addSpin(m_form, u"targetSequenceSpin"_s, tr("Tokens per item"), 131072);
    m_prompt = addSpin(m_form, u"targetPromptSpin"_s, tr("Tokens of the prompt"), 131072);
    m_generate = addSpin(m_form, u"targetGenerateSpin"_s, tr("Tokens generated"), 131072);

    auto* menu = new QMenu(this);
    menu->setObjectName(u"targetMenu"_s);
    auto* action = new QWidgetAction(menu);
    action->setObjectName(u"target.panel"_s);
    action->setDefaultWidget(panel);
    menu->addAction(action);
    setMenu(menu);
    connect(menu, &QMenu::aboutToShow, this, [this] {
        m_workers.worker(machine()).ensureStarted();  // it knows the devices
        fillMachines();
        fillDevices();
    });
    connect(m_machine, &QComboBox::activated, this, &TargetChooser::chooseMachine);
    connect(m_host, &QToolButton::clicked, this, [this] { editHost(false); });
    connect(m_device, &QComboBox::activated, this, &TargetChooser::edit);
    connect(&m_workers, &Workers::helloReceived, this, &TargetChooser::fillDevices);
    connect(&m_workers, &Workers::stateChanged, this, &TargetChooser::fillDevices);
    connect(&m_workers, &Workers::hostsChanged, this, &TargetChooser::fillMachines);
    connect(&m_workspace, &Workspace::targetChanged, this, &TargetChooser::showTarget);
    connect(&m_workspace, &Workspace::modelChanged, this, &TargetChooser::showTarget);
    fillMachines();
    fillDevices();
    showTarget();
}

QSpinBox* TargetChooser::addSpin(QFormLayout* form, const QString& name, const QString& label,
                                 int most) {
    auto* spin = new QSpinBox(form->parentWidget());
    spin->setObjectName(name);
    spin->setAccessibleName(label);
    spin->setRange(1, most);
    spin->setKeyboardTracking(false);
    widgets::UndoKeysPassOn::install(spin);
    connect(spin, &QSpinBox::valueChanged, this, &TargetChooser::edit);
    form->addRow(label, spin);
    return spin;
}

/// In the words of the error that a run would end with.
QString TargetChooser::whyNoGpu() const {
    const auto* hello = m_workers.hello(machine());
    if (hello == nullptr) {
        return tr("GPUs: not known until the worker has started");
    }
    const auto& versions = hello->versions;
    if (!versions.is_object() || !versions.contains("no_cuda")) {
        return tr("GPUs: the worker found none that libtorch can use");
    }
    auto problem = errorFromJson(versions["no_cuda"]);
    if (problem.args.contains("device") && problem.args["device"] == "cuda") {
        problem.args["device"] = "cuda:0";
    }
    return studio::text(problem);
}

int TargetChooser::availableThreads(const QString& machine) const {
    if (machine == Workers::localName()) {
        return std::max(1, availableThreads());
    }
    constexpr int kUnknown = 4096;
    const auto* hello = m_workers.hello(machine);
    return hello != nullptr && hello->machine.cores > 0 ? hello->machine.cores : kUnknown;
}

QString TargetChooser::machine() const { return fromUtf8(m_workspace.target().machine); }

/// Why nothing is known of the machine that is chosen.
QString TargetChooser::whyNoMachine() const {
    if (machine() == Workers::localName()) {
        return {};
    }
    const auto& worker = m_workers.worker(machine());
    if (worker.problem()) {
        return studio::text(*worker.problem());
    }
    return worker.state() == WorkerClient::State::Starting ? tr("%1 is being reached…").arg(machine())
                                                           : tr("%1 has not been reached yet").arg(machine());
}

void TargetChooser::fillMachines() {
    const QScopedValueRollback showing(m_showing, true);
    m_machine->clear();
    m_machine->addItem(tr("This machine"), Workers::localName());
    for (const auto& host : m_workers.hosts()) {
        m_machine->addItem(host.name(), host.name());
    }
    if (m_machine->findData(machine()) < 0) {
        m_machine->addItem(machine(), machine());  // chosen once, and taken off the list
    }
    m_machine->insertSeparator(m_machine->count());
    m_machine->addItem(tr("Another machine…"), QString());
    showTarget();
}

void TargetChooser::chooseMachine() {
    const QString chosen = m_machine->currentData().toString();
    if (chosen.isEmpty()) {
        editHost(true);
        return;
    }
    useMachine(chosen);
}

void TargetChooser::useMachine(const QString& machine) {
    Target target = m_workspace.target();
    if (fromUtf8(target.machine) == machine) {
        return;
    }
    target.machine = machine.toStdString();
    target.device = "cpu";
    target.threads = std::clamp(target.threads, 1, availableThreads(machine));
    m_workers.worker(machine).ensureStarted();
    m_workspace.setTarget(target);
    fillDevices();
}

/// Of the machine that is chosen, or of another one.
void TargetChooser::editHost(bool another) {
    if (menu() != nullptr) {
        menu()->close();
    }
    fillMachines();
    const Host* known = another ? nullptr : m_workers.host(machine());
    auto* dialog = new HostDialog(known != nullptr ? *known : another ? Host{} : Host{{machine().toStdString(), "pareto"}, false},
                                  !another, window());
    connect(dialog, &HostDialog::chosen, this, [this](const Host& host) {
        m_workers.addHost(host);
        useMachine(host.name());
        m_workers.worker(host.name()).ensureStarted();
        fillDevices();
        if (menu() != nullptr) {
            menu()->popup(mapToGlobal(QPoint(0, height())));  // to see whether it is reached
        }
    });
    connect(dialog, &HostDialog::removed, this, [this](const QString& machine) {
        m_workers.removeHost(machine);
        useMachine(Workers::localName());
    });
    m_dialogs.show(dialog);
}

/// CPU is always there; a GPU only when the worker reported it.
void TargetChooser::fillDevices() {
    const QScopedValueRollback showing(m_showing, true);
    m_device->clear();
    m_device->addItem(tr("CPU"), u"cpu"_s);
    const auto* hello = m_workers.hello(machine());
    if (hello != nullptr) {
        for (const auto& device : hello->machine.devices) {
            const QString name = fromUtf8(device);
            if (name.startsWith(u"cuda:"_s)) {
                m_device->addItem(name, name.section(u' ', 0, 0));
            }
        }
    }
    const bool gpu = m_device->count() > 1;
    if (!gpu) {
        m_device->addItem(tr("cuda:0 (cannot be used)"), u"cuda:0"_s);
        auto* model = qobject_cast<QStandardItemModel*>(m_device->model());
        model->item(m_device->count() - 1)->setEnabled(false);
        m_device->setItemData(m_device->count() - 1, whyNoGpu(), Qt::ToolTipRole);
    }
    const QString reason = hello == nullptr ? whyNoMachine() : QString();
    m_reason->setText(!reason.isEmpty() ? reason : gpu ? QString() : whyNoGpu());
    m_reason->setVisible(!m_reason->text().isEmpty());
    // A menu asks for no height for a width, and grows while it is open only when an action says that it changed.
    m_reason->setFixedHeight(m_reason->heightForWidth(kReasonWidth));
    showTarget();
    if (menu() != nullptr && menu()->isVisible()) {
        QActionEvent changed(QEvent::ActionChanged, menu()->actions().constFirst());
        QCoreApplication::sendEvent(menu(), &changed);
    }
}

void TargetChooser::showTarget() {
    const QScopedValueRollback showing(m_showing, true);
    const auto& target = m_workspace.target();
    const bool decoder = m_workspace.model() && m_workspace.model()->generates();
    m_machine->setCurrentIndex(std::max(0, m_machine->findData(machine())));
    const bool here = machine() == Workers::localName();
    m_host->setVisible(!here);
    m_device->setCurrentIndex(std::max(0, m_device->findData(fromUtf8(target.device))));
    m_threads->setMaximum(availableThreads(machine()));
    m_threads->setValue(target.threads);
    m_tensor->setValue(target.tensorParallel);
    m_pipeline->setValue(target.pipelineParallel);
    m_replicas->setValue(target.replicas);
    m_batch->setValue(static_cast<int>(target.batch));
    m_sequence->setValue(static_cast<int>(target.sequence));
    m_prompt->setValue(static_cast<int>(target.prompt));
    m_generate->setValue(static_cast<int>(target.generate));
    const auto showRow = [this](QWidget* field, bool visible) {
        field->setVisible(visible);
        m_form->labelForField(field)->setVisible(visible);
    };
    // Models in parts run on the CPU.
    showRow(m_tensor, target.device == "cpu");
    showRow(m_pipeline, target.device == "cpu");
    showRow(m_replicas, target.device == "cpu" && target.processes() == 1);  // a replica is one process
    showRow(m_sequence, !decoder);
    showRow(m_prompt, decoder);
    showRow(m_generate, decoder);
    setText(u"%1 · %2"_s.arg(here ? tr("This machine") : machine(), targetText(target, decoder)));
    setAccessibleName(tr("Target: %1").arg(text()));
    setToolTip(tr("Where runs are measured: device, threads, batch × tokens"));
}

void TargetChooser::edit() {
    if (m_showing) {
        return;
    }
    Target target = m_workspace.target();
    target.device = m_device->currentData().toString().toStdString();
    target.threads = m_threads->value();
    const bool cpu = target.device == "cpu";
    target.tensorParallel = cpu ? m_tensor->value() : 1;
    target.pipelineParallel = cpu ? m_pipeline->value() : 1;
    target.replicas = cpu && target.processes() == 1 ? m_replicas->value() : 1;
    if (const int processes = target.processes() * target.replicas; processes > 1) {
        // Each gets its part of the cores.
        target.threads = std::clamp(target.threads, 1, std::max(1, availableThreads(machine()) / processes));
    }
    target.batch = m_batch->value();
    target.sequence = m_sequence->value();
    target.prompt = m_prompt->value();
    target.generate = m_generate->value();
    m_workspace.setTarget(target);
}

}  // namespace pareto::studio
