#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/jobs/api/jobs.h"

namespace pareto::jobs {

/// Many runs as one folder, which processes of this and of other machines (on a shared file system) work on:
///   sweep.json         the runs, written once
///   outcomes/0007.json how run 7 ended, written as a whole
///   claims/0007        locked by whoever works on run 7 (the system drops the lock with its holder), counts attempts
/// Any of them may be killed at any time: what has no outcome is done again, what has one is not.
class Sweep {
public:
    enum class State { Waiting, Working, Finished, Failed };
    static std::string_view nameOf(State state);  ///< "waiting", "working", …

    /// A new folder. FileWriteDenied (also where it holds anything already); RecipeInvalid without a run.
    static Status create(const std::string& folder, const std::string& name, const std::vector<RunParams>& runs);
    /// FileMissing, JsonInvalid, ConfigInvalid with the run's number.
    static Result<Sweep> open(const std::string& folder);

    const std::string& folder() const { return m_folder; }
    const std::string& id() const { return m_id; }      ///< random: tells sweeps apart wherever they are gathered
    const std::string& name() const { return m_name; }
    const std::vector<RunParams>& runs() const { return m_runs; }

    /// By whether there is an outcome, and whether somebody holds the claim.
    State stateOf(std::size_t run) const;
    /// The same where outcomeOf() was asked already.
    State stateOf(std::size_t run, const Result<std::optional<RunRecord>>& outcome) const;
    /// When a run's outcome was written; nothing where there is none. It is not read.
    std::optional<std::filesystem::file_time_type> outcomeTime(std::size_t run) const;
    /// Failed runs have one too. ConfigInvalid, JsonInvalid where the file was tampered with.
    Result<std::optional<RunRecord>> outcomeOf(std::size_t run) const;
    /// RunStatus::Failed: with the record's error.
    Status finish(std::size_t run, const RunRecord& record) const;
    /// Takes a failed run's outcome away, and its attempts.
    Status retry(std::size_t run) const;

    /// Holds a run for as long as it lives.
    class Claim {
    public:
        Claim(Claim&& other) noexcept;
        Claim& operator=(Claim&& other) noexcept;
        ~Claim();
        std::size_t run() const { return m_run; }
        int attempt() const { return m_attempt; }  ///< from 1; how often somebody began this run

    private:
        friend class Sweep;
        Claim(std::size_t run, int descriptor, int attempt) : m_run(run), m_descriptor(descriptor), m_attempt(attempt) {}
        std::size_t m_run = 0;
        int m_descriptor = -1;
        int m_attempt = 0;
    };
    /// Nothing where the run has an outcome or somebody else works on it. A run whose holders died kMostAttempts times gets
    /// an outcome that says so instead. FileWriteDenied.
    Result<std::optional<Claim>> claim(std::size_t run) const;
    static constexpr int kMostAttempts = 3;

private:
    std::string pathOf(const char* kind, std::size_t run, const char* ending) const;

    std::string m_folder;
    std::string m_id;
    std::string m_name;
    std::vector<RunParams> m_runs;
};

/// Whoever works on the sweep ends soon, wherever it is; until mayGoOn() nobody begins. FileWriteDenied.
Status askToEnd(const Sweep& sweep);
Status mayGoOn(const Sweep& sweep);
bool isAskedToEnd(const Sweep& sweep);

/// The outcome of a run that came to an error.
RunRecord failedOutcome(const RunParams& params, const Error& error);

/// Recipes that differ in fields: every combination of the values of each field, a JSON pointer such as
/// "/defaults/prune/ratio", in the order of the fields with the last one fastest. `base` need not be one without them.
/// RecipeInvalid (a field that has no place in the recipe, a recipe that cannot be used).
struct VariedField {
    std::string pointer;
    std::vector<Json> values;
};
Result<std::vector<Recipe>> variedRecipes(const Json& base, const std::vector<VariedField>& fields);

}  // namespace pareto::jobs
