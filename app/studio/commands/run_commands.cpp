#include "app/studio/commands/run_commands.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QDateTime>
#include <QFileInfo>
#include <QGuiApplication>
#include <QStandardPaths>
#include <QStatusBar>

#include "app/studio/actions.h"
#include "app/studio/dialogs/grid_dialog.h"
#include "app/studio/job_queue.h"
#include "app/studio/main_window.h"
#include "app/studio/pages/playground_page.h"
#include "app/studio/pages/profile_page.h"
#include "app/studio/pages/scaling_page.h"
#include "app/studio/panes/layers_pane.h"
#include "app/studio/runner.h"
#include "app/studio/runs.h"
#include "app/studio/selection.h"
#include "app/studio/settings.h"
#include "app/studio/store_thread.h"
#include "app/studio/sweeps.h"
#include "app/studio/texts.h"
#include "app/studio/toolbar/target_chooser.h"
#include "app/studio/workers.h"
#include "app/studio/workspace.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {
constexpr int kMessageMs = 8000;
}

RunCommands::RunCommands(const Services& services, MainWindow& window)
    : QObject(&window), m_services(services), m_window(window) {
    connectStarting();
    connectRuns();
    connectTrouble();
    connect(&services.workspace, &Workspace::modelChanged, this, &RunCommands::updateEnabled);
    connect(&services.workspace, &Workspace::targetChanged, this, &RunCommands::updateEnabled);
    connect(&services.workspace.recipe(), &RecipeDocument::changed, this,
            &RunCommands::updateEnabled);
    connect(&services.queue, &JobQueue::jobsChanged, this, &RunCommands::updateEnabled);
    connect(&services.selection, &Selection::runsChanged, this, &RunCommands::updateEnabled);
    connect(&services.runs, &Runs::changed, this, &RunCommands::updateEnabled);
    connect(&services.store, &StoreThread::opened, this, &RunCommands::updateEnabled);
    updateEnabled();
}

void RunCommands::connectStarting() {
    auto& actions = m_services.actions;
    auto& runner = m_services.runner;
    const auto on = [&](const char* id, auto slot) {
        connect(actions[id], &QAction::triggered, this, slot);
    };
    on(kActionRun, [&runner] { runner.run(); });
    on(kActionMeasureBaseline, [&runner] { runner.measureBaseline(); });
    on(kActionRunPresets, [&runner] { runner.runPresets(); });
    on(kActionGrid, [this] { openGrid(); });
    on(kActionOpenSweep, [this] { openSweep(); });
    on(kActionProfile, [this, &runner] {
        runner.profile();
        m_window.showPage(m_window.profilePage());
    });
    on(kActionScaling, [this, &runner] {
        runner.predictScaling(m_window.scalingPage()->link(), m_window.scalingPage()->measures());
        m_window.showPage(m_window.scalingPage());
    });
    on(kActionStop, [this] { stop(); });
    connect(actions[kActionHold], &QAction::toggled, &m_services.queue, &JobQueue::setHeld);
    connect(&m_services.queue, &JobQueue::heldChanged, actions[kActionHold], &QAction::setChecked);
    actions[kActionHold]->setChecked(m_services.queue.held());
    connect(&runner, &Runner::refused, this, [this](const QString& reason) {
        m_window.statusBar()->showMessage(reason, kMessageMs);
    });
}

void RunCommands::connectRuns() {
    auto& actions = m_services.actions;
    const auto on = [&](const char* id, auto slot) {
        connect(actions[id], &QAction::triggered, this, slot);
    };
    on(kActionPin, [this] { pin(); });
    on(kActionCompare, [this] { compare(); });
    on(kActionItems, [this] { m_window.showItems(m_services.selection.runs()); });
    on(kActionTry, [this] {
        m_window.playgroundPage()->trySelectedRun();
        m_window.showPage(m_window.playgroundPage());
    });
    on(kActionUseRecipe, [this] { useRecipe(); });
    on(kActionRerun, [this] { m_services.runner.runAgain(m_services.selection.currentRun()); });
    on(kActionDelete, [this] { deleteRuns(); });
    on(kActionCopyCommand, [this] { copyCommand(); });
    // After a row was written the frame is read again; a point appears only then.
    connect(&m_services.queue, &JobQueue::runCommitted, &m_services.runs, &Runs::reload);
    connect(&m_services.sweeps, &Sweeps::runsCame, &m_services.runs, &Runs::reload);
}

void RunCommands::connectTrouble() {
    connect(&m_services.runs, &Runs::failed, this,
            [this](const Error& error) { m_window.showNotice(text(error)); });
    connect(&m_services.sweeps, &Sweeps::failed, this, [this](const Error& error) {
        m_window.dialogs().tell(tr("The sweep could not be made"), error);
    });
    connect(&m_services.queue, &JobQueue::heldChanged, this,
            [this](bool held, const QString& reason) {
                if (held && !reason.isEmpty()) {
                    m_window.showNotice(reason);
                }
            });
    connect(&m_services.queue, &JobQueue::jobsChanged, this, [this] {
        const auto& jobs = m_services.queue.jobs();
        for (auto job = jobs.rbegin(); job != jobs.rend(); ++job) {
            if (job->id > m_noticedJob && job->error &&
                job->error->code == ErrorCode::WorkerUnavailable &&
                job->state == JobState::Failed) {
                m_noticedJob = job->id;
                m_window.showNotice(tr("Measuring is off: %1").arg(text(*job->error)));
                return;
            }
        }
    });
    const auto showStore = [this] {
        if (const auto& problem = m_services.store.problem()) {
            m_window.showNotice(
                m_services.store.readOnly()
                    ? tr("Runs can be looked at but not stored: %1").arg(text(*problem))
                    : text(*problem));
        }
    };
    connect(&m_services.store, &StoreThread::opened, this, showStore);
    showStore();
}

void RunCommands::stop() {
    if (const auto* job = m_services.queue.running()) {
        if (job->state == JobState::Stopping || job->cancelWanted) {
            m_services.queue.forceStop(job->id);
        } else {
            m_services.queue.cancel(job->id);
        }
    }
}

void RunCommands::pin() {
    const auto id = m_services.selection.currentRun();
    const auto* run = m_services.runs.frame()->find(id);
    if (run != nullptr) {
        m_services.runs.setPinned(id, !run->pinned);
    }
}

void RunCommands::compare() {
    const auto& chosen = m_services.selection.runs();
    if (!chosen.empty()) {
        m_window.showCompare(chosen);
    }
}

void RunCommands::useRecipe() {
    m_services.runs.fetch(
        m_services.selection.currentRun(), this, [this](const RunRecordPtr& record) {
            auto recipe = recipeFromJson(record->recipe);
            if (recipe.ok()) {
                m_services.workspace.recipe().replace(recipe.value(),
                                                      tr("recipe of #%1").arg(record->id));
            } else {
                m_window.dialogs().tell(tr("The recipe cannot be used"), recipe.error());
            }
        });
}

/// Of the chosen run, or of what Run would do now.
void RunCommands::copyCommand() {
    const auto copy = [this](const jobs::RunParams& params) {
        QGuiApplication::clipboard()->setText(Runner::commandLine(params));
        m_window.statusBar()->showMessage(tr("The command line was copied."), kMessageMs);
    };
    const auto run = m_services.selection.currentRun();
    if (run == 0) {
        if (m_services.workspace.model()) {
            copy(m_services.runner.paramsFor(m_services.workspace.recipe().recipe()));
        }
        return;
    }
    m_services.runs.fetch(run, this, [copy](const RunRecordPtr& record) {
        const auto params = Runner::paramsOf(*record);
        if (params.ok()) {
            copy(params.value());
        }
    });
}

void RunCommands::deleteRuns() {
    // Del in Layers is about layers.
    const auto* focus = QApplication::focusWidget();
    if (focus != nullptr && m_window.layersPane()->isAncestorOf(focus)) {
        m_services.workspace.recipe().resetOverrides(m_window.layersPane()->selectedNames());
        return;
    }
    const auto chosen = m_services.selection.runs();
    m_services.selection.setRuns({});
    m_services.runs.setDeleted(chosen, true);
}

void RunCommands::openGrid() {
    GridDialog::Offer offer;
    const auto& model = m_services.workspace.model();
    offer.folder = m_services.paths.queue + u"/sweeps/"_s +
                   (model ? QFileInfo(model->path).completeBaseName() : u"sweep"_s) +
                   QDateTime::currentDateTime().toString(u"-yyyyMMdd-HHmmss"_s);
    offer.hasSlurm = !QStandardPaths::findExecutable(u"sbatch"_s).isEmpty();
    const auto& target = m_services.workspace.target();
    offer.cores = TargetChooser::availableThreads();
    offer.threads = target.threads * target.tensorParallel * target.pipelineParallel;
    for (const auto& host : m_services.workers.hosts()) {
        if (host.sameFiles) {
            offer.hosts += QString::fromStdString(sshHostText(host.ssh));
        }
    }
    auto* dialog = new GridDialog(offer, &m_window);
    connect(dialog, &GridDialog::chosen, this,
            [this](const Runner::Grid& grid, const GridPlace& place) {
                if (place.where == GridPlace::Where::Queue) {
                    m_services.runner.runGrid(grid);
                    return;
                }
                const auto runs = m_services.runner.gridRuns(grid);
                if (!runs.empty()) {
                    m_services.sweeps.start(place, runs);
                }
            });
    m_window.dialogs().show(dialog);
}

void RunCommands::openSweep() {
    FileRequest request;
    request.kind = FileRequest::Kind::OpenFolder;
    request.id = u"openSweepDialog"_s;
    request.title = tr("Open a sweep: the folder with its sweep.json");
    m_window.dialogs().chooseFile(request,
                                  [this](const QString& path) { m_services.sweeps.open(path); });
}

void RunCommands::updateEnabled() {
    auto& actions = m_services.actions;
    QString reason = m_services.runner.whyNot();
    const bool model = m_services.workspace.model() != nullptr;
    QString others = model ? QString() : tr("open a model first");
    actions.setEnabled(kActionProfile, reason.isEmpty(), reason);
    actions.setEnabled(kActionScaling, reason.isEmpty(), reason);
    if (m_services.store.problem() || m_services.store.readOnly()) {
        others = tr("runs cannot be stored");
        reason = reason.isEmpty() ? others : reason;
    }
    actions.setEnabled(kActionRun, reason.isEmpty(), reason);
    for (const char* id : {kActionMeasureBaseline, kActionRunPresets, kActionGrid}) {
        actions.setEnabled(id, others.isEmpty(), others);
    }
    actions.setEnabled(kActionStop, m_services.queue.running() != nullptr, tr("no job is running"));
    const auto* run = m_services.runs.frame()->find(m_services.selection.currentRun());
    const QString choose = tr("choose a run first");
    for (const char* id : {kActionUseRecipe, kActionRerun, kActionDelete, kActionPin,
                           kActionCompare, kActionItems, kActionTry}) {
        actions.setEnabled(id, run != nullptr, choose);
    }
    if (run != nullptr && run->status != RunStatus::Finished) {
        actions.setEnabled(kActionPin, false, tr("only a finished run can be the baseline"));
    }
    actions[kActionPin]->setText(run != nullptr && run->pinned ? tr("Un&pin the Baseline")
                                                               : tr("&Pin as Baseline"));
    actions.setEnabled(kActionCopyCommand, model || run != nullptr, tr("open a model first"));
}

}  // namespace pareto::studio
