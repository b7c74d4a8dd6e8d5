#pragma once

#include <QDialog>

QT_BEGIN_NAMESPACE
class QLabel;
class QPlainTextEdit;
class QTableWidget;
QT_END_NAMESPACE

namespace pareto::studio {

class Sweeps;

/// The runs of a sweep with their states and errors, and what the process that works on it wrote. It follows the sweep
/// while it is open.
class SweepDialog : public QDialog {
    Q_OBJECT
public:
    SweepDialog(const Sweeps& sweeps, int id, QWidget* parent = nullptr);

private:
    void showRuns();

    const Sweeps& m_sweeps;
    int m_id = 0;
    QLabel* m_state = nullptr;
    QTableWidget* m_runs = nullptr;
    QPlainTextEdit* m_log = nullptr;
};

}  // namespace pareto::studio
