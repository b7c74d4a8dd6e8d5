#pragma once

#include "app/cli/command.h"
#include "engine/jobs/api/jobs.h"

namespace pareto::cli {

/// Runs and stores. The row stands in the store while the run goes on, owned by this process, and is
/// finished in every case that this process survives. Training tells on stderr how it goes.
Result<RunRecord> storedRun(const jobs::RunParams& params, Context& context);

/// Runs and stores the record; what `run` and `train` answer. A rank behind the first (jobs::isFollower) only computes.
Result<Output> runAndStore(const jobs::RunParams& params, Context& context);

/// One line for each recovery step of a record: what it did, and its last and best validation; empty: there was none.
std::string recoveryText(const RunRecord& record);

/// Tells people on stderr about validations, and every few seconds about the loss.
class TrainingSink : public jobs::RunSink {
public:
    explicit TrainingSink(const Context& context) : m_context(context) {}
    void partial(const Json& event) override;

private:
    const Context& m_context;
    std::int64_t m_told = 0;  ///< seconds of the clock
};

}  // namespace pareto::cli
