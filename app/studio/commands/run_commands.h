#pragma once

#include <QObject>

#include "app/studio/services.h"

namespace pareto::studio {

class MainWindow;

/// Menu Run.
class RunCommands : public QObject {
    Q_OBJECT
public:
    RunCommands(const Services& services, MainWindow& window);

private:
    void connectStarting();
    void connectRuns();
    void connectTrouble();
    void stop();
    void pin();
    void compare();
    void useRecipe();
    void copyCommand();
    void deleteRuns();
    void openGrid();
    void openSweep();
    void updateEnabled();

    Services m_services;
    MainWindow& m_window;
    int m_noticedJob = 0;  ///< newest job whose missing worker was said
};

}  // namespace pareto::studio
