#pragma once

#include <QObject>

#include "app/studio/services.h"

QT_BEGIN_NAMESPACE
class QLabel;
class QProgressBar;
class QToolButton;
QT_END_NAMESPACE

namespace pareto::widgets {
class ElidedLabel;
}

namespace pareto::studio {

class MainWindow;

/// The status bar: what runs and how far it is, else how the last job ended, on the left, worker and store on the right.
class StatusLine : public QObject {
    Q_OBJECT
public:
    StatusLine(const Services& services, MainWindow& window);

private:
    void showProgress();
    void showOutcome();
    void actOnOutcome();
    void showState();
    QString workerText() const;

    Services m_services;
    widgets::ElidedLabel* m_stage = nullptr;
    QProgressBar* m_bar = nullptr;
    QToolButton* m_act = nullptr;  ///< Show folder or Retry, for the job that ended last
    QLabel* m_state = nullptr;
    int m_ended = 0;  ///< id of that job, 0: none
};

}  // namespace pareto::studio
