#pragma once

#include <QObject>

#include "app/studio/services.h"

QT_BEGIN_NAMESPACE
class QMenu;
QT_END_NAMESPACE

namespace pareto::studio {

class MainWindow;

/// Menus File, Model and Help.
class FileCommands : public QObject {
    Q_OBJECT
public:
    FileCommands(const Services& services, MainWindow& window);
    ~FileCommands() override;

    /// A project, a recipe when it is another JSON file, else a model.
    void openPath(const QString& path);

private:
    void connectFile();
    void connectHelp();
    void openModel();
    void openRecipe();
    void openRecipeFile(const QString& path);
    void saveRecipe();
    void saveRecipeAs();
    void exportModel();
    void openExportDialog(std::int64_t run);
    void savePlot();
    void newWindow();
    QMenu* addMenu(const char* action, const QString& name);
    void fillRecent(QMenu* menu);
    void fillFound(QMenu* menu, bool samples);
    void updateEnabled();

    Services m_services;
    MainWindow& m_window;
};

}  // namespace pareto::studio
