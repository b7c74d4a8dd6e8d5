#include "engine/dist/local_ranks.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/dist/rank_environment.h"

extern char** environ;

namespace pareto::dist {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{5};
constexpr int kLookMs = 100;
/// Of a line; a longer one is cut.
constexpr std::size_t kMostLine = std::size_t{1} << 20;

Error cannotStart(const std::string& program, int problem) {
    return makeError(ErrorCode::ConfigInvalid,
                     {{"file", program}, {"field", "ranks"}, {"reason", std::string("cannot start it (") + std::strerror(problem) + ")"}});
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

std::vector<std::string> environmentOf(const LocalRanksOptions& options, int rank) {
    const std::vector<std::pair<std::string, std::string>> own{
        {"RANK", std::to_string(rank)},
        {"WORLD_SIZE", std::to_string(options.size)},
        {"MASTER_ADDR", "127.0.0.1"},
        {"MASTER_PORT", std::to_string(options.port)},
        {"LOCAL_RANK", std::to_string(rank)},
        {"LOCAL_WORLD_SIZE", std::to_string(options.size)},
        {"TORCHELASTIC_RESTART_COUNT", ""},
        {"TORCHELASTIC_USE_AGENT_STORE", ""},
        {kTokenVariable, options.token},
        {kListenVariable, ""},
    };
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

bool writeAll(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(descriptor, text.data(), text.size());
        if (written < 0 && errno != EINTR) {
            return false;
        }
        text.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
    }
    return true;
}

std::string howItEnded(int status) {
    if (WIFSIGNALED(status)) {
        const int signal = WTERMSIG(status);
        return "was killed by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
    }
    return "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

struct Process {
    int rank = 0;
    pid_t pid = -1;
    int input = -1;
    int output = -1;
    std::string words;  ///< the line that has not ended yet
    bool ended = false;
};

}  // namespace

struct LocalRanks::State {
    std::vector<Process> processes;
    RankListener listener;
    std::jthread thread;

    Status launch(const LocalRanksOptions& options, int rank) {
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
        auto environment = environmentOf(options, rank);
        Process process;
        process.rank = rank;
        const int problem = ::posix_spawn(&process.pid, words[0].c_str(), &actions, &attributes,
                                          pointersTo(words).data(), pointersTo(environment).data());
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
        if (problem != 0) {
            return cannotStart(options.command[0], problem);
        }
        std::swap(process.input, input.write);
        std::swap(process.output, output.read);
        const int to = process.input;
        processes.push_back(std::move(process));
        return writeAll(to, options.line + "\n") ? Status(Done{}) : Status(cannotStart(options.command[0], errno));
    }

    /// Reads what they write; false: none is left.
    bool lookOnce() {
        std::vector<pollfd> waiting;
        std::vector<Process*> of;
        for (auto& process : processes) {
            if (!process.ended) {
                waiting.push_back({process.output, POLLIN, 0});
                of.push_back(&process);
            }
        }
        if (waiting.empty() || ::poll(waiting.data(), waiting.size(), kLookMs) < 0) {
            return !waiting.empty();
        }
        for (std::size_t i = 0; i < waiting.size(); ++i) {
            take(*of[i], waiting[i].revents != 0);
        }
        return true;
    }

    void take(Process& process, bool readable) {
        if (readable && process.output >= 0) {
            char bytes[4096];
            const auto count = ::read(process.output, bytes, sizeof bytes);
            if (count > 0) {
                hear(process, {bytes, static_cast<std::size_t>(count)});
                return;
            }
            // poll() passes over what is closed; the process itself may still be there for a moment.
            closeOnce(process.output);
        }
        int status = 0;
        if (::waitpid(process.pid, &status, WNOHANG) != process.pid) {
            return;
        }
        process.ended = true;
        if (listener.ended) {
            listener.ended(process.rank, howItEnded(status));
        }
    }

    void hear(Process& process, std::string_view bytes) {
        for (const char byte : bytes) {
            if (byte != '\n') {
                if (process.words.size() < kMostLine) {
                    process.words += byte;
                }
                continue;
            }
            if (listener.said) {
                listener.said(process.rank, process.words);
            }
            process.words.clear();
        }
    }

    void endAll() {
        thread = {};
        listener = {};
        for (auto& process : processes) {
            closeOnce(process.input);
        }
        const auto end = Clock::now() + kPatience;
        while (Clock::now() < end && lookOnce()) {
        }
        for (auto& process : processes) {
            if (!process.ended) {
                ::kill(process.pid, SIGKILL);
                ::waitpid(process.pid, nullptr, 0);
            }
            closeOnce(process.output);
        }
    }
};

LocalRanks::LocalRanks(std::unique_ptr<State> state) : m_state(std::move(state)) {}

Result<std::unique_ptr<LocalRanks>> LocalRanks::start(const LocalRanksOptions& options, RankListener listener) {
    std::unique_ptr<LocalRanks> out(new LocalRanks(std::make_unique<State>()));
    auto& state = *out->m_state;
    for (int rank = 1; rank < options.size; ++rank) {
        PARETO_CHECK(state.launch(options, rank));
    }
    state.listener = std::move(listener);
    state.thread = std::jthread([&state](const std::stop_token& stop) {
        while (!stop.stop_requested() && state.lookOnce()) {
        }
    });
    return out;
}

LocalRanks::~LocalRanks() { m_state->endAll(); }

}  // namespace pareto::dist
