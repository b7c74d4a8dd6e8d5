#pragma once

#include <string>
#include <vector>

#include "app/cli/command.h"
#include "engine/jobs/api/jobs.h"

/// Options of the subcommands that generate text.
namespace pareto::cli {

/// --max-tokens --temperature --top-k --top-p --min-p --repetition-penalty --beams --length-penalty
/// --stop --kv-cache --seed; the help says the defaults of `usual`.
std::vector<OptionSpec> samplingOptions(const jobs::SamplingParams& usual);
/// UsageUnknown: a value outside its range.
Result<jobs::SamplingParams> samplingOf(const Arguments& arguments, jobs::SamplingParams usual);

}  // namespace pareto::cli
