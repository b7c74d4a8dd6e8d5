#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/runtime/cuda_driver.h"

/// NVIDIA's management library, opened at run time (NVML API Reference, "Device Queries"): what a GPU draws, how fast it
/// runs and why not faster. Every value may be absent: not every GPU, virtual machine or container says it.
namespace pareto::runtime {

struct GpuReading {
    std::optional<double> powerW;
    std::optional<int> smMhz;
    std::optional<int> memoryMhz;
    std::optional<int> utilisation;   ///< percent of the last period in which a kernel ran
    std::optional<int> temperatureC;
    std::optional<std::uint64_t> throttles;  ///< bits, see throttleNames
};

/// Use of the GPU by one process.
struct GpuProcess {
    std::uint32_t pid = 0;
    int utilisation = 0;  ///< percent
};

class Nvml {
public:
    /// Opens the library and finds the GPU by its UUID, else by its place on the bus (NVML counts GPUs in another order
    /// than CUDA). Null with `whyNot` in English.
    static std::unique_ptr<Nvml> open(const GpuFacts& gpu, std::string& whyNot,
                                      const std::string& library = "libnvidia-ml.so.1");
    ~Nvml();
    Nvml(const Nvml&) = delete;
    Nvml& operator=(const Nvml&) = delete;

    GpuReading read() const;
    std::optional<double> energyJ() const;      ///< since the driver was loaded
    std::optional<double> powerLimitW() const;
    /// Processes that compute on it; absent: not said.
    std::optional<std::vector<std::uint32_t>> processes() const;
    /// How much each process computed since `sinceUs` (system clock, µs); absent: not said.
    std::optional<std::vector<GpuProcess>> use(std::uint64_t sinceUs) const;

private:
    struct Functions;
    Nvml(std::unique_ptr<Functions> functions, void* device);
    std::unique_ptr<Functions> m_functions;
    void* m_device = nullptr;
};

/// Names of the reasons for lower clocks that are set in `bits`; an idle GPU and the clocks an owner has set are none.
std::vector<std::string> throttleNames(std::uint64_t bits);

}  // namespace pareto::runtime
