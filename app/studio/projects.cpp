#include "app/studio/projects.h"

#include <algorithm>

#include <QDir>

#include "app/studio/in_pool.h"
#include "app/studio/job_queue.h"
#include "app/studio/store_thread.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

namespace {

/// Writing a result is a rename and some more; they are looked at once.
constexpr int kLookMs = 500;

struct Reading {
    Result<jobs::OpenedProject> opened;
    Json report;
};

}  // namespace

Projects::Projects(JobQueue& queue, StoreThread& store, QObject* parent)
    : QObject(parent), m_queue(queue), m_store(store) {
    m_lookSoon.setSingleShot(true);
    m_lookSoon.setInterval(kLookMs);
    connect(&m_lookSoon, &QTimer::timeout, this, &Projects::look);
    // The command line may work on the same project, and its files are there to be edited.
    connect(&m_watcher, &QFileSystemWatcher::directoryChanged, this, [this] {
        if (!m_running) {
            m_lookSoon.start();
        }
    });
    connect(&queue, &JobQueue::jobsChanged, this, &Projects::followJob);
    connect(&queue, &JobQueue::progressed, this, [this](int id) {
        if (id == m_job && m_job != 0) {
            Q_EMIT progressed();
        }
    });
}

Projects::~Projects() { m_stopReading.request_stop(); }

const ProjectStep* Projects::find(const std::string& step) const {
    return const_cast<Projects*>(this)->edit(step);
}

ProjectStep* Projects::edit(const std::string& step) {
    const auto found = std::find_if(m_steps.begin(), m_steps.end(),
                                    [&](const ProjectStep& one) { return one.step.name == step; });
    return found == m_steps.end() ? nullptr : &*found;
}

std::vector<std::int64_t> Projects::runs() const {
    std::vector<std::int64_t> out;
    for (const auto& one : m_steps) {
        const auto* result = m_opened->results.find(one.step.name);
        const bool measured = one.step.kind == project::StepType::Evaluate ||
                              one.step.kind == project::StepType::Variant;
        if (measured && result != nullptr && result->run > 0 && one.due != jobs::Due::RunMissing) {
            out.push_back(result->run);
        }
    }
    return out;
}

void Projects::open(const QString& folder) {
    close();
    m_folder = QDir(folder).absolutePath();
    look();
}

void Projects::close() {
    stop();
    m_stopReading.request_stop();
    ++m_ticket;
    if (!m_watcher.directories().isEmpty()) {
        m_watcher.removePaths(m_watcher.directories());
    }
    m_folder.clear();
    m_opened.reset();
    m_report = Json();
    m_steps.clear();
    m_reading = m_running = m_stopping = false;
    m_plan.clear();
    m_work.reset();
    m_job = 0;
    Q_EMIT changed();
}

void Projects::look() {
    if (m_folder.isEmpty() || m_running) {
        return;
    }
    m_stopReading.request_stop();
    m_stopReading = std::stop_source();
    m_reading = true;
    Q_EMIT changed();
    readInPool(++m_ticket);
}

void Projects::readInPool(int ticket) {
    inPool<Reading>(
        this,
        [folder = m_folder.toStdString(), stop = m_stopReading.get_token()] {
            Progress progress;
            auto report = readJsonFile(folder + "/" + project::kReportFile);
            return Reading{jobs::openProject(folder, progress, stop),
                           report.ok() ? std::move(report).value() : Json()};
        },
        [this, ticket](Reading& reading) {
            if (ticket != m_ticket) {
                return;
            }
            if (reading.opened.ok()) {
                adopt(std::make_shared<jobs::OpenedProject>(std::move(reading.opened).value()),
                      std::move(reading.report));
                return;
            }
            m_reading = false;
            const auto folder = m_folder;
            if (m_opened == nullptr) {
                close();
            } else {
                Q_EMIT changed();
            }
            Q_EMIT openFailed(folder, reading.opened.error());
        });
}

void Projects::adopt(OpenedPtr opened, Json report) {
    const bool first = m_opened == nullptr;
    m_opened = std::move(opened);
    m_report = std::move(report);
    std::vector<ProjectStep> steps;
    std::vector<std::string> names;
    for (const auto& step : m_opened->project.steps) {
        const auto* before = find(step.name);
        ProjectStep one;
        if (before != nullptr && before->step == step) {
            one = *before;
        }
        one.step = step;
        steps.push_back(std::move(one));
        names.push_back(step.name);
    }
    m_steps = std::move(steps);
    if (first) {
        m_watcher.addPaths({m_folder, m_folder + u'/' + QLatin1String(project::kDataFolder)});
        Q_EMIT projectOpened();
    }
    Q_EMIT changed();
    lookAtSteps(names, [this](const std::vector<jobs::Due>& dues) {
        m_reading = false;
        for (std::size_t i = 0; i < dues.size(); ++i) {
            auto& step = m_steps[i];
            step.due = dues[i];
            // Why it failed or was stopped is worth more than that it is due.
            const bool told = step.state == StepState::Failed || step.state == StepState::Stopped;
            if (dues[i] == jobs::Due::No || !told) {
                step.state = dues[i] == jobs::Due::No ? StepState::Done : StepState::Due;
            }
        }
        Q_EMIT changed();
    });
}

/// The store knows which runs it has, the pool hashes what steps wrote.
void Projects::lookAtSteps(const std::vector<std::string>& names,
                           std::function<void(const std::vector<jobs::Due>&)> then) {
    std::vector<std::int64_t> runs;
    for (const auto& name : names) {
        if (const auto* result = m_opened->results.find(name);
            result != nullptr && result->run > 0) {
            runs.push_back(result->run);
        }
    }
    const int ticket = m_ticket;
    m_store.ask<StartTimes>(
        [runs](store::Store& store) -> Result<StartTimes> {
            StartTimes out;
            for (const auto id : runs) {
                if (const auto record = store.run(id); record.ok()) {
                    out[id] = record->startedAt;
                }
            }
            return out;
        },
        this,
        [this, ticket, names, then = std::move(then)](Result<StartTimes> stored) {
            if (ticket != m_ticket) {
                return;
            }
            inPool<std::vector<jobs::Due>>(
                this,
                [opened = m_opened, names, stop = m_stopReading.get_token(),
                 times = stored.ok() ? std::move(stored).value() : StartTimes()] {
                    const auto isStored = [&](const project::StepResult& result) {
                        const auto found = times.find(result.run);
                        return found != times.end() && found->second == result.runStartedAt;
                    };
                    Progress progress;
                    std::vector<jobs::Due> out;
                    for (const auto& name : names) {
                        out.push_back(jobs::whyDue(*opened, *opened->project.find(name), isStored,
                                                   progress, stop));
                    }
                    return out;
                },
                [this, ticket, then](std::vector<jobs::Due>& dues) {
                    if (ticket == m_ticket) {
                        then(dues);
                    }
                });
        });
}

void Projects::run() {
    std::deque<std::string> plan;
    for (const auto& one : m_steps) {
        plan.push_back(one.step.name);
    }
    begin(std::move(plan), {});
}

void Projects::runAgain(const std::string& step) {
    std::deque<std::string> plan;
    for (const auto& one : m_steps) {
        plan.push_back(one.step.name);
        if (one.step.name == step) {
            begin(std::move(plan), step);
            return;
        }
    }
}

void Projects::begin(std::deque<std::string> plan, std::string forced) {
    if (m_running || m_reading || m_opened == nullptr) {
        return;
    }
    m_running = true;
    m_stopping = false;
    m_plan = std::move(plan);
    m_forced = std::move(forced);
    for (const auto& name : m_plan) {
        auto* step = edit(name);
        if (step->state != StepState::Done || name == m_forced) {
            step->state = StepState::Waiting;
            step->error.reset();
        }
    }
    Q_EMIT changed();
    advance();
}

/// The plan's first step: is it due now that the ones before it are done?
void Projects::advance() {
    if (m_plan.empty() || m_stopping) {
        endRunning();
        return;
    }
    const auto name = m_plan.front();
    if (name == m_forced) {
        start(name);
        return;
    }
    lookAtSteps({name}, [this, name](const std::vector<jobs::Due>& dues) {
        if (dues.front() != jobs::Due::No) {
            start(name);
            return;
        }
        auto* step = edit(name);
        step->due = jobs::Due::No;
        endStep(StepState::Done);
    });
}

void Projects::start(const std::string& name) {
    if (m_stopping) {
        endStep(StepState::Stopped);
        return;
    }
    auto work = jobs::StepWork::begin(*m_opened, *m_opened->project.find(name));
    if (!work.ok()) {
        endStep(StepState::Failed, work.error());
        return;
    }
    m_work = std::move(work).value();
    auto* step = edit(name);
    step->state = StepState::Running;
    if (const auto& run = m_work->run()) {
        m_job = m_queue.addRun(*run, QString::fromStdString(run->name));
    } else if (const auto& exporting = m_work->exporting()) {
        const auto title = m_opened->project.name + " · " + name;
        m_job = m_queue.addExport(*exporting, QString::fromStdString(title), 0);
    } else {
        compare();
    }
    step->job = m_job;
    Q_EMIT changed();
}

void Projects::compare() {
    m_store.ask<project::StepResult>(
        [work = m_work](store::Store& store) {
            return work->finishComparison([&](std::int64_t run) { return store.run(run); });
        },
        this,
        [this, work = m_work](Result<project::StepResult> result) {
            if (work == m_work) {
                take(std::move(result));
            }
        });
}

void Projects::followJob() {
    if (m_job == 0) {
        return;
    }
    const auto* job = m_queue.find(m_job);
    if (job == nullptr || job->state == JobState::Cancelled) {
        m_job = 0;
        endStep(StepState::Stopped);
    } else if (job->state == JobState::Failed) {
        const auto error = job->error;
        m_job = 0;
        endStep(StepState::Failed, error);
    } else if (job->state == JobState::Finished) {
        m_job = 0;
        jobFinished(*job);
    } else {
        Q_EMIT progressed();
    }
}

void Projects::jobFinished(const Job& job) {
    if (m_work->run()) {
        finishRun(job.run);
        return;
    }
    auto written = jobs::exportResultFromJson(job.result);
    if (!written.ok()) {
        endStep(StepState::Failed, written.error());
        return;
    }
    finishInPool([written = std::move(written).value()](jobs::StepWork& work, Progress& progress,
                                                        std::stop_token stop) {
        return work.finishExport(written, progress, std::move(stop));
    });
}

void Projects::finishRun(std::int64_t run) {
    m_store.ask<RunRecord>(
        [run](store::Store& store) { return store.run(run); }, this,
        [this, work = m_work](Result<RunRecord> record) {
            if (work != m_work) {
                return;
            }
            if (!record.ok()) {
                endStep(StepState::Failed, record.error());
                return;
            }
            finishInPool([record = std::move(record).value()](
                             jobs::StepWork& done, Progress& progress, std::stop_token stop) {
                return done.finishRun(record, progress, std::move(stop));
            });
        });
}

void Projects::finishInPool(
    std::function<Result<project::StepResult>(jobs::StepWork&, Progress&, std::stop_token)>
        finish) {
    inPool<Result<project::StepResult>>(
        this,
        [work = m_work, finish = std::move(finish), stop = m_stopReading.get_token()] {
            Progress progress;
            return finish(*work, progress, stop);
        },
        [this, work = m_work](Result<project::StepResult>& result) {
            if (work == m_work) {
                take(std::move(result));
            }
        });
}

void Projects::take(Result<project::StepResult> result) {
    if (!result.ok()) {
        result.cancelled() ? endStep(StepState::Stopped)
                           : endStep(StepState::Failed, result.error());
        return;
    }
    auto next = std::make_shared<jobs::OpenedProject>(*m_opened);
    const auto saved = jobs::saveStep(*next, std::move(result).value());
    if (!saved.ok()) {
        endStep(StepState::Failed, saved.error());
        return;
    }
    m_opened = std::move(next);
    edit(m_plan.front())->due = jobs::Due::No;
    endStep(StepState::Done);
}

/// Of the plan's first step. Anything but Done ends the plan: what follows stands on it.
void Projects::endStep(StepState state, std::optional<Error> error) {
    m_work.reset();
    if (auto* step = edit(m_plan.front())) {
        step->state = state;
        step->error = std::move(error);
        step->job = 0;
    }
    m_plan.pop_front();
    if (state != StepState::Done) {
        endRunning();
        return;
    }
    Q_EMIT changed();
    advance();
}

void Projects::endRunning() {
    m_running = m_stopping = false;
    m_plan.clear();
    m_forced.clear();
    for (auto& step : m_steps) {
        if (step.state == StepState::Waiting) {
            step.state = StepState::Due;
        }
    }
    Q_EMIT changed();
    look();
}

void Projects::stop() {
    if (!m_running || m_stopping) {
        return;
    }
    m_stopping = true;
    if (m_job != 0) {
        m_queue.cancel(m_job);
    }
    Q_EMIT changed();
}

}  // namespace pareto::studio
