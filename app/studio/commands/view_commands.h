#pragma once

#include <QObject>

#include "app/studio/services.h"

QT_BEGIN_NAMESPACE
class QMenu;
QT_END_NAMESPACE

namespace pareto::studio {

class MainWindow;

/// Menu View: pages, panes, theme, language, layout.
class ViewCommands : public QObject {
    Q_OBJECT
public:
    ViewCommands(const Services& services, MainWindow& window);
    ~ViewCommands() override;

private:
    QMenu* addMenu(const char* action, const QString& name);
    void addPages();
    void addPanes();
    void addThemes();
    void addLanguages();

    Services m_services;
    MainWindow& m_window;
};

}  // namespace pareto::studio
