#include "app/studio/runner.h"

#include <algorithm>

#include "app/studio/job_queue.h"
#include "app/studio/presets.h"
#include "app/studio/recipe_edit.h"
#include "app/studio/runs.h"
#include "app/studio/settings.h"
#include "app/studio/texts.h"
#include "app/studio/workspace.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

/// For a POSIX shell.
QString quoted(const QString& text) {
    static const QString safe =
        u"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=,:+"_s;
    if (!text.isEmpty() &&
        std::all_of(text.begin(), text.end(), [](QChar c) { return safe.contains(c); })) {
        return text;
    }
    QString escaped = text;
    escaped.replace(u'\'', u"'\\''"_s);
    return u'\'' + escaped + u'\'';
}

QString compact(const Json& json) {
    return QString::fromStdString(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

Runner::Runner(Workspace& workspace, Runs& runs, JobQueue& queue, Settings& settings,
               QObject* parent)
    : QObject(parent), m_workspace(workspace), m_runs(runs), m_queue(queue), m_settings(settings) {}

QString Runner::whyNot() const {
    if (!m_workspace.model()) {
        return tr("open a model first");
    }
    if (const auto& problem = m_workspace.recipe().problem()) {
        return text(*problem);
    }
    return {};
}

bool Runner::titleTaken(const QString& title, const Recipe& recipe,
                        const std::vector<jobs::RunParams>& others) const {
    const std::string hash = recipeHash(recipe);
    const std::string name = title.toStdString();
    const auto& rows = m_runs.frame()->rows();
    if (std::any_of(rows.begin(), rows.end(), [&](const auto& run) {
            return !run.deleted && run.name == name && run.recipeHash != hash;
        })) {
        return true;
    }
    if (std::any_of(others.begin(), others.end(), [&](const jobs::RunParams& other) {
            return other.name == name && recipeHash(other.recipe) != hash;
        })) {
        return true;
    }
    const auto& jobs = m_queue.jobs();
    return std::any_of(jobs.begin(), jobs.end(), [&](const Job& job) {
        if (job.title != title || job.kind != QLatin1String(jobs::kJobRun)) {
            return false;
        }
        const auto params = jobs::runParamsFromJson(job.params);
        return params.ok() && recipeHash(params->recipe) != hash;
    });
}

QString Runner::titleOf(const Recipe& recipe, const std::vector<jobs::RunParams>& others) const {
    if (recipe.isEmpty()) {
        return tr("Baseline");
    }
    QString title = recipe.name.empty() ? fromUtf8(recipeSummary(recipe)) : fromUtf8(recipe.name);
    const auto& document = m_workspace.recipe();
    if (recipe == document.recipe() && document.hasNoEffect()) {
        title = tr("%1: changes nothing on this model").arg(title);
    }
    if (!titleTaken(title, recipe, others)) {
        return title;
    }
    for (int number = 2;; ++number) {
        const QString other = tr("%1 (%2)", "name of a recipe, number").arg(title).arg(number);
        if (!titleTaken(other, recipe, others)) {
            return other;
        }
    }
}

jobs::RunParams Runner::paramsFor(const Recipe& recipe) const {
    jobs::RunParams params;
    params.model = m_workspace.model()->path.toStdString();
    params.recipe = recipe;
    params.task = m_workspace.task();
    params.target = m_workspace.target();
    params.minSeconds = m_settings.timingSeconds();
    params.pairedBaseline = m_settings.pairedBaseline() && !recipe.isEmpty();
    params.seed = recipe.seed;
    return params;
}

/// True unless a comparable baseline of this model is stored, or on its way.
bool Runner::baselineNeeded() const {
    const auto& frame = *m_runs.frame();
    const auto& model = *m_workspace.model();
    for (const auto id : m_runs.comparable().comparable) {
        const auto* run = frame.find(id);
        const bool sameModel = m_workspace.modelHash().isEmpty()
                                   ? run->modelName == model.name.toStdString()
                                   : run->modelHash == m_workspace.modelHash().toStdString();
        if (run->baseline && sameModel) {
            return false;
        }
    }
    const auto wanted = paramsFor({});
    const auto& jobs = m_queue.jobs();
    return std::none_of(jobs.begin(), jobs.end(), [&](const Job& job) {
        if (job.state != JobState::Queued && job.state != JobState::Running) {
            return false;
        }
        const auto params = jobs::runParamsFromJson(job.params);
        return params.ok() && params->recipe.isEmpty() && params->model == wanted.model &&
               params->task == wanted.task && params->target == wanted.target;
    });
}

std::vector<jobs::RunParams> Runner::namedRuns(const std::vector<Recipe>& recipes) {
    std::vector<jobs::RunParams> runs;
    if (const QString reason = whyNot(); !reason.isEmpty()) {
        Q_EMIT refused(reason);
        return runs;
    }
    const auto add = [&](const Recipe& recipe) {
        auto params = paramsFor(recipe);
        params.name = titleOf(recipe, runs).toStdString();
        runs.push_back(std::move(params));
    };
    const bool all =
        std::all_of(recipes.begin(), recipes.end(), [](const auto& r) { return r.isEmpty(); });
    if (!all && baselineNeeded()) {
        add({});
    }
    for (const auto& recipe : recipes) {
        add(recipe);
    }
    return runs;
}

void Runner::queueRuns(const std::vector<Recipe>& recipes) {
    for (const auto& params : namedRuns(recipes)) {
        m_queue.addRun(params, fromUtf8(params.name));
    }
}

void Runner::run() { queueRuns({m_workspace.recipe().recipe()}); }
void Runner::measureBaseline() { queueRuns({Recipe{}}); }

void Runner::runPresets() {
    std::vector<Recipe> recipes;
    for (const auto& preset : presets()) {
        // A preset that a model cannot have (group 64 on 100 columns) is left out, and those that train: who
        // wants to see a front at once does not want to wait for hours.
        if (m_workspace.model() && preset.recipe.recover.empty() &&
            resolve(preset.recipe, m_workspace.model()->layout).ok()) {
            recipes.push_back(preset.recipe);
        }
    }
    queueRuns(recipes);
}

std::vector<Recipe> Runner::recipesOf(const Grid& grid) {
    std::vector<Recipe> recipes;
    for (const double ratio : grid.ratios) {
        for (const auto& format : grid.formats) {
            Recipe recipe;
            const auto prune = [&](bool wanted, PrunePattern pattern) {
                if (wanted) {
                    recipe = withPrune(std::move(recipe), pattern, methodFor(pattern), ratio);
                }
            };
            prune(grid.heads, PrunePattern::Heads);
            prune(grid.neurons, PrunePattern::Neurons);
            prune(grid.weights, PrunePattern::Unstructured);
            recipe.quantize = format;
            if (!recipe.isEmpty() &&
                std::find(recipes.begin(), recipes.end(), recipe) == recipes.end()) {
                recipes.push_back(std::move(recipe));
            }
        }
    }
    return recipes;
}

void Runner::runGrid(const Grid& grid) { queueRuns(recipesOf(grid)); }

std::vector<jobs::RunParams> Runner::gridRuns(const Grid& grid) {
    if (m_workspace.target().machine != Target{}.machine) {
        Q_EMIT refused(tr("a sweep is worked on here or by Slurm: choose this machine as the target, or take the queue"));
        return {};
    }
    return namedRuns(recipesOf(grid));
}

Result<jobs::RunParams> Runner::paramsOf(const RunRecord& record) {
    jobs::RunParams params;
    params.model = record.modelPath;
    PARETO_TRY(params.recipe, recipeFromJson(record.recipe));
    if (record.task.is_object()) {
        PARETO_TRY(params.task, taskFromJson(record.task, ""));
    }
    PARETO_TRY(params.target, targetFromJson(record.target));
    params.seed = record.seed;
    params.pairedBaseline = !params.recipe.isEmpty();
    return params;
}

void Runner::runAgain(RunId run) {
    m_runs.fetch(run, this, [this](const RunRecordPtr& record) {
        auto params = paramsOf(*record);
        if (!params.ok()) {
            Q_EMIT refused(text(params.error()));
            return;
        }
        params.value().minSeconds = m_settings.timingSeconds();
        m_queue.addRun(params.value(), fromUtf8(record->name));
    });
}

void Runner::profile() {
    if (const QString reason = whyNot(); !reason.isEmpty()) {
        Q_EMIT refused(reason);
        return;
    }
    const auto& recipe = m_workspace.recipe();
    jobs::ProfileParams params;
    params.model = m_workspace.model()->path.toStdString();
    params.recipe = recipe.recipe();
    params.target = m_workspace.target();
    params.target.replicas = 1;  // a profile is of one process
    params.minSeconds = m_settings.timingSeconds();
    params.seed = params.recipe.seed;
    m_queue.addProfile(params, params.recipe.isEmpty()
                                   ? tr("Profile")
                                   : tr("Profile: %1").arg(recipe.displayName()));
}

void Runner::predictScaling(const std::optional<jobs::ScalingLink>& link, bool measure) {
    if (const QString reason = whyNot(); !reason.isEmpty()) {
        Q_EMIT refused(reason);
        return;
    }
    const auto& recipe = m_workspace.recipe();
    jobs::ScalingParams params;
    params.model = m_workspace.model()->path.toStdString();
    params.recipe = recipe.recipe();
    params.target = m_workspace.target();
    // The job divides the model itself.
    params.target.tensorParallel = 1;
    params.target.pipelineParallel = 1;
    params.target.replicas = 1;
    params.link = link;
    params.measure = measure;
    // As long as a run, over all rounds.
    params.minSeconds = m_settings.timingSeconds() / params.rounds;
    params.seed = params.recipe.seed;
    m_queue.addScaling(params, params.recipe.isEmpty() ? tr("Scaling")
                                                       : tr("Scaling: %1").arg(recipe.displayName()));
}

QString Runner::commandLine(const jobs::RunParams& params) {
    QStringList words{u"pareto"_s, u"run"_s, quoted(fromUtf8(params.model))};
    words << u"--recipe"_s << quoted(compact(recipeToJson(params.recipe)));
    if (params.task) {
        bool builtIn = false;
        for (const auto& known : builtInTasks()) {
            builtIn = builtIn || known.task == *params.task;
        }
        words << u"--task"_s
              << (builtIn ? quoted(fromUtf8(params.task->name))
                          : quoted(compact(taskToJson(*params.task))));
    }
    Target target = params.target;
    target.machine = Target{}.machine;  // a command measures where it is called
    words << u"--target"_s << quoted(compact(targetToJson(target)));
    return words.join(u' ');
}

}  // namespace pareto::studio
