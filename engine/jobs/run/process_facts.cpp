#include "engine/jobs/run/process_facts.h"

#include "engine/bench/memory.h"
#include "engine/core/version.h"
#include "engine/jobs/api/machine.h"
#include "engine/models/model.h"
#include "engine/runtime/device.h"

namespace pareto::jobs {

HelloMessage helloOfThisProcess() {
    HelloMessage message;
    message.magic = kProtocolMagic;
    message.protocol = kProtocolVersion;
    message.program = std::string(programVersion());
    message.machine = thisMachine();
    addDevices(message.machine);
    message.versions = {{"program", std::string(programVersion())},
                        {"commit", std::string(programCommit())},
                        {"libtorch", models::libtorchVersion()},
                        {"compiler", __VERSION__}};
    addDriverVersion(message.versions);
    if (const auto problem = models::listDevices().noCuda) {
        message.versions["no_cuda"] = errorToJson(*problem);
    }
    return message;
}

void addDevices(MachineInfo& machine) {
    machine.devices = models::listDevices().devices;
    machine.gpus.clear();
    const auto& driver = runtime::cudaDriver();
    for (std::size_t i = 0; i < driver.gpus.size(); ++i) {
        const auto& gpu = driver.gpus[i];
        machine.gpus.push_back(
            {"cuda:" + std::to_string(i), gpu.name,
             std::to_string(gpu.capability / 10) + "." + std::to_string(gpu.capability % 10),
             gpu.memoryBytes, driver.release,
             driver.version > 0 ? runtime::cudaVersionText(driver.version) : std::string(),
             gpu.pciId, gpu.uuid});
    }
}

void addDriverVersion(Json& versions) {
    const auto& driver = runtime::cudaDriver();
    if (driver.version > 0) {
        versions["nvidia_driver"] = (driver.release.empty() ? "" : driver.release + ", ") +
                                    "CUDA " + runtime::cudaVersionText(driver.version);
    }
}

std::uint64_t residentBytes() { return bench::residentMemory(); }

}  // namespace pareto::jobs
