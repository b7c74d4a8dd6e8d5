#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include <QFileSystemWatcher>
#include <QObject>
#include <QString>
#include <QTimer>

#include "engine/jobs/api/project_steps.h"

namespace pareto::studio {

class JobQueue;
class StoreThread;
struct Job;

enum class StepState {
    Unknown,  ///< its inputs and outputs are being looked at
    Done,
    Due,      ///< see ProjectStep::due
    Waiting,  ///< planned, behind others
    Running,
    Failed,
    Stopped,
};

struct ProjectStep {
    project::Step step;
    StepState state = StepState::Unknown;
    jobs::Due due = jobs::Due::No;
    std::optional<Error> error;  ///< Failed
    int job = 0;                 ///< Running: of the queue; 0: it has none, or not yet
};

/// The project of this window: its folder, what became of its steps, and the running of them. A step's
/// jobs go through the queue like any other, by the code that `pareto project run` uses, so that they
/// train on the page Training, are stored and wait for their turn. GUI thread; reading and hashing
/// happen in the pool.
class Projects : public QObject {
    Q_OBJECT
public:
    using OpenedPtr = std::shared_ptr<const jobs::OpenedProject>;

    Projects(JobQueue& queue, StoreThread& store, QObject* parent = nullptr);
    ~Projects() override;

    const QString& folder() const { return m_folder; }    ///< empty: none is open
    const OpenedPtr& opened() const { return m_opened; }  ///< null until it was read
    const Json& report() const { return m_report; }       ///< report.json; null: there is none
    const std::vector<ProjectStep>& steps() const { return m_steps; }
    bool isReading() const { return m_reading; }
    bool isRunning() const { return m_running; }
    const ProjectStep* find(const std::string& step) const;
    /// The project's runs that are stored, the base first.
    std::vector<std::int64_t> runs() const;

    /// `opened` or `openFailed` follows.
    void open(const QString& folder);
    void close();
    /// Reads the folder again.
    void look();
    /// Does what is due, in order; ends at the first step that fails.
    void run();
    /// Does a step whatever its inputs say, and before it what it stands on where that is due.
    void runAgain(const std::string& step);
    void stop();

Q_SIGNALS:
    void changed();     ///< folder, steps or results
    void progressed();  ///< of the running step
    void projectOpened();
    void openFailed(const QString& folder, const pareto::Error& error);

private:
    using StartTimes = std::map<std::int64_t, std::int64_t>;  ///< run -> when it started

    void readInPool(int ticket);
    void adopt(OpenedPtr opened, Json report);
    void lookAtSteps(const std::vector<std::string>& names,
                     std::function<void(const std::vector<jobs::Due>&)> then);
    void begin(std::deque<std::string> plan, std::string forced);
    void advance();
    void start(const std::string& name);
    void compare();
    void followJob();
    void jobFinished(const Job& job);
    void finishRun(std::int64_t run);
    /// Reads back in the pool, then takes the result.
    void finishInPool(
        std::function<Result<project::StepResult>(jobs::StepWork&, Progress&, std::stop_token)>
            finish);
    void take(Result<project::StepResult> result);
    void endStep(StepState state, std::optional<Error> error = {});
    void endRunning();
    ProjectStep* edit(const std::string& step);

    JobQueue& m_queue;
    StoreThread& m_store;
    QString m_folder;
    OpenedPtr m_opened;
    Json m_report;
    std::vector<ProjectStep> m_steps;
    bool m_reading = false;
    int m_ticket = 0;  ///< of the newest reading; an older answer is passed over
    std::stop_source m_stopReading;
    QFileSystemWatcher m_watcher;
    QTimer m_lookSoon;

    bool m_running = false;
    bool m_stopping = false;
    std::deque<std::string> m_plan;  ///< its first step is the one that runs
    std::string m_forced;
    std::shared_ptr<jobs::StepWork> m_work;
    int m_job = 0;
};

}  // namespace pareto::studio
