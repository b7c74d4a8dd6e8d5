#pragma once

#include <memory>
#include <optional>

#include <QObject>
#include <QString>
#include <QTimer>

#include "app/studio/log_file.h"
#include "app/studio/settings.h"
#include "app/studio/worker_client.h"
#include "app/studio/workers.h"

QT_BEGIN_NAMESPACE
class QApplication;
class QTranslator;
QT_END_NAMESPACE

namespace pareto::studio {

class Actions;
class JobQueue;
class MainWindow;
class Playground;
class Projects;
class Runner;
class Runs;
class Selection;
class StoreThread;
class Sweeps;
class TaskCatalogue;
class TrainingRuns;
class Workspace;
struct Services;

/// What the command line asked for.
struct StartOptions {
    QString dataDir;   ///< empty: XDG folders
    QString database;  ///< empty: the default store
    QString worker;    ///< program; empty: `pareto` beside the studio
    QString sample;    ///< name of a sample to open
    QString model;     ///< path to open
    WorkerPatience patience;
};

/// The composition root: makes every owner of state, hands them down by reference, and keeps the
/// session. There is no other way to any of them.
class Application : public QObject {
    Q_OBJECT
public:
    Application(QApplication& application, StartOptions options);
    ~Application() override;

    /// Shows the window and opens what the options or the last session name.
    void start();
    MainWindow& window() { return *m_window; }
    Services services();
    WorkerClient& worker() { return *m_worker; }

    /// Writes the session now.
    void saveSession();
    /// Installs the translations of a language ("en", "zh_CN"; empty: the system's) and makes the
    /// window anew.
    void useLanguage(const QString& language);
    /// Makes the window anew with the texts of the translators now installed.
    void rebuildWindow();

    /// The worker program used when none is named: `pareto` beside this program, else in $PATH.
    static QString defaultWorker();

private:
    void makeWindow();
    void installLanguage(const QString& language);
    void applyLooks();
    void openFirst();
    void openProject();
    void restoreTaskAndTarget();
    void chooseTask();
    void nameMachine();

    QApplication& m_application;
    StartOptions m_options;
    Paths m_paths;
    std::unique_ptr<Settings> m_settings;
    std::unique_ptr<QTranslator> m_translator;
    std::unique_ptr<QTranslator> m_qtTranslator;
    std::unique_ptr<StoreThread> m_store;
    LogFile m_workerLog;
    std::unique_ptr<WorkerClient> m_worker;
    std::unique_ptr<Workers> m_workers;
    std::unique_ptr<Workspace> m_workspace;
    std::unique_ptr<Selection> m_selection;
    std::unique_ptr<Runs> m_runs;
    std::unique_ptr<JobQueue> m_queue;
    std::unique_ptr<TaskCatalogue> m_tasks;
    std::unique_ptr<Runner> m_runner;
    std::unique_ptr<Playground> m_playground;
    std::unique_ptr<TrainingRuns> m_training;
    std::unique_ptr<Projects> m_projects;
    std::unique_ptr<Sweeps> m_sweeps;
    std::unique_ptr<Actions> m_actions;
    std::unique_ptr<MainWindow> m_window;
    Json m_session = Json::object();
    QTimer m_saveTimer;
    qreal m_systemFontSize = 0.0;
    bool m_selectionRestored = false;
};

}  // namespace pareto::studio
