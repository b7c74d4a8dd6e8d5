#include <csignal>
#include <ctime>
#include <exception>

#include <unistd.h>

#include "app/cli/arguments.h"
#include "app/cli/console.h"
#include "engine/core/version.h"

namespace pareto::cli {
namespace {

constexpr int kExitCancelled = 3;

/// Turns SIGINT and SIGTERM into a request to stop. The signals are blocked in every thread and taken
/// by one that waits for them; a second one ends the process at once.
class SignalWatcher {
public:
    SignalWatcher() {
        sigemptyset(&m_signals);
        sigaddset(&m_signals, SIGINT);
        sigaddset(&m_signals, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &m_signals, nullptr);
        m_thread = std::jthread([this](const std::stop_token& done) { watch(done); });
    }
    std::stop_token token() const { return m_stop.get_token(); }

private:
    void watch(const std::stop_token& done) {
        while (!done.stop_requested()) {
            const timespec wait{0, 100'000'000};
            if (sigtimedwait(&m_signals, nullptr, &wait) > 0 && !m_stop.request_stop()) {
                ::_exit(kExitCancelled);
            }
        }
    }

    sigset_t m_signals{};
    std::stop_source m_stop;
    std::jthread m_thread;
};

std::string line(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

int fail(const Error& error, bool json) {
    if (json) {
        writeOut(line({{"error", errorToJson(error)}}));
    } else {
        writeError("pareto: " + errorMessage(error) + "\n");
        if (!error.detail.empty()) {
            writeError("        (" + error.detail + ")\n");
        }
    }
    return static_cast<int>(errorKind(error.code));
}

int cancelled(bool json) {
    if (json) {
        writeOut(line({{"error",
                        {{"code", "Cancelled"}, {"message", "The job was cancelled."}, {"detail", ""}}}}));
    } else {
        writeError("pareto: cancelled\n");
    }
    return kExitCancelled;
}

int showVersion(bool json) {
    const Json versions{{"program", programVersion()},
                        {"commit", programCommit()},
                        {"sqlite", store::sqliteVersion()},
                        {"compiler", __VERSION__}};
    if (json) {
        writeOut(line(versions));
    } else {
        writeOut("pareto " + std::string(programVersion()) + " (commit " +
                 std::string(programCommit()) + ", SQLite " + store::sqliteVersion() + ", GCC " +
                 __VERSION__ + ")\n");
    }
    return 0;
}

Result<Output> runCommand(const Call& call, const std::stop_token& stop) {
    Progress progress;
    Context context{call.json, call.quiet, call.database.value_or(store::Store::defaultPath()),
                    progress, stop};
    const ProgressPrinter printer(progress, call.quiet);
    try {
        return call.command->function(call.arguments, context);
    } catch (const std::bad_alloc&) {
        return makeError(ErrorCode::MemoryShort,
                         {{"what", call.command->name}, {"needed", "?"}, {"free", "?"}});
    } catch (const std::exception& problem) {
        return makeError(ErrorCode::EngineFailure,
                         {{"where", call.command->name}, {"reason", problem.what()}});
    }
}

int run(const std::vector<std::string>& words) {
    bool json = false;
    const auto parsed = parseCall(words, json);
    if (!parsed.ok()) {
        return fail(parsed.error(), json);
    }
    const Call& call = parsed.value();
    if (call.version) {
        return showVersion(call.json);
    }
    if (call.help) {
        writeOut(call.command == nullptr ? programHelp() : commandHelp(*call.command));
        return 0;
    }
    const SignalWatcher signals;
    const auto result = runCommand(call, signals.token());
    if (result.cancelled()) {
        return cancelled(call.json);
    }
    if (!result.ok()) {
        return fail(result.error(), call.json);
    }
    if (call.json && !result->json.is_null()) {
        writeOut(line(result->json));
    } else if (!call.json && !result->text.empty()) {
        writeOut(result->text.back() == '\n' ? result->text : result->text + "\n");
    }
    return 0;
}

}  // namespace

Result<std::unique_ptr<store::Store>> Context::openStore() const {
    return store::Store::open(database);
}

Result<std::unique_ptr<store::Store>> Context::openStoreReadOnly() const {
    return store::Store::openReadOnly(database);
}

void Context::stream(std::string_view text) const { writeOut(text); }

void Context::note(const std::string& text) const {
    if (!quiet) {
        writeError(text + "\n");
    }
}

}  // namespace pareto::cli

int main(int argc, char** argv) {
    // A file that may not grow and a pipe that nobody reads are errors of write(), said like others.
    std::signal(SIGXFSZ, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
    return pareto::cli::run({argv + 1, argv + argc});
}
