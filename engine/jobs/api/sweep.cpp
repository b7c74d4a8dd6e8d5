#include "engine/jobs/api/sweep.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "engine/core/file.h"
#include "engine/core/hmac.h"

namespace pareto::jobs {
namespace {

namespace fs = std::filesystem;

constexpr int kVersion = 1;
constexpr std::size_t kIdBytes = 8;
constexpr const char* kFile = "sweep.json";
constexpr int kLooksAwaited = 200;

Error denied(const std::string& path, int problem) {
    return makeError(ErrorCode::FileWriteDenied, {{"file", path}, {"reason", std::strerror(problem)}});
}

Error wrong(const std::string& file, const std::string& field, const std::string& reason) {
    return makeError(ErrorCode::ConfigInvalid, {{"file", file}, {"field", field}, {"reason", reason}});
}

/// Who only looks whether a file is locked holds a shared lock for a moment; who works on a run an exclusive one.
bool isHeld(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return false;
    }
    const bool free = ::flock(file, LOCK_SH | LOCK_NB) == 0;
    ::close(file);
    return !free;
}

/// An open, locked file, or -1 where somebody else works on the run. Those who look are waited for.
Result<int> lockedFile(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) {
        return denied(path, errno);
    }
    int problem = 0;
    for (int i = 0; i < kLooksAwaited; ++i) {
        if (::flock(file, LOCK_EX | LOCK_NB) == 0) {
            return file;
        }
        problem = errno;
        if (problem != EWOULDBLOCK || ::flock(file, LOCK_SH | LOCK_NB) != 0) {
            break;
        }
        ::flock(file, LOCK_UN);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ::close(file);
    return problem == EWOULDBLOCK ? Result<int>(-1) : Result<int>(denied(path, problem));
}

std::string markerOf(const Sweep& sweep) { return (fs::path(sweep.folder()) / "end").string(); }

int attemptsIn(int file) {
    char text[16] = {};
    const auto count = ::pread(file, text, sizeof text - 1, 0);
    return count > 0 ? std::atoi(text) : 0;
}

Status writeAttempts(int file, int attempts, const std::string& path) {
    const auto text = std::to_string(attempts) + "\n";
    if (::pwrite(file, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) || ::fsync(file) != 0) {
        return denied(path, errno);
    }
    return Done{};
}

}  // namespace

std::string_view Sweep::nameOf(State state) {
    switch (state) {
    case State::Waiting: return "waiting";
    case State::Working: return "working";
    case State::Finished: return "finished";
    case State::Failed: return "failed";
    }
    return "";
}

Status Sweep::create(const std::string& folder, const std::string& name, const std::vector<RunParams>& runs) {
    if (runs.empty()) {
        return makeError(ErrorCode::RecipeInvalid, {{"file", "sweep"}, {"field", "runs"}, {"reason", "are none"}});
    }
    Json json{{"version", kVersion}, {"id", randomHex(kIdBytes)}, {"name", name}, {"runs", Json::array()}};
    for (const auto& run : runs) {
        json["runs"].push_back(toJson(run));
    }
    PARETO_TRY(auto pending, PendingFolder::create(folder));
    std::error_code problem;
    for (const char* part : {"outcomes", "claims"}) {
        fs::create_directory(fs::path(pending.path()) / part, problem);
        if (problem) {
            return denied(folder, problem.value());
        }
    }
    PARETO_CHECK(writeFileAtomically((fs::path(pending.path()) / kFile).string(), json.dump(1) + "\n"));
    return pending.commit();
}

Result<Sweep> Sweep::open(const std::string& folder) {
    Sweep out;
    out.m_folder = fs::absolute(folder).lexically_normal().string();
    const auto file = (fs::path(out.m_folder) / kFile).string();
    PARETO_TRY(const auto json, readJsonFile(file));
    JsonReader reader(json, ErrorCode::ConfigInvalid, file);
    const auto version = reader.integer("version", 0, 0, INT32_MAX);
    out.m_id = reader.text("id");
    out.m_name = reader.text("name");
    PARETO_CHECK(reader.status());
    if (version != kVersion) {
        return wrong(file, "version", "is " + std::to_string(version) + "; this program knows " + std::to_string(kVersion));
    }
    const auto runs = json.find("runs");
    if (out.m_id.empty() || runs == json.end() || !runs->is_array() || runs->empty()) {
        return wrong(file, out.m_id.empty() ? "id" : "runs", "is missing");
    }
    for (const auto& run : *runs) {
        auto params = runParamsFromJson(run);
        if (!params.ok()) {
            return wrong(file, "runs[" + std::to_string(out.m_runs.size()) + "]", errorMessage(params.error()));
        }
        out.m_runs.push_back(std::move(params.value()));
    }
    return out;
}

std::string Sweep::pathOf(const char* kind, std::size_t run, const char* ending) const {
    char name[32];
    std::snprintf(name, sizeof name, "%04zu%s", run, ending);
    return (fs::path(m_folder) / kind / name).string();
}

Sweep::State Sweep::stateOf(std::size_t run) const { return stateOf(run, outcomeOf(run)); }

Sweep::State Sweep::stateOf(std::size_t run, const Result<std::optional<RunRecord>>& outcome) const {
    if (!outcome.ok() || outcome.value()) {
        return outcome.ok() && outcome.value()->status == RunStatus::Finished ? State::Finished : State::Failed;
    }
    const auto path = pathOf("claims", run, "");
    return isHeld(path) ? State::Working : State::Waiting;
}

std::optional<fs::file_time_type> Sweep::outcomeTime(std::size_t run) const {
    std::error_code problem;
    const auto time = fs::last_write_time(pathOf("outcomes", run, ".json"), problem);
    return problem ? std::nullopt : std::optional(time);
}

Result<std::optional<RunRecord>> Sweep::outcomeOf(std::size_t run) const {
    const auto path = pathOf("outcomes", run, ".json");
    std::error_code ignored;
    if (!fs::exists(path, ignored)) {
        return std::optional<RunRecord>();
    }
    PARETO_TRY(const auto json, readJsonFile(path));
    PARETO_TRY(auto record, runRecordFromJson(json));
    return std::optional<RunRecord>(std::move(record));
}

Status Sweep::finish(std::size_t run, const RunRecord& record) const {
    return writeFileAtomically(pathOf("outcomes", run, ".json"), runRecordToJson(record).dump() + "\n");
}

Status Sweep::retry(std::size_t run) const {
    PARETO_TRY(const auto outcome, outcomeOf(run));
    if (!outcome || outcome->status == RunStatus::Finished) {
        return Done{};
    }
    for (const auto& path : {pathOf("claims", run, ""), pathOf("outcomes", run, ".json")}) {
        if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
            return denied(path, errno);
        }
    }
    return Done{};
}

Result<std::optional<Sweep::Claim>> Sweep::claim(std::size_t run) const {
    const auto path = pathOf("claims", run, "");
    PARETO_TRY(const int file, lockedFile(path));
    if (file < 0) {
        return std::optional<Claim>();
    }
    Claim claim(run, file, attemptsIn(file) + 1);
    PARETO_TRY(const auto outcome, outcomeOf(run));
    if (outcome) {
        return std::optional<Claim>();
    }
    if (claim.m_attempt > kMostAttempts) {
        const auto error = makeError(ErrorCode::WorkerCrashed,
                                     {{"reason", "each of " + std::to_string(kMostAttempts) +
                                                     " processes that began it ended without a result"}});
        PARETO_CHECK(finish(run, failedOutcome(m_runs[run], error)));
        return std::optional<Claim>();
    }
    PARETO_CHECK(writeAttempts(file, claim.m_attempt, path));
    return std::optional<Claim>(std::move(claim));
}

Sweep::Claim::Claim(Claim&& other) noexcept
    : m_run(other.m_run), m_descriptor(std::exchange(other.m_descriptor, -1)), m_attempt(other.m_attempt) {}

Sweep::Claim& Sweep::Claim::operator=(Claim&& other) noexcept {
    std::swap(m_run, other.m_run);
    std::swap(m_descriptor, other.m_descriptor);
    std::swap(m_attempt, other.m_attempt);
    return *this;
}

Sweep::Claim::~Claim() {
    if (m_descriptor >= 0) {
        ::close(m_descriptor);
    }
}

Status askToEnd(const Sweep& sweep) { return writeFileAtomically(markerOf(sweep), "\n"); }

Status mayGoOn(const Sweep& sweep) {
    const auto marker = markerOf(sweep);
    return ::unlink(marker.c_str()) == 0 || errno == ENOENT ? Status(Done{}) : Status(denied(marker, errno));
}

bool isAskedToEnd(const Sweep& sweep) {
    std::error_code ignored;
    return fs::exists(markerOf(sweep), ignored);
}

RunRecord failedOutcome(const RunParams& params, const Error& error) {
    RunRecord out = recordOf(params);
    out.status = RunStatus::Failed;
    out.error = error;
    return out;
}

Result<std::vector<Recipe>> variedRecipes(const Json& base, const std::vector<VariedField>& fields) {
    std::vector<Json> all{base};
    for (const auto& field : fields) {
        std::vector<Json> next;
        for (const auto& recipe : all) {
            for (const auto& value : field.values) {
                Json changed = recipe;
                try {
                    changed[Json::json_pointer(field.pointer)] = value;
                } catch (const Json::exception& problem) {
                    return makeError(ErrorCode::RecipeInvalid,
                                     {{"file", "recipe"},
                                      {"field", field.pointer},
                                      {"reason", "is no place in the recipe (" + std::string(problem.what()) + ")"}});
                }
                next.push_back(std::move(changed));
            }
        }
        all = std::move(next);
    }
    std::vector<Recipe> out;
    for (const auto& json : all) {
        PARETO_TRY(auto recipe, recipeFromJson(json));
        out.push_back(std::move(recipe));
    }
    return out;
}

}  // namespace pareto::jobs
