#pragma once

#include "engine/records/run_record.h"

namespace pareto::jobs {

/// The machine this process runs on: host, CPU model, cores of its affinity mask, memory, kernel,
/// frequency governor, instruction sets; `id` is a hash of what decides how fast it is. Devices: "cpu"
/// only; the runtime adds what it finds.
MachineInfo thisMachine();

}  // namespace pareto::jobs
