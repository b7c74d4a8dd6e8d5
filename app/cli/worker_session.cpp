#include "app/cli/worker_session.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>

#include <poll.h>
#include <unistd.h>

#include "app/cli/bus_error.h"
#include "engine/jobs/run/process_facts.h"

namespace pareto::cli {

namespace {

constexpr int kExitCancelled = 3;
constexpr int kReportMs = 100;

double secondsNow() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// What a job says while it runs, and what it is told.
class LineSink : public jobs::RunSink {
public:
    LineSink(LineWriter& output, std::string id) : m_output(output), m_id(std::move(id)) {}
    void partial(const Json& event) override { m_output.write(jobs::eventLine(m_id, event)); }
    const Control& control() const override { return m_control; }
    Control& told() { return m_control; }

private:
    LineWriter& m_output;
    std::string m_id;
    Control m_control;
};

}  // namespace

bool LineWriter::write(std::string_view lines) {
    const std::lock_guard lock(m_mutex);
    while (!lines.empty() && !m_broken) {
        // What is ready for writing takes so much at once, so that no write waits.
        std::size_t size = lines.size();
        if (m_patienceMs >= 0) {
            pollfd output{m_descriptor, POLLOUT, 0};
            const int ready = ::poll(&output, 1, m_patienceMs);
            if (ready < 0 && errno == EINTR) {
                continue;
            }
            m_broken = ready <= 0;
            size = std::min<std::size_t>(size, PIPE_BUF);
        }
        const auto written = m_broken ? 0 : ::write(m_descriptor, lines.data(), size);
        if (written > 0) {
            lines.remove_prefix(static_cast<std::size_t>(written));
        } else if (written < 0 && errno != EINTR) {
            m_broken = true;
        }
    }
    return !m_broken;
}

WorkerSession::WorkerSession(int input, LineWriter& output, jobs::JobTable table, std::optional<jobs::KeptJobs> kept)
    : m_input(input), m_output(output), m_table(std::move(table)), m_kept(std::move(kept)) {}

WorkerSession::~WorkerSession() { close(); }

void WorkerSession::run(std::stop_token stop) {
    const std::stop_callback closing(stop, [this] { close(); });
    m_reader = std::jthread([this] { readLoop(); });
    while (const auto start = next()) {
        execute(*start);
    }
    m_reader.join();
}

std::optional<jobs::StartMessage> WorkerSession::next() {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [this] { return m_closed || m_inputEnded || !m_waiting.empty(); });
    if (m_closed || m_inputEnded) {
        m_closed = true;
        return std::nullopt;
    }
    auto start = std::move(m_waiting.front());
    m_waiting.pop_front();
    return start;
}

void WorkerSession::execute(const jobs::StartMessage& start) {
    const auto job = jobs::findJob(m_table, start.job);
    if (!job.ok()) {
        m_output.write(jobs::errorLine(start.id, job.error()));
        return;
    }
    std::optional<jobs::KeptJobs::Claim> claim;
    if (m_kept) {
        auto begun = m_kept->begin(start.id);
        if (!begun.ok()) {
            m_output.write(jobs::errorLine(start.id, begun.error()));
            return;
        }
        claim.emplace(std::move(begun).value());
    }
    Progress progress;
    LineSink sink(m_output, start.id);
    std::stop_token stop;
    {
        const std::lock_guard lock(m_mutex);
        m_current.emplace();
        m_current->id = start.id;
        m_current->progress = &progress;
        m_current->control = &sink.told();
        if (claim) {
            m_current->claim.emplace(std::move(*claim));
        }
        stop = m_current->stop.get_token();
        if (m_closed) {
            m_current->stop.request_stop();
        }
    }
    const auto model = start.params.find("model");
    const bool named = model != start.params.end() && model->is_string();
    setBusErrorLine(start.id, named ? model->get<std::string>() : std::string());
    const auto result = job.value()(start.params, progress, stop, sink);
    clearBusErrorLine();
    if (result.ok()) {
        finish(start.id, jobs::resultLines(start.id, result.value()));
    } else if (result.cancelled()) {
        finish(start.id, jobs::cancelledLine(start.id));
    } else {
        finish(start.id, jobs::errorLine(start.id, result.error()));
    }
}

void WorkerSession::finish(const std::string& id, std::string lines) {
    {
        const std::lock_guard lock(m_mutex);
        // One that was ended because this process is to end has no answer: it can be begun again.
        if (m_current->claim && (m_current->cancelled || !m_current->stop.stop_requested())) {
            if (const auto kept = m_current->claim->answer(lines); !kept.ok()) {
                lines = jobs::errorLine(id, kept.error());
            }
        }
        m_current.reset();
    }
    m_output.write(lines);
}

void WorkerSession::close() {
    const std::lock_guard lock(m_mutex);
    m_closed = true;
    if (m_current) {
        m_current->stop.request_stop();
    }
    m_changed.notify_all();
}

void WorkerSession::endInput() {
    if (!m_kept) {
        close();
        return;
    }
    const std::lock_guard lock(m_mutex);
    m_inputEnded = true;
    m_waiting.clear();
    if (m_current) {
        m_current->control->pause(false);  // nobody is left to say it
    }
    m_changed.notify_all();
}

void WorkerSession::readLoop() {
    m_lastAlive = secondsNow();
    double closedAt = 0.0;
    for (;;) {
        bool closed = false;
        bool busy = false;
        bool inputEnded = false;
        {
            const std::lock_guard lock(m_mutex);
            closed = m_closed;
            inputEnded = m_inputEnded;
            busy = m_current.has_value();
        }
        if (closed) {
            if (!busy) {
                return;
            }
            closedAt = closedAt == 0.0 ? secondsNow() : closedAt;
            if (secondsNow() - closedAt > kLetGoSeconds) {
                ::_exit(kExitCancelled);
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(kReportMs));
            continue;
        }
        pollfd input{inputEnded ? -1 : m_input, POLLIN, 0};
        if (::poll(&input, 1, kReportMs) > 0) {
            readInput();
        }
        report();
    }
}

void WorkerSession::readInput() {
    char piece[1 << 16];
    const auto size = ::read(m_input, piece, sizeof piece);
    if (size < 0 && errno == EINTR) {
        return;
    }
    if (size <= 0) {
        endInput();
        return;
    }
    m_buffer.append(piece, static_cast<std::size_t>(size));
    std::size_t begin = 0;
    for (auto end = m_buffer.find('\n'); end != std::string::npos;
         end = m_buffer.find('\n', begin)) {
        if (!m_skipping) {
            takeLine(std::string_view(m_buffer).substr(begin, end - begin));
        }
        m_skipping = false;
        begin = end + 1;
    }
    m_buffer.erase(0, begin);
    if (m_buffer.size() > jobs::kMaxLine) {
        if (!m_skipping) {
            m_output.write(jobs::errorLine(
                {}, makeError(ErrorCode::WorkerProtocol,
                              {{"reason", "a line is longer than " +
                                              std::to_string(jobs::kMaxLine) + " bytes"}})));
        }
        m_skipping = true;
        m_buffer.clear();
    }
}

void WorkerSession::takeLine(std::string_view line) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
        return;
    }
    auto message = jobs::parseMessage(line);
    if (!message.ok()) {
        m_output.write(jobs::errorLine({}, message.error()));
        return;
    }
    if (message->type == jobs::MessageType::Start) {
        const std::lock_guard lock(m_mutex);
        m_waiting.push_back(std::move(message->start));
        m_changed.notify_all();
    } else if (message->type == jobs::MessageType::Cancel) {
        cancel(message->id);
    } else if (message->type == jobs::MessageType::Control) {
        control(message->id, message->action);
    } else if (message->type == jobs::MessageType::Collect && m_kept) {
        collect(message->id);
    } else if (message->type == jobs::MessageType::Forget && m_kept) {
        m_kept->forget(message->id);
    } else {
        m_output.write(jobs::errorLine(
            message->id,
            makeError(ErrorCode::WorkerProtocol,
                      {{"reason", m_kept ? "a worker that keeps jobs takes only start, cancel, control, collect and forget"
                                                 : "a worker takes only start, cancel and control"}})));
    }
}

void WorkerSession::cancel(const std::string& id) {
    {
        const std::lock_guard lock(m_mutex);
        if (m_current && m_current->id == id) {
            m_current->cancelled = true;
            m_current->stop.request_stop();
            return;
        }
        const auto waiting = std::find_if(m_waiting.begin(), m_waiting.end(),
                                          [&](const auto& start) { return start.id == id; });
        if (waiting == m_waiting.end()) {
            if (m_kept) {
                m_kept->askToCancel(id);  // of an earlier worker, which may still be at it
            }
            return;   // else it ended while the request was on its way
        }
        m_waiting.erase(waiting);
    }
    m_output.write(jobs::cancelledLine(id));
}

void WorkerSession::control(const std::string& id, jobs::ControlAction action) {
    const std::lock_guard lock(m_mutex);
    if (!m_current || m_current->id != id) {
        return;
    }
    switch (action) {
    case jobs::ControlAction::Pause: m_current->control->pause(true); break;
    case jobs::ControlAction::Resume: m_current->control->pause(false); break;
    case jobs::ControlAction::Finish:
        // Who waits for an end does not want to wait for "resume" first.
        m_current->control->finish();
        m_current->control->pause(false);
        break;
    }
}

void WorkerSession::collect(const std::string& id) {
    const auto seen = m_kept->look(id);
    switch (seen.state) {
    case jobs::KeptJobs::State::Absent: m_output.write(jobs::absentLine(id)); break;
    case jobs::KeptJobs::State::Working: m_output.write(jobs::progressLine({id, seen.progress, 0})); break;
    case jobs::KeptJobs::State::Answered: m_output.write(seen.lines); break;
    case jobs::KeptJobs::State::Died:
        m_output.write(jobs::errorLine(
            id, makeError(ErrorCode::WorkerCrashed,
                          {{"reason", "its process was killed, or the machine restarted, before the job ended"}})));
        break;
    }
}

/// Where others can see it, and whether they want it to end.
void WorkerSession::keepUp(const ProgressSnapshot& progress) {
    const std::lock_guard lock(m_mutex);
    if (m_current && m_current->claim) {
        m_current->claim->say(progress);
        if (m_current->claim->isCancelAsked()) {
            m_current->cancelled = true;
            m_current->stop.request_stop();
        }
    }
}

void WorkerSession::report() {
    jobs::ProgressMessage message;
    {
        const std::lock_guard lock(m_mutex);
        if (m_current) {
            message.id = m_current->id;
            message.progress = m_current->progress->snapshot();
        }
    }
    if (!message.id.empty()) {
        message.residentBytes = 0;
        // Compared without the memory, which moves all the time.
        auto line = jobs::progressLine(message);
        if (line != m_lastProgress) {
            m_lastProgress = std::move(line);
            message.residentBytes = jobs::residentBytes();
            m_output.write(jobs::progressLine(message));
        }
    }
    if (secondsNow() - m_lastAlive >= jobs::kAliveSeconds) {
        m_lastAlive = secondsNow();
        keepUp(message.progress);
        if (!m_output.write(jobs::aliveLine(jobs::residentBytes()))) {
            endInput();
        }
    }
}

}  // namespace pareto::cli
