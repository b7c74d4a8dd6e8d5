#include "engine/jobs/run/slurm.h"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>

#include "engine/core/file.h"
#include "engine/core/json.h"
#include "engine/dist/children.h"

namespace pareto::jobs {
namespace {

namespace fs = std::filesystem;

Error unavailable(const std::string& program, const std::string& reason) {
    return makeError(ErrorCode::WorkerUnavailable, {{"program", program}, {"reason", reason}});
}

/// Of the folders of PATH; empty: there is none.
std::string programNamed(const std::string& name) {
    const char* set = std::getenv("PATH");
    const std::string path = set != nullptr ? set : "/usr/bin:/bin";
    for (std::size_t begin = 0; begin <= path.size();) {
        const auto end = std::min(path.find(':', begin), path.size());
        const auto file = fs::path(path.substr(begin, end - begin)) / name;
        std::error_code ignored;
        if (fs::is_regular_file(file, ignored)) {
            return file.string();
        }
        begin = end + 1;
    }
    return {};
}

/// What a program writes. WorkerUnavailable where it is not there or fails; its own words stand on stderr.
Result<std::vector<std::string>> linesOf(const std::string& name, const std::vector<std::string>& words, std::stop_token stop) {
    const auto program = programNamed(name);
    if (program.empty()) {
        return unavailable(name, "it is not installed here; Slurm's commands must be in PATH");
    }
    std::mutex mutex;
    std::condition_variable_any changed;
    std::vector<std::string> lines;
    std::string ended;
    dist::Children children({[&](int, const std::string& line) {
                                 const std::lock_guard lock(mutex);
                                 lines.push_back(line);
                             },
                             [&](int, const std::string& how) {
                                 const std::lock_guard lock(mutex);
                                 ended = how;
                                 changed.notify_all();
                             }});
    dist::ChildOptions options;
    options.command.push_back(program);
    options.command.insert(options.command.end(), words.begin(), words.end());
    PARETO_CHECK(children.start(options));
    std::unique_lock lock(mutex);
    if (!changed.wait(lock, stop, [&] { return !ended.empty(); })) {
        return Cancelled{};
    }
    if (ended != "ended with exit code 0") {
        return unavailable(name, "it " + ended + (lines.empty() ? "" : ": " + lines.back()));
    }
    return lines;
}

std::string jobsFile(const Sweep& sweep) { return (fs::path(sweep.folder()) / "slurm.json").string(); }

Result<std::vector<std::string>> jobsOf(const Sweep& sweep) {
    std::vector<std::string> out;
    const auto file = jobsFile(sweep);
    std::error_code ignored;
    if (!fs::exists(file, ignored)) {
        return out;
    }
    PARETO_TRY(const auto json, readJsonFile(file));
    for (const auto& job : json.value("jobs", Json::array())) {
        const auto text = job.is_string() ? job.get<std::string>() : std::string();
        if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) {
            return makeError(ErrorCode::ConfigInvalid, {{"file", file}, {"field", "jobs"}, {"reason", "are no job numbers"}});
        }
        out.push_back(text);
    }
    return out;
}

/// For a shell.
std::string quoted(const std::string& text) {
    std::string out = "'";
    for (const char letter : text) {
        out += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
    }
    return out + "'";
}

std::string joined(const std::vector<std::string>& texts) {
    std::string out;
    for (const auto& text : texts) {
        out += (out.empty() ? "" : ",") + text;
    }
    return out;
}

}  // namespace

std::string arrayOf(const std::vector<std::size_t>& runs) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin < runs.size();) {
        std::size_t end = begin + 1;
        while (end < runs.size() && runs[end] == runs[end - 1] + 1) {
            ++end;
        }
        parts.push_back(std::to_string(runs[begin]) + (end - begin > 1 ? "-" + std::to_string(runs[end - 1]) : ""));
        begin = end;
    }
    return joined(parts);
}

Result<std::string> submitToSlurm(const Sweep& sweep, const SlurmOptions& options, std::stop_token stop) {
    std::vector<std::size_t> waiting;
    for (std::size_t run = 0; run < sweep.runs().size(); ++run) {
        if (sweep.stateOf(run) == Sweep::State::Waiting) {
            waiting.push_back(run);
        }
    }
    if (waiting.empty()) {
        return std::string();
    }
    PARETO_TRY(auto jobs, jobsOf(sweep));
    std::error_code problem;
    const auto program = fs::read_symlink("/proc/self/exe", problem);
    const auto folder = fs::path(sweep.folder());
    fs::create_directories(folder / "logs", problem);
    const auto script = (folder / "slurm.sh").string();
    PARETO_CHECK(writeFileAtomically(script, "#!/bin/sh\nexec " + quoted(program.string()) + " sweep item " +
                                                 quoted(sweep.folder()) + " \"$SLURM_ARRAY_TASK_ID\" --quiet\n"));
    std::vector<std::string> words{"--parsable", "--job-name=pareto-" + sweep.id(),
                                   "--output=" + (folder / "logs" / "%a.log").string(), "--open-mode=append",
                                   "--array=" + arrayOf(waiting) +
                                       (options.atOnce > 0 ? "%" + std::to_string(options.atOnce) : "")};
    words.insert(words.end(), options.more.begin(), options.more.end());
    words.push_back(script);
    PARETO_TRY(const auto lines, linesOf("sbatch", words, std::move(stop)));
    // "<job>" or "<job>;<cluster>".
    const auto job = lines.empty() ? std::string() : lines.back().substr(0, lines.back().find(';'));
    if (job.empty() || job.find_first_not_of("0123456789") != std::string::npos) {
        return unavailable("sbatch", "it answered no job number");
    }
    jobs.push_back(job);
    PARETO_CHECK(writeFileAtomically(jobsFile(sweep), Json{{"jobs", jobs}}.dump() + "\n"));
    return job;
}

Result<std::map<std::string, std::int64_t>> statesInSlurm(const Sweep& sweep, std::stop_token stop) {
    std::map<std::string, std::int64_t> out;
    PARETO_TRY(const auto jobs, jobsOf(sweep));
    if (jobs.empty()) {
        return out;
    }
    // By the job's name: squeue refuses numbers that it has forgotten.
    PARETO_TRY(const auto lines, linesOf("squeue", {"--noheader", "--array", "--format=%T", "--name=pareto-" + sweep.id()},
                                         std::move(stop)));
    for (const auto& line : lines) {
        const auto end = line.find_last_not_of(' ');
        if (end != std::string::npos) {
            ++out[line.substr(0, end + 1)];
        }
    }
    return out;
}

Status cancelInSlurm(const Sweep& sweep, std::stop_token stop) {
    PARETO_TRY(const auto jobs, jobsOf(sweep));
    if (!jobs.empty()) {
        PARETO_CHECK(linesOf("scancel", {"--name=pareto-" + sweep.id()}, std::move(stop)));
    }
    return Done{};
}

}  // namespace pareto::jobs
