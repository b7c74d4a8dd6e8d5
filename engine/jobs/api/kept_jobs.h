#pragma once

#include <string>

#include "engine/core/progress.h"
#include "engine/core/result.h"

namespace pareto::jobs {

/// Jobs that outlive the connection they came through (`pareto worker --keep`), as files of a folder of the machine that does them:
///   <id>.job      locked while its process works on it (the system drops the lock with the process); says how far it is
///   <id>.answer   the protocol's lines that end it, written as a whole; there until whoever asked has got them
///   <id>.cancel   somebody who asked wants it ended
/// Ids are the asker's: letters, digits and '-', at most 64.
class KeptJobs {
public:
    /// $XDG_STATE_HOME/pareto-studio/kept; what nobody touched for 30 days is removed. FileWriteDenied.
    static Result<KeptJobs> open();
    explicit KeptJobs(std::string folder) : m_folder(std::move(folder)) {}
    static bool isId(const std::string& id);

    /// A job that this process works on, for as long as this lives.
    class Claim {
    public:
        Claim(Claim&& other) noexcept;
        Claim& operator=(Claim&&) = delete;
        ~Claim();
        void say(const ProgressSnapshot& progress);
        bool isCancelAsked() const;
        /// Before they are sent. FileWriteDenied, DiskFull.
        Status answer(const std::string& lines);

    private:
        friend class KeptJobs;
        Claim(std::string path, int descriptor) : m_path(std::move(path)), m_descriptor(descriptor) {}
        std::string m_path;  ///< without an ending
        int m_descriptor = -1;
    };
    /// FileWriteDenied; ConfigInvalid where there is such a job already, or the id is none.
    Result<Claim> begin(const std::string& id) const;

    enum class State { Absent, Working, Answered, Died };
    struct Seen {
        State state = State::Absent;
        std::string lines;          ///< Answered
        ProgressSnapshot progress;  ///< Working
    };
    Seen look(const std::string& id) const;
    void askToCancel(const std::string& id) const;
    /// It has been received, or is given up: nothing of it is left unless somebody works on it.
    void forget(const std::string& id) const;

private:
    std::string pathOf(const std::string& id) const;
    std::string m_folder;
};

}  // namespace pareto::jobs
