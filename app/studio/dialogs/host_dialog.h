#pragma once

#include <QDialog>

#include "app/studio/workers.h"

QT_BEGIN_NAMESPACE
class QCheckBox;
class QLabel;
class QLineEdit;
class QPushButton;
QT_END_NAMESPACE

namespace pareto::studio {

/// A machine that ssh reaches: its name, the program there, whether files must be copied to it.
class HostDialog : public QDialog {
    Q_OBJECT
public:
    /// `known`: it is on the list, can be taken off it, and keeps its name.
    HostDialog(const Host& host, bool known, QWidget* parent = nullptr);

Q_SIGNALS:
    void chosen(const pareto::studio::Host& host);
    void removed(const QString& machine);

private:
    Result<SshHost> host() const;
    void showProblem();

    QLineEdit* m_name = nullptr;
    QLineEdit* m_program = nullptr;
    QCheckBox* m_sameFiles = nullptr;
    QLabel* m_problem = nullptr;
    QPushButton* m_accept = nullptr;
};

}  // namespace pareto::studio
