#include "app/cli/worker_session.h"

#include <algorithm>
#include <cerrno>
#include <chrono>

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
        const auto written = ::write(m_descriptor, lines.data(), lines.size());
        if (written > 0) {
            lines.remove_prefix(static_cast<std::size_t>(written));
        } else if (written < 0 && errno != EINTR) {
            m_broken = true;
        }
    }
    return !m_broken;
}

WorkerSession::WorkerSession(int input, LineWriter& output, jobs::JobTable table)
    : m_input(input), m_output(output), m_table(std::move(table)) {}

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
    m_changed.wait(lock, [this] { return m_closed || !m_waiting.empty(); });
    if (m_closed) {
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
    Progress progress;
    LineSink sink(m_output, start.id);
    std::stop_token stop;
    {
        const std::lock_guard lock(m_mutex);
        m_current.emplace();
        m_current->id = start.id;
        m_current->progress = &progress;
        m_current->control = &sink.told();
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
    {
        const std::lock_guard lock(m_mutex);
        m_current.reset();
    }
    if (result.ok()) {
        m_output.write(jobs::resultLines(start.id, result.value()));
    } else if (result.cancelled()) {
        m_output.write(jobs::cancelledLine(start.id));
    } else {
        m_output.write(jobs::errorLine(start.id, result.error()));
    }
}

void WorkerSession::close() {
    const std::lock_guard lock(m_mutex);
    m_closed = true;
    if (m_current) {
        m_current->stop.request_stop();
    }
    m_changed.notify_all();
}

void WorkerSession::readLoop() {
    m_lastAlive = secondsNow();
    double closedAt = 0.0;
    for (;;) {
        bool closed = false;
        bool busy = false;
        {
            const std::lock_guard lock(m_mutex);
            closed = m_closed;
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
        pollfd input{m_input, POLLIN, 0};
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
        close();
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
    } else {
        m_output.write(jobs::errorLine(
            message->id,
            makeError(ErrorCode::WorkerProtocol,
                      {{"reason", "a worker takes only start, cancel and control"}})));
    }
}

void WorkerSession::cancel(const std::string& id) {
    {
        const std::lock_guard lock(m_mutex);
        if (m_current && m_current->id == id) {
            m_current->stop.request_stop();
            return;
        }
        const auto waiting = std::find_if(m_waiting.begin(), m_waiting.end(),
                                          [&](const auto& start) { return start.id == id; });
        if (waiting == m_waiting.end()) {
            return;   // it ended while the request was on its way
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
        if (!m_output.write(jobs::aliveLine(jobs::residentBytes()))) {
            close();
        }
    }
}

}  // namespace pareto::cli
