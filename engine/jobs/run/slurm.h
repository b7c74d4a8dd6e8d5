#pragma once

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/jobs/api/sweep.h"

/// Sweeps as job arrays of Slurm, whose own commands are called: sbatch, squeue, scancel.
namespace pareto::jobs {

struct SlurmOptions {
    int atOnce = 0;                 ///< runs at a time; 0: as Slurm likes
    std::vector<std::string> more;  ///< further options of sbatch ("--partition=gpu")
};

/// "0-2,5": the array indices of these runs, which rise.
std::string arrayOf(const std::vector<std::size_t>& runs);

/// Submits every run without an outcome as one array whose task N is `pareto sweep item FOLDER N`; its script and logs lie in
/// the sweep's folder (slurm.sh, logs/), the job's number is added to slurm.json. Answers it; empty where nothing waits.
/// WorkerUnavailable where there is no sbatch, or where it refuses.
Result<std::string> submitToSlurm(const Sweep& sweep, const SlurmOptions& options, std::stop_token stop);
/// How many tasks of the sweep's jobs squeue shows, by state ("PENDING", "RUNNING").
Result<std::map<std::string, std::int64_t>> statesInSlurm(const Sweep& sweep, std::stop_token stop);
/// scancel of the sweep's jobs. Nothing where none was submitted.
Status cancelInSlurm(const Sweep& sweep, std::stop_token stop);

}  // namespace pareto::jobs
