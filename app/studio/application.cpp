#include "app/studio/application.h"

#include <QApplication>
#include <QDir>
#include <QFileInfo>
#include <QLibraryInfo>
#include <QLocale>
#include <QStandardPaths>
#include <QStatusBar>
#include <QTranslator>

#include "app/studio/actions.h"
#include "app/studio/commands/project_commands.h"
#include "app/studio/found_models.h"
#include "app/studio/job_queue.h"
#include "app/studio/main_window.h"
#include "app/studio/playground.h"
#include "app/studio/projects.h"
#include "app/studio/runner.h"
#include "app/studio/runs.h"
#include "app/studio/selection.h"
#include "app/studio/store_thread.h"
#include "app/studio/sweeps.h"
#include "app/studio/task_catalogue.h"
#include "app/studio/toolbar/target_chooser.h"
#include "app/studio/training_runs.h"
#include "app/studio/workspace.h"
#include "widgets/support/theme.h"

// In the global namespace, as the macro demands: resources of a static library are not found by
// themselves.
static void initResources() {
    Q_INIT_RESOURCE(studio);
    Q_INIT_RESOURCE(translations);
}

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

constexpr int kSessionDelayMs = 2000;
constexpr const char* kFirstSample = "injection-classifier";

std::string textOf(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

}  // namespace

QString Application::defaultWorker() {
    const QString beside = QCoreApplication::applicationDirPath() + u"/pareto"_s;
    if (QFileInfo(beside).isExecutable()) {
        return beside;
    }
    const QString found = QStandardPaths::findExecutable(u"pareto"_s);
    return found.isEmpty() ? beside : found;
}

Application::Application(QApplication& application, StartOptions options)
    : m_application(application),
      m_options(std::move(options)),
      m_paths(Paths::make(m_options.dataDir, m_options.database)),
      m_settings(std::make_unique<Settings>(m_paths.configFile)),
      m_workerLog(m_paths.logs + u"/worker.log"_s),
      m_session(readWindowState(m_paths.stateFile)) {
    initResources();
    m_systemFontSize = QApplication::font().pointSizeF();
    installLanguage(m_settings->language());
    applyLooks();
    m_store = std::make_unique<StoreThread>(m_paths.store);
    WorkerCommand command;
    command.program = m_options.worker.isEmpty() ? defaultWorker() : m_options.worker;
    m_worker = std::make_unique<WorkerClient>(command, m_options.patience);
    connect(m_worker.get(), &WorkerClient::logged, this,
            [this](const QByteArray& text) { m_workerLog.append(text); });
    m_workers = std::make_unique<Workers>(*m_worker, *m_settings);
    connect(m_workers.get(), &Workers::logged, this, [this](const QByteArray& text) { m_workerLog.append(text); });
    m_workspace = std::make_unique<Workspace>(m_paths.drafts);
    m_selection = std::make_unique<Selection>();
    m_runs = std::make_unique<Runs>(*m_store, *m_workspace);
    m_queue = std::make_unique<JobQueue>(*m_workers, *m_store, m_paths.queue);
    m_tasks = std::make_unique<TaskCatalogue>(*m_settings);
    m_runner = std::make_unique<Runner>(*m_workspace, *m_runs, *m_queue, *m_settings);
    m_playground = std::make_unique<Playground>(*m_workspace, *m_runs, *m_selection, *m_queue,
                                                *m_worker);
    m_training = std::make_unique<TrainingRuns>(*m_queue, *m_runs, *m_selection);
    m_projects = std::make_unique<Projects>(*m_queue, *m_store);
    m_sweeps = std::make_unique<Sweeps>(*m_store, *m_settings, command.program);
    m_actions = std::make_unique<Actions>();
    restoreTaskAndTarget();

    m_saveTimer.setSingleShot(true);
    m_saveTimer.setInterval(kSessionDelayMs);
    connect(&m_saveTimer, &QTimer::timeout, this, &Application::saveSession);
    const auto soon = [this] { m_saveTimer.start(); };
    connect(m_workspace.get(), &Workspace::modelChanged, this, soon);
    connect(m_workspace.get(), &Workspace::taskChanged, this, soon);
    connect(m_workspace.get(), &Workspace::targetChanged, this, soon);
    connect(m_selection.get(), &Selection::runsChanged, this, soon);
    connect(m_projects.get(), &Projects::projectOpened, this, soon);
    connect(m_selection.get(), &Selection::layersChanged, this, soon);
    connect(m_workspace.get(), &Workspace::modelChanged, this, &Application::chooseTask);
    connect(m_workspace.get(), &Workspace::targetChanged, this, &Application::nameMachine);
    connect(m_workers.get(), &Workers::helloReceived, this, &Application::nameMachine);
    connect(m_workers.get(), &Workers::hostsChanged, this, &Application::nameMachine);
    nameMachine();
    makeWindow();
}

Application::~Application() {
    m_window.reset();
    m_sweeps.reset();
    m_projects.reset();
    m_training.reset();
    m_playground.reset();
    m_queue.reset();
    m_workers->shutDown();
}

Services Application::services() {
    return {*m_workspace, *m_selection, *m_runs,  *m_queue,    *m_runner,   *m_playground, *m_worker,
            *m_workers,   *m_store,     *m_tasks,     *m_training, *m_projects, *m_sweeps,
            *m_settings,  *m_actions,   m_paths};
}

void Application::makeWindow() {
    m_actions->retranslate();
    m_window = std::make_unique<MainWindow>(services());
    connect(m_window.get(), &MainWindow::closing, this, [this] {
        m_window->saveLayout();
        saveSession();
    });
    connect(m_window.get(), &MainWindow::themeChosen, this, &Application::applyLooks);
    connect(m_window.get(), &MainWindow::fontSizeChosen, this, &Application::applyLooks);
    // Not from within the menu that is about to be destroyed.
    connect(m_window.get(), &MainWindow::languageChosen, this, &Application::useLanguage,
            Qt::QueuedConnection);
    m_window->restoreViewState(m_session.value("view", Json::object()));
}

void Application::installLanguage(const QString& language) {
    for (auto* translator : {&m_translator, &m_qtTranslator}) {
        if (*translator) {
            QCoreApplication::removeTranslator(translator->get());
            translator->reset();
        }
    }
    const QLocale locale = language.isEmpty() ? QLocale::system() : QLocale(language);
    QLocale::setDefault(locale);
    // A language without texts of its own reads English, which has its plurals in a file too.
    m_translator = std::make_unique<QTranslator>();
    if (m_translator->load(locale, u"pareto_studio"_s, u"_"_s, u":/translations"_s) ||
        m_translator->load(QLocale(QLocale::English), u"pareto_studio"_s, u"_"_s,
                           u":/translations"_s)) {
        QCoreApplication::installTranslator(m_translator.get());
    }
    if (locale.language() == QLocale::C) {
        return;
    }
    m_qtTranslator = std::make_unique<QTranslator>();
    if (m_qtTranslator->load(locale, u"qtbase"_s, u"_"_s,
                             QLibraryInfo::path(QLibraryInfo::TranslationsPath))) {
        QCoreApplication::installTranslator(m_qtTranslator.get());
    }
}

void Application::useLanguage(const QString& language) {
    m_settings->setLanguage(language);
    installLanguage(language);
    applyLooks();
    rebuildWindow();
}

void Application::rebuildWindow() {
    const bool visible = m_window->isVisible();
    m_session["view"] = m_window->viewState();
    m_window->saveLayout();
    m_window.reset();
    makeWindow();
    if (visible) {
        m_window->show();
    }
}

void Application::applyLooks() {
    using widgets::ThemeMode;
    const auto theme = m_settings->theme();
    widgets::applyTheme(m_application, theme == ThemeChoice::Light  ? ThemeMode::Light
                                       : theme == ThemeChoice::Dark ? ThemeMode::Dark
                                                                    : ThemeMode::System);
    QFont font = QApplication::font();
    const int size = m_settings->fontSize();
    // Without a family of its own a CJK text may be drawn in any weight the system finds first.
    QStringList families = font.families().mid(0, 1);
    if (QLocale().language() == QLocale::Chinese) {
        families.append(u"Noto Sans CJK SC"_s);
    }
    font.setFamilies(families);
    font.setPointSizeF(size == 0 ? m_systemFontSize : size);
    QApplication::setFont(font);
}

void Application::start() {
    m_window->show();
    if (m_settings->wasDamaged()) {
        m_window->showNotice(
            tr("The settings could not be read; the defaults hold. The old file is kept as .bak."));
    }
    openFirst();
    openProject();
}

/// That of the last session, where it still is.
void Application::openProject() {
    const QString folder = QString::fromStdString(textOf(m_session, "project"));
    if (!folder.isEmpty() && ProjectCommands::isProject(folder)) {
        m_projects->open(folder);
    }
}

/// Named on the command line, else the model of the last session, else the first sample.
void Application::openFirst() {
    QString path = m_options.model;
    const auto samples = sampleModels();
    const auto sample = [&](const QString& name) {
        for (const auto& model : samples) {
            if (model.title == name) {
                return model.path;
            }
        }
        return QString();
    };
    if (path.isEmpty() && !m_options.sample.isEmpty()) {
        path = sample(m_options.sample);
        if (path.isEmpty()) {
            m_window->showNotice(
                tr("There is no sample named %1 on this machine; ./dev setup fetches them.")
                    .arg(m_options.sample));
            return;
        }
    }
    if (path.isEmpty()) {
        path = QString::fromStdString(textOf(m_session, "model"));
        if (!path.isEmpty() && !QFileInfo::exists(path)) {
            path.clear();
        }
    }
    if (path.isEmpty() && !m_session.contains("model")) {
        path = sample(QString::fromLatin1(kFirstSample));
    }
    if (!path.isEmpty()) {
        m_workspace->openModel(path);
    }
}

void Application::restoreTaskAndTarget() {
    Target target;
    target.threads = TargetChooser::availableThreads();
    if (const auto stored = m_session.find("target"); stored != m_session.end()) {
        auto parsed = targetFromJson(*stored);
        if (parsed.ok()) {
            target = std::move(parsed).value();
            if (target.machine == Workers::localName().toStdString()) {
                target.threads = std::clamp(target.threads, 1, TargetChooser::availableThreads());
            }
        }
    }
    m_workspace->setTarget(target);
    if (const auto stored = m_session.find("task");
        stored != m_session.end() && stored->is_object()) {
        auto parsed = taskFromJson(*stored, "");
        if (parsed.ok()) {
            m_workspace->setTask(std::move(parsed).value());
        }
    }
}

/// Once there are several machines, runs of the one that is chosen are compared.
void Application::nameMachine() {
    const auto* hello = m_workers->hello(QString::fromStdString(m_workspace->target().machine));
    const bool several = !m_workers->hosts().empty();
    m_workspace->setMachine(several && hello != nullptr ? QString::fromStdString(hello->machine.id) : QString());
}

/// A newly opened model without a fitting task gets the first that fits. The first model of a session
/// also brings back what was selected.
void Application::chooseTask() {
    const auto& model = m_workspace->model();
    if (!model) {
        return;
    }
    if (!m_workspace->task()) {
        m_workspace->setTask(m_tasks->suggestion(model->layout));
    }
    if (m_selectionRestored) {
        m_selection->setLayers({});
        return;
    }
    m_selectionRestored = true;
    std::vector<RunId> ids;
    for (const auto& id : m_session.value("runs", Json::array())) {
        if (id.is_number_integer()) {
            ids.push_back(id.get<RunId>());
        }
    }
    m_selection->setRuns(std::move(ids), m_session.value("run", RunId{0}));
    if (textOf(m_session, "model") == model->path.toStdString()) {
        QStringList layers;
        for (const auto& name : m_session.value("layers", Json::array())) {
            if (name.is_string()) {
                layers.append(QString::fromStdString(name.get<std::string>()));
            }
        }
        m_selection->setLayers(layers, QString::fromStdString(textOf(m_session, "layer")));
    }
}

void Application::saveSession() {
    m_saveTimer.stop();
    Json session = Json::object();
    session["version"] = 1;
    session["model"] =
        m_workspace->model() ? m_workspace->model()->path.toStdString() : std::string{};
    if (m_workspace->task()) {
        session["task"] = taskToJson(*m_workspace->task());
    }
    session["target"] = targetToJson(m_workspace->target());
    session["project"] = m_projects->folder().toStdString();
    session["runs"] = m_selection->runs();
    session["run"] = m_selection->currentRun();
    Json layers = Json::array();
    for (const auto& name : m_selection->layers()) {
        layers.push_back(name.toStdString());
    }
    session["layers"] = std::move(layers);
    session["layer"] = m_selection->currentLayer().toStdString();
    if (m_window) {
        session["view"] = m_window->viewState();
    }
    m_session = session;
    writeWindowState(m_paths.stateFile, session);
    m_workspace->recipe().saveDraft();
    m_settings->sync();
}

}  // namespace pareto::studio
