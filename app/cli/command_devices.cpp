#include <optional>

#include "app/cli/command_list.h"
#include "app/cli/text_table.h"
#include "engine/jobs/run/process_facts.h"

namespace pareto::cli {

namespace {

std::string textOf(const MachineInfo& machine, const Json& versions,
                   const std::optional<Error>& noCuda) {
    std::string text = "cpu: " + machine.cpu + ", " + std::to_string(machine.cores) +
                       (machine.cores == 1 ? " core\n" : " cores\n");
    if (!machine.gpus.empty()) {
        TextTable table({{"GPU"}, {"Name"}, {"Capability"}, {"Memory", Align::Right}, {"Bus"}});
        for (const auto& gpu : machine.gpus) {
            table.add(
                {gpu.device, gpu.name, gpu.capability, formatBytes(gpu.memoryBytes), gpu.pciId});
        }
        text += table.text();
    }
    if (versions.contains("nvidia_driver")) {
        text += "NVIDIA driver: " + versions["nvidia_driver"].get<std::string>() + "\n";
    }
    if (noCuda) {
        text += errorMessage(*noCuda) + "\n";
    }
    return text;
}

/// What a worker greets with.
Result<Output> devices(const Arguments&, Context&) {
    const auto hello = jobs::helloOfThisProcess();
    Json json{{"devices", hello.machine.devices},
              {"machine", machineToJson(hello.machine)},
              {"versions", hello.versions}};
    std::optional<Error> noCuda;
    if (hello.versions.contains("no_cuda")) {
        noCuda = errorFromJson(hello.versions["no_cuda"]);
        json["no_cuda"] = hello.versions["no_cuda"];
        json["versions"].erase("no_cuda");
    }
    return Output{std::move(json), textOf(hello.machine, hello.versions, noCuda)};
}

}  // namespace

const Command kDevicesCommand{
    "devices", "", "Show the CPU, each GPU the NVIDIA driver lists, and why one cannot be used",
    {},        0,  0,
    devices};

}  // namespace pareto::cli
