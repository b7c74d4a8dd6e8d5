#include "engine/jobs/api/kept_jobs.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "engine/core/file.h"
#include "engine/core/folders.h"
#include "engine/jobs/api/protocol.h"

namespace pareto::jobs {
namespace {

namespace fs = std::filesystem;

constexpr auto kKeptFor = std::chrono::hours(24 * 30);
constexpr std::size_t kMostId = 64;
constexpr std::size_t kMostProgress = 4096;
constexpr const char* kJob = ".job";
constexpr const char* kAnswer = ".answer";
constexpr const char* kCancel = ".cancel";

Error denied(const std::string& path, const std::string& reason) {
    return makeError(ErrorCode::FileWriteDenied, {{"file", path}, {"reason", reason}});
}

}  // namespace

Result<KeptJobs> KeptJobs::open() {
    const auto folder = userFolder("XDG_STATE_HOME", ".local/state") + "/kept";
    std::error_code problem;
    fs::create_directories(folder, problem);
    if (problem) {
        return denied(folder, problem.message());
    }
    const auto oldest = fs::file_time_type::clock::now() - kKeptFor;
    for (const auto& entry : fs::directory_iterator(folder, problem)) {
        std::error_code ignored;
        if (entry.last_write_time(ignored) < oldest && !ignored) {
            fs::remove(entry.path(), ignored);
        }
    }
    return KeptJobs(folder);
}

bool KeptJobs::isId(const std::string& id) {
    return !id.empty() && id.size() <= kMostId &&
           id.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == std::string::npos;
}

std::string KeptJobs::pathOf(const std::string& id) const { return m_folder + "/" + id; }

Result<KeptJobs::Claim> KeptJobs::begin(const std::string& id) const {
    if (!isId(id)) {
        return makeError(ErrorCode::ConfigInvalid,
                         {{"file", "start"}, {"field", "id"}, {"reason", "\"" + id + "\" cannot name a kept job"}});
    }
    const auto path = pathOf(id);
    // It appears under its name when it is locked.
    const auto unlocked = path + kJob + "-" + std::to_string(::getpid());
    const int file = ::open(unlocked.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int problem = errno;
    bool named = false;
    if (file >= 0) {
        named = ::flock(file, LOCK_EX | LOCK_NB) == 0 && ::link(unlocked.c_str(), (path + kJob).c_str()) == 0;
        problem = errno;
        ::unlink(unlocked.c_str());
    }
    if (!named) {
        if (file >= 0) {
            ::close(file);
        }
        return problem == EEXIST ? makeError(ErrorCode::ConfigInvalid,
                                             {{"file", "start"},
                                              {"field", "id"},
                                              {"reason", "\"" + id + "\" names a job that was begun already"}})
                                 : denied(path + kJob, std::strerror(problem));
    }
    return Claim(path, file);
}

KeptJobs::Claim::Claim(Claim&& other) noexcept
    : m_path(std::move(other.m_path)), m_descriptor(std::exchange(other.m_descriptor, -1)) {}

KeptJobs::Claim::~Claim() {
    if (m_descriptor >= 0) {
        ::close(m_descriptor);
    }
}

void KeptJobs::Claim::say(const ProgressSnapshot& progress) {
    // Read while it is written it may be nonsense for a moment, which look() takes for no progress.
    const auto line = progressLine({"kept", progress, 0});
    if (::ftruncate(m_descriptor, 0) != 0 ||
        ::pwrite(m_descriptor, line.data(), line.size(), 0) != static_cast<ssize_t>(line.size())) {
        return;  // progress is for people
    }
}

bool KeptJobs::Claim::isCancelAsked() const {
    std::error_code ignored;
    return fs::exists(m_path + kCancel, ignored);
}

Status KeptJobs::Claim::answer(const std::string& lines) { return writeFileAtomically(m_path + kAnswer, lines); }

KeptJobs::Seen KeptJobs::look(const std::string& id) const {
    Seen out;
    if (!isId(id)) {
        return out;
    }
    const auto path = pathOf(id);
    const int file = ::open((path + kJob).c_str(), O_RDONLY | O_CLOEXEC);
    bool locked = false;
    if (file >= 0) {
        locked = ::flock(file, LOCK_SH | LOCK_NB) != 0;
        char text[kMostProgress];
        const auto count = locked ? ::pread(file, text, sizeof text, 0) : 0;
        if (count > 0) {
            const auto line = std::string_view(text, static_cast<std::size_t>(count));
            if (const auto said = parseMessage(line.substr(0, line.find('\n')));
                said.ok() && said->type == MessageType::Progress) {
                out.progress = said->progress.progress;
            }
        }
        ::close(file);
    }
    // The answer is written before the lock is given up: looked at behind it, nothing falls between.
    if (auto lines = readTextFile(path + kAnswer); lines.ok()) {
        out.state = State::Answered;
        out.lines = std::move(lines).value();
    } else if (file >= 0) {
        out.state = locked ? State::Working : State::Died;
    }
    return out;
}

void KeptJobs::askToCancel(const std::string& id) const {
    if (isId(id) && look(id).state == State::Working) {
        const int file = ::open((pathOf(id) + kCancel).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (file >= 0) {
            ::close(file);
        }
    }
}

void KeptJobs::forget(const std::string& id) const {
    if (!isId(id) || look(id).state == State::Working) {
        return;
    }
    std::error_code ignored;
    for (const char* ending : {kAnswer, kCancel, kJob}) {
        fs::remove(pathOf(id) + ending, ignored);
    }
}

}  // namespace pareto::jobs
