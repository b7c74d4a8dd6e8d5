#include "app/studio/commands/file_commands.h"

#include <QAction>
#include <QCoreApplication>
#include <QDesktopServices>
#include <QDir>
#include <QFileInfo>
#include <QMenu>
#include <QProcess>
#include <QUrl>

#include "app/studio/actions.h"
#include "app/studio/commands/project_commands.h"
#include "app/studio/dialogs/export_dialog.h"
#include "app/studio/dialogs/info_dialogs.h"
#include "app/studio/dialogs/preferences_dialog.h"
#include "app/studio/found_models.h"
#include "app/studio/job_queue.h"
#include "app/studio/main_window.h"
#include "app/studio/pages/pareto_page.h"
#include "app/studio/pages/project_page.h"
#include "app/studio/projects.h"
#include "app/studio/runner.h"
#include "app/studio/settings.h"
#include "app/studio/task_catalogue.h"
#include "app/studio/texts.h"
#include "app/studio/worker_client.h"
#include "app/studio/workspace.h"
#include "widgets/plots/pareto_plot.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

FileCommands::FileCommands(const Services& services, MainWindow& window)
    : QObject(&window), m_services(services), m_window(window) {
    connectFile();
    connectHelp();
    connect(&services.workspace, &Workspace::modelChanged, this, &FileCommands::updateEnabled);
    connect(&services.workspace, &Workspace::modelChanged, this, [this] {
        if (m_services.workspace.model()) {
            m_services.settings.addRecentModel(m_services.workspace.model()->path);
        }
    });
    connect(&services.workspace, &Workspace::modelFailed, this,
            [this](const QString& path, const Error& error) {
                m_window.dialogs().tell(
                    tr("%1 could not be opened").arg(QFileInfo(path).fileName()), error);
            });
    connect(&services.selection, &Selection::runsChanged, this, &FileCommands::updateEnabled);
    updateEnabled();
}

/// Menus hang on actions of the registry, which outlive the window.
FileCommands::~FileCommands() {
    for (const char* id : {"file.recent", "file.cache", "help.sample"}) {
        m_services.actions[id]->setMenu(static_cast<QMenu*>(nullptr));
    }
}

QMenu* FileCommands::addMenu(const char* action, const QString& name) {
    auto* menu = new QMenu(&m_window);
    menu->setObjectName(name);
    menu->setToolTipsVisible(true);
    m_services.actions[action]->setMenu(menu);
    return menu;
}

void FileCommands::connectFile() {
    auto& actions = m_services.actions;
    const auto on = [&](const char* id, auto slot) {
        connect(actions[id], &QAction::triggered, this, slot);
    };
    on("file.newWindow", [this] { newWindow(); });
    on("file.open", [this] { openModel(); });
    on("file.openRecipe", [this] { openRecipe(); });
    on("file.saveRecipe", [this] { saveRecipe(); });
    on("file.saveRecipeAs", [this] { saveRecipeAs(); });
    on("file.export", [this] { exportModel(); });
    on("file.savePlot", [this] { savePlot(); });
    on("file.quit", [this] { m_window.close(); });
    on("model.reload", [this] { m_services.workspace.reloadModel(); });
    on("model.close", [this] { m_services.workspace.closeModel(); });
    on("model.properties", [this] {
        const auto& workspace = m_services.workspace;
        m_window.dialogs().show(
            new PropertiesDialog(*workspace.model(), workspace.modelHash(), &m_window));
    });
    on("edit.preferences", [this] {
        auto* dialog = new PreferencesDialog(m_services.settings, &m_window);
        connect(dialog, &PreferencesDialog::fontSizeChanged, &m_window,
                &MainWindow::fontSizeChosen);
        m_window.dialogs().show(dialog);
    });
    auto* recent = addMenu("file.recent", u"recentMenu"_s);
    connect(recent, &QMenu::aboutToShow, this, [this, recent] { fillRecent(recent); });
    fillRecent(recent);
    auto* cache = addMenu("file.cache", u"cacheMenu"_s);
    connect(cache, &QMenu::aboutToShow, this, [this, cache] { fillFound(cache, false); });
    fillFound(cache, false);
}

void FileCommands::connectHelp() {
    auto& actions = m_services.actions;
    const auto on = [&](const char* id, auto slot) {
        connect(actions[id], &QAction::triggered, this, slot);
    };
    on("help.open", [this] { m_window.dialogs().show(new HelpDialog(&m_window)); });
    on("help.shortcuts",
       [this] { m_window.dialogs().show(new ShortcutsDialog(m_services.actions, &m_window)); });
    on("help.about",
       [this] { m_window.dialogs().show(new AboutDialog(m_services.worker, &m_window)); });
    on("help.logFolder", [this] {
        QDir().mkpath(m_services.paths.logs);
        QDesktopServices::openUrl(QUrl::fromLocalFile(m_services.paths.logs));
    });
    auto* samples = addMenu("help.sample", u"sampleMenu"_s);
    connect(samples, &QMenu::aboutToShow, this, [this, samples] { fillFound(samples, true); });
    fillFound(samples, true);
}

void FileCommands::fillRecent(QMenu* menu) {
    menu->clear();
    int number = 0;
    for (const auto& path : m_services.settings.recentModels()) {
        auto* action = menu->addAction(path);
        action->setObjectName(u"recent.%1"_s.arg(number++));
        action->setEnabled(QFileInfo::exists(path));
        action->setToolTip(action->isEnabled() ? path : tr("%1 is not there any more").arg(path));
        connect(action, &QAction::triggered, this, [this, path] { openPath(path); });
    }
    if (menu->isEmpty()) {
        menu->addAction(tr("none yet"))->setEnabled(false);
    }
}

void FileCommands::fillFound(QMenu* menu, bool samples) {
    menu->clear();
    int number = 0;
    for (const auto& model : samples ? sampleModels() : huggingFaceCache()) {
        auto* action = menu->addAction(model.title);
        action->setObjectName((samples ? u"sample.%1"_s : u"cache.%1"_s).arg(number++));
        action->setToolTip(model.path);
        connect(action, &QAction::triggered, this, [this, path = model.path] { openPath(path); });
    }
    if (menu->isEmpty()) {
        menu->addAction(samples ? tr("none here; ./dev setup fetches them") : tr("no models found"))
            ->setEnabled(false);
    }
}

void FileCommands::openPath(const QString& path) {
    if (ProjectCommands::isProject(path)) {
        m_services.projects.open(QFileInfo(path).isDir() ? path : QFileInfo(path).absolutePath());
        m_window.showPage(m_window.projectPage());
    } else if (path.endsWith(u".json"_s, Qt::CaseInsensitive)) {
        openRecipeFile(path);
    } else {
        m_services.workspace.openModel(path);
    }
}

void FileCommands::openModel() {
    FileRequest request;
    request.id = u"openModelDialog"_s;
    request.title = tr("Open a model: a folder, or its .gguf or .safetensors file");
    request.filters = {tr("Models (*.gguf *.safetensors *.bin *.pt *.pth *.onnx *.npz config.json modules.json)"),
                       tr("All files (*)")};
    m_window.dialogs().chooseFile(request, [this](const QString& path) {
        const QFileInfo info(path);
        const bool insideFolder = info.suffix() == u"json"_s;
        m_services.workspace.openModel(insideFolder ? info.absolutePath() : path);
    });
}

void FileCommands::openRecipe() {
    FileRequest request;
    request.id = u"openRecipeDialog"_s;
    request.title = tr("Open a recipe");
    request.filters = {tr("Recipes (*.json)"), tr("All files (*)")};
    m_window.dialogs().chooseFile(request, [this](const QString& path) { openRecipeFile(path); });
}

void FileCommands::openRecipeFile(const QString& path) {
    const auto opened = m_services.workspace.recipe().open(path);
    if (!opened.ok()) {
        m_window.dialogs().tell(tr("%1 could not be opened").arg(QFileInfo(path).fileName()),
                                opened.error());
    }
}

void FileCommands::saveRecipe() {
    auto& recipe = m_services.workspace.recipe();
    if (recipe.path().isEmpty()) {
        saveRecipeAs();
        return;
    }
    const auto saved = recipe.save(recipe.path());
    if (!saved.ok()) {
        m_window.dialogs().tell(tr("The recipe could not be saved"), saved.error());
    }
}

void FileCommands::saveRecipeAs() {
    FileRequest request;
    request.kind = FileRequest::Kind::SaveFile;
    request.id = u"saveRecipeDialog"_s;
    request.title = tr("Save the recipe");
    const QString name = m_services.workspace.recipe().displayName();
    request.name =
        (name.isEmpty() ? u"recipe"_s : QString(name).remove(u'/').remove(u'%').simplified()) +
        u".json"_s;
    request.filters = {tr("Recipes (*.json)")};
    request.suffix = u"json"_s;
    m_window.dialogs().chooseFile(request, [this](const QString& path) {
        const auto saved = m_services.workspace.recipe().save(path);
        if (!saved.ok()) {
            m_window.dialogs().tell(tr("The recipe could not be saved"), saved.error());
        }
    });
}

/// The chosen run's model as it was measured, or the recipe as it is now.
void FileCommands::exportModel() { openExportDialog(m_services.selection.currentRun()); }

void FileCommands::openExportDialog(std::int64_t run) {
    const auto open = [this](ExportDialog::Source source) {
        auto* dialog = new ExportDialog(source, m_window.dialogs(), &m_window);
        const QString title = tr("Export %1").arg(source.title);
        const auto id = source.run ? source.run->id : 0;
        connect(dialog, &ExportDialog::chosen, this,
                [this, title, id](const jobs::ExportParams& params) {
                    m_services.queue.addExport(params, title, id);
                });
        m_window.dialogs().show(dialog);
    };
    const auto& workspace = m_services.workspace;
    if (run == 0) {
        ExportDialog::Source source;
        const QString name = workspace.recipe().displayName();
        source.title = name.isEmpty() ? workspace.model()->name : name;
        source.model = workspace.model()->path;
        source.recipe = workspace.recipe().recipe();
        source.info = workspace.model();
        open(std::move(source));
        return;
    }
    m_services.runs.fetch(run, this, [this, open](const RunRecordPtr& record) {
        const auto params = Runner::paramsOf(*record);
        if (!params.ok()) {
            m_window.dialogs().tell(tr("The run cannot be exported"), params.error());
            return;
        }
        ExportDialog::Source source;
        source.title = fromUtf8(record->name);
        source.model = fromUtf8(record->modelPath);
        source.recipe = params->recipe;
        source.run = record;
        const auto& model = m_services.workspace.model();
        if (model && model->path == source.model) {
            source.info = model;
        }
        open(std::move(source));
    });
}

void FileCommands::savePlot() {
    FileRequest request;
    request.kind = FileRequest::Kind::SaveFile;
    request.id = u"savePlotDialog"_s;
    request.title = tr("Save the plot");
    request.name = u"pareto.png"_s;
    request.filters = {tr("Image (*.png)"), tr("Vector graphics (*.svg)"), tr("PDF (*.pdf)"),
                       tr("Table (*.csv)")};
    request.suffix = u"png"_s;
    m_window.dialogs().chooseFile(request, [this](const QString& path) {
        QString problem;
        widgets::ParetoPlot::SaveOptions options;
        if (!m_window.paretoPage()->plot()->save(path, options, &problem)) {
            m_window.dialogs().tell(
                tr("The plot could not be saved"),
                makeError(ErrorCode::FileWriteDenied,
                          {{"file", path.toStdString()}, {"reason", problem.toStdString()}}));
        }
    });
}

void FileCommands::newWindow() {
    QProcess::startDetached(QCoreApplication::applicationFilePath(),
                            QCoreApplication::arguments().mid(1));
}

void FileCommands::updateEnabled() {
    const bool model = m_services.workspace.model() != nullptr;
    const QString reason = tr("open a model first");
    auto& actions = m_services.actions;
    for (const char* id : {"model.properties", "model.reload", "model.close"}) {
        actions.setEnabled(id, model, reason);
    }
    actions.setEnabled(kActionExport, model || m_services.selection.currentRun() != 0, reason);
}

}  // namespace pareto::studio
