#include "engine/jobs/api/machine.h"

#include <array>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "engine/core/cpu_info.h"
#include "engine/core/hash.h"

namespace pareto::jobs {
namespace {

/// What the kernels of this program can make use of, as /proc/cpuinfo spells it.
constexpr std::array kFeatures{"sse4_2",      "avx",         "avx2",       "fma",         "f16c",
                               "avx_vnni",    "avx512f",     "avx512bw",   "avx512dq",    "avx512vl",
                               "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile",   "amx_int8",
                               "amx_bf16",    "asimd",       "asimddp",    "i8mm",        "sve"};

struct CpuDescription {
    std::string model;
    std::vector<std::string> features;
};

CpuDescription describeCpu() {
    CpuDescription cpu;
    cpu.model = cpuInfo("model name");
    const std::string text = cpuInfo("flags");
    std::istringstream words(text.empty() ? cpuInfo("Features") : text);
    const std::set<std::string> flags{std::istream_iterator<std::string>(words), {}};
    for (const char* feature : kFeatures) {
        if (flags.contains(feature)) {
            cpu.features.emplace_back(feature);
        }
    }
    return cpu;
}

int coresAllowed() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) == 0) {
        return CPU_COUNT(&set);
    }
    return static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
}

std::string governor() {
    std::ifstream file("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    std::string name;
    std::getline(file, name);
    return name.empty() ? "unknown" : name;
}

}  // namespace

MachineInfo thisMachine() {
    MachineInfo machine;
    utsname system{};
    if (::uname(&system) == 0) {
        machine.host = system.nodename;
        machine.kernel = std::string(system.sysname) + " " + system.release;
    }
    const CpuDescription cpu = describeCpu();
    machine.cpu = cpu.model.empty() ? std::string(system.machine) : cpu.model;
    machine.features = cpu.features;
    machine.cores = coresAllowed();
    machine.memoryBytes = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                          static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    machine.governor = governor();
    machine.devices = {"cpu"};
    // Not the kernel's version: an update of the system does not make it another machine. Cores and
    // host do: runs of two containers on one computer are not comparable.
    Json fingerprint{{"host", machine.host},
                     {"cpu", machine.cpu},
                     {"cores", machine.cores},
                     {"memory", machine.memoryBytes},
                     {"features", machine.features}};
    machine.id = sha256Hex(compactJson(fingerprint)).substr(0, 16);
    return machine;
}

}  // namespace pareto::jobs
