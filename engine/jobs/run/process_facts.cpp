#include "engine/jobs/run/process_facts.h"

#include "engine/bench/memory.h"
#include "engine/core/version.h"
#include "engine/jobs/api/machine.h"
#include "engine/models/model.h"

namespace pareto::jobs {

HelloMessage helloOfThisProcess() {
    HelloMessage message;
    message.magic = kProtocolMagic;
    message.protocol = kProtocolVersion;
    message.program = std::string(programVersion());
    message.machine = thisMachine();
    const auto devices = models::listDevices();
    message.machine.devices = devices.devices;
    message.versions = {{"program", std::string(programVersion())},
                        {"commit", std::string(programCommit())},
                        {"libtorch", models::libtorchVersion()},
                        {"compiler", __VERSION__},
                        {"no_cuda_reason", devices.noCudaReason}};
    return message;
}

std::uint64_t residentBytes() { return bench::residentMemory(); }

}  // namespace pareto::jobs
