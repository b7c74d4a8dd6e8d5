#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "engine/core/control.h"
#include "engine/core/progress.h"
#include "engine/jobs/api/kept_jobs.h"
#include "engine/jobs/api/protocol.h"
#include "engine/jobs/run/job_table.h"

namespace pareto::cli {

/// Writes whole lines to a file descriptor, from any thread. `patienceMs`: so long the other side may take nothing before it
/// counts as gone (a connection that is down keeps a full pipe open); -1: for ever.
class LineWriter {
public:
    explicit LineWriter(int descriptor, int patienceMs = -1) : m_descriptor(descriptor), m_patienceMs(patienceMs) {}
    /// False once the other side is gone.
    bool write(std::string_view lines);

private:
    const int m_descriptor;
    const int m_patienceMs;
    std::mutex m_mutex;
    bool m_broken = false;
};

/// One conversation with the program that started this worker (jobs/api/protocol.h). Jobs compute one
/// at a time on the thread that calls run(); a second thread reads stdin, reports progress at most
/// ten times a second, gives a sign of life every kAliveSeconds (also of a job that is paused) and passes
/// on what a person wants of the job. End of the input, or a request to stop, cancels the job in hand and
/// ends the conversation; a job that does not let go within kLetGoSeconds ends the process.
class WorkerSession {
public:
    WorkerSession(int input, LineWriter& output, jobs::JobTable table, std::optional<jobs::KeptJobs> kept = {});
    ~WorkerSession();
    WorkerSession(const WorkerSession&) = delete;
    WorkerSession& operator=(const WorkerSession&) = delete;

    void run(std::stop_token stop);

    static constexpr int kLetGoSeconds = 5;

private:
    struct Current {
        std::string id;
        const Progress* progress = nullptr;
        Control* control = nullptr;
        std::stop_source stop;
        std::optional<jobs::KeptJobs::Claim> claim;  ///< with m_kept
        bool cancelled = false;                      ///< by who asked for the job
    };
    /// The next job, or nothing when the conversation is over.
    std::optional<jobs::StartMessage> next();
    void execute(const jobs::StartMessage& start);
    /// What the job answers; nothing when it was not begun, or has no answer.
    void finish(const std::string& id, std::string lines);
    void close();
    void endInput();

    void readLoop();
    void readInput();
    void takeLine(std::string_view line);
    void cancel(const std::string& id);
    void control(const std::string& id, jobs::ControlAction action);
    void collect(const std::string& id);
    void report();
    void keepUp(const ProgressSnapshot& progress);

    const int m_input;
    LineWriter& m_output;
    const jobs::JobTable m_table;
    const std::optional<jobs::KeptJobs> m_kept;

    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::deque<jobs::StartMessage> m_waiting;
    std::optional<Current> m_current;
    bool m_closed = false;
    bool m_inputEnded = false;  ///< with m_kept: the last job is the one in hand

    // Of the reading thread alone.
    std::string m_buffer;
    bool m_skipping = false;   ///< inside a line that is too long
    double m_lastAlive = 0.0;
    std::string m_lastProgress;
    std::jthread m_reader;
};

}  // namespace pareto::cli
