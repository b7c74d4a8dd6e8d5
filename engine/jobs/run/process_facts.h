#pragma once

#include <cstdint>

#include "engine/jobs/api/protocol.h"

namespace pareto::jobs {

/// What a worker says first: this machine with the devices that can compute here, and the versions of
/// what computes.
HelloMessage helloOfThisProcess();

/// The devices that can be used here, and what the NVIDIA driver says of its GPUs.
void addDevices(MachineInfo& machine);

/// "nvidia_driver": "580.95.05, CUDA 13.0"; nothing where there is no driver.
void addDriverVersion(Json& versions);

/// Bytes of this process that are in memory now.
std::uint64_t residentBytes();

}  // namespace pareto::jobs
