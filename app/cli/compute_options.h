#pragma once

#include <string>
#include <vector>

#include "app/cli/command.h"
#include "engine/jobs/api/jobs.h"

/// Options that the computing subcommands share, and what they read from them.
namespace pareto::cli {

/// --target, and the single settings that win over it: --device --threads --batch --seq --prompt
/// --generate. The subcommand `generate` uses --prompt for its text: it leaves `prompt` out.
std::vector<OptionSpec> targetOptions();
/// --device and --threads alone.
std::vector<OptionSpec> deviceOptions();
/// TargetInvalid, UsageUnknown.
Result<Target> targetOf(const Arguments& arguments);
Result<Target> deviceOf(const Arguments& arguments);

/// --warmups --min-seconds --min-iterations --max-iterations --no-paired --seed
std::vector<OptionSpec> timingOptions();
Status takeTiming(const Arguments& arguments, jobs::RunParams& params);

/// --task --limit --max-length --window --protocol
std::vector<OptionSpec> taskOptions();
/// The task of --task with the other options put in. UsageMissing without --task.
Result<Task> taskOf(const Arguments& arguments);

/// --text and --file
std::vector<OptionSpec> textOptions();
/// Texts come as further words behind the model, with --text, or as the lines of --file. UsageMissing
/// without any.
Result<std::vector<std::string>> textsOf(const Arguments& arguments);

/// --ranks
OptionSpec ranksOption();
Status takeRanks(const Arguments& arguments, jobs::RunParams& params);

/// --ranks of what divides a model and shares nothing else, and how it completes tp and pp. TargetInvalid.
OptionSpec partsOption();
/// --hosts, which takeParts and takeRanks take.
OptionSpec hostsOption();
Status takeHosts(const Arguments& arguments);
Status takeParts(const Arguments& arguments, Target& target);

OptionSpec recipeOption();
OptionSpec exportFormatOption();
/// The recipe of --recipe; the empty one without.
Result<Recipe> recipeOf(const Arguments& arguments);

std::vector<OptionSpec> joined(std::vector<std::vector<OptionSpec>> parts);

}  // namespace pareto::cli
