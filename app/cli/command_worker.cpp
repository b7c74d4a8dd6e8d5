#include <csignal>
#include <optional>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/cli/bus_error.h"
#include "app/cli/command_list.h"
#include "app/cli/worker_session.h"
#include "engine/jobs/run/process_facts.h"
#include "engine/jobs/run/rank_group.h"

namespace pareto::cli {

namespace {

/// Whatever a library prints must not get between the protocol's lines: the real stdout is kept under
/// another number, and 1 points at stderr from here on.
Result<int> takeStdout() {
    const int kept = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (kept < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
        return makeError(ErrorCode::EngineFailure,
                         {{"where", "the worker"}, {"reason", "its output cannot be set up"}});
    }
    return kept;
}

void restrictProcess(bool dieWithParent) {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (dieWithParent) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    }
}

/// Of stdin, and nothing of what is behind it.
std::string firstLine() {
    constexpr std::size_t kMost = 65536;
    std::string out;
    for (char c = 0; out.size() < kMost && ::read(STDIN_FILENO, &c, 1) == 1 && c != '\n';) {
        out += c;
    }
    return out;
}

/// So long a connection may take nothing before its job goes on without it.
constexpr int kGoneMs = 30'000;

Result<Output> worker(const Arguments& arguments, Context& context) {
    if (arguments.has("environment")) {
        PARETO_CHECK(jobs::takeRankEnvironment(firstLine()));
    }
    std::optional<jobs::KeptJobs> kept;
    if (arguments.has("keep")) {
        PARETO_TRY(kept, jobs::KeptJobs::open());
    }
    PARETO_TRY(const auto descriptor, takeStdout());
    restrictProcess(arguments.has("die-with-parent"));
    installBusErrorHandler(descriptor);
    LineWriter output(descriptor, kept ? kGoneMs : -1);
    output.write(jobs::helloLine(jobs::helloOfThisProcess()));
    WorkerSession session(STDIN_FILENO, output,
                          jobs::jobTable(std::make_shared<jobs::ModelCache>()), std::move(kept));
    session.run(context.stop);
    ::close(descriptor);
    return Output{};
}

}  // namespace

const Command kWorkerCommand{
    "worker", "", "Serve jobs on stdin and stdout, one JSON object a line (for the studio)",
    {{"die-with-parent", "", "be killed when the program that started it ends"},
     {"keep", "", "go on with a job whose asker is gone, and keep its answer until it is fetched (for the studio over ssh)"},
     {"environment", "", "read RANK and its siblings from the first line, a JSON object"}}, 0, 0, worker};

}  // namespace pareto::cli
