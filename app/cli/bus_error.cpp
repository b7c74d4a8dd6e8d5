#include "app/cli/bus_error.h"

#include <atomic>
#include <csignal>
#include <cstring>

#include <unistd.h>

#include "engine/core/error.h"
#include "engine/jobs/api/protocol.h"

namespace pareto::cli {

namespace {

constexpr int kExitBadInput = 4;

// A signal handler may touch only what is ready: the line is made beforehand, in memory that stays.
char g_line[4096];
std::atomic<std::size_t> g_size{0};
std::atomic<int> g_descriptor{-1};

void onBusError(int) {
    const auto size = g_size.load();
    if (size > 0) {
        // The leading line break ends a line that another thread may be in the middle of.
        [[maybe_unused]] const auto written = ::write(g_descriptor.load(), g_line, size);
    }
    ::_exit(kExitBadInput);
}

}  // namespace

void installBusErrorHandler(int descriptor) {
    g_descriptor = descriptor;
    struct sigaction action {};
    action.sa_handler = onBusError;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, nullptr);
}

void setBusErrorLine(const std::string& jobId, const std::string& model) {
    const auto line =
        "\n" + jobs::errorLine(jobId, makeError(ErrorCode::FileUnreadable,
                                                {{"file", model},
                                                 {"reason", "it was changed or cut short while it "
                                                            "was open"}}));
    g_size = 0;
    if (line.size() <= sizeof g_line) {
        std::memcpy(g_line, line.data(), line.size());
        g_size = line.size();
    }
}

void clearBusErrorLine() { g_size = 0; }

}  // namespace pareto::cli
