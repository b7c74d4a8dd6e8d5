#include "app/studio/commands/project_commands.h"

#include <QAction>
#include <QFileInfo>
#include <QMenu>

#include "app/studio/actions.h"
#include "app/studio/dialogs/new_project_dialog.h"
#include "app/studio/main_window.h"
#include "app/studio/pages/pareto_page.h"
#include "app/studio/pages/project_page.h"
#include "app/studio/projects.h"
#include "app/studio/selection.h"
#include "app/studio/settings.h"
#include "app/studio/texts.h"
#include "app/studio/toolbar/target_chooser.h"
#include "app/studio/workers.h"
#include "app/studio/workspace.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

ProjectCommands::ProjectCommands(const Services& services, MainWindow& window)
    : QObject(&window), m_services(services), m_window(window) {
    auto& actions = m_services.actions;
    connect(actions[kActionNewProject], &QAction::triggered, this, &ProjectCommands::newProject);
    connect(actions[kActionOpenProject], &QAction::triggered, this,
            &ProjectCommands::chooseProject);
    m_recent = new QMenu(&m_window);
    m_recent->setObjectName(u"recentProjectsMenu"_s);
    m_recent->setToolTipsVisible(true);
    actions["file.recentProjects"]->setMenu(m_recent);
    connect(m_recent, &QMenu::aboutToShow, this, &ProjectCommands::fillRecent);
    fillRecent();
    auto& projects = m_services.projects;
    connect(&projects, &Projects::projectOpened, this,
            [this] { m_services.settings.addRecentProject(m_services.projects.folder()); });
    connect(
        &projects, &Projects::openFailed, this, [this](const QString& folder, const Error& error) {
            m_window.dialogs().tell(tr("The project %1 could not be opened").arg(folder), error);
        });
    connect(m_window.projectPage(), &ProjectPage::plotRequested, this,
            &ProjectCommands::showOnPlot);
}

/// The menu hangs on an action of the registry, which outlives the window.
ProjectCommands::~ProjectCommands() {
    m_services.actions["file.recentProjects"]->setMenu(static_cast<QMenu*>(nullptr));
}

bool ProjectCommands::isProject(const QString& path) {
    const QString file = QString::fromLatin1(project::kProjectFile);
    const QFileInfo info(path);
    return info.isDir() ? QFileInfo::exists(path + u'/' + file) : info.fileName() == file;
}

void ProjectCommands::newProject() {
    const auto& workspace = m_services.workspace;
    NewProjectDialog::Given given;
    const auto& model = workspace.model();
    // A head for other classes would stay; a bare encoder gets one for these.
    const bool bare = model && model->layout.isEncoder() && !model->layout.isClassifier();
    given.model = bare ? model->path : QString();
    given.target = workspace.target();
    if (given.target.machine != Workers::localName().toStdString()) {
        given.target = Target{};  // a project's steps write files here
        given.target.threads = TargetChooser::availableThreads();
    }
    auto* dialog = new NewProjectDialog(std::move(given), m_window.dialogs(), &m_window);
    connect(dialog, &NewProjectDialog::created, this, &ProjectCommands::open);
    m_window.dialogs().show(dialog);
}

void ProjectCommands::chooseProject() {
    FileRequest request;
    request.kind = FileRequest::Kind::OpenFolder;
    request.id = u"openProjectDialog"_s;
    request.title = tr("Open a project: the folder with its project.json");
    m_window.dialogs().chooseFile(request, [this](const QString& path) { open(path); });
}

void ProjectCommands::open(const QString& path) {
    const QFileInfo info(path);
    m_services.projects.open(info.isDir() || !info.exists() ? path : info.absolutePath());
    m_window.showPage(m_window.projectPage());
}

void ProjectCommands::fillRecent() {
    m_recent->clear();
    int number = 0;
    for (const auto& folder : m_services.settings.recentProjects()) {
        auto* action = m_recent->addAction(folder);
        action->setObjectName(u"recentProject.%1"_s.arg(number++));
        action->setEnabled(isProject(folder));
        action->setToolTip(action->isEnabled() ? folder
                                               : tr("%1 is not there any more").arg(folder));
        connect(action, &QAction::triggered, this, [this, folder] { open(folder); });
    }
    if (m_recent->isEmpty()) {
        m_recent->addAction(tr("none yet"))->setEnabled(false);
    }
}

/// The plot shows what is comparable under the window's task and target: they become the project's.
void ProjectCommands::showOnPlot() {
    const auto& opened = m_services.projects.opened();
    const auto task = loadTask(opened->folder + "/" + project::kTaskFile);
    if (!task.ok()) {
        m_window.dialogs().tell(tr("The project's task could not be read"), task.error());
        return;
    }
    const QString model = fromUtf8(jobs::baseModel(*opened));
    auto& workspace = m_services.workspace;
    workspace.setTask(task.value());
    workspace.setTarget(opened->project.target);
    const auto choose = [this] { m_services.selection.setRuns(m_services.projects.runs()); };
    if (!workspace.model() || workspace.model()->path != model) {
        // The first model of a session brings back what was selected then.
        connect(&workspace, &Workspace::modelChanged, this, choose, Qt::SingleShotConnection);
        workspace.openModel(model);
    }
    choose();
    m_window.showPage(m_window.paretoPage());
}

}  // namespace pareto::studio
