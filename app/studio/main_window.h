#pragma once

#include <memory>

#include <QMainWindow>

#include "app/studio/dialogs/dialogs.h"
#include "app/studio/services.h"
#include "engine/core/json.h"

QT_BEGIN_NAMESPACE
class QLabel;
class QTabWidget;
class QToolButton;
QT_END_NAMESPACE

namespace pareto::studio {

class ComparePage;
class DataPage;
class DetailsPane;
class ItemsPage;
class JobsPane;
class LayersPane;
class ParetoPage;
class PlaygroundPage;
class ProfilePage;
class ScalingPage;
class ProjectPage;
class RecipePane;
class ReportPage;
class RunsPane;
class TaskChooser;
class TrainingPage;

/// The window: pages in the centre, panes in docks around it, menus and toolbar from the registry. It
/// holds no state but its layout; commands are carried out by the classes in commands/.
class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    explicit MainWindow(const Services& services, QWidget* parent = nullptr);
    ~MainWindow() override;

    Dialogs& dialogs() { return m_dialogs; }
    ParetoPage* paretoPage() const { return m_pareto; }
    ComparePage* comparePage() const { return m_compare; }
    PlaygroundPage* playgroundPage() const { return m_playground; }
    DataPage* dataPage() const { return m_data; }
    ItemsPage* itemsPage() const { return m_items; }
    ReportPage* reportPage() const { return m_report; }
    ProfilePage* profilePage() const { return m_profile; }
    ScalingPage* scalingPage() const { return m_scaling; }
    TrainingPage* trainingPage() const { return m_training; }
    ProjectPage* projectPage() const { return m_project; }
    LayersPane* layersPane() const { return m_layers; }
    RunsPane* runsPane() const { return m_runs; }
    TaskChooser* taskChooser() const { return m_task; }

    void showPage(QWidget* page);
    void showCompare(const std::vector<std::int64_t>& runs);
    void showItems(const std::vector<std::int64_t>& runs);
    /// A sentence above the pages, with a button to close it; empty hides it.
    void showNotice(const QString& text);
    void resetLayout();
    void saveLayout();
    /// Page, plot axes and zoom, what was typed in pages.
    Json viewState() const;
    void restoreViewState(const Json& state);

Q_SIGNALS:
    void closing();
    void languageChosen(const QString& language);
    void themeChosen();
    void fontSizeChosen();

protected:
    void childEvent(QChildEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    void makeCentre();
    void makeDocks();
    void makeMenus();
    void makeToolBar();
    QDockWidget* addDock(const QString& name, const QString& title, QWidget* content,
                         Qt::DockWidgetArea area);
    void arrangeDocks();
    void arrangeSizes();
    bool restoreLayout();
    void showTitle();
    void showJobCount();

    Services m_services;
    WindowDialogs m_dialogs{*this};
    QTabWidget* m_pages = nullptr;
    QWidget* m_notice = nullptr;
    QLabel* m_noticeText = nullptr;
    ParetoPage* m_pareto = nullptr;
    ComparePage* m_compare = nullptr;
    PlaygroundPage* m_playground = nullptr;
    DataPage* m_data = nullptr;
    ItemsPage* m_items = nullptr;
    ReportPage* m_report = nullptr;
    ProfilePage* m_profile = nullptr;
    ScalingPage* m_scaling = nullptr;
    TrainingPage* m_training = nullptr;
    ProjectPage* m_project = nullptr;
    RecipePane* m_recipe = nullptr;
    LayersPane* m_layers = nullptr;
    RunsPane* m_runs = nullptr;
    JobsPane* m_jobs = nullptr;
    DetailsPane* m_details = nullptr;
    TaskChooser* m_task = nullptr;
    QDockWidget* m_recipeDock = nullptr;
    QDockWidget* m_layersDock = nullptr;
    QDockWidget* m_runsDock = nullptr;
    QDockWidget* m_jobsDock = nullptr;
    QDockWidget* m_detailsDock = nullptr;
    QByteArray m_defaultState;
    bool m_mayClose = false;
    bool m_shown = false;
    int m_dockTabBars = 0;
};

}  // namespace pareto::studio
