#pragma once

#include "app/cli/command.h"
#include "engine/jobs/api/jobs.h"

namespace pareto::cli {

/// Runs and stores the record; what `run` and `train` answer. Training tells on stderr how it goes.
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
