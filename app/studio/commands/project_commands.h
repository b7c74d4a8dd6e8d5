#pragma once

#include <QObject>

#include "app/studio/services.h"

QT_BEGIN_NAMESPACE
class QMenu;
QT_END_NAMESPACE

namespace pareto::studio {

class MainWindow;

/// The projects in the menu File, and what the page Project asks of the window.
class ProjectCommands : public QObject {
    Q_OBJECT
public:
    ProjectCommands(const Services& services, MainWindow& window);
    ~ProjectCommands() override;

    /// Whether a path is a project's folder or its project.json.
    static bool isProject(const QString& path);

private:
    void newProject();
    void chooseProject();
    void open(const QString& path);
    void fillRecent();
    void showOnPlot();

    Services m_services;
    MainWindow& m_window;
    QMenu* m_recent = nullptr;
};

}  // namespace pareto::studio
