#include "app/studio/playground.h"

#include <algorithm>

#include "app/studio/job_queue.h"
#include "app/studio/playground/json_fields.h"
#include "app/studio/runs.h"
#include "app/studio/texts.h"
#include "app/studio/worker_client.h"
#include "app/studio/workspace.h"
#include "engine/jobs/api/machine_lock.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {
constexpr int kTellMs = 50;
}

Playground::Playground(Workspace& workspace, Runs& runs, Selection& selection, JobQueue& queue,
                       WorkerClient& worker, QObject* parent)
    : QObject(parent),
      m_workspace(workspace),
      m_runs(runs),
      m_selection(selection),
      m_queue(queue),
      m_worker(worker) {
    m_tell.setSingleShot(true);
    m_tell.setInterval(kTellMs);
    connect(&m_tell, &QTimer::timeout, this, &Playground::trialsChanged);
    connect(&worker, &WorkerClient::event, this, &Playground::onEvent);
    connect(&worker, &WorkerClient::progress, this, [this](const ProgressSnapshot& progress) {
        if (m_active) {
            edit(*m_active).progress = progress;
            if (!m_tell.isActive()) {
                m_tell.start();
            }
        }
    });
    connect(&worker, &WorkerClient::result, this, [this](const Json& result) {
        if (m_active) {
            edit(*m_active).result = result;
            endActive(TrialState::Done);
        }
    });
    connect(&worker, &WorkerClient::cancelled, this, [this] {
        if (m_active) {
            endActive(TrialState::Stopped);
        }
    });
    connect(&worker, &WorkerClient::failed, this, [this](const Error& error, bool trouble) {
        if (m_active) {
            edit(*m_active).error = error;
            endActive(m_stopping && trouble ? TrialState::Stopped : TrialState::Failed);
        }
    });
    connect(&queue, &JobQueue::jobsChanged, this, [this] {
        Q_EMIT stateChanged();
        advanceSoon();
    });
    connect(&queue, &JobQueue::heldChanged, this, &Playground::advanceSoon);
    connect(&workspace, &Workspace::modelChanged, this, &Playground::clear);
    connect(&workspace.recipe(), &RecipeDocument::changed, this, &Playground::stateChanged);
    connect(&selection, &Selection::runsChanged, this, &Playground::followRun);
    connect(&runs, &Runs::changed, this, &Playground::followRun);
}

Playground::~Playground() = default;

void Playground::setRecipeSource(RecipeSource source) {
    if (source == m_source) {
        return;
    }
    m_source = source;
    followRun();
    Q_EMIT stateChanged();
}

const Recipe& Playground::recipe() const {
    return m_source == RecipeSource::Draft ? m_workspace.recipe().recipe() : m_runRecipe;
}

QString Playground::recipeText() const {
    return m_source == RecipeSource::Draft ? m_workspace.recipe().displayName() : m_runTitle;
}

QString Playground::onlyOriginal() const {
    if (m_source == RecipeSource::SelectedRun && m_run == 0) {
        return tr("No run is selected: only the original is tried.");
    }
    if (recipe().isEmpty()) {
        return m_source == RecipeSource::Draft
                   ? tr("The recipe is empty: only the original is tried.")
                   : tr("The selected run has an empty recipe: only the original is tried.");
    }
    if (!m_workspace.model()) {
        return {};
    }
    const auto resolved = resolve(recipe(), m_workspace.model()->layout);
    return resolved.ok() || resolved.cancelled()
               ? QString()
               : tr("Only the original is tried: %1").arg(text(resolved.error()));
}

/// Why the worker may not be used now although there is a model.
QString Playground::blocked() const {
    if (const auto* job = m_queue.runningHere()) {
        return job->kind == QLatin1String(jobs::kJobRun) || job->kind == QLatin1String(jobs::kJobProfile) ||
                       job->kind == QLatin1String(jobs::kJobScaling)
                   ? tr("The machine is measuring: %1. The playground waits for it.").arg(job->title)
                   : tr("The worker is busy: %1. The playground waits for it.").arg(job->title);
    }
    if (m_queue.waitsHere() && !m_queue.held()) {
        return tr("Jobs are waiting; the playground comes after them.");
    }
    return m_otherProgram.isEmpty()
               ? QString()
               : tr("Another program measures on this machine: %1. The playground waits for it.")
                     .arg(m_otherProgram);
}

QString Playground::whyNot() const {
    return m_workspace.model() ? blocked() : tr("Open a model first.");
}

void Playground::lookAround() {
    // While our own worker measures, it is the holder and the queue says so better.
    QString other;
    if (m_queue.runningHere() == nullptr && !m_worker.jobActive()) {
        if (const auto holder = jobs::MachineLock::holder()) {
            other = fromUtf8(holder->what.empty() ? holder->program : holder->what);
        }
    }
    if (other != m_otherProgram) {
        m_otherProgram = other;
        Q_EMIT stateChanged();
        advanceSoon();
    }
}

/// Nothing is tried on other machines: their targets give their lengths alone.
Target Playground::targetHere() const {
    Target target = m_workspace.target();
    const Target usual;
    target.replicas = usual.replicas;
    if (target.machine != usual.machine) {
        target.machine = usual.machine;
        target.device = usual.device;
        target.threads = usual.threads;
        target.tensorParallel = target.pipelineParallel = 1;
    }
    return target;
}

bool Playground::start(const QString& job, const std::array<Json, 2>& params) {
    lookAround();
    if (busy() || !whyNot().isEmpty()) {
        return false;
    }
    m_job = job;
    m_begun = true;
    const bool both = onlyOriginal().isEmpty();
    m_triedText = both ? recipeText() : QString();
    for (const auto side : kTrialSides) {
        auto& trial = edit(side);
        trial = {};
        if (side == TrialSide::Optimized && !both) {
            continue;
        }
        trial.state = TrialState::Waiting;
        trial.params = params[static_cast<std::size_t>(side)];
        trial.params["model"] = m_workspace.model()->path.toStdString();
        trial.params["recipe"] =
            recipeToJson(side == TrialSide::Original ? Recipe{} : recipe());
        trial.params["target"] = targetToJson(targetHere());
        if (const auto draft = trial.params.find("draft"); draft != trial.params.end()) {
            if (both) {
                (*draft)["recipe"] = recipeToJson(recipe());
            } else {
                trial.params.erase(draft);
            }
        }
    }
    advance();
    return true;
}

void Playground::advanceSoon() {
    if (busy()) {
        QMetaObject::invokeMethod(this, &Playground::advance, Qt::QueuedConnection);
    }
}

void Playground::advance() {
    if (m_active) {
        return;
    }
    const auto next = std::find_if(kTrialSides.begin(), kTrialSides.end(), [this](TrialSide side) {
        return trial(side).state == TrialState::Waiting;
    });
    if (next == kTrialSides.end()) {
        if (std::exchange(m_begun, false)) {
            m_stopping = false;
            Q_EMIT trialsChanged();
            Q_EMIT stateChanged();
            Q_EMIT finished();
        }
        return;
    }
    if (blocked().isEmpty() && !m_worker.jobActive()) {
        m_active = *next;
        m_dropped = false;
        edit(*next).state = TrialState::Running;
        m_worker.start(m_job, trial(*next).params);
    }
    Q_EMIT trialsChanged();
    Q_EMIT stateChanged();
}

void Playground::endActive(TrialState state) {
    auto& trial = edit(*m_active);
    trial.state = state;
    if (m_dropped) {
        trial = {};
    } else if (state == TrialState::Done) {
        trial.tokensPerSecond = 
            numberAt(trial.result, "tokens_per_s", trial.tokensPerSecond);
    }
    m_active.reset();
    m_dropped = false;
    Q_EMIT trialsChanged();
    // The queue first: a job that came meanwhile has waited for the worker.
    QMetaObject::invokeMethod(this, &Playground::advance, Qt::QueuedConnection);
}

void Playground::onEvent(const Json& event) {
    const Json* piece = fieldOf(event, "text");
    if (!m_active || piece == nullptr || !piece->is_string()) {
        return;
    }
    auto& trial = edit(*m_active);
    if (++trial.tokens == 1) {
        m_sinceFirstToken.start();
    } else if (const auto ms = m_sinceFirstToken.elapsed(); ms > 0) {
        trial.tokensPerSecond = 1000.0 * static_cast<double>(trial.tokens - 1) / double(ms);
    }
    // A job that answers in larger parts says its own speed.
    trial.tokensPerSecond = numberAt(event, "tokens_per_s", trial.tokensPerSecond);
    trial.streamed += fromUtf8(piece->get<std::string>());
    if (!m_tell.isActive()) {
        m_tell.start();
    }
}

void Playground::stop() {
    for (auto& trial : m_trials) {
        if (trial.state == TrialState::Waiting) {
            trial.state = TrialState::Stopped;
        }
    }
    if (m_active) {
        if (std::exchange(m_stopping, true)) {
            m_worker.forceStop();
        } else {
            m_worker.cancel();
        }
        Q_EMIT stateChanged();
    } else {
        advance();
    }
}

/// What runs is stopped, and nobody waits for what it still answers.
void Playground::clear() {
    if (m_active) {
        m_dropped = true;
        if (!m_stopping) {
            stop();
        }
    }
    m_triedText.clear();
    for (const auto side : kTrialSides) {
        if (m_active != side) {
            edit(side) = {};
        }
    }
    Q_EMIT trialsChanged();
    Q_EMIT stateChanged();
}

/// The recipe of the current run, when that is what is tried.
void Playground::followRun() {
    if (m_source != RecipeSource::SelectedRun) {
        return;
    }
    const auto id = m_selection.currentRun();
    if (m_runs.frame()->find(id) == nullptr) {
        m_run = 0;
        m_runTitle.clear();
        m_runRecipe = {};
        Q_EMIT stateChanged();
        return;
    }
    m_runs.fetch(id, this, [this, id](const RunRecordPtr& record) {
        auto recipe = recipeFromJson(record->recipe);
        if (id != m_selection.currentRun() || !recipe.ok()) {
            return;
        }
        m_run = id;
        m_runTitle = u"#%1 %2"_s.arg(id).arg(fromUtf8(record->name));
        m_runRecipe = std::move(recipe).value();
        Q_EMIT stateChanged();
    });
}

}  // namespace pareto::studio
