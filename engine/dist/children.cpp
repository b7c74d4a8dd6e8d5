#include "engine/dist/children.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <mutex>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace pareto::dist {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{5};
constexpr int kLookMs = 100;
/// Of a line; a longer one is cut.
constexpr std::size_t kMostLine = std::size_t{4} << 20;

Error cannotStart(const std::string& program, int problem) {
    return makeError(ErrorCode::ConfigInvalid,
                     {{"file", program}, {"field", "process"}, {"reason", std::string("cannot be started (") + std::strerror(problem) + ")"}});
}

void closeOnce(int& descriptor) {
    if (descriptor >= 0) {
        ::close(descriptor);
        descriptor = -1;
    }
}

struct Pipe {
    int read = -1;
    int write = -1;
    Pipe() {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) == 0) {
            read = ends[0];
            write = ends[1];
        }
    }
    ~Pipe() {
        closeOnce(read);
        closeOnce(write);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    bool isOpen() const { return read >= 0; }
};

std::vector<std::string> environmentWith(const std::vector<std::pair<std::string, std::string>>& own) {
    std::vector<std::string> out;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        const auto name = text.substr(0, text.find('='));
        if (std::none_of(own.begin(), own.end(), [&](const auto& pair) { return pair.first == name; })) {
            out.push_back(text);
        }
    }
    for (const auto& [name, value] : own) {
        out.push_back(name + "=" + value);
    }
    return out;
}

std::vector<char*> pointersTo(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (auto& text : texts) {
        out.push_back(text.data());
    }
    out.push_back(nullptr);
    return out;
}

/// False where nobody reads; SIGPIPE, which would end a process that does not pass over it, is held back meanwhile.
bool writeAll(int to, std::string_view text) {
    sigset_t pipe;
    sigset_t before;
    sigset_t pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    ::sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    while (!text.empty()) {
        const auto written = ::write(to, text.data(), text.size());
        if (written < 0 && errno != EINTR) {
            break;
        }
        text.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
    }
    const timespec now{};
    if (!text.empty() && sigismember(&pending, SIGPIPE) == 0) {
        ::sigtimedwait(&pipe, nullptr, &now);
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return text.empty();
}

std::string howItEnded(int status) {
    if (WIFSIGNALED(status)) {
        const int signal = WTERMSIG(status);
        return "was killed by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
    }
    return "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

struct Process {
    pid_t pid = -1;
    int input = -1;
    int output = -1;
    std::string words;  ///< the line that has not ended yet
    bool ended = false;
};

}  // namespace

struct Children::State {
    std::mutex mutex;  ///< of what follows, but not while the listener is called
    std::vector<Process> processes;
    ChildListener listener;
    std::jthread thread;

    /// Reads what they write; false: none is left.
    bool lookOnce() {
        std::vector<pollfd> waiting;
        std::vector<int> of;
        {
            const std::lock_guard lock(mutex);
            for (std::size_t i = 0; i < processes.size(); ++i) {
                if (!processes[i].ended) {
                    waiting.push_back({processes[i].output, POLLIN, 0});
                    of.push_back(static_cast<int>(i));
                }
            }
        }
        ::poll(waiting.data(), waiting.size(), kLookMs);
        for (std::size_t i = 0; i < waiting.size(); ++i) {
            take(of[i], waiting[i].revents != 0);
        }
        return !waiting.empty();
    }

    void take(int child, bool readable) {
        std::vector<std::string> lines;
        std::string end;
        {
            const std::lock_guard lock(mutex);
            auto& process = processes[static_cast<std::size_t>(child)];
            if (!readable || !read(process, lines)) {
                int status = 0;
                if (::waitpid(process.pid, &status, WNOHANG) == process.pid) {
                    process.ended = true;
                    closeOnce(process.input);
                    end = howItEnded(status);
                }
            }
        }
        for (const auto& line : lines) {
            if (listener.said) {
                listener.said(child, line);
            }
        }
        if (!end.empty() && listener.ended) {
            listener.ended(child, end);
        }
    }

    /// False where nothing more comes.
    static bool read(Process& process, std::vector<std::string>& lines) {
        char bytes[1 << 16];
        const auto count = process.output >= 0 ? ::read(process.output, bytes, sizeof bytes) : 0;
        if (count <= 0) {
            // poll() passes over what is closed; the process itself may still be there for a moment.
            closeOnce(process.output);
            return false;
        }
        for (const char byte : std::string_view(bytes, static_cast<std::size_t>(count))) {
            if (byte == '\n') {
                lines.push_back(std::move(process.words));
                process.words.clear();
            } else if (process.words.size() < kMostLine) {
                process.words += byte;
            }
        }
        return true;
    }
};

Children::Children(ChildListener listener) : m_state(std::make_unique<State>()) {
    auto& state = *m_state;
    state.listener = std::move(listener);
    state.thread = std::jthread([&state](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            if (!state.lookOnce()) {
                std::this_thread::sleep_for(std::chrono::milliseconds(kLookMs));
            }
        }
    });
}

Children::~Children() {
    auto& state = *m_state;
    state.thread = {};
    state.listener = {};
    for (auto& process : state.processes) {
        closeOnce(process.input);
        if (!process.ended) {
            ::kill(process.pid, SIGCONT);  // one that is stopped cannot see that it is to end
        }
    }
    const auto end = Clock::now() + kPatience;
    while (Clock::now() < end && state.lookOnce()) {
    }
    for (auto& process : state.processes) {
        if (!process.ended) {
            ::kill(process.pid, SIGKILL);
            ::waitpid(process.pid, nullptr, 0);
        }
        closeOnce(process.output);
    }
}

Result<int> Children::start(const ChildOptions& options) {
    Pipe input;
    Pipe output;
    if (!input.isOpen() || !output.isOpen()) {
        return cannotStart(options.command[0], errno);
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input.read, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output.write, STDOUT_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    auto words = options.command;
    auto environment = environmentWith(options.environment);
    Process process;
    const int problem = ::posix_spawn(&process.pid, words[0].c_str(), &actions, &attributes, pointersTo(words).data(),
                                      pointersTo(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (problem != 0) {
        return cannotStart(options.command[0], problem);
    }
    std::swap(process.input, input.write);
    std::swap(process.output, output.read);
    const std::lock_guard lock(m_state->mutex);
    m_state->processes.push_back(std::move(process));
    return static_cast<int>(m_state->processes.size()) - 1;
}

bool Children::write(int child, const std::string& lines) {
    int to = -1;
    {
        const std::lock_guard lock(m_state->mutex);
        // A number of its own: the child may end, and its input be closed, while this is written.
        to = ::fcntl(m_state->processes[static_cast<std::size_t>(child)].input, F_DUPFD_CLOEXEC, 0);
    }
    const bool written = to >= 0 && writeAll(to, lines);
    closeOnce(to);
    return written;
}

}  // namespace pareto::dist
