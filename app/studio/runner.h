#pragma once

#include <optional>
#include <vector>

#include <QObject>

#include "app/studio/selection.h"
#include "engine/jobs/api/jobs.h"
#include "engine/jobs/api/scaling.h"

namespace pareto::studio {

class JobQueue;
class Runs;
class Settings;
class Workspace;

/// Turns the commands of the Run menu into jobs: what is measured with which parameters, and that a
/// baseline comes first where none is comparable. GUI thread.
class Runner : public QObject {
    Q_OBJECT
public:
    Runner(Workspace& workspace, Runs& runs, JobQueue& queue, Settings& settings,
           QObject* parent = nullptr);

    /// Empty when something can be run now, else why not.
    QString whyNot() const;

    void run();
    void measureBaseline();
    void runPresets();
    /// Every ratio of heads and neurons with every number format, in one go. Format texts are those
    /// of widgets::layerFormats().
    struct Grid {
        std::vector<double> ratios;
        bool heads = true;
        bool neurons = true;
        bool weights = false;
        std::vector<std::optional<QuantizeSpec>> formats;
    };
    static std::vector<Recipe> recipesOf(const Grid& grid);
    void runGrid(const Grid& grid);
    /// What runGrid would queue, with its names; none where nothing can be run now, which is said.
    std::vector<jobs::RunParams> gridRuns(const Grid& grid);
    void runAgain(RunId run);
    /// Queues a profile of the model with its recipe on the target.
    void profile();
    /// Queues a prediction of how the model with its recipe runs in parts. `link` absent: measured on this machine. `measure`:
    /// also how it does run on this machine's cores.
    void predictScaling(const std::optional<jobs::ScalingLink>& link, bool measure);

    jobs::RunParams paramsFor(const Recipe& recipe) const;
    /// `pareto run …` with everything that a run of these parameters needs.
    static QString commandLine(const jobs::RunParams& params);
    /// A stored run as the parameters that measured it.
    static Result<jobs::RunParams> paramsOf(const RunRecord& record);

Q_SIGNALS:
    /// An intent that could not be carried out, in the language of the window.
    void refused(const QString& reason);

private:
    void queueRuns(const std::vector<Recipe>& recipes);
    /// With the baseline where one is needed.
    std::vector<jobs::RunParams> namedRuns(const std::vector<Recipe>& recipes);
    bool baselineNeeded() const;
    /// The recipe's name or summary; a number behind it where another recipe already goes by it, among `others` too.
    QString titleOf(const Recipe& recipe, const std::vector<jobs::RunParams>& others) const;
    bool titleTaken(const QString& title, const Recipe& recipe,
                    const std::vector<jobs::RunParams>& others) const;

    Workspace& m_workspace;
    Runs& m_runs;
    JobQueue& m_queue;
    Settings& m_settings;
};

}  // namespace pareto::studio
