#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include <QElapsedTimer>
#include <QObject>
#include <QString>
#include <QTimer>

#include "engine/core/error.h"
#include "engine/core/json.h"
#include "engine/core/progress.h"
#include "engine/spec/recipe.h"
#include "engine/spec/target.h"

namespace pareto::studio {

class JobQueue;
class Runs;
class Selection;
class WorkerClient;
class Workspace;

enum class TrialSide { Original, Optimized };
inline constexpr std::array kTrialSides{TrialSide::Original, TrialSide::Optimized};
enum class TrialState { None, Waiting, Running, Done, Failed, Stopped };

/// What one side of the playground answers.
struct Trial {
    TrialState state = TrialState::None;
    Json params;                   ///< as the worker gets them
    Json result;                   ///< of the job, when Done
    QString streamed;              ///< generated so far
    std::int64_t tokens = 0;       ///< pieces streamed so far
    double tokensPerSecond = 0.0;  ///< live; the worker's own figure when Done
    ProgressSnapshot progress;
    std::optional<Error> error;    ///< when Failed
};
using Trials = std::array<Trial, 2>;

/// Tries the open model as it is and with a recipe on the user's own text, one side after the other
/// on the one worker. Never while a job of the queue or another program measures on this machine: a
/// side that has not begun waits for them. Nothing is stored. GUI thread.
class Playground : public QObject {
    Q_OBJECT
public:
    enum class RecipeSource { Draft, SelectedRun };

    Playground(Workspace& workspace, Runs& runs, Selection& selection, JobQueue& queue,
               WorkerClient& worker, QObject* parent = nullptr);
    ~Playground() override;

    const Trials& trials() const { return m_trials; }
    const Trial& trial(TrialSide side) const { return m_trials[static_cast<std::size_t>(side)]; }
    bool busy() const { return m_begun; }  ///< from start() until `finished`
    bool stopping() const { return m_stopping; }

    RecipeSource recipeSource() const { return m_source; }
    void setRecipeSource(RecipeSource source);
    const Recipe& recipe() const;
    /// "half-int8", "#12 baseline"; empty: none is chosen.
    QString recipeText() const;
    /// The same of the recipe whose answers are shown; empty: the optimized side has none.
    const QString& triedText() const { return m_triedText; }
    /// Why only the original can be tried; empty: both can.
    QString onlyOriginal() const;
    /// Why nothing can be tried now: no model; the machine measures. Empty: it can.
    QString whyNot() const;

    /// Params of the job for each side without model, recipe and target, which are put in; a draft gets the
    /// recipe that is tried, and is left out where there is none. False when nothing can be tried now.
    bool start(const QString& job, const std::array<Json, 2>& params);
    void stop();  ///< asks; the second time it kills the worker
    void clear();  ///< forgets the answers; what runs is stopped
    /// Looks whether another program measures (a page that is shown asks once in a while).
    void lookAround();

Q_SIGNALS:
    void trialsChanged();  ///< at most 20 times a second while text streams
    void stateChanged();   ///< busy(), whyNot(), onlyOriginal() or the recipe
    void finished();       ///< no side runs or waits any more

private:
    Trial& edit(TrialSide side) { return m_trials[static_cast<std::size_t>(side)]; }
    QString blocked() const;
    Target targetHere() const;
    void advance();
    void advanceSoon();
    void endActive(TrialState state);
    void followRun();
    void onEvent(const Json& event);

    Workspace& m_workspace;
    Runs& m_runs;
    Selection& m_selection;
    JobQueue& m_queue;
    WorkerClient& m_worker;
    QString m_job;
    QString m_triedText;
    Trials m_trials;
    std::optional<TrialSide> m_active;  ///< the side whose job the worker has
    bool m_stopping = false;
    bool m_dropped = false;  ///< nobody waits for what the active side answers
    bool m_begun = false;  ///< a side runs or waits, or the end has not been told
    QElapsedTimer m_sinceFirstToken;
    QTimer m_tell;
    RecipeSource m_source = RecipeSource::Draft;
    Recipe m_runRecipe;
    qint64 m_run = 0;  ///< whose recipe m_runRecipe is
    QString m_runTitle;
    QString m_otherProgram;  ///< that measures on this machine
};

}  // namespace pareto::studio
