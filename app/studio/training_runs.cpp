#include "app/studio/training_runs.h"

#include <algorithm>

#include "app/studio/job_queue.h"
#include "app/studio/texts.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

constexpr int kTellMs = 100;
/// Weight of a new point in the throughput shown.
constexpr double kFreshShare = 0.2;

/// A task in the recipe may be a name, a path or an object with a name.
std::string sourceName(const RecoverSpec& spec) {
    if (!spec.source.empty() && spec.source.front() == '{') {
        const auto task = loadTask(spec.source);
        return task.ok() ? task->name : spec.source;
    }
    return spec.source;
}

}  // namespace

std::int64_t TrainingStep::keptStep() const {
    if (facts.keptStep > 0) {
        return facts.keptStep;
    }
    const auto best = std::find_if(facts.validations.rbegin(), facts.validations.rend(),
                                   [](const ValidationPoint& point) { return point.best; });
    return best == facts.validations.rend() ? 0 : best->step;
}

TrainingRuns::TrainingRuns(JobQueue& queue, Runs& runs, Selection& selection, QObject* parent)
    : QObject(parent), m_queue(queue), m_runs(runs), m_selection(selection) {
    m_tell.setSingleShot(true);
    m_tell.setInterval(kTellMs);
    connect(&m_tell, &QTimer::timeout, this, &TrainingRuns::liveChanged);
    connect(&queue, &JobQueue::partial, this, &TrainingRuns::onPartial);
    connect(&queue, &JobQueue::jobsChanged, this, &TrainingRuns::followJobs);
    connect(&selection, &Selection::runsChanged, this, &TrainingRuns::followRun);
    connect(&runs, &Runs::changed, this, &TrainingRuns::followRun);
}

TrainingRuns::~TrainingRuns() = default;

bool TrainingRuns::isPaused() const {
    const auto* job = m_training ? m_queue.find(m_job) : nullptr;
    return job != nullptr && job->paused;
}

bool TrainingRuns::isFinishing() const {
    const auto* job = m_training ? m_queue.find(m_job) : nullptr;
    return job != nullptr && job->finishing;
}

void TrainingRuns::setPaused(bool paused) {
    if (m_training) {
        m_queue.setPaused(m_job, paused);
    }
}

void TrainingRuns::finishEarly() {
    if (m_training) {
        m_queue.finishEarly(m_job);
    }
}

qint64 TrainingRuns::activeMs() const {
    return m_clock.isValid()
               ? m_clock.elapsed() - m_pausedMs - (m_pause.isValid() ? m_pause.elapsed() : 0)
               : 0;
}

double TrainingRuns::secondsLeft() const {
    if (!m_training || m_msPerStep <= 0.0 || m_live.empty() || m_live.back().curve->isEmpty()) {
        return -1.0;
    }
    const auto& last = m_live.back().curve->last();
    const double left = static_cast<double>(last.steps - last.step) * m_msPerStep;
    return std::max(0.0, left - static_cast<double>(activeMs() - m_lastPointMs)) / 1000.0;
}

void TrainingRuns::onPartial(int id, const Json& event) {
    const auto* job = m_queue.find(id);
    if (job == nullptr || !event.is_object()) {
        return;
    }
    const auto points = event.find("training");
    const auto validation = event.find("validation");
    if (points == event.end() && validation == event.end()) {
        return;
    }
    if (id != m_job || !m_training) {  // a job that is retried trains anew
        begin(*job);
    }
    if (points != event.end() && points->is_array()) {
        for (const auto& entry : *points) {
            if (const auto point = trainingPointFromJson(entry); point.ok()) {
                take(point.value());
            }
        }
    }
    if (validation != event.end()) {
        if (const auto point = validationPointFromJson(*validation); point.ok()) {
            take(point.value());
        }
    }
    tellSoon();
}

void TrainingRuns::begin(const Job& job) {
    m_job = job.id;
    m_training = true;
    m_liveTitle = job.title;
    m_live.clear();
    m_planned.clear();
    if (const auto params = jobs::runParamsFromJson(job.params); params.ok()) {
        for (const auto& spec : params->recipe.recover) {
            TrainingRecord planned;
            planned.method = recoverSummary(spec);
            planned.source = sourceName(spec);
            m_planned.push_back(std::move(planned));
        }
    }
    nextStep();
    Q_EMIT started();
}

/// The recipe's next step begins: its steps are counted from 1 again.
void TrainingRuns::nextStep() {
    TrainingStep step;
    if (m_live.size() < m_planned.size()) {
        step.facts = m_planned[m_live.size()];
    }
    m_live.push_back(std::move(step));
    m_clock.invalidate();
    m_throughput = m_msPerStep = 0.0;
}

void TrainingRuns::take(const TrainingPoint& point) {
    if (!m_live.back().curve->isEmpty() && point.step <= m_live.back().curve->last().step) {
        nextStep();
    }
    auto& step = m_live.back();
    step.curve->append(point);
    step.facts.steps = point.step;
    if (point.examplesPerSecond > 0.0) {
        m_throughput = m_throughput <= 0.0 ? point.examplesPerSecond
                                           : (1.0 - kFreshShare) * m_throughput +
                                                 kFreshShare * point.examplesPerSecond;
    }
    if (!m_clock.isValid()) {
        m_clock.start();
        m_pausedMs = 0;
        m_pause.invalidate();
        m_firstStep = point.step;
    }
    m_lastPointMs = activeMs();
    if (point.step > m_firstStep && m_lastPointMs > 0) {
        m_msPerStep =
            static_cast<double>(m_lastPointMs) / static_cast<double>(point.step - m_firstStep);
    }
}

void TrainingRuns::take(const ValidationPoint& point) {
    m_live.back().facts.validations.push_back(point);
}

/// Pauses stop the clock; an end is the job's.
void TrainingRuns::followJobs() {
    const auto* job = m_training ? m_queue.find(m_job) : nullptr;
    if (!m_training) {
        return;
    }
    const bool paused = job != nullptr && job->paused;
    if (paused && !m_pause.isValid()) {
        m_pause.start();
    } else if (!paused && m_pause.isValid()) {
        m_pausedMs += m_pause.elapsed();
        m_pause.invalidate();
    }
    if (job == nullptr || (job->state != JobState::Running && job->state != JobState::Stopping)) {
        m_training = false;
        if (job != nullptr && job->state == JobState::Finished && job->run != 0) {
            fetchEnd(job->run);
        }
    }
    Q_EMIT liveChanged();
}

/// The record says how each step ended and which of its weights were kept.
void TrainingRuns::fetchEnd(RunId run) {
    m_runs.fetch(run, this, [this, job = m_job](const RunRecordPtr& record) {
        auto ended = stepsOf(record->details);
        if (job != m_job || ended.size() != m_live.size()) {
            return;
        }
        for (std::size_t i = 0; i < ended.size(); ++i) {
            m_live[i].facts = std::move(ended[i].facts);
        }
        Q_EMIT liveChanged();
    });
}

TrainingSteps TrainingRuns::stepsOf(const Json& details) {
    TrainingSteps out;
    const auto recover = details.find("recover");
    if (recover == details.end() || !recover->is_array()) {
        return out;
    }
    for (const auto& entry : *recover) {
        auto record = trainingRecordFromJson(entry);
        if (!record.ok()) {
            continue;
        }
        TrainingStep step;
        for (const auto& point : record->points) {
            step.curve->append(point);
        }
        step.facts = std::move(record).value();
        step.facts.points.clear();
        out.push_back(std::move(step));
    }
    return out;
}

void TrainingRuns::followRun() {
    const RunId run = m_selection.currentRun();
    if (run != m_storedRun) {
        m_storedRun = run;
        m_storedRecord = nullptr;
        m_stored.clear();
        m_storedTitle.clear();
        Q_EMIT storedChanged();
    }
    if (run == 0) {
        return;
    }
    m_runs.fetch(run, this, [this, run](const RunRecordPtr& record) {
        if (run != m_storedRun || record == m_storedRecord) {
            return;
        }
        m_storedRecord = record;
        m_stored = stepsOf(record->details);
        m_storedTitle = u"#%1 %2"_s.arg(run).arg(fromUtf8(record->name));
        Q_EMIT storedChanged();
    });
}

void TrainingRuns::tellSoon() {
    if (!m_tell.isActive()) {
        m_tell.start();
    }
}

}  // namespace pareto::studio
