#include "app/studio/main_window.h"

#include <utility>

#include <QCloseEvent>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenuBar>
#include <QMimeData>
#include <QShowEvent>
#include <QTabBar>
#include <QTabWidget>
#include <QTimer>
#include <QToolBar>
#include <QToolButton>
#include <QUrl>
#include <QVBoxLayout>

#include "app/studio/actions.h"
#include "app/studio/commands/file_commands.h"
#include "app/studio/commands/project_commands.h"
#include "app/studio/commands/recipe_commands.h"
#include "app/studio/commands/run_commands.h"
#include "app/studio/commands/view_commands.h"
#include "app/studio/job_queue.h"
#include "app/studio/pages/compare_page.h"
#include "app/studio/pages/data_page.h"
#include "app/studio/pages/items_page.h"
#include "app/studio/pages/pareto_page.h"
#include "app/studio/pages/playground_page.h"
#include "app/studio/pages/profile_page.h"
#include "app/studio/pages/project_page.h"
#include "app/studio/pages/report_page.h"
#include "app/studio/pages/scaling_page.h"
#include "app/studio/pages/training_page.h"
#include "app/studio/panes/details_pane.h"
#include "app/studio/panes/jobs_pane.h"
#include "app/studio/panes/layers_pane.h"
#include "app/studio/panes/recipe_pane.h"
#include "app/studio/panes/recover_form.h"
#include "app/studio/panes/runs_pane.h"
#include "app/studio/settings.h"
#include "app/studio/status_line.h"
#include "app/studio/sweeps.h"
#include "app/studio/toolbar/target_chooser.h"
#include "app/studio/toolbar/task_chooser.h"
#include "app/studio/workspace.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

/// Raise it when docks are added or renamed: a state of another version is refused.
constexpr int kLayoutVersion = 1;
constexpr QSize kSmallestCentre(600, 300);

}  // namespace

MainWindow::MainWindow(const Services& services, QWidget* parent)
    : QMainWindow(parent), m_services(services) {
    setObjectName(u"mainWindow"_s);
    setAcceptDrops(true);
    setDockNestingEnabled(true);
    resize(1366, 728);
    makeCentre();
    makeDocks();
    makeToolBar();
    new FileCommands(services, *this);
    new ProjectCommands(services, *this);
    new RecipeCommands(services, *this);
    new RunCommands(services, *this);
    new ViewCommands(services, *this);
    connect(m_task, &TaskChooser::ownDataRequested, this, [this] { showPage(m_data); });
    makeMenus();
    new StatusLine(services, *this);
    arrangeDocks();
    m_defaultState = saveState(kLayoutVersion);
    restoreLayout();

    connect(&services.workspace, &Workspace::modelChanged, this, &MainWindow::showTitle);
    connect(&services.workspace.recipe(), &RecipeDocument::stateChanged, this,
            &MainWindow::showTitle);
    connect(&services.queue, &JobQueue::jobsChanged, this, &MainWindow::showJobCount);
    connect(&services.sweeps, &Sweeps::changed, this, &MainWindow::showJobCount);
    connect(m_pareto, &ParetoPage::compareRequested, this, &MainWindow::showCompare);
    connect(m_runs, &RunsPane::compareRequested, this, &MainWindow::showCompare);
    connect(m_compare, &ComparePage::itemsRequested, this, &MainWindow::showItems);
    showTitle();
    showJobCount();
}

MainWindow::~MainWindow() = default;

void MainWindow::makeCentre() {
    auto* centre = new QWidget(this);
    centre->setObjectName(u"centre"_s);
    centre->setMinimumSize(kSmallestCentre);
    m_notice = new QWidget(centre);
    m_notice->setObjectName(u"noticeBar"_s);
    m_notice->setAutoFillBackground(true);
    m_notice->setBackgroundRole(QPalette::ToolTipBase);
    m_noticeText = new QLabel(m_notice);
    m_noticeText->setObjectName(u"noticeLabel"_s);
    m_noticeText->setWordWrap(true);
    m_noticeText->setTextFormat(Qt::PlainText);
    auto* close = new QToolButton(m_notice);
    close->setObjectName(u"noticeCloseButton"_s);
    close->setText(tr("Close"));
    close->setAccessibleName(tr("Close the notice"));
    close->setAutoRaise(true);
    close->setFocusPolicy(Qt::StrongFocus);
    auto* bar = new QHBoxLayout(m_notice);
    bar->setContentsMargins(8, 2, 4, 2);
    bar->addWidget(m_noticeText, 1);
    bar->addWidget(close);
    connect(close, &QToolButton::clicked, m_notice, &QWidget::hide);
    m_notice->hide();

    m_pages = new QTabWidget(centre);
    m_pages->setObjectName(u"pages"_s);
    m_pages->setDocumentMode(true);
    m_pages->setAccessibleName(tr("Pages"));
    m_pages->tabBar()->setObjectName(u"pagesTabBar"_s);
    m_pages->tabBar()->setAccessibleName(tr("Pages"));
    m_pareto = new ParetoPage(m_services.workspace, m_services.runs, m_services.selection,
                              m_services.actions, m_pages);
    m_compare = new ComparePage(m_services.runs, m_services.selection, m_services.actions, m_pages);
    m_playground = new PlaygroundPage(m_services.workspace, m_services.playground,
                                      m_services.actions, m_pages);
    m_data = new DataPage(m_services.workspace, m_services.tasks, m_dialogs, m_pages);
    m_items = new ItemsPage(m_services.workspace, m_services.runs, m_services.actions, m_pages);
    m_pages->addTab(m_pareto, tr("Pareto"));
    m_report = new ReportPage(m_services.workspace, m_services.runs, m_services.selection, m_services.actions,
                              m_pages);
    m_profile = new ProfilePage(m_services.workspace, m_services.queue, m_services.selection, m_services.actions,
                                m_dialogs, m_pages);
    m_scaling = new ScalingPage({m_services.workspace, m_services.queue, m_services.runs, m_services.selection,
                                 m_services.actions, m_dialogs},
                                m_pages);
    m_training = new TrainingPage(m_services.workspace, m_services.training, m_services.actions, m_pages);
    m_pages->addTab(m_compare, tr("Compare"));
    m_pages->addTab(m_report, tr("Report"));
    m_pages->addTab(m_profile, tr("Profile"));
    m_pages->addTab(m_scaling, tr("Scaling"));
    m_pages->addTab(m_training, tr("Training"));
    m_pages->addTab(m_items, tr("Items"));
    m_pages->addTab(m_playground, tr("Playground"));
    m_pages->addTab(m_data, tr("Data"));
    m_project = new ProjectPage(m_services.projects, m_services.queue, m_services.selection, m_services.actions,
                                m_pages);
    m_pages->addTab(m_project, tr("Project"));
    auto* layout = new QVBoxLayout(centre);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_notice);
    layout->addWidget(m_pages, 1);
    setCentralWidget(centre);
}

QDockWidget* MainWindow::addDock(const QString& name, const QString& title, QWidget* content,
                                 Qt::DockWidgetArea area) {
    auto* dock = new QDockWidget(title, this);
    dock->setObjectName(name);
    dock->setWidget(content);
    dock->toggleViewAction()->setObjectName(u"view."_s + name);
    addDockWidget(area, dock);
    return dock;
}

void MainWindow::makeDocks() {
    auto& s = m_services;
    m_recipe = new RecipePane(s.workspace, s.runs, s.tasks, this);
    connect(m_recipe->recoverForm(), &RecoverForm::pairsRequested, this, [this] { showPage(m_training); });
    m_layers = new LayersPane(s.workspace, s.runs, s.selection, s.actions, this);
    m_runs = new RunsPane(s.workspace, s.runs, s.selection, s.actions, m_dialogs, this);
    m_jobs = new JobsPane(s.queue, s.sweeps, s.actions, m_dialogs, this);
    m_details = new DetailsPane(s.workspace, s.runs, s.selection, s.queue, s.actions, this);
    setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
    m_recipeDock = addDock(u"recipeDock"_s, tr("Recipe"), m_recipe, Qt::LeftDockWidgetArea);
    m_layersDock = addDock(u"layersDock"_s, tr("Layers"), m_layers, Qt::LeftDockWidgetArea);
    m_runsDock = addDock(u"runsDock"_s, tr("Runs"), m_runs, Qt::BottomDockWidgetArea);
    m_jobsDock = addDock(u"jobsDock"_s, tr("Jobs"), m_jobs, Qt::BottomDockWidgetArea);
    m_detailsDock = addDock(u"detailsDock"_s, tr("Details"), m_details, Qt::BottomDockWidgetArea);
}

/// Split first, tab afterwards: splitting a tabbed dock would add a tab.
void MainWindow::arrangeDocks() {
    splitDockWidget(m_recipeDock, m_layersDock, Qt::Vertical);
    splitDockWidget(m_runsDock, m_detailsDock, Qt::Horizontal);
    tabifyDockWidget(m_runsDock, m_jobsDock);
    m_runsDock->raise();
    arrangeSizes();
}

void MainWindow::arrangeSizes() {
    resizeDocks({m_recipeDock, m_runsDock}, {450, 430}, Qt::Horizontal);
    resizeDocks({m_runsDock, m_detailsDock}, {550, 360}, Qt::Horizontal);
    resizeDocks({m_recipeDock, m_layersDock}, {290, 380}, Qt::Vertical);
    resizeDocks({m_runsDock}, {230}, Qt::Vertical);
}

void MainWindow::makeMenus() {
    const std::pair<const char*, QString> menus[] = {
        {"file", tr("&File")},     {"edit", tr("&Edit")}, {"model", tr("&Model")},
        {"recipe", tr("Re&cipe")}, {"run", tr("&Run")},   {"view", tr("&View")},
        {"help", tr("&Help")},
    };
    for (const auto& [id, title] : menus) {
        auto* menu = menuBar()->addMenu(title);
        menu->setObjectName(u"menu."_s + QLatin1String(id));
        menu->setToolTipsVisible(true);
        for (auto* action : m_services.actions.menu(QLatin1String(id))) {
            if (action == nullptr) {
                menu->addSeparator();
            } else {
                menu->addAction(action);
            }
        }
    }
}

void MainWindow::makeToolBar() {
    auto& actions = m_services.actions;
    auto* bar = addToolBar(tr("Main toolbar"));
    bar->setObjectName(u"mainToolBar"_s);
    bar->setMovable(false);
    bar->setIconSize(QSize(18, 18));
    bar->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    const auto add = [&](const char* id, bool textToo) {
        auto* action = actions[id];
        bar->addAction(action);
        auto* button = qobject_cast<QToolButton*>(bar->widgetForAction(action));
        button->setObjectName(u"toolbar."_s + QLatin1String(id));
        button->setAccessibleName(action->text().remove(u'&'));
        button->setFocusPolicy(Qt::TabFocus);
        if (!textToo) {
            button->setToolButtonStyle(Qt::ToolButtonIconOnly);
        }
    };
    const auto label = [&](const QString& text, const QString& name, QWidget* buddy) {
        auto* shown = new QLabel(text, bar);
        shown->setObjectName(name);
        shown->setBuddy(buddy);
        shown->setContentsMargins(6, 0, 2, 0);
        bar->addWidget(shown);
    };
    add("file.open", false);
    add("edit.undo", false);
    add("edit.redo", false);
    bar->addSeparator();
    m_task = new TaskChooser(m_services.workspace, m_services.tasks, bar);
    label(tr("Task"), u"taskLabel"_s, m_task);
    bar->addWidget(m_task);
    auto* target = new TargetChooser(m_services.workspace, m_services.workers, m_dialogs, bar);
    label(tr("Target"), u"targetLabel"_s, target);
    bar->addWidget(target);
    bar->addSeparator();
    add("run.start", true);
    add("run.stop", true);
    bar->addSeparator();
    add("file.export", false);
}

void MainWindow::showTitle() {
    const auto& workspace = m_services.workspace;
    QStringList parts;
    if (workspace.model()) {
        parts.append(workspace.model()->name);
        const QString recipe = workspace.recipe().displayName();
        parts.append((recipe.isEmpty() ? tr("no recipe") : recipe) + u"[*]"_s);
    } else {
        parts.append(u"[*]"_s);
    }
    parts.append(u"Pareto Studio"_s);
    setWindowTitle(parts.join(u" – "_s));
    setWindowModified(workspace.model() && workspace.recipe().isModified());
    if (!workspace.model()) {
        setWindowTitle(u"Pareto Studio[*]"_s);
    }
}

void MainWindow::showJobCount() {
    const int pending = m_services.queue.pending() + m_services.sweeps.working();
    m_jobsDock->setWindowTitle(pending == 0 ? tr("Jobs") : tr("Jobs %1").arg(pending));
}

void MainWindow::showPage(QWidget* page) { m_pages->setCurrentWidget(page); }

void MainWindow::showItems(const std::vector<std::int64_t>& runs) {
    m_items->showRuns(runs);
    showPage(m_items);
}

void MainWindow::showCompare(const std::vector<std::int64_t>& runs) {
    m_compare->showRuns(runs);
    showPage(m_compare);
}

void MainWindow::showNotice(const QString& text) {
    m_noticeText->setText(text);
    m_notice->setVisible(!text.isEmpty());
}

void MainWindow::resetLayout() {
    for (auto* dock : findChildren<QDockWidget*>()) {
        dock->setFloating(false);
        dock->show();
    }
    restoreState(m_defaultState, kLayoutVersion);
    arrangeDocks();
}

void MainWindow::saveLayout() {
    m_services.settings.setLayout(u"geometry"_s, saveGeometry());
    m_services.settings.setLayout(u"state"_s, saveState(kLayoutVersion));
}

bool MainWindow::restoreLayout() {
    const auto geometry = m_services.settings.layout(u"geometry"_s);
    const auto state = m_services.settings.layout(u"state"_s);
    if (!geometry.isEmpty()) {
        restoreGeometry(geometry);
    }
    if (!state.isEmpty() && !restoreState(state, kLayoutVersion)) {
        resetLayout();
    }
    return !state.isEmpty();
}

/// Before the window is shown its docks have no sizes yet, so that what was restored or arranged then
/// is squeezed; it is done again once they have.
void MainWindow::showEvent(QShowEvent* event) {
    QMainWindow::showEvent(event);
    if (std::exchange(m_shown, true)) {
        return;
    }
    QTimer::singleShot(0, this, [this] {
        if (!restoreLayout()) {
            arrangeSizes();
            m_defaultState = saveState(kLayoutVersion);
        }
    });
}

Json MainWindow::viewState() const {
    return {{"page", m_pages->currentWidget()->objectName().toStdString()},
            {"plot", m_pareto->state()},
            {"playground", m_playground->state()},
            {"data", m_data->state()}};
}

void MainWindow::restoreViewState(const Json& state) {
    if (!state.is_object()) {
        return;
    }
    if (const auto page = state.find("page"); page != state.end() && page->is_string()) {
        const auto name = QString::fromStdString(page->get<std::string>());
        if (auto* widget = m_pages->findChild<QWidget*>(name); m_pages->indexOf(widget) >= 0) {
            showPage(widget);
        }
    }
    if (const auto typed = state.find("playground"); typed != state.end()) {
        m_playground->restoreState(*typed);
    }
    if (const auto task = state.find("data"); task != state.end()) {
        m_data->restoreState(*task);
    }
    if (const auto plot = state.find("plot"); plot != state.end()) {
        m_pareto->restoreState(*plot);
    }
}

/// Qt makes the tab bars of tabbed docks itself, without a name.
void MainWindow::childEvent(QChildEvent* event) {
    QMainWindow::childEvent(event);
    auto* tabs = event->polished() ? qobject_cast<QTabBar*>(event->child()) : nullptr;
    if (tabs != nullptr && tabs->objectName().isEmpty()) {
        tabs->setObjectName(u"dockTabs%1"_s.arg(++m_dockTabBars));
        tabs->setAccessibleName(tr("Panes in tabs"));
    }
}

void MainWindow::closeEvent(QCloseEvent* event) {
    const int pending = m_services.queue.pendingHere();  // what other machines have goes on there
    if (pending == 0 || m_mayClose) {
        Q_EMIT closing();
        event->accept();
        return;
    }
    event->ignore();
    Question question;
    question.id = u"quitBox"_s;
    question.title = tr("Quit");
    question.text = tr("%n job(s) have not ended.", nullptr, pending);
    question.accept = tr("Cancel jobs and quit");
    question.reject = tr("Stay");
    m_dialogs.ask(question, [this] {
        m_mayClose = true;
        m_services.queue.cancelHere();
        close();
    });
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    const auto urls = event->mimeData()->urls();
    if (urls.size() == 1 && urls.first().isLocalFile()) {
        event->acceptProposedAction();
    }
}

void MainWindow::dropEvent(QDropEvent* event) {
    const auto urls = event->mimeData()->urls();
    if (urls.size() != 1 || !urls.first().isLocalFile()) {
        return;
    }
    event->acceptProposedAction();
    findChild<FileCommands*>()->openPath(urls.first().toLocalFile());
}

}  // namespace pareto::studio
