#pragma once

#include <QObject>

#include "app/studio/services.h"

QT_BEGIN_NAMESPACE
class QLabel;
class QProgressBar;
QT_END_NAMESPACE

namespace pareto::studio {

class MainWindow;

/// The status bar: what runs and how far it is on the left, worker and store on the right.
class StatusLine : public QObject {
    Q_OBJECT
public:
    StatusLine(const Services& services, MainWindow& window);

private:
    void showProgress();
    void showState();
    QString workerText() const;

    Services m_services;
    QLabel* m_stage = nullptr;
    QProgressBar* m_bar = nullptr;
    QLabel* m_state = nullptr;
};

}  // namespace pareto::studio
