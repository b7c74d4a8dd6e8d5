#include "app/cli/console.h"

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string>

#include <unistd.h>

#include "app/cli/text_table.h"
#include "engine/jobs/api/machine_lock.h"

namespace pareto::cli {
namespace {

using namespace std::chrono_literals;

/// stdout and stderr may be the same terminal: one lock for both, and a memory of whether a progress
/// line stands there.
std::mutex& consoleMutex() {
    static std::mutex mutex;
    return mutex;
}
bool lineStands = false;

void clearLine() {
    if (lineStands) {
        std::fputs("\r\033[K", stderr);
        std::fflush(stderr);
        lineStands = false;
    }
}

/// " (pareto, process 12: name of its run)"; empty when nobody measures any more.
std::string holderText() {
    const auto holder = jobs::MachineLock::holder();
    if (!holder || holder->pid == ::getpid()) {
        return "";
    }
    return " (" + holder->program + ", process " + std::to_string(holder->pid) +
           (holder->what.empty() ? "" : ": " + holder->what) + ")";
}

std::string describe(const ProgressSnapshot& snapshot) {
    std::string text(stageText(snapshot.stage));
    if (snapshot.stage == Stage::WaitingForMachine) {
        text += holderText();
    }
    if (snapshot.total > 0) {
        const double share = static_cast<double>(snapshot.done) / static_cast<double>(snapshot.total);
        text += " " + formatCount(snapshot.done) + " of " + formatCount(snapshot.total);
        if (snapshot.unit != Unit::None) {
            text += " " + std::string(unitName(snapshot.unit));
        }
        text += " (" + formatNumber(100.0 * share, 0) + " %)";
    } else if (snapshot.done > 0) {
        text += " " + formatCount(snapshot.done);
        if (snapshot.unit != Unit::None) {
            text += " " + std::string(unitName(snapshot.unit));
        }
    }
    return text;
}

void watch(const Progress& progress, const std::stop_token& stop) {
    const bool terminal = ::isatty(STDERR_FILENO) == 1;
    std::mutex mutex;
    std::condition_variable_any wake;
    std::string shown;
    Stage stage = Stage::Idle;
    while (!stop.stop_requested()) {
        const auto snapshot = progress.snapshot();
        const std::string text = describe(snapshot);
        if (snapshot.stage != Stage::Idle && (terminal ? text != shown : snapshot.stage != stage)) {
            const std::lock_guard lock(consoleMutex());
            if (terminal) {
                std::fprintf(stderr, "\r\033[K%s", text.c_str());
                lineStands = true;
            } else {
                const bool waits = snapshot.stage == Stage::WaitingForMachine;
                const std::string said = waits ? text : std::string(stageText(snapshot.stage));
                std::fprintf(stderr, "%s\n", said.c_str());
            }
            std::fflush(stderr);
            shown = text;
            stage = snapshot.stage;
        }
        // Twice a second: repainting must not disturb what is being timed.
        std::unique_lock lock(mutex);
        wake.wait_for(lock, stop, 500ms, [] { return false; });
    }
    const std::lock_guard lock(consoleMutex());
    clearLine();
}

void write(std::FILE* file, std::string_view text) {
    const std::lock_guard lock(consoleMutex());
    clearLine();
    std::fwrite(text.data(), 1, text.size(), file);
    std::fflush(file);
}

}  // namespace

ProgressPrinter::ProgressPrinter(const Progress& progress, bool quiet) {
    if (!quiet) {
        m_thread = std::jthread([&progress](const std::stop_token& stop) { watch(progress, stop); });
    }
}

ProgressPrinter::~ProgressPrinter() = default;

void writeOut(std::string_view text) { write(stdout, text); }

void writeError(std::string_view text) { write(stderr, text); }

}  // namespace pareto::cli
