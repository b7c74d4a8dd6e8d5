#pragma once

#include <memory>
#include <vector>

#include <QElapsedTimer>
#include <QObject>
#include <QString>
#include <QTimer>

#include "app/studio/runs.h"
#include "app/studio/selection.h"
#include "engine/core/json.h"
#include "engine/records/training.h"
#include "widgets/plots/training_curve.h"

namespace pareto::studio {

class JobQueue;
struct Job;

/// One recovery step of a recipe, while it trains or afterwards.
struct TrainingStep {
    /// Its points are in `curve`; of a step that has not ended only method, source and validations
    /// are known.
    TrainingRecord facts;
    std::shared_ptr<widgets::TrainingCurve> curve = std::make_shared<widgets::TrainingCurve>();
    /// Whose weights were kept, or would be if it ended now; 0: not known.
    std::int64_t keptStep() const;
};
using TrainingSteps = std::vector<TrainingStep>;

/// What recovery tells of itself: the points that the running job sends, and those that the record
/// of the chosen run holds. A job's points stay after its end until another one trains. GUI thread.
class TrainingRuns : public QObject {
    Q_OBJECT
public:
    TrainingRuns(JobQueue& queue, Runs& runs, Selection& selection, QObject* parent = nullptr);
    ~TrainingRuns() override;

    /// Of the job that trains, or trained last in this window; empty: none has.
    const TrainingSteps& live() const { return m_live; }
    const QString& liveTitle() const { return m_liveTitle; }
    int liveJob() const { return m_job; }  ///< 0: none
    bool isTraining() const { return m_training; }
    bool isPaused() const;
    bool isFinishing() const;  ///< was asked to end with the best so far
    /// Of the step that trains, validations and all; -1: cannot be told yet.
    double secondsLeft() const;
    /// Examples a second, over the last points; 0: none came.
    double throughput() const { return m_throughput; }

    /// Of the chosen run; empty: it did not train, or none is chosen.
    const TrainingSteps& stored() const { return m_stored; }
    RunId storedRun() const { return m_storedRun; }  ///< the chosen run, also when it did not train
    const QString& storedTitle() const { return m_storedTitle; }

    void setPaused(bool paused);
    void finishEarly();

    /// details["recover"] of a run's record; what cannot be read is left out.
    static TrainingSteps stepsOf(const Json& details);

Q_SIGNALS:
    void started();      ///< another job trains
    void liveChanged();  ///< points or states; at most ten times a second
    void storedChanged();

private:
    void onPartial(int job, const Json& event);
    void begin(const Job& job);
    void take(const TrainingPoint& point);
    void take(const ValidationPoint& point);
    void nextStep();
    void followJobs();
    void followRun();
    void fetchEnd(RunId run);
    void tellSoon();
    qint64 activeMs() const;  ///< since the first point of the step, without pauses

    JobQueue& m_queue;
    Runs& m_runs;
    Selection& m_selection;
    int m_job = 0;
    bool m_training = false;
    QString m_liveTitle;
    TrainingSteps m_live;
    std::vector<TrainingRecord> m_planned;  ///< method and source of the recipe's steps
    double m_throughput = 0.0;
    QElapsedTimer m_clock;
    qint64 m_pausedMs = 0;
    QElapsedTimer m_pause;  ///< valid while it is paused
    std::int64_t m_firstStep = 0;
    double m_msPerStep = 0.0;  ///< 0: not known
    qint64 m_lastPointMs = 0;
    QTimer m_tell;
    RunId m_storedRun = 0;
    RunRecordPtr m_storedRecord;
    QString m_storedTitle;
    TrainingSteps m_stored;
};

}  // namespace pareto::studio
