#include "app/studio/dialogs/host_dialog.h"

#include <QCheckBox>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include "app/studio/dialogs/dialog_buttons.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

HostDialog::HostDialog(const Host& host, bool known, QWidget* parent) : QDialog(parent) {
    setObjectName(u"hostDialog"_s);
    setWindowTitle(known ? tr("Machine %1").arg(host.name()) : tr("Another machine"));
    auto* about = new QLabel(tr("Runs are measured there by <code>pareto</code>, which ssh starts. Keys or an agent must answer for "
                                "you: <code>ssh HOST true</code> asks nothing."),
                             this);
    about->setObjectName(u"hostAboutLabel"_s);
    about->setWordWrap(true);
    m_name = new QLineEdit(host.name(), this);
    m_name->setObjectName(u"hostNameEdit"_s);
    m_name->setPlaceholderText(tr("gpu-box or user@gpu-box", "example of a host"));
    m_name->setReadOnly(known);
    m_program = new QLineEdit(QString::fromStdString(host.ssh.program), this);
    m_program->setObjectName(u"hostProgramEdit"_s);
    m_program->setToolTip(tr("As the shell there finds it; the same version as this studio"));
    m_sameFiles = new QCheckBox(tr("Models and data lie there under the same paths"), this);
    m_sameFiles->setObjectName(u"hostSameFilesBox"_s);
    m_sameFiles->setToolTip(tr("As on a shared file system. Else what a run reads is copied there by rsync, once for each content"));
    m_sameFiles->setChecked(host.sameFiles);
    m_problem = new QLabel(this);
    m_problem->setObjectName(u"hostProblemLabel"_s);
    m_problem->setWordWrap(true);
    auto* form = new QFormLayout;
    form->addRow(tr("Host"), m_name);
    form->addRow(tr("Program there"), m_program);
    form->addRow(m_sameFiles);
    auto* buttons = addButtons(this, QDialogButtonBox::Ok | QDialogButtonBox::Cancel);
    m_accept = buttons->button(QDialogButtonBox::Ok);
    if (known) {
        auto* remove = buttons->addButton(tr("Remove"), QDialogButtonBox::DestructiveRole);
        remove->setObjectName(u"hostRemoveButton"_s);
        connect(remove, &QPushButton::clicked, this, [this] {
            Q_EMIT removed(m_name->text());
            close();
        });
    }
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(about);
    layout->addLayout(form);
    layout->addWidget(m_problem);
    layout->addWidget(buttons);
    connect(m_name, &QLineEdit::textChanged, this, &HostDialog::showProblem);
    connect(m_program, &QLineEdit::textChanged, this, &HostDialog::showProblem);
    connect(buttons, &QDialogButtonBox::accepted, this, [this] {
        if (auto ssh = this->host(); ssh.ok()) {
            Q_EMIT chosen({std::move(ssh).value(), m_sameFiles->isChecked()});
            accept();
        }
    });
    showProblem();
}

Result<SshHost> HostDialog::host() const {
    const QString text = m_name->text().trimmed() + u':' + m_program->text().trimmed();
    return sshHostFrom(text.toStdString());
}

void HostDialog::showProblem() {
    const bool fine = host().ok();
    const bool begun = !m_name->text().trimmed().isEmpty();
    m_problem->setText(fine || !begun ? QString()
                                      : tr("A host is a name as ssh takes it, a program a path: letters, digits and . _ - / @ ~"));
    m_accept->setEnabled(fine);
}

}  // namespace pareto::studio
