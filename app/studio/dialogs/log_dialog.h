#pragma once

#include <QDialog>

namespace pareto::studio {

struct Job;

/// What a job said: its outcome in full, and the worker's own log.
class LogDialog : public QDialog {
    Q_OBJECT
public:
    LogDialog(const Job* job, const QString& log, QWidget* parent = nullptr);
};

}  // namespace pareto::studio
